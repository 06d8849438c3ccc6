"""Who changed what, when, from where and why: the trail of a patient, or of one record, in words.

What a person may not see elsewhere is left out here too: identities, and, while the allocation of a
controlled protocol is closed, every column and every row that would betray it.
"""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404

from lesions.models import Lesion, Medication, Patient, PatientIdentity, PriorTreatment
from sessions_app.allocation import allocation_visible
from sessions_app.models import (
    AlertAcknowledgement,
    Assessment,
    CallAttempt,
    Infusion,
    Injection,
    Photograph,
    Protocol,
    Series,
    SeriesLesion,
    SessionVial,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
    TreatmentSession,
)
from stsclinic.access import clinics_where, may
from stsclinic.audit.acting import SOURCES
from stsclinic.audit.models import ACTION, Change
from stsclinic.clinical.alerts import MAY_BETRAY_ALLOCATION
from stsclinic.clinical.dates import PartialDate, show_date
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.seriousness import SERIOUS_CRITERIA
from stsclinic.clinical.terms import OVERLAP_WITH, SIDE_EFFECT_TERM
from stsclinic.clinics.models import Clinic
from stsclinic.fields import PartialDateField

PAGE = 50
NOTHING = "Not recorded"


@dataclass(frozen=True)
class Kind:
    """One kind of record of a patient."""

    words: str
    model: type[models.Model]
    patient: str
    """The lookup from the record to its patient; "" for the patient."""
    part_of: str = ""
    """The kind with whose history it is shown too, and the lookup to it."""
    said: frozenset[str] = frozenset({"patient"})
    """Columns that the record's own words say already."""


_OF_SESSION = frozenset({"session", "lesion"})

KINDS = {
    "patient": Kind("Patient", Patient, ""),
    "identity": Kind("Identity", PatientIdentity, "patient"),
    "lesion": Kind("Lesion", Lesion, "patient"),
    "medication": Kind("Medication", Medication, "patient"),
    "prior_treatment": Kind("Earlier treatment", PriorTreatment, "patient"),
    "series": Kind("Series", Series, "patient"),
    "series_lesion": Kind(
        "Lesion of a series",
        SeriesLesion,
        "series__patient",
        part_of="series",
        said=frozenset({"series", "lesion"}),
    ),
    "session": Kind("Session", TreatmentSession, "series__patient", said=frozenset({"series"})),
    "assessment": Kind(
        "Assessment", Assessment, "session__series__patient", part_of="session", said=_OF_SESSION
    ),
    "injection": Kind(
        "Injection", Injection, "session__series__patient", part_of="session", said=_OF_SESSION
    ),
    "infusion": Kind("Infusion", Infusion, "session__series__patient", part_of="session", said=_OF_SESSION),
    "vial": Kind(
        "Vial",
        SessionVial,
        "session__series__patient",
        part_of="session",
        said=frozenset({"session", "vial_no"}),
    ),
    "acknowledgement": Kind(
        "Alert", AlertAcknowledgement, "session__series__patient", part_of="session", said=_OF_SESSION
    ),
    "side_effect": Kind("Side effect", SideEffect, "patient"),
    "side_effect_observation": Kind(
        "Observation",
        SideEffectObservation,
        "side_effect__patient",
        part_of="side_effect",
        said=frozenset({"side_effect"}),
    ),
    "inquiry": Kind("Question for side effects", SideEffectInquiry, "patient", part_of="session"),
    "call": Kind("Call", CallAttempt, "patient"),
    "photograph": Kind("Photograph", Photograph, "lesion__patient"),
}
"""Every kind of record that leaves history with a patient. Adding one is one entry."""

_KIND_OF_TABLE = {kind.model._meta.db_table: (code, kind) for code, kind in KINDS.items()}

