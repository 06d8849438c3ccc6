"""Whom to ring today, and why? A function of facts and a date, so that it can never be stale.

Dates are calendar dates in the clinic's zone: 48 hours after a session are 2 calendar days, 7 days the
same weekday, whatever the clocks do. A call that falls on a day when the clinic is closed is due on the
next day when it is open; a window is never moved.

What the reports leave open is chosen here:
- A call is due after each session at which the agent was given. It lapses when a later call after the same
  session is due (one ring answers both), when the patient was asked on or after its day, by whatever way,
  and 14 days after its day: then the next visit asks. A visit at which nobody wrote that side effects were
  asked for answers nothing: silence is never read as none.
- Every open side effect is on the list until it is over, but on the day on which somebody wrote how it is.
  It is due again 7 days after that; one of grade 3 or more, a necrosis or a serious one after 2 days. Until
  then it stands at the end. What was answered about anything new does not say how this one is.
- Side effects outlast a withdrawal: of a patient who withdrew the visits are left out, and nothing else.
- Tries without an answer are counted over all calls after one session, until the patient is reached.
- A missed visit is rung about from the day after its window closed, and again 7 days after each answer.
- A follow-up is rung about once from the day on which its window opens.

Source: domain.md, "What happens", point 6, and "The five regimens".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from stsclinic.clinical.dates import show_date
from stsclinic.clinical.seriousness import asks_seriousness
from stsclinic.clinical.terms import SIDE_EFFECT_TERM

CALL_DAYS = {2: "48 hours", 7: "7 days"}
"""Calendar days after each session at which the agent was given, and how they are called."""

CALL_DAYS_OF_DIGITS = {14: "14 days"}
"""Further calls where a finger or toe was injected (003: necrosis of a pulp after 2 weeks)."""

STAYS_DAYS = 14
"""How many days a call after a session stays on the list."""

ASK_AGAIN_DAYS = 7
ASK_AGAIN_DAYS_WHEN_GRAVE = 2

USUALLY_CLOSED = (5, 6)
"""Weekdays on which a clinic is closed unless it says otherwise: Saturday and Sunday. Monday is 0."""

OUTCOMES = {"no_answer": "Rang, no answer", "done": "Done"}

URGENCY = {
    "grave": "A grave side effect is open",
    "side_effect": "A side effect is open",
    "after_session": "After a session",
    "missed_visit": "A visit was missed",
    "follow_up": "A follow-up is due",
    "not_due": "A side effect is open, not due yet",
}
"""Why a call is made, the most urgent first."""

_RANK = {code: rank for rank, code in enumerate(URGENCY)}


@dataclass(frozen=True, kw_only=True)
class ClinicCalendar:
    """The days on which a clinic is closed. Raises ValueError where it never opens."""

    holidays: frozenset[date] = frozenset()
    closed_weekdays: frozenset[int] = frozenset(USUALLY_CLOSED)
    """Monday is 0. Not all seven."""

    def __post_init__(self) -> None:
        if self.closed_weekdays >= frozenset(range(7)):
            raise ValueError("A clinic is open on at least one day of the week.")

    def is_open(self, day: date) -> bool:
        """Whether the clinic works on that day."""
        return day.weekday() not in self.closed_weekdays and day not in self.holidays

    def open_from(self, day: date) -> date:
        """That day, or the next one on which the clinic is open."""
        while not self.is_open(day):
            day += timedelta(days=1)
        return day


@dataclass(frozen=True, kw_only=True)
class SessionToCall:
    """A completed session."""

    ref: str
    """Names the session for ever, without identity."""
    patient: str
    held_on: date
    gave_agent: bool = True
    """Whether anything was injected or infused."""
    digits_injected: bool = False


@dataclass(frozen=True, kw_only=True)
class OpenEffect:
    """A side effect without an end."""

    ref: str
    patient: str
    term: str
    onset_on: date
    grade: int | None = None
    where: str = ""
    """The lesion in words; empty for the whole patient."""
    is_serious: bool = False
    """By one of the six criteria of ICH E2A, whatever its grade."""
    seen_on: date | None = None
    """The last day on which somebody wrote how it was."""

    @property
    def is_grave(self) -> bool:
        """Serious, of grade 3 or more, or a necrosis."""
        return self.is_serious or asks_seriousness(self.term, self.grade)

    @property
    def counted_from(self) -> date:
        """The day from which the days until the next question count."""
        return max(self.onset_on, self.seen_on or self.onset_on)

    def waits_for_answer(self, today: date) -> bool:
        """Whether nobody wrote yet how it is today."""
        return self.seen_on is None or self.seen_on < today


@dataclass(frozen=True, kw_only=True)
class VisitDue:
    """The next visit of a series, as schedule.next_due gives it."""

    ref: str
    """Names the series for ever, without identity."""
    patient: str
    kind: str
    """`treatment` or `follow_up`."""
    opens_on: date | None
    closes_on: date | None
    state: str
    """`not_yet`, `due` or `overdue`."""
    series_no: int | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A patient was asked for side effects: at a visit, at a call or on another page."""

    patient: str
    on: date


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Somebody rang."""

    key: str
    """The key of the call."""
    on: date
    outcome: str
    """A code of OUTCOMES."""
    at: datetime | None = None
    """The instant; it decides nothing."""


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """All that the list of one clinic is a function of. Of patients who withdrew, `visits` has none."""

    sessions: tuple[SessionToCall, ...] = ()
    effects: tuple[OpenEffect, ...] = ()
    visits: tuple[VisitDue, ...] = ()
    asked: tuple[Asked, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """In the order in which they were made."""
    calendar: ClinicCalendar = field(default_factory=ClinicCalendar)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call to make."""

    key: str
    """Names this call for ever; an attempt is kept under it."""
    patient: str
    reason: str
    due_on: date
    urgency: str
    """A code of URGENCY."""
    tried: tuple[Attempt, ...] = ()
    """The rings without an answer since the patient was last reached, in their order."""
    about: str = ""
    """The ref of the session, side effect or series."""


