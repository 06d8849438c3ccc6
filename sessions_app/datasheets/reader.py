"""The texts of a column as values, each different text read once: most stand in many rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sessions_app.datasheets.columns import Column
from sessions_app.datasheets.values import ValueRefused, empty_value, parse_value

DIFFERENT = 10_000
"""Different texts whose values are kept."""


@dataclass(frozen=True)
class Refusal:
    """A cell that holds no value, and why; no words: that was reported already."""

    sentence: str = ""


class Reader(dict[str | None, Any]):
    """The values of one column by text, or why there is none."""

    def __init__(self, column: Column):
        super().__init__()
        self.column = column
        self.has_refused = False
        """Whether it ever refused a text."""

    def values_of(self, texts: Iterable[str | None]) -> list[Any]:
        """The value of each cell, or a Refusal."""
        return list(map(self.__getitem__, texts))

    def __missing__(self, text: str | None) -> Any:
        if len(self) >= DIFFERENT:
            self.clear()
        self[text] = value = _read(self.column, text)
        self.has_refused = self.has_refused or isinstance(value, Refusal)
        return value


def _read(column: Column, text: str | None) -> Any:
    if text is None:
        return Refusal()
    if column.required and not text.strip():
        return Refusal("This is required.")
    try:
        return parse_value(column, text)
    except ValueRefused as error:
        return Refusal(str(error))


def empty_if_refused(column: Column, text: str | None) -> Any:
    """The value of a cell, and nothing where there is none."""
    value = _read(column, text or "")
    return empty_value(column) if isinstance(value, Refusal) else value
