"""The six drawings of the body map, and which part of the body is at a point of them.

Body, hands and feet are each drawn twice: as the patient faces the viewer, so that the patient's RIGHT
is on the viewer's LEFT, and from behind, where it is the other way. Hands hang with the palm to the
front; so thumbs are outside, and big toes inside.

Every drawing is WIDTH units wide, and mirrored at MIDDLE. Only the viewer's left half is written down
here; a point of the body is given by its distance from the middle line. The outline of the body itself
is in templates/components/body_figure.html, drawn for this project as all of these are.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from stsclinic.clinical.terms import BODY_SITE, DIGITS

WIDTH = 360.0
MIDDLE = WIDTH / 2
"""The body's middle line."""
FRONT, BACK, PALMS, HAND_BACKS, FOOT_TOPS, SOLES = (
    "front",
    "back",
    "palms",
    "hand_backs",
    "foot_tops",
    "soles",
)
UNPAIRED = frozenset({"scalp", "face", "neck", "chest", "abdomen", "upper_back", "lower_back", "groin"})
"""Sites that the middle line runs through: there a lesion may lie on neither side."""
MIDLINE_WIDTH = 5.0
"""So far from the middle line, in units, a point of such a site is called midline."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Area:
    """A part of the body on a drawing.

    Attributes:
        site: a code of terms.BODY_SITE.
        part: what is said of it beside the site, such as "distal phalanx, palmar" (may be empty).
        side: "left" or "right".
        points: its outline, in units of the drawing.
    """

    site: str
    part: str
    side: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The outline as the `d` of an SVG path."""
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in self.points) + "z"

    @property
    def centre(self) -> Point:
        """The middle of its extent, to half a unit: inside, since every area is convex enough."""
        across, down = ([point[axis] for point in self.points] for axis in (0, 1))
        return round(min(across) + max(across)) / 2, round(min(down) + max(down)) / 2

    @property
    def words(self) -> str:
        """The part in words: "Right index finger, distal phalanx, palmar"."""
        place = f"{self.side.capitalize()} {BODY_SITE[self.site].lower()}"
        return f"{place}, {self.part}" if self.part else place

    def holds(self, x: float, y: float) -> bool:
        """Whether the point is in it, by the even-odd rule."""
        inside = False
        for (x1, y1), (x2, y2) in zip(self.points, (*self.points[1:], self.points[0]), strict=True):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
        return inside


@dataclass(frozen=True)
class Figure:
    """A drawing. `from_behind` says that the patient's left is on the viewer's left."""

    code: str
    title: str
    height: float
    from_behind: bool
    areas: tuple[Area, ...]

    @property
    def is_body(self) -> bool:
        """Whether it is the whole body; its outline is drawn more finely than its areas."""
        return self.code in (FRONT, BACK)

    def side_of(self, x: float) -> str:
        """The patient's side at `x`: "left", "right", or "" on the middle line."""
        if x == MIDDLE:
            return ""
        return "left" if (x < MIDDLE) == self.from_behind else "right"

    def area_at(self, x: float, y: float) -> Area | None:
        """The part of the body at a point; None beside the body."""
        return next((area for area in reversed(self.areas) if area.holds(x, y)), None)


@dataclass(frozen=True)
class Place:
    """A point of a drawing, to a tenth of a unit. `figure` is a code of FIGURES."""

    figure: str
    x: float
    y: float

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read `palms,82.5,140`.

        Raises:
            ValueError: not such a text, or no point of the drawing.
        """
        code, _, rest = text.partition(",")
        numbers = rest.split(",")
        if code not in FIGURES or len(numbers) != 2 or not text.isascii() or len(text) > 40:
            raise ValueError("This is no point of the body map.")
        x, y = (round(float(number), 1) for number in numbers)
        if not (0 <= x <= WIDTH and 0 <= y <= FIGURES[code].height):
            raise ValueError("This is no point of the body map.")
        return cls(code, x, y)

    def __str__(self) -> str:
        return f"{self.figure},{self.x:g},{self.y:g}"

    @property
    def side(self) -> str:
        """The patient's side there."""
        return FIGURES[self.figure].side_of(self.x)

    @property
    def area(self) -> Area | None:
        """The part of the body there."""
        return FIGURES[self.figure].area_at(self.x, self.y)

    @property
    def is_midline(self) -> bool:
        """Whether it is so near the middle line that a lesion there may be called midline."""
        return abs(self.x - MIDDLE) <= MIDLINE_WIDTH

    @property
    def named(self) -> dict[str, str]:
        """What the place suggests for a lesion's columns; empty beside the body."""
        area = self.area
        if area is None:
            return {}
        side = "midline" if self.is_midline and area.site in UNPAIRED else area.side
        return {"body_site": area.site, "laterality": side, "site_detail": area.part}


