"""A folder, a zip or a workbook as rows of text. Nothing is believed yet; what cannot be read is a problem.

A file from outside is hostile until read: its claimed and real sizes and the number of its parts are
limited, its paths are never used, and a workbook's XML is read by defusedxml.
"""

import csv
import datetime
import difflib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from django.conf import settings

from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.problems import Problem

MOST_MEMBERS = 200
"""Parts that a zip or a workbook may have; eleven sheets need far fewer."""

WORKBOOK_UNPACKED_FACTOR = 8
"""How many times larger a workbook's XML may be than a file may be: Excel packs tightly."""

MOST_COLUMNS = 300
"""Columns that are read of a sheet; no sheet has a tenth of it."""

LONGEST_CELL = 1_000_000
"""Characters of one cell of a CSV file."""

_SHEET_NAMES = f"Valid are {', '.join(SHEETS)}."
_WORKBOOK_PART = "xl/workbook.xml"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_DATE_KINDS = frozenset({"date", "partial"})


class _ExcelDate(str):
    """A cell that the workbook holds as a date, as ISO text."""


@dataclass(frozen=True)
class _Unreadable:
    """A cell that is no plain value: what it shows, and why it is refused."""

    shown: str
    sentence: str


Cell = str | _Unreadable
Cells = list[Cell]


@dataclass
class RawSheet:
    """One sheet as text. Each row: its number in the file, and the cells by column (None: reported already)."""

    columns: tuple[str, ...] = ()
    rows: list[tuple[int, dict[str, str | None]]] = field(default_factory=list)


@dataclass
class RawSheets:
    """All sheets that were found, and what could not be read."""

    sheets: dict[str, RawSheet] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def refuse(self, sentence: str, valid: str = "", **place: Any) -> None:
        """Note an error."""
        self.errors.append(Problem(sentence=sentence, valid=valid, **place))


class _TooLarge(Exception):
    pass


def read_path(path: Path | str) -> RawSheets:
    """Read a folder of CSV files, a zip of one, or a workbook. Never raises for what the file holds."""
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raw = RawSheets()
        raw.refuse(f"There is no file or folder {path}.")
        return raw
    with path.open("rb") as file:
        return read_upload(file, path.name)


def read_upload(file: BinaryIO, name: str) -> RawSheets:
    """Read an uploaded zip or workbook. What it is, its content says; `name` stands in messages only."""
    raw = RawSheets()
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if size > settings.DATA_SHEETS_MAX_BYTES:
        raw.refuse(f"{name} is larger than {_megabytes(settings.DATA_SHEETS_MAX_BYTES)}.")
        return raw
    if not size:
        raw.refuse(f"{name} is empty.")
        return raw
    if start == _OLD_EXCEL:
        raw.refuse(f"{name} is an old or an encrypted workbook.", "Save it as .xlsx without a password.")
        return raw
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            is_workbook = any(part.filename == _WORKBOOK_PART for part in parts)
            if (
                _is_acceptable(raw, name, parts, WORKBOOK_UNPACKED_FACTOR if is_workbook else 1)
                and not is_workbook
            ):
                _read_zip(raw, archive, parts)
    except (zipfile.BadZipFile, OSError, EOFError):
        raw.refuse(
            f"{name} is neither a zip nor a workbook.",
            "Valid is a folder of CSV files as a zip, or an .xlsx.",
        )
        return raw
    if is_workbook and not raw.errors:
        file.seek(0)
        _read_workbook(raw, file, name)
    return _finished(raw)


def _finished(raw: RawSheets) -> RawSheets:
    if not raw.sheets and not raw.errors:
        raw.refuse(
            "No data sheet was found.", f"Valid are files named as the sheets with .csv. {_SHEET_NAMES}"
        )
    return raw


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.0f} MB"


# A folder and a zip


def _read_folder(folder: Path) -> RawSheets:
    raw = RawSheets()
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() or path.suffix.lower() != ".csv":
            raw.warnings.append(Problem(sentence=f"{path.name} is no CSV file and was not read."))
            continue
        name = _sheet_name(raw, path.name)
        if name:
            _read_csv(raw, name, path.read_bytes())
    return _finished(raw)


