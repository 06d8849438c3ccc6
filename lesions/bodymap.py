"""A patient's lesions on the drawings of lesions/figures.py, each with a marker of its own.

A lesion stands where somebody put it; without a place of its own, or where its recorded side has changed
since, it stands at the middle of its body site. Those that would lie on each other are fanned out, each
with a line to its place and never across the body's middle. What has no side lies on no side.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache

from lesions.figures import FIGURES, MIDDLE, UNPAIRED, WIDTH, Area, Place, site_middle
from stsclinic.clinical.terms import BODY_SITE, LATERALITY

LONGEST_LABEL = 3
"""Characters that fit in a marker; with a longer lesion ID among them, all markers bear numbers."""
APART, STEP, FARTHEST = 19.0, 21.0, 110.0
"""Markers have a radius of 10.5 units: how near two may lie, and how and how far they are fanned out."""
EDGE = 12.0
"""How far a marker stays from the edge of the drawing and, when it is fanned out, from the body's middle."""
IN_A_ROW = 14
"""Markers in one row of those that have no side."""

SMALLEST_RING, RING_PER_MM, LARGEST_MM = 11.5, 0.14, 60.0
"""A lesion of 60 mm and more has the widest ring; a true measure would hide the hand that it is on."""

STATES = {"present": "", "ulcer": "with ulcer", "gone": "gone"}
"""How a lesion is drawn, and what is said about it."""


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
    put_at: Place | None = None
    """Where somebody put it."""
    pk: int | None = None

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

    @property
    def place(self) -> Place | None:
        """Where it belongs on the drawings; None for a paired site without a side."""
        if self.put_at is not None and agrees(self.put_at, self.laterality):
            return self.put_at
        return place(self.body_site, self.laterality)


@dataclass(frozen=True)
class Marker:
    """A marker: one lesion, or those for which there was no more room at one place.

    Attributes:
        x, y: its centre, as text.
        label: what it bears: a lesion's ID or number, or "+3" for three more lesions.
        words: its text alternative.
        url: the lesion's page, or "#" and `anchor` where there are several.
        anchor: the id of its entry in the key.
        where: where it is, in words.
        state: of one lesion; of several "many".
        lesions: those that it stands for, as (number, MarkedLesion).
        line: the place that it belongs to, as "x y", where it had to be put aside.
    """

    x: str
    y: str
    label: str
    words: str
    url: str
    anchor: str
    where: str
    state: str
    lesions: tuple[tuple[int, MarkedLesion], ...]
    line: str = ""


@dataclass(frozen=True)
class View:
    """One drawing with its markers; `viewer_left` and `viewer_right` are the patient's sides there."""

    code: str
    title: str
    viewer_left: str
    viewer_right: str
    height: float
    is_body: bool
    drawn: str
    """The parts of hands or feet as the `d` of a path."""
    areas: tuple[Area, ...]
    markers: tuple[Marker, ...]


@dataclass(frozen=True)
class Sideless:
    """Markers of lesions whose side is not recorded, in rows beside the body."""

    height: float
    markers: tuple[Marker, ...]


@dataclass(frozen=True)
class Outline:
    """The drawings; `numbered` where the markers bear numbers, since a lesion ID is too long for one."""

    views: tuple[View, ...]
    sideless: Sideless | None
    numbered: bool
    states: frozenset[str]
    any_treated: bool = False

    @property
    def markers(self) -> tuple[Marker, ...]:
        """All of them, as the drawings follow each other."""
        drawn = tuple(marker for view in self.views for marker in view.markers)
        return drawn + (self.sideless.markers if self.sideless else ())


def place(body_site: str, laterality: str | None) -> Place | None:
    """The middle of a site on its side.

    An unpaired site (chest, scalp …) without a side is on the body's middle line. A paired one has no
    place then, so that a side is never guessed.

    Raises:
        KeyError: an unknown body site or laterality.
    """
    figure, (x, y) = site_middle(body_site)
    if laterality in ("left", "right"):
        here = FIGURES[figure].side_of(x) == laterality
        return Place(figure, x if here else WIDTH - x, y)
    if laterality and laterality not in LATERALITY:
        raise KeyError(laterality)
    return Place(figure, MIDDLE, y) if body_site in UNPAIRED else None


def agrees(put_at: Place, laterality: str | None) -> bool:
    """Whether a lesion of this side may lie at a place: left on the left, and what has no side in the middle."""
    if laterality in ("left", "right"):
        return put_at.side in (laterality, "")
    return put_at.is_midline


def site_words(body_site: str, laterality: str | None) -> str:
    """The place in words: "Left index finger", "Chest"; a paired site without a side says so.

    Raises:
        KeyError: an unknown body site or laterality.
    """
    site = BODY_SITE[body_site]
    if laterality:
        return f"{LATERALITY[laterality]} {site.lower()}"
    return site if body_site in UNPAIRED else f"{site}, side not recorded"


def outline(lesions: Iterable[MarkedLesion], prefix: str = "place", *, every_view: bool = False) -> Outline:
    """The drawings with a marker for each lesion.

    Args:
        lesions: in the order in which they are numbered and listed.
        prefix: begins the ids of the key's entries; unique on the page.
        every_view: also the hands and feet on which nothing is.
    """
    numbered = list(enumerate(lesions, start=1))
    with_numbers = any(len(lesion.label) > LONGEST_LABEL for _, lesion in numbered)
    layout = _Layout(prefix, with_numbers)
    # What somebody put has its place before what is only derived.
    for number, lesion in sorted(numbered, key=lambda one: one[1].place != one[1].put_at):
        layout.add(number, lesion)
    markers = layout.markers()
    views = []
    for code, figure in FIGURES.items():
        if figure.is_body or every_view or markers[code]:
            sides = ("Left", "Right") if figure.from_behind else ("Right", "Left")
            drawn, shown = _drawn(code), tuple(markers[code])
            views.append(
                View(code, figure.title, *sides, figure.height, figure.is_body, drawn, figure.areas, shown)
            )
    return Outline(
        tuple(views),
        layout.sideless(),
        with_numbers,
        frozenset(lesion.state for _, lesion in numbered),
        any(lesion.was_treated for _, lesion in numbered),
    )


