"""Rows of the database as the pseudonymous records that reports are computed from.

Eleven queries, whatever the size, or twelve for some clinics; time and memory are linear. Only what counts
goes in: no draft, no struck-out row, and nothing of a struck-out patient, series, session or lesion. No identity.

Most rows are assessments and injections: these stay columns of numbers, see registry_columns.py.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from typing import Any

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.datasheets.snapshot import snapshot
from sessions_app.models import (
    Infusion,
    Series,
    SeriesLesion,
    SideEffect,
    TreatmentSession,
)
from sessions_app.registry_columns import read_given, read_seen
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
"""Of a series: the field of its record, and where the database has it."""

CHUNK = 2000


def load_registry(clinic_ids: Iterable[int] | None = None) -> Registry:
    """Everything that a report may look at, of these clinics (by id) or of all, as of one moment.

    Patients stand in the order of their study IDs, and all else in that of its numbers and IDs.
    """
    within = None if clinic_ids is None else list(clinic_ids)
    with snapshot():
        if within is not None and not Clinic.objects.exclude(pk__in=within).exists():
            within = None
        lesions, lesion_ids = _lesions(within)
        series: dict[int, list[SeriesRecord]] = defaultdict(list)
        for patient_pk, one in _series(within, _sessions(within, lesion_ids), lesion_ids):
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


def _rows_of(model: Any, patient: str, within: list[int] | None, *paths: str) -> Iterator[tuple]:
    """The kept rows, whatever was struck out above them: the caller knows what is kept there, which is quicker."""
    found = model.objects.order_by()
    if within is not None:
        found = found.filter(**{f"{patient}clinic__in": within})
    return found.values_list(*paths).iterator(chunk_size=CHUNK)


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


def _lesions(within: list[int] | None) -> tuple[dict[int, dict[str, LesionRecord]], dict[int, str]]:
    """The lesions by patient, in the order of their IDs, and the ID of each by its row."""
    found: dict[int, dict[str, LesionRecord]] = defaultdict(dict)
    ids: dict[int, str] = {}
    alike, one_text = cache(LesionRecord), cache(str)
    facts = ("body_site", "laterality", "site_detail", "lesion_type", "subtype", "onset_on")
    for pk, patient_pk, lesion_id, *values in _rows(
        Lesion, "patient__", within, (), "pk", "patient_id", "lesion_id", *facts
    ):
        ids[pk] = one_text(lesion_id)
        found[patient_pk][ids[pk]] = alike(ids[pk], *values)
    for of_patient in found.values():
        _put_in_order(of_patient)
    return found, ids


def _put_in_order(by_id: dict[str, Any]) -> None:
    """By ID, as code points are ordered: no database's own order is that everywhere."""
    ids = list(by_id)
    if ids != sorted(ids):
        items = sorted(by_id.items())
        by_id.clear()
        by_id.update(items)


def _medications(within: list[int] | None) -> dict[int, list[MedicationRecord]]:
    found: dict[int, list[MedicationRecord]] = defaultdict(list)
    paths = ("patient_id", "role", "started_on", "stopped_on", "name")
    for patient_pk, *values in sorted(_rows(Medication, "patient__", within, (), *paths)):
        found[patient_pk].append(MedicationRecord(*values))
    return found


def _prior_treatments(within: list[int] | None) -> dict[int, list[PriorTreatmentRecord]]:
    found: dict[int, list[PriorTreatmentRecord]] = defaultdict(list)
    paths = ("patient_id", "response", "treatment")
    for patient_pk, *values in sorted(_rows(PriorTreatment, "patient__", within, (), *paths)):
        found[patient_pk].append(PriorTreatmentRecord(*values))
    return found


def _series(
    within: list[int] | None, sessions: dict[int, list[SessionRecord]], lesion_ids: Mapping[int, str]
) -> Iterator[tuple[int, SeriesRecord]]:
    lesions: dict[int, dict[str, str]] = defaultdict(dict)
    for series_pk, lesion_pk, arm in _rows_of(
        SeriesLesion, "series__patient__", within, "series_id", "lesion_id", "arm"
    ):
        if lesion_pk in lesion_ids:
            lesions[series_pk][lesion_ids[lesion_pk]] = arm
    for of_series in lesions.values():
        _put_in_order(of_series)
    found = []
    for pk, patient_pk, *values in _rows(
        Series, "patient__", within, (), "pk", "patient_id", *SERIES_FIELDS.values()
    ):
        facts = dict(zip(SERIES_FIELDS, values, strict=True))
        found.append((patient_pk, SeriesRecord(**facts, lesions=lesions[pk], sessions=sessions[pk])))
    return iter(sorted(found, key=lambda one: (one[0], one[1].series_no)))


def _sessions(within: list[int] | None, lesion_ids: Mapping[int, str]) -> dict[int, list[SessionRecord]]:
    """The sessions by series, in their order, with all that was seen and done."""
    patient, parents = "session__series__patient__", ("session__", "session__series__")
    infusions = {
        session_pk: InfusionRecord(*values)
        for session_pk, *values in _rows(
            Infusion, patient, within, parents, "session_id", "dose_g", "duration_min"
        )
    }
    seen, given = read_seen(within, lesion_ids), read_given(within, lesion_ids)
    sessions: dict[int, list[SessionRecord]] = defaultdict(list)
    alike: Callable[[Any], Any] = cache(lambda value: value)
    facts = ("session_no", "kind", "held_on", "ptga", "phga")
    for series_pk, pk, session_no, kind, held_on, ptga, phga in _rows(
        TreatmentSession, "series__patient__", within, ("series__",), "series_id", "pk", *facts
    ):
        sessions[series_pk].append(
            SessionRecord(
                session_no,
                alike(kind),
                alike(held_on),
                ptga,
                phga,
                SeenRows(*seen.rows(pk)),
                GivenRows(*given.rows(pk)),
                infusions.get(pk),
            )
        )
    for of_series in sessions.values():
        of_series.sort(key=attrgetter("session_no"))
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
