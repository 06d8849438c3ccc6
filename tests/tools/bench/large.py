"""The large registry: the report over it, its data out and in, at a tenth, a third and the whole.

Each run of the work and of its floor is a process of its own, in turns; see large_work.py. Of the memory, the
largest of the runs counts.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.tools.bench.alone import Took, alone
from tests.tools.bench.large_rows import PATIENTS, visits
from tests.tools.bench.measuring import Amount, Line, Measured
from tests.tools.postgresql import fresh_database
from tests.tools.server import manage

RUNS = 5
STEEPER = 1.3
"""How many times dearer an injection may be among all of them than among a tenth: more is not linear."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A row of the table: the work and its floor by their names in large_work.py, and what is allowed."""

    words: str
    against: str
    work: tuple[str, ...]
    floor: tuple[str, ...]
    ratio: float
    above_idle_mib: float = 0
    peak_mib: float = 0
    first_ms: float = 0
    is_import: bool = False


TASKS = {
    "report": Task(
        words="the whole report",
        against="DISTINCT ON",
        work=("report",),
        floor=("report_floor",),
        ratio=2,
        peak_mib=300,
    ),
    "csv": Task(
        words="injections as CSV, de-identified",
        against="\\copy of the joined SELECT",
        work=("csv",),
        floor=("copy_out",),
        ratio=1.5,
        above_idle_mib=30,
        first_ms=300,
    ),
    "xlsx": Task(
        words="the same as XLSX",
        against="\\copy of the joined SELECT",
        work=("xlsx",),
        floor=("copy_out",),
        ratio=20,
        above_idle_mib=30,
    ),
    "dta": Task(
        words="the same as .dta",
        against="\\copy of the joined SELECT",
        work=("statistics", "dta"),
        floor=("copy_out",),
        ratio=5,
        above_idle_mib=250,
    ),
    "sav": Task(
        words="the same as .sav",
        against="\\copy of the joined SELECT",
        work=("statistics", "sav"),
        floor=("copy_out",),
        ratio=5,
        above_idle_mib=250,
    ),
    "import": Task(
        words="import of injections",
        against="\\copy into the same table",
        work=("import",),
        floor=("copy_in",),
        ratio=2.5,
        above_idle_mib=200,
        is_import=True,
    ),
}
"""By the name that ONLY takes."""


@dataclass
class Registry:
    """A database that grows, and how many patients it has."""

    surroundings: dict[str, str]
    with_injections: bool
    patients: int = 0

    def grow_to(self, patients: int) -> None:
        """Have so many patients.

        Raises:
            ValueError: it has more already, and what is measured on it would not be of so many.
        """
        if patients < self.patients:
            raise ValueError(f"The registry has {self.patients} patients and cannot have {patients} again.")
        if patients > self.patients:
            what = "yes" if self.with_injections else "no"
            alone(self.surroundings, "grow", self.patients + 1, patients, what)
            self.patients = patients


@dataclass
class Large:
    """Registries on databases of their own, made when they are asked for, until the block ends."""

    is_postgresql: bool
    whole: int = PATIENTS
    registries: dict[bool, Registry] = field(default_factory=dict)
    ending: ExitStack = field(default_factory=ExitStack)

    @property
    def sizes(self) -> list[int]:
        """A tenth, a third and the whole, in patients; on SQLite the tenth alone."""
        tenth = max(1, self.whole // 10)
        return [tenth, max(1, self.whole // 3), self.whole] if self.is_postgresql else [tenth]

    def registry(self, with_injections: bool) -> Registry:
        """The one that has the injections, or the one into which they are imported."""
        if with_injections not in self.registries:
            name = "large" if with_injections else "large_without_injections"
            folder = self.ending.enter_context(tempfile.TemporaryDirectory(prefix="stsclinic-bench-large-"))
            surroundings = {**os.environ, "STSCLINIC_DATA": folder}
            if self.is_postgresql:
                url = self.ending.enter_context(fresh_database(os.environ["DATABASE_URL"], name))
                surroundings["DATABASE_URL"] = url
            manage(surroundings, "migrate", "--verbosity", "0")
            self.registries[with_injections] = Registry(surroundings, with_injections)
        return self.registries[with_injections]


@contextmanager
def large(is_postgresql: bool, scale: float) -> Iterator[Large]:
    """The large registry, with this share of its patients."""
    found = Large(is_postgresql, max(10, int(PATIENTS * scale)))
    with found.ending:
        yield found


def rows(registries: Large, names: Sequence[str]) -> Iterator[Line]:
    """The rows of these tasks, size by size since a registry only grows; then whether their cost grew linearly."""
    each: dict[str, list[tuple[int, float]]] = {name: [] for name in names}
    for patients in registries.sizes:
        injections = sum(len(one.lesions) * one.treatments for one in visits(range(1, patients + 1)))
        for name in names:
            task = TASKS[name]
            registry = registries.registry(not task.is_import)
            registry.grow_to(patients)
            words = f"{task.words}, {injections:,}"
            floors, works = _in_turns(registry, task, patients, injections)
            measured = Measured(
                work=words,
                against=task.against,
                floor_ms=median(one.ms for one in floors),
                work_ms=median(one.ms for one in works),
                budget=task.ratio,
            )
            yield measured
            yield from _amounts(task, words, works)
            each[name].append((injections, measured.work_ms))
    for name, times in each.items():
        yield from _growth(TASKS[name], times)


def _growth(task: Task, times: Sequence[tuple[int, float]]) -> Iterator[Line]:
    """How much dearer one injection became from the fewest to the most, given as (injections, ms)."""
    if len(times) > 1:
        (few, quick), (many, slow) = times[0], times[-1]
        yield Amount(
            work=f"{task.words}, {many:,}",
            unit=f"times dearer each than of {few:,}",
            amount=slow / many / (quick / few),
            budget=STEEPER,
        )


def _in_turns(
    registry: Registry, task: Task, patients: int, injections: int
) -> tuple[list[Took], list[Took]]:
    with tempfile.TemporaryDirectory(prefix="stsclinic-bench-import-") as folder:
        floor, work = [*task.floor], [*task.work]
        if task.is_import:
            alone(registry.surroundings, "write_injections", patients, folder)
            floor, work = [*floor, folder], [*work, folder, str(injections)]
        alone(registry.surroundings, *floor)
        pairs = [
            (alone(registry.surroundings, *floor), alone(registry.surroundings, *work)) for _ in range(RUNS)
        ]
    return [one for one, _ in pairs], [one for _, one in pairs]


def _amounts(task: Task, words: str, works: list[Took]) -> Iterator[Line]:
    limits: list[tuple[str, float, Callable[[Took], float]]] = [
        ("MiB at the peak", task.peak_mib, lambda one: one.peak_mib),
        ("MiB above idle at the peak", task.above_idle_mib, lambda one: one.peak_mib - one.idle_mib),
    ]
    for unit, most, amount_of in limits:
        if most:
            yield Amount(work=words, unit=unit, amount=max(map(amount_of, works)), budget=most)
    if task.first_ms:
        first = median(one.first_ms for one in works)
        yield Amount(work=words, unit="ms until the first row", amount=first, budget=task.first_ms)
