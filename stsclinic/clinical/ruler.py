"""How long is something on a photograph, by a marker of known length beside it?

Plain proportion in the plane of the picture: it holds for what lies as far from the camera as the marker, and as
flat. It is arithmetic to look at and is never a measure of the sheet by itself.
"""

from dataclasses import dataclass
from decimal import Decimal

SHORTEST_PX = Decimal(4)
"""Two points nearer than this are one point: a slip of the finger, no marker."""
ROUND_MM = tuple(Decimal(length) for length in (1, 2, 5, 10, 20, 50, 100, 200, 500))
LONGEST_SHARE = Decimal("0.5")
"""Of the picture's width that the drawn ruler takes at most."""


@dataclass(frozen=True)
class Point:
    """A place on a picture in pixels, from its upper left corner."""

    x: Decimal
    y: Decimal


def between_px(first: Point, second: Point) -> Decimal:
    """How far apart two points are, in pixels."""
    return ((first.x - second.x) ** 2 + (first.y - second.y) ** 2).sqrt()


@dataclass(frozen=True)
class Scale:
    """A marker on a photograph: how many pixels it takes, and how long it is in mm.

    Raises:
        ValueError: the marker has no length.
    """

    marker_px: Decimal
    marker_mm: Decimal

    def __post_init__(self):
        if self.marker_px < SHORTEST_PX or self.marker_mm <= 0:
            raise ValueError("A marker has a length.")

    def mm(self, length_px: Decimal) -> Decimal:
        """The length in mm of what takes so many pixels, to a tenth of a mm."""
        return (length_px * self.marker_mm / self.marker_px).quantize(Decimal("0.1"))

    def px(self, length_mm: Decimal) -> Decimal:
        """How many pixels a length in mm takes."""
        return length_mm * self.marker_px / self.marker_mm

    def ruler_mm(self, width_px: int) -> Decimal | None:
        """The longest round length that fits on a picture of this width; None where not even 1 mm does."""
        fitting = [length for length in ROUND_MM if self.px(length) <= width_px * LONGEST_SHARE]
        return fitting[-1] if fitting else None
