"""The facts of the call list, read for whole clinics in a fixed number of queries.

The rule that they go into is stsclinic.clinical.calls.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from django.db.models import Exists, Max, OuterRef, Q, Subquery

from sessions_app.due import due_rows
from sessions_app.models import (
    CallAttempt,
    Infusion,
    Injection,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
    TreatmentSession,
)
from stsclinic.audit.models import Change
from stsclinic.clinical.calls import (
    Asked,
    Attempt,
    CallFacts,
    ClinicCalendar,
    OpenEffect,
    SessionToCall,
    VisitDue,
)
from stsclinic.clinical.dates import clinic_date
from stsclinic.clinical.resolution import OVER
from stsclinic.clinical.terms import DIGITS
from stsclinic.clinics.models import Clinic, Holiday

LOOK_BACK_DAYS = 90
"""Sessions before this are asked about by no call after a session, however many holidays follow."""

ATTEMPT_OUTCOME = {"no_answer": "no_answer", "reached": "done"}
"""The pure list's word for each outcome of an attempt."""


@dataclass
class Loaded:
    """The facts of one clinic, and what the page needs beside them."""

    facts: CallFacts
    patients: dict[str, int]
    """Keys of patients by study ID."""
    withdrawn: dict[str, date]
    """When those withdrew who are still asked how they are, by study ID."""

    @cached_property
    def open_effects(self) -> Mapping[str, list[OpenEffect]]:
        """The open side effects by study ID, the gravest first."""
        found = defaultdict(list)
        for effect in sorted(
            self.facts.effects, key=lambda one: (not one.is_grave, -(one.grade or 0), one.onset_on, one.ref)
        ):
            found[effect.patient].append(effect)
        return found


def load_facts(days: Mapping[Clinic, date]) -> dict[int, Loaded]:
    """The facts of the call list, by clinic (id), of these clinics, each on its own date.

    Eight queries, whatever the size.
    """
    today = {clinic.pk: on for clinic, on in days.items()}
    clinics = {clinic.pk: clinic for clinic in days}
    patients: dict[int, dict[str, int]] = defaultdict(dict)
    withdrawn: dict[int, dict[str, date]] = defaultdict(dict)
    effects: dict[int, list[OpenEffect]] = defaultdict(list)
    for effect in _open_effects(today):
        patient = effect.patient
        patients[patient.clinic_id][patient.study_id] = patient.pk
        if patient.withdrawn_on:
            withdrawn[patient.clinic_id][patient.study_id] = patient.withdrawn_on
        recorded_on = (
            clinic_date(effect.recorded_at, clinics[patient.clinic_id].zone) if effect.recorded_at else None
        )
        effects[patient.clinic_id].append(
            OpenEffect(
                ref=str(effect.pk),
                patient=patient.study_id,
                term=effect.term,
                onset_on=effect.onset_on,
                grade=effect.grade,
                where=effect.lesion.site_words if effect.lesion else "",
                is_serious=bool(effect.serious),
                seen_on=max(filter(None, (effect.observed_on, recorded_on)), default=None),
            )
        )
    sessions: dict[int, list[SessionToCall]] = defaultdict(list)
    for pk, held_on, clinic_pk, patient_pk, study_id, withdrawn_on, injected, infused, digits in _sessions(
        today
    ):
        patients[clinic_pk][study_id] = patient_pk
        if withdrawn_on:
            withdrawn[clinic_pk][study_id] = withdrawn_on
        sessions[clinic_pk].append(
            SessionToCall(
                ref=str(pk),
                patient=study_id,
                held_on=held_on,
                gave_agent=injected or infused,
                digits_injected=digits,
            )
        )
    visits: dict[int, list[VisitDue]] = defaultdict(list)
    for clinic_pk, row, state in due_rows(today, {}):
        # What was missed so long ago is for the page of today to list; ringing about it has had its time.
        if row.is_long_past:
            continue
        patients[clinic_pk][row.study_id] = row.patient_pk
        visits[clinic_pk].append(
            VisitDue(
                ref=str(row.series_pk),
                patient=row.study_id,
                kind=row.kind,
                opens_on=row.opens_on,
                closes_on=row.closes_on,
                state=state,
                series_no=row.series_no,
            )
        )
    asked: dict[int, list[Asked]] = defaultdict(list)
    for clinic_pk, study_id, asked_on in _asked(today):
        asked[clinic_pk].append(Asked(patient=study_id, on=asked_on))
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    for clinic_pk, key, outcome, rang_on, rang_at in _attempts(today):
        attempts[clinic_pk].append(Attempt(key=key, on=rang_on, outcome=ATTEMPT_OUTCOME[outcome], at=rang_at))
    closed: dict[int, set[date]] = defaultdict(set)
    for clinic_pk, held_on in Holiday.objects.filter(clinic__in=today).values_list("clinic_id", "held_on"):
        closed[clinic_pk].add(held_on)
    return {
        pk: Loaded(
            facts=CallFacts(
                sessions=tuple(sessions[pk]),
                effects=tuple(effects[pk]),
                visits=tuple(visits[pk]),
                asked=tuple(asked[pk]),
                attempts=tuple(attempts[pk]),
                calendar=ClinicCalendar(
                    holidays=frozenset(closed[pk]), closed_weekdays=frozenset(clinics[pk].closed_weekdays)
                ),
            ),
            patients=patients[pk],
            withdrawn=withdrawn[pk],
        )
        for pk in today
    }


