"""From offered to analysed, with each reason for leaving; within persons for controlled protocols.

Source: CONSORT 2010 (Schulz KF et al., BMJ 2010;340:c332), and its extension to within-person trials
(Pandis N et al., BMJ 2017;357:j2835).
"""

from collections.abc import Callable, Sequence

from stsclinic.clinical.terms import NOT_ENROLLED_REASON, STOP_REASON
from stsclinic.reporting.outcomes import SeriesOutcome
from stsclinic.reporting.records import PatientRecord
from stsclinic.reporting.rows import Behind, LesionIn, behind
from stsclinic.reporting.selection import LEFT_OUT, Course
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Address, Column, Rows, Sum, Table

STAGE = {
    "offered": "Offered treatment",
    "eligible": "Eligible",
    "consented": "Consented",
    "treated": "Treated",
    "series": "Series with a treatment",
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
    "assessed": "Assessed for treatment",
    "excluded": "Not assigned",
    "assigned": "Two lesions assigned",
    "waiting": "Not treated yet",
    "treated": "Treated",
    "left": "Left",
    "continuing": "Still in treatment",
    "analysed": "Analysed",
}
OTHER_TREATMENT = "other_treatment"
WITHIN_LEAVING = {**STOP_REASON, **LEAVING, OTHER_TREATMENT: "Treated outside a controlled protocol"}

FOOTNOTES = (
    "Flow: a patient who was treated counts as eligible and consented, whether or not a date of consent is "
    "recorded. Patients leave at the first reason that holds; each series left out has one reason.",
    "With a protocol, period, body site, subtype or concentration chosen, the flow begins with the patients "
    "who have such a series.",
)
WITHIN_FOOTNOTE = (
    "Within-person: assessed are the patients of the selection in clinics with a controlled series. Each subject has a lesion in each arm, so a subject who leaves takes both. Analysed: the "
    "series is complete; each lesion also needs two assessments to be compared."
)


def leaving(patient: PatientRecord, courses: Sequence[Course]) -> tuple[str, str] | None:
    """The stage that a patient reached last and the reason for leaving; None of one who was treated."""
    if any(one.treatment_count for one in courses):
        return None
    if patient.not_enrolled_reason:
        stage = "offered" if patient.not_enrolled_reason == "not_eligible" else "eligible"
        return stage, patient.not_enrolled_reason
    if patient.consented_on is None:
        return "eligible", "undecided"
    return "consented", "withdrew" if patient.withdrawn_on else "not_treated"


def flow_tables(report: Report) -> list[Table]:
    found = [_flow(report)]
    if controlled := [one for one in (*report.series, *report.left_out) if one.course.series.is_controlled]:
        found.append(_within(report, controlled))
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
    def add(stage: str, reason: str, outcomes: Sequence[SeriesOutcome], with_patients: bool) -> Address:
        def patients() -> list[PatientRecord]:
            found = {one.course.patient.patient_id: one.course.patient for one in outcomes}
            return list(found.values())

        number = rows.add(
            (stage, reason, len(patients()) if with_patients else None, len(outcomes)),
            by={
                "patients": Behind("patients", patients),
                "series": Behind("series", lambda: [one.course for one in outcomes]),
            },
        )
        return number, "series"

    def left(reason: str) -> list[SeriesOutcome]:
        return [one for one in report.left_out if one.verdict.reason == reason]

    # A series without a treatment leads nobody from treated to analysed.
    if untreated := left("no_treatment"):
        add("treated", "no_treatment", untreated, with_patients=False)
    treated = [*report.series, *(one for one in report.left_out if one.course.treatment_count)]
    total = add("series", "", treated, with_patients=True)
    parts = [
        add("series", reason, left(reason), with_patients=False)
        for reason in LEFT_OUT
        if reason != "no_treatment" and report.cohort["left_out"].get(reason)
    ]
    analysed = add("analysed", "", report.series, with_patients=True)
    rows.sums.append(Sum([*parts, analysed], total))


def _within(report: Report, controlled: Sequence[SeriesOutcome]) -> Table:
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
            Column("leaving", "Because", "code", labels=WITHIN_LEAVING),
            Column("subjects", "Subjects", "count"),
            Column("lesions", "Lesions", "count"),
            *arms,
        )
    )

    def before(stage: str, reason: str, patients: Sequence[PatientRecord]) -> int:
        of = behind("patients", patients)
        return rows.add((stage, reason, len(patients), None, *(None for _ in arms)), by={"subjects": of})

    def add(stage: str, reason: str, outcomes: Sequence[SeriesOutcome]) -> int:
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
        number = rows.add((stage, reason, len(patients), *counts), by=by)
        if arms and sum(counts[1:]) == counts[0]:
            rows.sums.append(Sum([(number, "active"), (number, "control")], (number, "lesions")))
        return number

    def adds_up(parts: Sequence[int], total: int, columns: Sequence[str]) -> None:
        for column in columns:
            rows.add_up(column, parts, total)

    assessed, excluded = _assessed(report, controlled)
    first = before("assessed", "", assessed)
    parts = [before("excluded", reason, patients) for reason, patients in excluded.items()]
    assigned = add("assigned", "", controlled)
    adds_up([*parts, assigned], first, ("subjects",))
    counted = ["subjects", *_arms(opened)]
    treated = [one for one in controlled if one.course.treatment_count]
    parts = []
    if waiting := [one for one in controlled if not one.course.treatment_count]:
        parts.append(add("waiting", "", waiting))
    total = add("treated", "", treated)
    adds_up([*parts, total], assigned, counted)
    going_on = [one for one in treated if _is_going_on(one)]
    left = [one for one in treated if one.verdict.reason == "incomplete" and one not in going_on]
    parts = [
        add("left", reason, [one for one in left if _why(one) == reason])
        for reason in dict.fromkeys(_why(one) for one in left)
    ]
    if going_on:
        parts.append(add("continuing", "", going_on))
    done = add("analysed", "", [one for one in treated if one.verdict.reason != "incomplete"])
    adds_up([*parts, done], total, counted)
    return rows.table("flow_within", "Flow within persons, controlled protocols", "flow", (WITHIN_FOOTNOTE,))


def _assessed(
    report: Report, controlled: Sequence[SeriesOutcome]
) -> tuple[list[PatientRecord], dict[str, list[PatientRecord]]]:
    """Who was assessed, and those without a controlled series by why they have none."""
    clinics = {one.course.patient.clinic for one in controlled}
    assigned = {one.course.patient.patient_id for one in controlled}
    assessed: list[PatientRecord] = []
    excluded: dict[str, list[PatientRecord]] = {}
    for patient, courses in report.chosen.patients:
        if patient.clinic not in clinics:
            continue
        assessed.append(patient)
        if patient.patient_id not in assigned:
            _, reason = leaving(patient, courses) or ("", OTHER_TREATMENT)
            excluded.setdefault(reason, []).append(patient)
    return assessed, {reason: excluded[reason] for reason in WITHIN_LEAVING if reason in excluded}


def _is_going_on(one: SeriesOutcome) -> bool:
    return one.verdict.reason == "incomplete" and one.course.series.status not in ("completed", "stopped")


def _why(one: SeriesOutcome) -> str:
    return one.course.series.stop_reason or "incomplete"


def _arms(opened: bool) -> dict[str, Callable[[str], bool]]:
    found: dict[str, Callable[[str], bool]] = {"lesions": lambda arm: True}
    if opened:
        found |= {"active": lambda arm: arm == "active", "control": lambda arm: arm == "control"}
    return found
