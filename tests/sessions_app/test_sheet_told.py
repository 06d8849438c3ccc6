"""What the sheet tells: that it is not logged yet, the hours of the clinic's time zone; what a correction leaves alone."""

import datetime

import pytest
from django.urls import reverse

from sessions_app.drafts import complete_draft, open_correction, open_draft, plan_of, save_draft, texts_of
from stsclinic.audit.models import Change
from stsclinic.clinics.clock import today_in
from tests.builders import (
    make_assessment,
    make_clinic,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def anna(clinic, client):
    user = make_user("clinician", clinic, "anna")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def draft(clinic, anna):
    patient = make_patient(clinic, raynaud="yes", pregnant=True)
    lesion = make_lesion(patient, body_site="thumb")
    row = open_draft(series=make_series(patient, [lesion]), kind="treatment", by=anna)
    name = f"lesion-{lesion.pk}-volume_ml"
    save_draft(draft=row, names=(name,), typed={name: "0,5"}, loaded={}, by=anna)
    row.refresh_from_db()
    return row


def complete(client, draft, **values):
    page = client.get(reverse("draft", args=[draft.pk]))
    cells = {name: cell.value for name, cell in page.context["cells"].items()}
    typed = {**cells, "loaded": page.context["loaded"], "action": "complete", **values}
    return client.post(reverse("draft", args=[draft.pk]), typed)


def test_the_top_of_the_page_says_that_the_session_is_not_logged_and_why(client, draft, clinic):
    answer = complete(client, draft, held_on=today_in(clinic).isoformat())
    assert answer.status_code == 422
    stop, note, more = answer.context["not_completed"]
    assert (stop["text"], note["text"], more["text"]) == (
        "Pregnant",
        "Write a note: No vasodilator, and a finger or toe is to be injected",
        "The protocol asks for more: see “Before it can be completed”",
    )
    page = answer.content.decode()
    assert (
        page.index("data-error-summary")
        < page.index("The session is not logged yet")
        < page.index('id="sheet"')
    )
    for row in (stop, note, more):
        assert f'id="{row["url"].removeprefix("#")}"' in page


def test_a_sheet_that_nobody_tried_to_complete_says_nothing(client, draft):
    assert "data-error-summary" not in client.get(reverse("draft", args=[draft.pk])).content.decode()


@pytest.mark.parametrize("page", ["draft", "patient", "today", "history"])
def test_hours_are_those_of_the_clinic_and_not_of_the_server(client, draft, settings, page):
    settings.TIME_ZONE = "Pacific/Kiritimati"
    there = draft.saved_at.astimezone(draft.series.patient.clinic.zone)
    here = draft.saved_at.astimezone(datetime.timezone(datetime.timedelta(hours=14)))
    address = {
        "draft": reverse("draft", args=[draft.pk]),
        "patient": reverse("patient", args=[draft.series.patient_id]),
        "today": reverse("today"),
        "history": reverse("patient_history", args=[draft.series.patient_id]),
    }[page]
    if page == "history":
        at = Change.objects.latest("pk").at
        there, here = at.astimezone(there.tzinfo), at.astimezone(here.tzinfo)
    shown = client.get(address).content.decode()
    assert f"{there:%d-%b-%Y %H:%M}" in shown
    assert f"{here:%d-%b-%Y %H:%M}" not in shown


@pytest.mark.parametrize("found", ["", "measured", "confirmed"])
def test_a_correction_of_a_score_leaves_alone_how_the_size_was_found(anna, draft, found):
    session = make_session(draft.series, datetime.date(2026, 1, 5), ptga=7)
    make_assessment(session, draft.series.series_lesions.get().lesion, size_source=found)
    correction = open_correction(session=session, by=anna)
    texts = texts_of(correction)
    names = plan_of(correction, anna).field_names
    save_draft(draft=correction, names=names, typed={**texts, "ptga": "6"}, loaded=texts, by=anna)
    complete_draft(draft=correction, by=anna, without_missing=True, reason="Misread")
    row = session.assessments.get()
    assert (row.size_source, row.version) == (found, 1)
