"""Many rows into one table, as quickly as the database takes them, with their history by its triggers."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from io import StringIO
from itertools import chain, islice
from typing import Any, Self

from django.db import connection

DIFFERENT = 10_000
"""Different values of a column whose text is kept: most of a column's values stand in many rows."""

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class Inserter:
    """Inserts rows of which nobody needs the ids. Every constraint and trigger holds.

    PostgreSQL takes them, and writes their history, while Python goes on; whatever else the connection is
    asked within the block waits for that. See `beside`.

    Raises:
        django.db.DatabaseError: the database refused a row, now or earlier in the block.
    """

    def __init__(self) -> None:
        self._given: list[tuple[str, str | None]] = []
        """Statements, of a COPY with its text, which nobody has handed over."""
        self._keeps = False
        self._running: Future | None = None
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        if connection.vendor == "postgresql":
            self._thread = self._ending.enter_context(ThreadPoolExecutor(max_workers=1))
            self._ending.enter_context(connection.execute_wrapper(self._after_that))
            # What a row refers to is looked up when it comes, while Python goes on, and not for all rows in the end.
            self.then("SET CONSTRAINTS ALL IMMEDIATE")
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        with self._ending:
            if kind is None:
                if connection.vendor == "postgresql":
                    self.then("SET CONSTRAINTS ALL DEFERRED")
                self._hand_over()
                self._wait()
            elif self._running is not None:
                # What was raised first is what is told.
                self._running.exception()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """What is asked within looks for none of the rows that were given: it does not wait for those that the
        database has not begun to take. It takes them when the block ends, while nothing else is asked."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
        self._hand_over()

    def insert(
        self, model: Any, columns: Mapping[str, Sequence[Any]], everywhere: Mapping[str, Any] | None = None
    ) -> None:
        """Insert rows, in their order.

        Args:
            columns: by attribute of the model, the values of the rows.
            everywhere: what all rows have, by attribute; further attributes have their defaults.
        """
        example = model(**(everywhere or {}))
        fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
        fixed = {name: field.pre_save(example, True) for name, field in fields.items() if name not in columns}
        names = ", ".join(f'"{fields[name].column}"' for name in (*columns, *fixed))
        into = f'"{model._meta.db_table}" ({names})'
        if connection.vendor == "postgresql":
            self._given.append((f"COPY {into} FROM STDIN", _text(columns, fixed)))
        else:
            prepare = {
                name: partial(fields[name].get_db_prep_save, connection=connection)
                for name in (*columns, *fixed)
                # An id is as the database gave it.
                if not fields[name].is_relation
            }
            _insert_many(into, columns, fixed, prepare)

    def then(self, statement: str) -> None:
        """Let PostgreSQL do this once it has taken the rows that were given."""
        self._given.append((statement, None))

    def _hand_over(self) -> None:
        if self._given:
            self._wait()
            cursor = connection.cursor().cursor
            self._running = self._thread.submit(_do, cursor, self._given)
            self._given = []

    def _wait(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            with connection.wrap_database_errors:
                running.result()

    def _after_that(self, execute: Callable, *given: Any) -> Any:
        if not self._keeps:
            self._hand_over()
        self._wait()
        return execute(*given)


def _do(cursor: Any, given: Iterable[tuple[str, str | None]]) -> None:
    for statement, text in given:
        if text is None:
            cursor.execute(statement)
        else:
            cursor.copy_expert(statement, StringIO(text), len(text) + 1)


def _text(columns: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]) -> str:
    """Rows as COPY reads them."""
    end = "".join(f"\t{as_copied(value)}" for value in fixed.values()) + "\n"
    texts = (_each(as_copied, values) for values in columns.values())
    return "".join("\t".join(row) + end for row in zip(*texts, strict=True))


def _insert_many(
    into: str,
    columns: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    prepare: Mapping[str, Callable[[Any], Any]],
) -> None:
    """Insert many rows by one statement: SQLite notes for each how to undo it, which takes longer than a row."""
    same = [prepare[name](value) if name in prepare else value for name, value in fixed.items()]
    prepared = (
        _each(prepare[name], values) if name in prepare else values for name, values in columns.items()
    )
    rows = zip(*prepared, strict=True)
    place = f"({', '.join('%s' for _ in (*columns, *fixed))})"
    most = connection.ops.bulk_batch_size([*columns, *fixed], [])
    with connection.cursor() as cursor:
        while chunk := list(islice(rows, most)):
            places = ", ".join([place] * len(chunk))
            values = list(chain.from_iterable((*row, *same) for row in chunk))
            cursor.execute(f"INSERT INTO {into} VALUES {places}", values)  # noqa: S608 (no value in it)


def _each(convert: Callable[[Any], Any], values: Iterable[Any]) -> Iterator[Any]:
    """The values of a column converted, each different one once."""
    return map(lru_cache(DIFFERENT)(convert), values)


def as_copied(value: Any) -> str:
    """A value as COPY reads it in its text format."""
    if value is None:
        return r"\N"
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return value.translate(_ESCAPED) if isinstance(value, str) else str(value)
