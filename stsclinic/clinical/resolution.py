"""Is a side effect over? By its end, or by an outcome that is one.

Source: data sheet format (resolved_on, outcome); domain.md, `unresolved_side_effect`.
"""

from datetime import date

OVER = frozenset({"recovered", "recovered_with_sequelae", "fatal"})
"""Outcomes of what is over, with or without a recorded end."""


def is_over(*, resolved_on: date | None, outcome: str, on: date | None = None) -> bool:
    """Whether nothing more is to be followed up. The day of the end counts as over.

    Args:
        on: the day of the question; None: as far as is recorded.
    """
    if resolved_on is not None:
        return on is None or resolved_on <= on
    return outcome in OVER
