"""The ruler of a photograph: proportion, and what is no marker."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stsclinic.clinical.ruler import LONGEST_SHARE, ROUND_MM, SHORTEST_PX, Point, Scale, between_px


@pytest.mark.parametrize(
    ("first", "second", "px"),
    [((0, 0), (3, 4), "5"), ((10, 10), (10, 10), "0"), ((5, 1), (1, 1), "4"), ((0, 9), (0, 2), "7")],
)
def test_how_far_apart(first, second, px):
    one, other = Point(*map(D, first)), Point(*map(D, second))
    assert between_px(one, other) == between_px(other, one) == D(px)


@pytest.mark.parametrize(
    ("marker_px", "marker_mm", "length_px", "mm"),
    [
        ("200", "10", "100", "5.0"),
        ("200", "10", "0", "0.0"),
        ("30", "10", "10", "3.3"),
        ("4", "20", "1", "5.0"),
    ],
)
def test_a_length_in_mm(marker_px, marker_mm, length_px, mm):
    assert Scale(D(marker_px), D(marker_mm)).mm(D(length_px)) == D(mm)


@pytest.mark.parametrize(("px", "mm"), [("3.99", "10"), ("0", "10"), ("100", "0"), ("100", "-1")])
def test_what_is_no_marker(px, mm):
    with pytest.raises(ValueError, match="length"):
        Scale(D(px), D(mm))
    Scale(SHORTEST_PX, D("0.1"))


@pytest.mark.parametrize(
    ("marker_px", "marker_mm", "width", "ruler"),
    [
        ("100", "10", 1000, "50"),
        ("100", "10", 999, "20"),
        ("1000", "10", 1000, "5"),
        ("1000", "1", 1000, None),
    ],
)
def test_the_longest_round_ruler_that_fits(marker_px, marker_mm, width, ruler):
    assert Scale(D(marker_px), D(marker_mm)).ruler_mm(width) == (D(ruler) if ruler else None)


@given(some.integers(4, 9000), some.integers(1, 1000), some.integers(1, 9000))
def test_the_marker_measures_itself_and_the_ruler_fits(px, mm, width):
    scale = Scale(D(px), D(mm))
    assert scale.mm(D(px)) == D(mm)
    ruler = scale.ruler_mm(width)
    if ruler is not None:
        assert ruler in ROUND_MM
        assert scale.px(ruler) <= width * LONGEST_SHARE
