"""Model fields whose rule stands in the database itself, so that no write path goes round it."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from stsclinic.clinical.dates import PartialDate


@models.CharField.register_lookup
class Begins(models.Lookup):
    """`study_id__begins="AAR"`: an index of the column answers it on both databases, unlike `startswith`."""

    lookup_name = "begins"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        column, values = self.process_lhs(compiler, connection)
        if connection.vendor == "sqlite":
            return f"{column} >= %s AND {column} < %s", [*values, self.rhs, *values, f"{self.rhs}\U0010ffff"]
        return f"{column} LIKE %s", [*values, f"{connection.ops.prep_for_like_query(self.rhs)}%"]


class SmallLetters(Lower):
    """A text in small letters, in the order of its bytes: whatever the database's language, an index of it answers
    what begins with a text."""

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(
            compiler, connection, template='(%(function)s(%(expressions)s) COLLATE "C")', **context
        )


class NotByIndex(models.Func):
    """A column by which SQLite does not look rows up: another condition of the query has the better index.

    PostgreSQL counts its rows and sees for itself; SQLite takes the first index that fits.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class CodeField(models.CharField):
    """One code of a vocabulary of stsclinic.clinical.terms, or "" where the field is optional."""

    # Django leaves a column alone when only its choices change; here they are the column's own rule.
    non_db_attrs = tuple(name for name in models.CharField.non_db_attrs if name != "choices")

    def __init__(self, vocabulary=None, **options):
        if vocabulary is not None:
            options["choices"] = list(vocabulary.items())
        options.setdefault("max_length", 40)
        super().__init__(**options)

    def db_check(self, connection):
        codes = [code for code, _label in self.choices or []] + ([""] if self.blank else [])
        listed = ", ".join(f"'{code}'" for code in codes)
        return f"{connection.ops.quote_name(self.column)} IN ({listed})"


class WholeNumberField(models.IntegerField):
    """A whole number from `low` to `high`, both included."""

    def __init__(self, *, low, high, **options):
        self.low, self.high = low, high
        super().__init__(validators=[MinValueValidator(low), MaxValueValidator(high)], **options)

    def deconstruct(self):
        name, path, args, options = super().deconstruct()
        options.pop("validators", None)
        return name, path, args, {**options, "low": self.low, "high": self.high}

    def db_check(self, connection):
        return f"{connection.ops.quote_name(self.column)} BETWEEN {self.low} AND {self.high}"


class MeasureField(models.DecimalField):
    """A decimal from `low` to `high` with at most `places` decimals; `above_low` leaves out `low` itself."""

    def __init__(self, *, low, high, places, above_low=False, **options):
        self.low, self.high, self.places, self.above_low = Decimal(low), Decimal(high), places, above_low
        digits = len(str(int(self.high))) + places
        options.pop("max_digits", None)
        options.pop("decimal_places", None)
        options.pop("validators", None)
        super().__init__(
            max_digits=digits,
            decimal_places=places,
            validators=[MinValueValidator(self.low), MaxValueValidator(self.high)],
            **options,
        )

    def deconstruct(self):
        name, path, args, options = super().deconstruct()
        for key in ("validators", "max_digits", "decimal_places"):
            options.pop(key, None)
        options |= {"low": str(self.low), "high": str(self.high), "places": self.places}
        return name, path, args, options | ({"above_low": True} if self.above_low else {})

    def validate(self, value, instance):
        super().validate(value, instance)
        if self.above_low and value is not None and value <= self.low:
            raise ValidationError(f"Must be above {self.low}.")

    def db_check(self, connection):
        column = connection.ops.quote_name(self.column)
        return f"{column} {'>' if self.above_low else '>='} {self.low} AND {column} <= {self.high}"


class PartialDateField(models.CharField):
    """A date known to the year, the month or the day: `2018`, `2018-06`, `2018-06-14`, or ""."""

    def __init__(self, **options):
        options["max_length"] = 10
        options.setdefault("blank", True)
        options.setdefault("default", "")
        super().__init__(**options)

    def validate(self, value, instance):
        super().validate(value, instance)
        if value:
            try:
                PartialDate.parse(value)
            except ValueError as error:
                raise ValidationError(str(error)) from error

    def db_check(self, connection):
        column = connection.ops.quote_name(self.column)
        if connection.vendor == "postgresql":
            is_written = f"{column} ~ '^[0-9]{{4}}(-[0-9]{{2}}(-[0-9]{{2}})?)?$'"
        else:
            digit, parts = "[0-9]", (4, 2, 2)
            shapes = ("-".join(digit * length for length in parts[:known]) for known in (1, 2, 3))
            is_written = " OR ".join(f"{column} GLOB '{shape}'" for shape in shapes)
        year = f"CAST(substr({column}, 1, 4) AS INTEGER)"
        month, day = f"substr({column}, 6, 2)", f"substr({column}, 9, 2)"
        # Whole numbers are divided, so this is whether nothing is left; a % would be taken for a parameter.
        is_leap = f"{year} = {year} / 4 * 4 AND ({year} <> {year} / 100 * 100 OR {year} = {year} / 400 * 400)"
        last = (
            f"CASE WHEN {month} IN ('04', '06', '09', '11') THEN '30' WHEN {month} <> '02' THEN '31'"
            f" WHEN {is_leap} THEN '29' ELSE '28' END"
        )
        # CASE asks in this order: nothing but a date is ever taken apart.
        return (
            f"CASE WHEN {column} = '' THEN TRUE WHEN {is_written} THEN {year} >= 1"
            f" AND ({month} = '' OR {month} BETWEEN '01' AND '12')"
            f" AND ({day} = '' OR {day} BETWEEN '01' AND {last}) ELSE FALSE END"
        )
