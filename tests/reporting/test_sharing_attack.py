"""An attacker with the shared report, the definitions of its numbers, and patience: no small group comes out.

The attacker knows what each number counts, and so which rows lie within which others, but not how many a
hidden one has. It subtracts what lies within one another over all tables, covers totals with parts of their
table, solves all declared sums at once, and undoes the arithmetic of percentages, rates and degrees of freedom.
"""

from fractions import Fraction
from itertools import combinations

import pytest

from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.rows import behind
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.suppression import FEWEST, fit_for_sharing
from stsclinic.reporting.tables import HIDDEN, Share, tables
from stsclinic.reporting.tables.table import Column, Rows, cell_text
from tests.reporting.registries import Mood, make_sheets
from tests.reporting.sheets import read_case, registry_of

CASES = ("aarhus", "orlando", "hershey", "coimbra", "kansas")


class Shared:
    """What the attacker has: each number with what it counts, told or not."""

    def __init__(self, found):
        self.whole = [table for table in found if not table.is_individual]
        self.shown = fit_for_sharing(found)
        self.cells = {}
        for table, shown in zip(self.whole, self.shown, strict=True):
            assert table.code == shown.code
            for row, values in enumerate(table.rows):
                for place, column in enumerate(table.columns):
                    told = table.behind(row, column.code) if column.is_number else None
                    if told is not None and values[place] is not None:
                        is_told = shown.rows[row][place] is not HIDDEN
                        keys = told.level, frozenset(told.keys)
                        self.cells[table.code, row, column.code] = keys, is_told
        self.told = {keys for keys, is_told in self.cells.values() if is_told}

    def leaks(self):
        return [
            *self.small(),
            *self.same(),
            *self.zeros(),
            *self.nested(),
            *self.covers(),
            *self.solved(),
            *self.undone(),
        ]

    def small(self):
        return [("told", where) for where, (keys, told) in self.cells.items() if told and is_small(keys)]

    def same(self):
        """A number that is hidden in one place and told in another."""
        for where, (keys, is_told) in self.cells.items():
            column = self.column(where)
            if not is_told and keys in self.told and keys[1] and not column.computed_from:
                yield "told elsewhere", where

    def zeros(self):
        """That none of a small group is elsewhere tells where all of it is."""
        for table in self.whole:
            for one in table.sums:
                total = self.cells.get((table.code, *one.total)) if one.total else None
                if total and is_small(total[0]):
                    for part in one.parts:
                        if self.cells.get((table.code, *part), (None, False))[1]:
                            yield "zero", table.code, part

    def nested(self):
        for inner, outer in combinations(sorted(self.told, key=lambda one: len(one[1])), 2):
            if inner[0] == outer[0] and inner[1] < outer[1] and is_small((inner[0], outer[1] - inner[1])):
                yield "difference", len(inner[1]), len(outer[1]), self.where(inner), self.where(outer)

    def covers(self):
        """Two or three told numbers of one table that are apart and leave a few of a total told there."""
        by_table = {}
        for (code, row, column), (keys, is_told) in self.cells.items():
            if is_told and keys[1]:
                by_table.setdefault((code, keys[0], column), set()).add(keys[1])
                by_table.setdefault((code, keys[0], row), set()).add(keys[1])
        totals = {}
        for (code, _, _), (keys, is_told) in self.cells.items():
            if is_told:
                totals.setdefault((code, keys[0]), set()).add(keys[1])
        for (code, level, _line), found in by_table.items():
            for count in (2, 3):
                for parts in combinations(found, count):
                    together = frozenset().union(*parts)
                    if len(together) != sum(map(len, parts)):
                        continue
                    for total in totals[code, level]:
                        if together < total and is_small((level, total - together)):
                            yield "parts", code, [len(part) for part in parts], len(total)

    def solved(self):
        """Gauss over all declared sums: the small numbers that have one value only."""
        lines = []
        for table in self.whole:
            for one in table.sums:
                parts = [
                    self.cells[table.code, *part][0]
                    for part in one.parts
                    if (table.code, *part) in self.cells
                ]
                if not parts:
                    continue
                union = parts[0][0], frozenset().union(*(keys for _, keys in parts))
                total = self.cells[table.code, *one.total][0] if one.total else union
                if one.total is None and total not in self.told:
                    continue
                line, known = {}, Fraction(0)
                rest = total[0], total[1] - union[1]
                for keys, sign in [*((part, 1) for part in {*parts, rest}), (total, -1)]:
                    if not keys[1]:
                        continue
                    if keys in self.told:
                        known -= sign * len(keys[1])
                    else:
                        line[keys] = line.get(keys, 0) + Fraction(sign)
                lines.append((line, known))
        for keys, value in eliminated(lines).items():
            if is_small(keys):
                yield "solved", len(keys[1]), value, self.where(keys)

    def undone(self):
        """A hidden count out of the other numbers of its row, by what its heading says it is."""
        for table in self.shown:
            for number, row in enumerate(table.as_dicts()):
                told = {code: value for code, value in row.items() if isinstance(value, (int, float))}
                for code, value in row.items():
                    if value is not HIDDEN:
                        continue
                    if code in ("n", "total") and {
                        "percent",
                        "ci95_low",
                        "value",
                        "points",
                        "mean",
                        "sd",
                        "t",
                        "df",
                        "p",
                    } & set(told):
                        kept = {"percent", "value"} & set(told)
                        # A share of none has no number of patients in it.
                        if any(told[one] for one in kept) or set(told) & {
                            "ci95_low",
                            "mean",
                            "sd",
                            "t",
                            "df",
                            "p",
                        }:
                            yield "undone", table.code, number, code, told
                    if code in ("events", "treatments", "injections") and {f"per_100_{code}"} & set(told):
                        yield "rate", table.code, number, code
                    if code == "events" and {"per_100_treatments", "per_100_injections"} & set(told):
                        yield "rate", table.code, number, code
            for number, row in enumerate(table.rows):
                for column, value in zip(table.columns, row, strict=True):
                    if isinstance(value, Share) and "(" in cell_text(column, value):
                        totals = [
                            one.total
                            for one in table.sums
                            if (number, column.code) in one.parts
                            and one.total
                            and one.total[1] == column.code
                        ]
                        for total in totals:
                            if table.value(*total) is HIDDEN:
                                yield "share", table.code, number, column.code

    def column(self, where):
        (table,) = [one for one in self.whole if one.code == where[0]]
        return next(one for one in table.columns if one.code == where[2])

    def where(self, keys):
        return [where for where, (found, _) in self.cells.items() if found == keys][:2]


