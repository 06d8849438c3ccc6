"""The rows behind a number, as a table of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stsclinic.clinical.dosing import dose_mg
from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.clinical.terms import (
    AGENT,
    BODY_SITE,
    DIAGNOSIS,
    LATERALITY,
    NOT_ENROLLED_REASON,
    SESSION_KIND,
    SEX,
    SIDE_EFFECT_TERM,
)
from stsclinic.reporting.injected import solution_of
from stsclinic.reporting.outcomes import LesionOutcome, SeriesOutcome
from stsclinic.reporting.rows import LEVEL, Behind
from stsclinic.reporting.selection import LEFT_OUT
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Table

PATIENT = Column("patient_id", "Patient")
SERIES = Column("series_no", "Series", "whole")
LESION = Column("lesion_id", "Lesion")
SESSION = Column("session_no", "Session", "whole")
SITE = (
    Column("laterality", "Side", "code", labels=LATERALITY),
    Column("body_site", "Body site", "code", labels=BODY_SITE),
)
ANALYSED = Column("analysed", "Analysed", "code", labels={"analysed": "Analysed", **LEFT_OUT})
REMISSION = tuple(Column(code, label, "code", labels=OUTCOME) for code, label in HORIZON.items())


def rows_behind(report: Report, found: Behind) -> Table:
    """One row for each row behind a number; as many as it counts."""
    columns, values_of = _KINDS[found.level]
    outcomes = {
        (one.course.series.patient_id, one.course.series.series_no): one
        for one in (*report.series, *report.left_out)
    }
    chosen = report.selection.horizon
    if found.level == "lesions":
        columns = (*columns, Column("reason", f"Reason, {HORIZON[chosen].lower()}"))
    rows = [[*values_of(one, outcomes)] for one in found.find()]
    if found.level == "lesions":
        for row, one in zip(rows, found.find(), strict=True):
            judged = _judged(one, outcomes)
            row.append(judged.words(chosen) if judged else "")
    if value := found.value:
        # Beside what names the row, so that it is seen first.
        keys = sum(column.code in KEYS for column in columns)
        counted = Column("counted", value.label, "number", value.unit, value.decimals)
        columns = (*columns[:keys], counted, *columns[keys:])
        for row, one in zip(rows, found.find(), strict=True):
            number = value.of(one)
            row.insert(keys, None if number is None else float(number))
    return Table("rows", LEVEL[found.level], columns, rows, is_individual=True)


KEYS = ("patient_id", "series_no", "lesion_id", "session_no")


Outcomes = Mapping[tuple[str, int], SeriesOutcome]


def _patient(one: Any, outcomes: Outcomes) -> Sequence[Any]:
    return (
        one.patient_id,
        one.clinic,
        one.sex,
        one.diagnosis,
        one.birth_year,
        one.offered_on,
        one.consented_on,
        one.not_enrolled_reason,
        len(one.series),
    )


def _outcome(course: Any, outcomes: Outcomes) -> SeriesOutcome | None:
    return outcomes.get((course.series.patient_id, course.series.series_no))


def _series(one: Any, outcomes: Outcomes) -> Sequence[Any]:
    first, last = (one.treatments[0], one.treatments[-1]) if one.treatments else (None, None)
    found = _outcome(one, outcomes)
    return (
        one.series.patient_id,
        one.series.series_no,
        one.series.protocol,
        first and first.held_on,
        last and last.held_on,
        len(one.treatments),
        first and first.ptga,
        last and last.ptga,
        first and first.phga,
        last and last.phga,
        _analysed(found),
        *(found.outcomes[horizon] if found else "" for horizon in HORIZON),
    )


def _analysed(found: SeriesOutcome | None) -> str:
    return "" if found is None else found.verdict.reason or "analysed"


def _place(course: Any, lesion_id: str) -> tuple[str, str]:
    place = course.patient.lesions.get(lesion_id)
    return (place.laterality, place.body_site) if place else ("", "")


def _lesion(one: Any, outcomes: Outcomes) -> Sequence[Any]:
    found, judged = _outcome(one.course, outcomes), _judged(one, outcomes)
    return (
        one.course.series.patient_id,
        one.course.series.series_no,
        one.lesion_id,
        *_place(one.course, one.lesion_id),
        _analysed(found),
        *(judged.outcomes[horizon] if judged else "" for horizon in HORIZON),
    )


def _judged(one: Any, outcomes: Outcomes) -> LesionOutcome | None:
    found = _outcome(one.course, outcomes)
    lesions = found.lesions if found else ()
    return next((lesion for lesion in lesions if lesion.lesion_id == one.lesion_id), None)


def _session(one: Any, outcomes: Outcomes) -> Sequence[Any]:
    session = one.session
    return (
        one.course.series.patient_id,
        one.course.series.series_no,
        session.session_no,
        session.kind,
        session.held_on,
        session.ptga,
        session.phga,
        len(session.injections),
    )


def _injection(one: Any, outcomes: Outcomes) -> Sequence[Any]:
    injection = one.injection
    solution = solution_of(injection)
    dose = float(dose_mg(injection.concentration_mg_ml, injection.volume_ml)) if solution.is_counted else None
    return (
        one.course.series.patient_id,
        one.course.series.series_no,
        one.session.session_no,
        one.session.held_on,
        injection.lesion_id,
        *_place(one.course, injection.lesion_id),
        injection.agent,
        None if injection.concentration_mg_ml is None else float(injection.concentration_mg_ml),
        float(injection.volume_ml),
        dose,
        None if injection.pain_vas is None else float(injection.pain_vas),
    )


def _side_effect(one: Any, outcomes: Outcomes) -> Sequence[Any]:
    serious = {True: "yes", False: "no", None: ""}[one.serious]
    return (
        one.patient_id,
        one.series_no,
        one.session_no,
        one.lesion_id,
        one.term,
        one.grade,
        serious,
        one.onset_on,
    )


_KINDS: Mapping[str, tuple[tuple[Column, ...], Callable[[Any, Outcomes], Sequence[Any]]]] = {
    "patients": (
        (
            PATIENT,
            Column("clinic", "Clinic"),
            Column("sex", "Sex", "code", labels=SEX),
            Column("diagnosis", "Diagnosis", "code", labels=DIAGNOSIS),
            Column("birth_year", "Born in", "whole"),
            Column("offered_on", "Offered", "date"),
            Column("consented_on", "Consented", "date"),
            Column("not_enrolled_reason", "Not enrolled", "code", labels=NOT_ENROLLED_REASON),
            Column("series", "Series", "whole"),
        ),
        _patient,
    ),
    "series": (
        (
            PATIENT,
            SERIES,
            Column("protocol", "Protocol"),
            Column("first_treatment_on", "First treatment", "date"),
            Column("last_treatment_on", "Last treatment", "date"),
            Column("treatments", "Treatments", "whole"),
            Column("ptga_first", "PtGA first", "whole"),
            Column("ptga_last", "PtGA last", "whole"),
            Column("phga_first", "PhGA first", "whole"),
            Column("phga_last", "PhGA last", "whole"),
            ANALYSED,
            *REMISSION,
        ),
        _series,
    ),
    "lesions": (
        (PATIENT, SERIES, LESION, *SITE, ANALYSED, *REMISSION),
        _lesion,
    ),
    "sessions": (
        (
            PATIENT,
            SERIES,
            SESSION,
            Column("kind", "Kind", "code", labels=SESSION_KIND),
            Column("held_on", "Day", "date"),
            Column("ptga", "PtGA", "whole"),
            Column("phga", "PhGA", "whole"),
            Column("injections", "Injections", "whole"),
        ),
        _session,
    ),
    "injections": (
        (
            PATIENT,
            SERIES,
            SESSION,
            Column("held_on", "Day", "date"),
            LESION,
            *SITE,
            Column("agent", "Agent", "code", labels=AGENT),
            Column("concentration_mg_ml", "Concentration", "number", "mg/ml", 0),
            Column("volume_ml", "Volume", "number", "ml", 3),
            Column("dose_mg", "Dose", "number", "mg", 1),
            Column("pain_vas", "Pain, VAS", "number", decimals=1),
        ),
        _injection,
    ),
    "side_effects": (
        (
            PATIENT,
            SERIES,
            SESSION,
            LESION,
            Column("term", "Side effect", "code", labels=SIDE_EFFECT_TERM),
            Column("grade", "Grade", "whole"),
            Column("serious", "Serious", "code", labels={"yes": "Yes", "no": "No"}),
            Column("onset_on", "Onset", "date"),
        ),
        _side_effect,
    ),
}
