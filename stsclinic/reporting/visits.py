"""The sessions of some series in columns, so that what is asked of all is computed at once. numpy is imported where it is used."""

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter

from stsclinic.reporting.columns import (
    Gathered,
    LesionPlaces,
    Numbers,
    SessionsOf,
    StoredSessions,
    given_at,
    ranges,
    seen_at,
)
from stsclinic.reporting.records import SeriesRecord
from stsclinic.reporting.scores import SCALES, Scores

IN_ORDER = attrgetter("held_on", "session_no")
"""The order of the sessions of a series."""


class Visits:
    """The sessions of these series: one series after the other, in order of date, then session_no.

    A column has a number for each session, or for each series.
    """

    def __init__(self, series: Sequence[SeriesRecord]):
        import numpy as np

        self._all_series = series
        self.counts = np.array([len(one.sessions) for one in series], dtype=np.int64)
        self.starts = np.cumsum(self.counts) - self.counts
        self.series = np.repeat(np.arange(len(series), dtype=np.int32), self.counts)
        """Of each session the place of its series."""
        found = _one_store(series)
        self._stored = None if found is None else found[0]
        if found is None:
            self._take_records()
        else:
            self._take_stored(*found)
        self.treatments = np.bincount(self.series[self.is_treatment], minlength=len(series))
        """How many each series has."""

    def _take_records(self) -> None:
        import numpy as np

        self._records = [
            session for one in self._all_series for session in sorted(one.sessions, key=IN_ORDER)
        ]
        self.session_no = np.array([one.session_no for one in self._records], dtype=np.int64)
        self.is_treatment = np.array([one.kind == "treatment" for one in self._records], dtype=bool)
        self.day = np.array([one.held_on.toordinal() for one in self._records], dtype=np.int32)
        self.scores = {
            scale: np.array(list(map(attrgetter(scale), self._records)), dtype=float) for scale in SCALES
        }

    def _take_stored(self, stored: StoredSessions, starts: Numbers) -> None:
        import numpy as np

        self._places = place = ranges(starts, starts + self.counts)
        numbers, kinds, *scores = zip(*stored.facts, strict=True) if stored.facts else ((),) * 4
        fact = stored.fact[place]
        self.session_no = np.array(numbers, dtype=np.int64)[fact]
        self.is_treatment = np.array([one == "treatment" for one in kinds], dtype=bool)[fact]
        self.day = stored.day[place]
        self.scores = {
            scale: np.array(its, dtype=float)[fact] for scale, its in zip(SCALES, scores, strict=True)
        }

    # The rows of the sessions

    @cached_property
    def seen(self) -> Gathered:
        """Every assessment."""
        return seen_at(self._records) if self._stored is None else self._stored.seen.of(self._places)

    @cached_property
    def given(self) -> Gathered:
        """Every injection."""
        return given_at(self._records) if self._stored is None else self._stored.given.of(self._places)

    @cached_property
    def injections(self) -> Numbers:
        """How many there were at each session."""
        import numpy as np

        if self._stored is None:
            return np.array([len(one.injections) for one in self._records], dtype=np.int64)
        given = self._stored.given
        return given.stops[self._places] - given.starts[self._places]

    @cached_property
    def has_infusion(self) -> list[bool]:
        """Of each series whether there was an infusion at a session."""
        import numpy as np

        if self._stored is None:
            infused = np.array([one.infusion is not None for one in self._records], dtype=bool)
        else:
            infused = np.isin(self._places, list(self._stored.infusions))
        return (np.bincount(self.series[infused], minlength=len(self.counts)) > 0).tolist()

    # The treatments of each series

    @cached_property
    def treatment_counts(self) -> list[int]:
        """How many each series has, to be looked up one by one."""
        return self.treatments.tolist()

    @cached_property
    def _treated(self) -> Numbers:
        """The places of the treatments."""
        import numpy as np

        return np.flatnonzero(self.is_treatment)

    @cached_property
    def _ends(self) -> tuple[Numbers, Numbers]:
        """The places of the first and the last treatment of each series; of one without, that of some session or none."""
        import numpy as np

        until = np.cumsum(self.treatments)
        treated = np.append(self._treated, len(self.day))
        return treated[until - self.treatments], treated[np.maximum(until - 1, 0)]

    @cached_property
    def treatment_days(self) -> tuple[list[int], list[int]]:
        """The numbers of the days of the first and the last treatment of each series; they say nothing of one without."""
        import numpy as np

        day = np.append(self.day, np.int32(1))
        first, last = (day[end].tolist() for end in self._ends)
        return first, last

    @cached_property
    def has_end_scores(self) -> list[bool]:
        """Of each series whether all scores are known at the first and the last treatment."""
        import numpy as np

        unknown = np.append(np.isnan(np.stack(list(self.scores.values()))).any(axis=0), True)
        first, last = self._ends
        return (~(unknown[first] | unknown[last])).tolist()

    def scores_within(self, horizon: str, series: Numbers | None = None) -> Scores:
        """The scores at the sessions that a horizon (a code of HORIZON) sees.

        Args:
            series: the places of those that are wanted, in their order; all without.
        """
        import numpy as np

        if horizon == "end_of_treatment":
            counts, rows = self.treatments, self._treated
        else:
            counts, rows = self.counts, np.arange(len(self.day))
        if series is not None:
            until = np.cumsum(counts)
            rows = rows[ranges((until - counts)[series], until[series])]
            counts = counts[series]
        return Scores(counts, {scale: its[rows] for scale, its in self.scores.items()})

    # The lesions that the series treat

    @cached_property
    def lesion_ids(self) -> list[str]:
        """Of each series those that it treats."""
        return [lesion_id for one in self._all_series for lesion_id in one.lesions]

    @cached_property
    def series_of_lesion(self) -> Numbers:
        """The place of the series of each of these lesions."""
        import numpy as np

        numbers = np.arange(len(self.counts), dtype=np.int32)
        return np.repeat(numbers, [len(one.lesions) for one in self._all_series])

    @property
    def lesion_seen(self) -> Numbers:
        """Of each assessment the place of its lesion; NOWHERE of one that its series does not treat."""
        return self._lesions_of_rows[0]

    @property
    def lesion_given(self) -> Numbers:
        """The same of each injection."""
        return self._lesions_of_rows[1]

    @cached_property
    def _lesions_of_rows(self) -> tuple[Numbers, Numbers]:
        places = LesionPlaces(self.series_of_lesion, self.lesion_ids)
        return places.find(self.seen, self.series), places.find(self.given, self.series)


def _one_store(series: Sequence[SeriesRecord]) -> tuple[StoredSessions, Numbers] | None:
    """Where the sessions of all of these are stored, and from where on those of each; None where they are not, or in
    several places.
    """
    import numpy as np

    found = [one.sessions for one in series if isinstance(one.sessions, SessionsOf)]
    stores = {id(one.stored): one.stored for one in found}
    if len(stores) != 1 or len(found) < len(series):
        return None
    (stored,) = stores.values()
    return stored, np.array([one.start for one in found], dtype=np.int64)