def _is_acceptable(raw: RawSheets, name: str, parts: list[zipfile.ZipInfo], factor: int) -> bool:
    """Whether the parts are few, small, readable and without tricks in their paths."""
    largest = settings.DATA_SHEETS_MAX_BYTES * factor
    if len(parts) > MOST_MEMBERS:
        raw.refuse(f"{name} has {len(parts)} parts.", f"At most {MOST_MEMBERS} are read.")
    elif sum(part.file_size for part in parts) > largest:
        raw.refuse(f"{name} is larger than {_megabytes(largest)} once unpacked.")
    for part in parts:
        path = PurePosixPath(part.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in part.filename or ":" in part.filename:
            raw.refuse(f"{name} holds the path {part.filename!r}, which leads out of it.")
        elif part.flag_bits & 0x1:
            raw.refuse(f"{name} is encrypted.", "Save it without a password.")
            break
    return not raw.errors


def _read_zip(raw: RawSheets, archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    files = [
        part
        for part in parts
        if not part.is_dir()
        and not any(step.startswith((".", "__MACOSX")) for step in PurePosixPath(part.filename).parts)
    ]
    if len({PurePosixPath(part.filename).parent for part in files}) > 1:
        raw.refuse("The zip holds files in several folders.", "Valid is one folder of data sheets.")
        return
    for part in files:
        path = PurePosixPath(part.filename)
        if path.suffix.lower() != ".csv":
            raw.warnings.append(Problem(sentence=f"{path.name} is no CSV file and was not read."))
            continue
        name = _sheet_name(raw, path.name)
        if not name:
            continue
        try:
            with archive.open(part) as stream:
                data = _read_at_most(stream, settings.DATA_SHEETS_MAX_BYTES)
        except _TooLarge:
            raw.refuse(f"{path.name} is larger than the zip says.", sheet=name)
        except Exception as error:  # a damaged part fails in many ways: checksum, method, stream
            raw.refuse(f"{path.name} cannot be unpacked: {error}.", sheet=name)
        else:
            _read_csv(raw, name, data)


def _read_at_most(stream: BinaryIO | Any, limit: int) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise _TooLarge
    return data


def _sheet_name(raw: RawSheets, file_name: str) -> str:
    """The sheet that a file holds, or nothing, with an error that names it."""
    name = file_name[: -len(".csv")]
    if name not in SHEETS:
        raw.refuse(f"There is no sheet {name!r}.", _SHEET_NAMES + _did_you_mean(name, SHEETS), sheet=name)
    elif name in raw.sheets:
        raw.refuse("The sheet is there twice.", sheet=name)
    else:
        return name
    return ""


def _did_you_mean(name: str, valid: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.strip().lower().replace(" ", "_"), list(valid), n=1)
    return f" Did you mean {near[0]}?" if near else ""


# CSV


def _read_csv(raw: RawSheets, name: str, data: bytes) -> None:
    raw.sheets[name] = RawSheet()
    if len(data) > settings.DATA_SHEETS_MAX_BYTES:
        raw.refuse(f"The file is larger than {_megabytes(settings.DATA_SHEETS_MAX_BYTES)}.", sheet=name)
        return
    valid = "Save it as “CSV UTF-8”, separated by commas."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raw.refuse("The file is in UTF-16, not in UTF-8.", valid, sheet=name)
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raw.refuse(f"The file is not in UTF-8: see line {row}.", valid, sheet=name)
        return
    if not text.strip():
        raw.refuse("The file is empty.", "Its first row must name the columns.", sheet=name)
        return
    header = text.split("\n", 1)[0].rstrip("\r")
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if mark in header and "," not in header:
            raw.refuse(f"The columns are separated by {word}, not by commas.", valid, sheet=name)
            return
    _take_rows(raw, name, _csv_rows(raw, name, text))


def _csv_rows(raw: RawSheets, name: str, text: str) -> Iterator[Cells]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    count = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raw.refuse(
                f"From here on the file cannot be read as CSV: {error}.",
                'A text with a comma, a line end or a " stands in double quotes, and each " within it is doubled.',
                sheet=name,
                row=count + 1,
            )
            return
        count += 1
        yield list[Cell](row)


# A workbook


def _read_workbook(raw: RawSheets, file: BinaryIO, name: str) -> None:
    import openpyxl

    try:
        workbook = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        for title in workbook.sheetnames:
            if title not in SHEETS:
                valid = _SHEET_NAMES + _did_you_mean(title, SHEETS)
                raw.refuse(f"There is no sheet {title!r}.", valid, sheet=title)
                continue
            raw.sheets[title] = RawSheet()
            worksheet = workbook[title]
            worksheet.reset_dimensions()
            _take_rows(raw, title, _workbook_rows(worksheet), may_be_short=True)
        workbook.close()
    except Exception as error:  # a damaged or hostile workbook fails in many ways, and none may pass
        raw.refuse(f"{name} cannot be read as a workbook ({type(error).__name__}).", "Save it anew as .xlsx.")


def _workbook_rows(worksheet: Any) -> Iterator[Cells]:
    for row in worksheet.iter_rows(max_col=MOST_COLUMNS):
        cells = [_cell_text(cell) for cell in row]
        while cells and cells[-1] == "":
            cells.pop()
        yield cells


def _cell_text(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return _Unreadable(str(value), "This is a formula.")
    if cell.data_type == "e":
        return _Unreadable(str(value), "This is an error of the workbook.")
    if isinstance(value, bool):
        return _Unreadable(str(value).upper(), "This is a truth value of the workbook; write yes or no.")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # Excel itself keeps and shows 15 digits.
        return f"{Decimal(f'{value:.15g}'):f}"
    if isinstance(value, datetime.datetime):
        if value.time() == datetime.time():
            return _ExcelDate(value.date().isoformat())
        return _Unreadable(value.isoformat(" "), "This is a date with a time of day.")
    if isinstance(value, datetime.date):
        return _ExcelDate(value.isoformat())
    if isinstance(value, str):
        return value
    return _Unreadable(str(value), "This is a time of day.")


# Rows to columns


def _take_rows(raw: RawSheets, name: str, rows: Iterator[Cells], *, may_be_short: bool = False) -> None:
    """Name the cells of each row by the first row, and note what does not fit."""
    sheet, taken = SHEETS[name], raw.sheets[name]
    names = [_shown(cell).strip() for cell in next(rows, [])]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raw.refuse("The first row names no columns.", _column_names(sheet), sheet=name, row=1)
        return
    taken.columns = _known_columns(raw, sheet, names)
    for number, cells in enumerate(rows, start=2):
        shown = [_shown(cell) for cell in cells]
        if not any(text.strip() for text in shown):
            continue
        extra = [text for text in shown[len(names) :] if text.strip()]
        if extra or (len(cells) < len(names) and not may_be_short):
            raw.refuse(
                f"The row has {len(cells)} cells, but the first row names {len(names)} columns.",
                "Valid are as many cells as in the first row.",
                sheet=name,
                row=number,
                value=extra[0] if extra else "",
            )
        by_name = dict(zip(reversed(names), reversed(_padded(cells, len(names))), strict=True))
        row = {column: _plain(raw, sheet, number, column, by_name[column]) for column in taken.columns}
        taken.rows.append((number, row))


def _known_columns(raw: RawSheets, sheet: Sheet, names: list[str]) -> tuple[str, ...]:
    """The columns of the sheet that the first row names; what is unknown, twice or missing is an error."""
    known: dict[str, None] = {}
    valid = _column_names(sheet)
    for name in names:
        if sheet.column(name) is None:
            near = _did_you_mean(name, [column.name for column in sheet.columns])
            sentence = f"There is no column {name!r}." if name else "A column has no name."
            raw.refuse(sentence, valid + near, sheet=sheet.name, row=1, column=name)
        elif name in known:
            raw.refuse("The column is there twice.", valid, sheet=sheet.name, row=1, column=name)
        known[name] = None
    for column in sheet.columns:
        if column.required and column.name not in known:
            raw.refuse("This required column is missing.", valid, sheet=sheet.name, row=1, column=column.name)
    return tuple(name for name in known if sheet.column(name))


def _column_names(sheet: Sheet) -> str:
    return f"Valid are {', '.join(column.name for column in sheet.columns)}."


def _padded(cells: Cells, length: int) -> Cells:
    return [*cells[:length], *[""] * (length - len(cells))]


def _shown(cell: Cell) -> str:
    return cell.shown if isinstance(cell, _Unreadable) else cell


def _plain(raw: RawSheets, sheet: Sheet, number: int, name: str, cell: Cell) -> str | None:
    """The cell as text, or None with an error if it is no plain value of this column."""
    column = sheet.column(name)
    if isinstance(cell, _ExcelDate) and column is not None and column.kind not in _DATE_KINDS:
        cell = _Unreadable(cell, "The workbook holds this as a date.")
    if isinstance(cell, _Unreadable):
        valid = "Put the value itself into the cell, formatted as text."
        raw.refuse(cell.sentence, valid, sheet=sheet.name, row=number, column=name, value=cell.shown)
        return None
    return str(cell)
