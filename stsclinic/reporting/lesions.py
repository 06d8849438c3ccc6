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
from stsclinic.reporting.columns import Gathered, LesionPlaces, Numbers, Places, given_at, seen_at
from stsclinic.reporting.records import AssessmentRecord, SessionRecord
from stsclinic.reporting.scores import Scores
from stsclinic.reporting.selection import Course

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


@dataclass(frozen=True, slots=True)
class JudgedLesions:
    """The lesions of some series, one series after the other. `series` is the place of each one's series."""

    lesion_ids: Sequence[str]
    series: Numbers
    injections: Numbers
    kinds: Sequence[AssessmentRecord]
    at: Mapping[str, Judged]
    """By the codes of HORIZON."""

    def seen(self, kind: int) -> AssessmentRecord | None:
        """What a baseline or an end stands for."""
        return None if kind == NONE else self.kinds[kind]

    def count_outcomes(self, horizon: str) -> dict[str, int]:
        """How many lesions have each outcome; all four are listed."""
        import numpy as np

        counts = np.bincount(self.at[horizon].outcome, minlength=len(OUTCOMES)).tolist()
        return dict(zip(OUTCOMES, counts, strict=True))

    def counts(self, horizon: str, group_of_series: Numbers, groups: int) -> Numbers:
        """A row for each group of series: how many of its lesions have each outcome, in the order of OUTCOMES."""
        return count_outcomes(group_of_series[self.series], self.at[horizon].outcome, groups)


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

    cell = group * len(OUTCOMES) + outcome
    return np.bincount(cell, minlength=groups * len(OUTCOMES)).reshape(groups, len(OUTCOMES))


def judge_lesions(courses: Sequence[Course]) -> JudgedLesions:
    """Judge every lesion that these series treat. Linear in their assessments and injections."""
    visits = _Visits(courses)
    at_treatments = visits.judge("end_of_treatment")
    return JudgedLesions(
        lesion_ids=visits.lesion_ids,
        series=visits.series,
        injections=visits.injections,
        kinds=visits.kinds,
        at={
            horizon: at_treatments
            if horizon == "end_of_treatment" or visits.has_no_follow_up
            else visits.judge(horizon)
            for horizon in HORIZON
        },
    )


class _Visits:
    """The sessions of some series, and what was seen of the lesions that these treat, and when they were injected.

    Rows stand lesion by lesion, those of one in the order of the sessions.
    """

    def __init__(self, courses: Sequence[Course]):
        import numpy as np

        self._courses = courses
        self.lesion_ids = [lesion_id for course in courses for lesion_id in course.series.lesions]
        numbers = np.arange(len(courses))
        self.series = np.repeat(numbers, [len(course.series.lesions) for course in courses])
        sessions = [session for course in courses for session in course.sessions]
        self._course_of = np.repeat(numbers, [len(course.sessions) for course in courses])
        self._is_treatment = np.array([session.kind == "treatment" for session in sessions], dtype=bool)
        self._days = np.array([session.held_on.toordinal() for session in sessions], dtype=np.int32)
        places = LesionPlaces(self.series, self.lesion_ids)
        seen = seen_at(sessions)
        self.kinds = seen.kinds
        self._seen, self._seen_at, self._kind = self._by_lesion(seen, places)
        self._injected, self._injected_at, _ = self._by_lesion(given_at(sessions), places)

    def _by_lesion(self, rows: Gathered, places: LesionPlaces) -> tuple[Numbers, Numbers, Numbers]:
        """Lesion, session and kind of the rows of these lesions."""
        import numpy as np

        lesion = places.find(rows, self._course_of)
        kept = np.flatnonzero(lesion >= 0)
        # They stand in the order of the sessions, and stay in it.
        kept = kept[np.argsort(lesion[kept], kind="stable")]
        return lesion[kept], rows.session[kept], rows.kind[kept]

    @property
    def has_no_follow_up(self) -> bool:
        """Whether every session is a treatment."""
        return bool(self._is_treatment.all())

    @property
    def injections(self) -> Numbers:
        """How many each lesion got."""
        import numpy as np

        return np.bincount(self._injected, minlength=len(self.lesion_ids))

    def judge(self, horizon: str) -> Judged:
        """What became of each lesion at a horizon (a code of HORIZON)."""
        import numpy as np

        counts = self._is_treatment | (horizon != "end_of_treatment")
        inside = counts[self._seen_at]
        rows = _Rows(
            self._seen[inside], self._seen_at[inside], self._kind[inside], self.kinds, len(self.lesion_ids)
        )
        since = self._first_injected(counts)
        baseline, end = rows.baselines_and_ends()
        until, is_gone = rows.last_seen(since, self._days)
        alike = Alike(self.kinds, baseline, end, _decreased(self._courses, horizon)[self.series])
        return Judged(
            outcome=alike.ask(_outcome),
            baseline=baseline,
            end=end,
            days=np.where(until == NONE, NONE, until - np.append(self._days, np.int32(0))[since]),
            is_gone=is_gone,
            alike=alike,
        )

    def _first_injected(self, counts: Numbers) -> Numbers:
        """The session that counts at which each lesion was injected first; the place after the last without one."""
        import numpy as np

        inside = counts[self._injected_at]
        injected, session = self._injected[inside], self._injected_at[inside]
        first = _first_of_each(injected)
        found = np.full(len(self.lesion_ids), len(self._days), dtype=np.int32)
        found[injected[first]] = session[first]
        return found


