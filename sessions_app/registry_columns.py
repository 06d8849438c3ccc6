"""Rows of the database in columns of whole numbers: what many of them hold alike is read once.

PostgreSQL puts rows together that hold the same and tells of each only its ids, as numpy has them in memory. So a
million rows are never looked at one by one. numpy is imported where it is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from struct import Struct
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import BigIntegerField, Func, TextField, Value

from sessions_app.asking import Question
from stsclinic.reporting.columns import Numbers, Places

SEPARATOR = "\x1f"
"""Between the facts of a row. Only the last one may hold it: it is what somebody typed."""

COPY_HEADER, CELLS_OF_ROW = 19, 2
"""Bytes before the rows of PostgreSQL's COPY in binary, and before the cells of a row: its documentation of COPY."""

SIZE = Struct(">i")

TRUE = ("t", "1")
"""How the databases write that something is true."""

ID_BITS = 32
"""Of a number that holds two ids. PostgreSQL refuses one that is larger than an integer."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in columns. `kind` is a place in `kinds`: the facts that a row holds.

    `owner` and `own` are the ids that were asked for; `more` are further numbers.
    """

    kinds: Sequence[tuple]
    kind: Numbers
    owner: Numbers
    own: Numbers
    more: Sequence[Numbers] = ()


def ask_rows(found: Any, facts: Sequence[str], owner: str, own: str, *more: str) -> Question:
    """The Found of a query.

    Args:
        facts: paths of fields that are no days; the last one may be what somebody typed.
        owner, own: paths of ids.
        more: paths of whole numbers.
    """
    readers = [_reader(_field(found.model, path)) for path in facts]
    rows = found.order_by().annotate(as_text=_AsText(*facts)).values_list("as_text", owner, own, *more)
    ask = (_copied if connection.vendor == "postgresql" else _fetched)(rows, len(more))

    def answer() -> Found:
        texts, kind, ids = ask()
        split = (text.split(SEPARATOR, len(readers) - 1) for text in texts)
        kinds = [tuple(read(text) for read, text in zip(readers, one, strict=True)) for one in split]
        return Found(kinds, kind, ids[0], ids[1], ids[2:])

    return answer


class Day(Func):
    """The number of a day, as date.toordinal() gives it."""

    output_field = BigIntegerField()
    template = "CAST(julianday(%(expressions)s) - 1721424.5 AS integer)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """A difference of days is a whole number."""
        template = "(%(expressions)s - DATE '0001-01-01' + 1)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)


# How the rows come


class _AsText(Func):
    """Facts in one text, so that PostgreSQL can tell rows apart by it alone."""

    output_field = TextField()
    function = "concat"
    arg_joiner = ", chr(31), "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Without concat(), which newer versions have."""
        copy = self.copy()
        given = [
            Func(one, Value(""), function="coalesce", output_field=TextField())
            for one in self.get_source_expressions()
        ]
        copy.set_source_expressions(given)
        joined = {"template": "%(expressions)s", "arg_joiner": " || char(31) || "}
        return copy.as_sql(compiler, connection, **joined, **context)


def _field(model: Any, path: str) -> Any:
    """The field at the end of a path such as `protocol__code`."""
    *towards, last = path.split("__")
    for name in towards:
        model = model._meta.get_field(name).related_model
    return model._meta.get_field(last)


def _reader(field: Any) -> Callable[[str], Any]:
    """Reads the value of a field out of its text; an empty text is None where that can be."""
    read: Callable[[str], Any] = str
    if isinstance(field, models.DecimalField):
        # SQLite keeps it as a float.
        unit = Decimal(1).scaleb(-field.decimal_places)
        read = lambda text: Decimal(text).quantize(unit)  # noqa: E731
    elif isinstance(field, models.BooleanField):
        read = TRUE.__contains__
    elif isinstance(field, models.IntegerField):
        read = int
    return lambda text: read(text) if text or not field.null else None


Answer = tuple[Sequence[str], Numbers, Sequence[Numbers]]
"""Different texts, of each row the place of its text, and the columns of its numbers."""


def _fetched(rows: Any, more: int) -> Callable[[], Answer]:
    """One row after the other."""

    def ask() -> Answer:
        import numpy as np

        texts, names = Places(), [str(place) for place in range(3 + more)]
        numbers = ((texts.of(text), *others) for text, *others in rows.iterator())
        columns = np.fromiter(numbers, dtype=[(name, np.int64) for name in names])
        kind, *ids = (columns[name].copy() for name in names)
        return texts.found, kind.astype(np.int32), ids

    return ask


def _copied(rows: Any, more: int) -> Callable[[], Answer]:
    """PostgreSQL puts rows with the same text together, and gives the numbers of each as bytes."""
    names = ["owner", "own", *(f"more_{number}" for number in range(more))]
    numbers = [f"owner::integer * {1 << ID_BITS} + own::integer", *names[2:]]
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return _Copy(1 + more).answer
    together = ", ".join(f"string_agg(int8send({one}), ''::bytea)" for one in numbers)
    statement = (
        f"COPY (SELECT as_text, {together} FROM ({sql}) AS found(as_text, {', '.join(names)}) GROUP BY as_text)"  # noqa: S608
        " TO STDOUT (FORMAT binary)"
    )
    cursor = connection.cursor()

    def ask() -> Answer:
        copy = _Copy(1 + more)
        cursor.copy_expert(cursor.mogrify(statement, parameters).decode(), copy)
        return copy.answer()

    return ask


class _Copy:
    """Takes what PostgreSQL copies in binary: after a head rows of a text and of bytes, of which 8 are a number."""

    def __init__(self, columns: int):
        self._texts: list[str] = []
        self._parts: list[list[Numbers]] = [[] for _ in range(columns)]
        self._rest = b""
        self._is_begun = False

    def write(self, data: bytes) -> None:
        """Keep the rows that are whole by now."""
        self._rest = self._rest + data if self._rest else data
        if not self._is_begun and len(self._rest) >= COPY_HEADER:
            self._rest, self._is_begun = self._rest[COPY_HEADER:], True
        while self._is_begun and (cells := self._first_row()):
            self._keep([self._rest[start:stop] for start, stop in cells])
            self._rest = self._rest[cells[-1][1] :]

    def answer(self) -> Answer:
        """All that came. The two ids of a row are one number until now."""
        import numpy as np

        sizes = [len(one) for one in self._parts[0]]
        kind = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        ids, *others = (
            np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)
            for parts in self._parts
        )
        return self._texts, kind, [ids >> ID_BITS, ids & ((1 << ID_BITS) - 1), *others]

    def _first_row(self) -> list[tuple[int, int]]:
        """From where to before where its cells stand; none where it is not whole, and of the end of all rows."""
        cells, place = [], CELLS_OF_ROW
        for _ in (self._texts, *self._parts):
            if len(self._rest) < place + SIZE.size:
                return []
            start = place + SIZE.size
            place = start + SIZE.unpack_from(self._rest, place)[0]
            cells.append((start, place))
        return cells if len(self._rest) >= place else []

    def _keep(self, cells: Sequence[bytes]) -> None:
        import numpy as np

        self._texts.append(cells[0].decode())
        for parts, numbers in zip(self._parts, cells[1:], strict=True):
            parts.append(np.frombuffer(numbers, ">i8"))
