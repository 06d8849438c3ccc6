"""When it is asked whether a side effect is serious, and the 24 hours in which the sponsor is told."""

from datetime import UTC, datetime, timedelta

import pytest

from stsclinic.clinical.seriousness import SERIOUS_CRITERIA, asks_seriousness, sponsor_clock

KNOWN = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
DAY, MINUTE = timedelta(hours=24), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("term", "grade", "asked"),
    [
        ("nausea", 1, False),
        ("nausea", 2, False),
        ("nausea", 3, True),
        ("nausea", 5, True),
        ("skin_ulceration", 2, False),
        ("skin_necrosis", 1, True),
        ("digital_necrosis", 1, True),
        ("digital_necrosis", None, True),
        ("nausea", None, False),
    ],
)
def test_grade_3_or_necrosis_asks(term, grade, asked):
    assert asks_seriousness(term, grade) is asked


def test_the_six_criteria_of_ich_e2a():
    assert list(SERIOUS_CRITERIA) == [
        "death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly", "medically_important"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("after", "state", "words"),
    [
        (0 * DAY, "running", "Tell the sponsor: 1 d 0 h left"),
        (MINUTE, "running", "Tell the sponsor: 23 h 59 min left"),
        (DAY, "running", "Tell the sponsor: 0 h 0 min left"),
        (DAY + MINUTE, "overdue", "The sponsor should have been told: 0 h 1 min over"),
        (3 * DAY + 61 * MINUTE, "overdue", "The sponsor should have been told: 2 d 1 h over"),
    ],
)
def test_the_clock_while_nobody_told(after, state, words):
    clock = sponsor_clock(known_at=KNOWN, now=KNOWN + after)
    assert (clock.state, clock.words, clock.due_at) == (state, words, KNOWN + DAY)


@pytest.mark.parametrize(
    ("told_from", "told_until", "state"),
    [
        (DAY, DAY, "in_time"),
        (DAY + MINUTE, DAY + MINUTE, "late"),
        (timedelta(hours=-8), timedelta(hours=16), "in_time"),
        (timedelta(hours=16), timedelta(hours=40), "told"),
        (timedelta(hours=40), timedelta(hours=64), "late"),
    ],
)
def test_the_clock_once_somebody_told(told_from, told_until, state):
    clock = sponsor_clock(
        known_at=KNOWN, now=KNOWN + 9 * DAY, told_from=KNOWN + told_from, told_until=KNOWN + told_until
    )
    assert clock.state == state


def test_what_is_not_known_is_said():
    assert sponsor_clock(known_at=None, now=KNOWN).state == "unknown"
    assert sponsor_clock(known_at=None, now=KNOWN, told_from=KNOWN, told_until=KNOWN).state == "told"