def is_small(keys):
    return 0 < len({key[0] for key in keys[1]}) < FEWEST


def eliminated(lines):
    """The unknown numbers that linear equations have one value for."""
    rows, pivots = [(dict(line), known) for line, known in lines if line], {}
    for line, known in rows:
        for pivot, (of, value) in pivots.items():
            if factor := line.get(pivot):
                known -= factor * value
                for name, times in of.items():
                    line[name] = line.get(name, 0) - factor * times
        line = {name: times for name, times in line.items() if times}
        if not line:
            assert known == 0, "the sums contradict one another"
            continue
        pivot, by = next(iter(line.items()))
        line, known = {name: times / by for name, times in line.items()}, known / by
        for other, (of, value) in list(pivots.items()):
            if factor := of.get(pivot):
                less = {name: of.get(name, 0) - factor * line.get(name, 0) for name in {*of, *line}}
                pivots[other] = {name: times for name, times in less.items() if times}, value - factor * known
        pivots[pivot] = line, known
    return {pivot: value for pivot, (line, value) in pivots.items() if len(line) == 1}


def shared_of(registry, **selection):
    return Shared(tables(summarise(registry, Selection(**selection), allocation_visible=all_open)))


@pytest.mark.parametrize("unit", ["series", "patient", "lesion"])
@pytest.mark.parametrize("case", CASES)
def test_no_small_number_comes_out_of_a_published_case(case, unit):
    horizon = "end_of_treatment" if unit == "patient" else "follow_up"
    assert shared_of(registry_of(read_case(case)), unit=unit, horizon=horizon).leaks() == []


