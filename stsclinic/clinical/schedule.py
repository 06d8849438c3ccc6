"""What of a series is due, and whether a visit lies within its protocol's window.

Windows are calendar days counted from the treatment that really was, never from the plan.
Source: domain.md, "The five regimens".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stsclinic.clinical.protocols import ProtocolDefinition


@dataclass(frozen=True, kw_only=True)
class SessionHeld:
    """A session that really was; drafts and struck-out ones are left out by the caller."""

    kind: str
    held_on: date


@dataclass(frozen=True, kw_only=True)
class Window:
    """First and last day of a window, both within it; None where the protocol gives no end."""

    opens_on: date | None
    closes_on: date | None

    def state(self, on: date) -> str:
        """`too_early`, `in` or `too_late`."""
        if self.opens_on is not None and on < self.opens_on:
            return "too_early"
        if self.closes_on is not None and on > self.closes_on:
            return "too_late"
        return "in"


@dataclass(frozen=True, kw_only=True)
class WindowState:
    """Where a visit lies: `too_early`, `in` or `too_late`."""

    state: str
    counted_from: date
    days: int
    """Calendar days since `counted_from`; below 0 for a visit before it."""
    days_outside: int
    """How many days before the opening or after the closing; 0 within."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """The next visit of a series."""

    kind: str
    """`treatment` or `follow_up`."""
    opens_on: date | None
    closes_on: date | None
    state: str
    """`not_yet`, `due` or `overdue`."""


_DUE_STATE = {"too_early": "not_yet", "in": "due", "too_late": "overdue"}


def treatment_window(definition: ProtocolDefinition, previous_treatment_on: date) -> Window:
    """The window of the treatment that follows one on that day."""
    return _window(previous_treatment_on, definition.interval_min_days, definition.interval_max_days)


def follow_up_window(
    definition: ProtocolDefinition, first_treatment_on: date | None, last_treatment_on: date | None
) -> Window | None:
    """The window of the follow-up; None where the protocol gives none or nothing was treated yet."""
    start = _follow_up_start(definition, first_treatment_on, last_treatment_on)
    if start is None:
        return None
    return _window(start, definition.follow_up_min_days, definition.follow_up_max_days)


def window_state(
    definition: ProtocolDefinition, previous_treatment_on: date | None, held_on: date
) -> WindowState | None:
    """Where a treatment lies; None for the first one, which has no window."""
    if previous_treatment_on is None:
        return None
    return _state(treatment_window(definition, previous_treatment_on), previous_treatment_on, held_on)


def follow_up_state(
    definition: ProtocolDefinition,
    first_treatment_on: date | None,
    last_treatment_on: date | None,
    held_on: date,
) -> WindowState | None:
    """Where a follow-up lies; None where the protocol gives it no window."""
    start = _follow_up_start(definition, first_treatment_on, last_treatment_on)
    if start is None:
        return None
    window = _window(start, definition.follow_up_min_days, definition.follow_up_max_days)
    return _state(window, start, held_on)


def next_due(
    definition: ProtocolDefinition,
    sessions: Iterable[SessionHeld],
    series_status: str,
    today: date,
    *,
    started_on: date | None = None,
    stop_reason: str = "",
) -> Due | None:
    """The next visit of a series, or None when nothing more is due.

    A first treatment is due from `started_on` on and is never overdue. After the planned number,
    or once the series was completed or stopped, the follow-up is due, unless one was held after
    the last treatment or the patient was lost to follow-up. A follow-up that counts from the
    first treatment goes before a missed treatment as soon as its window opens.
    """
    in_order = sorted(sessions, key=lambda session: session.held_on)
    treatments = [session.held_on for session in in_order if session.kind == "treatment"]
    first, last = (treatments[0], treatments[-1]) if treatments else (None, None)
    is_over = series_status in ("completed", "stopped")
    follow_up = follow_up_window(definition, first, last)

    wants_treatment = not is_over and (
        definition.planned_treatments is None or len(treatments) < definition.planned_treatments
    )
    follow_up_replaces_treatment = (
        follow_up is not None
        and definition.follow_up_from == "first_treatment"
        and follow_up.state(today) != "too_early"
    )
    if wants_treatment and not follow_up_replaces_treatment:
        if last is None:
            return _due("treatment", Window(opens_on=started_on, closes_on=None), today)
        return _due("treatment", treatment_window(definition, last), today)
    if follow_up is None or had_follow_up(in_order) or stop_reason == "lost_to_follow_up":
        return None
    return _due("follow_up", follow_up, today)


def had_follow_up(in_order: Sequence[SessionHeld]) -> bool:
    """Whether a follow-up was held after the last treatment, or on its day but entered after it."""
    for session in reversed(in_order):
        if session.kind == "treatment":
            return False
        if session.kind == "follow_up":
            return True
    return False


def _follow_up_start(
    definition: ProtocolDefinition, first_treatment_on: date | None, last_treatment_on: date | None
) -> date | None:
    if definition.follow_up_from == "first_treatment":
        return first_treatment_on
    if definition.follow_up_from == "last_treatment":
        return last_treatment_on
    return None


def _window(start: date, min_days: int | None, max_days: int | None) -> Window:
    return Window(
        opens_on=None if min_days is None else start + timedelta(days=min_days),
        closes_on=None if max_days is None else start + timedelta(days=max_days),
    )


def _state(window: Window, start: date, held_on: date) -> WindowState:
    state = window.state(held_on)
    edge = {"too_early": window.opens_on, "too_late": window.closes_on}.get(state)
    return WindowState(
        state=state,
        counted_from=start,
        days=(held_on - start).days,
        days_outside=0 if edge is None else abs((held_on - edge).days),
    )


def _due(kind: str, window: Window, today: date) -> Due:
    return Due(
        kind=kind,
        opens_on=window.opens_on,
        closes_on=window.closes_on,
        state=_DUE_STATE[window.state(today)],
    )
