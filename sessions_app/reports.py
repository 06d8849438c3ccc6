"""A person's report: the records that the person may see, the selection in words, and the tables.

Page and files all come from the Prepared that `prepare` returns, so they cannot differ.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from django.db.models import Q
from django.utils import timezone

from lesions.models import Patient
from sessions_app.allocation import closed_for
from sessions_app.data_state import last_change
from sessions_app.datasheets.collecting import without_garbage_collection
from sessions_app.datasheets.snapshot import snapshot
from sessions_app.models import Protocol
from sessions_app.registry import load_registry
from sessions_app.selections import selection_facts
from stsclinic import __version__
from stsclinic.access import clinics_where
from stsclinic.clinical.dates import show_date
from stsclinic.clinics.models import Clinic, User
from stsclinic.reporting.disclosure import FOOTNOTE as CLOSED_FOOTNOTE
from stsclinic.reporting.methods import Methods, methods
from stsclinic.reporting.records import Registry
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import Report, summarise
from stsclinic.reporting.suppression import FOOTNOTE as SHARING_FOOTNOTE
from stsclinic.reporting.suppression import fit_for_sharing
from stsclinic.reporting.tables import Column, Table, in_numbers, tables
from stsclinic.reporting.visits import Visits
from stsclinic.reporting.words import count_words

RIGHT = "see_report"


@dataclass(frozen=True)
class Prepared:
    """A report with its tables, what it shows in words, and the day that it states."""

    report: Report
    tables: Sequence[Table]
    about: Table
    """What the report shows: selection, number of patients, date, state of the data, program's version."""
    methods: Methods
    stated_on: date
    is_for_sharing: bool = False
    """Whether small numbers are hidden and lists of persons left out."""

    @property
    def patients(self) -> int:
        """How many patients the selection holds."""
        return self.report.cohort["patients_offered"]

    @property
    def is_closed(self) -> bool:
        """Whether an allocation is left out because it is closed to this person."""
        return self.report.has_concealed

    @property
    def foot(self) -> str:
        """What a figure that stands alone says below itself: all of `about` but what is not chosen."""
        told = (f"{what}: {value}" for what, value in self.about.rows if value not in ("All", "Any day"))
        return "; ".join(told) + "."

    @property
    def all_tables(self) -> list[Table]:
        """What a file holds: what it shows, the tables, Table 1 once more as numbers, the methods, and the notes."""
        numbers = [
            in_numbers(table) for table in self.tables if any(one.kind == "figure" for one in table.columns)
        ]
        return [self.about, *self.tables, *numbers, self.methods.table, _notes(self.tables)]


def report_clinics(user: User) -> list[Clinic]:
    """The clinics of which `user` may see the report."""
    return list(Clinic.objects.filter(pk__in=clinics_where(user, RIGHT)))


def report_protocols(clinics: Sequence[Clinic]) -> dict[str, str]:
    """The shipped protocols and those of these clinics, as {code: name of the latest version}."""
    found = Protocol.objects.filter(Q(clinic=None) | Q(clinic__in=clinics)).order_by("code", "version")
    return dict(found.values_list("code", "name"))


@without_garbage_collection()
def prepare(
    user: User,
    selection: Selection,
    clinics: Sequence[Clinic],
    *,
    stated_on: date | None = None,
    for_sharing: bool = False,
    has_read: Callable[[], None] = lambda: None,
) -> Prepared:
    """Compute the report of a selection, in a fixed number of queries.

    Args:
        clinics: those of `report_clinics(user)`. The records of no other are read, whatever the selection.
        stated_on: the date that is printed; today where the clinic is, unless given.
        for_sharing: hide small numbers, and leave out lists of persons.
        has_read: called once all rows are read. It may raise.
    """
    chosen = chosen_of(clinics, selection)
    closed = closed_for(user)
    with snapshot():
        registry = load_registry([one.pk for one in chosen])
        state = f"change number {last_change([one.pk for one in chosen])}"
    has_read()
    report = summarise(
        registry,
        selection,
        allocation_visible=lambda clinic, protocol: (clinic, protocol) not in closed,
    )
    day = stated_on or today_in(chosen)
    if not for_sharing:
        state += f"; {_rows_words(registry)}"
    names = [one.name for one in chosen]
    found = tables(report)
    return Prepared(
        report=report,
        tables=fit_for_sharing(found) if for_sharing else found,
        about=_about(report, names, day, state, for_sharing),
        methods=methods(
            report,
            clinics=names,
            stated_on=day,
            data_state=state,
            versions=_versions(),
            with_numbers=not for_sharing,
        ),
        stated_on=day,
        is_for_sharing=for_sharing,
    )


def chosen_of(clinics: Sequence[Clinic], selection: Selection) -> list[Clinic]:
    """The clinics whose rows a report reads: those of the selection, or all."""
    return [one for one in clinics if not selection.clinics or one.code in selection.clinics]


def patient_keys(user: User, study_ids: set[str]) -> dict[str, int]:
    """The ids of these patients, by study ID, where `user` may see their pages."""
    found = Patient.objects.filter(
        study_id__in=study_ids, clinic__in=clinics_where(user, "see_patients")
    ).values_list("study_id", "pk")
    return dict(found)


def today_in(clinics: Sequence[Clinic]) -> date:
    """The day is that of the clinic; several clinics are shown in the server's zone."""
    zone = clinics[0].zone if len(clinics) == 1 else timezone.get_default_timezone()
    return timezone.now().astimezone(zone).date()


def _versions() -> dict[str, str]:
    return {
        "stsclinic": __version__,
        "SciPy": version("scipy"),
        "NumPy": version("numpy"),
        "Python": platform.python_version(),
        "typst": version("typst"),
    }


def _rows_words(registry: Registry) -> str:
    """How many rows the clinics chosen have."""
    series = [one for patient in registry.patients for one in patient.series]
    visits = Visits(series)
    return ", ".join(
        (
            count_words(len(registry.patients), "patient"),
            f"{len(series)} series",
            count_words(int(visits.counts.sum()), "session"),
            count_words(int(visits.injections.sum()), "injection"),
            count_words(len(registry.side_effects), "side effect"),
        )
    )


def _about(report: Report, clinics: Sequence[str], day: date, state: str, for_sharing: bool) -> Table:
    rows = [
        ("Clinics", "; ".join(clinics)),
        *selection_facts(report.selection),
        *([] if for_sharing else [("Patients", str(report.cohort["patients_offered"]))]),
        ("Date", show_date(day)),
        ("Data", f"{state[0].upper()}{state[1:]}"),
        ("Program", f"stsclinic {__version__}"),
    ]
    if for_sharing:
        rows.append(("Small numbers", SHARING_FOOTNOTE))
    if report.has_concealed:
        rows.append(("Allocation", CLOSED_FOOTNOTE))
    columns = (Column("what", "What"), Column("value", "Value"))
    return Table("about", "What this report shows", columns, rows)


def _notes(found: Sequence[Table]) -> Table:
    columns = (Column("table", "Table"), Column("note", "Note"))
    return Table(
        "notes", "Notes", columns, [(table.title, note) for table in found for note in table.footnotes]
    )