def _finger(base: Point, tip: Point, width: float, joints: Sequence[float]) -> list[list[Point]]:
    """The phalanges of a finger or toe from the palm to the rounded tip; joints are shares of its length."""
    length = math.dist(base, tip)
    along = ((tip[0] - base[0]) / length, (tip[1] - base[1]) / length)
    half = width / 2

    def at(share: float, aside: float) -> Point:
        x, y = (base[axis] + along[axis] * length * share for axis in (0, 1))
        return round(x - along[1] * aside, 1), round(y + along[0] * aside, 1)

    def half_at(share: float) -> float:
        return half * (1 - 0.14 * share)

    ends = [0.0, *joints, 1 - half_at(1) / length]
    parts = []
    for near, far in zip(ends, ends[1:], strict=False):
        parts.append(
            [
                at(near, half_at(near)),
                at(near, -half_at(near)),
                at(far, -half_at(far)),
                at(far, half_at(far)),
            ]
        )
    turn = half_at(1)
    rounded = [
        at(ends[-1] + turn * math.sin(angle) / length, -turn * math.cos(angle))
        for angle in (math.pi * step / 8 for step in range(1, 8))
    ]
    parts[-1] = parts[-1][:3] + rounded + parts[-1][3:]
    return parts


PHALANGES = {
    2: ("proximal phalanx", "distal phalanx"),
    3: ("proximal phalanx", "middle phalanx", "distal phalanx"),
}
_FINGER, _THUMB, _TOE = (0.42, 0.7), (0.5,), (0.36, 0.62)
_HAND: dict[str, tuple[Point, Point, float, Sequence[float]]] = {
    "thumb": ((57, 84), (17, 136), 29, _THUMB),
    "index_finger": ((63, 118), (47, 212), 26, _FINGER),
    "middle_finger": ((91, 123), (88, 226), 27, _FINGER),
    "ring_finger": ((119, 121), (127, 216), 26, _FINGER),
    "little_finger": ((144, 112), (163, 188), 23, _FINGER),
}
_PALM = [
    (70, 12), (126, 12), (130, 26), (142, 50), (152, 78), (157, 108), (133, 126), (105, 130), (77, 130),
    (50, 122), (48, 104), (41, 88), (52, 56), (64, 30),
]  # fmt: skip
_TOES: dict[str, tuple[Point, Point, float, Sequence[float]]] = {
    "little toe": ((32, 124), (24, 166), 22, _TOE),
    "fourth toe": ((54, 134), (48, 182), 22, _TOE),
    "third toe": ((77, 140), (74, 192), 22.5, _TOE),
    "second toe": ((101, 142), (102, 200), 23, _TOE),
    "big toe": ((133, 136), (138, 202), 38, (0.45,)),
}
_FOOT = [
    (60, 14), (106, 14), (114, 30), (118, 56), (128, 84), (146, 108), (153, 130), (150, 140), (116, 146),
    (90, 148), (66, 145), (42, 138), (21, 126), (26, 104), (38, 78), (48, 50), (52, 30),
]  # fmt: skip
_HEEL = [
    (60, 14), (106, 14), (114, 30), (117, 50), (49, 50), (52, 30),
]  # fmt: skip

