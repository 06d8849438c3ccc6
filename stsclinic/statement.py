"""Queries whose SQL is made once for the process and asked many times.

To make the SQL of a query of models takes three to ten times as long as to answer it, and a page that asks the same
twenty queries each time spends a third of its time on that. A `Statement` makes it at the first time and keeps it;
what differs from time to time is `Given`. It gives the same rows as its queryset.
"""

from collections.abc import Callable
from copy import copy
from functools import cached_property, lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import BigIntegerField, Expression, Field, QuerySet
from django.db.models.sql.compiler import SQLCompiler


class Given(Expression):
    """A place in a query for a value that is given when the query is asked, and is never None. Most are keys."""

    def __init__(self, name: str, output_field: Field | None = None):
        super().__init__(output_field=output_field or BigIntegerField())
        self.name = name

    def __hash__(self) -> int:
        # Equal ones have the same name, and a list of a hundred is made into a set.
        return hash(self.name)

    def resolve_expression(self, *_arguments: Any, **_options: Any) -> "Given":
        """Itself: it refers to nothing of a query."""
        return self

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """The place, and itself as what stands there until the value is known."""
        return "%s", [self]

    def is_beyond(self, value: Any) -> bool:
        """Whether the value is a key that no row can have, which a database would refuse to look for."""
        return isinstance(self.output_field, BigIntegerField) and abs(value) > BigIntegerField.MAX_BIGINT


class Statement:
    """What a queryset asks, with its SQL made once. A queryset with select_for_update or prefetch_related has none.

    Args:
        build: makes the queryset, with a `Given` wherever a value differs from time to time.
    """

    def __init__(self, build: Callable[[], QuerySet[Any]]):
        self._build = build

    @cached_property
    def _made(self) -> tuple[QuerySet[Any], SQLCompiler, str, tuple[Any, ...]] | None:
        """The queryset, what made its SQL, the SQL and its values; None where no row can answer it."""
        queryset = self._build()
        compiler = queryset.query.get_compiler(using=queryset.db)
        try:
            return queryset, compiler, *compiler.as_sql()
        except EmptyResultSet:
            return None

    def rows(self, **given: Any) -> list[Any]:
        """The rows of the queryset with these values, {name of a Given: value}; none for a key beyond 64 bits.

        Raises:
            KeyError: a value is missing.
        """
        if self._made is None:
            return []
        queryset, made, sql, places = self._made
        connection = connections[queryset.db]
        values = []
        for place in places:
            if isinstance(place, Given):
                value = given[place.name]
                if place.is_beyond(value):
                    return []
                place = place.output_field.get_db_prep_value(value, connection)
            values.append(place)
        # A connection is of one thread: this one's stands in a compiler of its own, which makes no SQL any more.
        compiler: Any = copy(made)
        compiler.connection = connection
        compiler.as_sql = lambda *_arguments, **_options: (sql, tuple(values))
        asked = queryset.all()
        asked.query.get_compiler = lambda *_arguments, **_options: compiler  # type: ignore[method-assign]
        return list(asked)

    def first(self, **given: Any) -> Any | None:
        """The first of these rows, or None."""
        return next(iter(self.rows(**given)), None)


def statement(build: Callable[..., QuerySet[Any]]) -> Callable[..., Statement]:
    """Decorate a function that makes a queryset: called, it gives its Statement, one for each set of arguments.

    The arguments are what changes the SQL itself, such as the ids of the clinics in which somebody has a right.
    """

    @lru_cache(maxsize=256)
    def made(*arguments: Any) -> Statement:
        return Statement(lambda: build(*arguments))

    return made
