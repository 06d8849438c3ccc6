"""Many rows into one table, as quickly as the database takes them, with their history by its triggers."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Any

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
    """Insert rows of which nobody needs the ids, in their order. Every constraint and trigger holds.

    Args:
        names: the attributes of the model that the values of a row are of.
        everywhere: what all rows have, by attribute; further attributes have their defaults.

    Raises:
        django.db.DatabaseError: the database refuses a row; none was written.
    """
    example = model(**(everywhere or {}))
    fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
    fixed = {name: field.pre_save(example, True) for name, field in fields.items() if name not in names}
    columns = ", ".join(f'"{fields[name].column}"' for name in (*names, *fixed))
    into = f'"{model._meta.db_table}" ({columns})'
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            end = "".join(f"\t{as_copied(value)}" for value in fixed.values()) + "\n"
            lines = ("\t".join(row) + end for row in _converted(rows, [as_copied for _ in names]))
            cursor.copy_expert(f"COPY {into} FROM STDIN", _Blocks(lines))
        else:
            prepare = {
                name: partial(fields[name].get_db_prep_save, connection=connection)
                for name in (*names, *fixed)
            }
            same = [prepare[name](value) for name, value in fixed.items()]
            places = ", ".join("%s" for _ in prepare)
            statement = f"INSERT INTO {into} VALUES ({places})"  # noqa: S608 (no value in it)
            converted = _converted(rows, [prepare[name] for name in names])
            while chunk := [row + same for row in islice(converted, LINES)]:
                cursor.executemany(statement, chunk)


def _converted(rows: Iterable[Sequence[Any]], convert: Sequence[Callable[[Any], Any]]) -> Iterator[list]:
    """Each value converted as its column is, and each different value of a column once."""
    kept = [lru_cache(DIFFERENT)(one) for one in convert]
    return ([one(value) for one, value in zip(kept, row, strict=True)] for row in rows)


class _Blocks:
    """Lines as a file that is read block by block."""

    def __init__(self, lines: Iterator[str]):
        self._lines = lines

    def read(self, size: int) -> str:
        """The next block, of whatever size; nothing at the end."""
        return "".join(islice(self._lines, LINES))


def as_copied(value: Any) -> str:
    """A value as COPY reads it in its text format."""
    if value is None:
        return r"\N"
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return value.translate(_ESCAPED) if isinstance(value, str) else str(value)
