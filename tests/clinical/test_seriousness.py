"""When it is asked whether a side effect is serious."""

import pytest

from stsclinic.clinical.seriousness import SERIOUS_CRITERIA, asks_seriousness


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
    assert len(SERIOUS_CRITERIA) == 6
