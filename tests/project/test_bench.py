"""What `make bench` prints of a row, and what it reads of a page. How long anything takes is no test."""

import pytest

from tests.tools.bench.browser import fields_of
from tests.tools.bench.measuring import Measured, measure


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
