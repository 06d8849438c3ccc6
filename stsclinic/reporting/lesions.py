"""What became of every lesion of some series, in columns: lesions that are alike are judged once.

The rules are stsclinic.clinical.remission. numpy is imported where it is used.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stsclinic.clinical.remission import (
    HORIZON,
    OUTCOME,
    PtgaChange,
    judge_ends,
    longest_times_widest,
    ptga_decreased,
)
from stsclinic.reporting.columns import NOWHERE, Numbers, Places
from stsclinic.reporting.records import AssessmentRecord
from stsclinic.reporting.scores import Scores
from stsclinic.reporting.visits import Visits

NONE = -1
"""Stands in a column where there is nothing."""

OUTCOMES = tuple(OUTCOME)

DECREASED = (None, False, True)
"""Whether PtGA decreased: unknown, no, yes."""

Rule = Callable[[AssessmentRecord | None, AssessmentRecord | None, bool | None], int]
"""What is asked of a lesion's baseline, its end, and whether PtGA decreased."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The lesions at one horizon: a number for each.

    `outcome` is a place in OUTCOMES. `baseline` and `end` are places in the kinds of assessments, as
    baseline_and_end finds them, or NONE. `days` is for how long a lesion was followed from its first injection,
    NONE where it was not injected or not seen afterwards; `is_gone` whether it was then seen gone. `alike` is the
    group of a lesion: those in which no rule finds a difference.
    """

    outcome: Numbers
    baseline: Numbers
    end: Numbers
    days: Numbers
    is_gone: Numbers
    alike: "Alike"

    def those(self, places: Numbers) -> "Judged":
        """Some of them."""
        return Judged(
            self.outcome[places],
            self.baseline[places],
            self.end[places],
            self.days[places],
            self.is_gone[places],
            self.alike.those(places),
        )


@dataclass(frozen=True, slots=True)
class JudgedLesions:
    """The lesions of some series, one series after the other. `series` is the place of each one's series."""

    lesion_ids: Sequence[str]
    series: Numbers
    injections: Numbers
    kinds: Sequence[AssessmentRecord]
    at: Mapping[str, Judged]
    """By the codes of HORIZON."""

    def of_series(self, places: Numbers) -> "SomeLesions":
        """The lesions of these series alone, whose places stand in their order."""
        import numpy as np

        number = np.full(
            int(max(self.series.max(initial=NONE), places.max(initial=NONE))) + 1, NONE, np.int32
        )
        number[places] = np.arange(len(places))
        number = number[self.series]
        kept = np.flatnonzero(number != NONE).astype(np.int32)
        return SomeLesions(self, kept, number[kept])

    def seen(self, kind: int) -> AssessmentRecord | None:
        """What a baseline or an end stands for."""
        return None if kind == NONE else self.kinds[kind]

    def counts(self, horizon: str, series: int) -> Numbers:
        """A row for each of so many series: how many of its lesions have each outcome, in the order of OUTCOMES."""
        return count_outcomes(self.series, self.at[horizon].outcome, series)


@dataclass(frozen=True, slots=True)
class SomeLesions:
    """The lesions of some series, at their places in all. `series` is the place of each one's series among these."""

    every: JudgedLesions
    places: Numbers
    series: Numbers

    @property
    def kinds(self) -> Sequence[AssessmentRecord]:
        """Of assessments."""
        return self.every.kinds

    def at(self, horizon: str) -> Judged:
        """What became of them, taken out of all."""
        return self.every.at[horizon].those(self.places)

    def count_outcomes(self, horizon: str) -> dict[str, int]:
        """How many lesions have each outcome; all four are listed."""
        import numpy as np

        outcome = self.every.at[horizon].outcome[self.places]
        return dict(zip(OUTCOMES, np.bincount(outcome, minlength=len(OUTCOMES)).tolist(), strict=True))

    def counts(self, horizon: str, group_of_series: Numbers, groups: int) -> Numbers:
        """A row for each group of series: how many of its lesions have each outcome, in the order of OUTCOMES."""
        outcome = self.every.at[horizon].outcome[self.places]
        return count_outcomes(group_of_series[self.series], outcome, groups)


def outcome_numbers(outcomes: Iterable[str]) -> Numbers:
    """The place of each in OUTCOMES."""
    import numpy as np

    place = {outcome: number for number, outcome in enumerate(OUTCOMES)}
    return np.fromiter(map(place.__getitem__, outcomes), dtype=np.int64)


