"""Every injection of a selection in columns, so that a million are counted at once and not one by one.

An injection is named by its place in the order of patients, series and sessions. numpy is imported where it
is used.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stsclinic.clinical.dosing import dose_mg, syringes
from stsclinic.clinical.numbers import show_decimal
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

    numbers: Any
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
        self._courses = [course for _, courses in chosen.patients for course in courses]
        kinds: dict[tuple[str, Decimal | None, Decimal], int] = {}
        sites: dict[str, int] = {"": 0}
        kind_of: dict[int, int] = {}
        self._kind, self._site = array("i"), array("h")
        self._starts = array("i")
        self._is_treatment, self._patient_of = array("b"), array("i")
        patient, patients = -1, 0
        for course in self._courses:
            if id(course.patient) != patient:
                patient, patients = id(course.patient), patients + 1
            site_of = {
                key: sites.setdefault(place.body_site, len(sites))
                for key, place in course.patient.lesions.items()
            }
            for session in course.sessions:
                self._starts.append(len(self._kind))
                self._is_treatment.append(session.kind == "treatment")
                self._patient_of.append(patients)
                given = session.injections
                for one in given:
                    # Equal records are mostly one object, and its id is found sooner than its values.
                    if id(one) not in kind_of:
                        key = one.agent, one.concentration_mg_ml, one.volume_ml
                        kind_of[id(one)] = kinds.setdefault(key, len(kinds))
                self._kind.extend([kind_of[id(one)] for one in given])
                self._site.extend([site_of.get(one.lesion_id, 0) for one in given])
        self._starts.append(len(self._kind))
        self.sites = list(sites)
        self._volumes = [volume for _, _, volume in kinds]
        self.solutions = list(dict.fromkeys(Solution(*key[:2]) for key in kinds))
        self._solution_of = [self.solutions.index(Solution(*key[:2])) for key in kinds]

    @property
    def labels(self) -> list[str]:
        """What `by_label` numbers."""
        return list(dict.fromkeys(one.label for one in self.solutions))

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
    def by_site(self) -> Any:
        """The place of the site in `sites`."""
        return _numbers(self._site)

    @property
    def by_label(self) -> Any:
        """The place of the concentration in `labels`."""
        import numpy as np

        labels = self.labels
        label_of = [labels.index(self.solutions[one].label) for one in self._solution_of]
        return np.array(label_of, dtype=np.int16)[_numbers(self._kind)]

    def by_session(self, number_of: Callable[[Course], Sequence[int]]) -> Any:
        """The number of the session, as `number_of` gives it for each session of a series."""
        import numpy as np

        numbers = array("h")
        for course in self._courses:
            numbers.extend(number_of(course))
        return np.repeat(_numbers(numbers), np.diff(_numbers(self._starts)))

    def by_lesion(self, number_of: Callable[[Course], Callable[[str], int]]) -> Any:
        """The number of the lesion, as `number_of` gives it for a series and then for a lesion's ID."""
        numbers = array("h")
        for course in self._courses:
            of_lesion = number_of(course)
            for session in course.sessions:
                numbers.extend([of_lesion(one.lesion_id) for one in session.injections])
        return _numbers(numbers)

    # A group of them

    def amounts(self, part: Part) -> Amounts:
        """What these add up to."""
        import numpy as np

        inside = part.inside
        kind, session = _numbers(self._kind)[inside], self._session_numbers()[inside]
        times = np.bincount(kind, minlength=len(self._volumes)).tolist()
        there = [number for number, count in enumerate(times) if count]
        solutions = {number: self.solutions[self._solution_of[number]] for number in there}
        doses = [
            dose_mg(solution.concentration_mg_ml, self._volumes[number]) * times[number]
            for number, solution in solutions.items()
            if solution.is_counted and solution.concentration_mg_ml is not None
        ]
        told = np.isin(kind, [number for number, one in solutions.items() if one.agent])
        is_told = bool(told.any())
        sessions = _each_once(session)
        return Amounts(
            injections=len(kind),
            sessions=len(sessions),
            patients=len(_each_once(_numbers(self._patient_of)[sessions])),
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
        sessions = _each_once(self._session_numbers()[part.inside])
        return int(_numbers(self._is_treatment)[sessions].sum())

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

    def _session_numbers(self) -> Any:
        import numpy as np

        given = np.diff(_numbers(self._starts))
        return np.repeat(np.arange(len(given), dtype=np.int32), given)

    def _syringes(self, kind: Any, session: Any) -> int:
        """One holds one solution, and is not kept for the next session."""
        import numpy as np

        thousandths = np.array([int(one * THOUSANDTHS) for one in self._volumes], dtype=np.int64)
        solution, total = np.array(self._solution_of, dtype=np.int32)[kind], 0
        for number in range(len(self.solutions)):
            its = solution == number
            volumes, counts = np.unique(
                np.bincount(session[its], weights=thousandths[kind[its]]), return_counts=True
            )
            total += sum(
                syringes(Decimal(int(volume)) / THOUSANDTHS) * int(times)
                for volume, times in zip(volumes, counts, strict=True)
                if volume
            )
        return total


def _numbers(values: array) -> Any:
    """The array as numpy's, without a copy."""
    import numpy as np

    return np.frombuffer(values, dtype=np.dtype(values.typecode)) if values else np.zeros(0, dtype=np.int32)


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
