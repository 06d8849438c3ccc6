"""Rows of the database as the pseudonymous records that reports are computed from.

Eleven queries, whatever the size; time and memory are linear. Only what counts goes in: no draft, no
struck-out row, and nothing of a struck-out patient, series, session or lesion. No identity.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from lesions.models import Lesion, Medication, Patient, PriorTreatment
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
from stsclinic.reporting.records import (
    AssessmentRecord,
    InfusionRecord,
    InjectionRecord,
    LesionRecord,
    MedicationRecord,
    PatientRecord,
    PriorTreatmentRecord,
    Registry,
    SeriesRecord,
    SessionRecord,
    SideEffectRecord,
)

CHUNK = 2000


def load_registry(clinic_ids: Iterable[int] | None = None) -> Registry:
    """Everything that a report may look at, of these clinics (by id) or of all, as of one moment.

    Patients stand in the order of their study IDs, and all else in that of its numbers and IDs.
    """
    within = None if clinic_ids is None else list(clinic_ids)
    with snapshot():
        lesions = _lesions(within)
        series: dict[int, list[SeriesRecord]] = defaultdict(list)
        for patient_pk, one in _series(within, _sessions(within)):
            series[patient_pk].append(one)
        medications, tried = _medications(within), _prior_treatments(within)
        patients = [
            PatientRecord(
                **facts,
                medications=medications[pk],
                prior_treatments=tried[pk],
                lesions=lesions[pk],
                series=series[pk],
            )
            for pk, facts in _patients(within)
        ]
        side_effects = sorted(_side_effects(within), key=_by_onset)
    return Registry(patients=sorted(patients, key=lambda one: one.patient_id), side_effects=side_effects)


def _rows(
    model: Any, patient: str, within: list[int] | None, parents: tuple[str, ...], *paths: str
) -> Iterator[tuple]:
    """The kept rows whose parents are kept too. `patient` is the path to the patient, with its `__`."""
    kept: dict[str, Any] = {f"{parent}struck_out_at": None for parent in ("", patient, *parents)}
    if within is not None:
        kept[f"{patient}clinic__in"] = within
    return model.everything.filter(**kept).values_list(*paths).iterator(chunk_size=CHUNK)


def _patients(within: list[int] | None) -> Iterator[tuple[int, dict[str, Any]]]:
    fields = {
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
    for pk, *values in _rows(Patient, "", within, (), "pk", *fields.values()):
        yield pk, dict(zip(fields, values, strict=True))


def _lesions(within: list[int] | None) -> dict[int, dict[str, LesionRecord]]:
    found: dict[int, dict[str, LesionRecord]] = defaultdict(dict)
    facts = ("body_site", "laterality", "site_detail", "lesion_type", "subtype", "onset_on")
    paths = ("patient_id", "lesion_id", *facts)
    for patient_pk, *values in sorted(_rows(Lesion, "patient__", within, (), *paths)):
        found[patient_pk][values[0]] = LesionRecord(*values)
    return found


def _medications(within: list[int] | None) -> dict[int, list[MedicationRecord]]:
    found: dict[int, list[MedicationRecord]] = defaultdict(list)
    paths = ("patient_id", "role", "started_on", "stopped_on")
    for patient_pk, *values in sorted(_rows(Medication, "patient__", within, (), *paths)):
        found[patient_pk].append(MedicationRecord(*values))
    return found


def _prior_treatments(within: list[int] | None) -> dict[int, list[PriorTreatmentRecord]]:
    found: dict[int, list[PriorTreatmentRecord]] = defaultdict(list)
    for patient_pk, response in sorted(
        _rows(PriorTreatment, "patient__", within, (), "patient_id", "response")
    ):
        found[patient_pk].append(PriorTreatmentRecord(response))
    return found


def _series(
    within: list[int] | None, sessions: dict[int, list[SessionRecord]]
) -> Iterator[tuple[int, SeriesRecord]]:
    lesions: dict[int, dict[str, str]] = defaultdict(dict)
    listed = _rows(
        SeriesLesion,
        "series__patient__",
        within,
        ("series__", "lesion__"),
        "series_id",
        "lesion__lesion_id",
        "arm",
    )
    for series_pk, lesion_id, arm in sorted(listed):
        lesions[series_pk][lesion_id] = arm
    fields = {
        "patient_id": "patient__study_id",
        "series_no": "series_no",
        "protocol": "protocol__code",
        "planned_treatments": "protocol__planned_treatments",
        "is_controlled": "protocol__is_controlled",
        "status": "status",
        "stop_reason": "stop_reason",
        "started_on": "started_on",
    }
    found = []
    for pk, patient_pk, *values in _rows(
        Series, "patient__", within, (), "pk", "patient_id", *fields.values()
    ):
        facts = dict(zip(fields, values, strict=True))
        found.append((patient_pk, SeriesRecord(**facts, lesions=lesions[pk], sessions=sessions[pk])))
    return iter(sorted(found, key=lambda one: (one[0], one[1].series_no)))


def _sessions(within: list[int] | None) -> dict[int, list[SessionRecord]]:
    """The sessions by series, in their order, with all that was seen and done."""
    patient, parents = "session__series__patient__", ("session__", "session__series__")
    assessments: dict[int, dict[str, AssessmentRecord]] = defaultdict(dict)
    fields = ("status", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga", "observer_pga")
    seen = _rows(
        Assessment, patient, within, (*parents, "lesion__"), "session_id", "lesion__lesion_id", *fields
    )
    for session_pk, lesion_id, *values in sorted(seen, key=lambda row: row[:2]):
        assessments[session_pk][lesion_id] = AssessmentRecord(**dict(zip(fields, values, strict=True)))
    injections: dict[int, list[InjectionRecord]] = defaultdict(list)
    parts = ("agent", "concentration_mg_ml", "volume_ml", "pain_vas")
    given = _rows(
        Injection, patient, within, (*parents, "lesion__"), "session_id", "lesion__lesion_id", *parts
    )
    for session_pk, *values in sorted(given, key=lambda row: row[:2]):
        injections[session_pk].append(InjectionRecord(*values))
    infusions = {
        session_pk: InfusionRecord(*values)
        for session_pk, *values in _rows(
            Infusion, patient, within, parents, "session_id", "dose_g", "duration_min"
        )
    }
    sessions: dict[int, list[SessionRecord]] = defaultdict(list)
    paths = ("series_id", "session_no", "pk", "kind", "held_on", "ptga", "phga")
    held = _rows(TreatmentSession, "series__patient__", within, ("series__",), *paths)
    for series_pk, number, pk, kind, held_on, ptga, phga in sorted(held, key=lambda row: row[:2]):
        sessions[series_pk].append(
            SessionRecord(
                session_no=number,
                kind=kind,
                held_on=held_on,
                ptga=ptga,
                phga=phga,
                assessments=assessments[pk],
                injections=injections[pk],
                infusion=infusions.get(pk),
            )
        )
    return sessions


def _side_effects(within: list[int] | None) -> Iterator[SideEffectRecord]:
    """Side effects that are kept; one whose series, session or lesion was struck out stays without it."""
    facts = ("term", "term_detail", "grade", "onset_on", "serious")
    references = ("series__series_no", "session__session_no", "lesion__lesion_id")
    struck_out = ("series__struck_out_at", "lesion__struck_out_at")
    paths = ("patient__study_id", *references, *struck_out, *facts)
    for row in _rows(SideEffect, "patient__", within, (), *paths):
        patient_id, series_no, session_no, lesion_id, no_series, no_lesion, *values = row
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
