"""A protocol's limits in words, and which of them the injections of a session pass."""

from dataclasses import replace
from decimal import Decimal

import pytest

from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.limits import infusion_in_words, limits_in_words, limits_passed
from stsclinic.clinical.protocols import BIWEEKLY, IV, LONGTERM, PLACEBO3, WEEKLY4

D = Decimal


def given(*volumes: str, site: str = "elbow", mg_ml: str = "40") -> list[InjectionFacts]:
    return [
        InjectionFacts(
            lesion_id=f"L{number:02}", body_site=site, volume_ml=D(volume), concentration_mg_ml=D(mg_ml)
        )
        for number, volume in enumerate(volumes, start=1)
    ]


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (WEEKLY4, ()),
        (BIWEEKLY, ("5 ml a region",)),
        (LONGTERM, ("1 ml a lesion",)),
        (PLACEBO3, ("0.4 ml a lesion", "16 mg a visit")),
    ],
)
def test_the_limits_in_words(protocol, words):
    assert limits_in_words(protocol) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "usually 12.5 g in 30 min, at most 25 g in 60 min"),
        ({"usual_infusion_min": None}, "usually 12.5 g, at most 25 g in 60 min"),
        ({"max_infusion_g": None, "max_infusion_min": None}, "usually 12.5 g in 30 min"),
        ({"usual_infusion_g": None, "max_infusion_g": None, "max_infusion_min": None}, "usually 30 min"),
        (dict.fromkeys(("usual_infusion_g", "usual_infusion_min", "max_infusion_g", "max_infusion_min")), ""),
    ],
)
def test_an_infusion_in_words_says_only_what_the_protocol_gives(changes, words):
    assert infusion_in_words(replace(IV, **changes)) == words


@pytest.mark.parametrize(
    ("protocol", "injections", "passed"),
    [
        (WEEKLY4, given("9", "9"), ()),
        (LONGTERM, given("1", "1"), ()),
        (LONGTERM, given("1", "1.001"), ("above 1 ml in L02",)),
        (BIWEEKLY, given("2.5", "2.5"), ()),
        (BIWEEKLY, given("2.5", "2.501"), ("above 5 ml in the elbows",)),
        (BIWEEKLY, [*given("5"), *given("5", site="thumb")], ()),
        (PLACEBO3, given("0.4"), ()),
        (PLACEBO3, given("0.4", "0.001"), ("above 16 mg",)),
        (PLACEBO3, given("0.401"), ("above 0.4 ml in L01", "above 16 mg")),
    ],
)
def test_what_passes_a_limit(protocol, injections, passed):
    assert limits_passed(protocol, injections, counts_dose=True) == passed


def test_a_hidden_dose_passes_no_limit():
    protocol = replace(PLACEBO3, max_volume_ml_per_lesion=None)
    assert limits_passed(protocol, given("0.5"), counts_dose=False) == ()
    assert limits_passed(protocol, given("0.5"), counts_dose=True) == ("above 16 mg",)
