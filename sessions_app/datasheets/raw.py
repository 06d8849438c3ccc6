"""What was read of data sheets before anything is believed: texts by row and column, and what could not be read."""

import difflib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from sessions_app.datasheets.columns import SHEETS, Column, Sheet
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.values import valid_words
from stsclinic.clinical.numbers import NumberError, parse_decimal, show_decimal

MOST_COLUMNS = 300
"""Columns that are read of a sheet; no sheet has a tenth of it."""

MOST_EMPTY_ROWS = 10_000
"""Empty rows between two others that are passed over. Excel can leave a million behind the last one."""

DELETE_EMPTY_ROWS = "Delete the empty rows and save the file anew."

DIFFERENT = 10_000
"""Different texts of a column of which each is kept once."""

BATCH = 200
"""Rows that are looked at together."""

MOST_ERRORS = 100_000
"""Errors after which reading and checking end: a file with more is not the file that was meant."""

LIST_OF_FINDINGS = "what was found"
"""The worksheet of a marked copy that lists what was found; it is none of the data."""

GUIDE, EXAMPLE, CODES = "guide", "example", "codes"
"""The worksheets of the template that explain the others; they are none of the data."""

SHEET_NAMES = f"Valid are {', '.join(SHEETS)}."
_DATE_KINDS = frozenset({"date", "partial"})
_OF_AN_EXPORT = frozenset({"analysis", "codebook"})
"""What an export adds to the sheets, computed from them or about them."""
_DEIDENTIFIED = "age_at_first_treatment"
"""A column that only a de-identified export has: its days are not those of the patients."""


class ExcelDate(str):
    """A cell that the workbook holds as a date, as ISO text."""


@dataclass(frozen=True)
class Unreadable:
    """A cell that is no plain value: what it shows, and why it is refused."""

    shown: str
    sentence: str
    valid: str = "Put the value itself into the cell, formatted as text."


Cell = str | Unreadable
Cells = list[Cell]


class TooManyErrors(Exception):
    """MOST_ERRORS were found; the rest of the file is not looked at."""


