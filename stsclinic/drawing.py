"""Figures as shapes: the page draws them in its own colours, a file with explicit ones. Pure.

A shape has a style by name. On the page it is the class `fig-NAME`, which follows light and dark; in
an SVG that stands alone it becomes the attributes of STYLES. Coordinates are SVG units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

STYLES = {
    "grid": 'fill="none" stroke="#d5dae0" stroke-width="0.8"',
    "axis": 'fill="none" stroke="#5f6b78" stroke-width="1"',
    "box": 'fill="none" stroke="#5f6b78" stroke-width="1"',
    "arrow": 'fill="none" stroke="#5f6b78" stroke-width="1"',
    "arrow-head": 'fill="#5f6b78" stroke="none"',
    "reference": 'fill="none" stroke="#0b5c8a" stroke-width="1" stroke-dasharray="4 3"',
    "thin": 'fill="none" stroke="#8b97a5" stroke-width="0.7" stroke-opacity="0.65"',
    "line-1": 'fill="none" stroke="#0b5c8a" stroke-width="2.2" stroke-linejoin="round"',
    "line-2": 'fill="none" stroke="#8a4b08" stroke-width="2.2" stroke-dasharray="7 4" stroke-linejoin="round"',
    "mark-1": 'fill="#0b5c8a" stroke="none"',
    "mark-2": 'fill="#ffffff" stroke="#8a4b08" stroke-width="1.6"',
    "whisker": 'fill="none" stroke="#1d2733" stroke-width="1.2"',
    "band": 'fill="#0b5c8a" fill-opacity="0.16" stroke="none"',
    "bar-soft": 'fill="#0b5c8a" fill-opacity="0.3" stroke="#0b5c8a" stroke-width="0.8"',
    "bar-1": 'fill="#0b5c8a" stroke="none"',
    "bar-2": 'fill="#b86a1b" stroke="none"',
    "text": 'font-size="11" fill="#2b3541"',
    "small": 'font-size="9.5" fill="#46525f"',
    "strong": 'font-size="11.5" font-weight="bold" fill="#1d2733"',
}
FONT = "Libertinus Serif"
"""The face of a figure that stands alone; it comes with the program that sets the PDF."""


@dataclass(frozen=True)
class Path:
    """Lines or areas."""

    d: str
    style: str
    title: str = ""


@dataclass(frozen=True)
class Text:
    """One line of words; `anchor` is start, middle or end."""

    x: float
    y: float
    words: str
    style: str = "text"
    anchor: str = "start"

    @property
    def at_x(self) -> str:
        return number(self.x)

    @property
    def at_y(self) -> str:
        return number(self.y)


class Part(NamedTuple):
    """What of a long figure is drawn: from `first` on, counted from 0, at most `most` of `total`."""

    first: int
    most: int
    total: int

    @property
    def words(self) -> str:
        """`41 to 80 of 130`."""
        return f"{self.first + 1} to {min(self.first + self.most, self.total)} of {self.total}"


@dataclass(frozen=True)
class Figure:
    """A figure ready to draw, with its words for those who do not see it. `tables` hold its numbers."""

    code: str
    title: str
    description: str
    width: int
    height: int
    paths: Sequence[Path]
    texts: Sequence[Text]
    tables: Sequence[str] = ()
    note: str = ""
    part: Part | None = None
    """Where it does not hold all."""


FOOT_LETTERS, FOOT_LINE = 0.19, 12
"""Letters of the foot for each unit of the width, and the height of its lines."""


def footed(figure: Figure, words: str) -> Figure:
    """The figure with a text below it, in as many lines as it takes."""
    lines = wrap(words, int(figure.width * FOOT_LETTERS))
    start = figure.height + FOOT_LINE
    foot = [Text(2, start + FOOT_LINE * number, one, "small") for number, one in enumerate(lines)]
    height = int(start + FOOT_LINE * len(lines))
    return replace(figure, height=height, texts=[*figure.texts, *foot])


def standalone_svg(figure: Figure) -> str:
    """The figure as an SVG that needs nothing beside it."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {figure.width} {figure.height}" '
        f'width="{figure.width}" height="{figure.height}" role="img" font-family="{FONT}, serif">',
        f"<title>{escape(figure.title)}</title>",
        f"<desc>{escape(figure.description)}</desc>",
        f'<rect width="{figure.width}" height="{figure.height}" fill="#ffffff"/>',
    ]
    parts += [f"<path d={quoteattr(one.d)} {STYLES[one.style]}/>" for one in figure.paths if one.d]
    parts += [
        f'<text x="{one.at_x}" y="{one.at_y}" text-anchor="{one.anchor}" {STYLES[one.style]}>{escape(one.words)}</text>'
        for one in figure.texts
    ]
    return "\n".join([*parts, "</svg>"])


def number(value: float) -> str:
    """At most one decimal, without a trailing zero."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def line(points: Sequence[tuple[float, float] | None]) -> str:
    """The path between neighbours; a None lifts the pen."""
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{number(point[0])} {number(point[1])}")
        pen = "L"
    return "".join(parts)


def steps(points: Sequence[tuple[float, float]]) -> str:
    """The path of a step function: each height holds until the next x."""
    parts: list[str] = []
    for x, y in points:
        parts.append(f"H{number(x)}V{number(y)}" if parts else f"M{number(x)} {number(y)}")
    return "".join(parts)


def rectangle(x: float, y: float, width: float, height: float) -> str:
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


def circle(x: float, y: float, radius: float) -> str:
    r, d = number(radius), number(2 * radius)
    return f"M{number(x - radius)} {number(y)}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z"


def triangle(x: float, y: float, size: float) -> str:
    return f"M{number(x)} {number(y + size)}L{number(x - size)} {number(y - size)}H{number(x + size)}z"
