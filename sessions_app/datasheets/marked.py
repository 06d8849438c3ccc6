"""A copy of the uploaded workbook in which what was found is marked: filled cells, with a comment each.

What is wrong is red, what is unusual yellow, what would change blue, with the register's value. A
worksheet in front lists all of it, with links. The copy can be corrected and sent again: its list is
not read. No cell of it is computed, whatever was typed.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sessions_app.datasheets.checking import Checked
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import LIST_OF_FINDINGS, RawSheet, RawSheets
from sessions_app.datasheets.workbooks import is_workbook
from sessions_app.formula_safe import formula_safe

LARGEST = 24 * 1024 * 1024
"""Bytes that an upload may have, unpacked, to be marked: openpyxl keeps all of it in memory."""

MOST_CELLS = 400_000
"""Cells that the upload and the list may have together: openpyxl writes some 20,000 in a second."""

MOST_COMMENTS = 5_000
"""Comments, and links, of one workbook. Further cells are filled and listed without one."""

HEADINGS = ("Kind", "Sheet", "Row", "Column", "Value", "What was found", "What is valid")

_FILLS = {"error": "FFF4B6B0", "warning": "FFFFE699", "changed": "FFBDD7EE"}
_GRAVEST_FIRST = tuple(_FILLS)


class TooLargeToMark(Exception):
    """The upload is too large for a marked copy; the list as CSV says the same."""


@dataclass(frozen=True)
class Finding:
    """One line of the list."""

    kind: str
    sheet: str
    row: int | None
    column: str
    value: str
    sentence: str
    valid: str = ""


def findings(checked: Checked) -> Iterator[Finding]:
    """Everything that a check found, errors first."""
    for kind, problems in (("error", checked.errors), ("warning", checked.warnings)):
        for one in problems:
            yield _of_problem(kind, one)
    for change in checked.plan.changes:
        row = change.row
        was = f"The register has: {change.old}" if change.old else "The register has nothing here."
        yield Finding("changed", row.sheet.name, row.number, change.column.name, change.new, was)
    for row in checked.plan.created:
        yield Finding("new", row.sheet.name, row.number, "", row.key_text, "This row is new.")
    stays = "The register has it and the file has not. It stays as it is."
    for row in checked.plan.not_in_file:
        yield Finding("not in the file", row.sheet.name, None, "", row.key_text, stays)
    for study_id in checked.plan.other_patients:
        yield Finding("not in the file", "patients", None, "", study_id, stays)


def _of_problem(kind: str, problem: Problem) -> Finding:
    return Finding(
        kind, problem.sheet, problem.row, problem.column, problem.value, problem.sentence, problem.valid
    )


def write_marked(stream: BinaryIO, source: Path, raw: RawSheets, checked: Checked) -> None:
    """Write the marked copy of `source`, a workbook or a zip that was read without tricks in it.

    Raises:
        TooLargeToMark: see LARGEST and MOST_CELLS.
    """
    import openpyxl

    with zipfile.ZipFile(source) as archive:
        parts = archive.infolist()
    if sum(part.file_size for part in parts) > LARGEST:
        raise TooLargeToMark
    found = list(findings(checked))
    cells = sum(len(sheet.numbers) * len(sheet.columns) for sheet in raw.sheets.values())
    if cells + len(found) * len(HEADINGS) > MOST_CELLS:
        raise TooLargeToMark
    if is_workbook(parts):
        with source.open("rb") as content:
            book = openpyxl.load_workbook(content, keep_links=False)
        _disarm(book)
    else:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, sheet in raw.sheets.items():
            _write_sheet(book.create_sheet(name), sheet, _refused_values(checked, name))
    if LIST_OF_FINDINGS in book.sheetnames:
        book.remove(book[LIST_OF_FINDINGS])
    places = _Places(book)
    _mark(book, places, found)
    _list(book.create_sheet(LIST_OF_FINDINGS, 0), places, found)
    book.active = 0
    book.save(stream)


def listed(checked: Checked) -> Iterator[tuple[str, ...]]:
    """Everything that a check found as rows of text under HEADINGS, safe to open in a spreadsheet."""
    for one in findings(checked):
        row = "" if one.row is None else str(one.row)
        texts = (one.kind, one.sheet, row, one.column, one.value, one.sentence, one.valid)
        yield tuple(formula_safe(text) for text in texts)


class _Places:
    """Where the columns of each worksheet stand, by the names in the first row."""

    def __init__(self, book: Any):
        self._columns = {
            sheet.title: {str(cell.value).strip(): cell.column for cell in reversed(sheet[1]) if cell.value}
            for sheet in book.worksheets
            if sheet.max_row
        }

    def column(self, finding: Finding) -> int | None:
        """The number of the finding's column, if its cell is there."""
        if finding.row is None:
            return None
        return self._columns.get(finding.sheet, {}).get(finding.column)


def _disarm(book: Any) -> None:
    """Make text of every formula."""
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    text = cell.value if isinstance(cell.value, str) else getattr(cell.value, "text", "")
                    _write_text(cell, text or "=")


def _write_sheet(sheet: Any, raw: RawSheet, refused: dict[tuple[int, str], str]) -> None:
    for index, name in enumerate(raw.columns, start=1):
        sheet.cell(1, index, name)
    for number, texts in raw.rows:
        for index, (name, text) in enumerate(texts.items(), start=1):
            shown = refused.get((number, name), "") if text is None else text
            if shown:
                _write_text(sheet.cell(number, index), shown)


def _refused_values(checked: Checked, name: str) -> dict[tuple[int, str], str]:
    return {(one.row, one.column): one.value for one in checked.errors if one.sheet == name and one.row}


def _write_text(cell: Any, text: str) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)[:32_767]
    cell.data_type = "s"


def _mark(book: Any, places: _Places, found: list[Finding]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    fills = {kind: PatternFill("solid", fgColor=colour) for kind, colour in _FILLS.items()}
    by_cell: dict[tuple[str, int, int], list[Finding]] = {}
    for one in found:
        column = places.column(one)
        if column is not None and one.row is not None and one.kind in _FILLS:
            by_cell.setdefault((one.sheet, one.row, column), []).append(one)
    for count, ((name, row, column), ones) in enumerate(by_cell.items()):
        cell = book[name].cell(row, column)
        cell.fill = fills[min((one.kind for one in ones), key=_GRAVEST_FIRST.index)]
        if count < MOST_COMMENTS:
            words = "\n".join(f"{one.sentence} {one.valid}".strip() for one in ones)
            cell.comment = Comment(words[:2_000], "stsclinic", width=320, height=120)


def _list(sheet: Any, places: _Places, found: list[Finding]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.hyperlink import Hyperlink

    sheet.append(HEADINGS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFG", (14, 18, 8, 24, 24, 70, 70), strict=True):
        sheet.column_dimensions[letter].width = width
    links = 0
    for number, one in enumerate(found, start=2):
        texts = (one.kind, one.sheet, "", one.column, one.value, one.sentence, one.valid)
        for index, text in enumerate(texts, start=1):
            if text:
                _write_text(sheet.cell(number, index), formula_safe(text))
        if one.row is None:
            continue
        cell = sheet.cell(number, 3, one.row)
        if links < MOST_COMMENTS and one.sheet in sheet.parent.sheetnames:
            links += 1
            column = get_column_letter(places.column(one) or 1)
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{one.sheet}'!{column}{one.row}")
            cell.style = "Hyperlink"
