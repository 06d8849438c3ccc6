"""Head to foot, right before left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.body_order import body_order
from stsclinic.clinical.terms import BODY_SITE, LATERALITY

PLACES = st.tuples(st.sampled_from(sorted(BODY_SITE)), st.sampled_from([*LATERALITY, ""]))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("scalp", ""), ("face", "")),
        (("shoulder", "left"), ("elbow", "right")),
        (("wrist", "left"), ("thumb", "right")),
        (("thumb", "left"), ("index_finger", "right")),
        (("little_finger", "left"), ("chest", "")),
        (("knee", "right"), ("knee", "midline")),
        (("knee", "midline"), ("knee", "left")),
        (("knee", "left"), ("knee", "")),
        (("knee", ""), ("ankle", "right")),
        (("sole", "left"), ("toe", "right")),
    ],
)
def test_head_to_foot_and_right_before_left(first, then):
    assert body_order(*first) < body_order(*then)


@given(PLACES, PLACES)
def test_only_the_same_place_has_the_same_key(one, other):
    assert (body_order(*one) == body_order(*other)) == (one == other)


@pytest.mark.parametrize("place", [("nose", "left"), ("knee", "both")])
def test_unknown_codes_are_refused(place):
    with pytest.raises((KeyError, ValueError)):
        body_order(*place)
