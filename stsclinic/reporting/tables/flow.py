"""From offered to analysed, with each reason for leaving; within persons for controlled protocols.

Source: CONSORT 2010 (Schulz KF et al., BMJ 2010;340:c332), and its extension to within-person trials
(Pandis N et al., BMJ 2017;357:j2835).
"""

from collections.abc import Callable, Sequence

from stsclinic.clinical.terms import NOT_ENROLLED_REASON, STOP_REASON
from stsclinic.reporting.outcomes import SeriesOutcome
from stsclinic.reporting.records import PatientRecord
from stsclinic.reporting.rows import LesionIn, behind
from stsclinic.reporting.selection import LEFT_OUT, Course
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Address, Column, Rows, Sum, Table

STAGE = {
    "offered": "Offered treatment",
    "eligible": "Eligible",
    "consented": "Consented",
    "treated": "Treated",
    "series": "Series",
    "analysed": "Analysed",
}

LEAVING = {
    **NOT_ENROLLED_REASON,
    "undecided": "Not decided yet",
    "withdrew": "Withdrew before treatment",
    "not_treated": "Not treated yet",
    **LEFT_OUT,
}

WITHIN_STAGE = {
    "assigned": "Two lesions assigned",
    "treated": "Treated",
    "left": "Left",
    "analysed": "Analysed",
}

FOOTNOTES = (
    "Flow: a patient who was treated counts as eligible and consented, whether or not a date of consent is "
    "recorded. Patients leave at the first reason that holds; each series left out has one reason.",
    "With a protocol, period, body site, subtype or concentration chosen, the flow begins with the patients "
    "who have such a series.",
)
WITHIN_FOOTNOTE = (
    "Within-person: each subject has a lesion in each arm, so a subject who leaves takes both. Analysed: the "
    "series is complete; each lesion also needs two assessments to be compared."
)


def leaving(patient: PatientRecord, courses: Sequence[Course]) -> tuple[str, str] | None:
    """The stage that a patient reached last and the reason for leaving; None of one who was treated."""
    if any(one.treatments for one in courses):
        return None
    if patient.not_enrolled_reason:
        stage = "offered" if patient.not_enrolled_reason == "not_eligible" else "eligible"
        return stage, patient.not_enrolled_reason
    if patient.consented_on is None:
        return "eligible", "undecided"
    return "consented", "withdrew" if patient.withdrawn_on else "not_treated"


def flow_tables(report: Report) -> list[Table]:
    found = [_flow(report)]
    if any(course.series.is_controlled for _, courses in report.chosen.patients for course in courses):
        found.append(_within(report))
    return found


def _flow(report: Report) -> Table:
    rows = Rows(
        (
            Column("stage", "Stage", "code", labels=STAGE),
            Column("leaving", "Left because", "code", labels=LEAVING),
            Column("patients", "Patients", "count"),
            Column("series", "Series", "count"),
        )
    )
    remaining = [patient for patient, _ in report.chosen.patients]
    left: dict[tuple[str, str], list[PatientRecord]] = {}
    for patient, courses in report.chosen.patients:
        if where := leaving(patient, courses):
            left.setdefault(where, []).append(patient)

    def patients_row(stage: str, reason: str, patients: Sequence[PatientRecord]) -> Address:
        of = behind("patients", patients)
        return rows.add((stage, reason, len(patients), None), by={"patients": of}), "patients"

    total: Address | None = None
    parts: list[Address] = []
    for stage in ("offered", "eligible", "consented", "treated"):
        reached = patients_row(stage, "", remaining)
        if total is not None:
            rows.sums.append(Sum([*parts, reached], total))
        total, parts = reached, []
        for reason in LEAVING:
            if gone := left.get((stage, reason)):
                parts.append(patients_row(stage, reason, gone))
                ids = {one.patient_id for one in gone}
                remaining = [one for one in remaining if one.patient_id not in ids]
    _series_rows(report, rows)
    return rows.table("flow", "Flow of patients and series", "flow", FOOTNOTES)


def _series_rows(report: Report, rows: Rows) -> None:
    every = [*report.series, *report.left_out]

    def add(stage: str, reason: str, outcomes: Sequence[SeriesOutcome], with_patients: bool) -> Address:
        courses = [one.course for one in outcomes]
        patients = list({course.patient.patient_id: course.patient for course in courses}.values())
        number = rows.add(
            (stage, reason, len(patients) if with_patients else None, len(courses)),
            by={"patients": behind("patients", patients), "series": behind("series", courses)},
        )
        return number, "series"

    total = add("series", "", every, with_patients=True)
    parts = [
        add("series", reason, [one for one in every if one.verdict.reason == reason], with_patients=False)
        for reason in LEFT_OUT
        if report.cohort["left_out"].get(reason)
    ]
    analysed = add("analysed", "", report.series, with_patients=True)
    rows.sums.append(Sum([*parts, analysed], total))


def _within(report: Report) -> Table:
    controlled = [one for one in (*report.series, *report.left_out) if one.course.series.is_controlled]
    opened = not any(one.course.series.allocation_concealed for one in controlled)
    arms = (
        (
            Column("active", "Lesions, active", "count", betrays_allocation=True),
            Column("control", "Lesions, control", "count", betrays_allocation=True),
        )
        if opened
        else ()
    )
    rows = Rows(
        (
            Column("stage", "Stage", "code", labels=WITHIN_STAGE),
            Column("leaving", "Because", "code", labels={**STOP_REASON, **LEAVING, "open": "Still going on"}),
            Column("subjects", "Subjects", "count"),
            Column("lesions", "Lesions", "count"),
            *arms,
        )
    )

    def add(stage: str, reason: str, outcomes: Sequence[SeriesOutcome]) -> None:
        patients = list({one.course.patient.patient_id: one.course.patient for one in outcomes}.values())
        by = {"subjects": behind("patients", patients)}
        counts = []
        for name, wanted in _arms(opened).items():
            lesions = [
                LesionIn(one.course, lesion_id)
                for one in outcomes
                for lesion_id, arm in one.course.series.lesions.items()
                if wanted(arm)
            ]
            by[name] = behind("lesions", lesions)
            counts.append(len(lesions))
        rows.add((stage, reason, len(patients), *counts), by=by)

    treated = [one for one in controlled if one.course.treatments]
    done = [one for one in treated if one.verdict.reason != "incomplete"]
    add("assigned", "", controlled)
    add("treated", "", treated)
    for reason in dict.fromkeys(_why(one) for one in treated if one.verdict.reason == "incomplete"):
        add("left", reason, [one for one in treated if one not in done and _why(one) == reason])
    add("analysed", "", done)
    return rows.table("flow_within", "Flow within persons, controlled protocols", "flow", (WITHIN_FOOTNOTE,))


def _why(one: SeriesOutcome) -> str:
    series = one.course.series
    return series.stop_reason or ("incomplete" if series.status == "completed" else "open")


def _arms(opened: bool) -> dict[str, Callable[[str], bool]]:
    found: dict[str, Callable[[str], bool]] = {"lesions": lambda arm: True}
    if opened:
        found |= {"active": lambda arm: arm == "active", "control": lambda arm: arm == "control"}
    return found
