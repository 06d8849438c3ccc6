"""The sheet's fields that are written by hand: every value is escaped, and what a field says stands in it."""

import pytest

from sessions_app.drafts import Conflict
from sessions_app.sheet_page import Cell
from sessions_app.templatetags.sheet import sheet_notes, sheet_part, sheet_yes_no

HOSTILE = '"><script>x</script>'


def cell(**values) -> Cell:
    return Cell(**{"name": "lesion-1-agent", "label": "Agent", **values})


@pytest.mark.parametrize("write", [sheet_part, sheet_yes_no, sheet_notes])
@pytest.mark.parametrize("options", [[], [("", "–"), (HOSTILE, HOSTILE)]])
@pytest.mark.parametrize("unit", ["", HOSTILE])
def test_nothing_typed_becomes_markup(write, options, unit):
    written = write(
        cell(
            name=HOSTILE,
            label=HOSTILE,
            value=HOSTILE,
            unit=unit,
            error=HOSTILE,
            last=HOSTILE,
            last_value=HOSTILE,
            options=options,
            conflict=Conflict(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 3),
            by_patient=HOSTILE,
        )
    )
    assert "<script>" not in written
    assert written.count("&lt;script&gt;") >= 4


def test_a_choice():
    written = sheet_part(cell(value="sts", options=[("", "–"), ("sts", "STS"), ("saline", "Saline")]))
    assert '<label for="id_lesion-1-agent">Agent</label>' in written
    assert '<select class="form-select" name="lesion-1-agent" id="id_lesion-1-agent"' in written
    assert '<option value="sts" selected>STS</option><option value="saline">Saline</option>' in written


def test_a_number_has_its_unit_and_a_text_none():
    assert 'inputmode="decimal"' in sheet_part(cell(unit="mg/ml"))
    assert '<span class="unit">mg/ml</span>' in sheet_part(cell(unit="mg/ml"))
    assert 'type="text" maxlength="60"' in sheet_part(cell())


def test_a_fault_is_tied_to_its_field():
    written = sheet_part(cell(error="Choose one of the list."))
    assert 'aria-invalid="true" aria-describedby="id_lesion-1-agent_error"' in written
    assert '<p class="field-error" id="id_lesion-1-agent_error">Choose one of the list.</p>' in written
    assert "has-error" in written
    assert "error" not in sheet_part(cell())


def test_yes_or_no():
    written = sheet_yes_no(
        cell(value="no", last_value="yes", options=[("", "–"), ("yes", "Yes"), ("no", "No")]), "U"
    )
    assert 'data-yes-no="U"' in written
    assert (
        '<label class="was-last"><input type="radio" name="lesion-1-agent" id="id_lesion-1-agent_1" value="yes">'
        in written
    )
    assert 'id="id_lesion-1-agent_2" value="no" checked>' in written
    assert "data-yes-no" not in sheet_yes_no(cell(options=[("", "–")]))


def test_what_stands_below_a_field():
    assert sheet_notes(cell()) == ""
    written = sheet_notes(cell(last="STS, 13-Nov-2026", conflict=Conflict("n", "mine", "theirs", "anna", 7)))
    assert '<span class="last-value">STS, 13-Nov-2026</span>' in written
    assert 'data-theirs="theirs" data-by="anna" data-version="7">anna typed “theirs”</p>' in written
