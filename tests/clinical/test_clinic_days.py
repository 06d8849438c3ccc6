"""Calendar days in the clinic's zone: three years in four zones, changes of the clocks, leap days, midnight."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.calls import CallFacts, ClinicCalendar, SessionToCall, calls_until
from stsclinic.clinical.dates import DateError, clinic_date
from stsclinic.clinical.protocols import SHIPPED, WEEKLY4
from stsclinic.clinical.schedule import (
    SessionHeld,
    follow_up_state,
    follow_up_window,
    next_due,
    treatment_window,
    window_state,
)

ZONES = [
    ZoneInfo(name) for name in ("Europe/Copenhagen", "Europe/Lisbon", "America/New_York", "Pacific/Chatham")
]
FIRST, LAST = date(2027, 1, 1), date(2029, 12, 31)
"""Three years with a leap day."""
EVERY_DAY = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
NEAR_MIDNIGHT = [time(0, 0), time(0, 1), time(0, 59), time(12, 0), time(23, 1), time(23, 59, 59)]

days = st.dates(FIRST, LAST)
zones = st.sampled_from(ZONES)
clocks = st.one_of(st.sampled_from(NEAR_MIDNIGHT), st.times())


def instant(day, clock, zone):
    """When the wall clock of the clinic shows this, as the server keeps it."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def changes_of_the_clocks(zone):
    return [
        day
        for day in EVERY_DAY
        if datetime.combine(day, time(0), zone).utcoffset()
        != datetime.combine(day + timedelta(days=1), time(0), zone).utcoffset()
    ]


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_every_day_of_three_years_is_itself_at_both_of_its_ends(zone):
    assert len(EVERY_DAY) == 3 * 365 + 1
    for day in EVERY_DAY:
        for clock in NEAR_MIDNIGHT:
            assert clinic_date(instant(day, clock, zone), zone) == day


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_week_is_seven_calendar_days_across_each_change_of_the_clocks(zone):
    changes = changes_of_the_clocks(zone)
    assert len(changes) == 6
    for change in changes:
        for back in range(8):
            start = change - timedelta(days=back)
            window = treatment_window(WEEKLY4, clinic_date(instant(start, time(23, 59), zone), zone))
            assert window.opens_on == start + timedelta(days=6)
            assert window.closes_on == start + timedelta(days=31)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_hours_would_have_been_wrong_somewhere(zone):
    """48 hours by the clock end on another day than 2 calendar days, at a change of the clocks."""
    differing = [
        day
        for day in EVERY_DAY
        for clock in (time(0, 1), time(23, 59))
        if clinic_date(instant(day, clock, zone) + timedelta(hours=48), zone) != day + timedelta(days=2)
    ]
    assert differing


@given(days, clocks, zones)
def test_calls_are_due_two_seven_and_fourteen_calendar_days_later(day, clock, zone):
    held_on = clinic_date(instant(day, clock, zone), zone)
    session = SessionToCall(ref="1", patient="P1", held_on=held_on, digits_injected=True)
    facts = CallFacts(sessions=(session,), calendar=ClinicCalendar(closed_weekdays=frozenset()))
    found = calls_until(facts, held_on, held_on + timedelta(days=14))
    assert [(call.due_on - day).days for call in found] == [2, 7, 14]


@given(st.sampled_from(SHIPPED), days, clocks, clocks, zones, st.integers(0, 150))
def test_windows_count_calendar_days_whatever_the_hour(protocol, day, clock, later_clock, zone, later):
    first = clinic_date(instant(day, clock, zone), zone)
    now = clinic_date(instant(day + timedelta(days=later), later_clock, zone), zone)
    state = window_state(protocol, first, now)
    assert state.days == later
    low, high = protocol.interval_min_days, protocol.interval_max_days
    assert state.state == ("too_early" if later < low else "too_late" if later > high else "in")
    follow_up = follow_up_state(protocol, first, first, now)
    if follow_up is not None:
        low, high = protocol.follow_up_min_days, protocol.follow_up_max_days
        assert follow_up.state == ("too_early" if later < low else "too_late" if later > high else "in")
    due = next_due(protocol, [SessionHeld(kind="treatment", held_on=first)], "active", now)
    assert due.state in ("not_yet", "due", "overdue")


@given(
    days,
    zones,
    clocks,
    st.frozensets(st.dates(FIRST, LAST + timedelta(days=200)), max_size=40),
    st.frozensets(st.integers(0, 6), max_size=6),
)
def test_holidays_move_calls_to_the_next_open_day_and_no_window(day, zone, clock, holidays, weekend):
    held_on = clinic_date(instant(day, clock, zone), zone)
    calendar = ClinicCalendar(holidays=holidays, closed_weekdays=weekend)
    facts = CallFacts(sessions=(SessionToCall(ref="1", patient="P1", held_on=held_on),), calendar=calendar)
    for call in calls_until(facts, held_on, held_on + timedelta(days=400)):
        wanted = held_on + timedelta(days=int(call.key.rsplit(":", 1)[1]))
        between = [wanted + timedelta(days=number) for number in range((call.due_on - wanted).days)]
        assert calendar.is_open(call.due_on)
        assert not any(calendar.is_open(closed) for closed in between)
    window = follow_up_window(WEEKLY4, held_on, held_on)
    assert (window.opens_on, window.closes_on) == (day + timedelta(days=84), day + timedelta(days=112))


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_leap_day_is_a_day(zone):
    held_on = clinic_date(instant(date(2028, 2, 28), time(23, 30), zone), zone)
    assert held_on == date(2028, 2, 28)
    assert treatment_window(WEEKLY4, held_on).opens_on == date(2028, 3, 5)
    assert treatment_window(WEEKLY4, date(2027, 2, 28)).opens_on == date(2027, 3, 6)
    leap = clinic_date(instant(date(2028, 2, 29), time(0, 1), zone), zone)
    assert window_state(WEEKLY4, leap, date(2028, 3, 5)).state == "too_early"
    assert window_state(WEEKLY4, leap, date(2028, 3, 6)).state == "in"


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(DateError):
        clinic_date(datetime(2028, 2, 29), ZONES[0])


def test_one_instant_is_another_day_on_the_other_side_of_the_world():
    moment = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    assert [clinic_date(moment, zone).day for zone in ZONES] == [29, 29, 29, 1]