def _open_effects(today: Mapping[int, date]):
    """Open ones, with the day on which each was last written of, and when it was recorded on a page.

    Recording one is writing how it is; an import is not.
    """
    observed = SideEffectObservation.objects.filter(side_effect=OuterRef("pk")).order_by("-seen_on")
    recorded = Change.objects.filter(
        table_name=SideEffect._meta.db_table, row_id=OuterRef("pk"), action="created", source="page"
    )
    return (
        SideEffect.objects.filter(patient__clinic__in=today, patient__struck_out_at=None, resolved_on=None)
        .exclude(outcome__in=OVER)
        .annotate(
            observed_on=Subquery(observed.values("seen_on")[:1]),
            recorded_at=Subquery(recorded.values("at")[:1]),
        )
        .select_related("patient", "lesion")
    )


def _sessions(today: Mapping[int, date]):
    """The sessions that a call can still be about."""
    injections = Injection.objects.filter(session=OuterRef("pk"))
    return (
        TreatmentSession.objects.filter(
            series__patient__clinic__in=today,
            series__patient__struck_out_at=None,
            series__struck_out_at=None,
            held_on__gte=_since(today),
        )
        .annotate(
            injected=Exists(injections),
            infused=Exists(Infusion.objects.filter(session=OuterRef("pk"))),
            digits=Exists(injections.filter(lesion__body_site__in=DIGITS)),
        )
        .order_by("held_on", "pk")
        .values_list(
            "pk",
            "held_on",
            "series__patient__clinic",
            "series__patient",
            "series__patient__study_id",
            "series__patient__withdrawn_on",
            "injected",
            "infused",
            "digits",
        )
    )


def _asked(today: Mapping[int, date]):
    """The last day on which each patient was asked for side effects, wherever that was written."""
    return (
        SideEffectInquiry.objects.filter(
            patient__clinic__in=today, patient__struck_out_at=None, asked_on__gte=_since(today)
        )
        .order_by()
        .values("patient__clinic", "patient__study_id")
        .annotate(last=Max("asked_on"))
        .values_list("patient__clinic", "patient__study_id", "last")
    )


def _attempts(today: Mapping[int, date]):
    """Attempts that can still matter: those for calls after sessions only as long as such calls last."""
    return (
        CallAttempt.objects.filter(patient__clinic__in=today, patient__struck_out_at=None)
        .filter(Q(rang_on__gte=_since(today)) | ~Q(call_key__startswith="session:"))
        .order_by("rang_at", "pk")
        .values_list("patient__clinic", "call_key", "outcome", "rang_on", "rang_at")
    )


def _since(today: Mapping[int, date]) -> date:
    return min(today.values()) - timedelta(days=LOOK_BACK_DAYS)
