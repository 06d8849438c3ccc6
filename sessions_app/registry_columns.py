"""What was seen and injected at the sessions, as the columns of stsclinic.reporting.columns.

A million rows are read as whole numbers, which PostgreSQL writes as numpy has them in memory, and never one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.db import connection, models
from django.db.models import BigIntegerField, Case, ExpressionWrapper, F, Func, IntegerField, Value, When
from django.db.models.functions import Cast, Coalesce

from sessions_app.models import Assessment, Injection
from stsclinic.reporting.columns import Columns, places_in
from stsclinic.reporting.records import AssessmentRecord

COPY_HEADER, COPY_TRAILER = 19, 2
"""Bytes around the rows of PostgreSQL's COPY in binary: its documentation of COPY, "Binary Format"."""


@dataclass(frozen=True, slots=True)
class Read:
    """Columns, with the place where the rows of each session begin; the rows of the next one follow."""

    columns: Columns
    starts: Sequence[int]


def read_seen(within: list[int] | None, sessions: Sequence[int], lesion_ids: Mapping[int, str]) -> Read:
    """The assessments at these sessions, by their ids, of these lesions; as records."""
    names = ("status", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga", "observer_pga")
    return _read(Assessment, names, lambda values: AssessmentRecord(*values), within, sessions, lesion_ids)


def read_given(within: list[int] | None, sessions: Sequence[int], lesion_ids: Mapping[int, str]) -> Read:
    """The injections at these sessions into these lesions; as agent, mg/ml, ml and pain."""
    names = ("agent", "concentration_mg_ml", "volume_ml", "pain_vas")
    return _read(Injection, names, tuple, within, sessions, lesion_ids)


def _read(
    model: Any,
    names: Sequence[str],
    kind_of: Callable[[Sequence[Any]], Any],
    within: list[int] | None,
    sessions: Sequence[int],
    lesion_ids: Mapping[int, str],
) -> Read:
    import numpy as np

    kinds = _Kinds([model._meta.get_field(name) for name in names])
    rows = _rows(model, kinds.number, within)
    session_keys, lesion_keys = (
        np.array(sessions, dtype=np.int64),
        np.array(sorted(lesion_ids), dtype=np.int64),
    )
    by_key = np.argsort(session_keys)
    session, lesion = (
        places_in(keys, rows[name].astype(np.int64))
        for name, keys in (("session", session_keys[by_key]), ("lesion", lesion_keys))
    )
    is_kept = (session >= 0) & (lesion >= 0)
    # By ID, as code points are ordered: no database's own order is that everywhere.
    texts = sorted(set(lesion_ids.values()))
    number_of = {text: number for number, text in enumerate(texts)}
    text_of = np.array([number_of[lesion_ids[key]] for key in lesion_keys.tolist()], dtype=np.int64)
    most = max(1, len(texts))
    place = by_key[session[is_kept]] * most + text_of[lesion[is_kept]]
    order = np.argsort(place)
    place = place[order]
    different, kind = np.unique(rows["kind"].astype(np.int64)[is_kept][order], return_inverse=True)
    columns = Columns(
        lesion_ids=texts,
        kinds=[kind_of(kinds.values(number)) for number in different.tolist()],
        lesion=(place % most).astype(np.int32),
        kind=kind.astype(np.int32),
    )
    return Read(columns, np.searchsorted(place, np.arange(len(sessions) + 1) * most).tolist())


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


def _rows(model: Any, kind: Any, within: list[int] | None) -> Any:
    """The kept rows, each as the ids of its session and its lesion, and the number of its kind."""
    import numpy as np

    names = ("session", "lesion", "kind")
    if within == []:
        return np.zeros(0, dtype=[(name, "i8") for name in names])
    found = model.objects.order_by()
    if within is not None:
        found = found.filter(session__series__patient__clinic__in=within)
    sql, parameters = found.values_list("session_id", "lesion_id", kind).query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return np.fromiter(cursor.execute(sql, parameters), dtype=[(name, "i8") for name in names])
        written = BytesIO()
        statement = cursor.mogrify(sql, parameters).decode()
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", written)
    # Before each row stands the number of its cells, and before each cell its size.
    cells = [part for name in names for part in ((f"size_{name}", ">i4"), (name, ">i8"))]
    layout = np.dtype([("cells", ">i2"), *cells])
    rows = (len(written.getbuffer()) - COPY_HEADER - COPY_TRAILER) // layout.itemsize
    return np.frombuffer(written.getbuffer(), dtype=layout, count=rows, offset=COPY_HEADER)
