"""What a sheet is told before the needle, what then stands in the way, what a correction brings about."""

import datetime
import json
from dataclasses import replace

import pytest
from django.urls import reverse

from lesions.models import Medication
from sessions_app.drafts import (
    complete_draft,
    open_correction,
    open_draft,
    plan_of,
    save_draft,
    texts_of,
)
from sessions_app.models import AlertAcknowledgement, SideEffect, TreatmentSession
from sessions_app.session_alerts import alerts_of_sheet, cards_of, notes_in
from sessions_app.session_facts import facts_of
from sessions_app.sheet import planned_injections, read_sheet
from stsclinic.audit.services import change, write_new
from stsclinic.clinical.alerts import alerts_of
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
DAY = datetime.date(2026, 1, 12)


@pytest.fixture
def anna(client):
    user = make_user("clinician", make_clinic(), "anna")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def clinic(anna):
    return anna.memberships.get().clinic


@pytest.fixture
def at_risk(clinic):
    """A thumb and an elbow, Raynaud's phenomenon, and bosentan stopped two months before DAY."""
    patient = make_patient(clinic, sex="male", raynaud="yes")
    write_new(
        Medication(patient=patient, name="bosentan", role="vasodilator", stopped_on="2025-11-12"),
        by="anna",
        source="page",
    )
    return make_series(
        patient, [make_lesion(patient, body_site="thumb"), make_lesion(patient, body_site="elbow")]
    )


def opened(series, by, **values):
    draft = open_draft(series=series, kind="treatment", by=by)
    save(draft, by, held_on=DAY.isoformat(), **values)
    return draft


def save(draft, by, **values):
    names = (*plan_of(draft, by).field_names, *(name for name in values if name.startswith("ack-")))
    there = texts_of(draft)
    save_draft(draft=draft, names=names, typed={**there, **values}, loaded=there, by=by)


def told(draft, by):
    plan, values = plan_of(draft, by), texts_of(draft)
    return alerts_of_sheet(plan, values, read_sheet(plan, values), DAY)


def field(series, site, name):
    lesion = series.series_lesions.get(lesion__body_site=site).lesion_id
    return f"lesion-{lesion}-{name}"


def codes(alerts):
    return [alert.code for alert in alerts.shown]


def due(alerts):
    return [alert.code for alert in alerts.shown if alert.key in alerts.due]


def test_a_finger_that_may_be_injected_speaks_before_there_is_a_volume(at_risk, anna):
    alerts = told(opened(at_risk, anna), anna)
    assert codes(alerts) == ["vasodilator_stopped"]
    assert due(alerts) == []
    assert "bosentan was stopped on 12-Nov-2025" in alerts.shown[0].reason


def test_it_stands_in_the_way_once_the_finger_is_injected_and_not_before(at_risk, anna):
    draft = opened(at_risk, anna, **{field(at_risk, "elbow", "volume_ml"): "0.2"})
    before = told(draft, anna)
    save(draft, anna, **{field(at_risk, "thumb", "volume_ml"): "0.2"})
    after = told(draft, anna)
    assert due(before) == []
    assert due(after) == ["vasodilator_stopped"]
    assert before.shown == after.shown, "A volume asked for the note again"


@pytest.mark.parametrize("typed", [{"gone": "on"}, {"volume_ml": "x", "gone": "on"}])
def test_a_finger_that_is_gone_is_not_to_be_injected(at_risk, anna, typed):
    values = {field(at_risk, "thumb", name): text for name, text in typed.items()}
    assert codes(told(opened(at_risk, anna, **values), anna)) == []


