"""Many rows into one table, as quickly as the database takes them, with their history by its triggers."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import connection

LINES = 1000
"""Rows that are handed over at once."""

DIFFERENT = 10_000
"""Different values of a column whose text is kept: most of a column's values stand in many rows."""

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def insert_rows(model: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of which nobody needs the ids, in their order. Every constraint and trigger holds.

    Args:
        names: the attributes of the model that the values of a row are of; the others have their defaults.

    Raises:
        django.db.DatabaseError: the database refuses a row; none was written.
    """
    if connection.vendor == "postgresql":
        _copy(model, names, rows)
    else:
        made = (model(**dict(zip(names, row, strict=True))) for row in rows)
        while chunk := list(islice(made, LINES)):
            model._base_manager.bulk_create(chunk)


def _copy(model: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """By one COPY. Its rows are text: the columns apart by tabs, nothing as \\N."""
    example = model()
    fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
    fixed = {name: field.pre_save(example, True) for name, field in fields.items() if name not in names}
    columns = ", ".join(f'"{fields[name].column}"' for name in (*names, *fixed))
    end = "".join(f"\t{as_copied(value)}" for value in fixed.values()) + "\n"
    texts: list[Callable[[Any], str]] = [lru_cache(DIFFERENT)(as_copied) for _ in names]

    def lines() -> Iterator[str]:
        for row in rows:
            yield "\t".join([text(value) for text, value in zip(texts, row, strict=True)]) + end

    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN', _Blocks(lines()))


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
