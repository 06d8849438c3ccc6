"""The outline of the body: every site has its place, and left is never right."""

from itertools import combinations
from math import dist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions import bodymap
from lesions.bodymap import BACK, FRONT, MIDDLE, MarkedLesion, outline, place, site_words
from stsclinic.clinical.terms import BODY_SITE, LATERALITY

SIDES = [*LATERALITY, "", None]
UNPAIRED = {"scalp", "face", "neck", "chest", "abdomen", "upper_back", "lower_back", "groin"}
SEEN_FROM_BEHIND = {
    "scalp", "elbow", "hand_dorsum", "upper_back", "lower_back", "buttock", "popliteal_fossa", "heel", "sole",
}  # fmt: skip
ROOM = 16
"""Markers have a radius of 10.5 units; nearer than this, one would hide the words of another."""


def lesion(label="L01", site="knee", side="left", state="present", text=""):
    return MarkedLesion(label, site, side, f"/lesions/{label}/", text, state)


def markers(found):
    return {marker.words: (view.code, marker) for view in found.views for marker in view.markers}


@pytest.mark.parametrize("site", BODY_SITE)
@pytest.mark.parametrize("side", SIDES)
def test_every_site_and_side_has_a_place_on_the_drawing(site, side):
    spot = place(site, side)
    assert spot.view == (BACK if site in SEEN_FROM_BEHIND else FRONT)
    assert 10 < spot.x < bodymap.WIDTH - 10
    assert 10 < spot.y < bodymap.HEIGHT - 10


@pytest.mark.parametrize("site", BODY_SITE)
def test_sides_mirror_each_other(site):
    left, right = place(site, "left"), place(site, "right")
    assert left.y == right.y
    assert left.x + right.x == 2 * MIDDLE
    assert left.x != right.x


@pytest.mark.parametrize("site", BODY_SITE)
def test_from_the_front_the_patients_right_is_on_the_viewers_left_and_from_behind_it_is_not(site):
    right_is_viewers_left = place(site, "right").x < MIDDLE
    assert right_is_viewers_left == (site not in SEEN_FROM_BEHIND)


def test_the_words_on_the_drawing_agree_with_the_places():
    for view in outline([]).views:
        site = "knee" if view.code == FRONT else "elbow"
        sides = {place(site, side).x < MIDDLE: LATERALITY[side] for side in ("left", "right")}
        assert (view.viewer_left, view.viewer_right) == (sides[True], sides[False])


@pytest.mark.parametrize("side", ["midline", "", None])
@pytest.mark.parametrize("site", BODY_SITE)
def test_without_a_side_a_lesion_is_on_neither(site, side):
    spot = place(site, side)
    assert spot.x == MIDDLE
    assert spot.sided == (site in UNPAIRED)
    assert ((spot.x, spot.y) == bodymap.SIDELESS) == (site not in UNPAIRED)


@pytest.mark.parametrize("view", [FRONT, BACK])
def test_no_two_places_hide_each_other(view):
    spots = {place(site, side) for site in BODY_SITE for side in SIDES}
    for one, other in combinations([spot for spot in spots if spot.view == view], 2):
        assert dist((one.x, one.y), (other.x, other.y)) >= ROOM, (one, other)


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
    assert (view, marker.label, marker.url, marker.state) == (FRONT, "L02", "/lesions/L02/", "ulcer")


def test_several_lesions_at_one_place_are_one_marker_that_links_to_the_key():
    found = outline([lesion("L01"), lesion("L02", "elbow"), lesion("L03"), lesion("L04", state="gone")])
    _, marker = markers(found)["Left knee: 3 lesions, L01, L03, L04"]
    assert (marker.label, marker.state, marker.url) == ("×3", "many", f"#{marker.anchor}")
    assert [one.label for _, one in marker.lesions] == ["L01", "L03", "L04"]


def test_lesions_of_different_sites_without_a_side_are_told_apart_in_the_key():
    found = outline([lesion("L01", "knee", ""), lesion("L02", "forearm", "")])
    _, marker = markers(found)["Side not recorded: 2 lesions, L01, L02"]
    assert [one.words for _, one in marker.lesions] == [
        "Knee, side not recorded",
        "Forearm, side not recorded",
    ]
    assert [view.any_sideless for view in found.views] == [True, False]


def test_a_long_lesion_id_turns_all_labels_into_numbers():
    found = outline([lesion("L01", "knee"), lesion("left-elbow-2", "elbow")])
    assert found.numbered
    assert {marker.label for view in found.views for marker in view.markers} == {"1", "2"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(BODY_SITE)),
            st.sampled_from(["left", "right", "midline", ""]),
            st.sampled_from(list(bodymap.STATES)),
        ),
        max_size=60,
    )
)
def test_every_lesion_is_shown_once_on_its_own_side(rows):
    lesions = [lesion(f"L{number}", *row) for number, row in enumerate(rows)]
    found = outline(lesions)
    shown = [
        (one, view, marker) for view in found.views for marker in view.markers for _, one in marker.lesions
    ]
    assert sorted(one.label for one, _, _ in shown) == sorted(one.label for one in lesions)
    for one, view, marker in shown:
        x = float(marker.x)
        word = view.viewer_left if x < MIDDLE else view.viewer_right if x > MIDDLE else None
        expected = LATERALITY[one.laterality] if one.laterality in ("left", "right") else None
        assert word == expected
    anchors = [marker.anchor for view in found.views for marker in view.markers]
    assert len(anchors) == len(set(anchors))
