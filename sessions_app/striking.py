"""What may be struck out, and what must be struck out before it."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.models import (
    Assessment,
    Injection,
    Photograph,
    Series,
    SideEffect,
    TreatmentSession,
)
from sessions_app.services import strike_out_session
from stsclinic.access import clinics_where
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out
from stsclinic.clinical.dates import show_date


@dataclass(frozen=True)
class Kind:
    """One kind of record that may be struck out."""

    model: type[models.Model]
    patient: str
    """The lookup from the record to its patient."""


KINDS = {
    "lesion": Kind(Lesion, "patient"),
    "medication": Kind(Medication, "patient"),
    "prior_treatment": Kind(PriorTreatment, "patient"),
    "series": Kind(Series, "patient"),
    "session": Kind(TreatmentSession, "series__patient"),
    "side_effect": Kind(SideEffect, "patient"),
    "photograph": Kind(Photograph, "lesion__patient"),
}


def record_to_strike_out(user, kind: str, pk: int) -> models.Model:
    """A record of a clinic where the user may correct, not struck out yet. Raises Http404."""
    if kind not in KINDS:
        raise Http404
    entry = KINDS[kind]
    rows = entry.model.objects.filter(
        pk=pk,
        **{
            f"{entry.patient}__clinic__in": clinics_where(user, "correct"),
            f"{entry.patient}__struck_out_at": None,
        },
    )
    record = rows.first()
    if record is None:
        raise Http404
    return record


def patient_of(kind: str, record: models.Model) -> Patient:
    """The patient to whom the record belongs."""
    for name in KINDS[kind].patient.split("__"):
        record = getattr(record, name)
    return record


def words_of(kind: str, record: models.Model) -> str:
    """The record in words, without anything that could betray an allocation."""
    if kind == "lesion":
        return f"lesion {record.lesion_id} ({record.site_words})"
    if kind in ("medication", "prior_treatment"):
        return f"{'medication' if kind == 'medication' else 'earlier treatment'} {record}"
    if kind == "series":
        return f"series {record.series_no} ({record.protocol.name})"
    if kind == "session":
        return f"session {record.session_no} of series {record.series.series_no}, {show_date(record.held_on)}"
    if kind == "side_effect":
        return f"side effect {record.get_term_display().lower()}, since {show_date(record.onset_on)}"
    return f"photograph of lesion {record.lesion.lesion_id}, {show_date(record.taken_on)}"


def what_prevents(kind: str, record: models.Model) -> str:
    """The sentence that says what must be struck out first, or "" when nothing does."""
    if kind == "lesion":
        return _of_lesion(record)
    if kind == "series":
        return _of_series(record)
    if kind == "session" and record.side_effects.exists():
        return "Side effects are recorded for this session. Strike these out first."
    return ""


def strike_out_record(kind: str, record: models.Model, *, by: str, reason: str, source: str = "page") -> None:
    """Strike a mistaken record out. It stays readable in the history.

    Raises:
        ValidationError: no reason was given, it was struck out before, or something prevents it.
    """
    with acting(by=by, source=source, reason=reason.strip()):
        # The patient's row serialises this with whatever would come to refer to the record.
        Patient.objects.select_for_update().get(pk=patient_of(kind, record).pk)
        prevented = what_prevents(kind, record)
        if prevented:
            raise ValidationError(prevented)
        if kind == "session":
            strike_out_session(record, by=by, reason=reason, source=source)
            return
        if kind == "series":
            for row in record.series_lesions.all():
                strike_out(row, by=by, reason=reason, source=source)
        strike_out(record, by=by, reason=reason, source=source)


def _of_lesion(lesion: Lesion) -> str:
    seen = {"lesion": lesion, "session__struck_out_at": None, "session__series__struck_out_at": None}
    if Assessment.objects.filter(**seen).exists() or Injection.objects.filter(**seen).exists():
        return "This lesion has sessions. It cannot be struck out until these are."
    treating = lesion.series_lesions.filter(series__struck_out_at=None).select_related("series")
    for row in treating:
        return f"Series {row.series.series_no} treats this lesion. Take it out of the series first."
    if lesion.side_effects.exists():
        return "Side effects are recorded for this lesion. Strike these out first."
    if lesion.photographs.exists():
        return "Photographs show this lesion. Strike these out first."
    if lesion.prior_treatments.exists():
        return "Earlier treatments are recorded for this lesion. Strike these out first."
    return ""


def _of_series(series: Series) -> str:
    if series.sessions.exists():
        return "This series has sessions. It cannot be struck out until these are."
    if series.drafts.filter(state="open").exists():
        return "A session of this series is being written. Discard that sheet first."
    if series.side_effects.exists():
        return "Side effects are recorded for this series. Strike these out first."
    return ""