def calls_due(facts: CallFacts, today: date) -> tuple[Call, ...]:
    """Whom to ring on that day: the most urgent first, then the longest due, each with what was tried."""
    found = _calls(facts, today)
    due = [call for call in found if call.due_on <= today]
    waiting = {effect.ref for effect in facts.effects if effect.waits_for_answer(today)}
    lately = [
        replace(call, urgency="not_due")
        for call in found
        if call.due_on > today and call.urgency in _OF_EFFECTS and call.about in waiting
    ]
    return _in_order([*due, *lately])


def calls_until(facts: CallFacts, today: date, until: date) -> tuple[Call, ...]:
    """What is due by a later day, as far as today's facts tell: for a calendar."""
    return _in_order(call for call in _calls(facts, today) if call.due_on <= until)


_OF_EFFECTS = frozenset({"grave", "side_effect"})


def _in_order(calls: Iterable[Call]) -> tuple[Call, ...]:
    return tuple(sorted(calls, key=lambda call: (_RANK[call.urgency], call.due_on, call.patient, call.key)))


def _calls(facts: CallFacts, today: date) -> list[Call]:
    """All calls that are not done by that day, whenever they become due."""
    rounds = defaultdict(list)
    for attempt in facts.attempts:
        if attempt.on <= today:
            rounds[_round(attempt.key)].append(attempt)
    asked_on: dict[str, date] = {}
    for one in facts.asked:
        if one.on <= today:
            asked_on[one.patient] = max(one.on, asked_on.get(one.patient, one.on))
    of_effects = [_with_tries(call, rounds, asked_on) for call in _open_effects(facts)]
    after_sessions = [_with_tries(call, rounds, asked_on) for call in _after_sessions(facts, asked_on, today)]
    of_visits = [_with_tries(call, rounds, {}) for call in _visits(facts, rounds)]
    done = {attempt.key for attempts in rounds.values() for attempt in attempts if attempt.outcome == "done"}
    return [*of_effects, *(call for call in (*after_sessions, *of_visits) if call.key not in done)]


