"""Partial dates, months and ages."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.ages import age_of
from stsclinic.clinical.dates import (
    DateError,
    PartialDate,
    add_months,
    age_by_year,
    age_on,
    age_range,
    show_date,
)
from stsclinic.clinical.facts import PatientFacts

days = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "shown"),
    [
        ("2018", date(2018, 1, 1), date(2018, 12, 31), "2018"),
        ("2018-06", date(2018, 6, 1), date(2018, 6, 30), "Jun-2018"),
        ("2018-12", date(2018, 12, 1), date(2018, 12, 31), "Dec-2018"),
        ("2018-02", date(2018, 2, 1), date(2018, 2, 28), "Feb-2018"),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29), "Feb-2020"),
        ("2018-06-04", date(2018, 6, 4), date(2018, 6, 4), "04-Jun-2018"),
    ],
)
def test_a_partial_date(text, earliest, latest, shown):
    partial = PartialDate.parse(f" {text} ")
    assert (partial.earliest, partial.latest, partial.show(), str(partial)) == (earliest, latest, shown, text)
    assert partial.is_exact == (earliest == latest)


@pytest.mark.parametrize(
    "text",
    ["", "18", "2018-", "2018-6", "2018-13", "2018-00", "2018-02-29", "2018-06-00", "0000", "2018/06", "14-06-2018",
     "20180614", "2018-06-14T00:00", "２０１８", "2018--14", "-2018", "2018-06-14-01"],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_a_sentence(text):
    with pytest.raises(DateError, match=r"^[A-Z].+\.$"):
        PartialDate.parse(text)


def test_a_day_without_its_month_is_refused():
    with pytest.raises(DateError):
        PartialDate(2018, None, 4)


def test_partial_dates_are_listed_in_order():
    texts = ["2017", "2017-12-31", "2018", "2018-01", "2018-01-01", "2018-01-02", "2018-02", "2019"]
    assert [str(p) for p in sorted(map(PartialDate.parse, reversed(texts)))] == texts
    assert PartialDate(2018) != PartialDate(2018, 1)
    assert PartialDate(2018) <= PartialDate(2018)
    with pytest.raises(TypeError):
        assert PartialDate(2018) < date(2018, 1, 1)


@given(days, st.integers(1, 3))
def test_a_partial_date_holds_its_day_and_is_read_back(day, parts):
    partial = PartialDate(*(day.year, day.month, day.day)[:parts])
    assert partial.earliest <= day <= partial.latest
    assert PartialDate.parse(str(partial)) == partial
    assert (partial.latest + timedelta(days=1)).day == 1 or parts == 3


@given(days, days)
def test_whole_dates_compare_as_days(one, other):
    assert (PartialDate.of(one) < PartialDate.of(other)) == (one < other)


def test_a_date_is_shown_as_in_the_clinic():
    assert show_date(date(2026, 11, 20)) == "20-Nov-2026"
    assert show_date(date(2026, 1, 3)) == "03-Jan-2026"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 28), 1, date(2026, 2, 28)),
        (date(2026, 8, 31), -6, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_end_early(day, months, expected):
    assert add_months(day, months) == expected


@given(days, st.integers(-600, 600))
def test_a_month_added_is_that_many_months_away(day, months):
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("on", "age"),
    [(date(2026, 6, 13), 17), (date(2026, 6, 14), 18), (date(2026, 6, 15), 18)],
)
def test_a_birthday_counts_from_its_day(on, age):
    assert age_on(date(2008, 6, 14), on) == age


def test_a_leap_birthday_is_on_the_first_of_march():
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 1, 1), (17, 18)),
        (date(2026, 12, 30), (17, 18)),
        (date(2026, 12, 31), (18, 18)),
        (date(2008, 3, 1), (0, 0)),
    ],
)
def test_the_range_of_an_age(on, expected):
    assert age_range(2008, on) == expected
    assert age_by_year(2008, on) == expected[1]


def test_a_birth_that_lies_ahead_is_refused():
    with pytest.raises(DateError):
        age_range(2027, date(2026, 12, 31))
    with pytest.raises(DateError):
        age_on(date(2026, 6, 2), date(2026, 6, 1))


@given(days, days)
def test_the_exact_age_lies_in_the_range_of_the_year(birth, on):
    if birth <= on:
        lowest, highest = age_range(birth.year, on)
        assert lowest <= age_on(birth, on) <= highest <= lowest + 1


@pytest.mark.parametrize(
    ("patient", "years", "words"),
    [
        (PatientFacts(birth_year=2008), 18, "17 or 18 years old (year of birth 2008), counted as 18"),
        (PatientFacts(birth_on=date(2008, 11, 21)), 17, "17 years old"),
        (PatientFacts(birth_year=1990, birth_on=date(2008, 11, 20)), 18, "18 years old"),
        (PatientFacts(birth_year=2027), -1, "not born yet (year of birth 2027)"),
        (PatientFacts(birth_on=date(2026, 11, 21)), -1, "not born yet (year of birth 2026)"),
    ],
)
def test_the_age_that_counts(patient, years, words):
    age = age_of(patient, date(2026, 11, 20))
    assert (age.years, age.words) == (years, words)


def test_without_a_birth_there_is_no_age():
    assert age_of(PatientFacts(), date(2026, 11, 20)) is None
