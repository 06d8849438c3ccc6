"""Rows of the database as the pseudonymous records that reports are computed from.

Eleven queries, whatever the size, or twelve for some clinics; time and memory are linear. Only what counts
goes in: no draft, no struck-out row, and nothing of a struck-out patient, series, session or lesion. No identity.

Most rows are assessments and injections: these stay columns of numbers, see registry_columns.py.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.asking import answers
from sessions_app.datasheets.snapshot import snapshot
from sessions_app.models import Infusion, Series, SideEffect
from sessions_app.registry_columns import (
    GIVEN,
    SEEN,
    KeptLesions,
    Read,
    SessionColumns,
    ask_sessions,
    ask_treated,
)
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.columns import GivenRows, SeenRows
from stsclinic.reporting.records import (
    InfusionRecord,
    LesionRecord,
    MedicationRecord,
    PatientRecord,
    PriorTreatmentRecord,
    Registry,
    SeriesRecord,
    SessionRecord,
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
    "patient_id": "patient__study_id",
    "series_no": "series_no",
    "protocol": "protocol__code",
    "protocol_version": "protocol__version",
    "planned_treatments": "protocol__planned_treatments",
    "is_controlled": "protocol__is_controlled",
    "status": "status",
    "stop_reason": "stop_reason",
    "started_on": "started_on",
}


CHUNK = 2000


def load_registry(clinic_ids: Iterable[int] | None = None) -> Registry:
    """Everything that a report may look at, of these clinics (by id) or of all, as of one moment.

    Patients stand in the order of their study IDs, and all else in that of its numbers and IDs.
    """
    within = None if clinic_ids is None else list(clinic_ids)
    with snapshot():
        if within is not None and not Clinic.objects.exclude(pk__in=within).exists():
            within = None
        facts = {
            pk: dict(zip(PATIENT_FIELDS, values, strict=True))
            for pk, *values in _rows(Patient, "", within, "pk", *PATIENT_FIELDS.values())
        }
        lesions, lesion_ids = _lesions(
            _rows(Lesion, "patient__", within, "pk", "patient_id", *LESION_FIELDS), facts
        )
        kept = KeptLesions(lesion_ids)
        infusions = {
            pk: InfusionRecord(*values)
            for pk, *values in _rows(
                Infusion, "session__series__patient__", within, "session_id", "dose_g", "duration_min"
            )
        }
        questions = [SEEN.ask(within), ask_treated(within), GIVEN.ask(within), ask_sessions(within)]
        with answers(questions) as found:
            seen = SEEN.read(next(found), kept)
            treated = _treated(next(found), lesion_ids)
            given = GIVEN.read(next(found), kept)
            sessions = _sessions(next(found), seen, given, infusions)
        series = _series(
            _rows(Series, "patient__", within, "pk", "patient_id", *SERIES_FIELDS.values()), treated, sessions
        )
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
            lesions=lesions[pk],
            series=series[pk],
        )
        for pk, of_patient in facts.items()
    ]
    return Registry(patients=sorted(patients, key=attrgetter("patient_id")), side_effects=side_effects)


def _rows(model: Any, patient: str, within: list[int] | None, *paths: str) -> Iterator[tuple]:
    """The kept rows, in no order and whatever was struck out above them: nobody looks below that.

    `patient` is the path to the patient, with its `__`.
    """
    found = model.objects.order_by()
    if within is not None:
        found = found.filter(**{f"{patient}clinic__in": within})
    return found.values_list(*paths).iterator(chunk_size=CHUNK)


def _lesions(
    found: Iterable[tuple], patients: Container[int]
) -> tuple[dict[int, dict[str, LesionRecord]], dict[int, str]]:
    """The lesions of these patients, by patient and in the order of their IDs, and the ID of each by its row."""
    by_patient: dict[int, dict[str, LesionRecord]] = defaultdict(dict)
    ids: dict[int, str] = {}
    alike: dict[tuple, LesionRecord] = {}
    for pk, patient_pk, *values in found:
        if patient_pk in patients:
            key = tuple(values)
            record = alike.get(key)
            if record is None:
                record = alike[key] = LesionRecord(*key)
            ids[pk] = record.lesion_id
            by_patient[patient_pk][record.lesion_id] = record
    for of_patient in by_patient.values():
        _put_in_order(of_patient)
    return by_patient, ids


def _treated(
    found: Iterable[tuple[int, int, str]], lesion_ids: Mapping[int, str]
) -> dict[int, dict[str, str]]:
    """The arms of the kept lesions by their IDs, by series."""
    by_series: dict[int, dict[str, str]] = defaultdict(dict)
    for series_pk, lesion_pk, arm in found:
        if lesion_pk in lesion_ids:
            by_series[series_pk][lesion_ids[lesion_pk]] = arm
    for of_series in by_series.values():
        _put_in_order(of_series)
    return by_series


def _put_in_order(by_id: dict[str, Any]) -> None:
    """By ID, as code points are ordered: no database's own order is that everywhere."""
    ids = list(by_id)
    if ids != sorted(ids):
        items = sorted(by_id.items())
        by_id.clear()
        by_id.update(items)


def _by_patient(record: Any, found: Iterable[tuple]) -> dict[int, list[Any]]:
    """Records of what stands behind the patient in each row, in the order of that."""
    by_patient: dict[int, list[Any]] = defaultdict(list)
    for patient_pk, *values in sorted(found):
        by_patient[patient_pk].append(record(*values))
    return by_patient


def _sessions(
    found: SessionColumns, seen: Read, given: Read, infusions: Mapping[int, InfusionRecord]
) -> dict[int, list[SessionRecord]]:
    """The sessions by series, in their order, with all that was seen and done."""
    by_series: dict[int, list[SessionRecord]] = defaultdict(list)
    for series_pk, pk, facts, its_seen, its_given in zip(
        found.series, found.ids, found.facts, seen.rows(found.ids), given.rows(found.ids), strict=True
    ):
        by_series[series_pk].append(
            SessionRecord(
                *facts,
                SeenRows(seen.columns, *its_seen),
                GivenRows(given.columns, *its_given),
                infusions.get(pk),
            )
        )
    return by_series


def _series(
    found: Iterable[tuple],
    treated: Mapping[int, Mapping[str, str]],
    sessions: Mapping[int, Sequence[SessionRecord]],
) -> dict[int, list[SeriesRecord]]:
    """The series by patient, in their order."""
    by_patient: dict[int, list[SeriesRecord]] = defaultdict(list)
    for pk, patient_pk, *values in found:
        facts = dict(zip(SERIES_FIELDS, values, strict=True))
        by_patient[patient_pk].append(SeriesRecord(**facts, lesions=treated[pk], sessions=sessions[pk]))
    for of_patient in by_patient.values():
        of_patient.sort(key=attrgetter("series_no"))
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
