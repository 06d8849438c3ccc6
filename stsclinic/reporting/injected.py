"""Every injection of a selection in columns, so that a million are counted at once and not one by one.

An injection is named by its place in the order of patients, series and sessions. numpy is imported where it
is used.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, NamedTuple

from stsclinic.reporting.amounts import AddingUp, Amounts, Solution
from stsclinic.reporting.columns import NOWHERE, Numbers, Places, ranges, small
from stsclinic.reporting.records import InjectionRecord, LesionRecord
from stsclinic.reporting.rows import Behind, InjectionOf, SessionOf
from stsclinic.reporting.selection import Chosen, Course

ANY = -2
"""Stands for the number of a lesion where every one is wanted."""


@dataclass(frozen=True)
class Groups:
    """The injections in groups with names: `numbers` has for each injection the place of its group's name."""

    injected: "Injected"
    names: Sequence[Any]
    numbers: Numbers

    @cached_property
    def amounts(self) -> Sequence[Amounts]:
        """What each group adds up to."""
        return self.injected.amounts(self.numbers, len(self.names))

    def part(self, name: Any) -> "Part | None":
        """The group of this name; None without one."""
        return Part(self, self.names.index(name)) if name in self.names else None


class Part(NamedTuple):
    """One of the groups."""

    groups: Groups
    number: int

    @property
    def amounts(self) -> Amounts:
        """What it adds up to."""
        return self.groups.amounts[self.number]

    @property
    def injections_behind(self) -> Behind:
        """These injections."""
        return Behind("injections", self._found)

    @property
    def closed_behind(self) -> Behind:
        """Those whose allocation is closed."""
        return Behind("injections", lambda: [one for one in self._found() if not one.injection.agent])

    @property
    def treatments_behind(self) -> Behind:
        """The treatment sessions at which they were given."""
        return Behind(
            "sessions", lambda: [one for one in self._sessions() if one.session.kind == "treatment"]
        )

    @property
    def sessions_behind(self) -> Behind:
        """The sessions at which they were given."""
        return Behind("sessions", self._sessions)

    @property
    def patients_behind(self) -> Behind:
        """The patients who got them."""

        def find() -> list:
            patients = {one.course.series.patient_id: one.course.patient for one in self._found()}
            return list(patients.values())

        return Behind("patients", find)

    def _found(self) -> list[InjectionOf]:
        return list(compress(self.groups.injected, (self.groups.numbers == self.number).tolist()))

    def _sessions(self) -> list[SessionOf]:
        found = {(id(one.course), id(one.session)): one for one in self._found()}
        return [SessionOf(one.course, one.session) for one in found.values()]


