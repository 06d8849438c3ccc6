"""The rows of some patients as typed values, with what rules ask of them: keys, what they refer to, protocols."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from sessions_app.datasheets.columns import SHEETS, Column, Sheet
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import RawSheet
from sessions_app.datasheets.values import show_value
from stsclinic.clinical.protocols import ProtocolDefinition

PARENTS = {
    "patient": ("patients", ("patient_id",)),
    "lesion": ("lesions", ("patient_id", "lesion_id")),
    "series": ("series", ("patient_id", "series_no")),
    "session": ("sessions", ("patient_id", "series_no", "session_no")),
}
"""What a row may refer to: the sheet, and the columns that name its row there."""

BESIDE = {
    "treated": ("series_lesions", ("patient_id", "series_no", "lesion_id")),
    "seen": ("session_lesions", ("patient_id", "series_no", "session_no", "lesion_id")),
}
"""The same of the rows that need not be there: that the series treats the lesion, that the session saw it."""

NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class Held:
    """A row as the register holds it."""

    pk: int
    version: int
    values: dict[str, Any]
    """By column."""
    protocol_pk: int = 0
    """Of a series: the version of the protocol that it has."""


@dataclass(frozen=True)
class KnownProtocol:
    """A protocol that is there: its row's id, and what it says."""

    pk: int
    definition: ProtocolDefinition


@dataclass(slots=True, eq=False)
class Row:
    """One row: its values, the columns that were refused, where it stands, and the rows that it refers to."""

    sheet: Sheet
    values: dict[str, Any]
    number: int | None = None
    """Its number in the file; None: the register has it, and the file has not."""
    source: RawSheet | None = None
    at: int = 0
    """Where it stands in the source, counted from 0."""
    refused: frozenset[str] = NOTHING
    held: Held | None = None
    """The same row as the register holds it; None: it is new."""
    pk: int | None = None
    """Its id in the database, once it is there."""
    patient: "Row | None" = None
    lesion: "Row | None" = None
    series: "Row | None" = None
    session: "Row | None" = None
    treated: "Row | None" = None
    seen: "Row | None" = None
    known: KnownProtocol | None = None
    """Of a series: its protocol, if that is there."""

    @property
    def protocol(self) -> ProtocolDefinition | None:
        """The protocol of the series to which the row belongs, if it is there and known."""
        series = self.series
        return None if series is None or series.known is None else series.known.definition

    @property
    def name(self) -> "RowName":
        """What a list says of the row."""
        return RowName(self.sheet, self.number, tuple(self.values[column.name] for column in self.sheet.keys))

    @property
    def key_text(self) -> str:
        """The key in words: `P-1, 1, 2`."""
        return self.name.key_text

    def text(self, column: str) -> str:
        """What the file has in a column."""
        return "" if self.source is None else self.source.text(column, self.at)

    def refuse(self, column: str) -> None:
        """Note that there is no value."""
        self.refused = self.refused | {column}

    def key(self, names: tuple[str, ...]) -> tuple | None:
        """The values of these columns; None if one of them was refused."""
        if self.refused and self.refused.intersection(names):
            return None
        return tuple(map(self.values.__getitem__, names))

    @property
    def changes(self) -> list[tuple[Column, str, str]]:
        """The columns that the file changes, with the text before and after."""
        if self.held is None or self.number is None:
            return []
        old, new = self.held.values, self.values
        pairs = (
            (column, show_value(column, old[column.name]), show_value(column, new[column.name]))
            for column in self.sheet.columns
            # A key that names another row is the same row's, under the number that it has now.
            if old[column.name] != new[column.name]
            and column.name not in self.refused
            and not (column.is_key and column.is_reference)
        )
        return [(column, before, after) for column, before, after in pairs if before != after]


@dataclass(frozen=True)
class RowName:
    """What a list says of a row, when its values are no longer at hand."""

    sheet: Sheet
    number: int | None
    """Its number in the file; None: the file has it not."""
    key: tuple

    @property
    def key_text(self) -> str:
        """The key in words: `P-1, 1, 2`."""
        shown = map(show_value, self.sheet.keys, self.key)
        return ", ".join(text for text in shown if text)

    @property
    def patient_id(self) -> str:
        """The study ID, by which every key begins."""
        return self.key[0]


def key_of(columns: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple]:
    """What gives the values of these columns as a tuple."""
    if len(columns) == 1:
        return lambda values: (values[columns[0]],)
    return itemgetter(*columns)


def parents(sheet: Sheet) -> Iterator[str]:
    """What the rows of a sheet refer to, directly."""
    seen = {column.field.split("__")[0] for column in sheet.columns if column.is_reference}
    return (parent for parent in PARENTS if parent in seen)


@dataclass
class Book:
    """All rows of some patients by sheet, the rows by key, and what is found wrong or unusual."""

    protocols: Mapping[tuple[str, str], KnownProtocol]
    """The latest version by the code of the clinic that made it (empty: shipped) and its own code."""
    versions: Mapping[int, KnownProtocol] = field(default_factory=dict)
    """Every version by its id."""
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in SHEETS})
    by_key: dict[str, dict[tuple, Row]] = field(default_factory=lambda: {name: {} for name in SHEETS})
    struck_out: Mapping[str, Collection[tuple[dict[str, Any], datetime]]] = field(default_factory=dict)
    """By sheet: the values of rows of the register that were struck out, with when."""
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def link(self) -> None:
        """Find for every row those that it refers to, and for every series its protocol."""
        for name, sheet in SHEETS.items():
            names = {column.name for column in sheet.columns}
            for link, (target, columns) in (PARENTS | BESIDE).items():
                if target != name and names.issuperset(columns) and self.by_key[target]:
                    find, key = self.by_key[target].get, key_of(columns)
                    for row in self.rows[name]:
                        setattr(row, link, find(key(row.values)))
        for row in self.rows["series"]:
            row.known = self._known_protocol(row)

    def _known_protocol(self, series: Row) -> KnownProtocol | None:
        """The version that the series has, or for a new series the latest one that is shipped or made by
        the patient's clinic."""
        held = series.held
        if held is not None and held.values["protocol"] == series.values["protocol"]:
            return self.versions[held.protocol_pk]
        found = [self.protocols.get((maker, series.values["protocol"])) for maker in self._makers(series)]
        return max(filter(None, found), key=lambda known: known.definition.version, default=None)

    def protocol_codes(self, series: Row) -> list[str]:
        """The codes of the protocols that a series of this patient may have."""
        makers = self._makers(series)
        return sorted({code for maker, code in self.protocols if maker in makers})

    def _makers(self, series: Row) -> Collection[str]:
        return {""} if series.patient is None else {"", series.patient.values["clinic"]}

    def refuse(self, row: Row, column: str, sentence: str, valid: str = "") -> None:
        """Note an error at a cell."""
        self.errors.append(_problem(row, column, sentence, valid))

    def warn(self, row: Row, column: str, sentence: str) -> None:
        """Note what is unusual at a cell."""
        self.warnings.append(_problem(row, column, sentence, ""))


def _problem(row: Row, column: str, sentence: str, valid: str) -> Problem:
    value = row.text(column)
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
