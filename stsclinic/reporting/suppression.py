"""Which small numbers must a shared output not tell, and which others, so that they cannot be computed back?

A number behind which 1 to 4 patients stand is hidden. It could come back as a difference: a total minus its
other parts, in one table or over several. Tables say which of their numbers add up (Sum), and numbers with
the same rows behind them are the same number wherever they stand; so this is decided for all tables at once.
A hidden number must be left with at least two values that fit all that is shown, given that none hidden is
0. While it is not, the smallest number that stands beside it is hidden too. Lists of persons are left out.

Source: Hundepool A et al. Statistical disclosure control. Wiley 2012, chapter 4 (secondary suppression).
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stsclinic.reporting.rows import Behind
from stsclinic.reporting.tables.table import HIDDEN, Address, Share, Table

FEWEST = 5
"""The fewest patients of a number that is told; none at all is told too."""

TOTALS = ("n", "total")
"""How the codes of columns end that hold the total of the percentages beside them."""

FOOTNOTE = (
    f"For sharing: “hidden” stands for a number of 1 to {FEWEST - 1} patients, or for one from which such a "
    "number could be computed. Lists of patients, series and lesions are left out."
)

Counted = tuple[str, frozenset[Hashable]]
"""What a number counts: the kind of its rows, and their keys. Equal ones are hidden together."""


@dataclass(frozen=True, slots=True)
class Equation:
    """Numbers that add up to another one."""

    parts: Sequence[Counted]
    total: Counted

    @property
    def terms(self) -> list[tuple[Counted, int]]:
        return [*((one, 1) for one in self.parts), (self.total, -1)]


def fit_for_sharing(tables: Sequence[Table]) -> list[Table]:
    """The tables without lists of persons and without small numbers. What is hidden is HIDDEN."""
    shared = [table for table in tables if not table.is_individual]
    cells: list[dict[Address, Counted]] = []
    for table in shared:
        cells.append({where: (one.level, frozenset(one.keys)) for where, one in _numbers(table)})
    told = Counter(one for found in cells for one in found.values() if one[1])
    equations = []
    for table, found in zip(shared, cells, strict=True):
        for one in table.sums:
            parts = [found[part] for part in one.parts]
            total = found[one.total] if one.total else _together(parts)
            if total in told:
                equations.append(Equation(parts, total))
    small = {one for one in told if len({key[0] for key in one[1]}) < FEWEST}  # type: ignore[index]
    hidden = small | protection_of(small, equations, told)
    return [
        _without(table, {where: one for where, one in found.items() if one in hidden})
        for table, found in zip(shared, cells, strict=True)
    ]


def protection_of(
    small: set[Counted], equations: Sequence[Equation], told: Mapping[Counted, int]
) -> set[Counted]:
    """The numbers that must be hidden beside the small ones.

    Args:
        told: how often each number stands in the tables. What is large and stands often is kept longest.
    """
    beside: dict[Counted, list[Equation]] = {}
    for equation in equations:
        for one, _ in equation.terms:
            beside.setdefault(one, []).append(equation)
    # The same order for the same rows, whatever the order of a set.
    dearness = {one: (len(one[1]) * times, one[0], sorted(map(str, one[1]))) for one, times in told.items()}
    hidden = set(small)
    waiting = sorted((one for one in small if one in beside), key=dearness.__getitem__)
    while waiting:
        one = waiting.pop(0)
        while _is_given_away(one, hidden, equations):
            culprit = min(_shown_near(one, hidden, beside), key=dearness.__getitem__)
            hidden.add(culprit)
            waiting.append(culprit)
    return hidden - small


def _together(parts: Sequence[Counted]) -> Counted:
    """What they count together: a total that stands elsewhere, if anywhere."""
    return (parts[0][0] if parts else ""), frozenset().union(*(keys for _, keys in parts))


def _shown_near(
    one: Counted, hidden: set[Counted], beside: Mapping[Counted, Sequence[Equation]]
) -> list[Counted]:
    """The numbers shown in the sums of a hidden one and of the hidden ones beside it, and so on until there are.

    There are some: what stands beside hidden numbers alone has no bound.
    """
    reached = [one]
    while True:
        terms = [other for reach in reached for equation in beside[reach] for other, _ in equation.terms]
        further = list(dict.fromkeys([*reached, *(other for other in terms if other in hidden)]))
        shown = [
            other
            for reach in further
            for equation in beside[reach]
            for other, _ in equation.terms
            if other[1] and other not in hidden
        ]
        if shown:
            return shown
        assert len(further) > len(reached), "a number beside hidden ones alone cannot be given away"
        reached = further


def _is_given_away(one: Counted, hidden: set[Counted], equations: Sequence[Equation]) -> bool:
    """Whether only one value of a hidden number fits all that is shown."""
    import numpy as np
    from scipy.optimize import linprog

    places: dict[Counted, int] = {}
    rows: list[dict[int, int]] = []
    known: list[int] = []
    for equation in equations:
        terms = [(other, sign) for other, sign in equation.terms if other in hidden]
        if terms:
            row: dict[int, int] = {}
            for other, sign in terms:
                place = places.setdefault(other, len(places))
                row[place] = row.get(place, 0) + sign
            rows.append(row)
            known.append(sum(sign * len(other[1]) for other, sign in terms))
    if one not in places:
        return False
    matrix = np.zeros((len(rows), len(places)))
    for number, row in enumerate(rows):
        for place, sign in row.items():
            matrix[number, place] = sign
    ends = []
    for sign in (1, -1):
        goal = np.zeros(len(places))
        goal[places[one]] = sign
        found = linprog(goal, A_eq=matrix, b_eq=known, bounds=(1, None), method="highs")
        # Where nothing bounds it, any larger value fits.
        ends.append(sign * found.fun if found.status == 0 else float("inf"))
    return ends[1] - ends[0] < 1 - 1e-6


def _numbers(table: Table) -> Iterator[tuple[Address, Behind]]:
    for row, values in enumerate(table.rows):
        for column, value in zip(table.columns, values, strict=True):
            if column.is_number and value is not None and (found := table.behind(row, column.code)):
                yield (row, column.code), found


def _without(table: Table, hidden: Mapping[Address, Counted]) -> Table:
    """The table without these numbers, nor what would tell them: a percentage of a hidden total."""
    if not hidden:
        return table
    totals = {(column, len(one[1])) for (_, column), one in hidden.items()}
    rows = []
    for number, values in enumerate(table.rows):
        of_hidden = any(row == number and column.endswith(TOTALS) for row, column in hidden)
        row: list[Any] = []
        for column, value in zip(table.columns, values, strict=True):
            if (number, column.code) in hidden or (of_hidden and column.unit == "%" and value is not None):
                row.append(HIDDEN)
            elif isinstance(value, Share) and (column.code, value.of) in totals:
                row.append(value.n)
            else:
                row.append(value)
        rows.append(tuple(row))
    return replace(table, rows=rows, footnotes=(*table.footnotes, FOOTNOTE))