def count_outcomes(group: Numbers, outcome: Numbers, groups: int) -> Numbers:
    """A row for each group: how many have each outcome, in the order of OUTCOMES.

    Args:
        group: that of each lesion or series; `outcome` is the place of its outcome.
    """
    import numpy as np

    cell = group.astype(np.int64) * len(OUTCOMES) + outcome
    return np.bincount(cell, minlength=groups * len(OUTCOMES)).reshape(groups, len(OUTCOMES))


def judge_lesions(visits: Visits) -> JudgedLesions:
    """Judge every lesion that these series treat. Linear in their assessments and injections."""
    import numpy as np

    at_treatments = _judge(visits, "end_of_treatment")
    injected = visits.lesion_given
    return JudgedLesions(
        lesion_ids=visits.lesion_ids,
        series=visits.series_of_lesion,
        injections=np.bincount(injected[injected != NOWHERE], minlength=len(visits.lesion_ids)).astype(
            np.int32
        ),
        kinds=visits.seen.kinds,
        at={
            horizon: at_treatments
            if horizon == "end_of_treatment" or visits.is_treatment.all()
            else _judge(visits, horizon)
            for horizon in HORIZON
        },
    )


def _judge(visits: Visits, horizon: str) -> Judged:
    """What became of each lesion at a horizon (a code of HORIZON)."""
    import numpy as np

    counts = visits.is_treatment | (horizon != "end_of_treatment")
    rows = _Rows(visits, counts)
    since = _first_injected(visits, counts)
    baseline, end = rows.baselines_and_ends()
    until, is_gone = rows.last_seen(since, visits.day)
    decreased = _decreased(visits.scores_within(horizon))[visits.series_of_lesion]
    alike = Alike.of(visits.seen.kinds, baseline, end, decreased)
    return Judged(
        outcome=alike.ask(_outcome),
        baseline=baseline,
        end=end,
        days=np.where(until == NONE, NONE, until - np.append(visits.day, np.int32(0))[since]),
        is_gone=is_gone,
        alike=alike,
    )


def _first_injected(visits: Visits, counts: Numbers) -> Numbers:
    """The session that counts at which each lesion was injected first; the place after the last without one."""
    import numpy as np

    session = visits.given.session
    row = _first_of_each(visits.lesion_given, counts[session], len(visits.lesion_ids))
    return np.append(session, np.int32(len(visits.day)))[row]


def _outcome(baseline: AssessmentRecord | None, end: AssessmentRecord | None, decreased: bool | None) -> int:
    return OUTCOMES.index(judge_ends(baseline, end, decreased))


Ends = tuple[AssessmentRecord | None, AssessmentRecord | None, bool | None]
"""A lesion's baseline, its end, and whether PtGA decreased."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Lesions in groups between which a rule may find a difference, and within which it finds none.

    `group` has that of each lesion; of each group `examples` has what one of its lesions is judged on.
    """

    group: Numbers
    examples: Sequence[Ends]

    @classmethod
    def of(
        cls, kinds: Sequence[AssessmentRecord], baseline: Numbers, end: Numbers, decreased: Numbers
    ) -> "Alike":
        """The rules look at status, ulcer and whether there is a size, both at baseline and at the end, at which of
        the two sizes is larger, and at PtGA.

        Args:
            kinds: of assessments.
            baseline, end: of each lesion the place of its kind, or NONE.
            decreased: whether PtGA decreased, as a place in DECREASED.
        """
        import numpy as np

        sizes = [longest_times_widest(one) for one in kinds]
        looks = Places()
        look_of = [
            looks.of((one.status, one.ulcer, size is None)) for one, size in zip(kinds, sizes, strict=True)
        ]
        by_size = sorted({size for size in sizes if size is not None})
        order = {size: place for place, size in enumerate(by_size)}
        # The last one is that of NONE.
        look = np.array([*look_of, NONE])
        size_order = np.array([*(NONE if size is None else order[size] for size in sizes), NONE])
        ways = len(looks.found) + 1
        number = (look[baseline] + 1) * ways + look[end] + 1
        number = number * 3 + 1 + np.sign(size_order[end] - size_order[baseline])
        number = number * len(DECREASED) + decreased
        # They are few: each is found by marking it.
        first = np.full(ways * ways * 3 * len(DECREASED), NONE)
        first[number] = np.arange(len(number))
        there = np.flatnonzero(first != NONE)
        group = np.empty(len(first), dtype=np.int32)
        group[there] = np.arange(len(there))
        examples: list[Ends] = [
            (
                None if baseline[place] == NONE else kinds[baseline[place]],
                None if end[place] == NONE else kinds[end[place]],
                DECREASED[decreased[place]],
            )
            for place in first[there].tolist()
        ]
        return cls(group[number], examples)

    def those(self, places: Numbers) -> "Alike":
        """Some of the lesions."""
        return Alike(self.group[places], self.examples)

    def ask(self, rule: Rule) -> Numbers:
        """What a rule says of each lesion; it is asked of one of each group."""
        import numpy as np

        return np.array([rule(*one) for one in self.examples], dtype=np.int8)[self.group]