def test_a_finger_that_was_gone_last_time_is_one_again_when_it_is_measured(at_risk, anna):
    thumb = at_risk.series_lesions.get(lesion__body_site="thumb").lesion
    nothing = {"longest_mm": None, "widest_mm": None, "ulcer": None}
    make_assessment(make_session(at_risk, FIRST, kind="follow_up"), thumb, status="gone", **nothing)
    draft = opened(at_risk, anna)
    assert codes(told(draft, anna)) == []
    save(draft, anna, **{field(at_risk, "thumb", "longest_mm"): "4"})
    assert codes(told(draft, anna)) == ["vasodilator_stopped"]


@pytest.mark.parametrize("held_on", ["", "12.1.2026"])
def test_a_sheet_that_cannot_be_read_yet_is_told_of_all_the_same(at_risk, anna, held_on):
    draft = opened(at_risk, anna)
    save(draft, anna, held_on=held_on, ptga="fine", **{field(at_risk, "elbow", "longest_mm"): "1.000,5"})
    assert codes(told(draft, anna)) == ["vasodilator_stopped"]


def test_the_note_that_is_kept_is_kept_with_what_was_seen_when_it_was_written(at_risk, anna):
    draft = opened(at_risk, anna)
    (alert,) = told(draft, anna).shown
    volume, size = field(at_risk, "thumb", "volume_ml"), {"longest_mm": "9", "widest_mm": "8", "ulcer": "no"}
    save(
        draft,
        anna,
        **{f"ack-{alert.key}": " Asked ", volume: "0.2", "all-concentration_mg_ml": "150"},
        **{field(at_risk, "thumb", name): text for name, text in size.items()},
    )
    session = complete_draft(draft=draft, by=anna, without_missing=True).session
    row = AlertAcknowledgement.objects.get(session=session)
    assert (row.code, row.note, row.facts) == (alert.code, "Asked", alert.reason)


def test_a_note_on_other_facts_is_shown_and_counts_no_more(at_risk, anna):
    draft = opened(at_risk, anna)
    (before,) = told(draft, anna).shown
    save(draft, anna, **{f"ack-{before.key}": "Asked"})
    write_new(
        Medication(patient=at_risk.patient, name="iloprost", role="vasodilator", stopped_on="2026-01-10"),
        by="anna",
        source="page",
    )
    alerts = told(draft, anna)
    (card,) = cards_of(alerts, notes_in(texts_of(draft)))
    assert (card.note, card.other_note) == ("", "Asked")
    assert "iloprost" in card.alert.reason


def test_the_page_shows_each_alert_once_with_its_source_and_its_note(client, at_risk, anna):
    draft = opened(at_risk, anna)
    (alert,) = told(draft, anna).shown
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    assert page.count(f'data-alert="{alert.key}"') == 1
    assert page.count("bosentan was stopped") == 1
    assert "Source: Coimbra: letter" in page and "Source: 003" not in page
    assert page.index(f'name="ack-{alert.key}"') < page.index('name="held_on"')


def test_the_script_gets_the_cards_of_what_is_kept_now(client, at_risk, anna):
    draft = opened(at_risk, anna)
    address = reverse("draft_alerts", args=[draft.pk])
    answer = client.post(address, {"person": anna.pk}).json()
    assert answer["words"] == "1 needs a note"
    (alert,) = told(draft, anna).shown
    assert f'id="id_ack-{alert.key}"' in answer["cards"]
    save(draft, anna, **{field(at_risk, "thumb", "gone"): "on"})
    assert client.post(address, {"person": anna.pk}).json() == {"cards": "\n\n", "words": ""}
    assert client.post(address, {"person": anna.pk + 1}).json() == {"other_person": True}


def test_what_would_tell_the_arm_is_not_told_in_a_closed_trial(client, clinic, anna):
    patient = make_patient(clinic, raynaud="no")
    lesions = [make_lesion(patient), make_lesion(patient)]
    series = make_series(patient, [(lesions[0], "active"), (lesions[1], "control")], protocol="placebo3")
    make_injection(make_session(series, FIRST), lesions[0], concentration_mg_ml=10)
    draft = opened(series, anna)
    plan, values = plan_of(draft, anna), texts_of(draft)
    entry = read_sheet(plan, values).so_far(DAY)
    known = alerts_of(facts_of(series, replace(entry, injections=planned_injections(plan, values))))
    assert "concentration_increased" in {alert.code for alert in known}
    assert "concentration_increased" not in codes(told(draft, anna))
    answer = client.post(reverse("draft_alerts", args=[draft.pk]), {"person": anna.pk})
    assert "mg/ml" not in json.dumps(answer.json())


