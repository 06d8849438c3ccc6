"""What was seen and injected at the sessions, as the columns of stsclinic.reporting.columns.

A million rows are read as whole numbers, which PostgreSQL writes as numpy has them in memory, and never one by one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from struct import Struct
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import (
    BigIntegerField,
    Case,
    Expression,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from sessions_app.asking import Question
from sessions_app.models import Assessment, Injection, SeriesLesion, TreatmentSession
from stsclinic.reporting.columns import Columns, Numbers, places_in
from stsclinic.reporting.records import AssessmentRecord

NOT_KEPT = -1
"""Stands for a lesion that is none of those asked for."""

COPY_HEADER, CELLS_OF_ROW, ARRAY_HEAD = 19, 2, 20
"""Bytes before the rows of PostgreSQL's COPY in binary, before the cells of a row, and before the elements of an array:
its documentation of COPY, "Binary Format", and array_send in its source."""

SIZE = Struct(">i")

PART, PARTS = 20_000, 10_000
"""Ids of a table that come at once, or more where they lie so far apart that there would be more parts than these."""


@dataclass(frozen=True, slots=True)
class Read:
    """Columns, and beside them the id of each row's session, which are sorted."""

    columns: Columns
    session: Numbers

    def rows(self, sessions: Sequence[int]) -> list[tuple[int, int]]:
        """From where to before where the rows of each of these sessions (by id) stand in the columns."""
        import numpy as np

        starts, stops = (np.searchsorted(self.session, sessions, side).tolist() for side in ("left", "right"))
        return list(zip(starts, stops, strict=True))


class KeptLesions:
    """The IDs of lesions by the ids of their rows, numbered as code points are ordered.

    No database's own order is that everywhere.
    """

    def __init__(self, lesion_ids: Mapping[int, str]):
        import numpy as np

        self.texts = sorted(set(lesion_ids.values()))
        place_of = {text: place for place, text in enumerate(self.texts)}
        keys = np.fromiter(lesion_ids, dtype=np.int64, count=len(lesion_ids))
        places = np.array([place_of[text] for text in lesion_ids.values()], dtype=np.int32)
        order = np.argsort(keys)
        self._keys, self._places = keys[order], np.append(places[order], np.int32(NOT_KEPT))

    def places(self, keys: Numbers) -> Numbers:
        """For each id the place of its ID in `texts`; NOT_KEPT of another lesion."""
        return self._places[places_in(self._keys, keys)]


class _Kinds:
    """Fields whose values are together one whole number: that of the first, times what the second may be, and so on."""

    def __init__(self, fields: Sequence[Any]):
        self._fields = [(field, _different(field)) for field in fields]

    @property
    def number(self) -> Any:
        """Computed by the database."""
        number: Any = Value(0)
        for field, different in self._fields:
            number = number * Value(different) + _number(field)
        return ExpressionWrapper(number, BigIntegerField())

    def values(self, number: int) -> list[Any]:
        """What the number stands for."""
        found = []
        for field, different in reversed(self._fields):
            number, part = divmod(number, different)
            nothing = None if field.null else ""
            found.append(nothing if part == 0 else _value(field, part - 1))
        return found[::-1]


def _number(field: Any) -> Any:
    """A value as a whole number from 1; 0 where it is not recorded."""
    whole = BigIntegerField()
    if field.choices:
        codes = [code for code, _ in field.choices]
        cases = [When(**{field.name: code}, then=Value(number)) for number, code in enumerate(codes, start=1)]
        return Case(*cases, default=Value(0), output_field=whole)
    number: Any = F(field.name)
    if isinstance(field, models.DecimalField):
        number = _LastPlaces(number, scale=10**field.decimal_places, output_field=whole)
    elif isinstance(field, models.BooleanField):
        number = Cast(number, IntegerField())
    return Coalesce(number + Value(1), Value(0), output_field=whole)


def _value(field: Any, number: int) -> Any:
    """The value whose number is one more."""
    if field.choices:
        return field.choices[number][0]
    if isinstance(field, models.DecimalField):
        return Decimal(number).scaleb(-field.decimal_places)
    return bool(number) if isinstance(field, models.BooleanField) else number


def _different(field: Any) -> int:
    """How many numbers it may have."""
    if field.choices:
        return len(field.choices) + 1
    if isinstance(field, models.BooleanField):
        return 3
    return int(field.high * 10 ** getattr(field, "decimal_places", 0)) + 2


