"""The outline of the body: every site has its place, and left is never right."""

from itertools import combinations
from math import dist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions import bodymap
from lesions.bodymap import MarkedLesion, agrees, outline, place, site_words
from lesions.figures import FIGURES, MIDDLE, PALMS, UNPAIRED, WIDTH, Place
from stsclinic.clinical.terms import BODY_SITE, LATERALITY

SIDES = [*LATERALITY, "", None]
TOUCHING = 14
"""Markers have a radius of 10.5 units; nearer than this, one would hide the words of another."""


def lesion(label="L01", site="knee", side="left", state="present", text="", put_at=None):
    put_at = Place.parse(put_at) if put_at else None
    return MarkedLesion(label, site, side, f"/lesions/{label}/", text, state, put_at=put_at)


def markers(found):
    codes = {marker.anchor: view.code for view in found.views for marker in view.markers}
    return {marker.words: (codes.get(marker.anchor), marker) for marker in found.markers}


def where(marker):
    return float(marker.x), float(marker.y)


@pytest.mark.parametrize("site", BODY_SITE)
def test_sides_mirror_each_other(site):
    left, right = place(site, "left"), place(site, "right")
    assert (left.figure, left.y) == (right.figure, right.y)
    assert left.x + right.x == 2 * MIDDLE
    assert (left.side, right.side) == ("left", "right")


def test_the_words_on_the_drawings_agree_with_the_sides():
    for view in outline([], every_view=True).views:
        side_of = FIGURES[view.code].side_of
        assert (view.viewer_left, view.viewer_right) == (
            LATERALITY[side_of(MIDDLE - 9)],
            LATERALITY[side_of(MIDDLE + 9)],
        )


@pytest.mark.parametrize("side", ["midline", "", None])
@pytest.mark.parametrize("site", BODY_SITE)
def test_without_a_side_a_lesion_is_on_neither(site, side):
    spot = place(site, side)
    assert (spot is None) == (site not in UNPAIRED)
    assert spot is None or spot.side == ""


@pytest.mark.parametrize(("site", "side"), [("nose", "left"), ("knee", "Left"), ("knee", "both")])
def test_an_unknown_code_is_refused(site, side):
    with pytest.raises(KeyError):
        place(site, side)


@pytest.mark.parametrize(
    ("site", "side", "words"),
    [
        ("index_finger", "left", "Left index finger"),
        ("index_finger", "right", "Right index finger"),
        ("chest", "midline", "Midline chest"),
        ("chest", "", "Chest"),
        ("knee", "", "Knee, side not recorded"),
        ("knee", None, "Knee, side not recorded"),
    ],
)
def test_places_in_words(site, side, words):
    assert site_words(site, side) == words


def test_a_marker_links_to_its_lesion_and_says_what_it_is():
    found = markers(outline([lesion("L02", "index_finger", "right", "ulcer", "nodule, 12 × 8 mm")]))
    view, marker = found["L02: Right index finger, nodule, 12 × 8 mm, with ulcer"]
    assert (view, marker.label, marker.url, marker.state) == (PALMS, "L02", "/lesions/L02/", "ulcer")


def test_lesions_of_one_place_are_fanned_out_each_with_its_state_and_a_line_to_the_place():
    states = ["present", "ulcer", "gone", "present", "ulcer"]
    found = outline(
        [lesion(f"L0{number}", "index_finger", "left", state) for number, state in enumerate(states)]
    )
    (hands,) = (view for view in found.views if view.code == PALMS)
    assert [marker.state for marker in hands.markers] == states
    spot = place("index_finger", "left")
    first, *others = hands.markers
    assert (where(first), first.line) == ((spot.x, spot.y), "")
    assert {marker.line for marker in others} == {f"{spot.x:g} {spot.y:g}"}
    for marker in hands.markers:
        area = FIGURES[PALMS].area_at(*where(marker))
        assert area is None or (area.site, area.side) == ("index_finger", "left")


def test_those_for_whom_there_is_no_room_are_one_marker_that_names_them():
    found = outline([lesion(f"L{number}", "chest", "midline") for number in range(40)])
    (front,) = (view for view in found.views if view.code == "front")
    *single, rest = front.markers
    assert {float(marker.x) for marker in front.markers} == {MIDDLE}
    assert len(single) + len(rest.lesions) == 40
    assert (rest.state, rest.label, rest.url) == ("many", f"+{len(rest.lesions)}", f"#{rest.anchor}")
    assert rest.words.startswith(f"Midline chest: {len(rest.lesions)} more lesions, L")


