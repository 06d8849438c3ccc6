"""Can a spreadsheet take this text for a formula? Then it gets an apostrophe in front.

Source: OWASP, "CSV Injection": a cell that begins with one of these, also in full width, is computed.
"""

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def formula_safe(text: str) -> str:
    """The text, which no spreadsheet computes. For texts typed by people; a number needs none."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text
