"""Can a number that is not told be computed from those that are? A linear program tries."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

Name = TypeVar("Name", bound=Hashable)
Line = tuple[dict[Name, int], int]
"""Unknown numbers with their signs, and what they come to."""


def given_away(
    lines: Sequence[Line[Name]], truth: Mapping[Name, int], asked: Sequence[Name], not_zero: Collection[Name]
) -> Iterator[Name]:
    """Those of `asked` that nothing but the truth fits.

    Args:
        truth: of every unknown number.
        not_zero: the numbers known to be 1 or more; others are 0 or more.
    """
    for part in _apart(lines):
        names = list(dict.fromkeys(name for unknown, _ in part for name in unknown))
        wanted = [name for name in asked if name in names]
        if wanted:
            yield from _pinned(part, names, truth, wanted, not_zero)


def reached(lines: Sequence[Line[Name]], names: Collection[Name]) -> list[Line[Name]]:
    """The lines that hang together with these unknown numbers."""
    parts = (part for part in _apart(lines) if any(name in unknown for unknown, _ in part for name in names))
    return [line for part in parts for line in part]


def _apart(lines: Sequence[Line[Name]]) -> Iterator[list[Line[Name]]]:
    """The lines in parts that have no unknown number in common."""
    parts: dict[Name, list[Line[Name]]] = {}
    for line in lines:
        joined = [line]
        for part in {id(parts[name]): parts[name] for name in line[0] if name in parts}.values():
            joined += part
        for unknown, _ in joined:
            parts |= dict.fromkeys(unknown, joined)
    yield from {id(part): part for part in parts.values()}.values()


def _pinned(
    lines: Sequence[Line[Name]],
    names: Sequence[Name],
    truth: Mapping[Name, int],
    wanted: Sequence[Name],
    not_zero: Collection[Name],
) -> Iterator[Name]:
    import numpy as np
    from scipy.optimize import linprog

    place = {name: number for number, name in enumerate(names)}
    matrix = np.zeros((len(lines), len(names)))
    for number, (unknown, _) in enumerate(lines):
        for name, sign in unknown.items():
            matrix[number, place[name]] += sign
    known = [known for _, known in lines]
    # The box is wide, and keeps every program bounded.
    bounds = [(1 if name in not_zero else 0, truth[name] + 1000) for name in names]
    real = np.array([truth[name] for name in names])
    free = np.zeros(len(names), dtype=bool)

    def solve(goal: Any) -> None:
        """What fits otherwise than the truth frees every number in which it differs."""
        nonlocal free
        found = linprog(goal, A_eq=matrix, b_eq=known, bounds=bounds, method="highs")
        free |= np.abs(found.x - real) > 1 - 1e-6

    mixed = np.array([1 + place % 7 for place in range(len(names))])
    for goal in (mixed, -mixed):
        solve(goal)
    for name in wanted:
        for sign in (1, -1):
            if not free[place[name]]:
                goal = np.zeros(len(names))
                goal[place[name]] = sign
                solve(goal)
        if not free[place[name]]:
            yield name
