"""Side effects: events and patients, and rates per 100 treatments and per 100 injections."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from stsclinic.clinical.terms import BODY_SITE, SIDE_EFFECT_TERM
from stsclinic.reporting.injected import Injected
from stsclinic.reporting.records import SideEffectRecord
from stsclinic.reporting.rows import Behind, SessionOf, behind
from stsclinic.reporting.selection import Course
from stsclinic.reporting.statistics.rates import rate_per_100
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Listed, Rows, Table
from stsclinic.reporting.tables.words import WILSON_FOOTNOTE, share_columns, share_values

GROUPED_BY = {
    "all": "All side effects",
    "term": "Side effect",
    "grade": "Grade",
    "serious": "Seriousness",
    "site": "Body site",
    "concentration": "Concentration",
}
UNKNOWN = "Not known"
"""The concentration of an event that cannot be said to have one."""
SERIOUS = {True: "Serious", False: "Not serious", None: "Not recorded"}

FOOTNOTES = (
    "Side effects count the whole selection, whether or not the series is analysed. Rates are events per 100 "
    "treatment sessions and per 100 injections, with exact 95% Poisson intervals (Garwood). They assume that "
    "events are independent; a patient with many events makes them look surer than they are. An infusion is "
    "a treatment, and no injection.",
    "By body site and concentration, the treatments and injections are those of that site or concentration; each "
    "that was injected has its row, also where no side effect followed. "
    "An event has the site of its lesion, and the concentration injected into that lesion at its session, or "
    "that of the whole session where it names no lesion and one concentration was used.",
)

SHARE_FOOTNOTE = "Patients with the side effect, of those treated (and any with a side effect though no treatment is recorded)."


def side_effect_tables(report: Report, injected: Injected) -> list[Table]:
    people = _people(report)
    return [_side_effects(report), _rates(report, injected), _by_patient(people), _course(people)]


def _side_effects(report: Report) -> Table:
    rows = Rows(
        (
            Column("term", "Side effect", "code", labels=SIDE_EFFECT_TERM),
            Column("events", "Events", "count"),
            Column("patients", "Patients", "count"),
            *share_columns("patients"),
        )
    )
    patients = {patient.patient_id: patient for patient, _ in report.chosen.patients}
    # One who was never treated may have a side effect recorded; all of these could have.
    could = {
        patient.patient_id: patient
        for patient, courses in report.chosen.patients
        if any(one.treatment_count for one in courses)
    }
    could |= {one.patient_id: patients[one.patient_id] for one in report.chosen.side_effects}
    by_term = _grouped(report.chosen.side_effects, _each(report.chosen.side_effects, "term"))
    for one in report.side_effects:
        events = by_term[one["term"]]
        rows.add(
            (one["term"], one["events"], one["patients"], *share_values(one["patients"], len(could))),
            behind("side_effects", events),
            by={
                **dict.fromkeys(
                    ("patients", "percent", "ci95_low", "ci95_high"), _patients_of(events, patients)
                ),
                "of": behind("patients", list(could.values())),
            },
        )
    return rows.table("side_effects", "Side effects", "side_effects", (SHARE_FOOTNOTE, WILSON_FOOTNOTE))


def _grouped(events: Sequence[SideEffectRecord], keys: Iterable[Any]) -> dict[Any, list[SideEffectRecord]]:
    """By the key of each."""
    found: dict[Any, list[SideEffectRecord]] = {}
    for one, key in zip(events, keys, strict=True):
        found.setdefault(key, []).append(one)
    return found


def _each(events: Sequence[SideEffectRecord], name: str) -> Iterable[Any]:
    return map(attrgetter(name), events)


def _patients_of(events: Sequence[SideEffectRecord], patients: Mapping[str, Any]) -> Behind:
    return Behind(
        "patients", lambda: [patients[key] for key in dict.fromkeys(one.patient_id for one in events)]
    )


def _rates(report: Report, injected: Injected) -> Table:
    rows = Rows(
        (
            Column("by", "By", "code", labels=GROUPED_BY),
            Column("group", "Group"),
            # That few had no event tells of each of them that there was none.
            Column("events", "Events", "count", computed_from=("treatments",)),
            Column("patients", "Patients", "count", computed_from=("treatments",)),
            Column("treatments", "Treatments", "count"),
            *_rate_columns("treatments"),
            Column("injections", "Injections", "count"),
            *_rate_columns("injections"),
        )
    )
    patients = {patient.patient_id: patient for patient, _ in report.chosen.patients}
    found = _Exposure(report, injected)
    events = list(report.chosen.side_effects)

    def add(by: str, label: str, group: Sequence[SideEffectRecord], exposed: _Exposed) -> int:
        per_treatment = rate_per_100(len(group), exposed.treatments) or (None, None, None)
        per_injection = rate_per_100(len(group), exposed.injections) or (None, None, None)
        people = len({one.patient_id for one in group})
        values = (by, label, len(group), people, exposed.treatments, *per_treatment)
        return rows.add(
            (*values, exposed.injections, *per_injection),
            behind("side_effects", group),
            by={
                "patients": _patients_of(group, patients),
                "treatments": exposed.treatments_behind,
                "injections": exposed.injections_behind,
            },
        )

    total = add("all", "", events, found.every)
    for by, labels, keys in (
        ("term", SIDE_EFFECT_TERM, _each(events, "term")),
        ("grade", {grade: f"Grade {grade}" for grade in range(1, 6)}, _each(events, "grade")),
        ("serious", SERIOUS, _each(events, "serious")),
        ("site", {**BODY_SITE, "": "No lesion named"}, found.sites_of(events)),
        (
            "concentration",
            {label: label for label in (*injected.by_label.names, UNKNOWN)},
            found.concentrations_of(events),
        ),
    ):
        grouped = _grouped(events, keys)
        parts = []
        for key, label in labels.items():
            group, exposed = grouped.get(key, []), found.of(by, key)
            # A site or concentration that had no event has a rate too, with an upper end.
            if group or (exposed is not found.every and exposed.injections):
                parts.append(add(by, label, group, exposed))
        for column in ("events", "patients"):
            rows.add_up(column, parts, total)
    return rows.table(
        "side_effect_rates", "Side effects per 100 treatments and injections", "side_effects", FOOTNOTES
    )


def _rate_columns(exposure: str) -> tuple[Column, Column, Column]:
    needs = ("events", exposure, "treatments")
    return (
        Column(f"per_100_{exposure}", f"Per 100 {exposure}", "number", decimals=1, computed_from=needs),
        Column(f"{exposure}_low", "95% CI from", "number", decimals=1, computed_from=needs),
        Column(f"{exposure}_high", "95% CI to", "number", decimals=1, computed_from=needs),
    )


class _Exposed(NamedTuple):
    """How many treatments and injections, and what is behind them."""

    treatments: int
    injections: int
    treatments_behind: Behind
    injections_behind: Behind


class _Exposure:
    """Which treatments and injections there were, all together and by site and concentration."""

    def __init__(self, report: Report, injected: Injected):
        chosen = report.chosen
        self.every = _Exposed(
            report.cohort["treatment_sessions"],
            report.cohort["injections"],
            Behind(
                "sessions",
                lambda: [SessionOf(course, one) for course in chosen.courses for one in course.treatments],
            ),
            injected.all.injections_behind,
        )
        self._chosen, self._injected = chosen, injected

    def of(self, by: str, key: Any) -> _Exposed:
        """The treatments and injections of a group."""
        if by not in ("site", "concentration"):
            return self.every
        groups = self._injected.by_site if by == "site" else self._injected.by_label
        part = groups.part(key)
        if part is None:
            return _Exposed(0, 0, behind("sessions", ()), behind("injections", ()))
        found = part.amounts
        return _Exposed(found.treatments, found.injections, part.treatments_behind, part.injections_behind)

    def sites_of(self, events: Sequence[SideEffectRecord]) -> list[str]:
        """The body site of the lesion of each; empty without one."""
        patients = {patient.patient_id: patient for patient, _ in self._chosen.patients}
        lesions = (patients[one.patient_id].lesions.get(one.lesion_id) for one in events)
        return [lesion.body_site if lesion else "" for lesion in lesions]

    def concentrations_of(self, events: Sequence[SideEffectRecord]) -> list[str]:
        """What was injected into the lesion of each at its session, or in the whole session, if it was one."""
        places: dict[tuple[str, int | None], int] = {
            (course.series.patient_id, course.series.series_no): course.place
            for course in self._chosen.courses
        }
        at_session = {
            number: (places[one.patient_id, one.series_no], one.session_no, one.lesion_id)
            for number, one in enumerate(events)
            if (one.patient_id, one.series_no) in places and one.session_no is not None
        }
        labels = dict(zip(at_session, self._injected.labels_at([*at_session.values()]), strict=True))
        return [labels.get(number) or UNKNOWN for number in range(len(events))]


class _Person(NamedTuple):
    """A patient with a side effect."""

    patient_id: str
    courses: Sequence[Course]
    events: Sequence[SideEffectRecord]

    @property
    def treatments(self) -> list[SessionOf]:
        return [SessionOf(course, one) for course in self.courses for one in course.treatments]


def _people(report: Report) -> list[_Person]:
    by_patient = _grouped(report.chosen.side_effects, _each(report.chosen.side_effects, "patient_id"))
    return [
        _Person(patient.patient_id, courses, by_patient[patient.patient_id])
        for patient, courses in report.chosen.patients
        if patient.patient_id in by_patient
    ]


def _by_patient(people: Sequence[_Person]) -> Table:
    """One row for each patient with a side effect: where to look at the course over time."""
    columns = (
        Column("patient_id", "Patient"),
        Column("treatments", "Treatments", "count"),
        Column("events", "Side effects", "count"),
        Column("worst_grade", "Worst grade", "whole"),
        Column("serious", "Serious", "count"),
        Column("first_on", "First on", "date"),
        Column("last_on", "Last on", "date"),
    )
    rows = Listed(
        people,
        lambda one: (
            one.patient_id,
            sum(course.treatment_count for course in one.courses),
            len(one.events),
            max(event.grade for event in one.events),
            sum(event.serious is True for event in one.events),
            min(event.onset_on for event in one.events),
            max(event.onset_on for event in one.events),
        ),
    )

    def find(row: int, column: str) -> Behind | None:
        one = people[row]
        if column == "treatments":
            return Behind("sessions", lambda: one.treatments)
        if column == "serious":
            return behind("side_effects", [event for event in one.events if event.serious])
        return behind("side_effects", one.events) if column in ("events", "worst_grade") else None

    return Table(
        "side_effect_patients",
        "Patients with a side effect",
        columns,
        rows,
        section="lists",
        behind=find,
        is_individual=True,
    )


def _course(people: Sequence[_Person]) -> Table:
    """The treatments and each side effect of the patients who had one, in days from the first treatment."""
    columns = (
        Column("patient_id", "Patient"),
        Column("what", "What", "code", labels={"treatment": "Treatments", "side_effect": "Side effect"}),
        Column("days", "Days"),
        Column("held_on", "From", "date"),
        Column("term", "Side effect", "code", labels=SIDE_EFFECT_TERM),
        Column("grade", "Grade", "whole"),
    )
    # The number of the side effect beside each person; None for the treatments.
    each = [
        (one, number)
        for one in people
        for number in (
            *((None,) if any(course.treatment_count for course in one.courses) else ()),
            *range(len(one.events)),
        )
    ]

    def event(one: _Person, number: int) -> SideEffectRecord:
        return sorted(one.events, key=attrgetter("onset_on", "term"))[number]

    def row_of(place: tuple[_Person, int | None]) -> tuple[Any, ...]:
        one, number = place
        treated = sorted(treatment.session.held_on for treatment in one.treatments)
        start = treated[0] if treated else event(one, 0).onset_on
        if number is None:
            days = ", ".join(str((day - start).days) for day in treated)
            return one.patient_id, "treatment", days, start, "", None
        its = event(one, number)
        return (
            one.patient_id,
            "side_effect",
            str((its.onset_on - start).days),
            its.onset_on,
            its.term,
            its.grade,
        )

    def find(row: int, column: str) -> Behind | None:
        one, number = each[row]
        return None if number is None or column != "grade" else behind("side_effects", [event(one, number)])

    title = "Treatments and side effects of these patients"
    rows = Listed(each, row_of)
    return Table("side_effect_course", title, columns, rows, section="lists", behind=find, is_individual=True)
