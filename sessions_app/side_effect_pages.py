"""What the pages of side effects show: what to ask a patient today, and one event with all that belongs to it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from lesions.models import Patient
from sessions_app.models import (
    Photograph,
    SessionDraft,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
    TreatmentSession,
)
from sessions_app.selectors import photographs_for
from sessions_app.seriousness import Standing, standing_of
from sessions_app.side_effects import is_over
from stsclinic.access import may
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.expected import ExpectedTerm, expected_on, is_expected, usual_terms
from stsclinic.clinical.grading import questions_of
from stsclinic.clinical.seriousness import SERIOUS_CRITERIA
from stsclinic.clinical.terms import DIGITS, SIDE_EFFECT_TERM
from stsclinic.clinics.clock import today_in
from stsclinic.statement import Given, statement

SHOWN_INQUIRIES = 5
SHOWN_DAYS = 7
SHOWN_PHOTOGRAPHS = 3


@dataclass(frozen=True)
class TermButton:
    """A term that can be tapped."""

    code: str
    label: str
    when: str = ""
    is_expected_now: bool = False
    days: tuple[int, ...] = ()
    """The days after the session on which it is expected, as far as they have come: each is one tap."""


@dataclass
class OpenEvent:
    """A side effect that is still there, with what was last seen of it."""

    effect: SideEffect
    last: SideEffectObservation | None
    course: list[dict]
    """For components/timeline.html."""
    photographs: list[Photograph] = field(default_factory=list)


@dataclass
class Asking:
    """What to ask one patient: the open ones first, then the usual terms, then the others."""

    today: date
    last: TreatmentSession | None
    days_since: int | None
    open: list[OpenEvent] = field(default_factory=list)
    usual: list[TermButton] = field(default_factory=list)
    others: list[TermButton] = field(default_factory=list)
    asked: list[SideEffectInquiry] = field(default_factory=list)

    @property
    def since_words(self) -> str:
        """`3 days after session 2 of 02-Mar-2026`."""
        if self.last is None or self.days_since is None:
            return "No session was held yet."
        on = f"session {self.last.session_no} of {show_date(self.last.held_on)}"
        if self.days_since == 0:
            return f"Today is the day of {on}."
        return f"{self.days_since} day{'s' if self.days_since > 1 else ''} after {on}."


def last_session(patient: Patient, draft: SessionDraft | None = None) -> TreatmentSession | None:
    """The session that days count from: the last one at which something was given, else the last one.

    With a sheet being written, those of its series.
    """
    sessions = TreatmentSession.objects.filter(
        series__patient=patient, series__struck_out_at=None, held_on__lte=today_in(patient.clinic)
    )
    if draft is not None:
        sessions = sessions.filter(series=draft.series_id)
    sessions = sessions.select_related("series__protocol").order_by(
        "held_on", "series__series_no", "session_no"
    )
    return sessions.filter(kind="treatment").last() or sessions.last()


def usual_of(last: TreatmentSession | None, days_since: int | None) -> list[TermButton]:
    """The nurse's row after that session, those to be expected today first."""
    route, digits = "injection", True
    if last is not None:
        route = last.series.protocol.route
        digits = last.injections.filter(lesion__body_site__in=DIGITS).exists()
    now: tuple[ExpectedTerm, ...] = ()
    if days_since is not None:
        now = expected_on(days_since, route=route, digits=digits)
    return [
        TermButton(one.term, SIDE_EFFECT_TERM[one.term], one.when, one in now, _days_of(one, days_since))
        for one in usual_terms(days_since, route=route, digits=digits)
    ]


def _days_of(one: ExpectedTerm, days_since: int | None) -> tuple[int, ...]:
    """The latest days on which a term is expected, none of them to come."""
    if days_since is None:
        return ()
    return tuple(range(one.first_day, min(one.last_day, days_since) + 1))[-SHOWN_DAYS:]