class _LastPlaces(Func):
    """A decimal in units of its last place. SQLite keeps it as a float."""

    template = "CAST(round(%(expressions)s * %(scale)s) AS integer)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Exact as it is."""
        return self.as_sql(compiler, connection, template="(%(expressions)s * %(scale)s)::bigint", **context)


class SeenOrGiven:
    """Rows of a model that belong to a session and a lesion, and hold values of some fields: their kind.

    Args:
        kind_of: makes a kind of the values.
    """

    def __init__(self, model: Any, names: Sequence[str], kind_of: Callable[[Sequence[Any]], Any]):
        self._model, self._kind_of = model, kind_of
        self._kinds = _Kinds([model._meta.get_field(name) for name in names])

    def ask(self, within: list[int] | None) -> Question:
        """The kept rows of these clinics (by id), or of all."""
        found = self._model.objects.order_by().annotate(kind=self._kinds.number)
        if within is not None:
            found = found.filter(session__series__patient__clinic__in=within)
        return _columns(found, "session_id", "lesion_id", "kind")

    def read(self, answer: Sequence[Numbers], lesions: KeptLesions) -> Read:
        """What was answered, of these lesions."""
        import numpy as np

        session, lesion, number = answer
        text = lesions.places(lesion)
        # Most rows were written session by session, and a stable sort is quick where much is in its order.
        order = np.argsort(session * (len(lesions.texts) + 1) + text, kind="stable")
        order = order[text[order] != NOT_KEPT]
        number = number[order]
        # They are few: to look for each is quicker than to sort all.
        different = np.unique(number)
        columns = Columns(
            lesion_ids=lesions.texts,
            kinds=[self._kind_of(self._kinds.values(one)) for one in different.tolist()],
            lesion=text[order],
            kind=np.searchsorted(different, number).astype(np.int32),
        )
        return Read(columns, session[order])


