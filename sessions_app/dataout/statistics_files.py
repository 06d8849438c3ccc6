"""The sheets as files of SPSS, Stata and SAS, with labels and missing values, by pyreadstat.

A code is a number with its words as value label; SAS transport has no value labels and holds the code, to
which `sas_formats` gives its words.
A day is a number of the program's own calendar with a date format, so that an empty sheet has its type too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions_app.dataout.coding import is_coded, numbers, value_labels, variable_label
from sessions_app.dataout.source import Cells, Source
from sessions_app.datasheets.columns import Column, Sheet

LONGEST_TEXT = 32_767
"""Bytes of a text that SPSS takes."""


class NoRoomInFile(Exception):
    """A statistics program cannot hold a text. The message says which."""


@dataclass(frozen=True)
class Program:
    """How one statistics program has its files."""

    ending: str
    words: str
    day_zero: str
    """The first day of its calendar, in ISO 8601."""
    per_day: int
    """Its units in a day."""
    date_format: str
    has_value_labels: bool
    write: Callable[[Any, Path, dict[str, Any]], None]


def _write_sav(frame: Any, path: Path, options: dict[str, Any]) -> None:
    import pyreadstat

    pyreadstat.write_sav(frame, str(path), row_compress=True, **options)


def _write_dta(frame: Any, path: Path, options: dict[str, Any]) -> None:
    import pyreadstat

    pyreadstat.write_dta(frame, str(path), **options)


def _write_xpt(frame: Any, path: Path, options: dict[str, Any]) -> None:
    import pyreadstat

    pyreadstat.write_xport(frame, str(path), table_name=path.stem.upper(), file_format_version=8, **options)


PROGRAMS = {
    "sav": Program("sav", "SPSS", "1582-10-14", 86_400, "DATE11", True, _write_sav),
    "dta": Program("dta", "Stata", "1960-01-01", 1, "%td", True, _write_dta),
    "xpt": Program("xpt", "SAS transport", "1960-01-01", 1, "DATE9", False, _write_xpt),
}
"""By the ending of the files."""


def write_statistics_file(path: Path, source: Source, name: str, program: Program) -> int:
    """Write one sheet; give the number of its rows.

    Raises:
        NoRoomInFile: a text is longer than SPSS takes.
    """
    sheet = source.plan.sheets[name]
    frame = _frame(sheet, source, program)
    options: dict[str, Any] = {
        "file_label": sheet.label,
        "column_labels": {column.name: variable_label(column) for column in sheet.columns},
        "variable_format": {
            column.name: program.date_format for column in sheet.columns if column.kind == "date"
        },
    }
    if program.has_value_labels:
        options["variable_value_labels"] = {
            column.name: value_labels(column) for column in sheet.columns if is_coded(column)
        }
    program.write(frame, path, options)
    return len(frame)


def _frame(sheet: Sheet, source: Source, program: Program) -> Any:
    """The sheet as a table of numbers and texts, gathered block by block so that no row is kept as text."""
    import numpy
    import pandas

    readers = [_reader(column, program) for column in sheet.columns]
    parts: list[list[Any]] = [[] for _column in sheet.columns]
    for rows in source.rows(sheet.name):
        if rows:
            for part, read, cells in zip(parts, readers, zip(*rows, strict=True), strict=True):
                part.append(read(cells))
    columns = {}
    for column, read, part in zip(sheet.columns, readers, parts, strict=True):
        columns[column.name] = numpy.concatenate(part) if part else read(())
        part.clear()
    frame = pandas.DataFrame(columns, copy=False)
    texts = [column.name for column in sheet.columns if _is_text(column, program)]
    return frame.astype(dict.fromkeys(texts, "str")) if texts else frame


def _is_text(column: Column, program: Program) -> bool:
    if is_coded(column):
        return not program.has_value_labels
    return column.kind not in ("whole", "decimal", "year", "date")


def _reader(column: Column, program: Program) -> Callable[[Cells], Any]:
    """What turns the texts of a column into what its file holds."""
    import numpy

    if _is_text(column, program):
        return lambda cells: numpy.array([_short(column, one or "") for one in cells], dtype=object)
    if is_coded(column):
        by_code: dict[str | None, float] = {None: numpy.nan}
        by_code.update(numbers(column))
        return lambda cells: numpy.array([by_code[one] for one in cells], dtype=float)
    if column.kind == "date":
        zero = numpy.datetime64(program.day_zero)

        def days(cells: Cells) -> Any:
            since = numpy.array([one or "NaT" for one in cells], dtype="datetime64[D]") - zero
            found = since.astype(float) * program.per_day
            found[numpy.isnat(since)] = numpy.nan
            return found

        return days
    return lambda cells: numpy.array([numpy.nan if one is None else float(one) for one in cells], dtype=float)


def _short(column: Column, text: str) -> str:
    if len(text) * 4 > LONGEST_TEXT and len(text.encode()) > LONGEST_TEXT:
        raise NoRoomInFile(
            f"{column.name}: a statistics program takes at most {LONGEST_TEXT:,} bytes of text. "
            "Export CSV files, or leave free text out."
        )
    return text
