"""Who takes a vasodilator, and who stopped one lately: a day before, on, and after each edge."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.dates import PartialDate
from stsclinic.clinical.facts import MedicationFacts
from stsclinic.clinical.vasodilators import stopped_lately, takes_vasodilator


def medication(started="", stopped="", role="vasodilator", name="bosentan"):
    return MedicationFacts(
        name=name,
        role=role,
        started_on=PartialDate.parse(started) if started else None,
        stopped_on=PartialDate.parse(stopped) if stopped else None,
    )


@pytest.mark.parametrize(
    ("started", "stopped", "on", "is_taken", "is_lately"),
    [
        # no dates: it is taken
        ("", "", "2026-06-15", True, False),
        ("2010", "", "2026-06-15", True, False),
        # the start: on the day, a day later, and within a month or year that is not over
        ("2026-06-15", "", "2026-06-15", True, False),
        ("2026-06-16", "", "2026-06-15", False, False),
        ("2026-06", "", "2026-06-29", False, False),
        ("2026-06", "", "2026-06-30", True, False),
        ("2026", "", "2026-12-30", False, False),
        ("2026", "", "2026-12-31", True, False),
        # the stop: tomorrow it still is taken, today and yesterday it is stopped
        ("2010", "2026-06-16", "2026-06-15", True, False),
        ("2010", "2026-06-15", "2026-06-15", False, True),
        ("2010", "2026-06-14", "2026-06-15", False, True),
        # a partial stop speaks from its first possible day on
        ("2010", "2026-06", "2026-05-31", True, False),
        ("2010", "2026-06", "2026-06-01", False, True),
        ("2010", "2026", "2026-01-01", False, True),
        # six calendar months after a stop
        ("2010", "2025-12-16", "2026-06-15", False, True),
        ("2010", "2025-12-15", "2026-06-15", False, True),
        ("2010", "2025-12-14", "2026-06-15", False, False),
        # with the month's end
        ("2010", "2025-08-28", "2026-02-28", False, True),
        ("2010", "2025-08-27", "2026-02-28", False, False),
        ("2010", "2018-06-30", "2018-12-31", False, True),
        ("2010", "2018-06-30", "2019-01-01", False, False),
        # a partial stop speaks to six months after its last possible day
        ("2010", "2018-06", "2018-12-31", False, True),
        ("2010", "2018-06", "2019-01-01", False, False),
        ("2010", "2018", "2019-06-30", False, True),
        ("2010", "2018", "2019-07-01", False, False),
        # begun and stopped later than the session: neither taken nor stopped
        ("2026-07", "2026-08", "2026-06-15", False, False),
        # without a start it was begun before
        ("", "2026-06-14", "2026-06-15", False, True),
        # surely not begun yet, though perhaps stopped; begun on the very day
        ("2026-07", "2026", "2026-06-15", False, False),
        ("2026-06-15", "2026", "2026-06-15", False, True),
        # perhaps begun, perhaps stopped
        ("2026", "2026", "2026-06-15", False, True),
    ],
)
def test_edges(started, stopped, on, is_taken, is_lately):
    on = date.fromisoformat(on)
    medications = [medication(started, stopped)]
    assert takes_vasodilator(medications, on) is is_taken
    assert bool(stopped_lately(medications, on)) is is_lately


def test_only_the_role_counts():
    others = [medication(role=role) for role in ("calcium_channel_blocker", "other", "immunosuppressant")]
    on = date(2026, 6, 15)
    assert not takes_vasodilator(others, on)
    assert not stopped_lately([medication("2010", "2026-06", role="calcium_channel_blocker")], on)


def test_a_second_vasodilator_covers_a_stop():
    on = date(2024, 2, 2)
    course = [
        medication("2010", "2023-10-16"),
        medication("2024-01-30", "2024-02-01", name="iloprost"),
        medication("2024-02-02"),
    ]
    assert takes_vasodilator(course, on)
    assert not takes_vasodilator(course, on - timedelta(days=1))
    assert [m.name for m in stopped_lately(course, on - timedelta(days=1))] == ["bosentan", "iloprost"]


days = st.dates(min_value=date(2000, 1, 1), max_value=date(2050, 12, 31))


@given(days, days, st.integers(1, 3), st.integers(1, 3), days)
def test_less_precision_never_silences(started, stopped, parts_1, parts_2, on):
    """What an exact record would say is still said when only the month or the year is known."""

    def cut(day, parts):
        return PartialDate(*(day.year, day.month, day.day)[:parts])

    exact = MedicationFacts(
        name="x", role="vasodilator", started_on=PartialDate.of(started), stopped_on=PartialDate.of(stopped)
    )
    vague = MedicationFacts(
        name="x", role="vasodilator", started_on=cut(started, parts_1), stopped_on=cut(stopped, parts_2)
    )
    if not takes_vasodilator([exact], on):
        assert not takes_vasodilator([vague], on)
    if stopped_lately([exact], on):
        assert stopped_lately([vague], on)
