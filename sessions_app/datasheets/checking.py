"""Whether data sheets can be imported: every error of the whole file at once, and what is unusual."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from django.utils import timezone

from sessions_app.datasheets.book import PARENTS, Book, KnownProtocol, Row
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.merging import merge
from sessions_app.datasheets.plan import Plan, plan_of
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import MOST_ERRORS, RawSheets
from sessions_app.datasheets.register import (
    held_by_sheet,
    held_rows,
    other_patients,
    patients_of,
    struck_out_rows,
)
from sessions_app.datasheets.rules import RULES
from sessions_app.datasheets.unusual import UNUSUAL
from sessions_app.datasheets.values import ValueRefused, empty_value, parse_value, show_value, valid_words
from sessions_app.models import Protocol
from stsclinic.clinical.dates import show_date

NO_ROW = {
    "patient": "No patient of this ID is in the sheet patients.",
    "lesion": "This patient has no lesion of this ID in the sheet lesions.",
    "series": "This patient has no series of this number in the sheet series.",
    "session": "This series has no session of this number in the sheet sessions.",
}


DIFFERENT = 10_000
"""Different texts of a column whose values are kept while a sheet is read."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What an import may do."""

    clinics: Collection[str] | None = None
    """The codes of the clinics into which the user may import; None: any, and new ones."""
    updates: bool = False
    """Whether patients who are there may be changed; else a study ID that is taken is an error."""
    closed: Collection[tuple[str, str]] = ()
    """The (clinic code, protocol code) pairs whose allocation is closed to the user."""


ANYTHING_NEW = Allowed()
"""What the operator may do without asking for updates."""


@dataclass(kw_only=True)
class Checked:
    """The result of a check. Without errors, `import_checked` takes it."""

    errors: list[Problem]
    warnings: list[Problem]
    counts: dict[str, int]
    """Rows of the file by sheet."""
    plan: Plan
    rows: dict[str, list[Row]] = field(repr=False)
    protocol_ids: dict[tuple, int] = field(repr=False)
    """The protocol's id by patient_id and series_no."""


def check(raw: RawSheets, allowed: Allowed = ANYTHING_NEW) -> Checked:
    """Check all sheets against the format, the database, and what the register would be with them."""
    latest, versions = _protocols()
    book = Book(latest, versions)
    book.errors += raw.errors
    book.warnings += raw.warnings
    for name, sheet in SHEETS.items():
        if name in raw.sheets:
            parsers = _parsers(sheet)
            book.rows[name] = [
                _read_row(book, sheet, parsers, number, texts) for number, texts in raw.sheets[name].rows
            ]
            _index(book, sheet)
    _check_clinics(book, allowed)
    _bring_in_register(book, raw, allowed)
    for sheet in SHEETS.values():
        _check_references(book, sheet)
    _check_protocols(book, allowed)
    for rule in (*RULES, *UNUSUAL):
        rule(book)
    plan = plan_of(book.rows, set(raw.sheets))
    if allowed.updates:
        _look_at_changes(book, raw, plan)
    return Checked(
        errors=_in_order(book.errors),
        warnings=_in_order(book.warnings),
        counts={name: sum(row.number is not None for row in rows) for name, rows in book.rows.items()},
        plan=plan,
        rows=book.rows,
        protocol_ids={
            key: known.pk
            for key, row in book.by_key["series"].items()
            if (known := book.known_protocol(row)) is not None
        },
    )


def _in_order(problems: list[Problem]) -> list[Problem]:
    ordered = sorted(problems, key=_place)
    if len(ordered) <= MOST_ERRORS:
        return ordered
    more = len(ordered) - MOST_ERRORS
    return [*ordered[:MOST_ERRORS], Problem(sentence=f"There are {more} more, which are not listed.")]


def _place(problem: Problem) -> tuple:
    sheet = SHEETS.get(problem.sheet)
    names = [column.name for column in sheet.columns] if sheet else []
    return (
        list(SHEETS).index(problem.sheet) if sheet else -1,
        problem.row or 0,
        names.index(problem.column) if problem.column in names else -1,
    )


def _protocols() -> tuple[dict[tuple[str, str], KnownProtocol], dict[int, KnownProtocol]]:
    """The latest versions by clinic and code, and every version by its id."""
    found = Protocol.objects.select_related("clinic").order_by("version")
    versions = {row.pk: KnownProtocol(row.pk, row.definition) for row in found}
    return {(row.clinic.code if row.clinic else "", row.code): versions[row.pk] for row in found}, {
        **versions
    }


Parsers = Mapping[str, Callable[[str], Any]]


def _parsers(sheet: Sheet) -> Parsers:
    """What reads the cells of each column. Most texts stand in many rows, and are read once."""
    return {column.name: lru_cache(DIFFERENT)(partial(parse_value, column)) for column in sheet.columns}


