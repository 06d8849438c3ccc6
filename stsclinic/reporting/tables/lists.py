"""Every patient, series and lesion, with its classification and the reasons; and what was left out."""

from collections.abc import Iterable, Sequence
from typing import Any

from stsclinic.clinical.remission import FOOTNOTES as REMISSION_FOOTNOTES
from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.clinical.terms import ARM, BODY_SITE, DIAGNOSIS, LATERALITY, SEX
from stsclinic.reporting import selection
from stsclinic.reporting.outcomes import LesionOutcome, LesionsOf, PatientOutcome, SeriesOutcome
from stsclinic.reporting.rows import Behind, InjectionOf, SessionOf, behind
from stsclinic.reporting.scores import SCALES
from stsclinic.reporting.selection import LEFT_OUT, Course
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.scores import score_behind
from stsclinic.reporting.tables.table import Column, Listed, Table


def list_tables(report: Report) -> list[Table]:
    return [_patients(report), _series(report), _lesions(report), _left_out(report)]


def sessions_behind(courses: Iterable[Course]) -> Behind:
    """The treatments of these series."""
    found = list(courses)
    return Behind(
        "sessions", lambda: [SessionOf(course, one) for course in found for one in course.treatments]
    )


def injections_behind(course: Course, lesion_id: str) -> Behind:
    """The injections into one lesion of a series."""
    return Behind(
        "injections",
        lambda: [
            InjectionOf(course, session, injection)
            for session in course.sessions
            for injection in session.injections
            if injection.lesion_id == lesion_id
        ],
    )


def _patients(report: Report) -> Table:
    columns = (
        Column("patient_id", "Patient"),
        Column("clinic", "Clinic"),
        Column("sex", "Sex", "code", labels=SEX),
        Column("diagnosis", "Diagnosis", "code", labels=DIAGNOSIS),
        Column("series_analysed", "Series analysed", "count"),
        *_judgement_columns("Decided by"),
    )
    rows = Listed(
        report.patients,
        lambda one: (
            one.patient.patient_id,
            one.patient.clinic,
            one.patient.sex,
            one.patient.diagnosis,
            len(one.series),
            *_judgement_values(one),
        ),
    )

    def find(row: int, column: str) -> Behind | None:
        courses = [one.course for one in report.patients[row].series]
        return behind("series", courses) if column == "series_analysed" else None

    return Table(
        "patients",
        "Every analysed patient",
        columns,
        rows,
        REMISSION_FOOTNOTES[3:],
        section="lists",
        behind=find,
        is_individual=True,
    )


def _series(report: Report) -> Table:
    columns = (
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "whole"),
        Column("protocol", "Protocol"),
        _analysed_column(),
        Column("first_treatment_on", "First treatment", "date"),
        Column("last_treatment_on", "Last treatment", "date"),
        Column("treatments", "Treatments", "count"),
        Column("lesions", "Lesions", "count"),
        Column("ptga_first", "PtGA first", "whole"),
        Column("ptga_last", "PtGA last", "whole"),
        Column("phga_first", "PhGA first", "whole"),
        Column("phga_last", "PhGA last", "whole"),
        *_judgement_columns("Reason"),
    )
    every = _all_series(report)

    def find(row: int, column: str) -> Behind | None:
        course = every[row].course
        if column == "treatments":
            return sessions_behind([course])
        if column == "lesions":
            return behind("lesions", every[row].lesions)
        scale, _, end = column.partition("_")
        if scale in SCALES:
            sessions = course.treatments[:1] if end == "first" else course.treatments[-1:]
            return score_behind(course, scale, sessions)
        return None

    return Table(
        "series",
        "Every series",
        columns,
        Listed(every, _series_row),
        REMISSION_FOOTNOTES,
        section="lists",
        behind=find,
        is_individual=True,
    )


