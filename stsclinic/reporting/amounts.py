"""What groups of injections add up to: sessions and patients, volumes, mg and syringes.

They are added up in blocks of whole patients, which bounds the memory. numpy is imported where it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from stsclinic.clinical.dosing import SYRINGE_ML, dose_mg
from stsclinic.clinical.numbers import show_decimal
from stsclinic.reporting.columns import Numbers, Places

THOUSANDTHS = 1000
"""Of a ml, in which volumes are added up: they have three decimals at most."""

BLOCK = 50_000
"""About as many injections are added up at once: as a processor has at hand."""

SESSION_COSTS = 8
"""As many injections: a session has a place for each group and solution, also where nothing was injected."""


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
    """What a group of injections adds up to. None: it cannot be told.

    `sessions` are those at which they were given, `treatments` those of these that are one. mg and syringes are of the
    injections whose allocation is not closed: `closed` are not, `sessions_told` is at how many sessions there was one.
    """

    injections: int
    sessions: int
    treatments: int
    patients: int
    volume_ml: Decimal
    median_volume_ml: Decimal | None
    dose_mg: Decimal | None
    syringes: int | None
    concentrations: Sequence[Decimal]
    closed: int
    sessions_told: int


class _Block(NamedTuple):
    """Patients that stand together: their sessions and injections. `patients`: where the sessions of each begin, from 0."""

    patients: Numbers
    sessions: slice
    injections: slice


class AddingUp:
    """Adds up injections, which stand by patient and session.

    Args:
        patient: the number of the patient of each session.
        is_treatment: whether a session is a treatment.
        session: the place of the session of each injection.
        kind: the place in `kinds` of each injection.
        kinds: a solution and a volume in ml.
    """

    def __init__(
        self,
        patient: Numbers,
        is_treatment: Numbers,
        session: Numbers,
        kind: Numbers,
        kinds: Sequence[tuple[Solution, Decimal]],
    ):
        import numpy as np

        self._patient, self._is_treatment, self._session, self._kind = patient, is_treatment, session, kind
        self._kinds = kinds
        self._by_volume = sorted(range(len(kinds)), key=lambda number: kinds[number][1])
        solutions = Places()
        self._solution = np.array([solutions.of(solution) for solution, _ in kinds], dtype=np.int64)
        self._solutions = len(solutions.found)
        self._is_told = np.array([bool(solution.agent) for solution, _ in kinds], dtype=bool)
        thousandths = np.array([int(volume * THOUSANDTHS) for _, volume in kinds], dtype=float)
        self._thousandths_told = np.where(self._is_told, thousandths, 0)

    def amounts(self, numbers: Numbers, groups: int) -> list[Amounts]:
        """What each of so many groups adds up to; `numbers` has the group of each injection."""
        import numpy as np

        times = np.zeros((groups, len(self._kinds)), dtype=np.int64)
        counts = np.zeros((5, groups), dtype=np.int64)
        for block in self._blocks:
            group, kind = numbers[block.injections].astype(np.int64), self._kind[block.injections]
            times += np.bincount(group * len(self._kinds) + kind, minlength=times.size).reshape(times.shape)
            counts += self._count(block, group, kind, groups)
        return [self._amounts(*one) for one in zip(times.tolist(), *counts.tolist(), strict=True)]

    @cached_property
    def _blocks(self) -> Sequence[_Block]:
        import numpy as np

        patients = np.flatnonzero(np.diff(self._patient, prepend=-1))
        before = np.searchsorted(self._session, patients)
        edges = [
            *np.flatnonzero(np.diff((before + SESSION_COSTS * patients) // BLOCK, prepend=-1)).tolist(),
            len(patients),
        ]
        sessions, injections = np.append(patients, len(self._patient)), np.append(before, len(self._kind))
        return [
            _Block(
                patients[start:stop] - patients[start],
                slice(sessions[start], sessions[stop]),
                slice(injections[start], injections[stop]),
            )
            for start, stop in pairwise(edges)
        ]

    def _count(self, block: _Block, group: Numbers, kind: Numbers, groups: int) -> list[Numbers]:
        """By group the sessions, treatments, patients, syringes and the sessions with a solution that is told."""
        import numpy as np

        is_treatment = self._is_treatment[block.sessions]
        session, sessions = self._session[block.injections] - block.sessions.start, len(is_treatment)

        def seen(cells: Numbers) -> Numbers:
            """Whether something was given, by group and session."""
            found = np.zeros(groups * sessions, dtype=bool)
            found[cells] = True
            return found.reshape(groups, sessions)

        cell = group * sessions + session
        there = there_told = seen(cell)
        if not self._is_told.all():
            there_told = seen(cell[self._is_told[kind]])
        # A syringe holds one solution, and is not kept for the next session.
        solution = group * self._solutions + self._solution[kind]
        filled = np.bincount(
            solution * sessions + session, self._thousandths_told[kind], groups * self._solutions * sessions
        )
        syringes = np.ceil(filled / float(THOUSANDTHS * SYRINGE_ML)).astype(np.int64)
        return [
            there.sum(axis=1),
            (there & is_treatment).sum(axis=1),
            np.logical_or.reduceat(there, block.patients, axis=1).sum(axis=1),
            syringes.reshape(groups, self._solutions * sessions).sum(axis=1),
            there_told.sum(axis=1),
        ]

    def _amounts(
        self,
        times: Sequence[int],
        sessions: int,
        treatments: int,
        patients: int,
        syringes: int,
        sessions_told: int,
    ) -> Amounts:
        """Of a group that has each kind so many times."""
        there = [(*kind, count) for kind, count in zip(self._kinds, times, strict=True) if count]
        of_thiosulfate = [
            (one.concentration_mg_ml, volume * count)
            for one, volume, count in there
            if one.is_counted and one.concentration_mg_ml is not None
        ]
        return Amounts(
            injections=sum(times),
            sessions=sessions,
            treatments=treatments,
            patients=patients,
            volume_ml=sum((volume * count for _, volume, count in there), Decimal(0)),
            median_volume_ml=self._median_ml(times),
            dose_mg=sum((dose_mg(*one) for one in of_thiosulfate), Decimal(0)) if sessions_told else None,
            syringes=syringes if sessions_told else None,
            concentrations=sorted({mg_ml for mg_ml, _ in of_thiosulfate}),
            closed=sum(count for one, _, count in there if not one.agent),
            sessions_told=sessions_told,
        )

    def _median_ml(self, times: Sequence[int]) -> Decimal | None:
        """The median volume where each kind is there so many times."""
        import numpy as np

        until = np.cumsum([times[kind] for kind in self._by_volume])
        total = sum(times)
        if not total:
            return None
        middle = np.searchsorted(until, [(total - 1) // 2, total // 2], side="right").tolist()
        return sum((self._kinds[self._by_volume[place]][1] for place in middle), Decimal(0)) / 2