def _read_row(book: Book, sheet: Sheet, parsers: Parsers, number: int, texts: dict[str, str | None]) -> Row:
    row = Row(sheet, number, texts, {}, set())
    for column in sheet.columns:
        text = texts.get(column.name, "")
        row.values[column.name] = empty_value(column)
        if text is None or (column.required and column.name not in texts):
            # Already reported: at the cell by the reading, or once for the whole column.
            row.refused.add(column.name)
            continue
        if column.required and not text.strip():
            row.refused.add(column.name)
            book.refuse(row, column.name, "This is required.", valid_words(column))
            continue
        try:
            row.values[column.name] = parsers[column.name](text)
        except ValueRefused as error:
            row.refused.add(column.name)
            book.refuse(row, column.name, str(error), valid_words(column))
    return row


def _index(book: Book, sheet: Sheet) -> None:
    """Find the rows by their keys; a repeated key is an error of the later row."""
    names = tuple(column.name for column in sheet.keys)
    index = book.by_key[sheet.name]
    for row in book.rows[sheet.name]:
        key = row.key(names)
        if key is None:
            continue
        if key in index:
            column = next(column.name for column in reversed(sheet.keys) if row.texts.get(column.name))
            sentence = f"The same key stands in row {index[key].number} already."
            book.refuse(row, column, sentence, f"Valid is each {', '.join(names)} once.")
        else:
            index[key] = row


def _check_references(book: Book, sheet: Sheet) -> None:
    for parent in _parents(sheet):
        target, columns = PARENTS[parent]
        index = book.by_key[target]
        for row in book.rows[sheet.name]:
            key = row.parent_key(parent)
            if key is not None and None not in key and key not in index:
                book.refuse(
                    row,
                    columns[-1],
                    NO_ROW[parent],
                    f"Valid is what the sheet {target} of the same import holds.",
                )


def _parents(sheet: Sheet) -> Iterator[str]:
    """What the rows of a sheet refer to, directly."""
    seen = {column.field.split("__")[0] for column in sheet.columns if column.is_reference}
    return (parent for parent in PARENTS if parent in seen)


def _check_clinics(book: Book, allowed: Allowed) -> None:
    if allowed.clinics is None:
        return
    for row in book.rows["patients"]:
        code = row.values["clinic"]
        if code and code not in allowed.clinics:
            valid = f"Valid is one of {', '.join(sorted(allowed.clinics))}." if allowed.clinics else ""
            book.refuse(row, "clinic", "You cannot import into a clinic of this code.", valid)


def _check_protocols(book: Book, allowed: Allowed) -> None:
    for row in book.rows["series"]:
        code = row.values["protocol"]
        if not code:
            continue
        if book.known_protocol(row) is None:
            codes = ", ".join(book.protocol_codes(row))
            valid = f"Valid is one of {codes}; a protocol must exist before an import."
            book.refuse(row, "protocol", "There is no protocol of this code.", valid)
        patient = book.parent(row, "patient")
        if patient is not None and (patient.values["clinic"], code) in allowed.closed:
            book.refuse(row, "protocol", _CLOSED.format(code), _OPEN_FIRST)


_CLOSED = "The allocation of protocol {} is closed to you, so its series cannot come from you."
_OPEN_FIRST = "Somebody who may see the allocation can import them."


# What the register holds


def _bring_in_register(book: Book, raw: RawSheets, allowed: Allowed) -> None:
    """Bring in the patients whom the file names and who are there, or refuse them."""
    by_id = _by_id(book)
    named = {
        row.values["patient_id"] for rows in book.rows.values() for row in rows if row.values["patient_id"]
    }
    there = patients_of(sorted(named))
    known = []
    for study_id, patient in there.items():
        row = by_id.get(study_id.lower())
        is_mine = allowed.clinics is None or patient.clinic.code in allowed.clinics
        other = row is not None and row.values["patient_id"] != study_id
        if not allowed.updates or not is_mine or other:
            if row is not None:
                valid = "Valid is an ID that no patient has yet"
                valid += "." if allowed.updates else ": an import adds patients and changes none."
                if other and allowed.updates and is_mine:
                    valid = f"Valid is {study_id}, as the register writes it."
                book.refuse(row, "patient_id", "This ID is taken.", valid)
        elif study_id not in named:
            continue
        elif patient.struck_out_at is not None:
            if row is not None:
                book.refuse(
                    row, "patient_id", f"This patient was {_struck(patient.struck_out_at)}", _STAYS_OUT
                )
        else:
            known.append(study_id)
            if row is not None and row.values["clinic"] not in ("", patient.clinic.code):
                valid = f"Valid is {patient.clinic.code}: an import moves no patient to another clinic."
                book.refuse(row, "clinic", "This patient belongs to another clinic.", valid)
    known = _open_ones(book, known, there, by_id, allowed)
    merge(book, raw, held_by_sheet(known))


