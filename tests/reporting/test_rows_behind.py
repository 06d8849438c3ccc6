"""From number to rows: every count of every table has exactly that many rows behind it."""

import pytest

from stsclinic.reporting.disclosure import all_closed, all_open
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.tables import Share, Spread, tables
from stsclinic.reporting.tables.behind import rows_behind
from tests.reporting.sheets import read_case, registry_of

CASES = ("aarhus", "orlando", "hershey", "coimbra", "kansas")


@pytest.fixture(scope="module")
def registries():
    return {case: registry_of(read_case(case)) for case in CASES}


def numbers(table):
    """(row, column, how many) of each cell that counts something."""
    for number, row in enumerate(table.rows):
        for column, value in zip(table.columns, row, strict=True):
            if column.kind in ("count", "figure") and value is not None:
                yield number, column.code, value.n if isinstance(value, (Share, Spread)) else value


def count_of(value):
    return value.n if isinstance(value, (Share, Spread)) else value


@pytest.mark.parametrize("visible", [all_open, all_closed], ids=["open", "closed"])
@pytest.mark.parametrize("case", CASES)
def test_every_count_has_exactly_that_many_rows(registries, case, visible):
    report = summarise(registries[case], allocation_visible=visible)
    walked = 0
    for table in tables(report):
        for row, column, count in numbers(table):
            found = table.behind(row, column)
            where = f"{table.code}, row {row}, {column}"
            assert found is not None, where
            listed = rows_behind(report, found)
            assert len(listed.rows) == count, where
            assert len(set(found.keys)) == count, where
            assert all(len(one) == len(listed.columns) for one in listed.rows), where
            walked += 1
    assert walked > 100


EXPOSURE = {"treatments": "Sessions", "injections": "Injections"}


@pytest.mark.parametrize("case", CASES)
def test_what_a_rate_is_per_opens_the_treatments_and_injections(registries, case):
    report = summarise(registries[case], allocation_visible=all_open)
    (rates,) = [table for table in tables(report) if table.code == "side_effect_rates"]
    for number, row in enumerate(rates.as_dicts()):
        for column, title in EXPOSURE.items():
            listed = rows_behind(report, rates.behind(number, column))
            assert (listed.title, len(listed.rows)) == (title, row[column])


@pytest.mark.parametrize("case", CASES)
def test_every_other_number_of_a_summary_leads_to_rows_too(registries, case):
    report = summarise(registries[case], allocation_visible=all_open)
    for table in tables(report):
        if table.is_individual:
            continue
        for number, row in enumerate(table.rows):
            for column, value in zip(table.columns, row, strict=True):
                if column.is_number and value is not None:
                    assert table.behind(number, column.code) is not None, (table.code, column.code)


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_to_add_up_does(registries, case):
    report = summarise(registries[case], allocation_visible=all_open)
    sums = 0
    for table in tables(report):
        for one in table.sums:
            parts = [count_of(table.value(*part)) for part in one.parts]
            if one.total is not None:
                assert sum(parts) == count_of(table.value(*one.total)), (table.code, one)
            sums += 1
    assert sums > 10


def test_means_are_those_of_the_rows_behind_them(registries):
    """A mean of the decrease, reckoned again from the list that it opens."""
    report = summarise(registries["aarhus"])
    (change,) = [table for table in tables(report) if table.code == "change"]
    (last,) = [row for row, cells in enumerate(change.rows) if cells[0] == "ptga" and cells[2] == "last"]
    listed = rows_behind(report, change.behind(last, "mean_decrease")).as_dicts()
    decreases = [row["ptga_first"] - row["ptga_last"] for row in listed]
    assert change.value(last, "mean_decrease") == pytest.approx(sum(decreases) / len(decreases))


def test_a_selection_of_lesions_keeps_the_numbers_and_their_rows_together(registries):
    chosen = Selection(body_sites=frozenset({"thumb", "index_finger"}))
    report = summarise(registries["aarhus"], chosen)
    for table in tables(report):
        for row, column, count in numbers(table):
            assert len(table.behind(row, column).keys) == count, (table.code, row, column)
    sites = {
        row["body_site"] for table in tables(report) if table.code == "lesions" for row in table.as_dicts()
    }
    assert sites == {"thumb", "index_finger"}
