"""A lesion of a closed trial, treated later under another protocol: what it got in the trial stays hidden."""

import datetime
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from sessions_app.alert_history import alert_history
from sessions_app.allocation import open_allocation
from sessions_app.drafts import open_draft, plan_of
from sessions_app.entries import InjectionEntry, SessionEntry
from sessions_app.session_facts import facts_of
from stsclinic.clinical.alerts import alerts_of
from tests.builders import (
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db
TRIAL_DAY = datetime.date(2026, 1, 5)
LATER = datetime.date(2026, 3, 2)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def lesions(clinic):
    patient = make_patient(clinic)
    return make_lesion(patient), make_lesion(patient)


@pytest.fixture
def later(lesions):
    """A series of everyday treatment of the two lesions that were a pair in a closed trial."""
    active, control = lesions
    trial = make_series(active.patient, [(active, "active"), (control, "control")], "placebo3")
    session = make_session(trial, TRIAL_DAY)
    drug = {"concentration_mg_ml": 40, "salt_form": "anhydrous", "lot_number": "LOT-OF-THE-DRUG"}
    make_injection(session, active, volume_ml="0.2", **drug)
    make_injection(session, control, agent="saline", concentration_mg_ml=None, volume_ml="0.2")
    return make_series(active.patient, lesions)


def shown_beside(client, user, series) -> list[str]:
    """The words beside the fields of a new sheet that come from the day of the trial."""
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    draft = open_draft(series=series, kind="treatment", by=user)
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    words = re.findall(r'class="last-value">([^<]*)<', page)
    words += re.findall(r'class="offer"[^>]*>(.*?)</button>', page)
    texts = [" ".join(re.sub(r"<[^>]*>", " ", word).split()) for word in words]
    return [text for text in texts if "05-Jan-2026" in text]


def raised(series, lesions) -> list[str]:
    """The lesions of which the alert of a higher concentration speaks."""
    entry = SessionEntry(
        kind="treatment",
        held_on=LATER,
        injections=tuple(
            InjectionEntry(
                lesion=lesion.pk,
                agent="sts",
                concentration_mg_ml=Decimal(150),
                volume_ml=Decimal("0.5"),
            )
            for lesion in lesions
        ),
    )
    found = alerts_of(facts_of(series, entry))
    return [alert.lesion_id for alert in found if alert.code == "concentration_increased"]


@pytest.mark.parametrize("role", ["clinician", "nurse"])
def test_the_sheet_says_the_volume_and_not_what_it_was_of(client, clinic, later, role):
    words = shown_beside(client, make_user(role, clinic), later)
    assert words == ["L 0.2 ml last time, 05-Jan-2026"] * 2


def test_no_alert_compares_with_an_injection_of_the_closed_trial(clinic, later, lesions):
    assert raised(later, lesions) == []


def test_in_the_open_trial_both_speak(client, clinic, later, lesions):
    open_allocation(clinic=clinic, protocol_code="placebo3", patient=None, reason="Published", by="dana")
    words = shown_beside(client, make_user("clinician", clinic), later)
    assert {"Sodium thiosulfate, 05-Jan-2026", "Saline, 05-Jan-2026", "40, 05-Jan-2026"} <= set(words)
    assert raised(later, lesions) == [lesions[0].lesion_id]


def test_one_patients_emergency_opens_this_patient_alone(clinic, later, lesions):
    other = make_patient(clinic)
    open_allocation(clinic=clinic, protocol_code="placebo3", patient=other, reason="Emergency", by="dana")
    assert raised(later, lesions) == []
    open_allocation(
        clinic=clinic, protocol_code="placebo3", patient=later.patient, reason="Emergency", by="dana"
    )
    assert raised(later, lesions) == [lesions[0].lesion_id]


def test_the_sheet_asks_the_same_number_of_questions_for_more_lesions(
    clinic, later, django_assert_max_num_queries
):
    user = make_user("clinician", clinic)
    draft = open_draft(series=later, kind="treatment", by=user)
    with django_assert_max_num_queries(12):
        plan_of(draft, user)


def test_what_was_loaded_may_be_nonsense(client, clinic, later):
    user = make_user("clinician", clinic)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    draft = open_draft(series=later, kind="treatment", by=user)
    sent = {"loaded": "[" * 100_000, "fields": "[" * 100_000, "shown": "[", "since": "x", "note": "Kept"}
    for name in ("draft", "draft_save", "draft_watch"):
        assert client.post(reverse(name, args=[draft.pk]), sent).status_code in (200, 302)


@pytest.mark.parametrize("number", [0, 1])
def test_how_often_alerts_spoke_tells_no_arm(clinic, lesions, later, number):
    lesion = lesions[number]
    make_injection(make_session(later, LATER), lesion, concentration_mg_ml=150)
    nurse = make_user("nurse", clinic)
    lines = {line.help.code: line.spoke for line in alert_history(nurse).lines}
    assert lines["concentration_increased"] == 0
    manager = make_user("data_manager", clinic)
    lines = {line.help.code: line.spoke for line in alert_history(manager).lines}
    assert lines["concentration_increased"] == (1 if number == 0 else 0)
