"""Where a lesion stands on the outline of a body, seen from the front and from the back.

The front view looks at the patient: the patient's RIGHT is on the viewer's LEFT. The back view is the
other way. Hands and feet are drawn again, larger, beside the legs: most lesions are there, and a
finger of the figure itself would be too small for a marker. In both views the palms face forward, so
the front shows the palms and the back the backs of the hands.

Coordinates are units of the drawing in templates/components/body_figure.html, 360 wide and 590 high.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from stsclinic.clinical.terms import BODY_SITE, LATERALITY

WIDTH, HEIGHT = 360, 590
MIDDLE = WIDTH / 2
"""The body's middle line."""
FRONT, BACK = "front", "back"
SIDELESS = (MIDDLE, 545.0)
"""Where a lesion of a paired site stands whose side is not recorded: on neither side, in both views."""
LONGEST_LABEL = 3
"""Characters that fit in a marker; with a longer lesion ID among them, all markers bear numbers."""

SMALLEST_RING, RING_PER_MM, LARGEST_MM = 11.5, 0.14, 60.0
"""A lesion of 60 mm and more has the widest ring; a true measure would hide the hand that it is on."""

STATES = {"present": "", "ulcer": "with ulcer", "gone": "gone"}
"""How a lesion is drawn, and what is said about it."""


@dataclass(frozen=True)
class _Site:
    """A site's view, its distance from the middle line and its height; its own middle where it has one."""

    view: str
    aside: float
    y: float
    middle_y: float | None = None


_SITES = {
    "scalp": _Site(BACK, 11, 44, 25),
    "face": _Site(FRONT, 11, 57, 36),
    "ear": _Site(FRONT, 29, 44),
    "neck": _Site(FRONT, 14, 82, 92),
    "clavicle": _Site(FRONT, 31, 102),
    "shoulder": _Site(FRONT, 52, 114),
    "upper_arm": _Site(FRONT, 57, 148),
    "elbow": _Site(BACK, 68, 190),
    "antecubital_fossa": _Site(FRONT, 67, 190),
    "forearm": _Site(FRONT, 74, 218),
    "wrist": _Site(FRONT, 82, 247),
    "hand_dorsum": _Site(BACK, 109, 356),
    "palm": _Site(FRONT, 109, 356),
    "thumb": _Site(FRONT, 163, 377),
    "index_finger": _Site(FRONT, 140, 416),
    "middle_finger": _Site(FRONT, 115, 427),
    "ring_finger": _Site(FRONT, 90, 419),
    "little_finger": _Site(FRONT, 66, 401),
    "chest": _Site(FRONT, 20, 126, 114),
    "breast": _Site(FRONT, 25, 151),
    "abdomen": _Site(FRONT, 13, 203, 184),
    "flank": _Site(FRONT, 33, 184),
    "upper_back": _Site(BACK, 22, 128, 108),
    "lower_back": _Site(BACK, 17, 196, 216),
    "groin": _Site(FRONT, 18, 256, 244),
    "hip": _Site(FRONT, 41, 236),
    "buttock": _Site(BACK, 22, 250),
    "thigh": _Site(FRONT, 25, 302),
    "knee": _Site(FRONT, 24, 354),
    "popliteal_fossa": _Site(BACK, 24, 354),
    "lower_leg": _Site(FRONT, 23, 402),
    "ankle": _Site(FRONT, 21, 447),
    "heel": _Site(BACK, 113, 494),
    "foot_dorsum": _Site(FRONT, 113, 510),
    "sole": _Site(BACK, 113, 522),
    "toe": _Site(FRONT, 113, 546),
}


@dataclass(frozen=True)
class Place:
    """A point of one view. `sided` is false for a paired site without a side: it stands in the middle, below."""

    view: str
    x: float
    y: float
    sided: bool = True


@dataclass(frozen=True)
class MarkedLesion:
    """A lesion to be shown.

    Attributes:
        label: the lesion ID.
        body_site, laterality: codes of terms.py; an empty laterality is not recorded.
        url: the lesion's page.
        text: what else there is to say in a line, such as "nodule, 12 x 8 mm" (may be empty).
        state: "present", "ulcer" or "gone".
    """

    label: str
    body_site: str
    laterality: str
    url: str
    text: str = ""
    state: str = "present"
    longest_mm: Decimal | None = None
    """In mm; draws a ring round the marker, the wider the longer."""
    was_treated: bool = False

    @property
    def ring(self) -> str:
        """The ring's radius as text in units of the drawing; empty without a size."""
        if not self.longest_mm:
            return ""
        return f"{SMALLEST_RING + min(float(self.longest_mm), LARGEST_MM) * RING_PER_MM:g}"

    @property
    def words(self) -> str:
        """The lesion in words, without its ID: "Left index finger, nodule, gone"."""
        said = (site_words(self.body_site, self.laterality), self.text, STATES[self.state])
        return ", ".join(part for part in said if part)


