"""Numbers as people type them."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stsclinic.clinical.numbers import (
    LONGEST_TEXT,
    NumberError,
    parse_decimal,
    parse_size,
    parse_whole,
    show_decimal,
)

D = Decimal


def volume(text):
    return parse_decimal(text, places=3, low=D("0.001"), high=20)


def concentration(text):
    return parse_decimal(text, places=3, low=1, high=2000)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("0,55", "0.55"),
        ("0.55", "0.55"),
        (" 12 ", "12"),
        ("\t0,4\n", "0.4"),
        ("0,250", "0.25"),
        ("0.250", "0.25"),
        ("007", "7"),
        ("2,50", "2.5"),
        ("2,5000", "2.5"),
        ("0.001", "0.001"),
        ("20", "20"),
        ("20,000", "20"),  # 20000 ml lies outside the range, so one reading remains
        ("1.250", "1.25"),
    ],
)
def test_a_number_is_read_with_either_mark(typed, expected):
    assert volume(typed) == D(expected)
    assert str(volume(typed)) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "1.000,5", "1,000.5", "1.0.0", "1,,5", "1 000", "1'000", ",5", "5,", ".", "-", "+1", "−1",
        "1e1", "1E1", "nan", "NaN", "inf", "-inf", "Infinity", "0x10", "1_0", "٣", "１", "1½", "²", "abc",
        "0", "-1", "-0", "0.0009", "0,1234", "20.001", "21", "1" * (LONGEST_TEXT + 1), "0." + "0" * 5000 + "1",
        "12ml", "1\x00", "1\n2", "5%",
    ],
)  # fmt: skip
def test_what_is_no_number_of_the_field_is_refused_with_a_sentence(typed):
    with pytest.raises(NumberError, match=r"^[A-Z].+\.$") as error:
        volume(typed)
    assert "from 0.001 to 20" in str(error.value)


@pytest.mark.parametrize("typed", ["1,000", "1.000", "1.250", "1,250", "2.000", "1,500"])
def test_a_number_with_two_readings_within_the_range_is_refused(typed):
    with pytest.raises(NumberError, match="could be"):
        concentration(typed)


@pytest.mark.parametrize(
    ("typed", "expected"), [("2.001", "2.001"), ("0,250", None), ("1.25", "1.25"), ("1,2500", "1.25")]
)
def test_one_reading_within_the_range_is_enough(typed, expected):
    if expected is None:
        with pytest.raises(NumberError, match="from 1 to 2000"):
            concentration(typed)
    else:
        assert concentration(typed) == D(expected)


def test_the_sentence_names_both_readings():
    with pytest.raises(NumberError, match="1,250 could be 1.25 or 1250"):
        concentration("1,250")


def test_many_marks_are_told_apart_from_nonsense():
    with pytest.raises(NumberError, match="one decimal mark"):
        volume("1.000,5")


def test_the_sentence_for_whole_numbers_and_one_decimal():
    with pytest.raises(NumberError, match="Enter a whole number from 0 to 4"):
        parse_decimal("2,5", places=0, low=0, high=4)
    with pytest.raises(NumberError, match="at most 1 decimal;"):
        parse_decimal("2,55", places=1, low=0, high=10)


@pytest.mark.parametrize(
    ("typed", "expected"), [("0", 0), (" 12 ", 12), ("0012", 12), ("2000", 2000), ("-3", -3)]
)
def test_a_whole_number(typed, expected):
    assert parse_whole(typed, low=-5, high=2000) == expected


@pytest.mark.parametrize("typed", ["", "1.0", "1,5", "2001", "-6", "1e3", "+1", "٣", "1 0", "9" * 400])
def test_what_is_no_whole_number_is_refused(typed):
    with pytest.raises(NumberError, match="whole number from -5 to 2000"):
        parse_whole(typed, low=-5, high=2000)


def test_a_whole_number_with_a_mark_for_thousands_is_refused():
    with pytest.raises(NumberError, match="could be"):
        parse_whole("1,200", low=0, high=2000)


@pytest.mark.parametrize(
    ("typed", "longest", "widest"),
    [
        ("12x8", "12", "8"),
        ("12 X 8", "12", "8"),
        ("12,5 × 8.5 mm", "12.5", "8.5"),
        ("650*500mm", "650", "500"),
        ("8x12", "8", "12"),
        ("0.1x2000", "0.1", "2000"),
    ],
)
def test_a_size(typed, longest, widest):
    assert parse_size(typed) == (D(longest), D(widest))


@pytest.mark.parametrize(
    "typed", ["", "12", "12x", "x8", "12x8x4", "0x8", "12x-8", "12x8cm", "12x2001", "1.250x8"]
)
def test_what_is_no_size_is_refused(typed):
    with pytest.raises(NumberError, match="12x8"):
        parse_size(typed)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("2.50", "2.5"), ("100", "100"), ("1E+3", "1000"), ("1E-7", "0.0000001"), ("-0", "0"), ("-0.00", "0"), ("0.0", "0"), ("-1.50", "-1.5")],
)  # fmt: skip
def test_a_number_is_shown_without_zeros_and_exponent(value, shown):
    assert show_decimal(D(value)) == shown


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_not_finite_is_not_shown(value):
    with pytest.raises(ValueError, match="finite"):
        show_decimal(D(value))


in_range = st.decimals(min_value=D("0.001"), max_value=20, places=3)


@given(in_range, st.sampled_from(".,"), st.sampled_from(["", " "]))
def test_what_is_shown_is_read_back_equal(value, mark, space):
    assert volume(space + show_decimal(value).replace(".", mark) + space) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_showing_keeps_the_value(value):
    shown = show_decimal(value)
    assert D(shown) == value
    assert "e" not in shown.lower()
    assert "." not in shown or not shown.endswith("0")


@given(st.text(max_size=30) | st.text(alphabet="0123456789.,- +eE", max_size=25))
@example("1\u20283")
@example("\u0661")
@example("1,000,000")
def test_any_text_is_read_within_the_range_or_refused(text):
    for parse in (volume, concentration):
        try:
            value = parse(text)
        except NumberError:
            continue
        assert value.is_finite()
        assert D("0.001") <= value <= 2000
        assert set(text.strip()) <= set("0123456789.,")
        assert -int(value.as_tuple().exponent) <= 3


@given(st.integers(1, 9), st.integers(0, 999), st.sampled_from(".,"))
def test_the_two_marks_never_mean_different_numbers(whole, decimals, mark):
    typed = f"{whole}{mark}{decimals:03d}"
    with_thousands_in_range = whole * 1000 + decimals <= 2000
    try:
        value = concentration(typed)
    except NumberError:
        assert with_thousands_in_range
    else:
        assert not with_thousands_in_range
        assert value == D(f"{whole}.{decimals:03d}")
