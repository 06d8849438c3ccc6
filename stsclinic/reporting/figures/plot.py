"""A rectangle to plot in: its axes, its grid, and where a value stands."""

from collections.abc import Iterable, Sequence

from stsclinic.charts import ticks
from stsclinic.drawing import Path, Text, line
from stsclinic.reporting.tables.table import Hidden


class Plot:
    """Collects the shapes of one plot; x and y are given as values, not as SVG units."""

    def __init__(
        self,
        *,
        left: float,
        right: float,
        top: float,
        bottom: float,
        x: tuple[float, float],
        y: tuple[float, float],
    ):
        self.left, self.right, self.top, self.bottom = left, right, top, bottom
        self.x_range, self.y_range = x, y
        self.paths: list[Path] = []
        self.texts: list[Text] = []

    def at_x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + (value - low) / (high - low or 1) * (self.right - self.left)

    def at_y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low or 1) * (self.bottom - self.top)

    def grid(self, labels: Sequence[tuple[float, str]] | None = None) -> None:
        """Horizontal lines with their numbers; by default at round numbers."""
        found = labels if labels is not None else [(one, f"{one:g}") for one in ticks(*self.y_range)]
        for value, words in found:
            y = self.at_y(value)
            self.paths.append(Path(line([(self.left, y), (self.right, y)]), "grid"))
            self.texts.append(Text(self.left - 6, y + 3.5, words, "small", "end"))
        self.paths.append(Path(line([(self.left, self.bottom), (self.right, self.bottom)]), "axis"))

    def x_labels(self, labels: Iterable[tuple[float, str]]) -> None:
        for value, words in labels:
            x = self.at_x(value)
            self.paths.append(Path(line([(x, self.bottom), (x, self.bottom + 4)]), "axis"))
            self.texts.append(Text(x, self.bottom + 16, words, "small", "middle"))

    def heading(self, words: str) -> None:
        self.texts.append(Text(self.left, self.top - 9, words, "strong"))

    def x_title(self, words: str, below: float = 31) -> None:
        self.texts.append(Text((self.left + self.right) / 2, self.bottom + below, words, "small", "middle"))

    def draw(self, d: str, style: str, title: str = "") -> None:
        if d:
            self.paths.append(Path(d, style, title))


def known(value: object) -> float | None:
    """A number to draw; None of what is not there or hidden."""
    return None if value is None or isinstance(value, Hidden) else float(value)  # type: ignore[arg-type]
