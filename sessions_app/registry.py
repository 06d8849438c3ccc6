"""Rows of the database as the pseudonymous records that reports are computed from.

Eleven queries, whatever the size, or twelve for some clinics; time and memory are linear. Only what counts
goes in: no draft, no struck-out row, and nothing of a struck-out patient, series, session or lesion. No identity.

Most rows are assessments, injections and sessions: these stay columns of numbers, see registry_columns.py.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter
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
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.columns import Columns, Numbers, Parts, SessionsOf, StoredSessions, places_in
from stsclinic.reporting.records import (
    AssessmentRecord,
    InfusionRecord,
    LesionRecord,
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

NOT_KEPT = -1
"""Stands for a lesion that is none of those kept."""


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
            kept = _KeptLesions(next(found), facts)
            series, treated = next(found), kept.arms_by_series(next(found))
            stored, session_ids, ends = _stored(next(found), infusions)
            series_of = _series_of(series, facts, treated, stored, ends)
            lesions = kept.by_patient()
            stored.seen = kept.parts(next(found), session_ids, lambda one: AssessmentRecord(*one))
            stored.given = kept.parts(next(found), session_ids, tuple)
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
            series=series_of[pk],
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


class _KeptLesions:
    """The lesions of some patients. Their IDs are numbered as code points are ordered: no database's own order is that.

    Args:
        patients: by id; what was found of others is left out.
    """

    def __init__(self, found: Found, patients: Mapping[int, Any]):
        import numpy as np

        self._kinds = [LesionRecord(*one) for one in found.kinds]
        self._texts = sorted({one.lesion_id for one in self._kinds})
        place_of = {text: place for place, text in enumerate(self._texts)}
        place = np.array([place_of[one.lesion_id] for one in self._kinds], dtype=np.int32)[found.kind]
        kept = np.flatnonzero(np.isin(found.owner, list(patients)))
        kept = kept[np.argsort(found.own[kept])]
        self._patient, self._kind = found.owner[kept], found.kind[kept]
        self._keys, self._places = found.own[kept], np.append(place[kept], np.int32(NOT_KEPT))

    def by_patient(self) -> dict[int, dict[str, LesionRecord]]:
        """The lesions by patient, in the order of their IDs."""
        import numpy as np

        order = np.lexsort((self._places[:-1], self._patient))
        records = [self._kinds[kind] for kind in self._kind[order].tolist()]
        return _grouped(self._patient[order], [(one.lesion_id, one) for one in records])

    def arms_by_series(self, treated: Found) -> dict[int, dict[str, str]]:
        """The arms of the lesions by their IDs, by series, in the order of the IDs."""
        arms = [arm for (arm,) in treated.kinds]
        series, place, kind = self._in_order(treated)
        pairs = (
            (self._texts[one], arms[arm]) for one, arm in zip(place.tolist(), kind.tolist(), strict=True)
        )
        return _grouped(series, list(pairs))

    def parts(self, found: Found, sessions: Numbers, kind_of: Callable[[Sequence[Any]], Any]) -> Parts:
        """What was found at sessions (by id), as columns.

        Args:
            kind_of: makes a kind of the facts of a row.
        """
        import numpy as np

        session, place, kind = self._in_order(found)
        columns = Columns(self._texts, [kind_of(one) for one in found.kinds], place, kind)
        return Parts(columns, *(np.searchsorted(session, sessions, side) for side in ("left", "right")))

    def _in_order(self, found: Found) -> tuple[Numbers, Numbers, Numbers]:
        """Owner, place of the lesion's ID and kind of the rows of these lesions, by owner and ID."""
        import numpy as np

        place = self._places[places_in(self._keys, found.own)]
        order = np.argsort(found.owner * (len(self._texts) + 1) + place, kind="stable")
        order = order[place[order] != NOT_KEPT]
        return found.owner[order], place[order], found.kind[order]


def _grouped(sorted_owners: Numbers, pairs: Sequence[tuple[str, Any]]) -> dict[int, dict[str, Any]]:
    """Dictionaries of pairs by the owner of each; empty ones of others."""
    found = _ends(sorted_owners).items()
    return defaultdict(dict, {owner: dict(pairs[start:stop]) for owner, (start, stop) in found})


def _ends(sorted_owners: Numbers) -> dict[int, tuple[int, int]]:
    """From where to before where each owner stands."""
    import numpy as np

    first = np.flatnonzero(np.diff(sorted_owners, prepend=-1))
    stops = np.append(first[1:], len(sorted_owners))[: len(first)]
    return dict(
        zip(sorted_owners[first].tolist(), zip(first.tolist(), stops.tolist(), strict=True), strict=True)
    )


def _by_patient(record: Any, found: Iterable[tuple]) -> dict[int, list[Any]]:
    """Records of what stands behind the patient in each row, in the order of that."""
    by_patient: dict[int, list[Any]] = defaultdict(list)
    for patient_pk, *values in sorted(found):
        by_patient[patient_pk].append(record(*values))
    return by_patient


def _stored(
    found: Found, infusions: Mapping[int, InfusionRecord]
) -> tuple[StoredSessions, Numbers, Mapping[int, tuple[int, int]]]:
    """The sessions without their rows, their ids, and by series from where to before where they stand."""
    import numpy as np

    number = np.array([session_no for session_no, *_ in found.kinds], dtype=np.int64)[found.kind]
    order = np.lexsort((number, found.owner))
    ids, series = found.own[order], found.owner[order]
    place_of = dict(zip(ids.tolist(), range(len(ids)), strict=True)) if infusions else {}
    stored = StoredSessions(
        facts=found.kinds,
        fact=found.kind[order],
        day=found.more[0][order].astype(np.int32),
        infusions={place_of[pk]: infusion for pk, infusion in infusions.items() if pk in place_of},
    )
    return stored, ids, _ends(series)


def _series_of(
    found: Found,
    patients: Mapping[int, Mapping[str, Any]],
    treated: Mapping[int, Mapping[str, str]],
    stored: StoredSessions,
    ends: Mapping[int, tuple[int, int]],
) -> dict[int, list[SeriesRecord]]:
    """The series by patient, in their order."""
    by_patient: dict[int, list[SeriesRecord]] = defaultdict(list)
    facts = [dict(zip(SERIES_FIELDS, one, strict=True)) for one in found.kinds]
    columns = (found.own, found.owner, found.kind, found.more[0])
    for pk, patient_pk, kind, day in zip(*(one.tolist() for one in columns), strict=True):
        if patient_pk in patients:
            record = SeriesRecord(
                patient_id=patients[patient_pk]["patient_id"],
                **facts[kind],
                started_on=date.fromordinal(day),
                lesions=treated[pk],
                sessions=SessionsOf(stored, *ends.get(pk, (0, 0))),
            )
            by_patient[patient_pk].append(record)
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
