"""The gate: what loads a row also decides who may see it. Rows outside answer as if they were not there.

Each function gives the rows of the clinics where the user has `right`; what was struck out, or hangs
on something that was, is left out. Patients and lesions are loaded by lesions.selectors.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from sessions_app.models import Photograph, Series, SessionDraft, SideEffect, TreatmentSession
from stsclinic.access import clinics_where, may


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
    return SessionDraft.objects.filter(
        state__in=states,
        series__patient__clinic__in=clinics_where(user, right),
        series__struck_out_at=None,
        series__patient__struck_out_at=None,
    ).select_related("series__protocol", "series__patient__clinic")


def drafts_to_write(user) -> QuerySet[SessionDraft]:
    """The drafts that the user may write, closed ones too, with their series, protocol, patient and clinic.

    A new session where the user may record, or a correction where the user may correct.
    """
    new = Q(corrects=None, series__patient__clinic__in=clinics_where(user, "record_session"))
    correction = Q(corrects__isnull=False, series__patient__clinic__in=clinics_where(user, "correct"))
    return SessionDraft.objects.filter(
        new | correction, series__struck_out_at=None, series__patient__struck_out_at=None
    ).select_related("series__protocol", "series__patient__clinic")


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
    return Photograph.objects.filter(
        lesion__patient__clinic__in=clinics_where(user, right),
        lesion__struck_out_at=None,
        lesion__patient__struck_out_at=None,
    ).select_related("lesion__patient__clinic")
