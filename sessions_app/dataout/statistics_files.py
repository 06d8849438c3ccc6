"""The sheets as files of SPSS, Stata and SAS, with labels and missing values, by pyreadstat.

A code is a number with its words as value label; SAS transport has no value labels and holds the code, to
which `sas_formats` gives its words.
A day is a number of the program's own calendar with a date format, so that an empty sheet has its type too.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions_app.dataout.coding import is_coded, numbers, value_labels, variable_label
from sessions_app.dataout.source import Source
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
    missing: float
    """What stands in a frame for a number that is missing."""
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


NAN = float("nan")

PROGRAMS = {
    # A file of SPSS holds its lowest number where one is missing. Of each NaN, pandas is asked what it is.
    "sav": Program("sav", "SPSS", "1582-10-14", 86_400, "DATE11", True, -sys.float_info.max, _write_sav),
    "dta": Program("dta", "Stata", "1960-01-01", 1, "%td", True, NAN, _write_dta),
    "xpt": Program("xpt", "SAS transport", "1960-01-01", 1, "DATE9", False, NAN, _write_xpt),
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
    """The sheet as a table of numbers and texts, gathered part by part so that no row is kept as text."""
    import numpy
    import pandas

    names = [column.name for column in sheet.columns]
    kinds = {column.name: _kind_while_read(column, program) for column in sheet.columns}
    parts: list[list[Any]] = [[] for _column in sheet.columns]
    for written in source.plain_csv(sheet.name, all_are_kept=True):
        if not written.read(1):
            continue
        written.seek(0)
        table = pandas.read_csv(
            written, header=None, names=names, dtype=kinds, keep_default_na=False, na_values=[""]
        )
        for part, column in zip(parts, sheet.columns, strict=True):
            part.append(_values(column, table[column.name], program))
    columns = {}
    for column, part in zip(sheet.columns, parts, strict=True):
        kind = object if _is_text(column, program) else float
        # As what pandas would take texts for, each of them would be a call when pyreadstat goes through them.
        columns[column.name] = pandas.Series(numpy.concatenate(part) if part else [], dtype=kind)
        part.clear()
    frame = pandas.DataFrame(columns, copy=False)
    if len(frame):
        return frame
    # Without a row, a column of texts is known as one by its type alone.
    return frame.astype({column.name: "str" for column in sheet.columns if _is_text(column, program)})


def _is_text(column: Column, program: Program) -> bool:
    if is_coded(column):
        return not program.has_value_labels
    return column.kind not in ("whole", "decimal", "year", "date")


def _kind_while_read(column: Column, program: Program) -> str:
    """As what pandas reads the texts of a column; days it takes for texts."""
    if _is_text(column, program) or column.kind == "date":
        return "str"
    return "category" if is_coded(column) else "float"


def _values(column: Column, found: Any, program: Program) -> Any:
    """A column as it was read, in the form that its file holds.

    Raises:
        KeyError: a code is none of the column's vocabulary.
    """
    import numpy

    if _is_text(column, program):
        texts = found.fillna("").to_numpy(dtype=object)
        if column.kind == "text":
            _refuse_long(column, texts)
        return texts
    if is_coded(column):
        by_code = numbers(column)
        number_of = numpy.array([*(by_code[code] for code in found.cat.categories), program.missing])
        return number_of[found.cat.codes]
    if column.kind == "date":
        zero = numpy.datetime64(program.day_zero)
        since = found.fillna("NaT").to_numpy(dtype="datetime64[D]") - zero
        days = since.astype(float) * program.per_day
        days[numpy.isnat(since)] = program.missing
        return days
    return found.fillna(program.missing).to_numpy()


def _refuse_long(column: Column, texts: Iterable[str]) -> None:
    if any(len(text) * 4 > LONGEST_TEXT and len(text.encode()) > LONGEST_TEXT for text in texts):
        raise NoRoomInFile(
            f"{column.name}: a statistics program takes at most {LONGEST_TEXT:,} bytes of text. "
            "Export CSV files, or leave free text out."
        )
