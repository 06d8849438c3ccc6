"""Which infusion a side effect counts against: that of its session, else the last before its onset."""

import datetime
from decimal import Decimal

import pytest

from stsclinic.clinical.facts import PreviousInfusion
from stsclinic.clinical.tolerance import with_grades

DAYS = [datetime.date(2026, 1, day) for day in (5, 12, 19)]
INFUSIONS = [
    PreviousInfusion(given_on=day, dose_g=Decimal("12.5"), session=number)
    for number, day in enumerate(DAYS, start=1)
]


def on(day: int) -> datetime.date:
    return datetime.date(2026, 1, day)


@pytest.mark.parametrize(
    ("effects", "grades"),
    [
        ([], [None, None, None]),
        ([(2, on(12), 3)], [None, 3, None]),
        ([(1, on(20), 2)], [2, None, None]),
        ([(None, on(4), 3)], [None, None, None]),
        ([(None, on(5), 3)], [3, None, None]),
        ([(None, on(11), 3)], [3, None, None]),
        ([(None, on(12), 3)], [None, 3, None]),
        ([(None, on(30), 3)], [None, None, 3]),
        ([(None, on(13), 1), (2, on(12), 2), (None, on(14), 1)], [None, 2, None]),
        ([(9, on(13), 3)], [None, None, None]),
    ],
    ids=[
        "none",
        "of its session",
        "of its session, though later ones were before the onset",
        "before the first",
        "on the day of the first",
        "on the day before the second",
        "on the day of the second",
        "after the last",
        "the highest counts",
        "of a session without an infusion",
    ],
)
def test_the_grade_of_each_infusion(effects, grades):
    assert [row.worst_grade for row in with_grades(INFUSIONS, effects)] == grades
