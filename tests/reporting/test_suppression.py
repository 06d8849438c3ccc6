"""Small numbers on shared outputs: none is told, and none can be computed from the totals that are shown."""

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.rows import behind
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.suppression import FEWEST, FOOTNOTE, fit_for_sharing
from stsclinic.reporting.tables import HIDDEN, tables
from stsclinic.reporting.tables.table import Column, Rows, Share, Sum
from tests.reporting.registries import Mood, make_sheets
from tests.reporting.sheets import read_case, registry_of

CASES = ("aarhus", "orlando", "hershey", "coimbra", "kansas")


class Person:
    """Somebody who is counted."""

    def __init__(self, number):
        self.patient_id = f"P{number}"


def cross_table(counts):
    """A table of so many persons in each cell, with totals of rows, columns and all."""
    height, width = len(counts), len(counts[0])
    people = iter(range(10_000))
    cells = [[[Person(next(people)) for _ in range(count)] for count in row] for row in counts]
    names = [f"c{place}" for place in range(width)]
    rows = Rows(Column(code, code, "count") for code in (*names, "all"))
    for row in cells:
        groups = [*row, [one for cell in row for one in cell]]
        rows.add(
            [len(one) for one in groups],
            by=dict(zip((*names, "all"), (behind("patients", one) for one in groups), strict=True)),
        )
    columns = [[one for row in cells for one in row[place]] for place in range(width)]
    groups = [*columns, [one for column in columns for one in column]]
    rows.add(
        [len(one) for one in groups],
        by=dict(zip((*names, "all"), (behind("patients", one) for one in groups), strict=True)),
    )
    for row in range(height + 1):
        rows.sums.append(Sum([(row, name) for name in names], (row, "all")))
    for name in (*names, "all"):
        rows.sums.append(Sum([(row, name) for row in range(height)], (height, name)))
    return rows.table("cross", "Cross", "patients")


def solutions(shown):
    """Every table of whole numbers that fits what is shown. Slow and obvious.

    What is hidden is not 0, but where the total beside it is hidden too.
    """
    height, width = len(shown) - 1, len(shown[0]) - 1
    most = 14
    choices = [
        range(HIDDEN not in (shown[row][width], shown[height][place]), most)
        if shown[row][place] is HIDDEN
        else (shown[row][place],)
        for row in range(height)
        for place in range(width)
    ]
    for values in product(*choices):
        inner = [values[row * width : (row + 1) * width] for row in range(height)]
        whole = [(*row, sum(row)) for row in inner]
        whole.append(tuple(sum(column) for column in zip(*whole, strict=True)))
        if all(
            told is HIDDEN or value == told
            for row, told_row in zip(whole, shown, strict=True)
            for value, told in zip(row, told_row, strict=True)
        ):
            yield whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=3), min_size=2, max_size=2))
def test_no_small_number_can_be_computed_from_the_totals(counts):
    assume(len({len(row) for row in counts}) == 1)
    table = cross_table(counts)
    (shown,) = fit_for_sharing([table])
    small = [(r, c) for r, row in enumerate(table.rows) for c, value in enumerate(row) if 0 < value < FEWEST]
    for row in shown.rows:
        assert all(value is HIDDEN or value == 0 or value >= FEWEST for value in row)
    if sum(value is HIDDEN for row in shown.rows[:-1] for value in row[:-1]) > 4:
        return  # too many to try; the smaller ones show it
    possible: dict = {cell: set() for cell in small}
    for whole in solutions(shown.rows):
        for row, column in small:
            possible[row, column].add(whole[row][column])
    assert all(len(values) > 1 for values in possible.values()), (shown.rows, possible)


def test_two_hidden_ones_that_could_only_be_1_and_1_take_a_third_with_them():
    (shown,) = fit_for_sharing([cross_table([[1, 1, 9, 20]])])
    assert list(shown.rows[0]) == [HIDDEN, HIDDEN, HIDDEN, 20, 31]


def test_large_numbers_are_all_told():
    table = cross_table([[5, 6], [7, 8]])
    assert fit_for_sharing([table])[0].rows == table.rows


def test_a_number_is_hidden_in_every_table_in_which_it_stands():
    few, many = [Person(n) for n in range(3)], [Person(n) for n in range(3, 30)]
    split = Rows((Column("n", "n", "count"),))
    for group in (few, many):
        split.add((len(group),), behind("patients", group))
    split.sums.append(Sum([(0, "n"), (1, "n")]))
    other = Rows((Column("n", "n", "count"),))
    other.add((3,), behind("patients", list(few)))
    other.add((27,), behind("patients", list(many)))
    for _ in range(3):
        other.add((30,), behind("patients", [*few, *many]))
    first, second = fit_for_sharing([split.table("a", "A", "patients"), other.table("b", "B", "patients")])
    assert first.rows == [(HIDDEN,), (HIDDEN,)]
    assert second.rows == [(HIDDEN,), (HIDDEN,), (30,), (30,), (30,)]
    assert FOOTNOTE in first.footnotes


@pytest.mark.parametrize("case", CASES)
def test_nothing_shared_is_of_fewer_than_five_patients(case):
    found = tables(summarise(registry_of(read_case(case)), allocation_visible=all_open))
    shared = fit_for_sharing(found)
    assert not any(table.is_individual for table in shared)
    whole = {table.code: table for table in found}
    for table in shared:
        for number, row in enumerate(table.rows):
            for column, value in zip(table.columns, row, strict=True):
                told = whole[table.code].behind(number, column.code)
                if value is not HIDDEN and value is not None and told is not None and column.is_number:
                    assert not told.patient_ids or len(told.patient_ids) >= FEWEST, (table.code, column.code)


def test_the_totals_of_aarhus_stay_and_its_small_numbers_do_not():
    shared = {
        table.code: table for table in fit_for_sharing(tables(summarise(registry_of(read_case("aarhus")))))
    }
    cohort = dict(shared["cohort"].rows)
    assert (cohort["patients_offered"], cohort["patients_treated"], cohort["patients_analysed"]) == (
        43,
        38,
        29,
    )
    assert [row[1] for row in shared["analysed_by_sex"].rows] == [HIDDEN, HIDDEN]
    remission = {(row["horizon"], row["of"]): row for row in shared["remission"].as_dicts()}
    assert remission["follow_up", "by_patient"]["none"] is HIDDEN
    assert list(remission["follow_up", "by_patient"].values()).count(HIDDEN) > 1


def test_that_a_few_had_no_side_effect_is_not_told():
    """Of each of them it would tell that there was none."""
    of_nobody = 0
    for seed in range(30):
        mood = Mood(seed=seed, patients=6, max_series=2, unknown=0.05, flat=False, protocol="")
        found = tables(summarise(registry_of(make_sheets(mood)), allocation_visible=all_open))
        whole, shared = (
            [row for table in one if table.code == "side_effect_rates" for row in table.as_dicts()]
            for one in (found, fit_for_sharing(found))
        )
        for told, row in zip(whole, shared, strict=True):
            if row["treatments"] is HIDDEN:
                assert (row["events"], row["patients"]) == (HIDDEN, HIDDEN)
                of_nobody += told["events"] == 0
    assert of_nobody


def test_a_percentage_does_not_tell_a_hidden_total():
    shared = fit_for_sharing(tables(summarise(registry_of(read_case("aarhus")))))
    (table,) = [one for one in shared if one.code == "characteristics"]
    totals = {row[0]: row for row in table.rows if row[1] == "n"}
    for row in table.rows:
        for place, value in enumerate(row):
            if isinstance(value, Share):
                assert value.of in (totals["Patients"][place], totals["Lesions treated"][place])
