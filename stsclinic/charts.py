"""The geometry of a line chart: points in, coordinates ready for SVG out. Pure, draws nothing.

The template components/line_chart.html draws what is computed here. Every line differs from the
others by its dash and its marker, so that colour is never needed to tell them apart, and the chart
carries its own table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 640.0, 282.0
"""Size of the drawing in SVG units."""
LEFT, RIGHT, TOP, BOTTOM = 58.0, 622.0, 12.0, 216.0
"""The plot's edges in SVG units."""
MOST_LINES = 6
"""How many dashes and markers there are."""
LABEL_UNITS_PER_CHARACTER = 9.5
"""Room for a character of a label under the axis, at the larger type of narrow screens."""


@dataclass(frozen=True)
class Line:
    """One line: its name, and its points as (x, y); y is None where nothing was recorded."""

    label: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its coordinate as text, and its words (empty where they would collide)."""

    at: str
    label: str


@dataclass(frozen=True)
class Mark:
    """A point of a line: the path of its marker and its words."""

    d: str
    title: str


@dataclass(frozen=True)
class DrawnLine:
    """A line ready to draw: `number` (from 1) names its dash and marker, `d` the path between its points."""

    number: int
    label: str
    d: str
    marks: tuple[Mark, ...]
    sample: str


@dataclass(frozen=True)
class Column:
    """A column of the chart's table."""

    label: str
    unit: str
    kind: str


