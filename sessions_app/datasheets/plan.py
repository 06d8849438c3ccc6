"""What would an import do to the register? Created, changed field by field, unchanged, and not in the file."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sessions_app.datasheets.book import Row
from sessions_app.datasheets.columns import SHEETS, Column
from sessions_app.datasheets.values import show_value


@dataclass(frozen=True)
class Change:
    """One field of one row: its text before and after."""

    row: Row
    column: Column
    old: str
    new: str


@dataclass
class Plan:
    """Every row that an import would touch, or leave though the file has it not."""

    created: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    not_in_file: list[Row] = field(default_factory=list)
    """Rows of the register whose patient and whose sheet the file has. They stay."""
    other_patients: list[str] = field(default_factory=list)
    """Study IDs of the file's clinics that the file has not. They stay, with all their rows."""
    counts: dict[str, Counter] = field(default_factory=dict)
    """By sheet: how many rows are created, changed, unchanged, not_in_file."""

    @property
    def changes_nothing(self) -> bool:
        """Whether the register already is as the file."""
        return not self.created and not self.changed

    @property
    def changed_rows(self) -> Iterator[tuple[Row, list[Change]]]:
        """The rows that change, each with its changes."""
        by_row: dict[int, list[Change]] = {}
        for change in self.changes:
            by_row.setdefault(id(change.row), []).append(change)
        return ((row, by_row[id(row)]) for row in self.changed)

    @property
    def patients(self) -> set[str]:
        """The study IDs of whom something is created or changed."""
        return {row.values["patient_id"] for row in (*self.created, *self.changed)}

    @property
    def digest(self) -> str:
        """A digest of all of it: two plans with the same one do the same to the same register."""
        digest = hashlib.sha256()
        for part in self._lines():
            digest.update(json.dumps(part).encode() + b"\n")
        return digest.hexdigest()

    def _lines(self) -> Iterator[list]:
        for row in self.created:
            shown = [show_value(column, row.values[column.name]) for column in row.sheet.columns]
            yield ["created", row.sheet.name, *shown]
        for change in self.changes:
            held = change.row.held
            assert held is not None
            yield ["changed", held.pk, held.version, change.row.sheet.name, change.column.name, change.new]
        for row in self.not_in_file:
            yield ["not in file", row.sheet.name, row.key_text]


def plan_of(rows: dict[str, list[Row]], given: set[str]) -> Plan:
    """The plan of checked rows.

    Args:
        rows: by sheet, those of the file and those of the register.
        given: the sheets that the file has.
    """
    plan = Plan(counts={name: Counter() for name in SHEETS})
    for name in SHEETS:
        for row in rows[name]:
            kind = _take(plan, row, name in given)
            if kind:
                plan.counts[name][kind] += 1
    plan.not_in_file.sort(key=lambda row: (_ORDER.index(row.sheet.name), *_sort_key(row)))
    return plan


_ORDER = list(SHEETS)


def _sort_key(row: Row) -> Iterator[tuple[int, str]]:
    """The key in the order of the sheets: numbers as numbers."""
    for column in row.sheet.keys:
        value = row.values[column.name]
        yield (value, "") if isinstance(value, int) else (0, str(value or ""))


def _take(plan: Plan, row: Row, is_given: bool) -> str:
    if row.number is None:
        # A session whose number another took has changed, though the file may not name it.
        if is_given:
            plan.not_in_file.append(row)
            return "not_in_file"
        return ""
    if row.held is None:
        plan.created.append(row)
        return "created"
    changes = [Change(row, *change) for change in row.changes]
    if not changes:
        return "unchanged"
    plan.changed.append(row)
    plan.changes += changes
    return "changed"
