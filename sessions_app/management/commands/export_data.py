"""Export data for spreadsheets and statistics programs, from the command line."""

import os
import shutil
from argparse import ArgumentTypeError
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from sessions_app.allocation import closed_everywhere
from sessions_app.dataout.bundle import FORMATS, write_bundle, written_names
from sessions_app.dataout.manifest import Made
from sessions_app.dataout.plan import Plan
from sessions_app.dataout.statistics_files import NoRoomInFile
from sessions_app.datasheets.exporting import NoRoomInWorkbook
from sessions_app.exchange import export_words, may_export_as_recorded
from sessions_app.models import Protocol
from stsclinic.audit.services import note_event
from stsclinic.clinical.remission import HORIZON
from stsclinic.clinical.terms import BODY_SITE, DIAGNOSIS, SUBTYPE
from stsclinic.clinics.models import Clinic, User
from stsclinic.operator_command import OperatorCommand
from stsclinic.reporting.selection import UNIT, Selection

ACTOR = "export_data"
CODES = {"diagnosis": DIAGNOSIS, "subtype": SUBTYPE, "body_site": BODY_SITE}
"""What is chosen by a code that every registry knows."""


class Command(OperatorCommand):
    """De-identified unless a data manager takes the responsibility for more."""

    help = (
        "Export the data sheets to FOLDER for spreadsheets and statistics programs, with a codebook, a manifest "
        "and scripts that compute the report's headline from them. De-identified: no names, no free text, "
        "shifted days. A closed allocation is left out. FOLDER may be new, empty, or hold an earlier export, "
        "which is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read FOLDER and what is chosen."""
        parser.add_argument("folder", metavar="FOLDER")
        parser.add_argument(
            "--format", action="append", choices=list(FORMATS), help="only this; may be repeated"
        )
        parser.add_argument("--clinic", action="append", metavar="CODE", help="only this; may be repeated")
        _add_selection(parser)
        parser.add_argument(
            "--danish", action="store_true", help="CSV with semicolons, decimal commas and a BOM"
        )
        parser.add_argument(
            "--new-ids", action="store_true", help="random codes for study IDs and lesion IDs"
        )
        parser.add_argument(
            "--with-dates", action="store_true", help="days as recorded; needs --by and --reason"
        )
        parser.add_argument("--with-text", action="store_true", help="free text too; needs --by and --reason")
        parser.add_argument("--by", metavar="USER", default="", help="the data manager who answers for it")
        parser.add_argument(
            "--reason", default="", help="for whom and for what; kept in the log and the manifest"
        )

    def handle(self, *args: Any, folder: str, **options: Any) -> None:
        """Write the files.

        Raises:
            CommandError: a code is not known, more is asked than is allowed, or the folder cannot be written.
        """
        plan = self._plan(options)
        made = Made(options["by"] or ACTOR, timezone.now(), options["reason"].strip())
        target = Path(folder)
        try:
            _make_room(target)
            try:
                counts = write_bundle(target, plan, made)
            except BaseException:
                # Half an export is none.
                _empty(target)
                raise
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror or error}.") from error
        except (NoRoomInWorkbook, NoRoomInFile) as error:
            raise CommandError(str(error)) from error
        note_event("exported", by=made.by, detail=f"{export_words(plan)}; reason: {made.reason or 'none'}")
        rows = ", ".join(f"{name} {count}" for name, count in counts.items())
        self.stdout.write(f"Exported to {target}: {rows}.")

    def _plan(self, options: dict[str, Any]) -> Plan:
        clinics = list(Clinic.objects.order_by("code").values_list("code", flat=True))
        protocols = Protocol.objects.order_by("code").values_list("code", flat=True).distinct()
        _refuse_unknown("clinic", options["clinic"], clinics)
        _refuse_unknown("protocol", options["protocol"], list(protocols))
        for name, known in CODES.items():
            _refuse_unknown(name.replace("_", " "), options[name], list(known))
        plan = Plan(
            clinics=tuple(options["clinic"] or clinics),
            formats=tuple(options["format"] or FORMATS),
            selection=_selection(options),
            with_dates=options["with_dates"],
            with_text=options["with_text"],
            new_ids=options["new_ids"],
            danish=options["danish"],
            closed=closed_everywhere(),
        )
        if not plan.is_deidentified:
            if not options["reason"].strip():
                raise CommandError("Say with --reason for whom and for what dates or notes leave.")
            user = User.objects.filter(username=options["by"]).first()
            if user is None or not may_export_as_recorded(user, plan.clinics):
                raise CommandError(
                    "Dates and notes leave only by a data manager of every clinic: give the user name with --by."
                )
        return plan


def _add_selection(parser: CommandParser) -> None:
    for name in ("protocol", *CODES):
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, action="append", metavar="CODE", help="only this; may be repeated")
    parser.add_argument(
        "--concentration",
        action="append",
        type=_mg_ml,
        metavar="MG_ML",
        help="only series in which it was injected, in mg/ml; may be repeated",
    )
    for name in ("from", "to"):
        parser.add_argument(
            f"--first-treatment-{name}", type=_day, metavar="YYYY-MM-DD", help="period of the first treatment"
        )
    parser.add_argument("--horizon", choices=list(HORIZON), default="follow_up", help="of the headline")
    parser.add_argument("--unit", choices=list(UNIT), default="series", help="what the headline counts")


def _selection(options: dict[str, Any]) -> Selection:
    """What was chosen within the clinics.

    Raises:
        CommandError: the period ends before it begins.
    """
    first, last = options["first_treatment_from"], options["first_treatment_to"]
    if first and last and last < first:
        raise CommandError("The period ends before it begins. Give a later day with --first-treatment-to.")
    return Selection(
        protocols=frozenset(options["protocol"] or ()),
        diagnoses=frozenset(options["diagnosis"] or ()),
        subtypes=frozenset(options["subtype"] or ()),
        body_sites=frozenset(options["body_site"] or ()),
        concentrations=frozenset(options["concentration"] or ()),
        first_treatment_from=first,
        first_treatment_to=last,
        horizon=options["horizon"],
        unit=options["unit"],
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day. Valid is a day such as 2026-11-20.") from error


def _mg_ml(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if value.is_nan() or not 0 < value <= 1000:
        raise ArgumentTypeError(f"{text!r} is no concentration. Valid is above 0 to 1000 mg/ml, such as 150.")
    return value


def _refuse_unknown(what: str, codes: list[str] | None, known: list[str]) -> None:
    for code in codes or ():
        if code not in known:
            raise CommandError(f"There is no {what} {code!r}. Valid are: {', '.join(known) or 'none yet'}.")


def _make_room(target: Path) -> None:
    """Make the folder, or empty it of an earlier export."""
    if target.exists() and not target.is_dir():
        raise CommandError(f"{target} is a file. Valid is a folder.")
    ours = written_names()
    if target.is_dir():
        others = sorted(path.name for path in target.iterdir() if path.name not in ours)
        if others:
            raise CommandError(
                f"{target} holds {others[0]}, which is no export. Valid is a new or an empty folder."
            )
        _empty(target)
    os.umask(0o077)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)


def _empty(target: Path) -> None:
    for path in target.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
