"""The text of a cell, made by the database: canonical as in the data sheets, in the form in which it leaves.

So a million rows need no work of ours for each cell. Shifted days and years are made here too, and the
day as recorded never reaches the program.
"""

from typing import Any

from django.db.models import (
    Case,
    Expression,
    F,
    Func,
    IntegerField,
    Lookup,
    Min,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Collate, NullIf, Replace
from django.db.models.lookups import GreaterThan

from sessions_app.dataout.plan import AGE, OLDEST, Plan
from sessions_app.datasheets.columns import Column, Sheet
from sessions_app.datasheets.exporting import code_point_collation, column_value
from sessions_app.models import TreatmentSession

_MAY_BE_EMPTY = frozenset({"key", "code", "codes", "text", "partial"})
"""Kinds of columns in which the database holds an empty text where nothing is recorded."""


class AnyOf(Lookup):
    """Whether a key is one of a list, which is one parameter, so that the SQL is the same for every list."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        """SQLite's form."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} IN (SELECT value FROM json_each(%s))", [*params, self.rhs]  # noqa: S608 (no value in it)

    def as_postgresql(self, compiler, connection):
        """PostgreSQL's form."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", [*params, self.rhs]


class _AsText(Func):
    """One argument or two as text; each database has its own words."""

    output_field = TextField()
    postgresql = ""
    sqlite = ""

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template=self.postgresql, **context)

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template=self.sqlite, **context)


class DecimalText(_AsText):
    """A decimal without trailing zeros."""

    postgresql = "trim_scale(%(expressions)s)::text"
    sqlite = "CAST(%(expressions)s AS text)"


class ShiftedDay(_AsText):
    """A day and a number of days: the day that is so many days later, in ISO 8601."""

    postgresql = "(%(expressions)s)::text"
    sqlite = "date(%(expressions)s || ' days')"

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template=self.postgresql, arg_joiner=" + ", **context)


class MiddleOf(_AsText):
    """The middle day of what a partial date may be."""

    postgresql = sqlite = (
        "CASE length(%(expressions)s) WHEN 4 THEN %(expressions)s || '-07-01' "
        "WHEN 7 THEN %(expressions)s || '-15' WHEN 10 THEN %(expressions)s END"
    )


class ShiftedYear(_AsText):
    """A day as text and a number of days: the year of the day that is so many days later."""

    sqlite = "substr(date(%(expressions)s || ' days'), 1, 4)"

    def as_postgresql(self, compiler, connection, **context):
        template = "extract(year FROM (%(expressions)s))::text"
        return self.as_sql(compiler, connection, template=template, arg_joiner="::date + ", **context)


def patient_path(sheet: Sheet) -> str:
    """Where the patient stands, seen from the sheet's model, with its `__`; empty for the patients' sheet."""
    return sheet.clinic_path.removesuffix("clinic")


def cell_text(sheet: Sheet, column: Column, plan: Plan, decimal_comma: bool = False) -> Expression:
    """The text of a column's cells, NULL where nothing is recorded or the allocation is closed."""
    text: Any = _plain_text(sheet, column, plan)
    if decimal_comma and column.kind == "decimal":
        text = Replace(text, Value("."), Value(","), output_field=TextField())
    if column.kind in _MAY_BE_EMPTY and not column.required:
        text = NullIf(text, Value(""), output_field=TextField())
    if column.betrays_allocation and plan.closed:
        pairs = Q()
        for clinic, protocol in sorted(plan.closed):
            pairs |= Q(
                **{
                    f"{sheet.series_path}patient__clinic__code": clinic,
                    f"{sheet.series_path}protocol__code": protocol,
                }
            )
        text = Case(When(pairs, then=Value(None)), default=text, output_field=TextField())
    return text


def cell_order(sheet: Sheet, plan: Plan) -> list[Any]:
    """The order of the rows: that of the keys as they leave, numbers as numbers and texts by code point."""
    order: list[Any] = []
    for column in sheet.keys:
        is_number = column.kind in ("whole", "date")
        value: Any = column_value(sheet, column) if is_number else cell_text(sheet, column, plan)
        if not is_number:
            value = Collate(value, code_point_collation())
        order.append(value.asc(nulls_first=True))
    return [*order, F("pk").asc()]


def _plain_text(sheet: Sheet, column: Column, plan: Plan) -> Any:
    patient = patient_path(sheet)
    if column.name == AGE:
        return _age()
    if plan.new_ids and column.name == "patient_id":
        return F(f"{patient}export_disguise__code")
    if plan.new_ids and column.name == "lesion_id":
        return _random_lesion_id(sheet)
    value = column_value(sheet, column)
    if column.kind == "yes_no":
        yes, no = When(Q(**{column.field: True}), Value("yes")), When(Q(**{column.field: False}), Value("no"))
        return Case(yes, no, output_field=TextField())
    if column.kind == "decimal":
        return DecimalText(value)
    days = F(f"{patient}export_disguise__days")
    if column.kind == "year":
        return ShiftedYear(MiddleOf(value), days)
    if column.kind == "date" and not plan.with_dates:
        return ShiftedDay(value, days)
    return Cast(value, TextField()) if column.kind in ("whole", "date") else value


def _random_lesion_id(sheet: Sheet) -> Any:
    """Its random code, which says no more than that it is another lesion."""
    lesion = "" if sheet.name == "lesions" else "lesion__"
    kept = Q(**{f"{lesion}pk__isnull": False, f"{lesion}struck_out_at": None})
    return Case(When(kept, F(f"{lesion}export_disguise__code")), output_field=TextField())


def _age() -> Expression:
    """By the years, as criteria count it: the year of the first treatment minus that of the birth."""
    treatments = TreatmentSession.objects.filter(
        series__patient=OuterRef("pk"), series__struck_out_at=None, kind="treatment"
    )
    first = treatments.order_by().values("series__patient").annotate(first=Min("held_on__year"))
    age = Subquery(first.values("first"), output_field=IntegerField()) - F("birth_year")
    joined = Case(When(GreaterThan(age, OLDEST - 1), Value(OLDEST)), default=age, output_field=IntegerField())
    return Cast(joined, TextField())