@pytest.mark.parametrize("seed", range(8))
def test_no_small_number_comes_out_of_an_invented_registry(seed):
    mood = Mood(
        seed=seed,
        patients=(12, 25, 40, 60)[seed % 4],
        max_series=1 + seed % 4,
        unknown=(0.0, 0.05, 0.3)[seed % 3],
        flat=False,
        protocol="placebo3" if seed == 5 else "",
    )
    found = shared_of(registry_of(make_sheets(mood)), unit=("series", "patient", "lesion")[seed % 3])
    assert found.leaks() == []


def test_what_the_aarhus_paper_states_first_can_be_published():
    """The rest of Table 1 is thin, but the result is there: 13 of 29 patients in complete remission."""
    found = shared_of(registry_of(read_case("aarhus")), unit="patient")
    by_code = {table.code: table for table in found.shown}
    cohort = dict(by_code["cohort"].rows)
    assert [cohort[one] for one in ("patients_offered", "patients_treated", "patients_analysed")] == [
        43,
        38,
        29,
    ]
    headline = {row["measure"]: row for row in by_code["headline"].as_dicts()}
    assert HIDDEN not in (
        *headline["ptga"].values(),
        *headline["phga"].values(),
        *headline["complete"].values(),
    )
    remission = {(row["horizon"], row["of"]): row for row in by_code["remission"].as_dicts()}
    assert remission["follow_up", "by_patient"]["complete"] == 13
    assert remission["follow_up", "by_lesion"]["complete"] == 22
    assert [row["value"] for row in by_code["ulcers"].as_dicts()][:2] == [11, 11]
    change = {(row["score"], row["to"]): row for row in by_code["change"].as_dicts()}
    for score in ("ptga", "phga"):
        for time in ("before_2", "last"):
            assert HIDDEN not in change[score, time].values()
    diagnosis = dict(by_code["analysed_by_diagnosis"].rows)
    assert diagnosis["lcssc"] == 18


class TestTheAttacker:
    """It finds what is there to be found: the ways by which numbers came out once."""

    def rows_of(self, groups, sums=()):
        rows = Rows((Column("n", "n", "count"), Column("percent", "Share", "number", "%", 1)))
        for group in groups:
            rows.add((len(group), None), behind("patients", group))
        return rows.table("one", "One", "patients")

    def people(self, *numbers):
        return [type("Person", (), {"patient_id": f"P{number}"})() for number in numbers]

    def attacked(self, table, monkeypatch):
        """The report as it would leave if nothing but small numbers were hidden."""
        import tests.reporting.test_sharing_attack as here

        def only_small(found):
            return [
                type(one)(
                    one.code,
                    one.title,
                    one.columns,
                    [
                        tuple(
                            HIDDEN
                            if column.is_number
                            and (told := one.behind(number, column.code))
                            and 0 < len(told.patient_ids) < FEWEST
                            else value
                            for column, value in zip(one.columns, row, strict=True)
                        )
                        for number, row in enumerate(one.rows)
                    ],
                    behind=one.behind,
                    sums=one.sums,
                )
                for one in found
            ]

        monkeypatch.setattr(here, "fit_for_sharing", only_small)
        return {leak[0] for leak in Shared([table]).leaks()}

    def test_a_group_within_another(self, monkeypatch):
        everyone = self.people(*range(29))
        assert "difference" in self.attacked(self.rows_of([everyone, everyone[:26]]), monkeypatch)

    def test_parts_that_leave_a_few(self, monkeypatch):
        everyone = self.people(*range(29))
        table = self.rows_of([everyone, everyone[:13], everyone[13:26]])
        assert "parts" in self.attacked(table, monkeypatch)

    def test_the_whole_report_of_aarhus(self, monkeypatch):
        import tests.reporting.test_sharing_attack as here

        found = tables(summarise(registry_of(read_case("aarhus"))))
        kept = [table for table in found if not table.is_individual]
        monkeypatch.setattr(here, "fit_for_sharing", lambda _: kept)
        assert {"told", "difference", "zero"} <= {leak[0] for leak in Shared(found).leaks()}
