"""The sheets as one workbook, written row by row, so that a million rows need no memory.

Every text is written as a text, never as a formula, a link or a number that only looks like one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from sessions_app.dataout.codebook import codebook_rows
from sessions_app.dataout.csv_files import CREATED
from sessions_app.dataout.source import Cells, Source
from sessions_app.datasheets.columns import Column, Sheet
from sessions_app.datasheets.exporting import LONGEST_WORKBOOK_TEXT, MOST_WORKBOOK_ROWS, NoRoomInWorkbook
from sessions_app.datasheets.values import valid_words

CODEBOOK = "codebook"

Rows = Sequence[Cells]


def write_workbook(stream: BinaryIO, source: Source, *, folder: Path | None = None) -> dict[str, int]:
    """Write a worksheet for each sheet, and the codebook; give the rows of each sheet.

    Args:
        folder: where the parts wait until they are packed; they are removed again.

    Raises:
        NoRoomInWorkbook: a sheet has more rows, or a longer text, than a worksheet takes.
    """
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
        "tmpdir": None if folder is None else str(folder),
    }
    workbook = xlsxwriter.Workbook(stream, options)
    workbook.set_properties({"created": CREATED})
    formats = _Formats(workbook.add_format({"num_format": "@"}), workbook.add_format({"bold": True}))
    counts = {
        name: _write_sheet(workbook.add_worksheet(name), sheet, source, formats)
        for name, sheet in source.plan.sheets.items()
    }
    worksheet = workbook.add_worksheet(CODEBOOK)
    for number, cells in enumerate(codebook_rows(source.plan)):
        for index, text in enumerate(cells):
            worksheet.write_string(number, index, text, formats.text if number else formats.heading)
    workbook.close()
    return counts


class _Formats:
    def __init__(self, text: Any, heading: Any):
        self.text = text
        self.heading = heading


def _write_sheet(worksheet: Any, sheet: Sheet, source: Source, formats: _Formats) -> int:
    worksheet.freeze_panes(1, 0)
    for index, column in enumerate(sheet.columns):
        wide = max(10, len(column.name) + 2)
        worksheet.set_column(index, index, wide, formats.text if _is_text(column) else None)
        worksheet.write_string(0, index, column.name, formats.heading)
        worksheet.write_comment(0, index, f"{column.label}: {column.meaning}\n{valid_words(column)}")
    write_rows = _write_texts if any(column.kind == "text" for column in sheet.columns) else _write_plain
    number = 0
    for rows in source.rows(sheet.name):
        if number + len(rows) >= MOST_WORKBOOK_ROWS:
            raise NoRoomInWorkbook(
                f"The sheet {sheet.name} has more than the {MOST_WORKBOOK_ROWS - 1:,} rows that a worksheet "
                "takes. Export CSV files, or choose fewer clinics."
            )
        write_rows(worksheet, sheet, rows, number + 1, formats.text)
        number += len(rows)
    return number


def _write_texts(worksheet: Any, sheet: Sheet, rows: Rows, first: int, text_format: Any) -> None:
    """Write rows, some cells of which hold what people typed."""
    are_texts = [_is_text(column) for column in sheet.columns]
    for number, row in enumerate(rows, start=first):
        for index, text in enumerate(row):
            if text is None:
                continue
            if not are_texts[index]:
                worksheet.write_number(number, index, float(text))
            elif worksheet.write_string(number, index, text, text_format):
                raise NoRoomInWorkbook(
                    f"{sheet.name}, row {number + 1}, {sheet.columns[index].name}: a cell takes at most "
                    f"{LONGEST_WORKBOOK_TEXT:,} characters. Export CSV files instead."
                )


def _write_plain(worksheet: Any, sheet: Sheet, rows: Rows, first: int, text_format: Any) -> None:
    """Write rows of codes, IDs, days and numbers alone: a line of XML for each, as xlsxwriter itself writes it.

    Cell by cell it takes each through nine functions, four times as long. This is what it writes in
    constant_memory for cells that need no escaping; a test holds the two to the same cells.
    """
    from xlsxwriter.utility import xl_col_to_name

    text_index = text_format._get_xf_index()
    cells = [
        (f'<c r="{xl_col_to_name(index)}', f'" s="{text_index}" t="inlineStr"><is><t>', "</t></is></c>")
        if _is_text(column)
        else (f'<c r="{xl_col_to_name(index)}', '"><v>', "</v></c>")
        for index, column in enumerate(sheet.columns)
    ]
    worksheet._write_single_row(first)
    worksheet.fh.writelines(
        f'<row r="{number}">'
        + "".join(
            [
                f"{start}{number}{middle}{text}{end}"
                for (start, middle, end), text in zip(cells, row, strict=True)
                if text is not None
            ]
        )
        + "</row>"
        for number, row in enumerate(rows, start=first + 1)
    )
    if rows:
        worksheet.dim_rowmax = first + len(rows) - 1


def _is_text(column: Column) -> bool:
    return column.kind not in ("whole", "decimal", "year")