def test_what_informs_stands_on_the_page_of_the_session(client, clinic, anna):
    patient = make_patient(clinic)
    series = make_series(patient, [make_lesion(patient)])
    make_session(series, FIRST, ptga=3)
    later = make_session(series, DAY, ptga=8)
    page = client.get(reverse("session", args=[later.pk])).content.decode()
    assert "PtGA is 8; on 05-Jan-2026 it was 3 (worse by 5)." in page
    first = series.sessions.get(session_no=1)
    assert "To know of this session" not in client.get(reverse("session", args=[first.pk])).content.decode()


# Corrections


@pytest.fixture
def logged(clinic):
    """Four weekly treatments of one elbow."""
    patient = make_patient(clinic)
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    for number in range(4):
        session = make_session(series, FIRST + datetime.timedelta(days=7 * number), ptga=5, phga=5)
        make_assessment(session, lesion)
        make_injection(session, lesion, concentration_mg_ml=100, volume_ml="0.2")
    return series


def correct(session, by, **values):
    draft = open_correction(session=session, by=by)
    save(draft, by, **values)
    return draft


def test_a_correction_that_moves_a_session_out_of_its_window_asks_for_a_note(logged, anna):
    last = logged.sessions.get(session_no=4)
    draft = correct(last, anna, held_on="2026-01-20")
    asked = complete_draft(draft=draft, by=anna, without_missing=True, reason="Misread")
    (key,) = asked.unacknowledged
    assert asked.session is None and key.startswith("too_early")
    save(draft, anna, **{f"ack-{key}": "The diary says so"})
    done = complete_draft(draft=draft, by=anna, without_missing=True, reason="Misread")
    row = AlertAcknowledgement.objects.get(session=done.session)
    assert (row.code, row.note, row.by) == ("too_early", "The diary says so", "anna")


def test_a_correction_is_not_asked_again_about_what_it_leaves_alone(logged, anna):
    last = logged.sessions.get(session_no=4)
    change(logged.patient, {"pregnant": True, "consented_on": None}, by="anna", seen_version=None)
    effect = {"term": "skin_necrosis", "grade": 2, "onset_on": last.held_on}
    write_new(
        SideEffect(patient=logged.patient, series=logged, session=last, **effect), by="anna", source="page"
    )
    draft = correct(last, anna, ptga="6")
    assert told(draft, anna).shown == ()
    assert complete_draft(draft=draft, by=anna, without_missing=True, reason="Misread").session == last


def test_a_correction_to_a_day_before_the_consent_is_stopped(logged, anna):
    change(logged.patient, {"consented_on": FIRST}, by="anna", seen_version=None)
    first = logged.sessions.get(session_no=1)
    draft = correct(first, anna, held_on="2026-01-04")
    done = complete_draft(draft=draft, by=anna, without_missing=True, reason="Misread")
    assert [alert.code for alert in done.alerts.stopping] == ["no_consent"]
    assert TreatmentSession.objects.get(pk=first.pk).held_on == FIRST


def test_a_correction_of_a_concentration_compares_with_the_session_before(logged, anna):
    last = logged.sessions.get(session_no=4)
    draft = correct(last, anna, **{field(logged, "elbow", "concentration_mg_ml"): "150"})
    (alert,) = told(draft, anna).shown
    assert alert.code == "concentration_increased"
    assert "on 19-Jan-2026 it was 100 mg/ml" in alert.reason
