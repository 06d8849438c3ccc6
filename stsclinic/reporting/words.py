"""Words that people read in a report: dates and counts."""

from datetime import date

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_words(day: date) -> str:
    """A date that no one can read two ways (20-Nov-2026), whatever the locale of the machine."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}"


def count_words(number: int, noun: str) -> str:
    """`1 treatment`, `4 treatments`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
