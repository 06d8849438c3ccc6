"""What was seen and injected at the sessions, as the columns of stsclinic.reporting.columns.

A million rows are read as whole numbers, which PostgreSQL writes as numpy has them in memory, and never one by one.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.db import connection, models
from django.db.models import BigIntegerField, Case, ExpressionWrapper, F, Func, IntegerField, Value, When
from django.db.models.functions import Cast, Coalesce

from sessions_app.models import Assessment, Injection
from stsclinic.reporting.columns import Columns, Numbers, places_in
from stsclinic.reporting.records import AssessmentRecord

NOT_KEPT = -1
"""Stands for a lesion that is none of those asked for."""

COPY_HEADER, COPY_TRAILER = 19, 2
"""Bytes around the rows of PostgreSQL's COPY in binary: its documentation of COPY, "Binary Format"."""


@dataclass(frozen=True, slots=True)
class Read:
    """Columns, with the ids of their sessions, sorted, and where the rows of each begin, up to the end."""

    columns: Columns
    sessions: Sequence[int]
    starts: Sequence[int]

    def rows(self, session: int) -> tuple[Columns, int, int]:
        """The columns, and from where to before where the rows of a session stand in them."""
        place = bisect_left(self.sessions, session)
        has_rows = place < len(self.sessions) and self.sessions[place] == session
        return self.columns, self.starts[place], self.starts[place + has_rows]


def read_seen(within: list[int] | None, lesion_ids: Mapping[int, str]) -> Read:
    """The assessments of these lesions, as records."""
    names = ("status", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga", "observer_pga")
    return _read(Assessment, names, lambda values: AssessmentRecord(*values), within, lesion_ids)


def read_given(within: list[int] | None, lesion_ids: Mapping[int, str]) -> Read:
    """The injections into these lesions, as agent, mg/ml, ml and pain."""
    names = ("agent", "concentration_mg_ml", "volume_ml", "pain_vas")
    return _read(Injection, names, tuple, within, lesion_ids)


def _read(
    model: Any,
    names: Sequence[str],
    kind_of: Callable[[Sequence[Any]], Any],
    within: list[int] | None,
    lesion_ids: Mapping[int, str],
) -> Read:
    import numpy as np

    kinds = _Kinds([model._meta.get_field(name) for name in names])
    session, lesion, number = _rows(model, kinds.number, within)
    # By ID, as code points are ordered: no database's own order is that everywhere.
    texts = sorted(set(lesion_ids.values()))
    place_of = {text: place for place, text in enumerate(texts)}
    keys = sorted(lesion_ids)
    text_of = np.array([*(place_of[lesion_ids[key]] for key in keys), NOT_KEPT], dtype=np.int32)
    text = text_of[places_in(np.array(keys, dtype=np.int64), lesion)]
    order = np.argsort(session * len(text_of) + text)
    order = order[text[order] != NOT_KEPT]
    session = session[order]
    different, kind = np.unique(number[order], return_inverse=True)
    starts = np.flatnonzero(np.diff(session, prepend=NOT_KEPT))
    columns = Columns(
        lesion_ids=texts,
        kinds=[kind_of(kinds.values(one)) for one in different.tolist()],
        lesion=text[order],
        kind=kind.astype(np.int32),
    )
    return Read(columns, session[starts].tolist(), [*starts.tolist(), len(session)])


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
            found.append(None if part == 0 else _value(field, part - 1))
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


def _rows(model: Any, kind: Any, within: list[int] | None) -> list[Numbers]:
    """The columns of the kept rows: the ids of their sessions and lesions, and the numbers of their kinds."""
    import numpy as np

    names = ("session", "lesion", "kind")
    if within == []:
        return [np.zeros(0, dtype=np.int64) for _ in names]
    found = model.objects.order_by()
    if within is not None:
        found = found.filter(session__series__patient__clinic__in=within)
    sql, parameters = found.values_list("session_id", "lesion_id", kind).query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            rows = np.fromiter(cursor.execute(sql, parameters), dtype=[(name, np.int64) for name in names])
            return [rows[name] for name in names]
        written = BytesIO()
        statement = cursor.mogrify(sql, parameters).decode()
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", written)
    # Before each row stands the number of its cells, and before each cell its size.
    cells = [part for name in names for part in ((f"size_{name}", ">i4"), (name, ">i8"))]
    layout = np.dtype([("cells", ">i2"), *cells])
    count = (len(written.getbuffer()) - COPY_HEADER - COPY_TRAILER) // layout.itemsize
    rows = np.frombuffer(written.getbuffer(), dtype=layout, count=count, offset=COPY_HEADER)
    return [rows[name].astype(np.int64) for name in names]
