"""The drawings of the body map: each part of the body is where it is called, and left is never right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions.figures import (
    BACK,
    FIGURES,
    FOOT_TOPS,
    FRONT,
    HAND_BACKS,
    MIDDLE,
    PALMS,
    SOLES,
    UNPAIRED,
    WIDTH,
    Place,
    site_middle,
)  # fmt: skip
from stsclinic.clinical.terms import BODY_SITE

AREAS = [(figure, area) for figure in FIGURES.values() for area in figure.areas]
NAMES = [f"{figure.code} {area.words}" for figure, area in AREAS]
PHALANGES = {"proximal phalanx", "middle phalanx", "distal phalanx"}
points = st.builds(
    lambda code, x, share: Place(code, round(x, 1), round(share * FIGURES[code].height, 1)),
    st.sampled_from(sorted(FIGURES)),
    st.floats(0, WIDTH),
    st.floats(0, 1),
)


@pytest.mark.parametrize(("figure", "area"), AREAS, ids=NAMES)
def test_the_middle_of_a_part_is_that_part_on_its_own_side(figure, area):
    x, y = area.centre
    assert figure.area_at(x, y) is area
    assert figure.side_of(x) == area.side
    assert min(x for x, _ in area.points) >= 0
    assert max(x for x, _ in area.points) <= WIDTH
    assert all(0 <= y <= figure.height for _, y in area.points)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_facing_the_viewer_the_patients_right_is_on_the_left_and_from_behind_it_is_not(figure):
    faces_the_viewer = figure.code in (FRONT, PALMS, FOOT_TOPS)
    assert figure.side_of(MIDDLE - 1) == ("right" if faces_the_viewer else "left")
    assert figure.side_of(MIDDLE + 1) == ("left" if faces_the_viewer else "right")
    assert figure.side_of(MIDDLE) == ""


@given(points)
def test_the_mirrored_point_is_the_same_part_of_the_other_side(place):
    figure = FIGURES[place.figure]
    area, mirrored = place.area, figure.area_at(WIDTH - place.x, place.y)
    if area is None or place.is_midline:
        return
    # A point on an edge may fall to either side of it.
    near = {figure.area_at(WIDTH - place.x + step, place.y) for step in (-0.1, 0, 0.1)} | {mirrored}
    assert (area.site, area.part) in {(one.site, one.part) for one in near if one}
    assert area.side == figure.side_of(place.x)


@given(points)
def test_a_place_is_read_as_it_was_written(place):
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "text",
    [
        "", "palms", "palms,1", "palms,1,2,3", "hands,1,2", "palms,-1,2", "palms,361,2", "palms,1,246", "front,1,491",
        "palms,nan,2", "palms,1,inf", "palms,x,2", "palms,٣,2", "palms,1," + "0" * 50, "palms,1\x00,2", ",1,2",
    ],
)  # fmt: skip
def test_what_is_no_point_of_a_drawing_is_refused(text):
    with pytest.raises(ValueError, match="no point|could not convert"):
        Place.parse(text)


@pytest.mark.parametrize(("code", "surface"), [(PALMS, "palmar"), (HAND_BACKS, "dorsal")])
def test_each_finger_has_its_phalanges_on_both_hands(code, surface):
    for side in ("left", "right"):
        parts = {
            (area.site, area.part.removesuffix(f", {surface}"))
            for area in FIGURES[code].areas
            if area.side == side and area.part
        }
        fingers = {"index_finger", "middle_finger", "ring_finger", "little_finger"}
        expected = {(finger, phalanx) for finger in fingers for phalanx in PHALANGES}
        assert parts == expected | {("thumb", "proximal phalanx"), ("thumb", "distal phalanx")}


@pytest.mark.parametrize(("code", "surface"), [(FOOT_TOPS, "dorsal"), (SOLES, "plantar")])
def test_each_toe_has_its_phalanges(code, surface):
    parts = [area.part for area in FIGURES[code].areas if area.side == "left" and area.site == "toe"]
    toes = ("second", "third", "fourth", "little")
    expected = {f"{toe} toe, {phalanx}, {surface}" for toe in toes for phalanx in PHALANGES}
    expected |= {f"big toe, {phalanx} phalanx, {surface}" for phalanx in ("proximal", "distal")}
    assert sorted(parts) == sorted(expected)


def aside(code: str, *said: str) -> float:
    """How far from the middle line a part is."""
    return next(
        abs(area.centre[0] - MIDDLE)
        for area in FIGURES[code].areas
        if said == (area.site, area.part.split(",")[0]) or said == (area.site,)
    )


@pytest.mark.parametrize("code", [PALMS, HAND_BACKS])
def test_with_palms_to_the_front_the_thumb_is_outside(code):
    fingers = ("thumb", "index_finger", "middle_finger", "ring_finger", "little_finger")
    distances = [aside(code, finger) for finger in fingers]
    assert distances == sorted(distances, reverse=True)


@pytest.mark.parametrize("code", [FOOT_TOPS, SOLES])
def test_the_big_toe_is_inside(code):
    toes = ("big toe", "second toe", "third toe", "fourth toe", "little toe")
    distances = [aside(code, "toe", toe) for toe in toes]
    assert distances == sorted(distances)


@pytest.mark.parametrize("site", BODY_SITE)
def test_every_site_is_drawn_and_has_a_middle_of_its_own(site):
    code, (x, y) = site_middle(site)
    area = FIGURES[code].area_at(x, y)
    # Which toe is not known: below all of them, and on none.
    assert (area.site if area else None) == (None if site == "toe" else site)


def test_there_is_no_middle_of_an_unknown_site():
    with pytest.raises(KeyError):
        site_middle("nose")


@pytest.mark.parametrize(
    ("text", "site", "side", "detail"),
    [
        ("palms,48,200", "index_finger", "right", "distal phalanx, palmar"),
        ("palms,312,200", "index_finger", "left", "distal phalanx, palmar"),
        ("hand_backs,48,200", "index_finger", "left", "distal phalanx, dorsal"),
        ("hand_backs,312,200", "index_finger", "right", "distal phalanx, dorsal"),
        ("palms,90,150", "middle_finger", "right", "proximal phalanx, palmar"),
        ("soles,135,190", "toe", "left", "big toe, distal phalanx, plantar"),
        ("foot_tops,135,190", "toe", "right", "big toe, distal phalanx, dorsal"),
        ("back,113,191", "elbow", "left", ""),
        ("front,113,191", "antecubital_fossa", "right", ""),
        ("front,180,120", "chest", "midline", ""),
        ("front,176,120", "chest", "midline", ""),
        ("front,170,120", "chest", "right", ""),
        ("front,177,300", None, None, None),
    ],
)
def test_a_place_is_named(text, site, side, detail):
    named = Place.parse(text).named
    assert named == ({"body_site": site, "laterality": side, "site_detail": detail} if site else {})


@given(points)
def test_the_name_never_says_the_other_side(place):
    side = place.named.get("laterality")
    assert side in (None, place.side, "midline")
    if side == "midline":
        assert place.is_midline
        assert place.named["body_site"] in UNPAIRED


def test_back_and_front_name_what_is_seen_from_there():
    seen = {code: {area.site for area in FIGURES[code].areas} for code in (FRONT, BACK)}
    assert not {"elbow", "popliteal_fossa", "upper_back", "buttock", "scalp"} & seen[FRONT]
    assert not {"antecubital_fossa", "knee", "chest", "face", "abdomen"} & seen[BACK]
