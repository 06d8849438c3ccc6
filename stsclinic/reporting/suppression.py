"""Which small numbers must a shared output not tell, and which others, so that they cannot be computed back?

A number behind which 1 to 4 patients stand is small, and hidden. It could come back as a difference, so these
are looked at over all tables at once:

- Sums that a table declares (Sum): a total and its parts, and what the parts leave of it.
- Groups within others: where one number counts some of the rows of another, or several do that stand in one row or
  column, their difference is a number too, although no table shows it (89.7 % of 29 patients tell of 3).
- Numbers with the same rows behind them are the same number wherever they stand, and what is computed from a
  hidden number (Column.computed_from) is hidden with it.

What stays unknown of a total must be two numbers or more, of five patients or more together, and not all of them 1.
Else the least wanted number beside it is hidden too: the headline and the totals of the cohort go last. At the
end a linear program tries to compute each small number from all that is shown. Lists of persons are left out.

Source: Hundepool A et al. Statistical disclosure control. Wiley 2012, chapter 4 (secondary suppression).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stsclinic.reporting.nesting import Groups, Rows
from stsclinic.reporting.rows import Behind
from stsclinic.reporting.tables.table import HIDDEN, Address, Share, Table

FEWEST = 5
"""The fewest patients of a number that is told; none at all is told too, but not of a small group."""

KEPT_LONGEST = ("cohort", "headline")
"""Tables whose numbers are hidden last; after these, what many patients stand behind, and what is told first."""

FOOTNOTE = (
    f"For sharing: “hidden” stands for a number of 1 to {FEWEST - 1} patients, or for one from which such a "
    "number could be computed. Lists of patients, series and lesions are left out."
)


@dataclass(frozen=True, slots=True)
class Relation:
    """Numbers that add up to another one. `parts` hold what no table shows, too."""

    parts: Sequence[Rows]
    total: Rows


def fit_for_sharing(tables: Sequence[Table]) -> list[Table]:
    """The tables without lists of persons and without small numbers. What is hidden is HIDDEN."""
    shared = [table for table in tables if not table.is_individual]
    groups = Groups()
    cells = [{where: groups.add(one.level, one.keys) for where, one in _numbers(table)} for table in shared]
    sums = [(table, found, one) for table, found in zip(shared, cells, strict=True) for one in table.sums]
    hidden = _Search(groups, shared, cells, sums).hidden()
    nobody = {
        (table.code, part)
        for table, found, one in sums
        if one.total and _is_small(groups, found.get(one.total))
        for part in one.parts
        if part in found and not found[part].mask
    }
    return [
        _without(
            table,
            {where for where, rows in found.items() if rows in hidden or (table.code, where) in nobody},
            {(where[1], rows.number) for where, rows in found.items() if rows in hidden},
        )
        for table, found in zip(shared, cells, strict=True)
    ]


def _is_small(groups: Groups, rows: Rows | None) -> bool:
    return rows is not None and 0 < groups.patients(rows) < FEWEST


class _Search:
    """Looks for the numbers to hide, the small ones first."""

    def __init__(
        self,
        groups: Groups,
        tables: Sequence[Table],
        cells: Sequence[Mapping[Address, Rows]],
        sums: Iterable[tuple[Table, Mapping[Address, Rows], Any]],
    ):
        self.groups = groups
        self.worth: dict[Rows, tuple[bool, int, int]] = {}
        for table, found in zip(tables, cells, strict=True):
            for rows in found.values():
                if rows.mask:
                    dear, _, place = self.worth.get(rows, (False, 0, -len(self.worth)))
                    self.worth[rows] = dear or table.code in KEPT_LONGEST, groups.patients(rows), place
        relations = [*self._declared(sums), *self._nested(), *self._covered(cells)]
        self.relations = list(dict.fromkeys(relations))
        self.told_hidden = {rows for rows in self.worth if _is_small(groups, rows)}

    def hidden(self) -> set[Rows]:
        while found := self._betrayed() or self._computable():
            self.told_hidden.add(min(self._shown(found), key=self.worth.__getitem__))
        self._tell_again()
        return self.told_hidden

    def _betrayed(self) -> Relation | None:
        """One that leaves little choice comes first: so that fewer numbers are hidden."""
        found = (one for one in self.relations if self._betrays(one))
        return min(found, key=lambda one: len(self._shown(one)), default=None)

    def _shown(self, relation: Relation) -> list[Rows]:
        return [rows for rows in (*relation.parts, relation.total) if self._is_shown(rows)]

    def _tell_again(self) -> None:
        """Tell what was hidden for a number that others protect by now, the dearest first."""
        spared = [rows for rows in self.told_hidden if not _is_small(self.groups, rows)]
        for rows in sorted(spared, key=self.worth.__getitem__, reverse=True):
            self.told_hidden.remove(rows)
            near = [one for one in self.relations if rows in (*one.parts, one.total)]
            if any(self._betrays(one) for one in near) or self._computable(near):
                self.told_hidden.add(rows)

    def _declared(self, sums: Iterable[tuple[Table, Mapping[Address, Rows], Any]]) -> Iterator[Relation]:
        for _, found, one in sums:
            parts = [found[part] for part in one.parts if part in found and found[part].mask]
            if parts:
                total = found[one.total] if one.total else self.groups.together(parts)
                if total in self.worth:
                    yield self._with_rest(parts, total)

    def _nested(self) -> Iterator[Relation]:
        """Two numbers of which one holds all but 1 to 4 patients of the other's rows."""
        for inner, outer in self.groups.nested(self.worth, FEWEST - 1):
            yield self._with_rest([inner], outer)

    def _covered(self, cells: Sequence[Mapping[Address, Rows]]) -> Iterator[Relation]:
        """Numbers of one row or column of a table that are apart, and leave but few patients of another there."""
        lines: dict[tuple, set[Rows]] = {}
        for table, found in enumerate(cells):
            for (row, column), rows in found.items():
                for name in (row, column):
                    lines.setdefault((table, name, rows.level), set()).add(rows)
        for line in lines.values():
            for count in (2, 3):
                for inner, outer in self.groups.covers(line, FEWEST - 1, count):
                    yield self._with_rest(inner, outer)

    def _with_rest(self, parts: Sequence[Rows], total: Rows) -> Relation:
        rest = self.groups.rest(total, parts)
        return Relation(tuple([*parts, rest] if rest.mask else parts), total)

    def _is_shown(self, rows: Rows) -> bool:
        return rows in self.worth and rows not in self.told_hidden

    def _betrays(self, relation: Relation) -> bool:
        """Whether the total and the shown parts tell too much of what is left."""
        if not self._is_shown(relation.total):
            return False
        unknown = [rows for rows in relation.parts if not self._is_shown(rows)]
        if not any(_is_small(self.groups, rows) for rows in unknown):
            return False
        together = self.groups.together(unknown)
        return (
            len(unknown) < 2
            or sum(rows.number for rows in unknown) <= len(unknown)
            or _is_small(self.groups, together)
        )

    def _computable(self, near: Sequence[Relation] | None = None) -> Relation | None:
        """A relation with something shown, beside a small number that all shown numbers together give away.

        Args:
            near: look only at what hangs together with these.
        """
        from stsclinic.reporting.attack import given_away, reached

        lines: list[tuple[dict[Rows, int], int]] = []
        beside: dict[Rows, list[Relation]] = {}
        for relation in self.relations:
            signs = dict.fromkeys(relation.parts, 1)
            signs[relation.total] = signs.get(relation.total, 0) - 1
            unknown = {rows: sign for rows, sign in signs.items() if sign and not self._is_shown(rows)}
            known = -sum(sign * rows.number for rows, sign in signs.items() if self._is_shown(rows))
            if unknown:
                lines.append((unknown, known))
                for rows in unknown:
                    beside.setdefault(rows, []).append(relation)
        if near is not None:
            lines = reached(lines, {rows for one in near for rows in (*one.parts, one.total)})
        named = {rows for unknown, _ in lines for rows in unknown}
        small = [rows for rows in beside if rows in named and _is_small(self.groups, rows)]
        truth = {rows: rows.number for rows in beside}
        found = next(given_away(lines, truth, small, self.told_hidden), None)
        return None if found is None else self._nearest(found, beside)

    def _nearest(self, start: Rows, beside: Mapping[Rows, Sequence[Relation]]) -> Relation:
        """The first relation with something shown, from a number over the unknown ones beside it."""
        met = [start]
        for rows in met:
            for relation in beside[rows]:
                terms = (*relation.parts, relation.total)
                if any(self._is_shown(one) for one in terms):
                    return relation
                met += [one for one in terms if one not in met]
        raise AssertionError("a number beside unknown ones alone cannot be computed")


def _numbers(table: Table) -> Iterator[tuple[Address, Behind]]:
    for row, values in enumerate(table.rows):
        for column, value in zip(table.columns, values, strict=True):
            if column.is_number and value is not None and (found := table.behind(row, column.code)):
                yield (row, column.code), found


def _without(table: Table, hidden: set[Address], totals: set[tuple[str, int]]) -> Table:
    """The table without these numbers, nor what is computed from them. `totals`: of a share, by column."""
    rows = []
    rows_hidden = {row for row, _ in hidden}
    for number, values in enumerate(table.rows):
        row: list[Any] = []
        for column, value in zip(table.columns, values, strict=True):
            needed = (column.code, *column.computed_from)
            is_hidden = any((number, one) in hidden for one in needed)
            if value is not None and (is_hidden or (column.is_free_text and number in rows_hidden)):
                row.append(HIDDEN)
            elif isinstance(value, Share) and (column.code, value.of) in totals:
                row.append(value.n)
            else:
                row.append(value)
        rows.append(tuple(row))
    if rows == [tuple(one) for one in table.rows]:
        return table
    return replace(table, rows=rows, footnotes=(*table.footnotes, FOOTNOTE))
