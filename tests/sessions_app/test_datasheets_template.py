"""The template workbook: what one chooses from a list, what stands beside a column, and an example that is sound."""

import io

import openpyxl
import pytest

from sessions_app.datasheets.checking import check
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.reading import read_upload
from sessions_app.datasheets.template import EXAMPLE_ROWS, ROWS, write_template
from tests.sessions_app.datasheet_files import as_raw

EVERY = [(sheet, column) for sheet in SHEETS.values() for column in sheet.columns]


@pytest.fixture(scope="module")
def template():
    stream = io.BytesIO()
    write_template(stream)
    return stream


@pytest.fixture(scope="module")
def book(template):
    return openpyxl.load_workbook(template)


def validations(book):
    """By sheet and column: what Excel checks at its cells."""
    found = {}
    for name, sheet in SHEETS.items():
        for one in book[name].data_validations.dataValidation:
            for cells in one.sqref.ranges:
                for index in range(cells.min_col, cells.max_col + 1):
                    assert (cells.min_row, cells.max_row) == (2, ROWS + 1)
                    found[name, sheet.columns[index - 1].name] = one
    return found


def test_it_comes_back_empty_with_every_sheet_and_column(template):
    raw = read_upload(template, "template.xlsx")
    assert not raw.errors and not raw.warnings
    assert raw.is_empty
    assert {name: list(sheet.columns) for name, sheet in raw.sheets.items()} == {
        name: [column.name for column in sheet.columns] for name, sheet in SHEETS.items()
    }


def test_every_code_is_chosen_from_a_list_of_all_that_are_valid(book):
    found = validations(book)
    for sheet, column in EVERY:
        if column.kind not in ("code", "yes_no"):
            continue
        one = found[sheet.name, column.name]
        assert one.type == "list"
        name, _, cells = one.formula1.lstrip("=").partition("!")
        assert [row[0].value for row in book[name][cells]] == list(column.vocabulary), column.name


def test_a_number_is_held_to_its_range(book):
    one = validations(book)["sessions", "ptga"]
    assert (one.type, one.formula1, one.formula2) == ("whole", "1", "10")
    one = validations(book)["injections", "volume_ml"]
    assert (one.type, float(one.formula2)) == ("decimal", 100)


def test_each_column_says_its_meaning_its_unit_and_what_is_valid(book):
    guide = [[cell.value or "" for cell in row] for row in book["guide"].iter_rows(min_row=2)]
    assert [(row[0], row[1], row[3]) for row in guide] == [(s.name, c.name, c.unit) for s, c in EVERY]
    prompts = validations(book)
    for sheet, column in EVERY:
        comment = book[sheet.name].cell(1, sheet.columns.index(column) + 1).comment.text
        assert column.meaning in comment and "Valid is" in comment
        if column.unit:
            assert f"Unit: {column.unit}" in comment
            assert prompts[sheet.name, column.name].promptTitle.endswith(f"({column.unit})")


@pytest.mark.django_db
def test_the_worked_example_is_sound():
    checked = check(as_raw(EXAMPLE_ROWS))
    assert not checked.errors and not checked.warnings
    assert [name for name, rows in EXAMPLE_ROWS.items() if not rows] == ["infusions"]


def test_the_worked_example_stands_in_the_workbook(book):
    cells = {str(cell.value) for row in book["example"].iter_rows() for cell in row if cell.value is not None}
    for rows in EXAMPLE_ROWS.values():
        for row in rows:
            assert {text for text in row.values() if text} <= cells
