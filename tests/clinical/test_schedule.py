"""What is due, and whether a visit lies within its window."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.protocols import (
    BIWEEKLY,
    IV,
    LONGTERM,
    PLACEBO3,
    SHIPPED,
    WEEKLY4,
    ProtocolDefinition,
)
from stsclinic.clinical.schedule import SessionHeld, follow_up_state, next_due, window_state

DAY_0 = date(2026, 3, 2)
KINDS = {"t": "treatment", "f": "follow_up", "a": "assessment"}


def on(day):
    return DAY_0 + timedelta(days=day)


def course(text):
    """`t0 t7 f91`: treatments on days 0 and 7, a follow-up on day 91."""
    return [SessionHeld(kind=KINDS[word[0]], held_on=on(int(word[1:]))) for word in text.split()]


def due(definition, text, day, status="active", **more):
    found = next_due(definition, course(text), status, on(day), **more)
    if found is None:
        return None
    opens, closes = (None if end is None else (end - DAY_0).days for end in (found.opens_on, found.closes_on))
    return found.kind, opens, closes, found.state


@pytest.mark.parametrize(
    ("definition", "text", "day", "expected"),
    [
        (WEEKLY4, "t0", 5, ("treatment", 6, 31, "not_yet")),
        (WEEKLY4, "t0", 6, ("treatment", 6, 31, "due")),
        (WEEKLY4, "t0", 31, ("treatment", 6, 31, "due")),
        (WEEKLY4, "t0", 32, ("treatment", 6, 31, "overdue")),
        (WEEKLY4, "t0 t20", 25, ("treatment", 26, 51, "not_yet")),
        (WEEKLY4, "t0 a3", 6, ("treatment", 6, 31, "due")),
        (WEEKLY4, "t20 t0", 25, ("treatment", 26, 51, "not_yet")),
        (WEEKLY4, "t0 t7 t14", 21, ("treatment", 20, 45, "due")),
        (WEEKLY4, "t0 t7 t14 t21", 104, ("follow_up", 105, 133, "not_yet")),
        (WEEKLY4, "t0 t7 t14 t21", 105, ("follow_up", 105, 133, "due")),
        (WEEKLY4, "t0 t7 t14 t21", 133, ("follow_up", 105, 133, "due")),
        (WEEKLY4, "t0 t7 t14 t21", 134, ("follow_up", 105, 133, "overdue")),
        (WEEKLY4, "t0 t7 t14 t21 f110", 134, None),
        (WEEKLY4, "t0 t7 t14 t21 a110", 134, ("follow_up", 105, 133, "overdue")),
        (WEEKLY4, "t0 t7 f10", 13, ("treatment", 13, 38, "due")),
        (PLACEBO3, "t0", 27, ("treatment", 28, 35, "not_yet")),
        (PLACEBO3, "t0 t30", 65, ("treatment", 58, 65, "due")),
        (PLACEBO3, "t0 t30", 83, ("treatment", 58, 65, "overdue")),
        (PLACEBO3, "t0 t30", 84, ("follow_up", 84, 98, "due")),
        (PLACEBO3, "t0 t30 f90", 91, None),
        (PLACEBO3, "t0 t30 t60", 83, ("follow_up", 84, 98, "not_yet")),
        (PLACEBO3, "t0 t30 t60", 99, ("follow_up", 84, 98, "overdue")),
        (BIWEEKLY, "t0 t14 t28", 40, ("treatment", 40, 49, "due")),
        (BIWEEKLY, "t0 t14 t28 t43", 60, None),
        (LONGTERM, "t0 t42 t98 t150 t200", 300, ("treatment", 242, 292, "overdue")),
        (IV, "t0 t2 t4", 5, ("treatment", 5, 12, "due")),
        (IV, "t0 t2 t4", 4, ("treatment", 5, 12, "not_yet")),
    ],
)
def test_what_is_due_of_an_active_series(definition, text, day, expected):
    assert due(definition, text, day) == expected


@pytest.mark.parametrize(
    ("definition", "status", "text", "day", "expected"),
    [
        (WEEKLY4, "stopped", "t0 t7", 90, ("follow_up", 91, 119, "not_yet")),
        (WEEKLY4, "stopped", "t0 t7", 91, ("follow_up", 91, 119, "due")),
        (WEEKLY4, "completed", "t0 t7 t14", 98, ("follow_up", 98, 126, "due")),
        (WEEKLY4, "completed", "t0 t7 t14 f99", 100, None),
        (WEEKLY4, "stopped", "", 10, None),
        (IV, "stopped", "t0 t2", 86, ("follow_up", 86, 100, "due")),
        (BIWEEKLY, "stopped", "t0", 10, None),
        (LONGTERM, "completed", "t0 t42", 50, None),
        (PLACEBO3, "stopped", "t0", 90, ("follow_up", 84, 98, "due")),
        (WEEKLY4, "planned", "", 0, ("treatment", None, None, "due")),
        (WEEKLY4, "active", "a0", 3, ("treatment", None, None, "due")),
    ],
)
def test_what_is_due_by_status(definition, status, text, day, expected):
    assert due(definition, text, day, status) == expected


def test_nothing_is_due_of_a_patient_lost_to_follow_up():
    assert due(WEEKLY4, "t0 t7", 95, "stopped", stop_reason="lost_to_follow_up") is None
    assert due(WEEKLY4, "t0 t7", 95, "stopped", stop_reason="complete_remission") is not None


@pytest.mark.parametrize(("day", "state"), [(9, "not_yet"), (10, "due"), (500, "due")])
def test_a_first_treatment_is_due_from_the_start_on_and_never_overdue(day, state):
    assert due(WEEKLY4, "", day, "planned", started_on=on(10)) == ("treatment", 10, None, state)


def test_a_follow_up_on_the_day_of_the_last_treatment_counts_in_the_order_given():
    assert due(WEEKLY4, "t0 t7 t14 t21 f21", 120) is None
    assert due(WEEKLY4, "t0 t7 t14 f21 t21", 120) == ("follow_up", 105, 133, "due")


def test_a_protocol_without_a_window_is_due_at_once_and_never_overdue():
    bare = ProtocolDefinition(code="bare", name="Bare", source="")
    assert due(bare, "t0", 0) == ("treatment", None, None, "due")
    assert due(bare, "t0", 5000) == ("treatment", None, None, "due")
    assert window_state(bare, on(0), on(0)).state == "in"


@pytest.mark.parametrize(
    ("definition", "day", "state", "outside"),
    [
        (WEEKLY4, -1, "too_early", 7),
        (WEEKLY4, 0, "too_early", 6),
        (WEEKLY4, 5, "too_early", 1),
        (WEEKLY4, 6, "in", 0),
        (WEEKLY4, 31, "in", 0),
        (WEEKLY4, 32, "too_late", 1),
        (PLACEBO3, 27, "too_early", 1),
        (PLACEBO3, 28, "in", 0),
        (PLACEBO3, 35, "in", 0),
        (PLACEBO3, 36, "too_late", 1),
        (BIWEEKLY, 11, "too_early", 1),
        (BIWEEKLY, 12, "in", 0),
        (BIWEEKLY, 21, "in", 0),
        (BIWEEKLY, 22, "too_late", 1),
        (LONGTERM, 41, "too_early", 1),
        (LONGTERM, 42, "in", 0),
        (LONGTERM, 92, "in", 0),
        (LONGTERM, 100, "too_late", 8),
        (IV, 0, "too_early", 1),
        (IV, 1, "in", 0),
        (IV, 8, "in", 0),
        (IV, 9, "too_late", 1),
    ],
)
def test_the_window_of_a_treatment(definition, day, state, outside):
    found = window_state(definition, on(0), on(day))
    assert (found.state, found.days, found.days_outside, found.counted_from) == (state, day, outside, on(0))


def test_the_first_treatment_has_no_window():
    assert window_state(WEEKLY4, None, on(0)) is None


@pytest.mark.parametrize(
    ("definition", "day", "state"),
    [
        (WEEKLY4, 104, "too_early"),
        (WEEKLY4, 105, "in"),
        (WEEKLY4, 133, "in"),
        (WEEKLY4, 134, "too_late"),
        (PLACEBO3, 83, "too_early"),
        (PLACEBO3, 84, "in"),
        (PLACEBO3, 98, "in"),
        (PLACEBO3, 99, "too_late"),
        (IV, 104, "too_early"),
        (IV, 119, "in"),
        (IV, 120, "too_late"),
    ],
)
def test_the_window_of_a_follow_up(definition, day, state):
    assert follow_up_state(definition, on(0), on(21), on(day)).state == state


def test_without_a_follow_up_or_a_treatment_there_is_no_window():
    assert follow_up_state(BIWEEKLY, on(0), on(21), on(100)) is None
    assert follow_up_state(WEEKLY4, None, None, on(100)) is None
    assert follow_up_state(PLACEBO3, None, None, on(100)) is None


@given(
    st.sampled_from(SHIPPED),
    st.dates(min_value=date(2015, 1, 1), max_value=date(2040, 1, 1)),
    st.lists(st.integers(1, 400), max_size=30),
    st.integers(0, 4000),
)
def test_over_years_the_window_moves_with_what_really_was(definition, start, gaps, later):
    days = [start]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    sessions = [SessionHeld(kind="treatment", held_on=day) for day in days]
    today = days[-1] + timedelta(days=later)
    found = next_due(definition, sessions, "active", today)
    if found is None:
        assert definition.planned_treatments is not None
        assert len(days) >= definition.planned_treatments
        assert not definition.follow_up_from
        return
    if found.kind == "treatment":
        assert definition.planned_treatments is None or len(days) < definition.planned_treatments
        low, high, origin = definition.interval_min_days, definition.interval_max_days, days[-1]
    else:
        low, high = definition.follow_up_min_days, definition.follow_up_max_days
        origin = days[0] if definition.follow_up_from == "first_treatment" else days[-1]
    assert (found.opens_on - origin).days == low
    assert (found.closes_on - origin).days == high
    since = (today - origin).days
    assert found.state == ("not_yet" if since < low else "overdue" if since > high else "due")


@given(st.sampled_from(SHIPPED), st.dates(min_value=date(2015, 1, 1)), st.integers(0, 1000))
def test_what_is_due_today_lies_in_its_window(definition, start, later):
    if start.year > 9990:
        return
    today = start + timedelta(days=later)
    found = next_due(definition, [SessionHeld(kind="treatment", held_on=start)], "active", today)
    if found.kind == "treatment":
        state = window_state(definition, start, today).state
        assert {"not_yet": "too_early", "due": "in", "overdue": "too_late"}[found.state] == state
