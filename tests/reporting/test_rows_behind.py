"""From number to rows: every count of every table has exactly that many rows behind it."""

import statistics

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


NAMES_A_ROW = ("series_no",)


@pytest.mark.parametrize("case", CASES)
def test_every_other_number_leads_to_rows_too(registries, case):
    report = summarise(registries[case], allocation_visible=all_open)
    for table in tables(report):
        for number, row in enumerate(table.rows):
            for column, value in zip(table.columns, row, strict=True):
                if column.is_number and column.code not in NAMES_A_ROW and value is not None:
                    found = table.behind(number, column.code)
                    assert found is not None, (table.code, column.code)
                    assert found.keys == found.keys, (table.code, column.code)


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


COUNTED = [
    # table, the row's first values, column, decimals: the mean of the values listed is the number
    ("change", ("ptga", "before_1", "before_2"), "mean_decrease", 1),
    ("change", ("phga", "before_1", "before_3"), "mean_decrease", 1),
    ("scores", ("ptga", "before_2"), "mean", 1),
    ("scores", ("phga", "last"), "mean", 2),
    ("headline", ("ptga",), "points", 2),
    ("how_sure_scores", ("phga", "averaged"), "value", 2),
    ("how_sure_scores", ("ptga", "all_series"), "value", 2),
]


@pytest.mark.parametrize(("table", "first", "column", "decimals"), COUNTED)
def test_the_value_that_was_counted_stands_beside_each_row(registries, table, first, column, decimals):
    report = summarise(registries["aarhus"])
    (found,) = [one for one in tables(report) if one.code == table]
    (row,) = [number for number, one in enumerate(found.rows) if tuple(one[: len(first)]) == first]
    listed = rows_behind(report, found.behind(row, column)).as_dicts()
    values = [one["counted"] for one in listed]
    assert round(statistics.mean(values), decimals) == round(found.value(row, column), decimals)
    assert len(set(values)) > 1


@pytest.mark.parametrize(
    ("name", "label", "low", "high"),
    [
        ("Age at first treatment", "Age at first treatment", 18, 100),
        ("Duration since the first lesion", "Duration since the first lesion", 0, 60),
        ("Size, longest × widest", "Size, longest × widest", 0, 1e6),
    ],
)
def test_a_median_lists_what_it_is_of(registries, name, label, low, high):
    report = summarise(registries["aarhus"])
    (found,) = [one for one in tables(report) if one.code == "characteristics"]
    row = next(number for number, one in enumerate(found.rows) if one[0] == name)
    listed = rows_behind(report, found.behind(row, "complete"))
    values = [one["counted"] for one in listed.as_dicts()]
    assert statistics.median(values) == pytest.approx(found.value(row, "complete").median)
    assert all(low <= value <= high for value in values)
    assert label in [column.label for column in listed.columns]


def test_doses_list_their_mg_and_times_their_days(registries):
    report = summarise(registries["aarhus"])
    found = {one.code: one for one in tables(report)}
    doses = rows_behind(report, found["doses"].behind(0, "dose_mg")).as_dicts()
    assert sum(one["dose_mg"] for one in doses) == pytest.approx(found["doses"].value(0, "dose_mg"))
    days = [one["counted"] for one in rows_behind(report, found["gone_summary"].behind(0, "gone")).as_dicts()]
    assert len(days) == 22
    steps = found["time_to_gone"].as_dicts()
    assert sorted(days) == sorted(day["days"] for day in steps for _ in range(day["gone"]))


def test_a_lesion_says_why_at_the_horizon_that_was_chosen(registries):
    report = summarise(registries["aarhus"], Selection(horizon="end_of_treatment"))
    (found,) = [one for one in tables(report) if one.code == "remission"]
    listed = rows_behind(report, found.behind(3, "complete"))
    assert listed.columns[-1].label == "Reason, end of treatment"
    assert len(listed.rows) == 8
    assert all("gone" in row["reason"] for row in listed.as_dicts())


