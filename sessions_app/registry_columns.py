"""Rows of the database in columns of whole numbers: what many of them hold alike is read once.

PostgreSQL puts rows together that hold the same and tells of each only its ids, as numpy has them in memory. So a
million rows are never looked at one by one. numpy is imported where it is used.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from struct import Struct
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import BigIntegerField, Func
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from sessions_app.asking import Question
from stsclinic.reporting.columns import Numbers, Places

COPY_HEADER, CELLS_OF_ROW = 19, 2
"""Bytes before the rows of PostgreSQL's COPY in binary, and before the cells of a row: its documentation of COPY."""

SIZE = Struct(">i")

TRUE = ("true", "True")
"""How PostgreSQL and SQLite write that something is true."""


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
        facts: paths of fields that are no days.
        owner, own: paths of ids.
        more: paths of whole numbers.
    """
    readers = [_reader(_field(found.model, path)) for path in facts]
    rows = found.order_by().values_list(*facts, owner, own, *more)
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        ask = _Copy(len(facts), 1 + len(more)).answer
    else:
        asked = _copied if connection.vendor == "postgresql" else _fetched
        ask = asked(sql, parameters, len(facts), len(more))

    def answer() -> Found:
        different, kind, ids = ask()
        kinds = [tuple(read(text) for read, text in zip(readers, one, strict=True)) for one in different]
        return Found(kinds, kind, ids[0], ids[1], ids[2:])

    return answer


def ask_each(found: Any, *paths: str) -> Question:
    """Every row of a query as a tuple, where they are few."""
    rows = found.order_by().values_list(*paths)
    if connection.vendor != "postgresql":
        return lambda: list(rows)
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return lambda: []
    # That of the driver: Django's does not let anybody ask while answers are on their way.
    cursor = connection.cursor().cursor

    def ask() -> list[tuple]:
        cursor.execute(sql, parameters)
        return cursor.fetchall()

    return ask


@contextmanager
def by_hashing() -> Iterator[None]:
    """Within the block PostgreSQL puts rows together by hashing, in memory. It takes the kinds of rows to be many more
    than they are, and would sort a million rows instead, which takes four times as long.
    """
    with nullcontext() if connection.vendor != "postgresql" else connection.cursor() as cursor:
        if cursor:
            cursor.execute("SET LOCAL enable_sort = off; SET LOCAL jit = off; SET LOCAL work_mem = '32MB'")
        try:
            yield
        finally:
            # Where a statement went wrong, PostgreSQL takes no other one, and what it was told is at its end.
            if cursor and cursor.connection.info.transaction_status != TRANSACTION_STATUS_INERROR:
                cursor.execute(
                    "SET LOCAL enable_sort TO DEFAULT; SET LOCAL jit TO DEFAULT; SET LOCAL work_mem TO DEFAULT"
                )


class Day(Func):
    """The number of a day, as date.toordinal() gives it."""

    output_field = BigIntegerField()
    template = "CAST(julianday(%(expressions)s) - 1721424.5 AS integer)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """A difference of days is a whole number."""
        template = "(%(expressions)s - DATE '0001-01-01' + 1)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)


# How the rows come


def _field(model: Any, path: str) -> Any:
    """The field at the end of a path such as `protocol__code`."""
    *towards, last = path.split("__")
    for name in towards:
        model = model._meta.get_field(name).related_model
    return model._meta.get_field(last)


def _reader(field: Any) -> Callable[[str | None], Any]:
    """Reads the value of a field out of its text; None where there is none."""
    read: Callable[[str], Any] = str
    if isinstance(field, models.DecimalField):
        # SQLite keeps it as a float.
        unit = Decimal(1).scaleb(-field.decimal_places)
        read = lambda text: Decimal(text).quantize(unit)  # noqa: E731
    elif isinstance(field, models.BooleanField):
        read = TRUE.__contains__
    elif isinstance(field, models.IntegerField):
        read = int
    return lambda text: None if text is None else read(text)


Texts = tuple[str | None, ...]
Answer = tuple[Sequence[Texts], Numbers, Sequence[Numbers]]
"""The different facts as texts, of each row the place of its facts, and the columns of its numbers."""


def _fetched(sql: str, parameters: Sequence[Any], facts: int, more: int) -> Callable[[], Answer]:
    """One row after the other."""

    def ask() -> Answer:
        import numpy as np

        places, names = Places(), [str(place) for place in range(3 + more)]
        with connection.cursor() as cursor:
            # Without Django's reading of each value: only different ones are read.
            cursor.execute(sql, parameters)
            numbers = ((places.of(row[:facts]), *row[facts:]) for row in cursor)
            columns = np.fromiter(numbers, dtype=[(name, np.int64) for name in names])
        kind, *ids = (columns[name].copy() for name in names)
        texts = [tuple(None if one is None else str(one) for one in row) for row in places.found]
        return texts, kind.astype(np.int32), ids

    return ask


def _copied(sql: str, parameters: Sequence[Any], facts: int, more: int) -> Callable[[], Answer]:
    """PostgreSQL puts rows with the same facts together, and gives the numbers of each as bytes."""
    names = [f"fact_{number}" for number in range(facts)]
    others = [f"more_{number}" for number in range(more)]
    cells = [f"{name}::text" for name in names]
    cells.append("string_agg(int8send(owner) || int8send(own), ''::bytea)")
    cells += [f"string_agg(int8send({one}), ''::bytea)" for one in others]
    statement = (
        f"COPY (SELECT {', '.join(cells)} FROM ({sql}) AS found({', '.join([*names, 'owner', 'own', *others])})"  # noqa: S608
        f" GROUP BY {', '.join(names)}) TO STDOUT (FORMAT binary)"
    )
    cursor = connection.cursor()

    def ask() -> Answer:
        copy = _Copy(facts, 1 + more)
        cursor.copy_expert(cursor.mogrify(statement, parameters).decode(), copy)
        return copy.answer()

    return ask


class _Copy:
    """Takes what PostgreSQL copies in binary: after a head rows of texts and of numbers of 8 bytes."""

    def __init__(self, texts: int, columns: int):
        self._texts: list[Texts] = []
        self._parts: list[list[bytes]] = [[] for _ in range(columns)]
        self._cells = texts + columns
        self._rest = b""
        self._is_begun = False

    def write(self, data: bytes) -> None:
        """Keep the rows that are whole by now."""
        self._rest = self._rest + data if self._rest else data
        if not self._is_begun and len(self._rest) >= COPY_HEADER:
            self._rest, self._is_begun = self._rest[COPY_HEADER:], True
        while self._is_begun and (row := self._first_row()):
            cells, stop = row
            self._keep(cells)
            self._rest = self._rest[stop:]

    def answer(self) -> Answer:
        """All that came. The two ids of a row stand side by side until now."""
        import numpy as np

        sizes = [len(one) // 16 for one in self._parts[0]]
        kind = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        ids, *others = (b"".join(parts) for parts in self._parts)
        owner, own = (_small(one) for one in np.frombuffer(ids, ">i8").reshape(-1, 2).T)
        return self._texts, kind, [owner, own, *(np.frombuffer(one, ">i8").astype(int) for one in others)]

    def _first_row(self) -> tuple[list[bytes | None], int] | None:
        """Its cells, and where it ends; None where it is not whole, and of the end of all rows."""
        cells: list[bytes | None] = []
        place = CELLS_OF_ROW
        for _ in range(self._cells):
            if len(self._rest) < place + SIZE.size:
                return None
            (size,) = SIZE.unpack_from(self._rest, place)
            start = place + SIZE.size
            place = start + max(0, size)
            cells.append(self._rest[start:place] if size >= 0 else None)
        return (cells, place) if len(self._rest) >= place else None

    def _keep(self, cells: Sequence[bytes | None]) -> None:
        texts, numbers = cells[: -len(self._parts)], cells[-len(self._parts) :]
        self._texts.append(tuple(None if one is None else one.decode() for one in texts))
        for parts, one in zip(self._parts, numbers, strict=True):
            parts.append(one or b"")


def _small(ids: Numbers) -> Numbers:
    """In half the memory where none is large."""
    import numpy as np

    return ids.astype(np.int32 if ids.max(initial=0) < 1 << 31 else np.int64)
