"""Many rows into one table, as quickly as the database takes them, with their history by its triggers."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from io import StringIO
from itertools import islice
from typing import Any, Self

from django.db import connection

LINES = 1000
"""Rows that are handed over at once."""

DIFFERENT = 10_000
"""Different values of a column whose text is kept: most of a column's values stand in many rows."""

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def insert_rows(
    model: Any,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    everywhere: Mapping[str, Any] | None = None,
) -> None:
    """The same as Inserter.insert, and done when it returns."""
    with Inserter() as inserter:
        inserter.insert(model, names, rows, everywhere)


class Inserter:
    """Inserts rows of which nobody needs the ids. Every constraint and trigger holds.

    PostgreSQL takes them, and writes their history, while Python goes on; whatever else the connection is
    asked within the block waits for that. See `beside`.

    Raises:
        django.db.DatabaseError: the database refused a row, now or earlier in the block.
    """

    def __init__(self) -> None:
        self._given: list[tuple[str, str]] = []
        """Statements with the text that they copy, which nobody has handed over."""
        self._keeps = False
        self._running: Future | None = None
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        if connection.vendor == "postgresql":
            self._thread = self._ending.enter_context(ThreadPoolExecutor(max_workers=1))
            self._ending.enter_context(connection.execute_wrapper(self._after_that))
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        with self._ending:
            if kind is None:
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
        self,
        model: Any,
        names: Sequence[str],
        rows: Iterable[Sequence[Any]],
        everywhere: Mapping[str, Any] | None = None,
    ) -> None:
        """Insert rows, in their order.

        Args:
            names: the attributes of the model that the values of a row are of.
            everywhere: what all rows have, by attribute; further attributes have their defaults.
        """
        example = model(**(everywhere or {}))
        fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
        fixed = {name: field.pre_save(example, True) for name, field in fields.items() if name not in names}
        columns = ", ".join(f'"{fields[name].column}"' for name in (*names, *fixed))
        into = f'"{model._meta.db_table}" ({columns})'
        if connection.vendor == "postgresql":
            end = "".join(f"\t{as_copied(value)}" for value in fixed.values()) + "\n"
            lines = ("\t".join(row) + end for row in _converted(rows, [as_copied for _ in names]))
            self._given.append((f"COPY {into} FROM STDIN", "".join(lines)))
            return
        prepare = {
            name: partial(fields[name].get_db_prep_save, connection=connection) for name in (*names, *fixed)
        }
        same = [prepare[name](value) for name, value in fixed.items()]
        places = ", ".join("%s" for _ in prepare)
        statement = f"INSERT INTO {into} VALUES ({places})"  # noqa: S608 (no value in it)
        converted = _converted(rows, [prepare[name] for name in names])
        with connection.cursor() as cursor:
            while chunk := [row + same for row in islice(converted, LINES)]:
                cursor.executemany(statement, chunk)

    def _hand_over(self) -> None:
        if self._given:
            self._wait()
            cursor = connection.cursor().cursor
            self._running = self._thread.submit(_copy, cursor, self._given)
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


def _copy(cursor: Any, given: Iterable[tuple[str, str]]) -> None:
    for statement, text in given:
        cursor.copy_expert(statement, StringIO(text), len(text) + 1)


def _converted(rows: Iterable[Sequence[Any]], convert: Sequence[Callable[[Any], Any]]) -> Iterator[list]:
    """Each value converted as its column is, and each different value of a column once."""
    kept = [lru_cache(DIFFERENT)(one) for one in convert]
    return ([one(value) for one, value in zip(kept, row, strict=True)] for row in rows)


def as_copied(value: Any) -> str:
    """A value as COPY reads it in its text format."""
    if value is None:
        return r"\N"
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return value.translate(_ESCAPED) if isinstance(value, str) else str(value)