def test_a_mean_of_an_arm_is_that_of_its_lesions(registries):
    report = summarise(registries["orlando"], allocation_visible=all_open)
    (arms,) = [one for one in tables(report) if one.code == "controlled_arms"]
    for column in ("size_cm2_baseline", "size_cm2_end", "pga_end", "size_change_percent"):
        for row in (0, 1):
            listed = rows_behind(report, arms.behind(row, column)).as_dicts()
            assert statistics.mean(one["counted"] for one in listed) == pytest.approx(arms.value(row, column))


SINGLE = [
    # case, table, horizon, column, how its number follows from the values listed, in the order of the days
    ("aarhus", "score_lines", "follow_up", "before_1", lambda one: one),
    ("aarhus", "score_lines", "follow_up", "before_3", lambda one: one),
    ("aarhus", "score_lines", "follow_up", "change", lambda first, last: last - first),
    ("aarhus", "series", "follow_up", "ptga_first", lambda one: one),
    ("aarhus", "series", "follow_up", "phga_last", lambda one: one),
    ("aarhus", "sizes", "follow_up", "size_baseline", lambda one: one),
    ("aarhus", "sizes", "follow_up", "size_end", lambda one: one),
    ("aarhus", "sizes", "end_of_treatment", "size_end", lambda one: one),
    (
        "aarhus",
        "sizes",
        "follow_up",
        "size_change_percent",
        lambda before, after: 100 * (after - before) / before,
    ),
    ("orlando", "controlled_subjects", "follow_up", "size_cm2_baseline", lambda one: one),
    ("orlando", "controlled_subjects", "follow_up", "size_cm2_end", lambda one: one),
    ("orlando", "controlled_subjects", "follow_up", "size_change_cm2", lambda before, after: after - before),
    ("orlando", "controlled_subjects", "follow_up", "pga_change", lambda before, after: after - before),
    ("orlando", "controlled_subjects", "follow_up", "observer_pga_end", lambda one: one),
    (
        "orlando",
        "controlled_subjects",
        "follow_up",
        "observer_pga_change",
        lambda before, after: after - before,
    ),
    ("orlando", "table_iii", "follow_up", "active_pga_baseline", lambda one: one),
    ("orlando", "table_iii", "follow_up", "active_observer_end", lambda one: one),
    ("orlando", "table_iii", "follow_up", "control_pga_end", lambda one: one),
    (
        "orlando",
        "table_iii",
        "follow_up",
        "control_size_change",
        lambda before, after: 100 * (after - before) / before,
    ),
]


@pytest.mark.parametrize(
    ("case", "table", "horizon", "column", "made_from"), SINGLE, ids=[" ".join(one[:4]) for one in SINGLE]
)
def test_a_number_of_one_patient_opens_the_sessions_that_it_was_recorded_at(
    registries, case, table, horizon, column, made_from
):
    report = summarise(registries[case], Selection(horizon=horizon), allocation_visible=all_open)
    (found,) = [one for one in tables(report) if one.code == table]
    compared = set()
    for row, cells in enumerate(found.as_dicts()):
        if cells[column] is None:
            continue
        listed = rows_behind(report, found.behind(row, column)).as_dicts()
        assert {one["patient_id"] for one in listed} == {cells.get("patient_id", cells.get("subject"))}
        assert [one["held_on"] for one in listed] == sorted(one["held_on"] for one in listed)
        assert made_from(*(one["counted"] for one in listed)) == pytest.approx(cells[column])
        compared.add(cells[column])
    assert len(compared) > 1 or table == "table_iii"


def test_the_grade_of_a_course_opens_its_side_effect(registries):
    report = summarise(registries["aarhus"], allocation_visible=all_open)
    (found,) = [one for one in tables(report) if one.code == "side_effect_course"]
    graded = [(row, one) for row, one in enumerate(found.as_dicts()) if one["grade"] is not None]
    assert len({one["grade"] for _row, one in graded}) > 1
    for row, one in graded:
        (listed,) = rows_behind(report, found.behind(row, "grade")).as_dicts()
        assert [listed[name] for name in ("patient_id", "term", "grade")] == [
            one["patient_id"],
            one["term"],
            one["grade"],
        ]
        assert listed["onset_on"] == one["held_on"]


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
