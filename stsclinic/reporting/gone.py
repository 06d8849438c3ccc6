"""How long from a lesion's first injection to its first assessment as gone?

Every lesion of an analysed series that was injected and seen afterwards counts once: two analysed
series of a patient never treat the same lesion. Days are those of the calendar.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stsclinic.reporting.columns import Numbers
from stsclinic.reporting.lesions import NONE
from stsclinic.reporting.outcomes import LesionOutcome, LesionsOf
from stsclinic.reporting.rows import Behind, Value
from stsclinic.reporting.summary import Report

FOOTNOTES = (
    "Time to gone: days from a lesion's first injection in its analysed series to the first later assessment "
    "as gone; a lesion never seen gone is censored at its last assessment. One that came back counts as gone "
    "from the first time. A lesion not injected, or not seen after its first injection, is left out.",
    "Kaplan-Meier; the 95% interval draws patients with all of their lesions (percentiles of 1000 draws, fixed "
    "seed). At risk: lesions not yet gone and still followed just before that day. Since a lesion is seen at "
    "visits only, it was gone at some time before the day shown. The interval of the median is where the ends of "
    "the curve's interval pass one half; an end that they do not reach is not given.",
)


@dataclass(frozen=True, slots=True)
class Followed:
    """The lesions that can be followed at a horizon (a code of HORIZON), in columns.

    `place` is that among the lesions of the analysed series, `patient` that of the patient among the analysed
    ones; `days` is for how long a lesion was followed, and `is_gone` whether it was then seen gone.
    """

    horizon: str
    lesions: Sequence[LesionOutcome]
    place: Numbers
    patient: Numbers
    days: Numbers
    is_gone: Numbers

    def behind(self, inside: Callable[[], Numbers]) -> Behind:
        """Those of which the column that `inside` gives is true."""
        return Behind(
            "lesions",
            lambda: [self.lesions[place] for place in self.place[inside()].tolist()],
            Value("Followed for", self._days_of, "days"),
        )

    def _days_of(self, lesion: LesionOutcome) -> int | None:
        watched = lesion.seen_at(self.horizon).watched
        return None if watched is None else watched.days


def followed_lesions(report: Report) -> Followed:
    """Of the analysed series, at the chosen horizon."""
    import numpy as np

    horizon, lesions = report.selection.horizon, report.lesions
    patient_of = np.repeat(np.arange(len(report.patients)), [len(one.series) for one in report.patients])
    judged = lesions.at(horizon)
    place = np.flatnonzero(judged.days != NONE)
    return Followed(
        horizon,
        LesionsOf(report.series),
        place,
        patient_of[lesions.series[place]],
        judged.days[place],
        judged.is_gone[place],
    )
