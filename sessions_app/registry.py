"""Rows of the database as the pseudonymous records that reports are computed from.

Eleven queries, whatever the size, or twelve for some clinics; time and memory are linear. Only what counts
goes in: no draft, no struck-out row, and nothing of a struck-out patient, series, session or lesion. No identity.

Most rows are assessments, injections and sessions: these stay columns of numbers, see registry_columns.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
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
from sessions_app.registry_columns import Day, Found, ask_each, ask_rows, by_hashing
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


INFUSION_FIELDS = ("session_id", "dose_g", "duration_min")

MEDICATION_FIELDS = ("patient_id", "role", "started_on", "stopped_on", "name")

PRIOR_TREATMENT_FIELDS = ("patient_id", "response", "treatment")


def load_registry(clinic_ids: Iterable[int] | None = None) -> Registry:
    """Everything that a report may look at, of these clinics (by id) or of all, as of one moment.

    Patients stand in the order of their study IDs, sessions in that of date and session_no, and all else in that of
    its numbers and IDs.
    """
    within = None if clinic_ids is None else list(clinic_ids)
    with snapshot():
        if within is not None and not Clinic.objects.exclude(pk__in=within).exists():
            within = None
        with by_hashing(), answers(_questions(within)) as found:
            # The last two answers take the longest: all else is made ready while they are on their way.
            registry, lesions, sessions = _put_together(*islice(found, 9))
            sessions.stored.seen = lesions.parts(next(found), sessions, lambda one: AssessmentRecord(*one))
            sessions.stored.given = lesions.parts(next(found), sessions, tuple)
    return registry


def _questions(within: list[int] | None) -> Iterator[Question]:
    """In the order in which _put_together takes the answers; then what was seen and given."""
    yield ask_each(_of(Patient, within, ""), *PATIENT_FIELDS.values(), "pk")
    yield ask_rows(_of(Lesion, within, "patient__"), LESION_FIELDS, "patient_id", "pk")
    series = _of(Series, within, "patient__").annotate(day=Day("started_on"))
    yield ask_rows(series, [*SERIES_FIELDS.values()], "patient_id", "pk", "day")
    yield ask_rows(_of(SeriesLesion, within, "series__patient__"), ["arm"], "series_id", "lesion_id")
    sessions = _of(TreatmentSession, within, "series__patient__").annotate(day=Day("held_on"))
    yield ask_rows(sessions, SESSION_FIELDS, "series_id", "pk", "day")
    yield ask_each(_of(Infusion, within, "session__series__patient__"), *INFUSION_FIELDS)
    yield ask_each(_of(Medication, within, "patient__"), *MEDICATION_FIELDS)
    yield ask_each(_of(PriorTreatment, within, "patient__"), *PRIOR_TREATMENT_FIELDS)
    yield ask_each(_of(SideEffect, within, "patient__"), *SIDE_EFFECT_FIELDS)
    seen = _of(Assessment, within, "session__series__patient__")
    yield ask_rows(seen, SEEN_FIELDS, "session_id", "lesion_id")
    given = _of(Injection, within, "session__series__patient__")
    yield ask_rows(given, GIVEN_FIELDS, "session_id", "lesion_id")


def _put_together(
    patients: Iterable[tuple],
    lesions: Found,
    series: Found,
    treated: Found,
    sessions: Found,
    infusions: Iterable[tuple],
    medications: Iterable[tuple],
    prior_treatments: Iterable[tuple],
    side_effects: Iterable[tuple],
) -> tuple[Registry, OrderedLesions, OrderedSessions]:
    """The records, but for what was seen and given at the sessions."""
    facts = {
        pk: dict(zip(PATIENT_FIELDS, values, strict=True))
        for *values, pk in sorted(patients, key=itemgetter(0))
    }
    ordered_lesions, ordered_series = OrderedLesions(lesions, list(facts)), OrderedSeries(series, list(facts))
    ordered_sessions = OrderedSessions(
        sessions, ordered_series, {pk: InfusionRecord(*values) for pk, *values in infusions}
    )
    arms = ordered_lesions.arms(treated, ordered_series)
    series_of = _series_of(series, ordered_series, facts, arms, ordered_sessions)
    taken = _by_patient(MedicationRecord, medications)
    tried = _by_patient(PriorTreatmentRecord, prior_treatments)
    records = [
        PatientRecord(
            **of_patient,
            medications=taken[pk],
            prior_treatments=tried[pk],
            lesions=its_lesions,
            series=series_of[pk],
        )
        for (pk, of_patient), its_lesions in zip(facts.items(), ordered_lesions.by_patient(), strict=True)
    ]
    registry = Registry(records, sorted(_side_effects(side_effects), key=_by_onset))
    return registry, ordered_lesions, ordered_sessions


def _of(model: Any, within: list[int] | None, patient: str) -> Any:
    """The kept rows of these clinics (by id), or of all, whatever was struck out above them: nobody looks below that.

    `patient` is the path to the patient, with its `__`.
    """
    return model.objects.all() if within is None else model.objects.filter(**{f"{patient}clinic__in": within})


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
