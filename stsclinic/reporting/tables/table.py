"""What a table of the report is made of: columns, rows of raw values, and the rows behind each number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from stsclinic.reporting.rows import Behind
from stsclinic.reporting.words import day_words

NOTHING = "–"
"""What stands where there is no value."""

SECTION = {
    "summary": "Summary",
    "flow": "Flow",
    "patients": "Patients",
    "scores": "Scores",
    "remission": "Remission",
    "doses": "Doses",
    "side_effects": "Side effects",
    "controlled": "Controlled protocols",
    "lists": "Every patient, series and lesion",
}
"""The parts of the report, in the order in which it is read."""


class Share(NamedTuple):
    """So many of so many."""

    n: int
    of: int


class Spread(NamedTuple):
    """Median and quartiles of so many values."""

    median: float
    low: float
    high: float
    n: int


class Hidden:
    """What stands where a small number is not told."""

    def __repr__(self) -> str:
        return "HIDDEN"


HIDDEN = Hidden()
HIDDEN_WORD = "hidden"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` is one of these; `decimals` for display only.

    text, code, date;
    count: how many rows; whole: a whole number that counts nothing (a score, the number of a series);
    number; p; figure: an int, a Share or a Spread.

    `labels` gives the words for a code; a code without words stands for itself.
    `betrays_allocation` marks what must not be shown while the allocation is closed. `computed_from` are the
    columns of the row without which a shared output must not tell it, beside the rows behind it; `is_free_text` marks what
    somebody typed, which it tells only where the row has no small number.
    """

    code: str
    label: str
    kind: str = "text"
    unit: str = ""
    decimals: int | None = None
    labels: Mapping[str, str] | None = None
    betrays_allocation: bool = False
    computed_from: Sequence[str] = ()
    is_free_text: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values align right."""
        return self.kind in ("count", "whole", "number", "p", "figure")

    @property
    def heading(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit else self.label


Address = tuple[int, str]
"""A row's number, from 0, and a column's code."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Counts that add up to another one: `total` is its address, or None where it is known from elsewhere."""

    parts: Sequence[Address]
    total: Address | None = None


class Listed(Sequence[Sequence[Any]]):
    """The rows of a long list, each made when it is asked for: a page shows some of them, and a file one at a time.

    Args:
        of: what the rows are about.
        row_of: makes the row of one of them.
    """

    def __init__(self, of: Sequence[Any], row_of: Callable[[Any], Sequence[Any]]):
        self._of, self._row_of = of, row_of

    def __len__(self) -> int:
        return len(self._of)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._row_of(one) for one in self._of[place]]
        return self._row_of(self._of[place])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


def _nothing_behind(row: int, column: str) -> Behind | None:
    return None


@dataclass(frozen=True, slots=True)
class Table:
    """One table. Each row has one raw value for each column.

    `behind(row, column)` gives the rows behind a number. `is_individual`: each row is about one person.
    """

    code: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    footnotes: Sequence[str] = ()
    section: str = ""
    behind: Callable[[int, str], Behind | None] = _nothing_behind
    sums: Sequence[Sum] = ()
    is_individual: bool = False

    @property
    def betrays_allocation(self) -> bool:
        """Whether any column shows what is hidden while the allocation is closed."""
        return any(column.betrays_allocation for column in self.columns)

    def value(self, row: int, column: str) -> Any:
        """The raw value of a cell."""
        return self.rows[row][[one.code for one in self.columns].index(column)]

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rows by the columns' codes."""
        codes = [column.code for column in self.columns]
        return [dict(zip(codes, row, strict=True)) for row in self.rows]


class Rows:
    """Collects the rows of a table with what is behind their numbers."""

    def __init__(self, columns: Iterable[Column]):
        self.columns = tuple(columns)
        self.rows: list[tuple[Any, ...]] = []
        self.sums: list[Sum] = []
        self._behind: dict[Address, Behind] = {}

    def add(
        self, values: Sequence[Any], of: Behind | None = None, by: Mapping[str, Behind] | None = None
    ) -> int:
        """Add a row and return its number. `of` is behind all of its numbers but those in `by`."""
        number = len(self.rows)
        self.rows.append(tuple(values))
        for column in self.columns:
            found = (by or {}).get(column.code, of)
            if found is not None and column.is_number:
                self._behind[number, column.code] = found
        return number

    def add_up(self, column: str, parts: Sequence[int], total: int) -> None:
        """Say that the counts of these rows add up to that of another, where they do: groups may overlap."""
        place = [one.code for one in self.columns].index(column)
        if sum(self.rows[part][place] for part in parts) == self.rows[total][place]:
            self.sums.append(Sum([(part, column) for part in parts], (total, column)))

    def add_up_row(self, number: int, parts: Sequence[str], total: str) -> None:
        """Say that counts of one row add up to another one of it."""
        self.sums.append(Sum([(number, part) for part in parts], (number, total)))

    def table(self, code: str, title: str, section: str, footnotes: Sequence[str] = (), **more: Any) -> Table:
        found = self._behind
        return Table(
            code,
            title,
            self.columns,
            self.rows,
            footnotes,
            section=section,
            behind=lambda row, column: found.get((row, column)),
            sums=tuple(self.sums),
            **more,
        )


def in_numbers(table: Table) -> Table:
    """A table of figures such as `27 (90 %)` with a row for each figure and a column for each of its numbers."""
    texts = [column for column in table.columns if column.kind != "figure"]
    columns = (
        *texts,
        Column("group", "Group"),
        Column("n", "n", "count"),
        Column("of", "Of", "count"),
        Column("percent", "Share", "number", "%", 1),
        Column("median", "Median", "number", decimals=2),
        Column("low", "Lower quartile", "number", decimals=2),
        Column("high", "Upper quartile", "number", decimals=2),
    )
    rows = []
    for row in table.as_dicts():
        for column in table.columns:
            value = row[column.code]
            if column.kind == "figure" and value is not None:
                rows.append((*(row[one.code] for one in texts), column.label, *_parts(value)))
    return Table(f"{table.code}_numbers", f"{table.title}: in numbers", columns, rows, section=table.section)


def _parts(value: Any) -> Sequence[Any]:
    """n, of, percent, median and quartiles of a figure."""
    if isinstance(value, Share):
        percent = 100 * value.n / value.of if value.of else None
        return value.n, value.of, percent, None, None, None
    if isinstance(value, Spread):
        return value.n, None, None, value.median, value.low, value.high
    return value, None, None, None, None, None


def cell_text(column: Column, value: Any) -> str:
    """A raw value as people read it: words for codes, unambiguous dates, rounded numbers."""
    if value is None or value == "":
        return NOTHING
    if value is HIDDEN:
        return HIDDEN_WORD
    if column.kind == "code":
        return (column.labels or {}).get(value, str(value))
    if column.kind == "date":
        return day_words(value)
    if column.kind == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    if column.kind == "number" and column.decimals is not None:
        return _rounded(value, column.decimals)
    if isinstance(value, Share):
        return f"{value.n} ({round_half_up(100 * value.n, value.of)} %)" if value.of else str(value.n)
    if isinstance(value, Spread):
        return f"{_short(value.median)} ({_short(value.low)} to {_short(value.high)})"
    return str(value)


def round_half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number of a fraction, halves up, without floats."""
    return (2 * numerator + denominator) // (2 * denominator)


def _rounded(value: float | Decimal, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _short(value: float) -> str:
    return _rounded(value, 1).removesuffix(".0")
