"""Whether data sheets can be imported: every error of the whole file at once, and what is unusual."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from sessions_app.datasheets.blocks import Places, blocks
from sessions_app.datasheets.book import PARENTS, Book, Held, KnownProtocol, Row, key_of, parents
from sessions_app.datasheets.collecting import without_garbage_collection
from sessions_app.datasheets.columns import SHEETS, Column, Sheet
from sessions_app.datasheets.merging import merge
from sessions_app.datasheets.plan import BlockPlan, NewRows, Plan, plan_block
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import MOST_ERRORS, RawSheet, RawSheets
from sessions_app.datasheets.reader import Reader, Refusal
from sessions_app.datasheets.register import (
    held_by_sheet,
    held_rows,
    patients_of,
    struck_out_rows,
)
from sessions_app.datasheets.rules import PROTOCOL, RULES, Rule
from sessions_app.datasheets.unusual import UNUSUAL
from sessions_app.datasheets.updating import (
    STAYS_OUT,
    Patients,
    look_at_changes,
    look_at_other_patients,
    struck,
)
from sessions_app.datasheets.values import empty_value, valid_words
from sessions_app.models import Protocol

NO_ROW = {
    "patient": "No patient of this ID is in the sheet patients.",
    "lesion": "This patient has no lesion of this ID in the sheet lesions.",
    "series": "This patient has no series of this number in the sheet series.",
    "session": "This series has no session of this number in the sheet sessions.",
}


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
    """The result of a check."""

    plan: Plan
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of the file by sheet."""


@dataclass(kw_only=True)
class Block:
    """Some patients of a check, with all their rows."""

    book: Book
    plan: BlockPlan


def check(raw: RawSheets, allowed: Allowed = ANYTHING_NEW) -> Checked:
    """Check all sheets against the format, the database, and what the register would be with them."""
    checked = begin(raw)
    with without_garbage_collection():
        for _block in check_blocks(raw, allowed, checked):
            pass
    return checked


def begin(raw: RawSheets) -> Checked:
    """What is known before anything was checked."""
    counts = {name: len(raw.sheets[name].numbers) if name in raw.sheets else 0 for name in SHEETS}
    return Checked(plan=Plan(NewRows(raw)), errors=[*raw.errors], warnings=[*raw.warnings], counts=counts)


