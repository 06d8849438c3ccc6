"""Rows of the database as the pseudonymous records that reports are computed from.

Eleven queries, whatever the size, or twelve for some clinics; time and memory are linear. Only what counts
goes in: no draft, no struck-out row, and nothing of a struck-out patient, series, session or lesion. No identity.

Most rows are assessments, injections and sessions: these stay columns of numbers, see registry_columns.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.asking import Question, answers
from sessions_app.datasheets.snapshot import snapshot
from sessions_app.models import (
    Assessment,
    Infusion,
    Injection,
    Series,
    SeriesLesion,
    SideEffect,
    TreatmentSession,
)
from sessions_app.registry_columns import Day, Found, ask_rows
from sessions_app.registry_order import OrderedLesions, OrderedSeries, OrderedSessions
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.columns import SessionsOf
from stsclinic.reporting.records import (
    AssessmentRecord,
    InfusionRecord,
    MedicationRecord,
    PatientRecord,
    PriorTreatmentRecord,
    Registry,
    SeriesRecord,
    SideEffectRecord,
)

PATIENT_FIELDS = {
    "patient_id": "study_id",
    "clinic": "clinic__code",
    "sex": "sex",
    "diagnosis": "diagnosis",
    "birth_year": "birth_year",
    "offered_on": "offered_on",
    "not_enrolled_reason": "not_enrolled_reason",
    "consented_on": "consented_on",
    "withdrawn_on": "withdrawn_on",
    "lesion_count": "lesion_count",
    "disease_status": "disease_status",
    "race": "race",
    "ethnicity": "ethnicity",
}
"""Of a patient: the field of its record, and where the database has it."""

LESION_FIELDS = (
    "lesion_id",
    "body_site",
    "laterality",
    "site_detail",
    "lesion_type",
    "subtype",
    "onset_on",
)

SERIES_FIELDS = {
    "series_no": "series_no",
    "protocol": "protocol__code",
    "protocol_version": "protocol__version",
    "planned_treatments": "protocol__planned_treatments",
    "is_controlled": "protocol__is_controlled",
    "status": "status",
    "stop_reason": "stop_reason",
}

SESSION_FIELDS = ("session_no", "kind", "ptga", "phga")

SEEN_FIELDS = ("status", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga", "observer_pga")

GIVEN_FIELDS = ("agent", "concentration_mg_ml", "volume_ml", "pain_vas")


CHUNK = 2000


def load_registry(clinic_ids: Iterable[int] | None = None) -> Registry:
    """Everything that a report may look at, of these clinics (by id) or of all, as of one moment.

    Patients stand in the order of their study IDs, sessions in that of date and session_no, and all else in that of
    its numbers and IDs.
    """
    within = None if clinic_ids is None else list(clinic_ids)
    with snapshot():
        if within is not None and not Clinic.objects.exclude(pk__in=within).exists():
            within = None
        rows = _rows(Patient, "", within, *PATIENT_FIELDS.values(), "pk")
        facts = {
            pk: dict(zip(PATIENT_FIELDS, values, strict=True))
            for *values, pk in sorted(rows, key=itemgetter(0))
        }
        infusions = {
            pk: InfusionRecord(*values)
            for pk, *values in _rows(
                Infusion, "session__series__patient__", within, "session_id", "dose_g", "duration_min"
            )
        }
        # The last two take the longest: all else is made ready while they are on their way.
        with answers(
            [ask(within) for ask in (_lesions, _series, _treated, _sessions, _seen, _given)]
        ) as found:
            lesions, found_series = OrderedLesions(next(found), list(facts)), next(found)
            ordered = OrderedSeries(found_series, list(facts))
            arms = lesions.arms(next(found), ordered)
            sessions = OrderedSessions(next(found), ordered, infusions)
            series = _series_of(found_series, ordered, facts, arms, sessions)
            lesions_of = dict(zip(facts, lesions.by_patient(), strict=True))
            sessions.stored.seen = lesions.parts(next(found), sessions, lambda one: AssessmentRecord(*one))
            sessions.stored.given = lesions.parts(next(found), sessions, tuple)
        medications = _by_patient(
            MedicationRecord,
            _rows(Medication, "patient__", within, "patient_id", "role", "started_on", "stopped_on", "name"),
        )
        tried = _by_patient(
            PriorTreatmentRecord,
            _rows(PriorTreatment, "patient__", within, "patient_id", "response", "treatment"),
        )
        side_effects = sorted(
            _side_effects(_rows(SideEffect, "patient__", within, *SIDE_EFFECT_FIELDS)), key=_by_onset
        )
    patients = [
        PatientRecord(
            **of_patient,
            medications=medications[pk],
            prior_treatments=tried[pk],
            lesions=lesions_of[pk],
            series=series[pk],
        )
        for pk, of_patient in facts.items()
    ]
    return Registry(patients, side_effects)


def _rows(model: Any, patient: str, within: list[int] | None, *paths: str) -> Iterator[tuple]:
    """The kept rows, in no order and whatever was struck out above them: nobody looks below that.

    `patient` is the path to the patient, with its `__`.
    """
    found = model.objects.order_by()
    if within is not None:
        found = found.filter(**{f"{patient}clinic__in": within})
    return found.values_list(*paths).iterator(chunk_size=CHUNK)


def _of(model: Any, within: list[int] | None, patient: str) -> Any:
    """The kept rows of these clinics (by id), or of all; `patient` is the path to the patient, with its `__`."""
    return model.objects.all() if within is None else model.objects.filter(**{f"{patient}clinic__in": within})


def _lesions(within: list[int] | None) -> Question:
    return ask_rows(_of(Lesion, within, "patient__"), LESION_FIELDS, "patient_id", "pk")


def _series(within: list[int] | None) -> Question:
    found = _of(Series, within, "patient__").annotate(day=Day("started_on"))
    return ask_rows(found, [*SERIES_FIELDS.values()], "patient_id", "pk", "day")


def _treated(within: list[int] | None) -> Question:
    return ask_rows(_of(SeriesLesion, within, "series__patient__"), ["arm"], "series_id", "lesion_id")


def _sessions(within: list[int] | None) -> Question:
    found = _of(TreatmentSession, within, "series__patient__").annotate(day=Day("held_on"))
    return ask_rows(found, SESSION_FIELDS, "series_id", "pk", "day")


def _seen(within: list[int] | None) -> Question:
    found = _of(Assessment, within, "session__series__patient__")
    return ask_rows(found, SEEN_FIELDS, "session_id", "lesion_id")


def _given(within: list[int] | None) -> Question:
    found = _of(Injection, within, "session__series__patient__")
    return ask_rows(found, GIVEN_FIELDS, "session_id", "lesion_id")


def _by_patient(record: Any, found: Iterable[tuple]) -> dict[int, list[Any]]:
    """Records of what stands behind the patient in each row, in the order of that."""
    by_patient: dict[int, list[Any]] = defaultdict(list)
    for patient_pk, *values in sorted(found):
        by_patient[patient_pk].append(record(*values))
    return by_patient


def _series_of(
    found: Found,
    ordered: OrderedSeries,
    patients: Mapping[int, Mapping[str, Any]],
    arms: Sequence[Mapping[str, str]],
    sessions: OrderedSessions,
) -> dict[int, list[SeriesRecord]]:
    """The series by patient, in their order."""
    by_patient: dict[int, list[SeriesRecord]] = defaultdict(list)
    facts = [dict(zip(SERIES_FIELDS, one, strict=True)) for one in found.kinds]
    columns = (one[ordered.rows].tolist() for one in (found.owner, found.kind, found.more[0]))
    for patient, kind, day, its_arms, ends in zip(*columns, arms, sessions.ends, strict=True):
        by_patient[patient].append(
            SeriesRecord(
                patient_id=patients[patient]["patient_id"],
                **facts[kind],
                started_on=date.fromordinal(day),
                lesions=its_arms,
                sessions=SessionsOf(sessions.stored, *ends),
            )
        )
    return by_patient


SIDE_EFFECT_FIELDS = (
    "patient__study_id",
    "series__series_no",
    "session__session_no",
    "lesion__lesion_id",
    "patient__struck_out_at",
    "series__struck_out_at",
    "lesion__struck_out_at",
    "term",
    "term_detail",
    "grade",
    "onset_on",
    "serious",
)


def _side_effects(found: Iterable[tuple]) -> Iterator[SideEffectRecord]:
    """Side effects that are kept; one whose series, session or lesion was struck out stays without it."""
    for patient_id, series_no, session_no, lesion_id, no_patient, no_series, no_lesion, *values in found:
        if no_patient is None:
            yield SideEffectRecord(
                patient_id,
                None if no_series else series_no,
                None if no_series else session_no,
                "" if no_lesion or lesion_id is None else lesion_id,
                *values,
            )


def _by_onset(one: SideEffectRecord) -> tuple:
    where = (one.series_no or 0, one.session_no or 0, one.lesion_id)
    return one.patient_id, one.onset_on, one.term, one.term_detail, where