def asking(user, patient: Patient, last: TreatmentSession | None) -> Asking:
    """What to ask this patient today, by the days since a session; the photographs that `user` may see."""
    today = today_in(patient.clinic)
    days_since = (today - last.held_on).days if last else None
    usual = usual_of(last, days_since)
    named = {button.code for button in usual}
    effects = [
        row
        for row in SideEffect.objects.filter(patient=patient)
        .select_related("lesion", "series")
        .prefetch_related("observations")
        .order_by("-grade", "onset_on", "pk")
        if not is_over(row)
    ]
    return Asking(
        today=today,
        last=last,
        days_since=days_since,
        open=_open_events(user, patient, effects),
        usual=usual,
        others=[TermButton(code, label) for code, label in SIDE_EFFECT_TERM.items() if code not in named],
        asked=asked_lately(patient),
    )


def asked_lately(patient: Patient) -> list[SideEffectInquiry]:
    """When somebody asked for side effects, and the answer: the last five times, the latest first."""
    return _asked_lately().rows(patient=patient.pk)


@statement
def _asked_lately() -> QuerySet[SideEffectInquiry]:
    asked = SideEffectInquiry.objects.filter(patient=Given("patient"))
    return asked.order_by("-asked_on", "-pk")[:SHOWN_INQUIRIES]


def asked_after(session: TreatmentSession) -> list[SideEffectInquiry]:
    """When somebody asked from the day after a session to the day of the patient's next one, and the answer.

    What is asked on the session's own day is of the time before it.
    """
    patient = session.series.patient_id
    later = TreatmentSession.objects.filter(
        series__patient=patient, series__struck_out_at=None, held_on__gt=session.held_on
    ).order_by("held_on")
    until = Coalesce(Subquery(later.values("held_on")[:1]), date.max)
    return list(
        SideEffectInquiry.objects.filter(
            patient=patient, asked_on__gt=session.held_on, asked_on__lte=until
        ).order_by("asked_on", "pk")
    )


def _open_events(user, patient: Patient, effects: list[SideEffect]) -> list[OpenEvent]:
    """Each with its course and the last photographs of its lesion since it began. One query for all."""
    photographs: dict[int, list[Photograph]] = defaultdict(list)
    lesions = {row.lesion_id for row in effects if row.lesion_id}
    if lesions and may(user, "see_photographs", patient.clinic_id):
        for photograph in (
            photographs_for(user, "see_photographs").filter(lesion__in=lesions).order_by("taken_on", "pk")
        ):
            photographs[photograph.lesion_id].append(photograph)
    found = []
    may_correct = may(user, "correct", patient.clinic_id)
    for row in effects:
        since = [one for one in photographs[row.lesion_id or 0] if one.taken_on >= row.onset_on]
        seen = observations_of(row)
        found.append(
            OpenEvent(
                row,
                seen[-1] if seen else None,
                _course(row, may_correct=may_correct),
                since[-SHOWN_PHOTOGRAPHS:],
            )
        )
    return found


def observations_of(effect: SideEffect) -> list[SideEffectObservation]:
    """Those that count, by their day."""
    kept = [row for row in effect.observations.all() if row.struck_out_at is None]
    return sorted(kept, key=lambda row: (row.seen_on, row.pk))


