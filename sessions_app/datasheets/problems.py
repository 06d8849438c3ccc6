"""What is wrong, or only unusual, in data sheets: where it stands, and what would be valid."""

from dataclasses import dataclass

LONGEST_VALUE = 80
"""Characters of a value that a message repeats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One error or warning. `row` counts as in the file, its first row being 1; None: the whole sheet."""

    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    sentence: str
    """What is wrong."""
    valid: str = ""
    """What would be valid, as a sentence."""
    patient_id: str = ""
    """The study ID of the row, where it has one."""

    @property
    def place(self) -> str:
        """Where it stands: `sessions, row 5, ptga`."""
        row = "" if self.row is None else f"row {self.row}"
        return ", ".join(filter(None, (self.sheet, row, self.column)))

    @property
    def shown_value(self) -> str:
        """The value as a message repeats it, on one line and not too long."""
        value = " ".join(self.value.split())
        return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"

    def __str__(self) -> str:
        value = f' "{self.shown_value}"' if self.value else ""
        head = f"{self.place}{value}: " if self.place or value else ""
        return f"{head}{self.sentence}" + (f" {self.valid}" if self.valid else "")


class ImportRefused(Exception):
    """The sheets have errors; nothing was written.

    Attributes:
        errors: every Problem of the whole file.
    """

    def __init__(self, errors: list[Problem]):
        super().__init__(f"{len(errors)} errors; nothing was imported.")
        self.errors = errors
