"""How long from a lesion's first injection to its first assessment as gone?

Every lesion of an analysed series that was injected and seen afterwards counts once: two analysed
series of a patient never treat the same lesion. Days are those of the calendar.
"""

from collections.abc import Iterable
from typing import NamedTuple

from stsclinic.reporting.outcomes import SeriesOutcome
from stsclinic.reporting.rows import LesionOf

FOOTNOTES = (
    "Time to gone: days from a lesion's first injection in its analysed series to the first later assessment "
    "as gone; a lesion never seen gone is censored at its last assessment. One that came back counts as gone "
    "from the first time. A lesion not injected, or not seen after its first injection, is left out.",
    "Kaplan-Meier; the 95% interval draws patients with all of their lesions (percentiles of 1000 draws, fixed "
    "seed). At risk: lesions not yet gone and still followed just before that day. Since a lesion is seen at "
    "visits only, it was gone at some time before the day shown. The interval of the median is where the ends of "
    "the curve's interval pass one half; an end that they do not reach is not given.",
)


class Followed(NamedTuple):
    """A lesion with the time for which it was followed: what time_to_gone takes."""

    lesion: LesionOf
    days: int
    is_gone: bool

    @property
    def patient_id(self) -> str:
        return self.lesion.course.series.patient_id


def followed_lesions(series: Iterable[SeriesOutcome], horizon: str) -> list[Followed]:
    """The lesions that can be followed, at a horizon (a code of HORIZON)."""
    return [
        Followed(lesion, *watched)
        for one in series
        for lesion in one.lesions
        if (watched := lesion.seen_at(horizon).watched)
    ]