@dataclass
class EventPage:
    """One side effect as its page shows it."""

    effect: SideEffect
    is_open: bool
    standing: Standing | None
    """Where it stands with the sponsor."""
    expected: bool | None
    """Whether it is on the protocol's list; None without a protocol."""
    criteria: list[str]
    answers: list[tuple[str, str]]
    """The plain questions that gave the grade, and what was answered."""
    course: list[dict]
    photographs: list[Photograph] = field(default_factory=list)

    @property
    def facts(self) -> list[dict]:
        """The rows of the summary."""
        row = self.effect
        where = f"{row.lesion.lesion_id} {row.lesion.site_words}" if row.lesion else "Whole patient"
        return [
            {"label": "Where", "value": where},
            {"label": "After", "value": self._after()},
            {"label": "Began", "value": show_date(row.onset_on) + self._day_words()},
            {"label": "Ended", "value": self._end()},
            {"label": "Grade", "value": self._grade()},
            {"label": "On the protocol's list", "value": self._expected()},
            {"label": "What was done", "value": row.get_action_display()},
            {"label": "Outcome", "value": row.get_outcome_display()},
            {"label": "Caused by the treatment", "value": row.get_causality_display()},
            {"label": "MedDRA", "value": row.meddra_code},
        ]

    def _after(self) -> str:
        row = self.effect
        if row.session is not None:
            return f"{row.series}, session {row.session.session_no or 'struck out'}"
        return f"{row.series}, none of its sessions" if row.series else "No series"

    def _day_words(self) -> str:
        if self.effect.session is None:
            return ""
        days = (self.effect.onset_on - self.effect.session.held_on).days
        return f", {days} day{'s' if days > 1 else ''} after the session" if days else ", the same day"

    def _end(self) -> str:
        row = self.effect
        end = show_date(row.resolved_on) if row.resolved_on else ""
        if not end and self.is_open:
            end = "Still there"
        return ", ".join(
            filter(None, (end, f"{row.lasted_minutes} min" if row.lasted_minutes is not None else ""))
        )

    def _grade(self) -> str:
        row = self.effect
        version = f" (CTCAE v{row.ctcae_version})" if row.ctcae_version else ""
        why = f", since: {row.grade_reason}" if row.grade_reason else ""
        return f"{row.grade}{version}{why}"

    def _expected(self) -> str:
        return "No protocol" if self.expected is None else "Expected" if self.expected else "Not expected"


def event_page(user, effect: SideEffect, now: datetime | None = None) -> EventPage:
    """One side effect with its clock, course and photographs, as `user` may see them."""
    clinic = effect.patient.clinic
    photographs: list[Photograph] = []
    if effect.lesion_id and may(user, "see_photographs", clinic.pk):
        photographs = list(
            photographs_for(user, "see_photographs")
            .filter(lesion=effect.lesion_id, taken_on__gte=effect.onset_on)
            .order_by("taken_on", "pk")
        )
    return EventPage(
        effect=effect,
        is_open=not is_over(effect),
        standing=standing_of(effect, now or timezone.now()),
        expected=is_expected(effect.term, effect.series.protocol.definition) if effect.series else None,
        criteria=[SERIOUS_CRITERIA[code] for code in effect.seriousness_criteria if code in SERIOUS_CRITERIA],
        answers=_answers(effect),
        course=_course(effect, may_correct=may(user, "correct", clinic.pk)),
        photographs=photographs,
    )


def _answers(effect: SideEffect) -> list[tuple[str, str]]:
    told = effect.grade_answers
    if not told:
        return []
    texts = {question.key: question.text for question in questions_of(effect.term, effect.ctcae_version)}
    return [(texts.get(key, key), {"yes": "Yes", "no": "No"}[answer]) for key, answer in told.items()]


def _course(effect: SideEffect, *, may_correct: bool) -> list[dict]:
    """Its history as a timeline, from the onset to the end."""
    entries: list[dict] = [{"when": show_date(effect.onset_on), "title": "Began", "lines": [], "numbers": []}]
    for row in observations_of(effect):
        lines = [words for words in (row.note, f"By {row.by}") if words]
        done = row.get_action_display()
        entries.append(
            {
                "when": show_date(row.seen_on),
                "title": row.get_outcome_display() or "Asked",
                "numbers": [{"label": "Grade", "value": row.grade}],
                "lines": [f"Done: {done}" if done else "", *lines] if done else lines,
                "strike_out": reverse("strike_out", args=["side_effect_observation", row.pk])
                if may_correct
                else "",
            }
        )
    if effect.resolved_on is not None:
        ended = {"when": show_date(effect.resolved_on), "title": "Ended", "lines": [], "numbers": []}
        entries.append(ended | {"state": "completed", "state_label": "Over"})
    return entries
