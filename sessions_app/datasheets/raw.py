"""What was read of data sheets before anything is believed: texts by row and column, and what could not be read."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sessions_app.datasheets.columns import SHEETS, Column, Sheet
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.values import valid_words
from stsclinic.clinical.numbers import NumberError, parse_decimal, show_decimal

MOST_COLUMNS = 300
"""Columns that are read of a sheet; no sheet has a tenth of it."""

MOST_EMPTY_ROWS = 10_000
"""Empty rows between two others that are passed over. Excel can leave a million behind the last one."""

DELETE_EMPTY_ROWS = "Delete the empty rows and save the file anew."

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
    """One sheet as text, each row with its number in the file."""

    columns: tuple[str, ...] = ()
    found: list[tuple[int, tuple[str | None, ...]]] = field(default_factory=list)
    """The rows: their numbers, and the cells in the order of `columns` (None: reported already)."""

    def add(self, number: int, cells: tuple[str | None, ...]) -> None:
        """Take one row."""
        self.found.append((number, cells))

    @property
    def rows(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """The rows: their numbers, and the cells by column."""
        return ((number, dict(zip(self.columns, cells, strict=True))) for number, cells in self.found)


@dataclass
class RawSheets:
    """All sheets that were found, and what could not be read."""

    sheets: dict[str, RawSheet] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether no sheet has a row."""
        return not any(sheet.found for sheet in self.sheets.values())

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
    may_be_short: bool = False,
    has_decimal_comma: bool = False,
) -> None:
    """Name the cells of each row by the first row, and note what does not fit.

    Args:
        rows: the cells of every row, the first one with the names of the columns.
        may_be_short: whether a row may end before the last named column, as in a workbook.
        has_decimal_comma: whether the sheet is separated by semicolons, so that decimals may have a comma.
    """
    sheet, taken = SHEETS[name], raw.sheets[name]
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
    taken.columns = _known_columns(raw, sheet, names)
    places = [(names.index(column), _known(sheet, column)) for column in taken.columns]
    width, last = len(names), 1
    for number, cells in enumerate(rows, start=2):
        if not any(cell and _shown(cell).strip() for cell in cells):
            if number - last > MOST_EMPTY_ROWS:
                sentence = (
                    f"More than {MOST_EMPTY_ROWS} empty rows follow row {last}; nothing below was read."
                )
                raw.refuse(sentence, DELETE_EMPTY_ROWS, sheet=name, row=last + 1)
                return
            continue
        last = number
        extra = [text for text in map(_shown, cells[width:]) if text.strip()] if len(cells) > width else []
        if extra or (len(cells) < width and not may_be_short):
            raw.refuse(
                f"The row has {len(cells)} cells, but the first row names {width} columns.",
                "Valid are as many cells as in the first row.",
                sheet=name,
                row=number,
                value=extra[0] if extra else "",
            )
        if len(cells) < width:
            cells = [*cells, *[""] * (width - len(cells))]
        taken.add(
            number,
            tuple(
                [_plain(raw, sheet, number, column, cells[at], has_decimal_comma) for at, column in places]
            ),
        )


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