def test_lesions_without_a_side_stand_beside_the_body():
    found = outline(
        [lesion("L01", "knee", ""), *(lesion(f"F{number}", "forearm", "") for number in range(20))]
    )
    assert not [marker for view in found.views for marker in view.markers]
    first, *others = found.sideless.markers
    assert first.words == "L01: Knee, side not recorded"
    assert {marker.where for marker in others} == {"Forearm, side not recorded"}
    assert all(float(marker.y) < found.sideless.height - 10 for marker in found.sideless.markers)
    assert all(10 < float(marker.x) < WIDTH - 10 for marker in found.sideless.markers)


def test_a_long_lesion_id_turns_all_labels_into_numbers():
    found = outline([lesion("L01", "knee"), lesion("left-elbow-2", "elbow")])
    assert found.numbered
    assert {marker.label for marker in found.markers} == {"1", "2"}


def test_only_drawings_with_a_lesion_are_shown_beside_the_body_unless_all_are_wanted():
    lesions = [lesion("L01", "toe", "left")]
    assert [view.code for view in outline(lesions).views] == ["front", "back", "foot_tops"]
    assert [view.code for view in outline(lesions, every_view=True).views] == list(FIGURES)


def test_a_lesion_stands_where_it_was_put_whatever_its_site_is_called_now():
    put = lesion("L02", "knee", "left", put_at="palms,312,200")
    found = markers(outline([lesion("L01", "index_finger", "left"), put]))
    view, marker = found["L02: Left knee"]
    assert (view, where(marker), marker.line) == (PALMS, (312, 200), "")


def test_what_was_put_has_its_place_before_what_is_derived():
    spot = place("index_finger", "left")
    put = lesion("L02", "index_finger", "left", put_at=str(spot))
    found = markers(outline([lesion("L01", "index_finger", "left"), put]))
    assert where(found["L02: Left index finger"][1]) == (spot.x, spot.y)
    assert found["L01: Left index finger"][1].line == f"{spot.x:g} {spot.y:g}"


@pytest.mark.parametrize(
    ("put_at", "side", "agree"),
    [
        ("palms,48,200", "right", True),
        ("palms,48,200", "left", False),
        ("palms,48,200", "", False),
        ("palms,48,200", None, False),
        ("palms,48,200", "midline", False),
        ("hand_backs,48,200", "left", True),
        ("hand_backs,48,200", "right", False),
        ("front,180,120", "left", True),
        ("front,180,120", "right", True),
        ("front,180,120", "midline", True),
        ("front,175,120", "midline", True),
        ("front,174.9,120", "midline", False),
        ("front,179.9,120", "left", False),
        ("back,179.9,120", "left", True),
    ],
)
def test_a_place_agrees_with_its_own_side_alone(put_at, side, agree):
    assert agrees(Place.parse(put_at), side) is agree


@pytest.mark.parametrize("side", ["left", "", "midline"])
def test_a_place_on_the_other_side_than_the_recorded_one_is_not_shown(side):
    put = lesion("L01", "index_finger", side, put_at="palms,48,200")
    assert put.place == place("index_finger", side)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(BODY_SITE)),
            st.sampled_from(["left", "right", "midline", ""]),
            st.sampled_from(list(bodymap.STATES)),
            st.just(""),
            st.sampled_from([None, "palms,48,200", "palms,312,200", "back,170,120", "front,180,120"]),
        ),
        max_size=60,
    )
)
def test_every_lesion_is_shown_once_on_its_own_side_and_hides_no_other(rows):
    lesions = [lesion(f"L{number}", *row) for number, row in enumerate(rows)]
    found = outline(lesions)
    shown = [(one, marker) for marker in found.markers for _, one in marker.lesions]
    assert sorted(one.label for one, _ in shown) == sorted(one.label for one in lesions)
    for view in found.views:
        for marker in view.markers:
            x = float(marker.x)
            word = view.viewer_left if x < MIDDLE else view.viewer_right if x > MIDDLE else None
            for _, one in marker.lesions:
                expected = LATERALITY[one.laterality] if one.laterality in ("left", "right") else None
                assert word == expected or one.put_at is not None and abs(x - MIDDLE) <= 5
            assert 10 <= x <= WIDTH - 10
        alone = [marker for marker in view.markers if marker.state != "many"]
        for one, other in combinations(alone, 2):
            assert dist(where(one), where(other)) >= TOUCHING, (one, other)
    anchors = [marker.anchor for marker in found.markers]
    assert len(anchors) == len(set(anchors))
