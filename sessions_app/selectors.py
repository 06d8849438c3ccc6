"""The gate: what loads a row also decides who may see it. Rows outside answer as if they were not there.

Each function gives the rows of the clinics where the user has `right`; what was struck out, or hangs
on something that was, is left out. Patients and lesions are loaded by lesions.selectors.
"""

from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from sessions_app.models import Photograph, Series, SessionDraft, SideEffect, TreatmentSession
from stsclinic.access import clinics_where, may
from stsclinic.clinics.models import Clinic


def today_in(clinic: Clinic) -> date:
    """The clinic's own date, in its time zone."""
    return timezone.now().astimezone(clinic.zone).date()


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


def open_drafts_for(user, right: str) -> QuerySet[SessionDraft]:
    """Session sheets being written, with their series, protocol, patient and clinic."""
    return SessionDraft.objects.filter(
        state="open",
        series__patient__clinic__in=clinics_where(user, right),
        series__struck_out_at=None,
        series__patient__struck_out_at=None,
    ).select_related("series__protocol", "series__patient__clinic")


def may_go_on_with(user, draft: SessionDraft) -> bool:
    """Whether the user may write this sheet: a new session, or the correction of one."""
    right = "correct" if draft.corrects_id else "record_session"
    return may(user, right, draft.series.patient.clinic_id)


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
