"""What an update of the register should not do unnoticed: bring back, rename, allocate anew."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from sessions_app.datasheets.book import Book, Row
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.plan import BlockPlan
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.register import held_rows, other_patients
from sessions_app.datasheets.values import show_value
from stsclinic.clinical.dates import show_date

STAYS_OUT = "Take the row out of the file: an import brings back nothing that was struck out."


def struck(at: datetime) -> str:
    """That it was struck out, and when, as the end of a sentence."""
    return f"struck out on {show_date(timezone.localtime(at).date())}."


def look_at_changes(book: Book, plan: BlockPlan) -> None:
    """Find among the changes of some patients what was likely not meant."""
    _refuse_struck_out(book, plan.created)
    # A patient's new ID is looked for at the end, among all patients.
    gone = [row for row in plan.not_in_file if row.sheet.name != "patients"]
    _warn_of_renames(book, plan.created, gone)
    for row, changes in plan.changed:
        for column, old, _new in changes:
            if column.name == "arm" and old:
                book.warn(row, "arm", f"The arm was allocated as {old}.")
    if book.warnings:
        # What is unusual in patients of whom nothing changes was let through before.
        touched = plan.touched
        book.warnings = [one for one in book.warnings if not one.patient_id or one.patient_id in touched]


def _refuse_struck_out(book: Book, created: list[Row]) -> None:
    """A row that was struck out does not come back by an older file."""
    for name, struck_out in book.struck_out.items():
        sheet = SHEETS[name]
        new = (row for row in created if row.sheet is sheet) if struck_out else ()
        there = {_likeness(sheet, row.values): row for row in new}
        for values, at in struck_out:
            same = there.get(_likeness(sheet, values))
            if same is not None:
                book.refuse(same, sheet.keys[-1].name, f"This row was {struck(at)}", STAYS_OUT)


def _likeness(sheet: Sheet, values: dict) -> tuple:
    """By what a row is known again: its key, and a session, which loses its number, by its kind and day."""
    if sheet.name == "sessions":
        return tuple(values[name] for name in ("patient_id", "series_no", "kind", "held_on"))
    return tuple(show_value(column, values[column.name]) for column in sheet.keys)


def _warn_of_renames(book: Book, created: list[Row], not_in_file: list[Row]) -> None:
    """A new row that holds what a row that is not in the file holds is likely the same under another key."""
    gone: dict[tuple, list[Row]] = defaultdict(list)
    for row in not_in_file:
        gone[_content(row)].append(row)
    if not gone:
        return
    likely = Counter(_content(row) for row in created)
    for row in created:
        content = _content(row)
        if any(content[2:]) and len(gone[content]) == likely[content] == 1:
            was = gone[content][0].key_text
            sentence = (
                f"This looks like {was} under another key. It would be a new row beside {was}, which stays."
            )
            book.warn(row, row.sheet.keys[-1].name, sentence)


@dataclass(kw_only=True)
class Patients:
    """What the end of a check asks of all patients, whatever their block."""

    named: set[str] = field(default_factory=set)
    """The study IDs of the file, and of those of the register whose rows it has."""
    clinics: set[str] = field(default_factory=set)
    """Of the file's patients."""
    created: list[Row] = field(default_factory=list)
    not_in_file: list[Row] = field(default_factory=list)

    def note(self, book: Book, plan: BlockPlan) -> None:
        """Take the patients of a block."""
        for row in book.rows["patients"]:
            self.named.add(row.values["patient_id"])
            if row.number is not None:
                self.clinics.add(row.values["clinic"])
        self.created += (row for row in plan.created if row.sheet.name == "patients")
        self.not_in_file += (row for row in plan.not_in_file if row.sheet.name == "patients")


def look_at_other_patients(patients: Patients) -> tuple[list[str], list[Problem]]:
    """The study IDs of the file's clinics that the file has not, and which new patient one of them may be."""
    sheet, book = SHEETS["patients"], Book({})
    others = other_patients(patients.clinics, patients.named)
    if patients.created:
        there = [Row(sheet, held.values, held=held) for held in held_rows(sheet, others)]
        _warn_of_renames(book, patients.created, [*patients.not_in_file, *there])
    return others, book.warnings


def _content(row: Row) -> tuple:
    """All of a row but its key, within its patient."""
    patient = "" if row.sheet.name == "patients" else row.values["patient_id"]
    rest = (show_value(column, row.values[column.name]) for column in row.sheet.columns if not column.is_key)
    return row.sheet.name, patient, *rest
