"""The report's tables as one page shows them: texts, numbered notes, long tables in parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from sessions_app.reports import patient_keys
from stsclinic.clinics.models import User
from stsclinic.reporting.tables import Column, Table, cell_text

LONG = 25
"""A table of more rows is folded; its heading says how many it has."""
ROWS_SHOWN = 200
"""Rows of a table on one page. The files hold all."""
WIDE = 4
"""A table of this many columns takes the whole width."""
DENSE = 10
"""A table of this many columns is set tighter."""
SHORT_TEXT, LONG_TEXT = 22, 40
"""Characters of a text that is not broken into lines, and of one that needs a wide column."""


@dataclass(frozen=True)
class ShownTable:
    """A table as components/data_table.html takes it, and where it stands in all of its rows.

    `notes` are the numbers of its notes, from 1; `total` counts all rows.
    """

    code: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[int]
    total: int
    is_open: bool
    rows_words: str
    previous_url: str
    next_url: str

    @property
    def is_long(self) -> bool:
        return self.total > LONG

    @property
    def is_wide(self) -> bool:
        return len(self.columns) >= WIDE

    @property
    def is_dense(self) -> bool:
        return len(self.columns) >= DENSE


def notes_of(tables: Sequence[Table]) -> list[str]:
    """Every note once, in the order of the tables. A table names its own by their numbers."""
    return list(dict.fromkeys(note for table in tables for note in table.footnotes))


def shown_tables(
    tables: Sequence[Table],
    notes: Sequence[str],
    user: User,
    query: Mapping[str, str],
    given: Mapping[str, str],
) -> list[ShownTable]:
    """The tables for the page of `user`, in one query.

    Args:
        query: the selection, as the address holds it.
        given: the whole query of the address: `CODE_from` is the first row to show of a table.
    """
    starts = {table.code: _start(given.get(f"{table.code}_from", ""), len(table.rows)) for table in tables}
    keys = patient_keys(
        user,
        {
            row[index]
            for table in tables
            for index, column in enumerate(table.columns)
            if column.code == "patient_id"
            for row in _part(table, starts)
        },
    )
    return [_shown(table, notes, keys, starts, query, given) for table in tables]


def _start(text: str, total: int) -> int:
    """The first row of the part that is asked for; anything else is the beginning."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return number // ROWS_SHOWN * ROWS_SHOWN if number < total else 0


def _part(table: Table, starts: Mapping[str, int]) -> Sequence[Sequence]:
    return table.rows[starts[table.code] : starts[table.code] + ROWS_SHOWN]


def _shown(
    table: Table,
    notes: Sequence[str],
    keys: Mapping[str, int],
    starts: Mapping[str, int],
    query: Mapping[str, str],
    given: Mapping[str, str],
) -> ShownTable:
    start, total, name = starts[table.code], len(table.rows), f"{table.code}_from"
    rows = [
        [_cell(column, value, keys) for column, value in zip(table.columns, row, strict=True)]
        for row in _part(table, starts)
    ]

    def url(first: int) -> str:
        return f"{reverse('report')}?{urlencode({**query, name: str(first)})}#table-{table.code}"

    words = (
        f"Rows {start + 1} to {start + len(rows)} of {total}; the files hold all" if total > len(rows) else ""
    )
    return ShownTable(
        code=table.code,
        title=table.title,
        columns=table.columns,
        rows=rows,
        notes=[notes.index(note) + 1 for note in table.footnotes],
        total=total,
        is_open=name in given,
        rows_words=words,
        previous_url=url(start - ROWS_SHOWN) if start else "",
        next_url=url(start + ROWS_SHOWN) if start + ROWS_SHOWN < total else "",
    )


def _cell(column: Column, value: object, keys: Mapping[str, int]) -> str:
    """The text; short ones are not broken, and long ones get the room to be read."""
    text = cell_text(column, value)
    if column.code == "patient_id" and text in keys:
        return format_html('<a href="{}">{}</a>', reverse("patient", args=[keys[text]]), text)
    if column.is_number:
        return text
    if len(text) > LONG_TEXT:
        return format_html('<div class="report-reason">{}</div>', text)
    return format_html('<span class="nowrap">{}</span>', text) if len(text) < SHORT_TEXT else text
