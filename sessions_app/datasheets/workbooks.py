"""A workbook (.xlsx) as rows of cells. What a workbook can do to its reader is limited before it is opened.

openpyxl keeps in memory every text that cells share, every style, and the XML of the row that it
reads. So the tags of each part are counted first: those of a row, and those of a part without rows.
"""

import datetime
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from sessions_app.datasheets.raw import (
    DELETE_EMPTY_ROWS,
    MOST_EMPTY_ROWS,
    Cell,
    Cells,
    ExcelDate,
    RawSheets,
    TooManyErrors,
    Unreadable,
    take_rows,
)

WORKBOOK_PART = "xl/workbook.xml"

MOST_TAGS = 800_000
"""XML tags of one row, or of a part without rows: 200,000 texts that cells share."""

LONGEST_STRETCH = 32 * 1024 * 1024
"""Bytes of XML from one row to the next, or of a part without rows."""

BLOCK = 1024 * 1024
"""Bytes of XML that are looked through at once."""

_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_ROW_BEGINS = (b"<row", b":row")
_VALUE_BEGINS = (b"<v>", b":v>", b"<t>", b":t>", b"<t ", b":t ", b"<f", b":f")
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
_LONGEST_FORBIDDEN = max(map(len, _FORBIDDEN))
_SAVE_ANEW = "Save it as “Excel workbook (.xlsx)”."


def is_workbook(parts: list[zipfile.ZipInfo]) -> bool:
    """Whether a zip with these parts is an Excel workbook of any kind, or an OpenDocument."""
    names = {part.filename for part in parts}
    return WORKBOOK_PART in names or "xl/workbook.bin" in names or {"mimetype", "content.xml"} <= names


def is_harmless(raw: RawSheets, name: str, archive: zipfile.ZipFile) -> bool:
    """Whether the workbook is of the right kind and small enough to be opened; if not, says why."""
    names = [part.filename for part in archive.infolist()]
    if WORKBOOK_PART not in names:
        kind = "a binary workbook (.xlsb)" if "xl/workbook.bin" in names else "an OpenDocument"
        raw.refuse(f"{name} is {kind}, which is not read.", _SAVE_ANEW)
    elif any(one.lower().endswith(("vbaproject.bin", "vbadata.xml")) for one in names):
        raw.refuse(f"{name} holds macros.", f"{_SAVE_ANEW} That leaves them out.")
    elif len(set(names)) < len(names):
        raw.refuse(f"{name} holds a part twice.", _SAVE_ANEW)
    else:
        for part in archive.infolist():
            if part.filename.endswith((".xml", ".rels")) and not raw.errors:
                _look_through(raw, name, archive, part)
    return not raw.errors


def _look_through(raw: RawSheets, name: str, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Count the tags and the bytes from row to row, and the rows without a value, and refuse entities.

    Builds nothing of what it reads.
    """
    tags = length = empty_rows = 0
    end = b""
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            seam = end + block
            if any(word in seam for word in _FORBIDDEN):
                raw.refuse(f"{name} holds XML entities, which no data sheet needs.", _SAVE_ANEW)
                return
            row, since_row = _since(_ROW_BEGINS, seam)
            tags = (0 if row else tags) + since_row.count(b"<")
            length = (0 if row else length) + len(since_row)
            if tags > MOST_TAGS or length > LONGEST_STRETCH:
                raw.refuse(
                    f"{name} is too complex: {part.filename} has too much that is no row.",
                    "Take the sheets as CSV files in a zip.",
                )
                return
            value, since_value = _since(_VALUE_BEGINS, seam)
            empty_rows = (0 if value else empty_rows) + len(_ROW.findall(since_value))
            if empty_rows > MOST_EMPTY_ROWS:
                raw.refuse(
                    f"More than {MOST_EMPTY_ROWS} empty rows stand below a row of the sheet.",
                    DELETE_EMPTY_ROWS,
                    sheet=_title(archive, part),
                )
                return
            end = block[-_LONGEST_FORBIDDEN:]


def _since(marks: tuple[bytes, ...], seam: bytes) -> tuple[bool, bytes]:
    """Whether one of the marks is there, and what stands after the last one, or all."""
    last = max(seam.rfind(mark) for mark in marks)
    return last >= 0, seam[max(0, last) :]


def _title(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> str:
    """The name of the worksheet that stands in a part."""
    from openpyxl.reader.workbook import WorkbookParser

    parser = WorkbookParser(archive, WORKBOOK_PART, keep_links=False)
    parser.parse()
    return next(
        (sheet.name for sheet, relation in parser.find_sheets() if relation.target == part.filename), ""
    )


def read_workbook(raw: RawSheets, file: BinaryIO, name: str) -> None:
    """Read the worksheets into `raw`; whatever is wrong becomes an error.

    Raises:
        TooManyErrors: see RawSheets.refuse.
    """
    import openpyxl

    try:
        workbook = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        for worksheet in workbook.worksheets:
            if raw.sheet_named(worksheet.title):
                worksheet.reset_dimensions()
                take_rows(raw, worksheet.title, _rows(worksheet), may_be_short=True)
        workbook.close()
    except TooManyErrors:
        raise
    except Exception as error:  # a damaged or hostile workbook fails in many ways, and none may pass
        raw.refuse(f"{name} cannot be read as a workbook ({type(error).__name__}).", "Save it anew as .xlsx.")


def _rows(worksheet: Any) -> Iterator[Cells]:
    for row in worksheet.rows:
        cells = [_cell(cell) for cell in row]
        while cells and cells[-1] == "":
            cells.pop()
        yield cells


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        if cell.data_type == "f":
            return Unreadable(value, "This is a formula.")
        if cell.data_type == "e":
            return Unreadable(value, "This is an error of the workbook.")
        return value
    if cell.data_type == "f":
        return Unreadable(str(getattr(value, "text", None) or "="), "This is a formula.")
    if isinstance(value, bool):
        return Unreadable(str(value).upper(), "This is a truth value of the workbook; write yes or no.")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # Excel itself keeps and shows 15 digits.
        return f"{Decimal(f'{value:.15g}'):f}"
    if isinstance(value, datetime.datetime):
        if value.time() == datetime.time():
            return ExcelDate(value.date().isoformat())
        return Unreadable(value.isoformat(" "), "This is a date with a time of day.")
    if isinstance(value, datetime.date):
        return ExcelDate(value.isoformat())
    return Unreadable(str(value), "This is a time of day.")