def _outcome(baseline: AssessmentRecord | None, end: AssessmentRecord | None, decreased: bool | None) -> int:
    return OUTCOMES.index(judge_ends(baseline, end, decreased))


class Alike:
    """Lesions in groups between which a rule may find a difference, and within which it finds none.

    The rules look at status, ulcer and whether there is a size, both at baseline and at the end, at which of the two
    sizes is larger, and at PtGA.

    Args:
        kinds: of assessments.
        baseline, end: of each lesion the place of its kind, or NONE.
        decreased: whether PtGA decreased, as a place in DECREASED.
    """

    def __init__(
        self, kinds: Sequence[AssessmentRecord], baseline: Numbers, end: Numbers, decreased: Numbers
    ):
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
        number = (look[baseline] + 1) * (len(looks.found) + 1) + look[end] + 1
        number = number * 3 + 1 + np.sign(size_order[end] - size_order[baseline])
        number = number * len(DECREASED) + decreased
        _, first, group = np.unique(number, return_index=True, return_inverse=True)
        self._group = group.astype(np.int32)
        self._examples = [
            (
                None if baseline[place] == NONE else kinds[baseline[place]],
                None if end[place] == NONE else kinds[end[place]],
                DECREASED[decreased[place]],
            )
            for place in first.tolist()
        ]

    def ask(self, rule: Rule) -> Numbers:
        """What a rule says of each lesion; it is asked of one of each group."""
        import numpy as np

        return np.array([rule(*one) for one in self._examples], dtype=np.int8)[self._group]


class _Rows:
    """The assessments of a horizon, lesion by lesion, in the order of the sessions."""

    def __init__(
        self,
        lesion: Numbers,
        session: Numbers,
        kind: Numbers,
        kinds: Sequence[AssessmentRecord],
        lesions: int,
    ):
        import numpy as np

        self._lesion, self._session, self._kind, self._lesions = lesion, session, kind, lesions
        self._is_present = np.array([one.status == "present" for one in kinds], dtype=bool)[kind]
        self._is_gone = np.array([one.status == "gone" for one in kinds], dtype=bool)[kind]

    def baselines_and_ends(self) -> tuple[Numbers, Numbers]:
        """The kind of each lesion's baseline and end; the rule is that of baseline_and_end."""
        import numpy as np

        present = np.flatnonzero(self._is_present)
        baseline = self._by_lesion(present[_first_of_each(self._lesion[present])])
        last = self._by_lesion(_last_of_each(self._lesion))
        end = np.where((baseline != NONE) & (last > baseline), last, NONE)
        kinds = np.append(self._kind, np.int32(NONE))
        return kinds[baseline], kinds[end]

    def last_seen(self, since: Numbers, days: Numbers) -> tuple[Numbers, Numbers]:
        """The day on which each lesion was first seen gone after a session, else last seen, and whether it was gone.

        What is seen at the session of the first injection was seen before it.
        """
        import numpy as np

        after = self._session > since[self._lesion]
        later, gone = np.flatnonzero(after), np.flatnonzero(after & self._is_gone)
        last = self._by_lesion(later[_last_of_each(self._lesion[later])])
        first_gone = self._by_lesion(gone[_first_of_each(self._lesion[gone])])
        is_gone = first_gone != NONE
        day = np.append(days[self._session], np.int32(NONE))
        return day[np.where(is_gone, first_gone, last)], is_gone

    def _by_lesion(self, rows: Numbers) -> Numbers:
        """For each lesion its row, of which there is at most one; NONE without one."""
        import numpy as np

        found = np.full(self._lesions, NONE, dtype=np.int32)
        found[self._lesion[rows]] = rows
        return found


def _first_of_each(sorted_numbers: Numbers) -> Numbers:
    """Where each number stands first."""
    import numpy as np

    return np.flatnonzero(np.diff(sorted_numbers, prepend=NONE))


def _last_of_each(sorted_numbers: Numbers) -> Numbers:
    """Where each number stands last."""
    import numpy as np

    return np.flatnonzero(np.diff(sorted_numbers, append=NONE))


def _decreased(courses: Sequence[Course], horizon: str) -> Numbers:
    """Whether PtGA decreased in each series, as a place in DECREASED. Series with the same two scores are asked once."""
    import numpy as np

    scores = Scores([sessions_within(course, horizon) for course in courses])
    pairs = np.nan_to_num(np.stack([scores.before("ptga", 1), scores.last_known("ptga")], axis=1), nan=NONE)
    different, number = np.unique(pairs, axis=0, return_inverse=True)
    found = (
        ptga_decreased(PtgaChange(*(None if one == NONE else one for one in pair)))
        for pair in different.tolist()
    )
    return np.array([DECREASED.index(one) for one in found], dtype=np.int64)[number.ravel()]


def sessions_within(course: Course, horizon: str) -> Sequence[SessionRecord]:
    """The sessions that a horizon (a code of HORIZON) sees."""
    return course.treatments if horizon == "end_of_treatment" else course.sessions