_ARM = {
    "shoulder": [(46, 94), (58, 104), (66, 132), (42, 132), (44, 108)],
    "upper_arm": [(42, 132), (66, 132), (78, 178), (50, 178)],
    "forearm": [(56, 204), (84, 204), (92, 240), (70, 240)],
    "wrist": [(70, 240), (92, 240), (97, 256), (72, 256)],
}
_ELBOW = [(50, 178), (78, 178), (84, 204), (56, 204)]
_SMALL_HAND = [(72, 256), (97, 256), (101, 280), (90, 296), (74, 290)]
_LEG = {
    "lower_leg": [(9, 372), (39, 372), (41, 395), (30, 436), (11, 436)],
    "ankle": [(11, 436), (30, 436), (32, 458), (12, 458)],
}
_KNEE = [(10, 336), (41, 336), (39, 372), (9, 372)]
_SMALL_FOOT = [(12, 458), (32, 458), (41, 484), (12, 484)]
_BODY = {
    FRONT: {
        "face": [(0, 16), (20, 16), (21, 50), (14, 68), (0, 70)],
        "ear": [(20, 34), (33, 34), (33, 56), (18, 60)],
        "neck": [(0, 70), (14, 68), (18, 84), (22, 92), (0, 100)],
        "clavicle": [(0, 100), (22, 92), (46, 94), (44, 108), (0, 110)],
        **_ARM,
        "antecubital_fossa": _ELBOW,
        "palm": _SMALL_HAND,
        "chest": [(0, 110), (44, 108), (42, 140), (12, 142), (8, 166), (0, 166)],
        "breast": [(12, 142), (42, 140), (40, 168), (8, 166)],
        "abdomen": [(0, 166), (24, 167), (22, 232), (0, 236)],
        "flank": [(24, 167), (40, 168), (38, 190), (42, 215), (22, 215)],
        "hip": [(22, 215), (42, 215), (50, 262), (30, 256)],
        "groin": [(0, 236), (22, 232), (30, 256), (6, 268), (0, 264)],
        "thigh": [(6, 268), (30, 256), (50, 262), (46, 310), (41, 336), (10, 336), (2, 276)],
        "knee": _KNEE,
        **_LEG,
        "foot_dorsum": _SMALL_FOOT,
    },
    BACK: {
        "scalp": [(0, 16), (20, 16), (21, 50), (14, 66), (0, 68)],
        "neck": [(0, 68), (14, 66), (18, 84), (22, 92), (0, 98)],
        **_ARM,
        "elbow": _ELBOW,
        "hand_dorsum": _SMALL_HAND,
        "upper_back": [(0, 98), (22, 92), (46, 94), (44, 108), (42, 134), (38, 166), (0, 166)],
        "lower_back": [(0, 166), (38, 166), (38, 190), (42, 215), (44, 228), (0, 228)],
        "buttock": [(0, 228), (44, 228), (50, 262), (30, 276), (2, 276)],
        "thigh": [(2, 276), (30, 276), (50, 262), (46, 310), (41, 336), (10, 336)],
        "popliteal_fossa": _KNEE,
        **_LEG,
        "heel": _SMALL_FOOT,
    },
}

Half = tuple[str, str, Sequence[Point]]
"""A part of the viewer's left half: site, what else is said, outline."""


def _hands(of_hand: str, surface: str) -> Iterable[Half]:
    yield of_hand, "", _PALM
    for site, finger in _HAND.items():
        parts = _finger(*finger)
        for part, points in zip(PHALANGES[len(parts)], parts, strict=True):
            yield site, f"{part}, {surface}", points


def _feet(of_foot: str, surface: str) -> Iterable[Half]:
    yield of_foot, "", _FOOT
    if of_foot == "sole":
        yield "heel", "", _HEEL
    for toe, drawn in _TOES.items():
        parts = _finger(*drawn)
        for part, points in zip(PHALANGES[len(parts)], parts, strict=True):
            yield "toe", f"{toe}, {part}, {surface}", points


def _figure(code: str, title: str, height: float, half: Iterable[Half]) -> Figure:
    from_behind = code in (BACK, HAND_BACKS, SOLES)
    near, far = ("left", "right") if from_behind else ("right", "left")
    areas = []
    for site, part, points in half:
        mirrored = tuple((WIDTH - x, y) for x, y in points)
        areas += [Area(site, part, near, tuple(points)), Area(site, part, far, mirrored)]
    return Figure(code, title, height, from_behind, tuple(areas))


def _body(code: str, title: str) -> Figure:
    half = ((site, "", [(MIDDLE - aside, y) for aside, y in points]) for site, points in _BODY[code].items())
    return _figure(code, title, 490, half)


FIGURES = {
    figure.code: figure
    for figure in (
        _body(FRONT, "Front"),
        _body(BACK, "Back"),
        _figure(PALMS, "Hands, palms", 245, _hands("palm", "palmar")),
        _figure(HAND_BACKS, "Hands, backs", 245, _hands("hand_dorsum", "dorsal")),
        _figure(FOOT_TOPS, "Feet, tops", 240, _feet("foot_dorsum", "dorsal")),
        _figure(SOLES, "Feet, soles", 240, _feet("sole", "plantar")),
    )
}
FIGURE = {code: figure.title for code, figure in FIGURES.items()}
"""The vocabulary of the column."""


@cache
def site_middle(site: str) -> tuple[str, Point]:
    """The drawing on which a site stands whose lesion has no place of its own, and its middle on the viewer's left.

    Fingers stand on the palms; which toe it is, is not known, so it stands below them all.

    Raises:
        KeyError: an unknown site.
    """
    if site in _HAND:
        base, tip, *_ = _HAND[site]
        return PALMS, (round((base[0] + tip[0]) / 2), round((base[1] + tip[1]) / 2))
    if site == "toe":
        return FOOT_TOPS, (77.0, 207.0)
    for code in (PALMS, HAND_BACKS, FOOT_TOPS, SOLES, FRONT, BACK):
        for area in FIGURES[code].areas:
            if area.site == site and site not in DIGITS:
                return code, area.centre
    raise KeyError(site)
