"""The records that selecting and judging series asks for, of some patients: no assessment, follow-up or side effect."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from lesions.models import Lesion, Patient
from sessions_app.dataout.plan import Plan
from sessions_app.models import Injection, Series, SeriesLesion, TreatmentSession
from sessions_app.registry import SERIES_FIELDS
from stsclinic.reporting.disclosure import conceal
from stsclinic.reporting.records import (
    InjectionRecord,
    LesionRecord,
    PatientRecord,
    Registry,
    SeriesRecord,
    SessionRecord,
)


@dataclass(frozen=True)
class LightRecords:
    """The patients by id, and the ids of their series and lesions by study ID and number or lesion ID."""

    registry: Registry
    patients: dict[int, PatientRecord]
    series_keys: dict[tuple[str, int], int]
    lesion_keys: dict[tuple[str, str], int]


def light_records(keys: list[int], plan: Plan) -> LightRecords:
    """What the plan's selection looks at; a closed allocation is no part of it."""
    listed: dict[int, dict[str, str]] = defaultdict(dict)
    rows = SeriesLesion.objects.filter(
        series__patient__in=keys, series__struck_out_at=None, lesion__struck_out_at=None
    )
    for series, lesion_id in rows.values_list("series_id", "lesion__lesion_id").order_by("lesion__lesion_id"):
        listed[series][lesion_id] = ""
    injections = _injections(keys) if plan.selection.concentrations else {}
    sessions: dict[int, list[SessionRecord]] = defaultdict(list)
    held = TreatmentSession.objects.filter(
        series__patient__in=keys, kind="treatment", series__struck_out_at=None
    )
    for pk, series, number, held_on, ptga, phga in held.values_list(
        "pk", "series_id", "session_no", "held_on", "ptga", "phga"
    ).order_by("series_id", "session_no"):
        sessions[series].append(
            SessionRecord(number or 0, "treatment", held_on, ptga, phga, injections=injections.get(pk, ()))
        )
    series_keys: dict[tuple[str, int], int] = {}
    by_patient: dict[int, list[SeriesRecord]] = defaultdict(list)
    found = Series.objects.filter(patient__in=keys).order_by("series_no")
    fields = {"patient_id": "patient__study_id", "started_on": "started_on", **SERIES_FIELDS}
    for key, patient, *values in found.values_list("pk", "patient_id", *fields.values()):
        facts = dict(zip(fields, values, strict=True))
        one = SeriesRecord(**facts, lesions=listed[key], sessions=sessions[key])
        series_keys[one.patient_id, one.series_no] = key
        by_patient[patient].append(one)
    lesions, lesion_keys = _lesions(keys) if plan.selection.picks_series else ({}, {})
    patients = {
        key: PatientRecord(
            study_id, clinic, sex, diagnosis, series=by_patient[key], lesions=lesions.get(key, {})
        )
        for key, study_id, clinic, sex, diagnosis in Patient.objects.filter(pk__in=keys).values_list(
            "pk", "study_id", "clinic__code", "sex", "diagnosis"
        )
    }
    registry = conceal(
        Registry(list(patients.values())), lambda clinic, protocol: (clinic, protocol) not in plan.closed
    )
    return LightRecords(registry, patients, series_keys, lesion_keys)


def _injections(keys: list[int]) -> dict[int, list[InjectionRecord]]:
    """By session, the lesions and what they were given."""
    found: dict[int, list[InjectionRecord]] = defaultdict(list)
    rows = Injection.objects.filter(session__series__patient__in=keys, lesion__struck_out_at=None)
    for session, lesion_id, mg_ml in rows.values_list(
        "session_id", "lesion__lesion_id", "concentration_mg_ml"
    ):
        found[session].append(InjectionRecord(lesion_id, "", mg_ml, Decimal(0)))
    return found


def _lesions(keys: list[int]) -> tuple[dict[int, dict[str, LesionRecord]], dict[tuple[str, str], int]]:
    """By patient and lesion ID what a lesion is, and its id by study ID and lesion ID."""
    found: dict[int, dict[str, LesionRecord]] = defaultdict(dict)
    ids: dict[tuple[str, str], int] = {}
    rows = Lesion.objects.filter(patient__in=keys)
    for pk, patient, study_id, lesion_id, body_site, subtype in rows.values_list(
        "pk", "patient_id", "patient__study_id", "lesion_id", "body_site", "subtype"
    ):
        found[patient][lesion_id] = LesionRecord(lesion_id, body_site, subtype=subtype)
        ids[study_id, lesion_id] = pk
    return found, ids
