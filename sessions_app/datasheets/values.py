"""One cell: the text of a sheet as a value of the database, and back.

In sheets a decimal has a point, a date is ISO 8601, and nothing is guessed. Line ends within a text
are LF; other control characters are no part of a text.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from sessions_app.datasheets.columns import KINDS, Column
from stsclinic.clinical.dates import EARLIEST_DAY, LATEST_DAY, DateError, PartialDate
from stsclinic.clinical.numbers import show_decimal

_WHOLE = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.([0-9]{1,20}))?", re.ASCII)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAY_COUNT = re.compile(r"[0-9]{5}(?:\.[0-9]+)?", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_YES_NO = {"yes": True, "no": False}
_TEXTS = frozenset({"key", "slug", "code", "codes", "partial", "text"})


class ValueRefused(ValueError):
    """The text is not valid in its column; the message says what is wrong."""


def with_plain_line_ends(text: str) -> str:
    """The text with LF as its only line end."""
    return _LINE_ENDS.sub("\n", text)


def empty_value(column: Column) -> Any:
    """What the database holds where nothing is recorded."""
    return "" if column.kind in _TEXTS else None


def valid_words(column: Column) -> str:
    """What is valid in a column, as a sentence."""
    if column.kind == "code" and column.vocabulary:
        words = f"one of {', '.join(column.vocabulary)}"
    elif column.kind == "codes" and column.vocabulary:
        words = f"two or more of {', '.join(column.vocabulary)}, joined by ;"
    elif column.kind in ("whole", "decimal"):
        low, high = show_decimal(column.low or 0), show_decimal(column.high or 0)
        span = f"above {low} and up to {high}" if column.above_low else f"from {low} to {high}"
        words = f"{KINDS[column.kind]} {span}" if column.kind == "whole" else f"a number {span}"
        if column.kind == "decimal":
            words += f" with a point and at most {_count(column.places, 'decimal')}"
    else:
        words = KINDS[column.kind]
    if column.max_length and column.kind in ("key", "slug", "text"):
        words += f", at most {_count(column.max_length, 'character')}"
    return f"Valid is {words}{'' if column.required or column.kind == 'yes_no' else ', or nothing'}."


def parse_value(column: Column, text: str) -> Any:
    """The value of a cell. An empty cell gives `empty_value`, required or not.

    Raises:
        ValueRefused: the text is not valid in this column.
    """
    if not text.strip():
        return empty_value(column)
    return _PARSERS[column.kind](column, text if column.kind == "text" else text.strip())


def show_value(column: Column, value: Any) -> str:
    """The canonical text of a value: no trailing zeros, ISO dates, empty where nothing is recorded."""
    if value is None or value == "":
        return ""
    if column.kind == "yes_no":
        return "yes" if value else "no"
    if column.kind == "decimal":
        return show_decimal(value)
    if column.kind == "text":
        text = _NO_TEXT.sub("", with_plain_line_ends(value))
        return text if text.strip() else ""
    return str(value)


def _key(column: Column, text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueRefused("This is no ID.")
    return _not_too_long(column, text)


def _slug(column: Column, text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ValueRefused("This is no code.")
    return _not_too_long(column, text)


def _code(column: Column, text: str) -> str:
    if text not in (column.vocabulary or {}):
        raise ValueRefused("This code is not known.")
    return text


def _codes(column: Column, text: str) -> str:
    codes = [code.strip() for code in text.split(";")]
    unknown = [code for code in codes if code not in (column.vocabulary or {})]
    if unknown:
        raise ValueRefused(f"The code {unknown[0]!r} is not known.")
    if len(codes) < 2 or len(set(codes)) < len(codes):
        raise ValueRefused("This holds fewer than two codes, or one of them twice.")
    return ";".join(codes)


def _yes_or_no(column: Column, text: str) -> bool:
    if text not in _YES_NO:
        raise ValueRefused("This is neither yes nor no.")
    return _YES_NO[text]


def _date(column: Column, text: str) -> date:
    if not _ISO_DATE.fullmatch(text):
        raise ValueRefused(_no_date(text, "This is no date as year, month and day."))
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueRefused("There is no such date.") from error
    _of_a_clinic(day)
    return day


def _partial(column: Column, text: str) -> str:
    try:
        read = PartialDate.parse(text)
    except DateError as error:
        raise ValueRefused(_no_date(text, "This is no date.")) from error
    _of_a_clinic(read.earliest)
    return str(read)


def _of_a_clinic(day: date) -> None:
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        raise ValueRefused(f"This is before {EARLIEST_DAY.year} or after {LATEST_DAY.year}.")


def _no_date(text: str, otherwise: str) -> str:
    if _DAY_COUNT.fullmatch(text):
        return "This is a number, perhaps the count of days that Excel keeps: format the cell as a date."
    return otherwise


def _whole(column: Column, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueRefused("This is no whole number.")
    _within(column, Decimal(text))
    return int(text)


def _decimal(column: Column, text: str) -> Decimal:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        has_comma = "," in text
        raise ValueRefused("Sheets have a decimal point, no comma." if has_comma else "This is no number.")
    if len((match[1] or "").rstrip("0")) > column.places:
        raise ValueRefused("This has too many decimals.")
    value = Decimal(text)
    _within(column, value)
    return Decimal(show_decimal(value))


def _within(column: Column, value: Decimal) -> None:
    too_low = column.low is not None and (value <= column.low if column.above_low else value < column.low)
    if too_low or (column.high is not None and value > column.high):
        raise ValueRefused("This is out of range.")


def _text(column: Column, text: str) -> str:
    plain = with_plain_line_ends(text)
    if _NO_TEXT.search(plain):
        raise ValueRefused("This holds control characters, which are no text.")
    return _not_too_long(column, plain)


def _not_too_long(column: Column, text: str) -> str:
    if column.max_length and len(text) > column.max_length:
        raise ValueRefused(f"This has {len(text)} characters, which is too long.")
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_PARSERS = {
    "key": _key,
    "slug": _slug,
    "code": _code,
    "codes": _codes,
    "yes_no": _yes_or_no,
    "date": _date,
    "partial": _partial,
    "whole": _whole,
    "decimal": _decimal,
    "text": _text,
}