@dataclass
class RawSheet:
    """One sheet as text, column by column, and a text that stands in many rows once: it may have a million."""

    columns: tuple[str, ...] = ()
    numbers: array = field(default_factory=lambda: array("I"))
    """Where each row stands in the file, its first row being 1."""
    _texts: dict[str, list[str | None]] = field(init=False)
    _known: dict[str, dict[str | None, str | None]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self._texts = {name: [] for name in self.columns}
        self._known = {name: {} for name in self.columns}

    def add(self, number: int, cells: Sequence[str | None]) -> None:
        """Take one row: its cells in the order of `columns` (None: reported already)."""
        self.add_rows([number], [(cell,) for cell in cells])

    def add_rows(self, numbers: Iterable[int], cells: Iterable[Sequence[str | None]]) -> None:
        """Take several rows: their cells by column, in the order of `columns`."""
        self.numbers.extend(numbers)
        for name, texts in zip(self.columns, cells, strict=True):
            known = self._known[name]
            self._texts[name].extend(map(known.setdefault, texts, texts))
            if len(known) > DIFFERENT:
                known.clear()

    def texts(self, column: str, rows: Iterable[int]) -> Iterator[str | None]:
        """The cells of one column in these rows, which are counted from 0."""
        return map(self._texts[column].__getitem__, rows)

    def text(self, column: str, at: int) -> str:
        """One cell, of a row counted from 0; nothing where there is none."""
        return (self._texts[column][at] or "") if column in self._texts else ""

    def row(self, at: int) -> dict[str, str | None]:
        """The cells of one row, counted from 0, by column."""
        return {name: texts[at] for name, texts in self._texts.items()}

    def place(self, number: int) -> int | None:
        """Where among the rows, counted from 0, the one of this number stands; None: there is none."""
        at = bisect_left(self.numbers, number)
        return at if at < len(self.numbers) and self.numbers[at] == number else None

    @property
    def rows(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """The rows: their numbers, and the cells by column."""
        return ((number, self.row(at)) for at, number in enumerate(self.numbers))


@dataclass
class RawSheets:
    """All sheets that were found, and what could not be read."""

    sheets: dict[str, RawSheet] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether no sheet has a row."""
        return not any(sheet.numbers for sheet in self.sheets.values())

    def refuse(self, sentence: str, valid: str = "", **place: Any) -> None:
        """Note an error.

        Raises:
            TooManyErrors: this was one too many.
        """
        self.errors.append(Problem(sentence=sentence, valid=valid, **place))
        if len(self.errors) >= MOST_ERRORS:
            raise TooManyErrors

    def sheet_named(self, name: str) -> str:
        """The sheet of that name, begun; or nothing, with an error or a warning that names it."""
        if name in (LIST_OF_FINDINGS, GUIDE, EXAMPLE, CODES):
            return ""
        if name in _OF_AN_EXPORT:
            sentence = f"The sheet {name} is made from the others, or about them, and was not read."
            self.warnings.append(Problem(sentence=sentence))
        elif name not in SHEETS:
            self.refuse(f"There is no sheet {name!r}.", did_you_mean(name, SHEETS) or SHEET_NAMES, sheet=name)
        elif name in self.sheets:
            self.refuse("The sheet is there twice.", "Valid is each sheet once.", sheet=name)
        else:
            self.sheets[name] = RawSheet()
            return name
        return ""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """The nearest of the valid names as a sentence, or nothing where none is near."""
    near = difflib.get_close_matches(name.strip().lower().replace(" ", "_"), list(valid), n=1)
    return f"Did you mean {near[0]}?" if near else ""


def take_rows(
    raw: RawSheets,
    name: str,
    rows: Iterator[Cells],
    *,
    are_plain: bool = False,
    may_be_short: bool = False,
    has_decimal_comma: bool = False,
) -> None:
    """Name the cells of each row by the first row, and note what does not fit.

    Args:
        rows: the cells of every row, the first one with the names of the columns.
        are_plain: whether every cell is a text as it was meant.
        may_be_short: whether a row may end before the last named column, as in a workbook.
        has_decimal_comma: whether the sheet is separated by semicolons, so that decimals may have a comma.
    """
    sheet = SHEETS[name]
    names = [_shown(cell).strip() for cell in next(rows, [])]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raw.refuse("The first row names no columns.", _column_names(sheet), sheet=name, row=1)
        return
    if len(names) > MOST_COLUMNS:
        sentence = f"The first row names {len(names)} columns; at most {MOST_COLUMNS} are read."
        raw.refuse(sentence, _column_names(sheet), sheet=name, row=1)
        return
    columns = _known_columns(raw, sheet, names)
    raw.sheets[name] = taken = RawSheet(columns)
    places = [(names.index(column), _known(sheet, column)) for column in columns]
    width, last, number = len(names), 1, 2
    while batch := list(islice(rows, BATCH)):
        plain = cast(list[list[str]], batch) if are_plain else []
        if set(map(len, plain)) == {width} and _none_is_empty(plain):
            by_column = list(zip(*plain, strict=True))
            taken.add_rows(range(number, number + len(batch)), [by_column[at] for at, _column in places])
            number += len(batch)
            last = number - 1
            continue
        for cells in batch:
            if any(cell and _shown(cell).strip() for cell in cells):
                texts = _texts_of_row(
                    raw,
                    sheet,
                    number,
                    cells,
                    places,
                    width,
                    may_be_short=may_be_short,
                    has_decimal_comma=has_decimal_comma,
                )
                taken.add(number, texts)
                last = number
            elif number - last > MOST_EMPTY_ROWS:
                sentence = (
                    f"More than {MOST_EMPTY_ROWS} empty rows follow row {last}; nothing below was read."
                )
                raw.refuse(sentence, DELETE_EMPTY_ROWS, sheet=name, row=last + 1)
                return
            number += 1


def _none_is_empty(rows: list[list[str]]) -> bool:
    # Most rows have something in their first cell.
    return all(cells[0].strip() or any(map(str.strip, cells)) for cells in rows)


def _texts_of_row(
    raw: RawSheets,
    sheet: Sheet,
    number: int,
    cells: Cells,
    places: list[tuple[int, Column]],
    width: int,
    *,
    may_be_short: bool,
    has_decimal_comma: bool,
) -> list[str | None]:
    """The cells of one row in the order of the known columns; what does not fit is an error."""
    extra = [text for text in map(_shown, cells[width:]) if text.strip()] if len(cells) > width else []
    if extra or (len(cells) < width and not may_be_short):
        raw.refuse(
            f"The row has {len(cells)} cells, but the first row names {width} columns.",
            "Valid are as many cells as in the first row.",
            sheet=sheet.name,
            row=number,
            value=extra[0] if extra else "",
        )
    if len(cells) < width:
        cells = [*cells, *[""] * (width - len(cells))]
    return [_plain(raw, sheet, number, column, cells[at], has_decimal_comma) for at, column in places]


def _known(sheet: Sheet, name: str) -> Column:
    column = sheet.column(name)
    assert column is not None
    return column


def _known_columns(raw: RawSheets, sheet: Sheet, names: list[str]) -> tuple[str, ...]:
    """The columns of the sheet that the first row names; what is unknown, twice or missing is an error."""
    known: dict[str, None] = {}
    valid = _column_names(sheet)
    for name in names:
        if name == _DEIDENTIFIED:
            raw.refuse(
                "This is a de-identified export: its days are shifted, and it cannot be imported.",
                "Export with dates and free text to get sheets that can be read back.",
                sheet=sheet.name,
                row=1,
                column=name,
            )
        elif sheet.column(name) is None:
            near = did_you_mean(name, [column.name for column in sheet.columns])
            sentence = f"There is no column {name!r}." if name else "A column has no name."
            raw.refuse(sentence, near or valid, sheet=sheet.name, row=1, column=name)
        elif name in known:
            raw.refuse(
                "The column is there twice.",
                "Valid is each column once.",
                sheet=sheet.name,
                row=1,
                column=name,
            )
        known[name] = None
    for column in sheet.columns:
        if column.required and column.name not in known:
            raw.refuse(
                "This required column is missing.",
                "Add it, with a value in each row.",
                sheet=sheet.name,
                row=1,
                column=column.name,
            )
    return tuple(name for name in known if sheet.column(name))


def _column_names(sheet: Sheet) -> str:
    return f"Valid are {', '.join(column.name for column in sheet.columns)}."


def _shown(cell: Cell) -> str:
    return cell.shown if isinstance(cell, Unreadable) else cell


def _plain(
    raw: RawSheets, sheet: Sheet, number: int, column: Column, cell: Cell, has_decimal_comma: bool
) -> str | None:
    """The cell as text, or None with an error if it is no plain value of this column."""
    if type(cell) is str:
        if not has_decimal_comma or column.kind != "decimal" or not cell.strip():
            return cell
        cell = _with_a_point(column, cell)
    elif isinstance(cell, ExcelDate) and column.kind not in _DATE_KINDS:
        cell = Unreadable(cell, "The workbook holds this as a date.")
    if isinstance(cell, Unreadable):
        raw.refuse(
            cell.sentence, cell.valid, sheet=sheet.name, row=number, column=column.name, value=cell.shown
        )
        return None
    return str(cell)


def _with_a_point(column: Column, text: str) -> Cell:
    """A decimal of a sheet that is separated by semicolons; what could be read in two ways is refused."""
    try:
        value = parse_decimal(text, places=20, low=-(10**9), high=column.high or 10**9)
    except NumberError as error:
        return Unreadable(text, str(error), valid_words(column))
    return show_decimal(value)
