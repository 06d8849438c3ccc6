"""The gate: what loads a row also decides who may see it. Rows outside answer as if they were not there.

Each function gives the rows of the clinics where the user has `right`; what was struck out, or hangs
on something that was, is left out. Patients and lesions are loaded by lesions.selectors.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404

from lesions.models import Patient
from sessions_app.models import Photograph, Series, SessionDraft, SideEffect, TreatmentSession
from stsclinic.access import clinics_where, may
from stsclinic.statement import Given, statement


def series_for(user, right: str) -> QuerySet[Series]:
    """Series with their protocol, patient and clinic."""
    return Series.objects.filter(
        patient__clinic__in=clinics_where(user, right), patient__struck_out_at=None
    ).select_related("protocol", "patient__clinic")


def sessions_for(user, right: str) -> QuerySet[TreatmentSession]:
    """Completed sessions with their series, protocol, patient and clinic."""
    return TreatmentSession.objects.filter(
        series__patient__clinic__in=clinics_where(user, right),
        series__struck_out_at=None,
        series__patient__struck_out_at=None,
    ).select_related("series__protocol", "series__patient__clinic")


def drafts_for(user, right: str, *states: str) -> QuerySet[SessionDraft]:
    """Session sheets in these states, with their series, protocol, patient and clinic."""
    return _drafts_in(clinics_where(user, right), states)


def drafts_of(user, right: str, patient: Patient, *states: str) -> list[SessionDraft]:
    """Those of `drafts_for` of one patient, with who opened and saved them and the session that they correct."""
    return _drafts_of_patient(clinics_where(user, right), states).rows(patient=patient.pk)


def _drafts_in(clinics: frozenset[int], states: tuple[str, ...]) -> QuerySet[SessionDraft]:
    return SessionDraft.objects.filter(
        state__in=states,
        series__patient__clinic__in=clinics,
        series__struck_out_at=None,
        series__patient__struck_out_at=None,
    ).select_related("series__protocol", "series__patient__clinic")


@statement
def _drafts_of_patient(clinics: frozenset[int], states: tuple[str, ...]) -> QuerySet[SessionDraft]:
    drafts = _drafts_in(clinics, states).filter(series__patient=Given("patient"))
    return drafts.select_related(None).select_related("opened_by", "saved_by", "corrects")


def drafts_to_write(user) -> QuerySet[SessionDraft]:
    """The drafts that the user may write, closed ones too, with their series, protocol, patient and clinic.

    A new session where the user may record, or a correction where the user may correct.
    """
    return _to_write(clinics_where(user, "record_session"), clinics_where(user, "correct"))


def draft_to_write(user, pk: int) -> SessionDraft:
    """The one of `drafts_to_write` with this key. Raises Http404."""
    found = _one_to_write(clinics_where(user, "record_session"), clinics_where(user, "correct"))
    if (row := found.first(pk=pk)) is None:
        raise Http404
    return row


def _to_write(recording: frozenset[int], correcting: frozenset[int]) -> QuerySet[SessionDraft]:
    new = Q(corrects=None, series__patient__clinic__in=recording)
    correction = Q(corrects__isnull=False, series__patient__clinic__in=correcting)
    return SessionDraft.objects.filter(
        new | correction, series__struck_out_at=None, series__patient__struck_out_at=None
    ).select_related("series__protocol", "series__patient__clinic")


@statement
def _one_to_write(recording: frozenset[int], correcting: frozenset[int]) -> QuerySet[SessionDraft]:
    return _to_write(recording, correcting).filter(pk=Given("pk"))


@dataclass
class Sheet:
    """A session sheet that is no session, and whether this user may write it."""

    draft: SessionDraft
    may_go_on: bool
    name: str = ""
    """The patient's, where the page shows it and the user may see it."""


def sheets_of(user, drafts: Iterable[SessionDraft]) -> list[Sheet]:
    """The drafts of `drafts_for`, each with whether the user may write it: a session, or its correction."""
    return [
        Sheet(
            draft,
            may(user, "correct" if draft.corrects_id else "record_session", draft.series.patient.clinic_id),
        )
        for draft in drafts
    ]


def side_effects_for(user, right: str) -> QuerySet[SideEffect]:
    """Side effects with their patient, clinic, session, series and lesion."""
    return SideEffect.objects.filter(
        patient__clinic__in=clinics_where(user, right), patient__struck_out_at=None
    ).select_related("patient__clinic", "session__series", "series", "lesion")


def photographs_for(user, right: str) -> QuerySet[Photograph]:
    """Photographs with their lesion, patient and clinic."""
    return _photographs_in(clinics_where(user, right))


def photographs_of(user, right: str, patient: Patient) -> list[Photograph]:
    """Those of `photographs_for` of one patient, with their lesion, the latest first."""
    return _photographs_of_patient(clinics_where(user, right)).rows(patient=patient.pk)


def _photographs_in(clinics: frozenset[int]) -> QuerySet[Photograph]:
    return Photograph.objects.filter(
        lesion__patient__clinic__in=clinics, lesion__struck_out_at=None, lesion__patient__struck_out_at=None
    ).select_related("lesion__patient__clinic")


@statement
def _photographs_of_patient(clinics: frozenset[int]) -> QuerySet[Photograph]:
    photographs = _photographs_in(clinics).filter(lesion__patient=Given("patient"))
    return photographs.select_related(None).select_related("lesion").order_by("-taken_on", "-pk")
