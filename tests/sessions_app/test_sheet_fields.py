"""The sheet's fields that are written by hand: every value is escaped, and what a field says stands in it."""

import pytest

from lesions.models import Lesion
from sessions_app.drafts import Conflict
from sessions_app.sheet_arithmetic import LesionSum, Offer
from sessions_app.sheet_page import Cell, LesionRow
from sessions_app.templatetags.sheet import sheet_lesion, sheet_notes, sheet_part, sheet_yes_no

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


def lesion_row(text: str, **values) -> LesionRow:
    """A lesion of which every text says the same."""
    names = (
        "gone",
        "confirmed",
        "longest_mm",
        "widest_mm",
        "ulcer",
        "inflammation",
        "pga",
        "volume_ml",
        "pain_vas",
    )
    cells = {name: cell(name=f"{text}-{name}", label=text, value=text, error=text) for name in names}
    offer = Offer(volume=text, words=text)
    return LesionRow(
        **{
            "lesion": Lesion(pk=7, lesion_id=text, body_site="elbow", site_detail=text),
            "cells": cells,
            "sum": LesionSum(
                is_seen=True, area=None, wider=text, injection=None, last_time=offer, by_area=offer
            ),
            "last_words": text,
            "may_confirm": True,
            "was_gone": False,
            "confirms": text,
            "is_confirmed": True,
            "own": [cell(name=text, label=text, value=text, unit=text)],
            "is_gone": False,
            "own_words": text,
            "opens_own": True,
            "region": text,
            **values,
        }
    )


def test_nothing_typed_of_a_lesion_becomes_markup():
    written = sheet_lesion(lesion_row(HOSTILE), may_record=True, offers_by_area=True)
    assert "<script>" not in written
    assert HOSTILE not in written
    assert written.count("&lt;script&gt;") > 60


def test_what_a_lesion_offers():
    row = lesion_row("x")
    both = sheet_lesion(row, may_record=False, offers_by_area=True)
    assert both.count('data-offer="l"') == both.count('data-offer="p"') == 1 and "Photograph" not in both
    assert 'aria-describedby="last-7 id_x-longest_mm_error" aria-invalid="true"' in both
    assert 'data-offer="p"' not in sheet_lesion(row, may_record=False, offers_by_area=False)
    none = LesionSum(is_seen=True, area=None, wider="", injection=None, last_time=None, by_area=None)
    waiting = sheet_lesion(lesion_row("x", sum=none), may_record=False, offers_by_area=True)
    assert 'data-offer="l"' not in waiting and 'data-offer="p" tabindex="-1" disabled hidden>' in waiting


def test_as_last_time_is_offered_where_there_is_one():
    row = lesion_row("", may_confirm=False, is_confirmed=False, was_gone=True)
    written = sheet_lesion(row, may_record=False, offers_by_area=False)
    assert "data-may-confirm" not in written and "data-confirmed" not in written
    assert "data-was-gone" in written and "Gone, as last time" in written
    assert "data-confirmed checked" in sheet_lesion(lesion_row("x"), may_record=False, offers_by_area=False)


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