def _series_row(one: SeriesOutcome) -> tuple[Any, ...]:
    course = one.course
    first, last = (course.treatments[0], course.treatments[-1]) if course.treatments else (None, None)
    return (
        course.series.patient_id,
        course.series.series_no,
        course.series.protocol,
        one.verdict.reason or "analysed",
        first and first.held_on,
        last and last.held_on,
        len(course.treatments),
        len(one.lesions),
        first and first.ptga,
        last and last.ptga,
        first and first.phga,
        last and last.phga,
        *_judgement_values(one),
    )


def _lesions(report: Report) -> Table:
    every = _all_series(report)
    lesions = LesionsOf(every)
    columns = [
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "whole"),
        Column("lesion_id", "Lesion"),
        _analysed_column(),
        Column("laterality", "Side", "code", labels=LATERALITY),
        Column("body_site", "Body site", "code", labels=BODY_SITE),
        Column("site_detail", "Detail"),
        Column("injections", "Injections", "count"),
        *_judgement_columns("Reason"),
    ]
    with_arm = any(any(one.course.series.lesions.values()) for one in every)
    if with_arm:
        columns.append(Column("arm", "Arm", "code", labels=ARM, betrays_allocation=True))

    def find(row: int, column: str) -> Behind | None:
        lesion = lesions[row]
        return injections_behind(lesion.course, lesion.lesion_id) if column == "injections" else None

    return Table(
        "lesions",
        "Every lesion of every series",
        columns,
        Listed(range(len(lesions)), lambda row: _lesion_row(lesions.series_of(row), lesions[row], with_arm)),
        REMISSION_FOOTNOTES,
        section="lists",
        behind=find,
        is_individual=True,
    )


def _lesion_row(one: SeriesOutcome, lesion: LesionOutcome, with_arm: bool) -> tuple[Any, ...]:
    place = one.course.patient.lesions.get(lesion.lesion_id)
    return (
        one.course.series.patient_id,
        one.course.series.series_no,
        lesion.lesion_id,
        one.verdict.reason or "analysed",
        place.laterality if place else "",
        place.body_site if place else "",
        place.site_detail if place else "",
        lesion.injections,
        *_judgement_values(lesion),
        *((lesion.arm,) if with_arm else ()),
    )


def _left_out(report: Report) -> Table:
    columns = (
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "whole"),
        Column("protocol", "Protocol"),
        Column("first_treatment_on", "First treatment", "date"),
        Column("treatments", "Treatments", "count"),
        Column("reason", "Left out", "code", labels=LEFT_OUT),
        Column("words", "Why"),
    )
    rows = Listed(
        report.left_out,
        lambda one: (
            one.course.series.patient_id,
            one.course.series.series_no,
            one.course.series.protocol,
            one.course.first_treatment_on if one.course.treatment_count else None,
            one.course.treatment_count,
            one.verdict.reason,
            one.verdict.words,
        ),
    )

    def find(row: int, column: str) -> Behind | None:
        return sessions_behind([report.left_out[row].course]) if column == "treatments" else None

    return Table(
        "left_out",
        "Series left out, and why",
        columns,
        rows,
        selection.FOOTNOTES[1:],
        section="lists",
        behind=find,
        is_individual=True,
    )


def _all_series(report: Report) -> Sequence[SeriesOutcome]:
    """The analysed ones first: they are what the counts count."""
    return (*report.series, *report.left_out)


def _analysed_column() -> Column:
    return Column("analysed", "Analysed", "code", labels={"analysed": "Analysed", **LEFT_OUT})


def _judgement_columns(why: str) -> Iterable[Column]:
    for horizon, label in HORIZON.items():
        yield Column(horizon, label, "code", labels=OUTCOME)
        yield Column(f"{horizon}_reason", f"{why}, {label.lower()}")


def _judgement_values(one: LesionOutcome | SeriesOutcome | PatientOutcome) -> Iterable[str]:
    for horizon in HORIZON:
        yield one.outcomes[horizon]
        yield one.words(horizon)
