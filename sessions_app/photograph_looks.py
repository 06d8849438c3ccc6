"""Looking at photographs: the scale marker and the ruler that it gives, and two photographs at one scale.

Numbers here place things on a page, in the units that are named; what is measured is stsclinic.clinical.ruler's.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError

from sessions_app.models import MARKER_FIELDS, Photograph
from stsclinic.audit.services import change
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.ruler import SHORTEST_PX, Point, between_px

TICKS = 10
"""Parts of the drawn ruler."""
MARGIN = Decimal("0.04")
BAR_MM = Decimal(10)
"""The bar that stands on two photographs at one scale."""


def mark_scale(
    *,
    photograph: Photograph,
    values: dict[str, Decimal | None],
    by: str,
    seen_version: int,
    reason: str = "",
    source: str = "page",
) -> Photograph:
    """Keep where a scale marker lies on a photograph and how long it is, or (all None) that there is none.

    Args:
        values: the columns of MARKER_FIELDS: the ends in % of width and height, and the length in mm.

    Raises:
        StaleRecord: somebody changed it in between; nothing was written.
        ValidationError: the ends are one point, or a value is out of its range.
    """
    values = {name: values[name] for name in MARKER_FIELDS}
    ends = [value for name, value in values.items() if name != "marker_mm" and value is not None]
    if len(ends) == len(MARKER_FIELDS) - 1:
        first, second = photograph.point(ends[0], ends[1]), photograph.point(ends[2], ends[3])
        if between_px(first, second) < SHORTEST_PX:
            raise ValidationError("Mark the two ends of the marker: these are one point.")
    return change(photograph, values, by=by, seen_version=seen_version, reason=reason, source=source)


def measured_words(photograph: Photograph, first: Point, second: Point) -> str:
    """The arithmetic of a length between two points, such as `312 px × 20 mm / 104 px = 60.0 mm`."""
    scale = photograph.scale
    if scale is None:
        return ""
    length = between_px(first, second)
    px, marker = (show_decimal(one.quantize(Decimal("0.1"))) for one in (length, scale.marker_px))
    return f"{px} px × {show_decimal(scale.marker_mm)} mm / {marker} px = {scale.mm(length)} mm"


@dataclass(frozen=True)
class DrawnRuler:
    """A ruler on a photograph, in its pixels."""

    length_mm: str
    x1: Decimal
    x2: Decimal
    y: Decimal
    ticks: tuple[tuple[Decimal, Decimal], ...]
    """(x, y of the upper end) of each."""
    part_mm: str


def ruler_of(photograph: Photograph) -> DrawnRuler | None:
    """The ruler that is drawn on a photograph; None without a marker, or where 1 mm does not fit."""
    scale = photograph.scale
    length = scale.ruler_mm(photograph.width_px) if scale else None
    if scale is None or length is None:
        return None
    x1, y = photograph.width_px * MARGIN, photograph.height_px * (1 - MARGIN)
    width, tick = scale.px(length), photograph.width_px / Decimal(90)
    ticks = (
        (_px(x1 + width * at / TICKS), _px(y - tick * (2 if at % 5 == 0 else 1))) for at in range(TICKS + 1)
    )
    return DrawnRuler(
        length_mm=show_decimal(length),
        x1=_px(x1),
        x2=_px(x1 + width),
        y=_px(y),
        ticks=tuple(ticks),
        part_mm=show_decimal(length / TICKS),
    )


@dataclass(frozen=True)
class Pane:
    """One of two photographs, placed in a field that both share."""

    photograph: Photograph
    side: str
    x: Decimal
    y: Decimal
    width: Decimal
    height: Decimal


@dataclass(frozen=True)
class Comparison:
    """Two photographs in fields of the same size: at one scale where both have a marker, else of one width."""

    width: Decimal
    height: Decimal
    panes: tuple[Pane, Pane]
    is_in_mm: bool
    """Whether the units are mm; else they are thousandths of the width."""

    @property
    def shown(self) -> tuple[Photograph, Photograph]:
        """The two photographs."""
        return self.panes[0].photograph, self.panes[1].photograph

    @property
    def view_box(self) -> str:
        """The fields' own coordinates."""
        return f"0 0 {self.width} {self.height}"

    @property
    def bar(self) -> dict[str, Decimal] | None:
        """A bar of BAR_MM at the lower left, where the units are mm."""
        if not self.is_in_mm:
            return None
        return {"x": _px(self.width * MARGIN), "y": _px(self.height * (1 - MARGIN)), "width": BAR_MM}


def compare(first: Photograph, second: Photograph) -> Comparison:
    """Place two photographs so that they can be compared."""
    sizes = [_size_mm(one) for one in (first, second)]
    is_in_mm = None not in sizes
    if not is_in_mm:
        sizes = [
            (Decimal(1000), _px(Decimal(1000) * one.height_px / one.width_px)) for one in (first, second)
        ]
    placed = [size for size in sizes if size is not None]
    width, height = max(size[0] for size in placed), max(size[1] for size in placed)
    panes = tuple(
        Pane(photograph, side, _px((width - own[0]) / 2), _px((height - own[1]) / 2), *own)
        for photograph, side, own in zip((first, second), ("left", "right"), placed, strict=True)
    )
    return Comparison(width, height, (panes[0], panes[1]), is_in_mm)


def _size_mm(photograph: Photograph) -> tuple[Decimal, Decimal] | None:
    scale = photograph.scale
    if scale is None:
        return None
    per_px = scale.marker_mm / scale.marker_px
    return _px(photograph.width_px * per_px), _px(photograph.height_px * per_px)


def _px(length: Decimal) -> Decimal:
    return length.quantize(Decimal("0.01"))
