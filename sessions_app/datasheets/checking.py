"""Whether data sheets can be imported: every error of the whole file at once, and what is unusual."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from django.db.models.functions import Lower

from lesions.models import Patient
from sessions_app.datasheets.book import PARENTS, Book, KnownProtocol, Row
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.reading import RawSheets
from sessions_app.datasheets.rules import RULES
from sessions_app.datasheets.unusual import UNUSUAL
from sessions_app.datasheets.values import ValueRefused, empty_value, parse_value, valid_words
from sessions_app.models import Protocol

CHUNK = 500

NO_ROW = {
    "patient": "No patient of this ID is in the sheet patients.",
    "lesion": "This patient has no lesion of this ID in the sheet lesions.",
    "series": "This patient has no series of this number in the sheet series.",
    "session": "This series has no session of this number in the sheet sessions.",
}


@dataclass(kw_only=True)
class Checked:
    """The result of a check. Without errors, `import_checked` takes it."""

    errors: list[Problem]
    warnings: list[Problem]
    counts: dict[str, int]
    """Rows by sheet."""
    rows: dict[str, list[Row]] = field(repr=False)
    protocol_ids: dict[tuple, int] = field(repr=False)
    """The protocol's id by patient_id and series_no."""


def check(raw: RawSheets, *, clinics: Collection[str] | None = None) -> Checked:
    """Check all sheets against the format and the database.

    Args:
        clinics: the codes of the clinics into which the user may import; None: any, and new ones.
    """
    book = Book(_latest_protocols())
    book.errors += raw.errors
    book.warnings += raw.warnings
    for name, sheet in SHEETS.items():
        if name in raw.sheets:
            book.rows[name] = [
                _read_row(book, sheet, number, texts) for number, texts in raw.sheets[name].rows
            ]
            _index(book, sheet)
    for sheet in SHEETS.values():
        _check_references(book, sheet)
    _check_clinics(book, clinics)
    _check_protocols(book)
    _check_taken(book)
    for rule in (*RULES, *UNUSUAL):
        rule(book)
    return Checked(
        errors=sorted(book.errors, key=_place),
        warnings=sorted(book.warnings, key=_place),
        counts={name: len(rows) for name, rows in book.rows.items()},
        rows=book.rows,
        protocol_ids={
            key: known.pk
            for key, row in book.by_key["series"].items()
            if (known := book.known_protocol(row)) is not None
        },
    )


def _place(problem: Problem) -> tuple:
    sheet = SHEETS.get(problem.sheet)
    names = [column.name for column in sheet.columns] if sheet else []
    return (
        list(SHEETS).index(problem.sheet) if sheet else -1,
        problem.row or 0,
        names.index(problem.column) if problem.column in names else -1,
    )


def _latest_protocols() -> dict[tuple[str, str], KnownProtocol]:
    found = Protocol.objects.select_related("clinic").order_by("version")
    return {
        (row.clinic.code if row.clinic else "", row.code): KnownProtocol(row.pk, row.definition)
        for row in found
    }


def _read_row(book: Book, sheet: Sheet, number: int, texts: dict[str, str | None]) -> Row:
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
            row.values[column.name] = parse_value(column, text)
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


def _check_clinics(book: Book, clinics: Collection[str] | None) -> None:
    if clinics is None:
        return
    for row in book.rows["patients"]:
        code = row.values["clinic"]
        if code and code not in clinics:
            valid = f"Valid is one of {', '.join(sorted(clinics))}." if clinics else ""
            book.refuse(row, "clinic", "You cannot import into a clinic of this code.", valid)


def _check_protocols(book: Book) -> None:
    for row in book.rows["series"]:
        if row.values["protocol"] and book.known_protocol(row) is None:
            codes = ", ".join(book.protocol_codes(row))
            valid = f"Valid is one of {codes}; a protocol must exist before an import."
            book.refuse(row, "protocol", "There is no protocol of this code.", valid)


def _check_taken(book: Book) -> None:
    """A study ID is unique whatever its capitals: in the sheet, and among all patients, struck-out ones included."""
    by_id: dict[str, Row] = {}
    for key, row in book.by_key["patients"].items():
        first = by_id.setdefault(key[0].lower(), row)
        if first is not row:
            sentence = f"The same ID stands in row {first.number} with other capitals."
            book.refuse(row, "patient_id", sentence, "Valid is each patient_id once, whatever its capitals.")
    ids = list(by_id)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        taken = Patient.everything.annotate(plain=Lower("study_id")).filter(plain__in=chunk)
        for study_id in taken.values_list("plain", flat=True):
            valid = "Valid is an ID that no patient has yet: an import adds patients and changes none."
            book.refuse(by_id[study_id], "patient_id", "This ID is taken.", valid)
