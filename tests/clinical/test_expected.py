"""What to ask about on which day after a session."""

from dataclasses import replace

import pytest

from stsclinic.clinical.expected import (
    EXPECTED,
    ROUTES,
    expected_on,
    expected_terms,
    is_expected,
    usual_terms,
)
from stsclinic.clinical.protocols import IV, LONGTERM, SHIPPED
from stsclinic.clinical.sources import REPORTS
from stsclinic.clinical.terms import SIDE_EFFECT_TERM

PAIN, BROWN, BLISTER = "injection_site_pain", "skin_discolouration", "skin_blistering"
INFECTION, DRAINAGE, ULCER = "injection_site_infection", "calcium_drainage", "skin_ulceration"
NECROSIS = "digital_necrosis"


def terms(found):
    return [one.term for one in found]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (-1, []),
        (0, [PAIN]),
        (1, [PAIN, INFECTION, DRAINAGE, ULCER]),
        (2, [PAIN, BROWN, INFECTION, DRAINAGE, ULCER]),
        (3, [BROWN, INFECTION, DRAINAGE, ULCER]),
        (4, [BROWN, BLISTER, INFECTION, DRAINAGE, ULCER]),
        (5, [BLISTER, INFECTION, DRAINAGE, ULCER]),
        (7, [BLISTER, INFECTION, DRAINAGE, ULCER, NECROSIS]),
        (8, [INFECTION, DRAINAGE, ULCER, NECROSIS]),
        (14, [INFECTION, DRAINAGE, ULCER, NECROSIS]),
        (15, [NECROSIS]),
        (21, [NECROSIS]),
        (22, []),
    ],
)
def test_what_is_expected_on_a_day(day, expected):
    assert terms(expected_on(day)) == expected
    assert terms(expected_on(day, digits=False)) == [term for term in expected if term != NECROSIS]


def test_an_infusion_has_its_own():
    assert "nausea" in terms(expected_on(0, route="infusion"))
    assert expected_on(3, route="infusion") == ()
    assert not set(terms(expected_on(0, route="infusion"))) & set(terms(expected_on(0)))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("day", [None, 0, 2, 5, 14, 100])
def test_the_row_holds_every_usual_term_once_those_of_the_day_first(route, day):
    row = usual_terms(day, route=route)
    assert len(row) == len(set(row)) == len([one for one in EXPECTED if one.route == route])
    now = () if day is None else expected_on(day, route=route)
    assert row[: len(now)] == now


def test_each_is_a_term_with_a_source():
    for one in EXPECTED:
        assert one.term in SIDE_EFFECT_TERM
        assert set(one.source.split(", ")) <= set(REPORTS)
        assert one.first_day <= one.last_day
        assert one.route in ROUTES


@pytest.mark.parametrize(
    ("code", "listed"),
    [
        ("weekly4", {PAIN, BROWN, BLISTER, INFECTION}),
        ("placebo3", {PAIN}),
        ("biweekly", {PAIN, INFECTION, "hypotension", "headache", "disorientation"}),
        ("longterm", {PAIN, INFECTION, ULCER, DRAINAGE, NECROSIS}),
        ("iv", {"nausea"}),
    ],
)
def test_a_shipped_protocol_expects_what_its_own_report_tells(code, listed):
    (protocol,) = [one for one in SHIPPED if one.code == code]
    assert set(protocol.expected_terms) == set(expected_terms(protocol)) == listed
    assert {term for term in SIDE_EFFECT_TERM if is_expected(term, protocol)} == listed
    stored_before = replace(protocol, expected_terms=())
    assert set(expected_terms(stored_before)) == listed


@pytest.mark.parametrize("route", ROUTES)
def test_a_clinics_own_without_a_list_expects_what_the_reports_tell_of_its_route(route):
    own = replace(LONGTERM, code="ours", route=route, expected_terms=())
    assert expected_terms(own) == tuple(one.term for one in EXPECTED if one.route == route)
    assert not is_expected("allergic_reaction", own)


def test_a_protocols_own_list_goes_before():
    own = replace(LONGTERM, expected_terms=("headache",))
    assert expected_terms(own) == ("headache",)
    assert not is_expected(NECROSIS, own)


def test_a_necrosis_is_expected_of_injections_only():
    assert is_expected(NECROSIS, LONGTERM)
    assert not is_expected(NECROSIS, IV)