def check_blocks(
    raw: RawSheets,
    allowed: Allowed,
    checked: Checked,
    wanted: Iterable[Places] | None = None,
    *,
    reading: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[Block]:
    """Check the sheets some patients at a time, and give each block once it is checked.

    Args:
        checked: what was found so far. In the end it is complete.
        wanted: the blocks of the file that are looked at; None: all.
        reading: within it the register is read, of each block; when it ends, the database is not asked until the
            block is given, and may take the block before meanwhile.
    """
    latest, versions = _protocols()
    readers = {name: {column.name: Reader(column) for column in SHEETS[name].columns} for name in raw.sheets}
    rules = [rule for rule in (*RULES, *UNUSUAL) if rule.reads.keys() & raw.sheets]
    of_register = _wanted_of_register(raw, rules)
    patients = Patients()
    errors, warnings = _Found(checked.errors), _Found(checked.warnings)
    for places in blocks(raw) if wanted is None else wanted:
        book = Book(latest, versions)
        for name, at in places.items():
            book.rows[name] = read_rows(book, SHEETS[name], raw.sheets[name], at, readers[name])
            _index(book, SHEETS[name])
        _check_clinics(book, allowed)
        with reading():
            held = _read_register(book, raw, allowed, of_register)
        if held:
            merge(book, raw, held)
        book.link()
        for sheet in SHEETS.values():
            _check_references(book, sheet)
        _check_protocols(book, allowed)
        for rule in rules:
            rule.find(book)
        plan = plan_block(checked.plan, book.rows, raw.sheets.keys())
        if allowed.updates:
            look_at_changes(book, plan)
            patients.note(book, plan)
        errors.add(book.errors)
        warnings.add(book.warnings)
        yield Block(book=book, plan=plan)
    if allowed.updates and "patients" in raw.sheets:
        patients.named |= _ids_in(raw.sheets["patients"])
        checked.plan.other_patients, unusual = look_at_other_patients(patients)
        warnings.add(unusual)
    checked.plan.put_in_order()
    errors.end()
    warnings.end()


def _ids_in(patients: RawSheet) -> set[str]:
    """The study IDs of the whole sheet, whatever is looked at of it."""
    if "patient_id" not in patients.columns:
        return set()
    return {(text or "").strip() for text in patients.texts("patient_id", range(len(patients.numbers)))}


def _wanted_of_register(raw: RawSheets, rules: Iterable[Rule]) -> dict[str, Mapping[str, Any]]:
    """Of the register: the sheets of the file, what they refer to, and what the rules look at."""
    wanted: dict[str, Mapping[str, Any]] = {}
    for rule in rules:
        for name, having in rule.reads.items():
            wanted[name] = having if wanted.get(name, having) == having else {}
    for name in raw.sheets:
        wanted |= {name: {}} | {PARENTS[parent][0]: {} for parent in parents(SHEETS[name])}
    return wanted | {name: {} for name in PROTOCOL}


@dataclass
class _Found:
    """Errors, or warnings, in the order of the file; of very many the first ones, and how many more there are."""

    problems: list[Problem]
    more: int = 0

    def add(self, problems: list[Problem]) -> None:
        self.problems += problems
        if len(self.problems) > 2 * MOST_ERRORS:
            self.put_in_order()

    def put_in_order(self) -> None:
        self.problems.sort(key=_place)
        self.more += len(self.problems[MOST_ERRORS:])
        del self.problems[MOST_ERRORS:]

    def end(self) -> None:
        self.put_in_order()
        if self.more:
            self.problems.append(Problem(sentence=f"There are {self.more} more, which are not listed."))


_SHEETS_IN_ORDER = {name: at for at, name in enumerate(SHEETS)}
_COLUMNS_IN_ORDER = {
    (name, column.name): at for name, sheet in SHEETS.items() for at, column in enumerate(sheet.columns)
}


def _place(problem: Problem) -> tuple[int, int, int]:
    """Files first, then sheet by sheet, row by row, column by column."""
    place = problem.sheet, problem.column
    return _SHEETS_IN_ORDER.get(problem.sheet, -1), problem.row or 0, _COLUMNS_IN_ORDER.get(place, -1)


def _protocols() -> tuple[dict[tuple[str, str], KnownProtocol], dict[int, KnownProtocol]]:
    """The latest versions by clinic and code, and every version by its id."""
    found = Protocol.objects.select_related("clinic").order_by("version")
    versions = {row.pk: KnownProtocol(row.pk, row.definition) for row in found}
    return {(row.clinic.code if row.clinic else "", row.code): versions[row.pk] for row in found}, {
        **versions
    }


def read_rows(
    book: Book, sheet: Sheet, raw: RawSheet, places: list[int], readers: Mapping[str, Reader]
) -> list[Row]:
    """These rows of a sheet as values; what holds none is an error."""
    given = [column.name for column in sheet.columns if column.name in raw.columns]
    absent = {column.name: empty_value(column) for column in sheet.columns if column.name not in given}
    missing = frozenset(column.name for column in sheet.columns if column.required and column.name in absent)
    by_column = [readers[name].values_of(raw.texts(name, places)) for name in given]
    by_row: Iterable[tuple] = zip(*by_column, strict=True) if given else repeat(())
    rows = [
        Row(sheet, absent | dict(zip(given, values, strict=True)), raw.numbers[at], raw, at, missing)
        for at, values in zip(places, by_row, strict=False)
    ]
    for column in sheet.columns:
        if readers[column.name].has_refused:
            _refuse_cells(book, column, rows)
    return rows


def _refuse_cells(book: Book, column: Column, rows: list[Row]) -> None:
    for row in rows:
        value = row.values[column.name]
        if isinstance(value, Refusal):
            row.values[column.name] = empty_value(column)
            row.refuse(column.name)
            if value.sentence:
                book.refuse(row, column.name, value.sentence, valid_words(column))


def _index(book: Book, sheet: Sheet) -> None:
    """Find the rows by their keys; a repeated key is an error of the later row."""
    names = tuple(column.name for column in sheet.keys)
    index, key = book.by_key[sheet.name], key_of(names)
    for row in book.rows[sheet.name]:
        if row.refused and row.refused.intersection(names):
            continue
        first = index.setdefault(key(row.values), row)
        if first is not row:
            column = next(column.name for column in reversed(sheet.keys) if row.text(column.name))
            sentence = f"The same key stands in row {first.number} already."
            book.refuse(row, column, sentence, f"Valid is each {', '.join(names)} once.")


def _check_references(book: Book, sheet: Sheet) -> None:
    for parent in parents(sheet):
        target, columns = PARENTS[parent]
        for row in book.rows[sheet.name]:
            if getattr(row, parent) is not None or row.number is None:
                continue
            key = row.key(columns)
            if key is not None and None not in key and key[-1] != "":
                book.refuse(
                    row,
                    columns[-1],
                    NO_ROW[parent],
                    f"Valid is what the sheet {target} of the same import holds.",
                )


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
        if row.known is None:
            codes = ", ".join(book.protocol_codes(row))
            valid = f"Valid is one of {codes}; a protocol must exist before an import."
            book.refuse(row, "protocol", "There is no protocol of this code.", valid)
        if row.patient is not None and (row.patient.values["clinic"], code) in allowed.closed:
            book.refuse(row, "protocol", _CLOSED.format(code), _OPEN_FIRST)


_CLOSED = "The allocation of protocol {} is closed to you, so its series cannot come from you."
_OPEN_FIRST = "Somebody who may see the allocation can import them."


# What the register holds


def _read_register(
    book: Book, raw: RawSheets, allowed: Allowed, wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, Iterator[Held]]:
    """The rows of the patients whom the file names and who are there; those whom it may not change are refused."""
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
                book.refuse(row, "patient_id", f"This patient was {struck(patient.struck_out_at)}", STAYS_OUT)
        else:
            known.append(study_id)
            if row is not None and row.values["clinic"] not in ("", patient.clinic.code):
                valid = f"Valid is {patient.clinic.code}: an import moves no patient to another clinic."
                book.refuse(row, "clinic", "This patient belongs to another clinic.", valid)
    known = _open_ones(book, known, there, by_id, allowed)
    if not known:
        return {}
    book.struck_out = {name: [*struck_out_rows(SHEETS[name], known)] for name in raw.sheets}
    return held_by_sheet(known, wanted)


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
