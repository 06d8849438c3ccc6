"""The share's interval: as a plain bootstrap gives it, the same every time, wider than for independent lesions."""

import random
import runpy
from pathlib import Path

import numpy as np
import pytest

import sessions_app.dataout
from stsclinic.reporting.statistics.bootstrap import ALIKE, share_intervals
from stsclinic.reporting.statistics.wilson import wilson_interval

SCRIPTS = Path(sessions_app.dataout.__file__).parent / "scripts"


def table_of(patients):
    """How many of each patient's lesions have the outcome, and how many have not."""
    return np.array([(events, total - events) for events, total in patients]).reshape(-1, 2)


def share_interval(patients):
    (found,) = share_intervals([table_of(patients)], {"it": [0]})
    return found["it"]


def plain_bootstrap(patients, draws=4000):
    """Patient by patient, as one would explain it."""
    generator, shares = random.Random(7), []
    for _ in range(draws):
        drawn = generator.choices(patients, k=len(patients))
        shares.append(sum(events for events, _ in drawn) / sum(total for _, total in drawn))
    shares.sort()
    return shares[round(draws * 0.025)], shares[round(draws * 0.975) - 1]


@pytest.mark.parametrize("seed", range(4))
def test_as_a_plain_bootstrap(seed):
    generator = random.Random(seed)
    patients = [
        (generator.randint(0, total), total) for total in (generator.randint(1, 6) for _ in range(40))
    ]
    assert share_interval(patients) == pytest.approx(plain_bootstrap(patients), abs=0.025)


@pytest.mark.parametrize("seed", range(4))
def test_of_few_different_patients_as_a_plain_bootstrap(seed):
    """Rows are drawn, and not patients."""
    generator = random.Random(seed)
    different = [(0, 3), (1, 2), (2, 2), (4, 5)]
    patients = generator.choices(different, k=len(different) * ALIKE)
    assert share_interval(patients) == pytest.approx(plain_bootstrap(patients), abs=0.025)


def test_an_interval_does_not_depend_on_what_else_is_asked():
    generator = random.Random(3)
    tables = [
        np.array([[generator.randint(0, 9) for _ in range(4)] for _ in range(patients)])
        for patients in (30, 30, 12)
    ]
    inside = {"first": [0], "both": [0, 1]}
    assert share_intervals(tables, inside) == [share_intervals([table], inside)[0] for table in tables]
    assert share_intervals(tables, {"both": [0, 1]})[0]["both"] == share_intervals(tables, inside)[0]["both"]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_script_of_an_export_draws_as_the_report_does(more):
    """Patients where these are fewer than ALIKE for each different row, else rows."""
    generator = random.Random(5)
    different = [(1, 0, 2, 0), (0, 1, 0, 1), (2, 2, 0, 0), (0, 0, 3, 0)]
    rows = [*different, *generator.choices(different, k=len(different) * (ALIKE - 1) + more)]
    script = runpy.run_path(str(SCRIPTS / "headline.py"))
    assert script["ALIKE"] == ALIKE
    (found,) = share_intervals([np.array(rows)], {"any": [0, 1]})
    assert script["bootstrap"](rows, [True, True, False, False]) == pytest.approx(found["any"], abs=1e-12)


def test_one_lesion_each_is_close_to_wilson():
    patients = [(1, 1)] * 120 + [(0, 1)] * 180
    assert share_interval(patients) == pytest.approx(wilson_interval(120, 300), abs=0.01)


def test_lesions_that_agree_within_a_patient_count_as_one():
    """Ten lesions that all did the same tell no more than one."""
    patients = [(1, 1)] * 12 + [(0, 1)] * 18
    tenfold = [(10 * events, 10 * total) for events, total in patients]
    assert share_interval(tenfold) == pytest.approx(share_interval(patients), abs=1e-12)


def test_the_same_data_give_the_same_interval_in_any_order():
    patients = [(1, 3), (0, 2), (2, 2), (5, 9), (0, 1)]
    assert share_interval(patients) == share_interval(patients[::-1]) == share_interval(patients)


@pytest.mark.parametrize("patients", [[(2, 2), (1, 1)], [(0, 2), (0, 1)]])
def test_all_or_none_leave_nothing_to_draw(patients):
    """An interval from 0 to 0 would look sure."""
    assert share_interval(patients) is None


@pytest.mark.parametrize("patients", [[], [(1, 2)], [(1, 2), (0, 0)]])
def test_one_patient_has_no_interval(patients):
    assert share_interval(patients) is None
