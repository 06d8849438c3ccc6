"""Can a spreadsheet take this text for a formula? Then it gets an apostrophe in front, and loses it when read.

Source: OWASP, "CSV Injection": a cell that begins with one of these, also in full width, is computed.
A text that has the apostrophe already gets one more: what is written reads back as what was entered.
"""

import re

_BEGINS_A_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_HAS_AN_APOSTROPHE = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def formula_safe(text: str) -> str:
    """The text, which no spreadsheet computes. For texts typed by people; a number needs none."""
    return f"'{text}" if _BEGINS_A_FORMULA.match(text) else text


def with_its_apostrophe(text: str) -> str:
    """A text for a file that is not made for a spreadsheet: only what `as_entered` would shorten gets longer."""
    return f"'{text}" if _HAS_AN_APOSTROPHE.match(text) else text


def as_entered(text: str) -> str:
    """The text that `formula_safe` or `with_its_apostrophe` was given."""
    return text[1:] if _HAS_AN_APOSTROPHE.match(text) else text
