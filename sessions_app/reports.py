"""A person's report: the records that the person may see, the selection in words, and the tables.

Page and files all come from the Prepared that `prepare` returns, so they cannot differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from lesions.models import Patient
from sessions_app.allocation import closed_for
from sessions_app.models import Protocol
from sessions_app.registry import load_registry
from stsclinic import __version__
from stsclinic.access import clinics_where
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.terms import DIAGNOSIS
from stsclinic.clinics.models import Clinic, User
from stsclinic.reporting.disclosure import FOOTNOTE as CLOSED_FOOTNOTE
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import Report, summarise
from stsclinic.reporting.tables import Column, Table, tables

RIGHT = "see_report"


@dataclass(frozen=True)
class Prepared:
    """A report with its tables, what it shows in words, and when it was computed."""

    report: Report
    tables: Sequence[Table]
    about: Table
    """What the report shows: selection, number of patients, date and program version."""
    selection_words: str
    """The selection by codes, for the log."""

    @property
    def patients(self) -> int:
        """How many patients the selection holds."""
        return self.report.cohort["patients_offered"]

    @property
    def is_closed(self) -> bool:
        """Whether an allocation is left out because it is closed to this person."""
        return CLOSED_FOOTNOTE in self.report.footnotes

    @property
    def all_tables(self) -> list[Table]:
        """What a file holds: what it shows, the tables, and their notes."""
        return [self.about, *self.tables, _notes(self.tables)]


def report_clinics(user: User) -> list[Clinic]:
    """The clinics of which `user` may see the report."""
    return list(Clinic.objects.filter(pk__in=clinics_where(user, RIGHT)))


def report_protocols(clinics: Sequence[Clinic]) -> dict[str, str]:
    """The shipped protocols and those of these clinics, as {code: name of the latest version}."""
    found = Protocol.objects.filter(Q(clinic=None) | Q(clinic__in=clinics)).order_by("code", "version")
    return dict(found.values_list("code", "name"))


def prepare(user: User, selection: Selection, clinics: Sequence[Clinic]) -> Prepared:
    """Compute the report of a selection, in a fixed number of queries.

    Args:
        clinics: those of `report_clinics(user)`. The records of no other are read, whatever the selection.
    """
    chosen = [one for one in clinics if not selection.clinics or one.code in selection.clinics]
    closed = closed_for(user)
    report = summarise(
        load_registry([one.pk for one in chosen]),
        selection,
        allocation_visible=lambda clinic, protocol: (clinic, protocol) not in closed,
    )
    return Prepared(
        report=report,
        tables=tables(report),
        about=_about(report, chosen, timezone.now()),
        selection_words=_by_codes(selection),
    )


def patient_keys(user: User, study_ids: set[str]) -> dict[str, int]:
    """The ids of these patients, by study ID, where `user` may see their pages."""
    found = Patient.objects.filter(
        study_id__in=study_ids, clinic__in=clinics_where(user, "see_patients")
    ).values_list("study_id", "pk")
    return dict(found)


def _about(report: Report, clinics: Sequence[Clinic], now: datetime) -> Table:
    selection = report.selection
    # The day is that of the clinic; several clinics are shown in the server's zone.
    zone = clinics[0].zone if len(clinics) == 1 else timezone.get_default_timezone()
    local = now.astimezone(zone)
    rows = [
        ("Clinics", ", ".join(one.name for one in clinics)),
        ("Protocol", ", ".join(sorted(selection.protocols)) or "All"),
        ("Diagnosis", ", ".join(DIAGNOSIS[code] for code in sorted(selection.diagnoses)) or "All"),
        ("First treatment", _period_words(selection)),
        ("Patients", str(report.cohort["patients_offered"])),
        ("Computed", f"{show_date(local.date())} {local:%H:%M}, {zone}"),
        ("Program", f"stsclinic {__version__}"),
    ]
    if CLOSED_FOOTNOTE in report.footnotes:
        rows.append(("Allocation", CLOSED_FOOTNOTE))
    columns = (Column("what", "What"), Column("value", "Value"))
    return Table("about", "What this report shows", columns, rows)


def _period_words(selection: Selection) -> str:
    first, last = selection.first_treatment_from, selection.first_treatment_to
    if first and last:
        return f"{show_date(first)} to {show_date(last)}"
    if first:
        return f"From {show_date(first)}"
    return f"To {show_date(last)}" if last else "Any day"


def _by_codes(selection: Selection) -> str:
    parts = {
        "clinic": ", ".join(sorted(selection.clinics)),
        "protocol": ", ".join(sorted(selection.protocols)),
        "diagnosis": ", ".join(sorted(selection.diagnoses)),
        "from": selection.first_treatment_from and selection.first_treatment_from.isoformat(),
        "to": selection.first_treatment_to and selection.first_treatment_to.isoformat(),
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items() if value) or "everything"


def _notes(found: Sequence[Table]) -> Table:
    columns = (Column("table", "Table"), Column("note", "Note"))
    return Table(
        "notes", "Notes", columns, [(table.title, note) for table in found for note in table.footnotes]
    )
