"""Whom to ring today, and why? A function of facts and a date, so that it can never be stale.

Dates are calendar dates in the clinic's zone: 48 hours after a session are 2 calendar days, 7 days the
same weekday, whatever the clocks do. A call that falls on a day when the clinic is closed is due on the
next day when it is open; a window is never moved.

What the reports leave open is chosen here:
- A call is due after each session at which the agent was given. It lapses when a later call after the same
  session is due (one ring answers both), when the patient was seen on or after its day (the nurse asks at
  every visit), and 14 days after its day: then the next visit asks.
- An open side effect is asked about again 7 days after it was last asked about, at a call or a visit; one
  of grade 3 or more, or a necrosis, after 2 days.
- A missed visit is rung about from the day after its window closed, and again 7 days after each answer.
- A follow-up is rung about once from the day on which its window opens.

Source: domain.md, "What happens", point 6, and "The five regimens".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

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

OUTCOMES = {"no_answer": "Rang, no answer", "done": "Done"}

URGENCY = {
    "grave": "A grave side effect is open",
    "side_effect": "A side effect is open",
    "after_session": "After a session",
    "missed_visit": "A visit was missed",
    "follow_up": "A follow-up is due",
}
"""Why a call is made, the most urgent first."""

_RANK = {code: rank for rank, code in enumerate(URGENCY)}


@dataclass(frozen=True, kw_only=True)
class ClinicCalendar:
    """The days on which a clinic is closed."""

    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    """Weekdays when it is closed, Monday is 0. Not all seven."""

    def __post_init__(self) -> None:
        if len(self.weekend & frozenset(range(7))) == 7:
            raise ValueError("A clinic is open on at least one day of the week.")

    def is_open(self, day: date) -> bool:
        """Whether the clinic works on that day."""
        return day.weekday() not in self.weekend and day not in self.holidays

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
    asked_on: date | None = None
    """The last day on which somebody wrote how it was, or asked the patient for side effects."""

    @property
    def is_grave(self) -> bool:
        """Grade 3 or more, or a necrosis."""
        return asks_seriousness(self.term, self.grade)


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
class Attempt:
    """Somebody rang."""

    key: str
    """The key of the call."""
    on: date
    outcome: str
    """A code of OUTCOMES."""


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """All that the list of one clinic is a function of. Patients who withdrew are left out by the caller."""

    sessions: tuple[SessionToCall, ...] = ()
    effects: tuple[OpenEffect, ...] = ()
    visits: tuple[VisitDue, ...] = ()
    attempts: tuple[Attempt, ...] = ()
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
    tries: int = 0
    """How often somebody rang without an answer."""
    last_tried_on: date | None = None
    about: str = ""
    """The ref of the session, side effect or series."""


def calls_due(facts: CallFacts, today: date) -> tuple[Call, ...]:
    """The calls that are due by that day and not done, the most urgent first, then the longest due."""
    return tuple(call for call in calls_until(facts, today, today) if call.due_on <= today)


def calls_until(facts: CallFacts, today: date, until: date) -> tuple[Call, ...]:
    """The same with those that become due by a later day, as far as today's facts tell: for a calendar."""
    attempts = defaultdict(list)
    for attempt in facts.attempts:
        if attempt.on <= today:
            attempts[attempt.key].append(attempt)
    done = _done_on(attempts)
    seen = defaultdict(list)
    for session in facts.sessions:
        if session.held_on <= today:
            seen[session.patient].append(session.held_on)
    found = [
        *_after_sessions(facts, seen, today),
        *_open_effects(facts, seen, done),
        *_visits(facts, done),
    ]
    waiting = [
        _with_tries(call, attempts[call.key])
        for call in found
        if call.due_on <= until and not any(one.outcome == "done" for one in attempts[call.key])
    ]
    return tuple(sorted(waiting, key=lambda call: (_RANK[call.urgency], call.due_on, call.patient, call.key)))


def _after_sessions(facts: CallFacts, seen: Mapping[str, list[date]], today: date) -> Iterator[Call]:
    for session in facts.sessions:
        if not session.gave_agent:
            continue
        days = {**CALL_DAYS, **(CALL_DAYS_OF_DIGITS if session.digits_injected else {})}
        due = {number: facts.calendar.open_from(session.held_on + timedelta(days=number)) for number in days}
        for number, due_on in due.items():
            later_is_due = any(other > number and on <= today for other, on in due.items())
            asked_on = session.held_on + timedelta(days=number)
            was_seen = any(held_on >= asked_on for held_on in seen[session.patient])
            has_lapsed = today > due_on + timedelta(days=STAYS_DAYS)
            if later_is_due or was_seen or has_lapsed:
                continue
            digits = " A finger or toe was injected." if number in CALL_DAYS_OF_DIGITS else ""
            yield Call(
                key=f"session:{session.ref}:{number}",
                patient=session.patient,
                reason=f"{days[number]} after the session of {show_date(session.held_on)}.{digits}",
                due_on=due_on,
                urgency="after_session",
                about=session.ref,
            )


def _open_effects(
    facts: CallFacts, seen: Mapping[str, list[date]], done: Mapping[str, list[date]]
) -> Iterator[Call]:
    for effect in facts.effects:
        start = f"effect:{effect.ref}"
        visits = [held_on for held_on in seen[effect.patient] if held_on >= effect.onset_on]
        asked_on = [effect.asked_on] if effect.asked_on else []
        last = max([effect.onset_on, *visits, *asked_on, *done.get(start, [])])
        wait = ASK_AGAIN_DAYS_WHEN_GRAVE if effect.is_grave else ASK_AGAIN_DAYS
        where = f", {effect.where}" if effect.where else ""
        grade = f", grade {effect.grade}" if effect.grade else ""
        asked = f" Last asked about on {show_date(last)}." if last > effect.onset_on else ""
        yield Call(
            key=f"{start}:{last.isoformat()}",
            patient=effect.patient,
            reason=f"{SIDE_EFFECT_TERM[effect.term]}{grade}{where}, open since"
            f" {show_date(effect.onset_on)}.{asked}",
            due_on=facts.calendar.open_from(last + timedelta(days=wait)),
            urgency="grave" if effect.is_grave else "side_effect",
            about=effect.ref,
        )


def _visits(facts: CallFacts, done: Mapping[str, list[date]]) -> Iterator[Call]:
    for visit in facts.visits:
        what = "follow-up" if visit.kind == "follow_up" else "treatment"
        series = f" of series {visit.series_no}" if visit.series_no else ""
        if visit.state == "overdue" and visit.closes_on is not None:
            start = f"missed:{visit.ref}:{visit.kind}:{visit.closes_on.isoformat()}"
            rung_on = done.get(start, [])
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


def _done_on(attempts: Mapping[str, list[Attempt]]) -> Mapping[str, list[date]]:
    """When calls were done, by their keys without the last part, which tells the rounds apart."""
    found: dict[str, list[date]] = defaultdict(list)
    for key, rows in attempts.items():
        found[key.rpartition(":")[0]] += [one.on for one in rows if one.outcome == "done"]
    return found


def _with_tries(call: Call, attempts: Iterable[Attempt]) -> Call:
    missed = [one.on for one in attempts if one.outcome == "no_answer"]
    if not missed:
        return call
    return replace(call, tries=len(missed), last_tried_on=max(missed))
