"""Arithmetic of a dose."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.dosing import (
    Totals,
    area_cm2,
    as_anhydrous,
    as_pentahydrate,
    diluted_mg_ml,
    dose_mg,
    mg_per_cm2,
    session_totals,
    syringes,
    volume_by_area,
    water_parts,
)
from stsclinic.clinical.facts import InjectionFacts

D = Decimal
volumes = st.decimals(min_value=D("0.001"), max_value=20, places=3)
concentrations = st.decimals(min_value=1, max_value=500, places=1)


def injection(volume, concentration="150", agent="sts", lesion="L01", salt_form=""):
    return InjectionFacts(
        lesion_id=lesion,
        agent=agent,
        volume_ml=None if volume is None else D(volume),
        concentration_mg_ml=None if concentration is None else D(concentration),
        salt_form=salt_form,
    )


@pytest.mark.parametrize(
    ("concentration", "volume", "mg"),
    [("150", "0.55", "82.5"), ("250", "5", "1250"), ("40", "0.4", "16"), ("40", "0.009", "0.36")],
)
def test_dose(concentration, volume, mg):
    assert dose_mg(D(concentration), D(volume)) == D(mg)


@pytest.mark.parametrize(
    ("longest", "widest", "area"),
    [("3", "3", "0.09"), ("4", "4", "0.16"), ("20", "20", "4"), ("650", "500", "3250")],
)
def test_area_is_the_papers_own_reckoning(longest, widest, area):
    assert area_cm2(D(longest), D(widest)) == D(area)


@pytest.mark.parametrize(
    ("area", "volume", "is_held"),
    [
        ("0.09", "0.009", False),
        ("3.99", "0.399", False),
        ("4", "0.4", False),
        ("4.01", "0.4", True),
        ("0", "0", False),
    ],
)
def test_volume_by_area_is_held_to_the_maximum(area, volume, is_held):
    proposed = volume_by_area(D(area), D("0.1"), D("0.4"))
    assert (proposed.volume_ml, proposed.is_held_to_maximum) == (D(volume), is_held)


@pytest.mark.parametrize(
    ("area", "rate", "maximum", "enterable"),
    [
        ("0.09", "0.1", None, "0.009"),
        ("1.03125", "0.1", None, "0.103"),
        ("1.0399", "0.1", None, "0.103"),
        ("0.0001", "0.1", None, "0"),
        ("1.2", "0.35", None, "0.42"),
        ("9", "0.1", "0.4", "0.4"),
    ],
)
def test_a_volume_is_cut_to_what_a_sheet_takes_and_never_rounded_up(area, rate, maximum, enterable):
    volume = volume_by_area(D(area), D(rate), None if maximum is None else D(maximum))
    assert volume.enterable_ml == D(enterable) <= volume.volume_ml


def test_mg_on_each_square_centimetre():
    assert mg_per_cm2([(injection("0.55"), D("0.96"))]) == D("85.9")
    assert mg_per_cm2([(injection("0.55"), D("0.96")), (injection("0.2"), D("1.2"))]) == D("52.1")
    assert mg_per_cm2([(injection("0.55"), D("0.96")), (injection("9"), None)]) == D("85.9")
    assert mg_per_cm2([(injection("0.5", None, agent="saline"), D(2))]) == 0
    assert mg_per_cm2([(injection("0.85", "150.5"), D("2.5585"))]) == D("50.0")


@pytest.mark.parametrize(
    "treated", [[], [(injection("0.5"), None)], [(injection("0.5", None), D(1))], [(injection("0.5"), D(0))]]
)
def test_without_an_area_or_a_dose_there_is_none(treated):
    assert mg_per_cm2(treated) is None


def test_without_a_maximum_nothing_is_held():
    proposed = volume_by_area(D(100), D("0.1"), None)
    assert (proposed.volume_ml, proposed.is_held_to_maximum) == (10, False)


@pytest.mark.parametrize(
    ("volume", "number"),
    [("0", 0), ("0.001", 1), ("0.999", 1), ("1", 1), ("1.000", 1), ("1.001", 2), ("5", 5)],
)
def test_syringes_of_one_ml(volume, number):
    assert syringes(D(volume)) == number


def test_the_trials_dilution():
    """Report 001: 1 part of 250 mg/ml to 5.25 parts of water gives 40 mg/ml."""
    assert diluted_mg_ml(D(250), D("5.25")) == 40
    assert water_parts(D(250), D(40)) == D("5.25")


def test_undiluted_takes_no_water():
    assert water_parts(D(250), D(250)) == 0
    assert diluted_mg_ml(D(250), D(0)) == 250


@pytest.mark.parametrize("wanted", ["0", "-40", "250.1"])
def test_what_no_dilution_gives_is_refused(wanted):
    with pytest.raises(ValueError, match="dilution"):
        water_parts(D(250), D(wanted))


def test_a_negative_part_is_refused():
    with pytest.raises(ValueError, match="below 0"):
        diluted_mg_ml(D(250), D("-0.1"))


@given(concentrations, concentrations)
def test_a_dilution_gives_what_was_wanted(one, other):
    wanted, stock = sorted((one, other))
    assert abs(diluted_mg_ml(stock, water_parts(stock, wanted)) - wanted) < D("1e-15")


def test_salt_forms():
    assert as_anhydrous(D(150), "pentahydrate") == D("95.55")
    assert as_pentahydrate(D("95.55"), "anhydrous") == 150
    assert as_anhydrous(D(150), "anhydrous") == as_pentahydrate(D(150), "pentahydrate") == 150
    for form in ("", "unknown"):
        with pytest.raises(ValueError, match="salt form"):
            as_anhydrous(D(150), form)
        with pytest.raises(ValueError, match="salt form"):
            as_pentahydrate(D(150), form)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], Totals()),
        ([injection("0.55")], Totals(1, D("0.55"), D("82.5"), 1)),
        ([injection("0.55", lesion="L01"), injection("0.55", lesion="L02")], Totals(2, D("1.1"), D(165), 2)),
        ([injection("0.5", "150"), injection("0.5", "150")], Totals(2, D(1), D(150), 1)),
        ([injection("0.5", "150"), injection("0.5", "250")], Totals(2, D(1), D(200), 2)),
        (
            [injection("0.5", salt_form="anhydrous"), injection("0.5", salt_form="pentahydrate")],
            Totals(2, D(1), D(150), 2),
        ),
        ([injection("0.064", "40"), injection("0.2", None, "saline")], Totals(2, D("0.264"), D("2.56"), 2)),
        ([injection("0.5", None), injection("0.5", "150")], Totals(2, D(1), D(75), 2, False)),
        ([injection(None), injection("0.5", "150")], Totals(2, D("0.5"), D(75), 1, False)),
    ],
)
def test_totals_of_a_session(rows, expected):
    assert session_totals(rows) == expected


def test_a_syringe_is_not_kept_for_the_next_session():
    session = session_totals([injection("0.4")])
    assert session + session == Totals(2, D("0.8"), D(120), 2)
    assert not (session + session_totals([injection(None)])).is_complete


@given(st.lists(st.tuples(volumes, concentrations), max_size=22))
def test_totals_add_up(pairs):
    rows = [
        InjectionFacts(lesion_id=f"L{n}", volume_ml=volume, concentration_mg_ml=concentration)
        for n, (volume, concentration) in enumerate(pairs)
    ]
    totals = session_totals(rows)
    assert totals.volume_ml == sum((volume for volume, _ in pairs), D(0))
    assert totals.dose_mg == sum((volume * concentration for volume, concentration in pairs), D(0))
    assert totals.volume_ml <= totals.syringes < totals.volume_ml + max(1, len(pairs))
    one_by_one = sum((session_totals([row]) for row in rows), Totals())
    assert (one_by_one.volume_ml, one_by_one.dose_mg) == (totals.volume_ml, totals.dose_mg)
    assert one_by_one.syringes >= totals.syringes


@given(volumes, st.decimals(min_value=0, max_value=1000, places=2))
def test_a_held_volume_never_passes_the_maximum(maximum, area):
    proposed = volume_by_area(area, D("0.1"), maximum)
    assert proposed.volume_ml == min(area * D("0.1"), maximum)
    assert proposed.is_held_to_maximum == (area * D("0.1") > maximum)
