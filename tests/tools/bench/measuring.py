"""A row of the table: work beside its floor, measured in turns, and its ratio beside its budget."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Protocol

ROUNDS = 15
"""Of what is quick; never below five."""


class Line(Protocol):
    """A line of the table."""

    @property
    def is_over(self) -> bool:
        """Whether it is over its budget."""
        ...

    def line(self) -> str:
        """The line."""
        ...


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Medians in ms, and the highest ratio that is allowed."""

    work: str
    against: str
    floor_ms: float
    work_ms: float
    budget: float

    @property
    def ratio(self) -> float:
        """How many times the floor the work takes."""
        return self.work_ms / self.floor_ms

    @property
    def is_over(self) -> bool:
        """Whether the row is over its budget."""
        return self.ratio > self.budget

    def line(self) -> str:
        """The row as a line of the table."""
        return (
            f"{self.work:<58} {self.against:<28} {self.floor_ms:>10.2f} {self.work_ms:>10.2f}"
            f" {self.ratio:>7.2f} {self.budget:>7g}{'  OVER' if self.is_over else ''}"
        )


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What has a limit of its own and no floor, such as memory in MiB: a median, and the most that is allowed."""

    work: str
    unit: str
    amount: float
    budget: float

    @property
    def is_over(self) -> bool:
        """Whether it is over its budget."""
        return self.amount > self.budget

    def line(self) -> str:
        """It as a line of the table, where the ratio of others stands."""
        return (
            f"{self.work:<58} {self.unit:<28} {'':>10} {'':>10}"
            f" {self.amount:>7.2f} {self.budget:>7g}{'  OVER' if self.is_over else ''}"
        )


HEAD = f"{'work':<58} {'against':<28} {'floor ms':>10} {'work ms':>10} {'ratio':>7} {'budget':>7}"


def measure(
    work: str,
    against: str,
    budget: float,
    *,
    floor: Callable[[], object],
    doing: Callable[[], object],
    rounds: int = ROUNDS,
) -> Measured:
    """Do both in turns, so that what else the machine does slows both; the first turn of each is not counted."""
    floor(), doing()
    gc.collect()
    floors, works = [], []
    for _ in range(rounds):
        floors.append(milliseconds(floor))
        works.append(milliseconds(doing))
    return Measured(work=work, against=against, floor_ms=median(floors), work_ms=median(works), budget=budget)


def milliseconds(call: Callable[[], object]) -> float:
    """How long the call takes, in ms."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
