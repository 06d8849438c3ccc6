"""Three kinds of scale, never mixed."""

from decimal import Decimal

import pytest

from stsclinic.clinical.numbers import NumberError
from stsclinic.clinical.scales import SCALES

WHOLE_1_TO_10 = (["1", "5", "10"], ["0", "11", "5.5", "-1"])
PGA = (["0", "3", "4"], ["5", "-1", "0.5"])
VAS = (["0", "0.1", "3,5", "10"], ["10.1", "-0.1", "3.55"])


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ("ptga", WHOLE_1_TO_10),
        ("phga", WHOLE_1_TO_10),
        ("pga", PGA),
        ("observer_pga", PGA),
        ("pain_vas", VAS),
    ],
)
def test_ends_and_steps(code, table):
    scale = SCALES[code]
    on, off = table
    for text in on:
        assert scale.parse(text) == Decimal(text.replace(",", "."))
        assert scale.holds(Decimal(text.replace(",", ".")))
    for text in off:
        assert not scale.holds(Decimal(text))
        with pytest.raises(NumberError) as error:
            scale.parse(text)
        assert str(error.value) == scale.valid


def test_not_a_number_is_on_no_scale():
    assert not any(scale.holds(Decimal(text)) for scale in SCALES.values() for text in ("NaN", "Infinity"))


def test_what_is_valid_in_words():
    assert SCALES["ptga"].valid == "PtGA is a whole number from 1 to 10."
    assert SCALES["pga"].valid == "PGA is a whole number from 0 to 4."
    assert SCALES["pain_vas"].valid == "Pain (VAS) is a number with at most 1 decimal from 0 to 10."


def test_the_words_of_the_trial():
    shown = [SCALES["pga"].show(value) for value in range(5)]
    assert shown == ["0 (clear)", "1 (almost clear)", "2 (mild)", "3 (moderate)", "4 (severe)"]
    assert SCALES["observer_pga"].show(4) == "4 (severe)"
    assert SCALES["pain_vas"].show(Decimal("3.50")) == "3.5"
    assert SCALES["ptga"].show(4) == "4"


def test_of_what_a_score_is_given():
    assert {code: scale.given_to for code, scale in SCALES.items()} == {
        "ptga": "session",
        "phga": "session",
        "pga": "lesion",
        "observer_pga": "lesion",
        "pain_vas": "injection",
    }
