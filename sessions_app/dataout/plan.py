"""What leaves in an export: which patients and series, which columns, and in which form.

De-identified is the default: no identity (it is in no sheet), no free text, nobody of the staff, days
shifted by a number that is constant within a patient, of a partial date the year alone, and instead of
the year of birth the age at the first treatment, with all ages of 90 and more as one.

The study ID stays by default: it is the clinic's own pseudonym, never a name, and without it nobody
could follow a number back to its patient. Since the clinic's list resolves it, `new_ids` puts a random
code in its place, and a number in that of the lesion's ID, for data that go to others.

Source: HIPAA, 45 CFR 164.514(b)(2), for what identifies and for the ages over 89.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from sessions_app.datasheets.columns import PRIVACY, SHEETS, Column, Sheet
from stsclinic.clinical import terms
from stsclinic.reporting.selection import LEFT_OUT, Selection

OLDEST = 90
"""Ages of this many years and more leave as this one."""

AGE = "age_at_first_treatment"

AGE_COLUMN = Column(
    name=AGE,
    label="Age at first treatment",
    meaning=f"Age in the year of the first treatment; {OLDEST} means {OLDEST} or older. Empty without a treatment.",
    kind="whole",
    privacy="clinical",
    unit="years",
    low=Decimal(0),
    high=Decimal(OLDEST),
)

ANALYSIS = Sheet(
    name="analysis",
    label="Series in the analysis",
    meaning="One row for each series: whether the report analyses it, by its own rule on the days as recorded.",
    model="sessions_app.Series",
    clinic_path="patient__clinic",
    kept_paths=("", "patient__"),
    columns=(
        *(column for column in SHEETS["series"].columns if column.is_key),
        Column(
            name="analysed",
            label="Analysed",
            meaning="Whether the report analyses this series.",
            kind="yes_no",
            privacy="clinical",
            vocabulary=terms.YES_NO,
        ),
        Column(
            name="left_out",
            label="Left out because",
            meaning="Why it is left out; empty for a series that is analysed.",
            kind="code",
            privacy="clinical",
            vocabulary=LEFT_OUT,
        ),
    ),
)
"""Computed by the report, and read by no import. A calendar month does not survive shifted days."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One export. The empty selection of clinics holds none: `clinics` are their codes."""

    clinics: tuple[str, ...]
    formats: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    with_dates: bool = False
    """Whether days and years of birth leave as recorded."""
    with_text: bool = False
    """Whether notes and other free text leave, with who of the staff did what."""
    new_ids: bool = False
    """Whether random codes replace study IDs and lesion IDs."""
    danish: bool = False
    """Whether CSV files have semicolons, decimal commas and a BOM, as Excel in Denmark opens them."""
    closed: frozenset[tuple[str, str]] = frozenset()
    """The (clinic code, protocol code) pairs whose allocation is left out."""

    @property
    def is_deidentified(self) -> bool:
        """Whether neither dates nor free text leave as recorded."""
        return not (self.with_dates or self.with_text)

    @cached_property
    def sheets(self) -> Mapping[str, Sheet]:
        """Every sheet as it leaves, by name."""
        return {sheet.name: self._leaving(sheet) for sheet in (*SHEETS.values(), ANALYSIS)}

    @property
    def left_out(self) -> list[tuple[Sheet, Column]]:
        """The columns of the data sheets that do not leave."""
        return [
            (sheet, column)
            for sheet in SHEETS.values()
            for column in sheet.columns
            if self.sheets[sheet.name].column(column.name) is None
        ]

    def _leaving(self, sheet: Sheet) -> Sheet:
        columns = (self._as_leaving(column) for column in sheet.columns)
        return replace(sheet, columns=tuple(column for column in columns if column is not None))

    def _as_leaving(self, column: Column) -> Column | None:
        """The column in the form in which it leaves; None if it does not.

        Raises:
            KeyError: the column is of no class of PRIVACY.
        """
        PRIVACY[column.privacy]
        if column.is_free_text:
            return column if self.with_text else None
        if column.privacy == "birth":
            return column if self.with_dates else AGE_COLUMN
        if column.privacy == "date" and not self.with_dates:
            return replace(column, meaning=f"{column.meaning} {SHIFTED}")
        if column.privacy == "partial_date" and not self.with_dates:
            return replace(
                column, kind="year", label=f"{column.label} (year)", meaning=f"{column.meaning} {YEAR}"
            )
        if column.name in ("patient_id", "lesion_id") and self.new_ids:
            return replace(column, meaning=f"{column.meaning} {RANDOM}")
        return column


SHIFTED = "Shifted by a number of days that is constant within the patient."
YEAR = "The year alone, of the shifted date."
RANDOM = "A random code in place of the clinic's own."
