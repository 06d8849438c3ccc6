"""From which vials was injected: what was drawn is injected or left over, to the last 0.001 ml."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.vials import Vial, injected_without_vial, lots_in_words, vial_uses

D = Decimal
volumes = st.decimals(min_value=D("0.001"), max_value=20, places=3)
lots = st.sampled_from(["A1", "a-1", "B2", "C 3", ""])


def vials(*drawn: tuple[str, str]) -> list[Vial]:
    return [
        Vial(vial_no=number, lot_number=lot, drawn_ml=D(ml))
        for number, (lot, ml) in enumerate(drawn, start=1)
    ]


def injections(*given: tuple[str, str]) -> list[InjectionFacts]:
    return [
        InjectionFacts(lesion_id=f"L{n}", lot_number=lot, volume_ml=D(ml))
        for n, (lot, ml) in enumerate(given)
    ]


@pytest.mark.parametrize(
    ("drawn", "injected", "uses"),
    [
        ([], [("A1", "1")], []),
        ([("A1", "5")], [], [("0", "5")]),
        ([("A1", "5")], [("A1", "2.35")], [("2.35", "2.65")]),
        ([("A1", "5")], [("a-1", "2"), ("A 1", "3")], [("5", "0")]),
        ([("A1", "5")], [("A1", "5.001")], [("5.001", "-0.001")]),
        ([("A1", "1"), ("B2", "1")], [("A1", "0.4"), ("B2", "0.6")], [("0.4", "0.6"), ("0.6", "0.4")]),
        ([("A1", "1"), ("A1", "1")], [("A1", "1.5")], [("1", "0"), ("0.5", "0.5")]),
        ([("A1", "1"), ("A1", "1")], [("A1", "2.5")], [("1", "0"), ("1.5", "-0.5")]),
        ([("A1", "1")], [("", "9"), ("B2", "9")], [("0", "1")]),
    ],
)
def test_what_became_of_each_vial(drawn, injected, uses):
    found = vial_uses(vials(*drawn), injections(*injected))
    assert [(use.injected_ml, use.left_over_ml) for use in found] == [(D(a), D(b)) for a, b in uses]


def test_a_use_lots_in_words():
    (enough,) = vial_uses(vials(("A1", "5")), injections(("A1", "2.35")))
    (short,) = vial_uses(vials(("A1", "2")), injections(("A1", "2.35")))
    assert enough.words == "A1: 5 ml drawn = 2.35 ml injected + 2.65 ml left over"
    assert short.words == "A1: 2 ml drawn, 0.35 ml too few"
    assert (enough.short, short.short) == ("A1 5 = 2.35 + 2.65 ml", "A1 0.35 ml too few")


def test_a_lot_without_a_vial_is_named_as_it_was_written():
    found = injected_without_vial(
        vials(("A1", "5")), injections(("A-1", "1"), ("B-2", "1"), ("b2", "2"), ("", "9"))
    )
    assert found == {"B-2": D(3), "": D(9)}
    assert lots_in_words(found) == "B-2 3 ml, no lot number 9 ml"


@given(st.lists(st.tuples(lots, volumes)), st.lists(st.tuples(lots, volumes)))
def test_drawn_is_injected_and_left_over_and_nothing_is_counted_twice(drawn, injected):
    listed, rows = vials(*drawn), injections(*injected)
    uses = vial_uses(listed, rows)
    assert all(use.vial.drawn_ml == use.injected_ml + use.left_over_ml for use in uses)
    others = injected_without_vial(listed, rows)
    assert sum((use.injected_ml for use in uses), D(0)) + sum(others.values(), D(0)) == sum(
        (ml for _lot, ml in injected), D(0)
    )