NEVER_SHOWN = frozenset(
    {
        "id",
        "version",
        "name_search",
        "struck_out_at",
        "struck_out_by",
        "struck_out_reason",
        "token",
        "sha256",
        "call_key",
    }
)
BETRAYS_ALLOCATION = {
    "series_lesion": frozenset({"arm"}),
    "injection": frozenset({"agent", "concentration_mg_ml", "volume_ml", "lot_number", "salt_form"}),
    "infusion": frozenset({"dose_g"}),
    "series": frozenset({"high_concentration_approved_on", "high_concentration_reason"}),
}
"""Columns that are left out while the series' allocation is closed."""
LABELS = {
    "study_id": "Study ID",
    "sts_hypersensitivity": "Hypersensitive to sodium thiosulfate",
    "raynaud": "Raynaud's phenomenon",
    "lesion_id": "Lesion ID",
    "criteria_met": "Criteria judged",
    "pain_vas": "Pain (VAS 0-10)",
    "ptga": "PtGA (1-10)",
    "phga": "PhGA (1-10)",
    "pga": "PGA (0-4)",
    "observer_pga": "Observer's PGA (0-4)",
    "longest_mm": "Longest (mm)",
    "widest_mm": "Widest (mm)",
    "volume_ml": "Volume (ml)",
    "concentration_mg_ml": "Concentration (mg/ml)",
    "drawn_ml": "Drawn (ml)",
    "dose_g": "Dose (g)",
    "duration_min": "Duration (min)",
    "series_no": "Series number",
    "session_no": "Session number",
    "ctcae_version": "CTCAE version",
    "lasted_minutes": "Lasted (minutes)",
    "map_figure": "Drawing of the body map",
    "map_x": "Across the drawing",
    "map_y": "Down the drawing",
    "width_px": "Width (pixels)",
    "height_px": "Height (pixels)",
}
"""Where the column's own name does not read well."""


@dataclass(frozen=True, kw_only=True)
class ChangedField:
    """One column of one change, in words."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of one record, as a page shows it."""

    pk: int
    kind: str
    """A code of KINDS."""
    at: datetime.datetime
    actor: str
    source: str
    record: str
    action: str
    reason: str
    fields: tuple[ChangedField, ...]
    is_struck_out: bool
    """Whether the record is struck out now."""


@dataclass(frozen=True)
class HistoryPage:
    """Changes, the newest first; `older` is what an older page goes on from, or None."""

    entries: tuple[Entry, ...]
    older: int | None


def history_of_patient(user, patient: Patient, before: int | None = None) -> HistoryPage:
    """Everything that changed about a patient and what belongs to the patient, the newest first."""
    parts = []
    for code, kind in KINDS.items():
        if code == "identity" and not may(user, "see_identity", patient.clinic_id):
            continue
        parts.append((kind, {"pk": patient.pk} if not kind.patient else {kind.patient: patient}))
    return _page(user, patient, parts, before)


def changes_since(
    user, patient: Patient, kinds: Iterable[str], since: datetime.datetime, *, but_by: str
) -> list[Entry]:
    """What changed of a patient's records of some kinds after a moment, the oldest first, but for what one did oneself.

    At most a page of it. One query where nothing changed.
    """
    statement, values = _changes_since(tuple(kinds))
    asked = {_PATIENT: patient.pk, _ACTOR: but_by, _as_asked(_SINCE): _as_asked(since)}
    columns = {
        f"col{number}": field.name for number, field in enumerate(Change._meta.concrete_fields, start=1)
    }
    changes = list(
        Change.objects.raw(statement, [asked.get(value, value) for value in values], translations=columns)
    )
    if not changes:
        return []
    words = _Words(user, patient, changes)
    return [entry for change in changes if (entry := words.entry(change)) is not None]


_PATIENT, _ACTOR, _SINCE = -1, "\0", datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
"""What stands in the statement of `changes_since` for the patient, the actor and the moment."""


