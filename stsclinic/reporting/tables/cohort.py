"""Who is in the report: the numbers of the cohort, and what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from stsclinic.clinical.terms import DIAGNOSIS, SEX
from stsclinic.reporting import selection
from stsclinic.reporting.disclosure import FOOTNOTE as CLOSED_FOOTNOTE
from stsclinic.reporting.records import PatientRecord
from stsclinic.reporting.rows import Behind, InjectionOf, SessionOf, behind
from stsclinic.reporting.selection import LEFT_OUT, Course
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Sum, Table

COHORT = {
    "patients_offered": "Patients offered treatment",
    "patients_treated": "Patients treated",
    "treatment_sessions": "Treatment sessions",
    "injections": "Injections",
    "lesions_per_session_min": "Fewest lesions injected in a session",
    "lesions_per_session_max": "Most lesions injected in a session",
    "series_analysed": "Series analysed",
    "patients_analysed": "Patients analysed",
}


def cohort_tables(report: Report) -> list[Table]:
    patients = [one.patient for one in report.patients]
    return [
        _cohort(report),
        _left_out_counts(report),
        _patients_by("analysed_by_sex", "Patients analysed by sex", "sex", "Sex", SEX, report, patients),
        _patients_by(
            "analysed_by_diagnosis",
            "Patients analysed by diagnosis",
            "diagnosis",
            "Diagnosis",
            DIAGNOSIS,
            report,
            patients,
        ),
    ]


def figures(
    code: str,
    title: str,
    section: str,
    labels: Mapping[str, str],
    values: Mapping[str, Any],
    rows_behind: Mapping[str, Behind],
    footnotes: Sequence[str],
) -> Table:
    """A table of named counts."""
    rows = Rows((Column("figure", "Figure", "code", labels=labels), Column("value", "Value", "count")))
    for name in labels:
        rows.add((name, values[name]), rows_behind.get(name))
    return rows.table(code, title, section, footnotes)


def _cohort(report: Report) -> Table:
    values = dict(report.cohort)
    span = values["lesions_per_session"] or {"min": None, "max": None}
    values |= {"lesions_per_session_min": span["min"], "lesions_per_session_max": span["max"]}
    concealed = (CLOSED_FOOTNOTE,) if report.has_concealed else ()
    footnotes = (*selection.FOOTNOTES, *selection_footnotes(report), *concealed)
    return figures("cohort", "Cohort", "flow", COHORT, values, _behind_cohort(report, span), footnotes)


def selection_footnotes(report: Report) -> Sequence[str]:
    """What must be said of a selection of lesions or concentrations."""
    chosen = report.selection
    return (
        *((selection.LESIONS_FOOTNOTE,) if chosen.picks_lesions else ()),
        *((selection.CONCENTRATION_FOOTNOTE,) if chosen.concentrations else ()),
    )


def _behind_cohort(report: Report, span: Mapping[str, int | None]) -> dict[str, Behind]:
    chosen = report.chosen.patients

    def courses() -> list[Course]:
        return [course for _, courses in chosen for course in courses]

    def one_session_with(count: int | None) -> list[InjectionOf]:
        """The injections of the first session with so many."""
        for course in courses():
            for session in course.sessions:
                if session.injections and len(session.injections) == count:
                    return [InjectionOf(course, session, one) for one in session.injections]
        return []

    return {
        "patients_offered": behind("patients", [patient for patient, _ in chosen]),
        "patients_treated": Behind(
            "patients",
            lambda: [patient for patient, courses in chosen if any(one.treatment_count for one in courses)],
        ),
        "treatment_sessions": Behind(
            "sessions",
            lambda: [SessionOf(course, session) for course in courses() for session in course.treatments],
        ),
        "injections": Behind(
            "injections",
            lambda: [
                InjectionOf(course, session, injection)
                for course in courses()
                for session in course.sessions
                for injection in session.injections
            ],
        ),
        "lesions_per_session_min": Behind("injections", lambda: one_session_with(span["min"])),
        "lesions_per_session_max": Behind("injections", lambda: one_session_with(span["max"])),
        "series_analysed": Behind("series", lambda: [one.course for one in report.series]),
        "patients_analysed": Behind("patients", lambda: [one.patient for one in report.patients]),
    }


def _left_out_counts(report: Report) -> Table:
    rows = Rows((Column("reason", "Reason", "code", labels=LEFT_OUT), Column("n", "n", "count")))
    for reason, count in report.cohort["left_out"].items():
        courses = [one.course for one in report.left_out if one.verdict.reason == reason]
        rows.add((reason, count), behind("series", courses))
    rows.sums.append(Sum([(number, "n") for number in range(len(rows.rows))]))
    return rows.table("left_out_counts", "Series left out", "flow", selection.FOOTNOTES[1:5])


def _patients_by(
    code: str,
    title: str,
    key: str,
    label: str,
    labels: Mapping[str, str],
    report: Report,
    patients: Sequence[PatientRecord],
) -> Table:
    rows = Rows((Column(key, label, "code", labels=labels), Column("n", "n", "count")))
    for value, count in report.cohort[code].items():
        rows.add((value, count), behind("patients", [one for one in patients if getattr(one, key) == value]))
    rows.sums.append(Sum([(number, "n") for number in range(len(rows.rows))]))
    return rows.table(code, title, "patients")
