"""The report as files: a zip of CSV, a workbook, JSON, a PDF. All from the tables of the page.

CSV and XLSX show what the page shows, rounded as there; JSON has the full precision.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

from sessions_app.formula_safe import formula_safe
from sessions_app.report_pdf import write_pdf
from sessions_app.reports import Prepared
from stsclinic.reporting.tables import NOTHING, Column, Share, Spread, Table, cell_text
from stsclinic.reporting.tables.table import HIDDEN_WORD, Hidden

ZIP_DAY = 1980, 1, 1
"""The day on the files in a zip, which cannot hold every day that may be stated; that stands in about.csv."""
SMALL_P = 0.001
"""Below it, cell_text gives no digits; the workbook's number format does the same."""


Told = Callable[[float], None]
"""Told now and then which part of a file is written, from 0 to 1. It may raise, which ends the work."""

TELL_EVERY = 500
"""Rows between two times."""


@dataclass
class _Rows:
    """The rows of tables as they are written, and how many of them are."""

    in_all: int
    told: Told
    written: int = 0

    def of(self, table: Table) -> Iterator[Iterable[Any]]:
        for row in table.rows:
            yield row
            self.written += 1
            if self.written % TELL_EVERY == 0:
                self.told(self.written / self.in_all)


def _rows_of(tables: Iterable[Table], told: Told) -> _Rows:
    return _Rows(sum(len(table.rows) for table in tables), told)


def write_csv_zip(prepared: Prepared, stream: BinaryIO, told: Told) -> None:
    """Write a zip with one CSV file (UTF-8 with BOM, CRLF) for each table."""
    _write_csv_zip(prepared, stream, told, ",", lambda column, text: text)


def write_comma_zip(prepared: Prepared, stream: BinaryIO, told: Told) -> None:
    """The same with semicolons between and decimal commas, as a Danish or German Excel opens it."""
    _write_csv_zip(prepared, stream, told, ";", _with_comma)


def _with_comma(column: Column, text: str) -> str:
    return text.replace(".", ",") if column.kind in ("number", "p") else text


def _write_csv_zip(
    prepared: Prepared,
    stream: BinaryIO,
    told: Told,
    delimiter: str,
    written: Callable[[Column, str], str],
) -> None:
    """What is not there is empty; no cell is a formula."""
    tables = prepared.all_tables
    rows = _rows_of(tables, told)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
            writer.writerow([column.heading for column in table.columns])
            writer.writerows(
                [
                    written(column, _plain(column, value))
                    for column, value in zip(table.columns, row, strict=True)
                ]
                for row in rows.of(table)
            )
            entry = zipfile.ZipInfo(f"{table.code}.csv", (*ZIP_DAY, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.getvalue().encode("utf-8-sig"))


def write_workbook(prepared: Prepared, stream: BinaryIO, told: Told) -> None:
    """Write a workbook with one worksheet for each table."""
    import xlsxwriter

    tables = prepared.all_tables
    rows = _rows_of(tables, told)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(stream, options | {"in_memory": True})
    workbook.set_properties({"created": datetime.combine(prepared.stated_on, time(0))})
    heading = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for table in tables:
        sheet = workbook.add_worksheet(table.code)
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(table.columns):
            cell = workbook.add_format({"num_format": _number_format(column)})
            sheet.set_column(index, index, 40 if column.kind in ("text", "code") else 14, cell)
            sheet.write_string(0, index, column.heading, heading)
        for number, row in enumerate(rows.of(table), start=1):
            for index, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                _write_cell(sheet, number, index, column, value)
    # It packs all of it only now, and not at all where the work was ended before.
    workbook.close()


def write_json(prepared: Prepared, stream: BinaryIO, told: Told) -> None:
    """Write the object that `series_report --json` prints, in full precision, and before it what it is about."""
    found = {"about": {what: value for what, value in prepared.about.rows}, **prepared.report.as_json()}
    stream.write(json.dumps(found, indent=2, allow_nan=False, ensure_ascii=False).encode())


def write_tables_json(prepared: Prepared, stream: BinaryIO, told: Told) -> None:
    """Write every table with its columns, in full precision; what the other object does not hold too."""
    tables = prepared.all_tables
    rows = _rows_of(tables, told)
    found = {
        table.code: {
            "title": table.title,
            "columns": [
                {
                    "code": one.code,
                    "label": one.label,
                    "kind": one.kind,
                    "unit": one.unit,
                    "decimals": one.decimals,
                }
                for one in table.columns
            ],
            "rows": [[_json_value(value) for value in row] for row in rows.of(table)],
            "notes": list(table.footnotes),
        }
        for table in tables
    }
    stream.write(json.dumps(found, indent=1, allow_nan=False, ensure_ascii=False).encode())


def _json_value(value: Any) -> Any:
    if isinstance(value, (Share, Spread)):
        return value._asdict()
    if isinstance(value, Hidden):
        return HIDDEN_WORD
    return value.isoformat() if isinstance(value, date) else value


FORMATS: dict[str, tuple[str, str, Callable[[Prepared, BinaryIO, Told], None]]] = {
    "csv": ("zip", "application/zip", write_csv_zip),
    "csv-comma": ("comma.zip", "application/zip", write_comma_zip),
    "xlsx": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_workbook),
    "json": ("json", "application/json", write_json),
    "tables": ("tables.json", "application/json", write_tables_json),
    "pdf": ("pdf", "application/pdf", lambda prepared, stream, told: write_pdf(prepared, stream)),
}
"""By the word in the address: the ending of the file's name, its type, and what writes it."""

NOT_SHARED = ("json",)
"""What holds every number in full precision, and so cannot hide any."""


def _plain(column: Column, value: Any) -> str:
    text = cell_text(column, value)
    if text == NOTHING:
        return ""
    return text if column.is_number else formula_safe(text)


def _number_format(column: Column) -> str:
    if column.kind == "number":
        return "0." + "0" * column.decimals if column.decimals else "General"
    return {"count": "0", "whole": "0", "p": f'[<{SMALL_P}]"< {SMALL_P}";0.000', "date": "dd-mmm-yyyy"}.get(
        column.kind, "@"
    )


def _write_cell(sheet: Any, row: int, index: int, column: Column, value: Any) -> None:
    """A number is written as the page rounds it: a spreadsheet would round halves in another way."""
    text = cell_text(column, value)
    if text == NOTHING:
        return
    if column.kind == "date":
        sheet.write_datetime(row, index, value)
    elif column.is_number and not isinstance(value, (Share, Spread, Hidden)):
        sheet.write_number(row, index, value if column.kind == "p" and value < SMALL_P else float(text))
    else:
        sheet.write_string(row, index, text)
