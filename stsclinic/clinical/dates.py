"""Dates that may be known only in part, months that end early, and ages. No clock: today is given.

Source: data sheet format ("partial" dates); NHS Common User Interface for `20-Nov-2026`.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import total_ordering
from typing import Self

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

EARLIEST_DAY, LATEST_DAY = date(1880, 1, 1), date(2100, 12, 31)
"""No day of a patient's life or of a clinic lies outside: what does was mistyped."""

_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)


class DateError(ValueError):
    """The text is no date; the message is a sentence that says what is valid."""


@total_ordering
@dataclass(frozen=True)
class PartialDate:
    """A year, a month or a day. Raises DateError when there is no such date.

    Ordered as in a list: a year stands before its months, a month before its days. To ask
    what surely or perhaps had happened by a day, use `earliest` and `latest`.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if self.month is None and self.day is not None:
            raise DateError("A day needs its month.")
        try:
            date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)
        except ValueError as error:
            raise DateError("There is no such date.") from error

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2018`, `2018-06` or `2018-06-14`. Raises DateError."""
        match = _PARTIAL.fullmatch(text.strip())
        if match is None:
            raise DateError("Enter a year, a month or a day: 2018, 2018-06 or 2018-06-14.")
        year, month, day = match.groups()
        return cls(int(year), int(month) if month else None, int(day) if day else None)

    @classmethod
    def of(cls, day: date) -> Self:
        """The whole date."""
        return cls(day.year, day.month, day.day)

    @property
    def earliest(self) -> date:
        """The first day that it may be."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> date:
        """The last day that it may be."""
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])

    @property
    def is_exact(self) -> bool:
        """Whether the day is known."""
        return self.day is not None

    def show(self) -> str:
        """As people read it: `2018`, `Jun-2018` or `14-Jun-2018`."""
        if self.month is None:
            return f"{self.year:04d}"
        month = f"{MONTHS[self.month - 1]}-{self.year:04d}"
        return month if self.day is None else f"{self.day:02d}-{month}"

    def __str__(self) -> str:
        """As the data sheets hold it: `2018`, `2018-06` or `2018-06-14`."""
        text = f"{self.year:04d}"
        if self.month is not None:
            text += f"-{self.month:02d}"
        if self.day is not None:
            text += f"-{self.day:02d}"
        return text

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, PartialDate):
            return NotImplemented
        return self._in_a_list < other._in_a_list

    @property
    def _in_a_list(self) -> tuple[int, int, int]:
        return self.year, self.month or 0, self.day or 0


def show_date(day: date) -> str:
    """`20-Nov-2026`: unambiguous in every country, whatever the server's language."""
    return PartialDate.of(day).show()


def clinic_date(instant: datetime, zone: tzinfo) -> date:
    """The calendar date of an instant where the clinic is; days are counted from it, never hours.

    Raises DateError for an instant without a zone.
    """
    if instant.utcoffset() is None:
        raise DateError("The instant has no time zone.")
    return instant.astimezone(zone).date()


def add_months(day: date, months: int) -> date:
    """The same day of a later (or, below 0, earlier) month, or that month's last day.

    31 January + 1 month is the last day of February (reporting.md, rule 4).
    """
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def age_on(birth_on: date, on: date) -> int:
    """Completed years of age. One born on 29 February has a birthday on 1 March in other years.

    Raises DateError for a birth after `on`.
    """
    if birth_on > on:
        raise DateError("The birth is after the day on which the age is asked.")
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))


def age_by_year(birth_year: int, on: date) -> int:
    """Age as criteria count it where only the year of birth is known: the difference of the years.

    Raises DateError for a birth after that year.
    """
    if birth_year > on.year:
        raise DateError("The birth is after the day on which the age is asked.")
    return on.year - birth_year


def age_range(birth_year: int, on: date) -> tuple[int, int]:
    """Lowest and highest age in completed years of somebody born in that year.

    They are equal on 31 December and in the year of birth. Raises DateError as age_by_year.
    """
    highest = age_by_year(birth_year, on)
    had_birthday = (on.month, on.day) == (12, 31)
    return highest if had_birthday else max(highest - 1, 0), highest
