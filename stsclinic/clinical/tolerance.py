"""Which infusion does a side effect count against? The one of its session, else the last before its onset.

A side effect is often recorded for the series, or for the patient alone: it was not tolerated all the same.
Source: report 004, three infusions of 12.5 g before 25 g; domain.md, `not_yet_tolerated`.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from stsclinic.clinical.facts import PreviousInfusion


def with_grades(
    infusions: Sequence[PreviousInfusion], effects: Iterable[tuple[Hashable, date, int]]
) -> tuple[PreviousInfusion, ...]:
    """The infusions, in the order in which they were given, each with the highest grade that came of it.

    Args:
        infusions: each with its `session`, in the order in which they were given.
        effects: session (None: of none), day of the onset, grade.
    """
    worst: dict[int, int] = {}
    for session, onset_on, grade in effects:
        of_session = [place for place, row in enumerate(infusions) if session and row.session == session]
        before = [place for place, row in enumerate(infusions) if row.given_on <= onset_on]
        for place in of_session or ([] if session else before[-1:]):
            worst[place] = max(grade, worst.get(place, 0))
    return tuple(replace(row, worst_grade=worst.get(place)) for place, row in enumerate(infusions))
