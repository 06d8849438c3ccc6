"""Kaplan-Meier against published figures, statsmodels and a slow count."""

import random
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from stsclinic.reporting.statistics.survival import time_to_gone


class Observed(NamedTuple):
    """A lesion with the time for which it was followed."""

    patient_id: str
    days: int
    is_gone: bool


# Freireich et al., Blood 1963: weeks of remission under 6-mercaptopurine; + is censored.
MERCAPTOPURINE = [
    "6",
    "6",
    "6",
    "6+",
    "7",
    "9+",
    "10",
    "10+",
    "11+",
    "13",
    "16",
    "17+",
    "19+",
    "20+",
    "22",
    "23",
    "25+",
    "32+",
    "32+",
    "34+",
    "35+",
]
REMAINING = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def steps_of(lesions):
    """The lesions as time_to_gone takes them: in columns."""
    patients, days, is_gone = ([one[place] for one in lesions] for place in range(3))
    numbers = {patient: number for number, patient in enumerate(sorted(set(patients)))}
    of_lesion = [numbers[patient] for patient in patients]
    return time_to_gone(np.array(of_lesion), np.array(days), np.array(is_gone))


def one_each(pairs):
    return [Observed(f"P{number}", days, gone) for number, (days, gone) in enumerate(pairs)]


def test_published_figures():
    """As printed in Kleinbaum and Klein, Survival analysis, chapter 2."""
    steps = steps_of(one_each((int(one.rstrip("+")), "+" not in one) for one in MERCAPTOPURINE))
    found = {step.days: round(1 - step.share_gone, 3) for step in steps if step.gone}
    assert found == REMAINING
    assert [step.at_risk for step in steps if step.gone] == [21, 17, 15, 12, 11, 7, 6]


lesions = st.lists(
    st.builds(Observed, st.sampled_from(("A", "B", "C", "D")), st.integers(0, 12), st.booleans()), max_size=25
)


@settings(max_examples=60, deadline=None)
@given(lesions)
def test_as_statsmodels_and_as_counted_by_hand(lesions):
    steps = steps_of(lesions)
    assert [step.days for step in steps] == sorted({one.days for one in lesions})
    stays = Fraction(1)
    for step in steps:
        at_risk = [one for one in lesions if one.days >= step.days]
        gone = [one for one in at_risk if one.days == step.days and one.is_gone]
        stays *= 1 - Fraction(len(gone), len(at_risk))
        assert (step.at_risk, step.gone) == (len(at_risk), len(gone))
        assert step.gone + step.censored == sum(one.days == step.days for one in lesions)
        assert step.share_gone == pytest.approx(float(1 - stays))
        if step.low is not None:
            assert 0 <= step.low <= step.high <= 1
    if any(one.is_gone for one in lesions):
        theirs = SurvfuncRight([one.days for one in lesions], [int(one.is_gone) for one in lesions])
        ours = {step.days: 1 - step.share_gone for step in steps if step.gone}
        assert ours == pytest.approx(dict(zip(theirs.surv_times.tolist(), theirs.surv_prob, strict=True)))


def test_the_interval_draws_patients():
    """Ten lesions of a patient that go together give the same interval as one."""
    generator = random.Random(3)
    single = one_each((generator.randint(1, 60), generator.random() < 0.6) for _ in range(40))
    tenfold = [one for one in single for _ in range(10)]
    narrow = [
        Observed(f"{one.patient_id}-{number}", one.days, one.is_gone) for number, one in enumerate(tenfold)
    ]
    for ours, theirs in zip(steps_of(tenfold), steps_of(single), strict=True):
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    middle = [step for step in steps_of(single) if 20 <= step.days <= 30]
    independent = {step.days: step for step in steps_of(narrow)}
    for step in middle:
        assert step.high - step.low > 2 * (independent[step.days].high - independent[step.days].low)


def test_the_interval_is_close_to_greenwoods_for_independent_lesions():
    generator = random.Random(5)
    many = one_each((generator.randint(1, 30), generator.random() < 0.7) for _ in range(300))
    theirs = SurvfuncRight([one.days for one in many], [int(one.is_gone) for one in many])
    by_day = dict(zip(theirs.surv_times.tolist(), theirs.surv_prob_se, strict=True))
    for step in steps_of(many):
        if step.gone and 5 < step.days < 25:
            assert step.high - step.low == pytest.approx(2 * 1.96 * by_day[step.days], rel=0.15)


def test_the_same_data_give_the_same_interval_in_any_order():
    some = [Observed("A", 3, True), Observed("A", 9, False), Observed("B", 5, True), Observed("C", 9, True)]
    assert steps_of(some) == steps_of(some[::-1])


def test_one_patient_has_no_interval_and_no_lesion_no_step():
    assert steps_of([]) == []
    (step,) = steps_of([Observed("A", 28, True)])
    assert (step.share_gone, step.low, step.high) == (1.0, None, None)
