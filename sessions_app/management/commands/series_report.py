"""The report from the command line."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sessions_app.models import Protocol
from sessions_app.registry import load_registry
from stsclinic.clinics.models import Clinic
from stsclinic.operator_command import OperatorCommand
from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.tables import cell_text, tables


class Command(OperatorCommand):
    """The operator's report: nothing is left out."""

    help = (
        "Print the report: as readable tables, or with --json as one object in full precision and "
        "nothing else. Allocations of controlled protocols are shown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read --json, --protocol and --clinic."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--protocol", metavar="CODE", help="only series of this protocol")
        parser.add_argument("--clinic", metavar="CODE", help="only patients of this clinic")

    def handle(self, *args: Any, protocol: str | None, clinic: str | None, **options: Any) -> None:
        """Print the report.

        Raises:
            CommandError: a code is not known; the message lists the valid ones.
        """
        clinics = dict(Clinic.objects.order_by("code").values_list("code", "pk"))
        protocols = Protocol.objects.order_by("code").values_list("code", flat=True).distinct()
        _refuse_unknown("clinic", clinic, clinics)
        _refuse_unknown("protocol", protocol, protocols)
        registry = load_registry(None if clinic is None else [clinics[clinic]])
        selection = Selection(
            clinics=frozenset({clinic} if clinic else ()), protocols=frozenset({protocol} if protocol else ())
        )
        report = summarise(registry, selection, allocation_visible=all_open)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, allow_nan=False))
            return
        for table in tables(report):
            lines = [[column.heading for column in table.columns]]
            lines += [
                [cell_text(column, value) for column, value in zip(table.columns, row, strict=True)]
                for row in table.rows
            ]
            self.stdout.write(f"\n{table.title}\n")
            self.stdout.write("\n".join("\t".join(line) for line in lines))


def _refuse_unknown(what: str, code: str | None, known: Iterable[str]) -> None:
    if code is not None and code not in known:
        raise CommandError(f"There is no {what} {code!r}. Valid are: {', '.join(known) or 'none yet'}.")
