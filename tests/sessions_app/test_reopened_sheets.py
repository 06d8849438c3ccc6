"""A sheet that was closed without a session: what was typed is read, found from the patient, and gone on with."""

import datetime

import pytest
from django.urls import reverse

from sessions_app.drafts import complete_draft, open_correction, open_draft, plan_of, save_draft, texts_of
from stsclinic.audit.services import change
from tests.builders import (
    make_clinic,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 1, 5)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def anna(clinic, client):
    user = make_user("clinician", clinic, "anna")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def series(clinic):
    patient = make_patient(clinic)
    return make_series(patient, [make_lesion(patient)])


def type_in(draft, by, **typed):
    stood = texts_of(draft)
    names = (*plan_of(draft, by).field_names, "reason")
    save_draft(draft=draft, names=names, typed=stood | typed, loaded=stood, by=by)


def close(client, draft):
    return client.post(reverse("draft_discard", args=[draft.pk]), follow=True)


def reopen(client, draft):
    return client.post(reverse("draft_reopen", args=[draft.pk]), follow=True)


@pytest.fixture
def closed(client, series, anna):
    draft = open_draft(series=series, kind="treatment", by=anna)
    lesion = series.series_lesions.get().lesion_id
    type_in(draft, anna, note="she <b>was</b> pale", **{f"lesion-{lesion}-volume_ml": "0,4"})
    return draft


def test_what_was_typed_is_read_and_gone_on_with(client, closed, anna):
    page = close(client, closed).content.decode()
    assert "This sheet was closed" in page and "Open it again" in page
    assert "she &lt;b&gt;was&lt;/b&gt; pale" in page
    assert "<td>0,4 ml</td>" in page and 'scope="row">L01, volume' in page
    again = reopen(client, closed)
    assert again.context["cells"]["note"].value == "she <b>was</b> pale"
    done = complete_draft(draft=closed, by=anna, without_missing=True)
    assert done.session and done.session.note == "she <b>was</b> pale"
    assert reopen(client, closed).redirect_chain[-1][0] == reverse("session", args=[done.session.pk])


def test_the_patients_page_leads_there_where_something_was_typed(client, closed, series, anna):
    patient = reverse("patient", args=[series.patient_id])
    link = f'href="{reverse("draft", args=[closed.pk])}">read it, or open it again'
    assert link not in client.get(patient).content.decode()
    close(client, closed)
    empty = open_draft(series=series, kind="follow_up", by=anna)
    close(client, empty)
    page = client.get(patient).content.decode()
    assert link in page and "1 sheet closed without a session" in page
    assert reverse("draft", args=[empty.pk]) not in page
    assert "Nothing was typed" not in client.get(reverse("draft", args=[empty.pk])).content.decode()
    assert "Open it again" in client.get(reverse("draft", args=[empty.pk])).content.decode()
    reopen(client, closed)
    assert link not in client.get(patient).content.decode()


def test_another_reader_is_told_of_it_and_led_nowhere(client, closed, series, clinic):
    close(client, closed)
    client.force_login(make_user("investigator", clinic), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("patient", args=[series.patient_id])).content.decode()
    assert "1 sheet closed without a session" in page and "read it, or open it again" not in page


def test_a_second_sheet_is_not_opened_beside_one(client, closed, series, anna):
    close(client, closed)
    other = open_draft(series=series, kind="treatment", by=anna)
    page = reopen(client, closed).content.decode()
    assert "Another sheet of this series is open" in page and "Open it again" in page
    close(client, other)
    assert "data-sheet" in reopen(client, closed).content.decode()


def test_what_may_not_be_opened_is_not_opened_again(client, closed, series, anna):
    close(client, closed)
    change(series, {"status": "completed"}, by="anna", seen_version=None)
    assert "This series is completed" in reopen(client, closed).content.decode()
    closed.refresh_from_db()
    assert closed.state == "discarded"


def test_a_correction_too(client, series, anna):
    session = make_session(series, DAY, note="calm")
    correction = open_correction(session=session, by=anna)
    type_in(correction, anna, note="pale", reason="Misheard")
    page = close(client, correction).content.decode()
    assert "Why it is corrected" in page and "Misheard" in page
    patient = client.get(reverse("patient", args=[series.patient_id])).content.decode()
    assert "Correction of the session of 05-Jan-2026, closed" in patient
    assert reopen(client, correction).context["cells"]["note"].value == "pale"
    page = client.get(reverse("draft", args=[correction.pk]))
    assert page.context["reason"] == "Misheard"
