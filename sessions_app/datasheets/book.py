"""The rows of all sheets as typed values, with what rules ask of them: keys, parents, protocols."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions_app.datasheets.columns import SHEETS, Column, Sheet
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.values import show_value
from stsclinic.clinical.protocols import ProtocolDefinition

PARENTS = {
    "patient": ("patients", ("patient_id",)),
    "lesion": ("lesions", ("patient_id", "lesion_id")),
    "series": ("series", ("patient_id", "series_no")),
    "session": ("sessions", ("patient_id", "series_no", "session_no")),
}
"""What a row may refer to: the sheet, and the columns that name its row there."""


@dataclass(slots=True)
class Held:
    """A row as the register holds it."""

    pk: int
    version: int
    values: dict[str, Any]
    """By column."""
    protocol_pk: int = 0
    """Of a series: the version of the protocol that it has."""


@dataclass(slots=True)
class Row:
    """One row: its number in the file, its texts, its values, and the columns that were refused."""

    sheet: Sheet
    number: int | None
    """None: the register has it, and the file has not."""
    texts: Mapping[str, str | None]
    values: dict[str, Any]
    refused: set[str]
    held: Held | None = None
    """The same row as the register holds it; None: it is new."""

    @property
    def changes(self) -> list[tuple[Column, str, str]]:
        """The columns that the file changes, with the text before and after."""
        if self.held is None or self.number is None:
            return []
        pairs = (
            (
                column,
                show_value(column, self.held.values[column.name]),
                show_value(column, self.values[column.name]),
            )
            for column in self.sheet.columns
            # A key that names another row is the same row's, under the number that it has now.
            if column.name not in self.refused and not (column.is_key and column.is_reference)
        )
        return [(column, old, new) for column, old, new in pairs if old != new]

    @property
    def key_text(self) -> str:
        """The key in words: `P-1, 1, 2`."""
        shown = (show_value(column, self.values[column.name]) for column in self.sheet.keys)
        return ", ".join(text for text in shown if text)

    def key(self, names: tuple[str, ...]) -> tuple | None:
        """The values of these columns; None if one of them was refused."""
        if self.refused and self.refused.intersection(names):
            return None
        return tuple(map(self.values.__getitem__, names))

    def parent_key(self, parent: str) -> tuple | None:
        """The key of the row that this one refers to; None if it refers to none, or was refused."""
        key = self.key(PARENTS[parent][1])
        return None if key is None or key[-1] in (None, "") else key


@dataclass(frozen=True)
class KnownProtocol:
    """A protocol that is there: its row's id, and what it says."""

    pk: int
    definition: ProtocolDefinition


@dataclass
class Book:
    """All rows by sheet, the rows by key, and what is found wrong or unusual."""

    protocols: Mapping[tuple[str, str], KnownProtocol]
    """The latest version by the code of the clinic that made it (empty: shipped) and its own code."""
    versions: Mapping[int, KnownProtocol] = field(default_factory=dict)
    """Every version by its id."""
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in SHEETS})
    by_key: dict[str, dict[tuple, Row]] = field(default_factory=lambda: defaultdict(dict))
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def parent(self, row: Row, parent: str) -> Row | None:
        """The row that this one refers to, if it is there."""
        key = row.parent_key(parent)
        return None if key is None else self.by_key[PARENTS[parent][0]].get(key)

    def protocol(self, row: Row) -> ProtocolDefinition | None:
        """The protocol of the series to which a row belongs, if it is there and known."""
        known = self.known_protocol(row)
        return None if known is None else known.definition

    def known_protocol(self, row: Row) -> KnownProtocol | None:
        """The same with its id: the version that the series has, or for a new series the latest one that
        is shipped or made by the patient's clinic."""
        series = row if row.sheet.name == "series" else self.parent(row, "series")
        if series is None:
            return None
        held = series.held
        if held is not None and held.values["protocol"] == series.values["protocol"]:
            return self.versions[held.protocol_pk]
        found = [self.protocols.get((maker, series.values["protocol"])) for maker in self._makers(series)]
        return max(filter(None, found), key=lambda known: known.definition.version, default=None)

    def protocol_codes(self, row: Row) -> list[str]:
        """The codes of the protocols that a series of this patient may have."""
        makers = self._makers(row)
        return sorted({code for maker, code in self.protocols if maker in makers})

    def _makers(self, row: Row) -> set[str]:
        patient = self.parent(row, "patient")
        return {""} if patient is None else {"", patient.values["clinic"]}

    def refuse(self, row: Row, column: str, sentence: str, valid: str = "") -> None:
        """Note an error at a cell."""
        self.errors.append(_problem(row, column, sentence, valid))

    def warn(self, row: Row, column: str, sentence: str) -> None:
        """Note what is unusual at a cell."""
        self.warnings.append(_problem(row, column, sentence, ""))


def _problem(row: Row, column: str, sentence: str, valid: str) -> Problem:
    value = row.texts.get(column) or ""
    if row.number is None:
        known = row.sheet.column(column)
        value = show_value(known, row.values[column]) if known else ""
        sentence = f"In the register, {row.key_text}: {sentence}"
    return Problem(
        sheet=row.sheet.name,
        row=row.number,
        column=column,
        value=value,
        patient_id=str(row.values["patient_id"]),
        sentence=sentence,
        valid=valid,
    )