SEEN = SeenOrGiven(
    Assessment,
    ("status", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga", "observer_pga"),
    lambda values: AssessmentRecord(*values),
)
"""The assessments, as records."""

GIVEN = SeenOrGiven(Injection, ("agent", "concentration_mg_ml", "volume_ml", "pain_vas"), tuple)
"""The injections, as agent, mg/ml, ml and pain."""


def ask_treated(within: list[int] | None) -> Question:
    """Which lesions the series of these clinics (by id) treat, or all: the ids of both, and the arm."""
    kinds = _Kinds([SeriesLesion._meta.get_field("arm")])
    found = SeriesLesion.objects.order_by().annotate(number=kinds.number)
    if within is not None:
        found = found.filter(series__patient__clinic__in=within)
    asked = _columns(found, "series_id", "lesion_id", "number")

    def ask() -> Iterable[tuple[int, int, str]]:
        series, lesions, numbers = (one.tolist() for one in asked())
        arm_of = {number: kinds.values(number)[0] for number in set(numbers)}
        return zip(series, lesions, map(arm_of.__getitem__, numbers), strict=True)

    return ask


@dataclass(frozen=True, slots=True)
class SessionColumns:
    """Sessions, by series and in their order: the ids of their series, their own, and what a SessionRecord begins with."""

    series: Sequence[int]
    ids: Sequence[int]
    facts: Iterable[tuple[int, str, date, int | None, int | None]]


def ask_sessions(within: list[int] | None) -> Question:
    """The SessionColumns of these clinics (by id), or of all."""
    kinds = _Kinds([TreatmentSession._meta.get_field(name) for name in ("kind", "ptga", "phga")])
    found = TreatmentSession.objects.order_by().annotate(number=kinds.number, day=_Day("held_on"))
    if within is not None:
        found = found.filter(series__patient__clinic__in=within)
    asked = _columns(found, "series_id", "id", "session_no", "day", "number")

    def ask() -> SessionColumns:
        import numpy as np

        columns = asked()
        order = np.lexsort((columns[2], columns[0]))
        series, ids, session_no, days, numbers = (one[order].tolist() for one in columns)
        day_of = {day: date.fromordinal(day) for day in set(days)}
        values_of = {number: kinds.values(number) for number in set(numbers)}
        facts = (
            (number, values_of[values][0], day_of[day], *values_of[values][1:])
            for number, day, values in zip(session_no, days, numbers, strict=True)
        )
        return SessionColumns(series, ids, facts)

    return ask


class _Day(Func):
    """The number of a day, as date.toordinal() gives it."""

    output_field = BigIntegerField()
    template = "CAST(julianday(%(expressions)s) - 1721424.5 AS integer)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """A difference of days is a whole number."""
        template = "(%(expressions)s - DATE '0001-01-01' + 1)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)


class _OfPart(Expression):
    """The first id of a part of the table, or of the next part."""

    output_field = BigIntegerField()

    def __init__(self, sql: str):
        super().__init__()
        self._sql = sql

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return self._sql, []


def _columns(found: Any, *names: str) -> Question:
    """Columns of whole numbers, of which none is missing, as arrays."""
    if connection.vendor == "postgresql":
        return _copied(found, names)

    def ask() -> list[Numbers]:
        import numpy as np

        layout = [(name, np.int64) for name in names]
        answer = np.fromiter(found.values_list(*names).iterator(), dtype=layout)
        return [answer[name] for name in names]

    return ask


def _copied(found: Any, names: Sequence[str]) -> Question:
    """PostgreSQL makes arrays of a part of the table at once, which come as numpy has them in memory: to take them
    row by row, the program would have to stop its other work for each."""
    parts = found.filter(pk__gte=_OfPart("part.first"), pk__lt=_OfPart("part.first + ids.size")).values_list(
        *names
    )
    try:
        sql, parameters = parts.query.sql_with_params()
    except EmptyResultSet:
        return _Arrays(len(names)).columns
    table = found.model._meta.db_table
    arrays = ", ".join(f"array_agg({name}::bigint)" for name in names)
    ids = f"SELECT min(id) AS low, max(id) AS high, greatest({PART}, (max(id) - min(id)) / {PARTS} + 1) AS size FROM {table}"  # noqa: S608
    statement = (
        f"COPY (SELECT arrays.* FROM ({ids}) AS ids, generate_series(ids.low, ids.high, ids.size) AS part(first),"  # noqa: S608
        f" LATERAL (SELECT {arrays} FROM ({sql}) AS found({', '.join(names)})) AS arrays)"
        " TO STDOUT (FORMAT binary)"
    )
    cursor = connection.cursor()

    def ask() -> list[Numbers]:
        arrays = _Arrays(len(names))
        cursor.copy_expert(cursor.mogrify(statement, parameters).decode(), arrays)
        return arrays.columns()

    return ask


class _Arrays:
    """Takes what PostgreSQL copies in binary: after a head rows of arrays, each a part of a column."""

    def __init__(self, columns: int):
        self._parts: list[list[Numbers]] = [[] for _ in range(columns)]
        self._rest = b""
        self._is_begun = False

    def write(self, data: bytes) -> None:
        """Keep the numbers of the rows that are whole by now."""
        self._rest += data
        if not self._is_begun and len(self._rest) >= COPY_HEADER:
            self._rest, self._is_begun = self._rest[COPY_HEADER:], True
        while self._is_begun and (stop := self._end_of_row()):
            self._keep(self._rest[:stop])
            self._rest = self._rest[stop:]

    def columns(self) -> list[Numbers]:
        """The columns, each in one piece."""
        import numpy as np

        found = []
        for parts in self._parts:
            found.append(np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64))
            parts.clear()
        return found

    def _end_of_row(self) -> int:
        """Where the first row ends; 0 where it is not whole, and of the end of all rows."""
        place = CELLS_OF_ROW
        for _ in self._parts:
            if len(self._rest) < place + SIZE.size:
                return 0
            place += SIZE.size + max(0, SIZE.unpack_from(self._rest, place)[0])
        return place if len(self._rest) >= place else 0

    def _keep(self, row: bytes) -> None:
        import numpy as np

        element = np.dtype([("size", ">i4"), ("number", ">i8")])
        place = CELLS_OF_ROW
        for parts in self._parts:
            (size,) = SIZE.unpack_from(row, place)
            place += SIZE.size
            # A part of the table without rows has no array.
            if size > ARRAY_HEAD:
                count = (size - ARRAY_HEAD) // element.itemsize
                numbers = np.frombuffer(row, element, count, place + ARRAY_HEAD)["number"]
                parts.append(numbers.astype(np.int64))
            place += max(0, size)
