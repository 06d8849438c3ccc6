"""What the preview of an import shows: counts, tables of what was found with links to the place, one row of the file."""

from collections.abc import Callable, Sequence
from itertools import islice

from django.utils.html import format_html

from sessions_app.datasheets.blocks import block_around
from sessions_app.datasheets.book import Row
from sessions_app.datasheets.checking import Allowed, Checked, begin, check_blocks
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.columns import Column as SheetColumn
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import RawSheets
from sessions_app.datasheets.values import show_value
from stsclinic.clinical.dates import PartialDate
from stsclinic.reporting.tables import Column, Table

SHOWN = 200
"""Rows of each table of the page; the marked copy has all."""

LinkTo = Callable[[str, int], str]
"""The address of a row of the file: its sheet, and its number."""

COUNTS = {
    "created": "New",
    "changed": "Changed",
    "unchanged": "Unchanged",
    "not_in_file": "Not in the file",
}


def counts_table(checked: Checked) -> Table:
    """Rows by sheet: in the file, new, changed, unchanged, and in the register only."""
    columns = [Column("sheet", "Sheet"), Column("rows", "In the file", "count")]
    columns += [Column(code, words, "count") for code, words in COUNTS.items()]
    rows = [
        [SHEETS[name].label, checked.counts[name], *(counts[code] for code in COUNTS)]
        for name, counts in checked.plan.counts.items()
        if checked.counts[name] or counts.total()
    ]
    return Table("counts", "Rows", columns, rows)


def problems_table(title: str, problems: Sequence[Problem], link_to: LinkTo) -> Table:
    """Errors, or warnings, each with its place, the value, and what would be valid."""
    is_error = title == "Errors"
    columns = [
        Column("place", "Place"),
        Column("value", "Value"),
        Column("sentence", "What is wrong" if is_error else "What is unusual"),
    ]
    if is_error:
        columns.append(Column("valid", "What is valid"))
    rows = [
        [_place(one.sheet, one.row, one.column, link_to), one.shown_value, one.sentence]
        + ([one.valid] if is_error else [])
        for one in problems[:SHOWN]
    ]
    return Table(title.lower(), title, columns, rows)


def changes_table(checked: Checked, link_to: LinkTo) -> Table:
    """Each field that would change, with its value before and after."""
    columns = [
        Column("place", "Place"),
        Column("key", "Row of"),
        Column("old", "Before"),
        Column("new", "After"),
    ]
    rows = [
        [
            _place(change.row.sheet.name, change.row.number, change.column.name, link_to),
            change.row.key_text,
            _in_words(change.column, change.old),
            _in_words(change.column, change.new),
        ]
        for change in checked.plan.changes[:SHOWN]
    ]
    return Table("changes", "Changed", columns, rows)


def created_table(checked: Checked, link_to: LinkTo) -> Table:
    """Each row that would be new."""
    rows = [
        [_place(row.sheet.name, row.number, "", link_to), row.key_text]
        for row in islice(checked.plan.created, SHOWN)
    ]
    return Table("created", "New rows", [Column("place", "Place"), Column("key", "Row of")], rows)


def not_in_file_table(checked: Checked) -> Table:
    """What the register has and the file has not: patients first, each without its further rows."""
    patients = (["Patients", study_id] for study_id in checked.plan.other_patients)
    others = ([row.sheet.label, row.key_text] for row in checked.plan.not_in_file)
    rows = list(islice((row for rows in (patients, others) for row in rows), SHOWN))
    title = "In the register, not in the file"
    return Table("not-in-file", title, [Column("sheet", "Sheet"), Column("key", "Row of")], rows)


def preview(checked: Checked, link_to: LinkTo) -> dict:
    """Everything that the preview shows: parts with their tables and how many more rows each has."""
    plan = checked.plan
    parts = [
        (problems_table("Errors", checked.errors, link_to), len(checked.errors)),
        (problems_table("Warnings", checked.warnings, link_to), len(checked.warnings)),
        (changes_table(checked, link_to), len(plan.changes)),
        (created_table(checked, link_to), len(plan.created)),
        (not_in_file_table(checked), len(plan.not_in_file) + len(plan.other_patients)),
    ]
    return {
        "errors": len(checked.errors),
        "counts": counts_table(checked),
        "changes_nothing": plan.changes_nothing,
        "changed": len(plan.changed),
        "created": len(plan.created),
        "digest": plan.digest,
        "parts": [
            {
                "table": table,
                "count": count,
                "more": count - len(table.rows),
                "note": _NOTES.get(table.code, ""),
            }
            for table, count in parts
            if count
        ],
    }


_NOTES = {
    "errors": "Correct them in the file, then choose it again. All of them are found at once.",
    "warnings": "Unusual but possible, so it stops no import. Look at each.",
    "not-in-file": "An import takes nothing away: these stay as they are. A mistake is struck out on its page.",
}


def row_of_file(
    raw: RawSheets, allowed: Allowed, sheet: str, number: int
) -> tuple[list[Problem], Table] | None:
    """One row of the file: what was found in it, and each column with the register's value; None: no such row."""
    taken = raw.sheets.get(sheet)
    at = taken.place(number) if taken else None
    checked, row = begin(raw), None
    around = () if at is None else (block_around(raw, sheet, at),)
    for block in check_blocks(raw, allowed, checked, around):
        row = next(row for row in block.book.rows[sheet] if row.number == number)
    found = [one for one in (*checked.errors, *checked.warnings) if (one.sheet, one.row) == (sheet, number)]
    if taken is None or (at is None and not found):
        return None
    texts = {} if at is None else taken.row(at)
    refused = {one.column: one.shown_value for one in found}
    columns = [
        Column("column", "Column"),
        Column("value", "In the file"),
        Column("before", "In the register"),
    ]
    rows = [
        [name, _shown(refused.get(name, "") if text is None else text), _in_register(row, name)]
        for name, text in texts.items()
    ]
    return found, Table("row", f"{SHEETS[sheet].label}, row {number}", columns, rows)


def _in_register(row: Row | None, name: str) -> str:
    """What the register has in a column; nothing to say where the row is new."""
    if row is None or row.held is None:
        return ""
    column = row.sheet.column(name)
    assert column is not None
    old, new = (show_value(column, values[name]) for values in (row.held.values, row.values))
    return "the same" if old == new and name not in row.refused else _in_words(column, old)


def _place(sheet: str, row: int | None, column: str, link_to: LinkTo):
    words = ", ".join(filter(None, (sheet or "The file", "" if row is None else f"row {row}", column)))
    if row is None or sheet not in SHEETS:
        return words
    return format_html('<a href="{}">{}</a>', link_to(sheet, row), words)


def _in_words(column: SheetColumn, text: str) -> str:
    """The canonical text of a value as people read it: `14-Jun-2018`, which the file has as 2018-06-14."""
    return PartialDate.parse(text).show() if text and column.kind in ("date", "partial") else _shown(text)


def _shown(text: str) -> str:
    return text or "nothing"
