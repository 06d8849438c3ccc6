"""What `make bench` prints of a row, and what it reads of a page. How long anything takes is no test."""

import pytest

from tests.tools.bench import hostile, large, large_rows
from tests.tools.bench.alone import Took
from tests.tools.bench.browser import fields_of
from tests.tools.bench.measuring import Amount, Measured, measure


@pytest.mark.parametrize(("work_ms", "is_over"), [(19.0, False), (20.0, False), (20.1, True)])
def test_a_row_over_its_budget_says_so(work_ms: float, is_over: bool):
    row = Measured(work="w", against="empty", floor_ms=2.0, work_ms=work_ms, budget=10)
    assert row.is_over is is_over
    assert ("OVER" in row.line()) is is_over


def test_floor_and_work_are_done_in_turns():
    done: list[str] = []
    measure("w", "f", 2, floor=lambda: done.append("f"), doing=lambda: done.append("w"), rounds=3)
    assert "".join(done) == "fw" * 4


def test_a_form_is_read_as_a_browser_sends_it():
    page = """<form id="other"><input name="no" value="x"></form>
    <form id="sheet"><input name="text" value="12"><input type="checkbox" name="off">
    <input type="checkbox" name="on" checked><input type="radio" name="r" value="a">
    <input type="radio" name="r" value="b" checked><select name="s"><option value="1"><option value="2" selected>
    </select><select name="first"><option value=""></select><textarea name="note"></textarea></form>"""
    assert fields_of(page, "sheet") == {
        "text": "12", "on": "on", "r": "b", "s": "2", "first": "", "note": ""
    }  # fmt: skip


@pytest.mark.parametrize(("amount", "is_over"), [(29.9, False), (30.0, False), (30.1, True)])
def test_an_amount_over_its_limit_says_so(amount: float, is_over: bool):
    row = Amount(work="w", unit="MiB above idle at the peak", amount=amount, budget=30)
    assert row.is_over is is_over
    assert ("OVER" in row.line()) is is_over


def test_of_the_hostile_files_the_worst_is_told(monkeypatch):
    given = dict.fromkeys(("a.zip", "b.xlsx", "c.zip"), (lambda: b"x", ""))
    monkeypatch.setattr(hostile, "files", lambda: given)
    read: list[set[str]] = []

    def taking(folder):
        read.append({path.name for path in folder.iterdir()})
        late = {"seconds": 9.0, "mib": 10} if len(read) == 1 else {"seconds": 0.5, "mib": 10}
        return {
            "a.zip": late,
            "b.xlsx": {"seconds": 1.5, "mib": 60},
            "c.zip": {"seconds": 1.0, "mib": 301},
        }

    monkeypatch.setattr(hostile, "_read", taking)
    slowest, largest = hostile.rows()
    assert read == [set(given)] * hostile.RUNS
    assert ("b.xlsx" in slowest.line(), slowest.amount, slowest.is_over) == (True, 1.5, False)
    assert ("c.zip" in largest.line(), largest.amount, largest.is_over) == (True, 301, True)


def test_the_large_registry_has_the_size_that_is_told():
    series = list(large_rows.visits(range(1, large_rows.PATIENTS + 1)))
    assert len(series) == 36_000
    assert len(series) * large_rows.SESSIONS == 144_000
    assert sum(one.treatments * len(one.lesions) for one in series) == 1_000_000
    assert {one.patient for one in series} == set(range(1, 10_001))


def test_a_larger_registry_begins_with_the_rows_of_a_smaller_one():
    few, more = ([*large_rows.injection_sheet(range(1, last))] for last in (34, 101))
    assert len(few) < len(more) and more[: len(few)] == few
    rest = [*large_rows.injection_sheet(range(34, 101))]
    assert few + rest[1:] == more


def test_rows_for_the_table_and_for_the_sheet_are_the_same():
    patients = range(1, 30)
    _names, *sheet = large_rows.injection_sheet(patients)
    table = [*large_rows.injection_rows(patients)]
    told = [(row["agent"], row["concentration_mg_ml"], row["volume_ml"], row["technique"], row["pain_vas"])
            for row in table]  # fmt: skip
    assert [row[4:] for row in sheet] == told


def test_each_task_is_measured_on_a_registry_of_the_size_that_its_row_names(monkeypatch):
    there: dict[str, int] = {}
    measured: list[tuple[str, int]] = []

    def alone(surroundings, name, *arguments):
        if name == "grow":
            there[surroundings["name"]] = arguments[1]
        else:
            measured.append((name, there[surroundings["name"]]))
        return Took(ms=float(there[surroundings["name"]]), first_ms=1, idle_mib=1, peak_mib=1)

    monkeypatch.setattr(large, "alone", alone)
    found = large.Large(is_postgresql=True, whole=100)
    found.registries = {has: large.Registry({"name": str(has)}, with_injections=has) for has in (True, False)}
    lines = [one.line() for one in large.rows(found, list(large.TASKS))]
    for name in ("report", "csv", "xlsx", "statistics", "import"):
        sizes = list(dict.fromkeys(size for one, size in measured if one == name))
        assert sizes == [10, 33, 100], name
    assert sum("times dearer" in line for line in lines) == len(large.TASKS)


def test_a_registry_never_shrinks():
    registry = large.Registry({}, with_injections=True, patients=10)
    with pytest.raises(ValueError, match="cannot have 9 again"):
        registry.grow_to(9)