class _Rows:
    """The assessments at the sessions that count, in their order."""

    def __init__(self, visits: Visits, counts: Numbers):
        self._seen, self._lesion, self._lesions = visits.seen, visits.lesion_seen, len(visits.lesion_ids)
        self._counts = counts[self._seen.session]

    def _is(self, status: str) -> Numbers:
        """Whether it counts and has this status."""
        import numpy as np

        kinds = np.array([one.status == status for one in self._seen.kinds], dtype=bool)
        return self._counts & kinds[self._seen.kind]

    def baselines_and_ends(self) -> tuple[Numbers, Numbers]:
        """The kind of each lesion's baseline and end; the rule is that of baseline_and_end."""
        import numpy as np

        baseline = _first_of_each(self._lesion, self._is("present"), self._lesions)
        last = _last_of_each(self._lesion, self._counts, self._lesions)
        end = np.where((baseline != NONE) & (last > baseline), last, NONE)
        kinds = np.append(self._seen.kind, np.int32(NONE))
        return kinds[baseline], kinds[end]

    def last_seen(self, since: Numbers, days: Numbers) -> tuple[Numbers, Numbers]:
        """The day on which each lesion was first seen gone after a session, else last seen, and whether it was gone.

        What is seen at the session of the first injection was seen before it.
        """
        import numpy as np

        session = self._seen.session
        # Of what is no lesion of its series nothing is looked up.
        after = session > np.append(since, np.int32(len(days)))[self._lesion]
        last = _last_of_each(self._lesion, self._counts & after, self._lesions)
        first_gone = _first_of_each(self._lesion, self._is("gone") & after, self._lesions)
        is_gone = first_gone != NONE
        at = np.append(session, np.int32(len(days)))[np.where(is_gone, first_gone, last)]
        return np.append(days, np.int32(NONE))[at], is_gone


def _first_of_each(lesion: Numbers, is_wanted: Numbers, lesions: int) -> Numbers:
    """For each of so many lesions the first of the wanted rows that is its own; NONE without one."""
    import numpy as np

    rows = np.flatnonzero(is_wanted)
    # Rows of no lesion count for one behind all.
    found = np.full(lesions + 1, len(lesion), dtype=np.int32)
    np.minimum.at(found, lesion[rows], rows.astype(np.int32))
    found[found == len(lesion)] = NONE
    return found[:-1]


def _last_of_each(lesion: Numbers, is_wanted: Numbers, lesions: int) -> Numbers:
    """The last of them."""
    import numpy as np

    rows = np.flatnonzero(is_wanted)
    found = np.full(lesions + 1, NONE, dtype=np.int32)
    np.maximum.at(found, lesion[rows], rows.astype(np.int32))
    return found[:-1]


def _decreased(scores: Scores) -> Numbers:
    """Whether PtGA decreased in each series, as a place in DECREASED. Series with the same two scores are asked once."""
    import numpy as np

    pairs = np.nan_to_num(np.stack([scores.before("ptga", 1), scores.last_known("ptga")], axis=1), nan=NONE)
    different, number = np.unique(pairs, axis=0, return_inverse=True)
    found = (
        ptga_decreased(PtgaChange(*(None if one == NONE else one for one in pair)))
        for pair in different.tolist()
    )
    return np.array([DECREASED.index(one) for one in found], dtype=np.int64)[number.ravel()]
