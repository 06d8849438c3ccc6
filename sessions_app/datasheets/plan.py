"""What would an import do to the register? Created, changed field by field, unchanged, and not in the file."""

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from sessions_app.datasheets.book import Row, RowName
from sessions_app.datasheets.columns import SHEETS, Column
from sessions_app.datasheets.raw import RawSheets
from sessions_app.datasheets.reader import empty_if_refused


@dataclass(frozen=True)
class Change:
    """One field of one row: its text before and after."""

    row: RowName
    column: Column
    old: str
    new: str
    held: tuple[int, int]
    """The id of the register's row, and its version."""


def _sort_key(value: Any) -> tuple[int, str]:
    """Numbers as numbers."""
    return (value, "") if isinstance(value, int) else (0, str(value or ""))


class NewRows:
    """The rows of a file that the register has not: there may be a million, so each is named when it is asked for."""

    def __init__(self, raw: RawSheets):
        self._raw = raw
        self._places = {name: array("I") for name in SHEETS}

    def add(self, row: Row) -> None:
        """Take one row."""
        self._places[row.sheet.name].append(row.at)

    def __len__(self) -> int:
        return sum(map(len, self._places.values()))

    def __iter__(self) -> Iterator[RowName]:
        for name, places in self._places.items():
            for at in sorted(places):
                raw, sheet = self._raw.sheets[name], SHEETS[name]
                texts = raw.row(at)
                key = (empty_if_refused(column, texts.get(column.name)) for column in sheet.keys)
                yield RowName(sheet, raw.numbers[at], tuple(key))

    @property
    def texts(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        """The sheet of each row, and its cells as the file has them."""
        for name, places in self._places.items():
            for at in sorted(places):
                yield name, self._raw.sheets[name].row(at)


@dataclass
class Plan:
    """Every row that an import would touch, or leave though the file has it not."""

    created: NewRows
    changed: list[RowName] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    not_in_file: list[RowName] = field(default_factory=list)
    """Rows of the register whose patient and whose sheet the file has. They stay."""
    other_patients: list[str] = field(default_factory=list)
    """Study IDs of the file's clinics that the file has not. They stay, with all their rows."""
    counts: dict[str, Counter] = field(default_factory=lambda: {name: Counter() for name in SHEETS})
    """By sheet: how many rows are created, changed, unchanged, not_in_file."""

    @property
    def changes_nothing(self) -> bool:
        """Whether the register already is as the file."""
        return not self.created and not self.changed

    def put_in_order(self) -> None:
        """Sort all lists by sheet, and within a sheet by the row of the file, or by the key."""
        order = list(SHEETS)
        self.changed.sort(key=lambda row: (order.index(row.sheet.name), row.number))
        self.changes.sort(key=lambda change: (order.index(change.row.sheet.name), change.row.number))
        self.not_in_file.sort(key=lambda row: (order.index(row.sheet.name), *map(_sort_key, row.key)))

    @property
    def digest(self) -> str:
        """A digest of all of it: two plans with the same one do the same to the same register."""
        digest = hashlib.sha256()
        for part in self._lines():
            digest.update(json.dumps(part).encode() + b"\n")
        return digest.hexdigest()

    def _lines(self) -> Iterator[list]:
        for name, texts in self.created.texts:
            yield ["created", name, texts]
        for change in self.changes:
            yield ["changed", *change.held, change.row.sheet.name, change.column.name, change.new]
        for row in self.not_in_file:
            yield ["not in file", row.sheet.name, row.key_text]


@dataclass
class BlockPlan:
    """What an import does to some patients, with the rows at hand."""

    created: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, list[tuple[Column, str, str]]]] = field(default_factory=list)
    """Each row with its changes: the column, and its text before and after."""
    not_in_file: list[Row] = field(default_factory=list)

    @property
    def touched(self) -> set[str]:
        """The study IDs of whom something is created or changed."""
        changed = (row for row, _changes in self.changed)
        return {row.values["patient_id"] for rows in (self.created, changed) for row in rows}


def plan_block(plan: Plan, rows: dict[str, list[Row]], given: Collection[str]) -> BlockPlan:
    """The plan of the checked rows of some patients, which becomes part of the whole plan.

    Args:
        rows: by sheet, those of the file and those of the register.
        given: the sheets that the file has.
    """
    block = BlockPlan()
    for name in SHEETS:
        counts = Counter(_take(block, row, name in given) for row in rows[name])
        plan.counts[name].update({kind: count for kind, count in counts.items() if kind})
    for row in block.created:
        plan.created.add(row)
    for row, changes in block.changed:
        assert row.held is not None
        plan.changed.append(row.name)
        plan.changes += (Change(row.name, *change, (row.held.pk, row.held.version)) for change in changes)
    plan.not_in_file += (row.name for row in block.not_in_file)
    return block


def _take(block: BlockPlan, row: Row, is_given: bool) -> str:
    if row.number is None:
        # A session whose number another took has changed, though the file may not name it.
        if is_given:
            block.not_in_file.append(row)
            return "not_in_file"
        return ""
    if row.held is None:
        block.created.append(row)
        return "created"
    changes = row.changes
    if not changes:
        return "unchanged"
    block.changed.append((row, changes))
    return "changed"
