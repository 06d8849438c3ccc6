"""What would the register be after an import? Its rows and those of the file in one book.

A row of the file is the register's row of the same key; columns and sheets that the file does not
have stay as they are. A row that is only in the register stays too: nothing disappears by an import.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from sessions_app.datasheets.book import Book, Held, Row, key_of
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.raw import RawSheets

_NUMBERED = tuple(
    name for name, sheet in SHEETS.items() if sheet.column("session_no") and sheet.column("series_no")
)
_SESSION = ("patient_id", "series_no", "session_no")


def merge(book: Book, raw: RawSheets, held: Mapping[str, Iterable[Held]]) -> None:
    """Bring the register's rows of the file's patients into the book, which has the file's rows and keys."""
    by_sheet = {name: list(rows) for name, rows in held.items()}
    numbers = _new_numbers(book, by_sheet.get("sessions", []))
    for name, there in by_sheet.items():
        sheet = SHEETS[name]
        given = set(raw.sheets[name].columns) if name in raw.sheets else set()
        rows = [Row(sheet, one.values, held=one, pk=one.pk) for one in there]
        if numbers and name in _NUMBERED:
            # A session that is known again goes before one that only has the number.
            rows.sort(key=lambda row: _session(row.values) not in numbers)
            for row in rows:
                row.values = row.values | {
                    "session_no": numbers.get(_session(row.values), row.values["session_no"])
                }
        key, index = key_of(tuple(column.name for column in sheet.keys)), book.by_key[name]
        for row in rows:
            same = index.setdefault(key(row.values), row)
            if same is row:
                book.rows[name].append(row)
            elif same.held is None:
                _become(same, row, given)
            elif same.number is not None:
                valid = "Valid is a number that is free. What is to go is struck out on its page."
                sentence = f"The register has {row.key_text} too, with other values, and it stays."
                book.refuse(same, sheet.keys[-1].name, sentence, valid)


def _become(found: Row, row: Row, given: set[str]) -> None:
    """The row of the file is this one of the register, which keeps what the file does not have."""
    found.held, found.pk = row.held, row.pk
    for column in found.sheet.columns:
        if column.name not in given and column.name not in found.refused:
            found.values[column.name] = row.values[column.name]


def _session(values: dict) -> tuple:
    return tuple(values[name] for name in _SESSION)


def _new_numbers(book: Book, held: list[Held]) -> dict[tuple, int]:
    """The numbers that sessions of the register have in the file, where a session came in between or moved.

    A session is known again by its kind and its day, where no other of its series has both.
    """
    there: dict[tuple, list[Held]] = defaultdict(list)
    for one in held:
        there[one.values["patient_id"], one.values["series_no"]].append(one)
    given: dict[tuple, list[Row]] = defaultdict(list)
    for row in book.by_key["sessions"].values():
        given[row.values["patient_id"], row.values["series_no"]].append(row)
    numbers: dict[tuple, int] = {}
    for series, rows in given.items():
        days = Counter(_visit(row.values) for row in rows)
        was = Counter(_visit(one.values) for one in there[series])
        by_day = {_visit(row.values): row.values["session_no"] for row in rows if not row.refused}
        for one in there[series]:
            visit = _visit(one.values)
            if days[visit] == was[visit] == 1 and visit in by_day:
                numbers[_session(one.values)] = by_day[visit]
    return numbers


def _visit(values: dict) -> tuple:
    return values["kind"], values["held_on"]