@dataclass(frozen=True)
class Marker:
    """A marker of one view: one lesion, or several that lie at one place.

    Attributes:
        x, y: its centre, as text.
        label: what it bears: a lesion's ID or number, or "×3" for three lesions.
        words: its text alternative.
        url: the lesion's page, or "#" and `anchor` where there are several.
        anchor: the id of its entry in the key.
        place: where it is, in words.
        state: of one lesion; of several "many".
        lesions: those that it stands for, as (number, MarkedLesion).
    """

    x: str
    y: str
    label: str
    words: str
    url: str
    anchor: str
    place: str
    state: str
    lesions: tuple[tuple[int, MarkedLesion], ...]


@dataclass(frozen=True)
class View:
    """One view with its markers; `viewer_left` and `viewer_right` are the patient's sides there."""

    code: str
    title: str
    viewer_left: str
    viewer_right: str
    hand: str
    foot: str
    markers: tuple[Marker, ...]
    any_sideless: bool


@dataclass(frozen=True)
class Outline:
    """Both views; `numbered` where the markers bear numbers, since a lesion ID is too long for one."""

    views: tuple[View, ...]
    numbered: bool
    states: frozenset[str]
    any_treated: bool = False


def place(body_site: str, laterality: str | None) -> Place:
    """Where a lesion stands.

    An unpaired site (chest, scalp …) without a side stands in the body's middle; a paired one
    stands below the figure, so that a side is never guessed.

    Raises:
        KeyError: an unknown body site or laterality.
    """
    site = _SITES[body_site]
    if laterality in ("left", "right"):
        viewer_left = (laterality == "right") == (site.view == FRONT)
        return Place(site.view, MIDDLE - site.aside if viewer_left else MIDDLE + site.aside, site.y)
    if laterality and laterality not in LATERALITY:
        raise KeyError(laterality)
    if site.middle_y is None:
        return Place(site.view, *SIDELESS, sided=False)
    return Place(site.view, MIDDLE, site.middle_y)


def site_words(body_site: str, laterality: str | None) -> str:
    """The place in words: "Left index finger", "Chest"; a paired site without a side says so.

    Raises:
        KeyError: an unknown body site or laterality.
    """
    site = BODY_SITE[body_site]
    if laterality:
        return f"{LATERALITY[laterality]} {site.lower()}"
    return site if place(body_site, laterality).sided else f"{site}, side not recorded"


def outline(lesions: Iterable[MarkedLesion], prefix: str = "place") -> Outline:
    """Both views with a marker for every place that has a lesion.

    Args:
        lesions: in the order in which they are numbered and listed.
        prefix: begins the ids of the key's entries; unique on the page.
    """
    numbered = list(enumerate(lesions, start=1))
    with_numbers = any(len(lesion.label) > LONGEST_LABEL for _, lesion in numbered)
    grouped: dict[Place, list[tuple[int, MarkedLesion]]] = {}
    for number, lesion in numbered:
        grouped.setdefault(place(lesion.body_site, lesion.laterality), []).append((number, lesion))
    markers: dict[str, list[Marker]] = {FRONT: [], BACK: []}
    for spot, group in grouped.items():
        anchor = f"{prefix}-{group[0][0]}"
        markers[spot.view].append(_marker(spot, group, anchor, with_numbers))
    sideless = {spot.view for spot in grouped if not spot.sided}
    views = (
        View(FRONT, "Front", "Right", "Left", "palm", "top", tuple(markers[FRONT]), FRONT in sideless),
        View(BACK, "Back", "Left", "Right", "back", "sole", tuple(markers[BACK]), BACK in sideless),
    )
    return Outline(
        views,
        with_numbers,
        frozenset(lesion.state for _, lesion in numbered),
        any(lesion.was_treated for _, lesion in numbered),
    )


def _marker(spot: Place, group: list[tuple[int, MarkedLesion]], anchor: str, with_numbers: bool) -> Marker:
    number, first = group[0]
    x, y = f"{spot.x:g}", f"{spot.y:g}"
    if len(group) == 1:
        label = str(number) if with_numbers else first.label
        where = site_words(first.body_site, first.laterality)
        return Marker(
            x,
            y,
            label,
            f"{first.label}: {first.words}",
            first.url,
            anchor,
            where,
            first.state,
            ((number, first),),
        )
    where = site_words(first.body_site, first.laterality) if spot.sided else "Side not recorded"
    listed = ", ".join(lesion.label for _, lesion in group)
    words = f"{where}: {len(group)} lesions, {listed}"
    return Marker(x, y, f"×{len(group)}", words, f"#{anchor}", anchor, where, "many", tuple(group))
