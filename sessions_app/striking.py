"""What may be struck out, and what must be struck out before it."""

from typing import cast

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.models import (
    Assessment,
    Injection,
    Photograph,
    Series,
    SessionDraft,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
    TreatmentSession,
)
from sessions_app.services import strike_out_session
from stsclinic.access import clinics_where
from stsclinic.audit.acting import acting
from stsclinic.audit.models import ClinicalRecord
from stsclinic.audit.services import strike_out
from stsclinic.clinical.dates import show_date

Record = (
    Patient
    | Lesion
    | Medication
    | PriorTreatment
    | Series
    | TreatmentSession
    | SideEffect
    | SideEffectObservation
    | SideEffectInquiry
    | Photograph
)

KINDS: dict[str, tuple[type[ClinicalRecord], str]] = {
    "patient": (Patient, ""),
    "lesion": (Lesion, "patient"),
    "medication": (Medication, "patient"),
    "prior_treatment": (PriorTreatment, "patient"),
    "series": (Series, "patient"),
    "session": (TreatmentSession, "series__patient"),
    "side_effect": (SideEffect, "patient"),
    "side_effect_observation": (SideEffectObservation, "side_effect__patient"),
    "inquiry": (SideEffectInquiry, "patient"),
    "photograph": (Photograph, "lesion__patient"),
}
"""What may be struck out by itself: the model, and the lookup from it to its patient; "" for the patient."""


def record_to_strike_out(user, kind: str, pk: int) -> Record:
    """A record of a clinic where the user may correct, not struck out yet. Raises Http404."""
    if kind not in KINDS:
        raise Http404
    model, patient = KINDS[kind]
    path = f"{patient}__" if patient else ""
    conditions = {f"{path}clinic__in": clinics_where(user, "correct"), f"{path}struck_out_at": None}
    return cast(Record, get_object_or_404(model.objects.filter(**conditions), pk=pk))


def patient_of(record: Record) -> Patient:
    """The patient to whom the record belongs."""
    if isinstance(record, Patient):
        return record
    if isinstance(record, SideEffectObservation):
        return record.side_effect.patient
    if isinstance(record, TreatmentSession):
        return record.series.patient
    return record.lesion.patient if isinstance(record, Photograph) else record.patient


def words_of(record: Record) -> str:
    """The record in words, without anything that could betray an allocation."""
    if isinstance(record, Patient):
        return f"Patient {record.study_id}, with everything that is recorded of this patient"
    if isinstance(record, SideEffectObservation):
        return f"{words_of(record.side_effect)}: how it was on {show_date(record.seen_on)}"
    if isinstance(record, SideEffectInquiry):
        return (
            f"Question for side effects, {show_date(record.asked_on)}: {record.get_answer_display().lower()}"
        )
    if isinstance(record, Lesion):
        return f"Lesion {record.lesion_id} ({record.site_words})"
    if isinstance(record, Medication):
        return f"Medication {record.name}"
    if isinstance(record, PriorTreatment):
        return f"Earlier treatment {record.words}"
    if isinstance(record, Series):
        return f"Series {record.series_no} ({record.protocol.name})"
    if isinstance(record, TreatmentSession):
        return f"Session {record.session_no} of series {record.series.series_no}, {show_date(record.held_on)}"
    if isinstance(record, SideEffect):
        return f"Side effect {record.get_term_display().lower()}, since {show_date(record.onset_on)}"
    return f"Photograph of lesion {record.lesion.lesion_id}, {show_date(record.taken_on)}"


def what_stays(record: Record) -> str:
    """The sentence that says what striking the record out leaves as it is, or "" where nothing is left."""
    if isinstance(record, Patient):
        return (
            f"The study ID {record.study_id} stays taken. The history of the patient is then read"
            " from the page of struck-out patients."
        )
    if isinstance(record, SideEffectObservation):
        return (
            "The grade, the end and the outcome of the side effect itself stay as they are now."
            " Change the side effect where they came of this."
        )
    return ""


def what_prevents(record: Record) -> str:
    """The sentence that says what must be struck out first, or "" when nothing does."""
    if isinstance(record, Patient):
        return _of_patient(record)
    if isinstance(record, Lesion):
        return _of_lesion(record)
    if isinstance(record, Series):
        return _of_series(record)
    if isinstance(record, TreatmentSession) and record.side_effects.exists():
        return "Side effects are recorded for this session. Strike these out first."
    return ""


def strike_out_record(record: Record, *, by: str, reason: str, source: str = "page") -> None:
    """Strike a mistaken record out. It stays readable in the history.

    Raises:
        ValidationError: no reason was given, it was struck out before, or something prevents it.
    """
    with acting(by=by, source=source, reason=reason.strip()):
        # The patient's row serialises this with whatever would come to refer to the record.
        Patient.objects.select_for_update().get(pk=patient_of(record).pk)
        prevented = what_prevents(record)
        if prevented:
            raise ValidationError(prevented)
        if isinstance(record, TreatmentSession):
            strike_out_session(record, by=by, reason=reason, source=source)
            return
        if isinstance(record, Series):
            for row in record.series_lesions.all():
                strike_out(row, by=by, reason=reason, source=source)
        strike_out(record, by=by, reason=reason, source=source)


def _of_patient(patient: Patient) -> str:
    if SessionDraft.objects.filter(series__patient=patient, state="open").exists():
        return "A session of this patient is being written. Close that sheet first."
    return ""


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