def _after_sessions(facts: CallFacts, asked_on: Mapping[str, date], today: date) -> Iterator[Call]:
    last_held: dict[str, date] = {}
    for session in facts.sessions:
        if session.held_on <= today:
            last_held[session.patient] = max(session.held_on, last_held.get(session.patient, session.held_on))
    for session in facts.sessions:
        if not session.gave_agent:
            continue
        days = {**CALL_DAYS, **(CALL_DAYS_OF_DIGITS if session.digits_injected else {})}
        due = {number: facts.calendar.open_from(session.held_on + timedelta(days=number)) for number in days}
        for number, due_on in due.items():
            ask_on = session.held_on + timedelta(days=number)
            later_is_due = any(other > number and on <= today for other, on in due.items())
            was_asked = asked_on.get(session.patient, date.min) >= ask_on
            has_lapsed = today > due_on + timedelta(days=STAYS_DAYS)
            if later_is_due or was_asked or has_lapsed:
                continue
            digits = " A finger or toe was injected." if number in CALL_DAYS_OF_DIGITS else ""
            held = last_held.get(session.patient, session.held_on)
            silent = f" That anybody asked on {show_date(held)} is not recorded."
            yield Call(
                key=f"session:{session.ref}:{number}",
                patient=session.patient,
                reason=f"{days[number]} after the session of {show_date(session.held_on)}.{digits}"
                + (silent if held >= ask_on else ""),
                due_on=due_on,
                urgency="after_session",
                about=session.ref,
            )


def _open_effects(facts: CallFacts) -> Iterator[Call]:
    for effect in facts.effects:
        last = effect.counted_from
        wait = ASK_AGAIN_DAYS_WHEN_GRAVE if effect.is_grave else ASK_AGAIN_DAYS
        where = f", {effect.where}" if effect.where else ""
        grade = f", grade {effect.grade}" if effect.grade else ""
        asked = (
            f" Last asked about on {show_date(effect.seen_on)}."
            if effect.seen_on
            else " Not asked about since."
        )
        yield Call(
            key=f"effect:{effect.ref}:{last.isoformat()}",
            patient=effect.patient,
            reason=f"{SIDE_EFFECT_TERM[effect.term]}{grade}{where}, open since"
            f" {show_date(effect.onset_on)}.{asked}",
            due_on=facts.calendar.open_from(last + timedelta(days=wait)),
            urgency="grave" if effect.is_grave else "side_effect",
            about=effect.ref,
        )


def _visits(facts: CallFacts, rounds: Mapping[str, list[Attempt]]) -> Iterator[Call]:
    for visit in facts.visits:
        what = "follow-up" if visit.kind == "follow_up" else "treatment"
        series = f" of series {visit.series_no}" if visit.series_no else ""
        if visit.state == "overdue" and visit.closes_on is not None:
            start = f"missed:{visit.ref}:{visit.kind}:{visit.closes_on.isoformat()}"
            rung_on = [attempt.on for attempt in rounds.get(start, ()) if attempt.outcome == "done"]
            due_on = (
                max(rung_on) + timedelta(days=ASK_AGAIN_DAYS)
                if rung_on
                else visit.closes_on + timedelta(days=1)
            )
            yield Call(
                key=f"{start}:{due_on.isoformat()}",
                patient=visit.patient,
                reason=f"The {what}{series} was missed: its window closed on {show_date(visit.closes_on)}."
                + (f" Last rung about on {show_date(max(rung_on))}." if rung_on else ""),
                due_on=facts.calendar.open_from(due_on),
                urgency="missed_visit",
                about=visit.ref,
            )
        elif visit.kind == "follow_up" and visit.opens_on is not None and visit.state != "overdue":
            closes = f" to {show_date(visit.closes_on)}" if visit.closes_on else ""
            yield Call(
                key=f"follow_up:{visit.ref}:{visit.opens_on.isoformat()}",
                patient=visit.patient,
                reason=f"The follow-up{series} is due from {show_date(visit.opens_on)}{closes}.",
                due_on=facts.calendar.open_from(visit.opens_on),
                urgency="follow_up",
                about=visit.ref,
            )


def _round(key: str) -> str:
    """What the calls of one matter have in common: the key without its last part."""
    return key.rpartition(":")[0]


def _with_tries(call: Call, rounds: Mapping[str, list[Attempt]], asked_on: Mapping[str, date]) -> Call:
    """The call with the rings of its matter since the patient was last reached."""
    tried: list[Attempt] = []
    for attempt in rounds.get(_round(call.key), ()):
        tried = [*tried, attempt] if attempt.outcome == "no_answer" else []
    reached_on = asked_on.get(call.patient, date.min)
    return replace(call, tried=tuple(attempt for attempt in tried if attempt.on > reached_on))
