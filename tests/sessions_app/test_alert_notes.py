"""What a sheet asks of its alerts: a note for what must be acknowledged, for the facts that were seen, once."""

import datetime

import pytest

from sessions_app.drafts import complete_draft, open_draft, plan_of, save_draft, texts_of
from sessions_app.models import AlertAcknowledgement, RecalledLot
from sessions_app.session_facts import facts_of
from sessions_app.sheet import read_sheet
from stsclinic.audit.services import write_new
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db
FIRST = datetime.date(2026, 1, 5)


@pytest.fixture
def anna():
    return make_user("clinician", make_clinic(), "anna")


@pytest.fixture
def series(anna):
    patient = make_patient(anna.memberships.get().clinic)
    lesion = make_lesion(patient)
    row = make_series(patient, [lesion])
    for number in (1, 2):
        session = make_session(row, held_on=FIRST + datetime.timedelta(days=7 * number - 7), ptga=3)
        make_assessment(session, lesion, longest_mm=6, widest_mm=5)
        make_injection(session, lesion, concentration_mg_ml=100)
    return row


def typed(series, **values):
    lesion = series.series_lesions.get().lesion
    start = f"lesion-{lesion.pk}-"
    return {
        "held_on": "2026-01-19",
        "performed_by": "anna",
        "ptga": "7",
        "phga": "6",
        "all-agent": "sts",
        "all-concentration_mg_ml": "100",
        f"{start}longest_mm": "9",
        f"{start}widest_mm": "8",
        f"{start}ulcer": "no",
        f"{start}inflammation": "no",
        f"{start}volume_ml": "0.5",
        **values,
    }


def save(draft, by, values):
    there = texts_of(draft)
    save_draft(
        draft=draft,
        names=(*plan_of(draft, by).field_names, *(name for name in values if name.startswith("ack-"))),
        typed={**there, **values},
        loaded=there,
        by=by,
    )


def complete(draft, by):
    return complete_draft(draft=draft, by=by, without_missing=True)


def test_what_informs_neither_blocks_nor_needs_a_note_nor_is_stored(series, anna):
    draft = open_draft(series=series, kind="treatment", by=anna)
    save(draft, anna, typed(series))
    done = complete(draft, anna)
    assert done.session is not None
    assert [(alert.code, alert.level) for alert in done.alerts.shown] == [
        ("ptga_worse", "inform"),
        ("lesion_grew", "inform"),
    ]
    assert not AlertAcknowledgement.objects.exists()


def test_a_note_counts_only_for_the_facts_that_were_seen(series, anna):
    draft = open_draft(series=series, kind="treatment", by=anna)
    save(draft, anna, typed(series, **{"all-concentration_mg_ml": "120"}))
    (key,) = complete(draft, anna).unacknowledged
    save(draft, anna, {"all-concentration_mg_ml": "150", f"ack-{key}": "Agreed"})
    again = complete(draft, anna)
    assert again.session is None
    (other,) = again.unacknowledged
    assert other != key
    save(draft, anna, {"all-concentration_mg_ml": "120"})
    assert complete(draft, anna).session is not None
    row = AlertAcknowledgement.objects.get()
    assert (row.code, row.note) == ("concentration_increased", "Agreed")
    assert "120 mg/ml" in row.facts
    assert "100 mg/ml" in row.facts


def test_the_facts_of_a_sheet_hold_what_came_before(series, anna, django_assert_max_num_queries):
    lesion = series.series_lesions.get().lesion
    later = make_series(series.patient, [lesion])
    for clinic, number in ((series.patient.clinic, "X1"), (make_clinic(), "X2")):
        write_new(RecalledLot(clinic=clinic, lot_number=number, recalled_on=FIRST), by="anna", source="page")
    draft = open_draft(series=later, kind="treatment", by=anna)
    save(draft, anna, typed(series, **{"all-lot_number": "X1"}))
    entry = read_sheet(plan_of(draft, anna), texts_of(draft)).entry
    with django_assert_max_num_queries(20):
        facts = facts_of(later, entry)
    assert facts.previous_visits == ()
    assert facts.earlier_series.series_no == 1
    assert [visit.ptga for visit in facts.earlier_series.sessions] == [3, 3]
    assert facts.earlier_series.sessions[0].sizes[0].longest_mm == 6
    assert facts.session.injections[0].lot_number == "X1"
    assert facts.session.sizes[0].longest_mm == 9
    assert [lot.lot_number for lot in facts.recalled_lots] == ["X1"]
    own = facts_of(series, entry)
    assert [visit.held_on.day for visit in own.previous_visits] == [5, 12]
    assert own.earlier_series is None