@cache
def _drawn(code: str) -> str:
    figure = FIGURES[code]
    return "" if figure.is_body else "".join(area.path for area in figure.areas)


class _Layout:
    """Gives each lesion a free point near its place, as long as there is one."""

    def __init__(self, prefix: str, with_numbers: bool):
        self.prefix, self.with_numbers = prefix, with_numbers
        self.taken: dict[str, list[tuple[float, float]]] = {code: [] for code in FIGURES}
        self.free: dict[tuple[Place, str], Iterator[tuple[float, float]]] = {}
        self.single: dict[str, list[Marker]] = {code: [] for code in FIGURES}
        self.more: dict[Place, list[tuple[int, MarkedLesion]]] = {}
        self.without: list[tuple[int, MarkedLesion]] = []

    def add(self, number: int, lesion: MarkedLesion) -> None:
        spot = lesion.place
        if spot is None:
            self.without.append((number, lesion))
            return
        spots = self.free.setdefault((spot, lesion.body_site), iter(_points_near(spot, lesion.body_site)))
        taken = self.taken[spot.figure]
        for point in spots:
            if all(math.dist(point, other) >= APART for other in taken):
                taken.append(point)
                line = "" if point == (spot.x, spot.y) else f"{spot.x:g} {spot.y:g}"
                self.single[spot.figure].append(self._marker(number, lesion, point, line))
                return
        self.more.setdefault(spot, []).append((number, lesion))

    def markers(self) -> dict[str, list[Marker]]:
        """The markers of each drawing, as their lesions are numbered; then those that stand for several."""
        found = {code: sorted(ones, key=lambda one: one.lesions[0][0]) for code, ones in self.single.items()}
        for spot, group in self.more.items():
            found[spot.figure].append(self._rest(spot, group))
        return found

    def sideless(self) -> Sideless | None:
        """Rows of those that have no side."""
        if not self.without:
            return None
        markers = tuple(
            self._marker(
                number, lesion, (25.0 + 24 * (index % IN_A_ROW), 16.0 + 26 * (index // IN_A_ROW)), ""
            )
            for index, (number, lesion) in enumerate(self.without)
        )
        return Sideless(32 + 26 * ((len(markers) - 1) // IN_A_ROW), markers)

    def _marker(self, number: int, lesion: MarkedLesion, at: tuple[float, float], line: str) -> Marker:
        return Marker(
            f"{at[0]:g}",
            f"{at[1]:g}",
            str(number) if self.with_numbers else lesion.label,
            f"{lesion.label}: {lesion.words}",
            lesion.url,
            f"{self.prefix}-{number}",
            site_words(lesion.body_site, lesion.laterality),
            lesion.state,
            ((number, lesion),),
            line,
        )

    def _rest(self, spot: Place, group: Sequence[tuple[int, MarkedLesion]]) -> Marker:
        one = self._marker(*group[0], (spot.x, spot.y), "")
        listed = ", ".join(lesion.label for _, lesion in group)
        words = f"{one.where}: {len(group)} more lesions, {listed}"
        label = f"+{len(group)}"
        return replace(
            one, label=label, words=words, url=f"#{one.anchor}", state="many", lesions=tuple(group)
        )


@cache
def _fan() -> tuple[tuple[float, float], ...]:
    """Steps to the points of a hexagonal grid, the nearest first."""
    reach = int(FARTHEST / STEP) + 1
    steps = [
        ((row % 2) * STEP / 2 + column * STEP, row * STEP * math.sqrt(3) / 2)
        for row in range(-2 * reach, 2 * reach + 1)
        for column in range(-2 * reach, 2 * reach + 1)
    ]
    # Turned by a right angle: a finger is longer than wide.
    turned = [(round(y, 1), round(x, 1)) for x, y in steps if math.hypot(x, y) <= FARTHEST]
    return tuple(sorted(turned, key=lambda step: (round(math.hypot(*step), 1), step)))


def _points_near(spot: Place, site: str) -> Iterator[tuple[float, float]]:
    yield spot.x, spot.y
    yield from _points_around(spot, site)


@lru_cache(maxsize=1000)
def _points_around(spot: Place, site: str) -> tuple[tuple[float, float], ...]:
    """Points around a place on the same site, then beside the body; never on another part of it."""
    figure = FIGURES[spot.figure]
    on_it, beside = [], []
    for across, down in _fan():
        x, y = round(spot.x + across, 1), round(spot.y + down, 1)
        if (across, down) == (0, 0) or not (EDGE <= x <= WIDTH - EDGE and EDGE <= y <= figure.height - EDGE):
            continue
        if spot.side == "":
            is_on_its_side = x == MIDDLE
        else:
            is_on_its_side = figure.side_of(x) == spot.side and abs(x - MIDDLE) >= EDGE
        if not is_on_its_side:
            continue
        area = figure.area_at(x, y)
        if area is not None and area.site == site:
            on_it.append((x, y))
        elif area is None:
            beside.append((x, y))
    return (*on_it, *beside)