@cache
def _changes_since(kinds: tuple[str, ...]) -> tuple[str, list[Any]]:
    """The statement of `changes_since` and its values, made once.

    The sheet asks it with each look, and to make it takes ten times as long as to answer it.
    """
    parts = [(KINDS[code], {KINDS[code].patient or "pk": _PATIENT}) for code in kinds]
    first, *others = _branches(parts, ~Q(actor=_ACTOR) & Q(at__gt=_SINCE))
    statement, values = first.union(*others, all=True).order_by("id")[:PAGE].query.sql_with_params()
    return statement, list(values)


def _as_asked(at: datetime.datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def patient_with_history(user, pk: int) -> Patient:
    """A patient whose history the user may see; one struck out, where the user may correct. Raises Http404."""
    return get_object_or_404(Patient.everything.select_related("clinic").filter(_readable(user)), pk=pk)


def _readable(user, path: str = "") -> Q:
    """The condition of rows whose patient, at the end of `path`, has a history that the user may see."""
    kept = Q(**{f"{path}clinic__in": clinics_where(user, "see_history"), f"{path}struck_out_at": None})
    return kept | Q(**{f"{path}clinic__in": clinics_where(user, "correct")})


def struck_out_patients(user, before: int | None = None) -> tuple[list[Patient], int | None]:
    """A page of the patients struck out where the user may correct, the newest row first, and where the next begins."""
    found = Patient.everything.filter(
        clinic__in=clinics_where(user, "correct"), struck_out_at__isnull=False
    ).select_related("clinic")
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None


def record_for(user, kind: str, pk: int) -> models.Model:
    """A record, struck out or not, of a clinic where the user may see history. Raises Http404."""
    if kind not in KINDS or kind == "identity":
        raise Http404
    entry = KINDS[kind]
    path = f"{entry.patient}__" if entry.patient else ""
    record = entry.model._base_manager.filter(_readable(user, path), pk=pk).first()
    if record is None:
        raise Http404
    return record


def history_of_record(user, kind: str, record: models.Model, before: int | None = None) -> HistoryPage:
    """What changed of one record; of a session and a series with what is a part of it."""
    entry = KINDS[kind]
    parts = [(entry, {"pk": record.pk})]
    parts += [(part, {kind: record}) for part in KINDS.values() if part.part_of == kind]
    patient = patient_of(kind, record)
    if kind == "patient" and may(user, "see_identity", patient.clinic_id):
        parts.append((KINDS["identity"], {"patient": record}))
    return _page(user, patient, parts, before)


def patient_of(kind: str, record: models.Model) -> Patient:
    """The patient to whom a record belongs."""
    for name in filter(None, KINDS[kind].patient.split("__")):
        record = getattr(record, name)
    assert isinstance(record, Patient)
    return record


def _branches(parts: list[tuple[Kind, dict]], such: Q | None = None) -> list[models.QuerySet[Change]]:
    # One branch for each table: each is answered by the index on table and row, whatever the trail's length.
    return [
        Change.objects.order_by().filter(
            such or Q(),
            table_name=kind.model._meta.db_table,
            row_id__in=kind.model._base_manager.filter(**condition).order_by().values("pk"),
        )
        for kind, condition in parts
    ]


def _page(user, patient: Patient, parts: list[tuple[Kind, dict]], before: int | None) -> HistoryPage:
    branches = _branches(parts)
    if before is not None:
        branches = [branch.filter(pk__lt=before) for branch in branches]
    first, *others = branches
    found = first.union(*others, all=True) if others else first
    changes = list(found.order_by("-id")[: PAGE + 1])
    words = _Words(user, patient, changes[:PAGE])
    entries = tuple(entry for change in changes[:PAGE] if (entry := words.entry(change)) is not None)
    return HistoryPage(entries, changes[PAGE - 1].pk if len(changes) > PAGE else None)


class _Words:
    """Turns changes into words, with what they refer to loaded once for the page."""

    def __init__(self, user, patient: Patient, changes: list[Change]):
        self.lesions = dict(Lesion.everything.filter(patient=patient).values_list("pk", "lesion_id"))
        all_series = Series.everything.filter(patient=patient).select_related("protocol", "patient")
        self.series = {series.pk: series for series in all_series}
        self.sessions = {
            session.pk: session
            for session in TreatmentSession.everything.filter(series__patient=patient).only(
                "pk", "series_id", "session_no", "held_on", "kind"
            )
        }
        self.side_effects = {
            effect.pk: effect.get_term_display().lower()
            for effect in SideEffect.everything.filter(patient=patient).only("pk", "term")
        }
        self.clinics = dict(Clinic.objects.values_list("pk", "name"))
        self.protocols = {
            pk: f"{name} (version {version})"
            for pk, name, version in Protocol.objects.values_list("pk", "name", "version")
        }
        self.patient = patient
        self.closed = {pk for pk, series in self.series.items() if not allocation_visible(user, series)}
        self.struck = _struck_out(changes)

    def entry(self, change: Change) -> Entry | None:
        """The change in words; None where all of it would betray an allocation."""
        code, kind = _KIND_OF_TABLE[change.table_name]
        old, new = change.old or {}, change.new or {}
        hidden = self._hidden(code, new or old)
        if hidden is None:
            return None
        was_struck = not old.get("struck_out_at") and bool(new.get("struck_out_at"))
        fields = tuple(self._fields(kind, old, new, hidden))
        if not fields and not was_struck and change.action == "changed":
            return None
        return Entry(
            pk=change.pk,
            kind=code,
            at=change.at,
            actor=change.actor,
            source=SOURCES[change.source],
            record=self._record(code, kind, new or old),
            action="Struck out" if was_struck else ACTION[change.action],
            reason=change.reason,
            fields=fields,
            is_struck_out=(change.table_name, change.row_id) in self.struck,
        )

    def _fields(self, kind: Kind, old: dict, new: dict, hidden: frozenset[str]) -> Iterable[ChangedField]:
        for field in kind.model._meta.concrete_fields:
            if field.name in NEVER_SHOWN or field.name in hidden or field.name in kind.said:
                continue
            before, after = self.value(field, old.get(field.column)), self.value(field, new.get(field.column))
            if before != after:
                yield ChangedField(label=label_of(field), old=before, new=after)

    def _hidden(self, code: str, row: dict) -> frozenset[str] | None:
        series = row.get("series_id")
        if series is None and row.get("session_id") in self.sessions:
            series = self.sessions[row["session_id"]].series_id
        if code == "series":
            series = row["id"]
        if series not in self.closed:
            return frozenset()
        if code == "vial":
            return None
        if code == "acknowledgement" and row.get("code") in MAY_BETRAY_ALLOCATION:
            return None
        return BETRAYS_ALLOCATION.get(code, frozenset())

    def _record(self, code: str, kind: Kind, row: dict) -> str:
        if code == "patient":
            return f"Patient {row['study_id']}"
        if code == "identity":
            return kind.words
        if code == "lesion":
            return f"Lesion {row['lesion_id']}"
        if code in ("medication", "prior_treatment"):
            return f"{kind.words} {row.get('name') or row.get('treatment')}"
        if code == "series":
            return f"Series {row['series_no']}"
        if code == "session":
            return self._session_words(row["id"])
        if code == "side_effect":
            return f"{kind.words} {self.value(SideEffect._meta.get_field('term'), row['term']).lower()}"
        if code == "side_effect_observation":
            return f"{kind.words} of side effect {self.side_effects.get(row['side_effect_id'], '')}"
        if code in ("inquiry", "call"):
            return kind.words
        lesion = self.lesions.get(row.get("lesion_id") or 0, "")
        if code == "series_lesion":
            return f"Lesion {lesion} of series {self._series_words(row['series_id'])}"
        if code == "photograph":
            return f"Photograph of lesion {lesion}"
        about = f" of lesion {lesion}" if lesion else ""
        session = self._session_words(row["session_id"])
        return f"{kind.words}{about}, {session[0].lower()}{session[1:]}"

    def _series_words(self, pk: int | None) -> str:
        return str(self.series[pk].series_no) if pk in self.series else ""

    def _session_words(self, pk: int) -> str:
        session = self.sessions.get(pk)
        if session is None:
            return "Session"
        number = f"Session {session.session_no}" if session.session_no else "Session struck out"
        return f"{number} of {show_date(session.held_on)}, series {self._series_words(session.series_id)}"

    def value(self, field: models.Field, raw) -> str:
        """One value as the trail holds it, in words. SQLite's trail has 0 and 1 for no and yes."""
        if raw is None or raw == "":
            return NOTHING
        if isinstance(field, models.ForeignKey):
            return self._referred(field, raw)
        if field.choices:
            return str(dict(field.flatchoices).get(raw, raw))
        if isinstance(field, models.BooleanField):
            return "Yes" if raw else "No"
        if isinstance(field, models.JSONField):
            return _json_words(json.loads(raw) if isinstance(raw, str) else raw)
        if isinstance(field, models.DateTimeField):
            return _moment(raw, self.patient.clinic.zone)
        if isinstance(field, models.DateField):
            return show_date(datetime.date.fromisoformat(raw[:10]))
        if isinstance(field, PartialDateField):
            return PartialDate.parse(raw).show()
        if isinstance(field, models.DecimalField):
            return show_decimal(Decimal(str(raw)))
        if field.name == "overlap_with":
            return ", ".join(OVERLAP_WITH.get(code, code) for code in raw.split(";"))
        return str(raw)

    def _referred(self, field: models.ForeignKey, pk: int) -> str:
        if field.related_model is Patient:
            return self.patient.study_id
        if field.related_model is TreatmentSession:
            return self._session_words(pk)
        if field.related_model is Series:
            return f"Series {self._series_words(pk)}"
        known: dict[object, dict[int, str]] = {
            Clinic: self.clinics,
            Lesion: self.lesions,
            Protocol: self.protocols,
        }
        return known.get(field.related_model, {}).get(pk, str(pk))


def label_of(field: models.Field) -> str:
    """A column's name as people read it."""
    if isinstance(field, models.ForeignKey):
        return str(field.verbose_name).capitalize()
    if field.name == "code":
        return "Alert"
    words = str(field.verbose_name)
    return LABELS.get(field.name) or f"{words[0].upper()}{words[1:]}"


def _json_words(held) -> str:
    """A list of codes, answers by their question, or what was judged at enrolment, in words."""
    if not held:
        return NOTHING
    if isinstance(held, list):
        return ", ".join({**SERIOUS_CRITERIA, **SIDE_EFFECT_TERM}.get(code, str(code)) for code in held)
    if all(isinstance(answer, str) for answer in held.values()):
        return ", ".join(f"{question}: {answer}" for question, answer in held.items())
    return _criteria_words(held)


def _criteria_words(judged: dict) -> str:
    return "; ".join(
        f"{code}: {sentence} {'Yes' if met else 'No'}"
        for code, answers in judged.items()
        for sentence, met in answers.items()
    )


def _moment(raw: str, zone: datetime.tzinfo) -> str:
    at = datetime.datetime.fromisoformat(raw)
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    local = at.astimezone(zone)
    return f"{show_date(local.date())} {local:%H:%M}"


def _struck_out(changes: list[Change]) -> set[tuple[str, int]]:
    """Which of the changed rows are struck out now."""
    rows: dict[str, set[int]] = {}
    for change in changes:
        rows.setdefault(change.table_name, set()).add(change.row_id)
    struck = set()
    for table, pks in rows.items():
        model = _KIND_OF_TABLE[table][1].model
        if hasattr(model, "everything"):
            found = model.everything.filter(pk__in=pks, struck_out_at__isnull=False)
            struck |= {(table, pk) for pk in found.values_list("pk", flat=True)}
    return struck
