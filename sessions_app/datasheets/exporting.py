"""The registry as data sheets in their canonical form: the same registry always gives the same bytes.

Columns in the order of the format, rows in the order of their keys (texts by code point on every
database), CRLF, no BOM. Drafts and struck-out rows are in no sheet. While the allocation of a
controlled protocol is closed to the reader, the columns that betray it are empty in its rows.
"""

import csv
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.apps import apps
from django.db import connection
from django.db.models import Case, Expression, F, Q, QuerySet, When
from django.db.models.functions import Collate

from sessions_app.datasheets.columns import SHEETS, Column, Sheet
from sessions_app.datasheets.snapshot import snapshot
from sessions_app.datasheets.values import show_value
from sessions_app.formula_safe import with_its_apostrophe

CREATED = datetime(1980, 1, 1, tzinfo=UTC)
"""The date that zips and workbooks bear, so that equal content is equal bytes."""

CHUNK = 2000

MOST_WORKBOOK_ROWS = 1_048_576
LONGEST_WORKBOOK_TEXT = 32_767

_BY_CODE_POINT = {"postgresql": "C", "sqlite": "BINARY"}
_NUMBERS = frozenset({"whole", "decimal"})
_KEPT_REFERENCES = ("series", "session", "lesion")

Rows = Iterator[tuple[str, ...]]


class NoRoomInWorkbook(Exception):
    """A workbook cannot hold the registry; a folder or a zip can. The message says why."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What goes into the sheets."""

    clinic_ids: Collection[int] | None = None
    """The clinics, by id; None: all."""
    closed: Collection[tuple[str, str]] = ()
    """The (clinic code, protocol code) pairs whose allocation is left out."""


EVERYTHING = Scope()
"""The operator's scope: all clinics, nothing left out."""


def sheet_rows(sheet: Sheet, scope: Scope) -> Rows:
    """The rows of one sheet as text, in canonical order, read bit by bit."""
    names = {column.name: f"sheet_{column.name}" for column in sheet.columns}
    values = {names[column.name]: column_value(sheet, column) for column in sheet.columns}
    extra = ["patient__clinic__code", "protocol__code"] if sheet.series_path else []
    found = _kept_rows(sheet, scope).annotate(**values).order_by(*_order(sheet, names))
    paths = [*names.values(), *(sheet.series_path + path for path in extra)]
    hidden = {index for index, column in enumerate(sheet.columns) if column.betrays_allocation}
    closed = frozenset(scope.closed) if hidden else frozenset()
    width = len(sheet.columns)
    for row in found.values_list(*paths).iterator(chunk_size=CHUNK):
        is_closed = bool(closed) and (row[width], row[width + 1]) in closed
        yield tuple(
            "" if is_closed and index in hidden else show_value(column, row[index])
            for index, column in enumerate(sheet.columns)
        )


def write_folder(folder: Path, scope: Scope = EVERYTHING) -> dict[str, int]:
    """Write one CSV file for each sheet into an existing folder; give the rows of each."""
    with ExitStack() as files, snapshot():
        counts = {}
        for sheet in SHEETS.values():
            file = files.enter_context((folder / f"{sheet.name}.csv").open("w", encoding="utf-8", newline=""))
            counts[sheet.name] = _write_csv(file, sheet, sheet_rows(sheet, scope))
    return counts


def write_workbook(stream: BinaryIO, scope: Scope = EVERYTHING) -> dict[str, int]:
    """Write a workbook with one worksheet for each sheet; give the rows of each.

    Raises:
        NoRoomInWorkbook: there are more rows, or a longer text, than Excel takes.
    """
    with snapshot():
        return _write_workbook(stream, {sheet.name: sheet_rows(sheet, scope) for sheet in SHEETS.values()})


def _kept_rows(sheet: Sheet, scope: Scope) -> QuerySet:
    found = kept_rows(sheet)
    if scope.clinic_ids is not None:
        found = found.filter(**{f"{sheet.clinic_path}__in": list(scope.clinic_ids)})
    return found


def kept_rows(sheet: Sheet) -> QuerySet:
    """The rows that count: neither they nor what they belong to was struck out."""
    kept = {f"{path}struck_out_at": None for path in sheet.kept_paths}
    return apps.get_model(sheet.model)._base_manager.filter(**kept)


def column_value(sheet: Sheet, column: Column) -> Expression | F:
    """The column's value; a reference that a row may do without is empty once it was struck out."""
    reference = column.field.split("__")[0]
    if column.is_reference and not column.required and reference in _KEPT_REFERENCES:
        kept = {f"{reference}__struck_out_at": None}
        if reference == "session":
            kept["series__struck_out_at"] = None
        return Case(When(Q(**kept), then=F(column.field)))
    return F(column.field)


def _order(sheet: Sheet, names: dict[str, str]) -> list[Expression]:
    order = []
    for column in sheet.keys:
        value: Any = F(names[column.name])
        if column.kind not in ("whole", "date"):
            value = Collate(value, code_point_collation())
        order.append(value.asc(nulls_first=True))
    return order


def code_point_collation() -> str:
    """The database's name for the order of texts by code point."""
    return _BY_CODE_POINT[connection.vendor]


def _write_csv(file: Any, sheet: Sheet, rows: Rows) -> int:
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([column.name for column in sheet.columns])
    count = 0
    for row in rows:
        writer.writerow([with_its_apostrophe(text) for text in row])
        count += 1
    return count


def _write_workbook(stream: BinaryIO, rows: dict[str, Rows]) -> dict[str, int]:
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    workbook = xlsxwriter.Workbook(stream, options)
    workbook.set_properties({"created": CREATED})
    as_text, bold = workbook.add_format({"num_format": "@"}), workbook.add_format({"bold": True})
    counts = {}
    for name, rows_of_sheet in rows.items():
        sheet = SHEETS[name]
        worksheet = workbook.add_worksheet(name)
        worksheet.freeze_panes(1, 0)
        for index, column in enumerate(sheet.columns):
            worksheet.set_column(
                index, index, max(10, len(column.name) + 2), as_text if _is_text(column) else None
            )
            worksheet.write_string(0, index, column.name, bold)
        counts[name] = 0
        for number, row in enumerate(rows_of_sheet, start=1):
            for index, (column, text) in enumerate(zip(sheet.columns, row, strict=True)):
                if not text:
                    continue
                if len(text) > LONGEST_WORKBOOK_TEXT or number >= MOST_WORKBOOK_ROWS:
                    raise NoRoomInWorkbook(
                        f"{name}, row {number + 1}: a worksheet has at most {MOST_WORKBOOK_ROWS} rows and"
                        f" {LONGEST_WORKBOOK_TEXT} characters in a cell. Export as CSV files instead."
                    )
                if _is_text(column):
                    worksheet.write_string(number, index, text, as_text)
                else:
                    worksheet.write_number(number, index, float(text))
            counts[name] = number
    workbook.close()
    return counts


def _is_text(column: Column) -> bool:
    return column.kind not in _NUMBERS