class Injected:
    """The injections of a selection, with the numbers of their sessions, patients, doses and sites.

    Args:
        chosen: what the selection left.
    """

    def __init__(self, chosen: Chosen):
        import numpy as np

        visits = self._visits = chosen.visits
        self._courses = chosen.courses
        self._course_of, self._is_treatment, self._given = visits.series, visits.is_treatment, visits.given
        patient_of = np.repeat(
            np.arange(len(chosen.patients)), [len(courses) for _, courses in chosen.patients]
        )
        self._patient_of = patient_of[self._course_of]
        kinds = Places()
        kind_of = [kinds.of(kind[:3]) for kind in self._given.kinds]
        self._kind = small(np.array(kind_of, dtype=np.int32), len(kinds.found))[self._given.kind]
        self._volumes = [volume for _, _, volume in kinds.found]
        solutions = [Solution(*kind[:2]) for kind in kinds.found]
        self.solutions = list(dict.fromkeys(solutions))
        self._solution_of = [self.solutions.index(one) for one in solutions]
        self._find_lesions()
        self._find_sites()

    def _find_lesions(self) -> None:
        """The different records of the lesions that the series treat, None where there is none, and the place of each one's.

        Lesions that are alike often share one. They are told apart as objects, which is quicker than by what they hold.
        """
        import numpy as np

        each: list[LesionRecord | None] = []
        for course in self._courses:
            each.extend(map(course.patient.lesions.get, course.series.lesions))
        ids = list(map(id, each))
        different = dict(zip(ids, each, strict=True))
        self.lesions = list(different.values())
        place = {key: place for place, key in enumerate(different)}
        self._lesion = np.fromiter(map(place.__getitem__, ids), dtype=np.int32, count=len(ids))

    def _find_sites(self) -> None:
        import numpy as np

        given, treated = self._given, self._visits.lesion_given
        sites = Places()
        site_of = [sites.of(one.body_site if one else "") for one in (*self.lesions, None)]
        site = np.array(site_of, dtype=np.int16)
        self._site = np.append(site[self._lesion], site[-1])[treated]
        # The series does not treat these.
        for row in np.flatnonzero(treated == NOWHERE).tolist():
            course = self._courses[self._course_of[given.session[row]]]
            lesion = course.patient.lesions.get(given.lesion_ids[given.lesion[row]])
            self._site[row] = sites.of(lesion.body_site if lesion else "")
        self.sites = sites.found

    def _are_of(self, courses: Iterable[Course]) -> Numbers:
        """Which of the lesions, one series after the other, are those of these series."""
        import numpy as np

        is_theirs = np.zeros(len(self._courses), dtype=bool)
        is_theirs[[course.place for course in courses]] = True
        return is_theirs[self._visits.series_of_lesion]

    def lesions_of(self, courses: Iterable[Course]) -> Numbers:
        """The place in `lesions` of each lesion of these series, one series after the other."""
        return self._lesion[self._are_of(courses)]

    def __iter__(self) -> Iterator[InjectionOf]:
        for course in self._courses:
            for session in course.sessions:
                for injection in session.injections:
                    yield InjectionOf(course, session, injection)

    # Groups of them

    @cached_property
    def all(self) -> Part:
        """Every injection."""
        import numpy as np

        return Part(Groups(self, ("all",), np.zeros(len(self._kind), dtype=np.int8)), 0)

    @cached_property
    def by_site(self) -> Groups:
        """By the code of BODY_SITE; empty where it is not recorded."""
        return Groups(self, self.sites, self._site)

    @cached_property
    def by_label(self) -> Groups:
        """By the label of the solution, in the order of the concentration; what has none comes last."""
        import numpy as np

        def strength(one: Solution) -> tuple:
            counted = one.concentration_mg_ml if one.is_counted else None
            return counted is None, counted or 0, not one.agent

        labels = list(dict.fromkeys(one.label for one in sorted(self.solutions, key=strength)))
        label_of = [labels.index(self.solutions[one].label) for one in self._solution_of]
        return Groups(self, labels, small(np.array(label_of, dtype=np.int32), len(labels))[self._kind])

    def by_treatment(self, most: int) -> Groups:
        """By the number of the treatment within its series, `most` for all from that one; 0 at another visit."""
        import numpy as np

        until = np.cumsum(self._is_treatment)
        first = np.diff(self._course_of, prepend=-1) != 0
        # How many treatments stand before the series of each session.
        before = np.maximum.accumulate(np.where(first, until - self._is_treatment, 0))
        number = np.where(self._is_treatment, np.minimum(until - before, most), 0)
        return Groups(self, range(most + 1), small(number, most + 1)[self._given.session])

    def by_lesion(self, courses: Iterable[Course], numbers: Numbers, names: Sequence[Any]) -> Groups:
        """By what is known of the lesions of these series.

        Args:
            numbers: for each of their lesions, one series after the other, the place in `names`, below 128; every
                other lesion has the last one.
        """
        import numpy as np

        # The last one is that of injections into a lesion that the series does not treat.
        number_of = np.full(len(self._visits.lesion_ids) + 1, len(names) - 1, dtype=np.int8)
        number_of[:-1][self._are_of(courses)] = numbers
        return Groups(self, names, number_of[self._visits.lesion_given])

    def labels_at(self, wanted: Sequence[tuple[int, int, str]]) -> list[str | None]:
        """The label of what was injected into a lesion at a session, or into any of them; None where it was not one.

        Args:
            wanted: the place of the series, session_no, and the lesion_id or nothing.
        """
        import numpy as np

        visits, given = self._visits, self._given
        series = np.array([one for one, _, _ in wanted], dtype=np.int64)
        session_no = np.array([one for _, one, _ in wanted], dtype=np.int64)
        numbers = {lesion_id: number for number, lesion_id in enumerate(given.lesion_ids)} | {"": ANY}
        lesion = np.array([numbers.get(one, NOWHERE) for _, _, one in wanted], dtype=np.int64)
        # The sessions of each series, of which one is wanted, and then the injections of these.
        first = visits.starts[series]
        which, session = _each_of(np.arange(len(wanted)), first, first + visits.counts[series])
        inside = visits.session_no[session] == session_no[which]
        session = session[inside]
        which, row = _each_of(
            which[inside], *(np.searchsorted(given.session, session, side) for side in ("left", "right"))
        )
        inside = (lesion[which] == ANY) | (lesion[which] == given.lesion[row])
        which, row = which[inside], row[inside]
        # Of several into one lesion, the last.
        inside = (lesion[which] == ANY) | np.diff(which, append=NOWHERE).astype(bool)
        which, label = which[inside], self.by_label.numbers[row[inside]]
        lowest, highest = np.full((2, len(wanted)), [[len(self.by_label.names)], [NOWHERE]])
        np.minimum.at(lowest, which, label)
        np.maximum.at(highest, which, label)
        return [
            self.by_label.names[low] if low == high else None
            for low, high in zip(lowest.tolist(), highest.tolist(), strict=True)
        ]

    def amounts(self, numbers: Numbers, groups: int) -> Sequence[Amounts]:
        """What each of so many groups adds up to; `numbers` has the group of each injection."""
        return self._adding_up.amounts(numbers, groups)

    @cached_property
    def _adding_up(self) -> AddingUp:
        kinds = zip((self.solutions[one] for one in self._solution_of), self._volumes, strict=True)
        return AddingUp(self._patient_of, self._is_treatment, self._given.session, self._kind, list(kinds))


def _each_of(which: Numbers, starts: Numbers, stops: Numbers) -> tuple[Numbers, Numbers]:
    """The whole numbers from each start to before its stop, and beside each of them `which` it is of."""
    import numpy as np

    return np.repeat(which, stops - starts), ranges(starts, stops)


def solution_of(one: InjectionRecord) -> Solution:
    """What was injected."""
    return Solution(one.agent, one.concentration_mg_ml)
