"""The report's tables as one page shows them: texts, numbered notes, long tables in parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from sessions_app.reports import patient_keys
from stsclinic.clinics.models import User
from stsclinic.drawing import Figure
from stsclinic.reporting.figures import SECTION_OF
from stsclinic.reporting.tables import NOTHING, SECTION, Column, Table, cell_text

LONG = 25
"""A table of more rows is folded; its heading says how many it has."""
UNFOLDED = ("characteristics",)
"""What is not folded, however long: Table 1."""
ROWS_SHOWN = 200
"""Rows of a table on one page. The files hold all."""
LANES_FROM = "lanes_from"
"""What in the address asks for another part of the lanes."""
WIDE = 4
"""A table of this many columns takes the whole width."""
FOLDED = (
    "how_sure_scores",
    "how_sure_remission",
    "flow",
    "flow_within",
    "left_out_counts",
    "remission_intervals",
    "at_risk",
    "time_to_gone",
    "side_effects",
    "controlled_tests",
    "controlled_means",
)
"""Tables whose numbers a figure or a table beside them shows too."""
DENSE = 10
"""A table of this many columns is set tighter."""
SHORT_TEXT, LONG_TEXT = 22, 40
"""Characters of a text that is not broken into lines, and of one that needs a wide column."""


PATIENT_COLUMNS = ("patient_id", "subject")
OVER_TIME = ("side_effect_patients", "side_effect_course")
"""Tables whose patients lead to their course over time, and not to their page."""


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
    is_rows: bool
    """Whether it is a list of the rows behind a number, on a page of its own."""

    @property
    def is_folded(self) -> bool:
        return self.code in FOLDED or (self.total > LONG and not (self.is_rows or self.code in UNFOLDED))

    @property
    def is_wide(self) -> bool:
        return len(self.columns) >= WIDE

    @property
    def is_dense(self) -> bool:
        return len(self.columns) >= DENSE


@dataclass(frozen=True)
class ShownFigure:
    """A figure with the tables that hold its numbers, its files, and the ways to its other parts."""

    figure: Figure
    tables: Sequence[ShownTable]
    svg_url: str
    png_url: str
    previous_url: str
    next_url: str


@dataclass(frozen=True)
class ShownSection:
    """A part of the report: its figures, and its tables in groups that stand side by side where narrow."""

    code: str
    title: str
    figures: Sequence[ShownFigure]
    groups: Sequence[Sequence[ShownTable]]


Query = Mapping[str, Sequence[str]]
"""The selection, as the address holds it."""


def address(name: str, query: Query, *, args: Sequence[str] = (), **more: str | int) -> str:
    """An address of the report with its selection."""
    text = urlencode({**query, **more}, doseq=True)
    return f"{reverse(name, args=args)}?{text}" if text else reverse(name, args=args)


def notes_of(tables: Sequence[Table]) -> list[str]:
    """Every note once, in the order of the tables. A table names its own by their numbers."""
    return list(dict.fromkeys(note for table in tables for note in table.footnotes))


def shown_sections(
    tables: Sequence[Table],
    drawn: Sequence[Figure],
    notes: Sequence[str],
    user: User,
    query: Query,
    given: Mapping[str, str],
) -> list[ShownSection]:
    """The parts of the report for the page of `user`, in one query.

    Args:
        given: the whole query of the address: `CODE_from` is the first row to show of a table.
    """
    shown = {
        table.code: one
        for table, one in zip(tables, shown_tables(tables, notes, user, query, given), strict=True)
    }
    found = []
    for code, title in SECTION.items():
        of_section = [shown[table.code] for table in tables if table.section == code]
        if of_section:
            groups = [list(group) for _, group in groupby(of_section, key=lambda table: table.is_wide)]
            figures = [
                _shown_figure(one, [shown[table] for table in one.tables], query)
                for one in drawn
                if SECTION_OF[one.code] == code
            ]
            found.append(ShownSection(code, title, figures, groups))
    return found


def _shown_figure(figure: Figure, tables: Sequence[ShownTable], query: Query) -> ShownFigure:
    part = figure.part

    def page(first: int) -> str:
        return f"{address('report', {**query, LANES_FROM: [str(first)]})}#figure-{figure.code}"

    def file(ending: str) -> str:
        of_part = {LANES_FROM: [str(part.first)]} if part and part.first else {}
        return address("report_figure", {**query, **of_part}, args=(figure.code, ending))

    return ShownFigure(
        figure=figure,
        tables=tables,
        svg_url=file("svg"),
        png_url=file("png"),
        previous_url=page(part.first - part.most) if part and part.first else "",
        next_url=page(part.first + part.most) if part and part.first + part.most < part.total else "",
    )


def lanes_from(given: Mapping[str, str]) -> int:
    """A patient, counted from 0, of the part of the lanes that the address asks for; anything else is the first."""
    return _number(given.get(LANES_FROM, ""))


def shown_tables(
    tables: Sequence[Table],
    notes: Sequence[str],
    user: User,
    query: Query,
    given: Mapping[str, str],
    *,
    of: Sequence[str] = (),
) -> list[ShownTable]:
    """The tables for a page of `user`, in one query. `of` is the table, row and column that they are behind."""
    starts = {table.code: _start(given.get(f"{table.code}_from", ""), len(table.rows)) for table in tables}
    keys = patient_keys(
        user,
        {
            row[index]
            for table in tables
            for index, column in enumerate(table.columns)
            if column.code in PATIENT_COLUMNS
            for row in _part(table, starts)
        },
    )
    return [_shown(table, notes, keys, starts, query, given, of) for table in tables]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _start(text: str, total: int) -> int:
    """The first row of the part that is asked for; anything else is the beginning."""
    number = _number(text)
    return number // ROWS_SHOWN * ROWS_SHOWN if number < total else 0


def _part(table: Table, starts: Mapping[str, int]) -> Sequence[Sequence]:
    return table.rows[starts[table.code] : starts[table.code] + ROWS_SHOWN]


def _shown(
    table: Table,
    notes: Sequence[str],
    keys: Mapping[str, int],
    starts: Mapping[str, int],
    query: Query,
    given: Mapping[str, str],
    of: Sequence[str],
) -> ShownTable:
    start, total, name = starts[table.code], len(table.rows), f"{table.code}_from"
    rows = [
        [
            _cell(table, number, column, value, keys, query)
            for column, value in zip(table.columns, row, strict=True)
        ]
        for number, row in enumerate(_part(table, starts), start)
    ]

    def url(first: int) -> str:
        page = "report_rows" if of else "report"
        return f"{address(page, query, args=of, **{name: first})}#table-{table.code}"

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
        is_rows=bool(of),
    )


def _cell(
    table: Table, number: int, column: Column, value: object, keys: Mapping[str, int], query: Query
) -> str:
    """The text; a number leads to its rows; short texts are not broken, and long ones get room to be read."""
    text = cell_text(column, value)
    if column.code in PATIENT_COLUMNS and text in keys:
        where = "swim_lanes" if table.code in OVER_TIME else "patient"
        return format_html('<a href="{}">{}</a>', reverse(where, args=[keys[text]]), text)
    if column.is_number:
        if text == NOTHING or table.behind(number, column.code) is None:
            return text
        url = address("report_rows", query, args=(table.code, str(number), column.code))
        return format_html('<a class="behind" href="{}">{}</a>', url, text)
    if len(text) > LONG_TEXT:
        return format_html('<div class="report-reason">{}</div>', text)
    return format_html('<span class="nowrap">{}</span>', text) if len(text) < SHORT_TEXT else text
