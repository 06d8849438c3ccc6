"""Numbers as people type them: comma and point are both a decimal mark, and nothing is guessed.

A text that could be read two ways is refused. `1,250` is 1.25 to one reader and 1250 to
another; it is read as 1.25 only where 1250 lies outside the field's range, so that one
reading remains. `0,250` has one reading anywhere.

Source: domain.md, "Arithmetic": Danish and Portuguese users type `0,55`.
"""

import re
from decimal import Decimal

LONGEST_TEXT = 20
"""Characters that a number may have; more is a slip of the keyboard or an attack."""

_PLAIN = re.compile(r"(-?)([0-9]+)(?:[.,]([0-9]+))?", re.ASCII)
_THOUSANDS_OR_DECIMALS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_TIMES = re.compile(r"[xX×*]")

LARGEST_LESION_MM = Decimal(2000)
"""Above any lesion: the largest that was reported measured 650 × 500 mm (report 000)."""


class NumberError(ValueError):
    """The text is not one valid number; the message is a sentence for the person who typed it."""


def show_decimal(value: Decimal | int) -> str:
    """The number with a point, without exponent and without trailing zeros: `2.50` is `2.5`."""
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("Only a finite number can be shown.")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def parse_decimal(text: str, *, places: int, low: Decimal | int, high: Decimal | int) -> Decimal:
    """Read a number from `low` to `high` (both allowed) with at most `places` decimals.

    The result bears no trailing zeros. Raises NumberError with a sentence that says what is valid.
    """
    valid = _valid_decimal(places, low, high)
    typed = _typed(text, valid)
    match = _PLAIN.fullmatch(typed)
    if match is None:
        raise NumberError(valid)
    _refuse_two_readings(typed, low, high)
    sign, whole, decimals = match.groups()
    number = Decimal(show_decimal(Decimal(f"{sign}{whole}.{decimals or 0}")))
    if len((decimals or "").rstrip("0")) > places or not low <= number <= high:
        raise NumberError(valid)
    return number


def parse_whole(text: str, *, low: int, high: int) -> int:
    """Read a whole number from `low` to `high` (both allowed). Raises NumberError."""
    valid = f"Enter a whole number from {low} to {high}."
    typed = _typed(text, valid)
    _refuse_two_readings(typed, low, high)
    match = _PLAIN.fullmatch(typed)
    if match is None or match[3] is not None or not low <= int(typed) <= high:
        raise NumberError(valid)
    return int(typed)


def gives_both_measures(text: str) -> bool:
    """Whether a text is meant as longest times widest, such as `12x8`, and not as one measure."""
    return _TIMES.search(text) is not None


def parse_size(
    text: str,
    *,
    places: int = 1,
    low: Decimal | int = Decimal("0.1"),
    high: Decimal | int = LARGEST_LESION_MM,
) -> tuple[Decimal, Decimal]:
    """Read `12x8` as (longest, widest) in mm, in the order typed. `12,5 × 8 mm` is fine too.

    Raises NumberError.
    """
    valid = "Enter the longest and the widest measure in mm, such as 12x8. "
    measures = _TIMES.split(text.strip().removesuffix("mm"))
    if len(measures) != 2:
        raise NumberError(valid.strip())
    try:
        longest, widest = (parse_decimal(part, places=places, low=low, high=high) for part in measures)
    except NumberError as error:
        raise NumberError(f"{valid}{error}") from error
    return longest, widest


def _typed(text: str, valid: str) -> str:
    typed = text.strip()
    if not typed:
        raise NumberError(valid)
    if len(typed) > LONGEST_TEXT:
        raise NumberError(f"A number has at most {LONGEST_TEXT} characters. {valid}")
    if _PLAIN.fullmatch(typed) is None and len(re.findall("[.,]", typed)) > 1:
        raise NumberError(f"Use one decimal mark and no mark for thousands. {valid}")
    return typed


def _refuse_two_readings(typed: str, low: Decimal | int, high: Decimal | int) -> None:
    if _THOUSANDS_OR_DECIMALS.fullmatch(typed) is None:
        return
    without_mark = re.sub("[.,]", "", typed)
    if low <= Decimal(without_mark) <= high:
        as_decimal = show_decimal(Decimal(typed.replace(",", ".")))
        raise NumberError(
            f"{typed} could be {as_decimal} or {without_mark}. Write it without a mark for thousands"
            f" and without zeros at the end."
        )


def _valid_decimal(places: int, low: Decimal | int, high: Decimal | int) -> str:
    span = f"from {show_decimal(low)} to {show_decimal(high)}"
    if places == 0:
        return f"Enter a whole number {span}."
    decimals = "1 decimal" if places == 1 else f"{places} decimals"
    return f"Enter a number {span} with at most {decimals}; comma and point are both a decimal mark."
