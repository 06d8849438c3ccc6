"""Every injection of a selection in columns, so that a million are counted at once and not one by one.

An injection is named by its place in the order of patients, series and sessions. numpy is imported where it
is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stsclinic.clinical.dosing import dose_mg, syringes
from stsclinic.clinical.numbers import show_decimal
from stsclinic.reporting.columns import LesionPlaces, Numbers, Places
from stsclinic.reporting.records import InjectionRecord
from stsclinic.reporting.rows import Behind, InjectionOf, SessionOf
from stsclinic.reporting.selection import Chosen, Course

THOUSANDTHS = 1000
"""Of a ml, in which volumes are added up: they have three decimals at most."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What was in a syringe. Agent empty: concealed."""

    agent: str
    concentration_mg_ml: Decimal | None

    @property
    def is_counted(self) -> bool:
        """Whether it has mg of sodium thiosulfate."""
        return self.concentration_mg_ml is not None and self.agent != "saline"

    @property
    def label(self) -> str:
        """`150 mg/ml`, the agent where it has none, or that the allocation is closed."""
        if not self.agent:
            return "Allocation closed"
        if self.concentration_mg_ml is None or self.agent == "saline":
            return "Saline"
        return f"{show_decimal(self.concentration_mg_ml)} mg/ml"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a group of injections adds up to, and their sessions and patients. None: it cannot be told.

    mg and syringes are of the injections whose allocation is not closed: `closed` are not, `sessions_told` is
    at how many sessions there was one.
    """

    injections: int
    sessions: int
    patients: int
    volume_ml: Decimal
    median_volume_ml: Decimal | None
    dose_mg: Decimal | None
    syringes: int | None
    concentrations: Sequence[Decimal]
    closed: int
    sessions_told: int


@dataclass(frozen=True, slots=True)
class Part:
    """The injections that have one number of a list with a number for each."""

    numbers: Numbers
    value: int

    @property
    def inside(self) -> Any:
        """True or false for each injection."""
        return self.numbers == self.value


class Injected:
    """The injections of a selection, with the numbers of their sessions, patients, doses and sites.

    Args:
        chosen: what the selection left.
    """

    def __init__(self, chosen: Chosen):
        import numpy as np

        visits = chosen.visits
        self._courses = chosen.courses
        self._course_of, self._is_treatment, self._given = visits.series, visits.is_treatment, visits.given
        self._patients = [patient for patient, courses in chosen.patients if courses]
        patient_of = np.repeat(
            np.arange(len(self._patients)), [len(courses) for _, courses in chosen.patients if courses]
        )
        self._patient_of = patient_of[self._course_of]
        kinds = Places()
        kind_of = [kinds.of(kind[:3]) for kind in self._given.kinds]
        self._kind = np.array(kind_of, dtype=np.int32)[self._given.kind]
        self._volumes = [volume for _, _, volume in kinds.found]
        solutions = [Solution(*kind[:2]) for kind in kinds.found]
        self.solutions = list(dict.fromkeys(solutions))
        self._solution_of = [self.solutions.index(one) for one in solutions]
        self._find_sites()

    def _find_sites(self) -> None:
        import numpy as np

        each = [patient.lesions for patient in self._patients]
        owners = np.repeat(np.arange(len(each)), [len(lesions) for lesions in each])
        places = LesionPlaces(owners, [lesion_id for lesions in each for lesion_id in lesions])
        sites = {"": 0}
        site_of = [
            sites.setdefault(lesion.body_site, len(sites)) for lesions in each for lesion in lesions.values()
        ]
        place = places.find(self._given, self._patient_of)
        self._site = np.array([*site_of, 0], dtype=np.int16)[place]
        self.sites = list(sites)

    @property
    def labels(self) -> list[str]:
        """What `by_label` numbers, in the order of the concentration; what has none comes last."""

        def strength(one: Solution) -> tuple:
            counted = one.concentration_mg_ml if one.is_counted else None
            return counted is None, counted or 0, not one.agent

        return list(dict.fromkeys(one.label for one in sorted(self.solutions, key=strength)))

    def __iter__(self) -> Iterator[InjectionOf]:
        for course in self._courses:
            for session in course.sessions:
                for injection in session.injections:
                    yield InjectionOf(course, session, injection)

    # A number for each injection

    @property
    def all(self) -> Part:
        """Every injection."""
        import numpy as np

        return Part(np.zeros(len(self._kind), dtype=np.int8), 0)

    @property
    def by_site(self) -> Numbers:
        """The place of the site in `sites`."""
        return self._site

    @property
    def by_label(self) -> Numbers:
        """The place of the concentration in `labels`."""
        import numpy as np

        labels = self.labels
        label_of = [labels.index(self.solutions[one].label) for one in self._solution_of]
        return np.array(label_of, dtype=np.int16)[self._kind]

    def by_treatment(self, most: int) -> Numbers:
        """The number of the treatment within its series, `most` for all from that one; 0 at another visit."""
        import numpy as np

        until = np.cumsum(self._is_treatment)
        first = np.diff(self._course_of, prepend=-1) != 0
        # How many treatments stand before the series of each session.
        before = np.maximum.accumulate(np.where(first, until - self._is_treatment, 0))
        number = np.where(self._is_treatment, np.minimum(until - before, most), 0)
        return number.astype(np.int16)[self._given.session]

    def by_lesion(
        self,
        courses: Sequence[Course],
        lesion_ids: Sequence[str],
        series: Numbers,
        numbers: Numbers,
        other: int,
    ) -> Numbers:
        """The number of the lesion.

        Args:
            courses: the series of the lesions.
            lesion_ids: the lesions; `series` has the place of each one's series, `numbers` its number, below 128.
            other: the number of every other lesion.
        """
        import numpy as np

        place_of = {id(course): place for place, course in enumerate(self._courses)}
        place = np.array([place_of[id(course)] for course in courses], dtype=np.int64)
        found = LesionPlaces(place[series], lesion_ids).find(self._given, self._course_of)
        return np.append(numbers, np.int8(other))[found]

    # A group of them

    def amounts(self, part: Part) -> Amounts:
        """What these add up to."""
        import numpy as np

        inside = part.inside
        kind, session = self._kind[inside], self._given.session[inside]
        times = np.bincount(kind, minlength=len(self._volumes)).tolist()
        there = [number for number, count in enumerate(times) if count]
        solutions = {number: self.solutions[self._solution_of[number]] for number in there}
        doses = [
            dose_mg(solution.concentration_mg_ml, self._volumes[number]) * times[number]
            for number, solution in solutions.items()
            if solution.is_counted and solution.concentration_mg_ml is not None
        ]
        told = np.array([bool(self.solutions[one].agent) for one in self._solution_of], dtype=bool)[kind]
        is_told = bool(told.any())
        sessions = _each_once(session)
        return Amounts(
            injections=len(kind),
            sessions=len(sessions),
            patients=len(_each_once(self._patient_of[sessions])),
            volume_ml=sum((self._volumes[number] * times[number] for number in there), Decimal(0)),
            median_volume_ml=_median({number: (self._volumes[number], times[number]) for number in there}),
            dose_mg=sum(doses, Decimal(0)) if is_told else None,
            syringes=self._syringes(kind[told], session[told]) if is_told else None,
            concentrations=sorted(
                {
                    one.concentration_mg_ml
                    for one in solutions.values()
                    if one.is_counted and one.concentration_mg_ml is not None
                }
            ),
            closed=int((~told).sum()),
            sessions_told=len(_each_once(session[told])),
        )

    def treatments(self, part: Part) -> int:
        """The treatment sessions at which one of these was given."""
        sessions = _each_once(self._given.session[part.inside])
        return int(self._is_treatment[sessions].sum())

    def injections_behind(self, part: Part) -> Behind:
        """These injections."""
        return Behind("injections", lambda: self._chosen(part))

    def closed_behind(self, part: Part) -> Behind:
        """Those whose allocation is closed."""
        return Behind("injections", lambda: [one for one in self._chosen(part) if not one.injection.agent])

    def treatments_behind(self, part: Part) -> Behind:
        """The treatment sessions at which they were given."""
        sessions = self.sessions_behind(part).find
        return Behind("sessions", lambda: [one for one in sessions() if one.session.kind == "treatment"])

    def sessions_behind(self, part: Part) -> Behind:
        """The sessions at which they were given."""

        def find() -> list[SessionOf]:
            found = {(id(one.course), id(one.session)): one for one in self._chosen(part)}
            return [SessionOf(one.course, one.session) for one in found.values()]

        return Behind("sessions", find)

    def patients_behind(self, part: Part) -> Behind:
        """The patients who got them."""

        def find() -> list:
            patients = {one.course.series.patient_id: one.course.patient for one in self._chosen(part)}
            return list(patients.values())

        return Behind("patients", find)

    def _chosen(self, part: Part) -> list[InjectionOf]:
        return [one for one, is_in in zip(self, part.inside.tolist(), strict=True) if is_in]

    def _syringes(self, kind: Any, session: Any) -> int:
        """One holds one solution, and is not kept for the next session."""
        import numpy as np

        thousandths = np.array([int(one * THOUSANDTHS) for one in self._volumes], dtype=np.int64)
        solution = np.array(self._solution_of, dtype=np.int64)[kind]
        # The sessions stand in their order: a place for each that is there, and for each solution in it.
        place = np.cumsum(np.diff(session, prepend=session[:1]) > 0)
        volumes = np.bincount(place * len(self.solutions) + solution, weights=thousandths[kind])
        volumes, counts = np.unique(volumes[volumes > 0], return_counts=True)
        return sum(
            syringes(Decimal(int(volume)) / THOUSANDTHS) * int(times)
            for volume, times in zip(volumes, counts, strict=True)
        )


def _each_once(sorted_numbers: Any) -> Any:
    """Each number once, of those that stand in their order."""
    import numpy as np

    return sorted_numbers[np.diff(sorted_numbers, prepend=-1) > 0]


def _median(counted: dict[int, tuple[Decimal, int]]) -> Decimal | None:
    """The median of values, each with how often it is there."""
    total = sum(times for _, times in counted.values())
    if not total:
        return None
    middle, passed = [], 0
    for value, times in sorted(counted.values()):
        for place in ((total - 1) // 2, total // 2):
            if passed <= place < passed + times:
                middle.append(value)
        passed += times
    return sum(middle, Decimal(0)) / 2


def solution_of(one: InjectionRecord) -> Solution:
    """What was injected."""
    return Solution(one.agent, one.concentration_mg_ml)