@dataclass(frozen=True)
class Table:
    """The chart's numbers, as components/data_table.html shows them."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineChart:
    """All that the template needs. Coordinates are SVG units as text with at most one decimal."""

    chart_id: str
    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[DrawnLine, ...]
    table: Table
    width: str = f"{WIDTH:g}"
    height: str = f"{HEIGHT:g}"
    left: str = f"{LEFT:g}"
    right: str = f"{RIGHT:g}"
    top: str = f"{TOP:g}"
    bottom: str = f"{BOTTOM:g}"
    middle_x: str = f"{(LEFT + RIGHT) / 2:g}"
    middle_y: str = f"{(TOP + BOTTOM) / 2:g}"
    tick_y: str = f"{BOTTOM + 26:g}"
    x_label_y: str = f"{HEIGHT - 8:g}"
    tick_x: str = f"{LEFT - 8:g}"


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    description: str = "",
    unit: str = "",
    y_range: tuple[float, float] | None = None,
    x_words: dict[float, str] | None = None,
    chart_id: str = "chart",
) -> LineChart:
    """The chart of up to six lines over common x positions.

    Args:
        lines: the lines; a None splits a line, and is an empty cell of the table.
        y_range: the ends of the y axis; by default from 0 (or below) to a round number above the data.
        x_words: words for x positions, such as {1: "Session 1"}; by default the number itself.
        unit: the unit of y, for the table and the points' words.
        chart_id: unique on the page.

    Raises:
        ValueError: no line, more than six, a point outside `y_range`, or a range without extent.
    """
    if not 1 <= len(lines) <= MOST_LINES:
        raise ValueError(f"A chart has one to {MOST_LINES} lines, not {len(lines)}.")
    xs = sorted({float(x) for line in lines for x, _ in line.points})
    ys = [float(y) for line in lines for _, y in line.points if y is not None]
    low, high = (float(y_range[0]), float(y_range[1])) if y_range else _round_range(ys)
    if not low < high:
        raise ValueError("The y axis needs a lower and a higher end.")
    if any(not low <= y <= high for y in ys):
        raise ValueError(f"A point lies outside {low:g} to {high:g}.")
    words = {float(x): word for x, word in (x_words or {}).items()}

    def at_x(x: float) -> float:
        if len(xs) < 2:
            return (LEFT + RIGHT) / 2
        return LEFT + 16 + (float(x) - xs[0]) / (xs[-1] - xs[0]) * (RIGHT - LEFT - 32)

    def at_y(y: float) -> float:
        return BOTTOM - (float(y) - low) / (high - low) * (BOTTOM - TOP)

    def word(x: float) -> str:
        return words.get(float(x), f"{float(x):g}")

    drawn = []
    for number, line in enumerate(lines, start=1):
        points = sorted(((float(x), y) for x, y in line.points), key=lambda point: point[0])
        drawn.append(
            DrawnLine(
                number,
                line.label,
                _path([(at_x(x), at_y(y)) if y is not None else None for x, y in points]),
                tuple(
                    Mark(
                        marker(number, at_x(x), at_y(y)),
                        f"{line.label}, {word(x)}: {y}" + (f" {unit}" if unit else ""),
                    )
                    for x, y in points
                    if y is not None
                ),
                marker(number, 18, 7),
            )
        )
    values = [{float(x): y for x, y in line.points} for line in lines]
    rows = tuple((word(x), *("" if by_x.get(x) is None else str(by_x[x]) for by_x in values)) for x in xs)
    columns = (Column(x_label, "", "text"), *(Column(line.label, unit, "number") for line in lines))
    return LineChart(
        chart_id=chart_id,
        title=title,
        description=description
        or f"{y_label} by {x_label.lower()}: " + ", ".join(x.label for x in lines) + ".",
        x_label=x_label,
        y_label=y_label,
        x_ticks=_spaced([(at_x(x), word(x)) for x in xs]),
        y_ticks=tuple(Tick(_text(at_y(y)), f"{y:g}") for y in ticks(low, high)),
        lines=tuple(drawn),
        table=Table(title, columns, rows),
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, two to six of them, in steps of 1, 2 or 5 times a power of ten.

    Both ends are among them only where they are round.

    Raises:
        ValueError: `low` is not below `high`.
    """
    if not low < high:
        raise ValueError("An axis needs a lower and a higher end.")
    step = _step(high - low)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def marker(number: int, x: float, y: float) -> str:
    """The path of the marker of line `number` (1 to 6), centred on x, y: each line has its own shape."""
    left, right, up, down = _text(x - 4), _text(x + 4), _text(y - 4), _text(y + 4)
    cx, cy = _text(x), _text(y)
    shapes = {
        1: f"M{left} {cy}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        2: f"M{left} {up}H{right}V{down}H{left}z",
        3: f"M{cx} {_text(y - 5)}L{_text(x + 5)} {down}H{_text(x - 5)}z",
        4: f"M{cx} {_text(y - 5.5)}L{_text(x + 5.5)} {cy}L{cx} {_text(y + 5.5)}L{_text(x - 5.5)} {cy}z",
        5: f"M{left} {up}L{right} {down}M{right} {up}L{left} {down}",
        6: f"M{cx} {_text(y + 5)}L{_text(x + 5)} {up}H{_text(x - 5)}z",
    }
    return shapes[number]


def _step(extent: float) -> float:
    rough = extent / 5
    power = 10 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _round_range(ys: list[float]) -> tuple[float, float]:
    low, high = min([0.0, *ys]), max([0.0, *ys])
    if low == high:
        return 0.0, 1.0
    step = _step(high - low)
    return floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step


def _path(points: list[tuple[float, float] | None]) -> str:
    """Lines between neighbours; a None lifts the pen."""
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{_text(point[0])} {_text(point[1])}")
        pen = "L"
    return "".join(parts)


def _spaced(labels: list[tuple[float, str]]) -> tuple[Tick, ...]:
    """Ticks at every x, worded from the left as long as the words do not run into one another."""
    found, free_from = [], float("-inf")
    for x, label in labels:
        half = len(label) * LABEL_UNITS_PER_CHARACTER / 2
        fits = x - half >= free_from
        if fits:
            free_from = x + half + LABEL_UNITS_PER_CHARACTER / 2
        found.append(Tick(_text(x), label if fits else ""))
    return tuple(found)


def _text(value: float) -> str:
    """At most one decimal, without a trailing zero."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