def _by_id(book: Book) -> dict[str, Row]:
    """The rows of patients by study ID in small letters: it is one ID whatever its capitals."""
    by_id: dict[str, Row] = {}
    for key, row in book.by_key["patients"].items():
        first = by_id.setdefault(key[0].lower(), row)
        if first is not row:
            sentence = f"The same ID stands in row {first.number} with other capitals."
            book.refuse(row, "patient_id", sentence, "Valid is each patient_id once, whatever its capitals.")
    return by_id


def _open_ones(book: Book, known: list[str], there: dict, by_id: dict, allowed: Allowed) -> list[str]:
    """The patients without a series whose allocation is closed to the user; the others are refused."""
    if not allowed.closed:
        return known
    closed = {}
    for held in held_rows(SHEETS["series"], known):
        study_id, code = held.values["patient_id"], held.values["protocol"]
        if (there[study_id].clinic.code, code) in allowed.closed:
            closed[study_id] = code
    for study_id, code in closed.items():
        if study_id.lower() in by_id:
            book.refuse(by_id[study_id.lower()], "patient_id", _CLOSED.format(code), _OPEN_FIRST)
    return [study_id for study_id in known if study_id not in closed]


_STAYS_OUT = "Take the row out of the file: an import brings back nothing that was struck out."


def _struck(at) -> str:
    return f"struck out on {show_date(timezone.localtime(at).date())}."


# What an update should not do unnoticed


def _look_at_changes(book: Book, raw: RawSheets, plan: Plan) -> None:
    if "patients" in raw.sheets:
        clinics = {row.values["clinic"] for row in book.rows["patients"] if row.number is not None}
        named = {row.values["patient_id"] for row in book.rows["patients"]}
        plan.other_patients = other_patients(clinics, named)
    _refuse_struck_out(book, plan)
    _warn_of_renames(book, plan)
    for change in plan.changes:
        if change.column.name == "arm" and change.old:
            book.warn(change.row, "arm", f"The arm was allocated as {change.old}.")
    # What is unusual in patients of whom nothing changes was let through before.
    touched = plan.patients
    book.warnings = [one for one in book.warnings if not one.patient_id or one.patient_id in touched]


def _refuse_struck_out(book: Book, plan: Plan) -> None:
    """A row that was struck out does not come back by an older file."""
    created: dict[str, dict[tuple, Row]] = defaultdict(dict)
    for row in plan.created:
        created[row.sheet.name][_likeness(row.sheet, row.values)] = row
    for name, rows in created.items():
        if name == "patients":
            continue
        sheet = SHEETS[name]
        there = {row.values["patient_id"] for row in rows.values()}
        for values, at in struck_out_rows(sheet, sorted(there)):
            same = rows.get(_likeness(sheet, values))
            if same is not None:
                book.refuse(same, sheet.keys[-1].name, f"This row was {_struck(at)}", _STAYS_OUT)


def _likeness(sheet: Sheet, values: dict) -> tuple:
    """By what a row is known again: its key, and a session, which loses its number, by its kind and day."""
    if sheet.name == "sessions":
        return tuple(values[name] for name in ("patient_id", "series_no", "kind", "held_on"))
    return tuple(show_value(column, values[column.name]) for column in sheet.keys)


def _warn_of_renames(book: Book, plan: Plan) -> None:
    """A new row that holds what a row that is not in the file holds is likely the same under another key."""
    gone: dict[tuple, list[Row]] = defaultdict(list)
    for row in plan.not_in_file:
        gone[_content(row)].append(row)
    if any(row.sheet.name == "patients" for row in plan.created):
        for held in held_rows(SHEETS["patients"], plan.other_patients):
            row = Row(SHEETS["patients"], None, {}, held.values, set(), held)
            gone[_content(row)].append(row)
    if not gone:
        return
    likely = Counter(_content(row) for row in plan.created)
    for row in plan.created:
        content = _content(row)
        if any(content[2:]) and len(gone[content]) == likely[content] == 1:
            was = gone[content][0].key_text
            sentence = (
                f"This looks like {was} under another key. It would be a new row beside {was}, which stays."
            )
            book.warn(row, row.sheet.keys[-1].name, sentence)


def _content(row: Row) -> tuple:
    """All of a row but its key, within its patient."""
    patient = "" if row.sheet.name == "patients" else row.values["patient_id"]
    rest = (show_value(column, row.values[column.name]) for column in row.sheet.columns if not column.is_key)
    return row.sheet.name, patient, *rest
