"""A correction while somebody else corrects the same session: what was typed stays, and both are shown."""

import datetime
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from sessions_app.drafts import open_correction, plan_of, save_draft, texts_of
from sessions_app.entries import AssessmentEntry, InjectionEntry, SessionEntry
from sessions_app.services import correct_session, strike_out_session
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
DAY = datetime.date(2026, 1, 5)


@pytest.fixture
def anna(client):
    user = make_user("clinician", make_clinic(), "anna")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def lesion(anna):
    return make_lesion(make_patient(anna.memberships.get().clinic))


@pytest.fixture
def session(lesion):
    row = make_session(make_series(lesion.patient, [lesion]), DAY, ptga=7, phga=6, note="calm")
    make_assessment(row, lesion)
    make_injection(row, lesion, volume_ml="0.4")
    return row


@pytest.fixture
def correction(session, anna):
    return open_correction(session=session, by=anna)


def type_in(draft, by, **typed):
    stood = texts_of(draft)
    save_draft(draft=draft, names=plan_of(draft, by).field_names, typed=stood | typed, loaded=stood, by=by)


def by_another_path(session, lesion, *, ptga=3, phga=6, note="by the import", volume=Decimal("0.3")):
    entry = SessionEntry(
        kind="treatment",
        held_on=DAY,
        ptga=ptga,
        phga=phga,
        note=note,
        assessments=(
            AssessmentEntry(lesion=lesion.pk, status="present", longest_mm=12, widest_mm=8, ulcer=False),
        ),
        injections=(
            InjectionEntry(lesion=lesion.pk, volume_ml=volume, agent="sts", concentration_mg_ml=150),
        ),
    )
    correct_session(
        session=session, entry=entry, seen_version=session.version, by="import", reason="New sheet"
    )


def complete(client, draft, **typed):
    page = client.get(reverse("draft", args=[draft.pk]))
    values = {name: cell.value for name, cell in page.context["cells"].items()}
    sent = {**values, "loaded": page.context["loaded"], "action": "complete", "without_missing": "on"}
    return client.post(reverse("draft", args=[draft.pk]), {**sent, "reason": "Read again", **typed})


def told(answer) -> dict[str, str]:
    return {name: cell.in_session for name, cell in answer.context["cells"].items() if cell.in_session}


def test_what_was_typed_stays_with_what_the_session_says_beside_it(client, session, correction, anna, lesion):
    type_in(correction, anna, note="she was pale", ptga="8")
    by_another_path(session, lesion)
    answer = complete(client, correction)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "somebody else corrected this session meanwhile" in page
    assert told(answer) == {"ptga": "In the session: 3", "note": "In the session: by the import"}
    assert "In the session: by the import" in page and "she was pale" in page
    followed = [(change["label"], change["value"]) for change in answer.context["carried"]]
    assert followed == [("L01, volume", "0.3 ml")]
    correction.refresh_from_db()
    assert correction.state == "open"
    assert texts_of(correction) | {"note": "she was pale", "ptga": "8"} == texts_of(correction)
    # The page says it again as often as it is opened, and the second time it is corrected.
    assert told(client.get(reverse("draft", args=[correction.pk]))) == told(answer)
    assert complete(client, correction).status_code == 302
    session.refresh_from_db()
    assert (session.note, session.ptga, session.phga) == ("she was pale", 8, 6)
    assert str(session.injections.get().volume_ml) == "0.300"


def test_overtaken_twice_it_is_shown_twice(client, session, correction, anna, lesion):
    type_in(correction, anna, note="she was pale")
    by_another_path(session, lesion)
    assert complete(client, correction).status_code == 422
    session.refresh_from_db()
    by_another_path(session, lesion, ptga=4)
    again = complete(client, correction)
    assert again.status_code == 422 and again.context["is_overtaken"]
    assert texts_of(correction)["ptga"] == "4"
    assert complete(client, correction).status_code == 302


def test_a_correction_shows_what_it_changes_and_a_new_sheet_shows_none(client, session, correction, anna):
    assert told(client.get(reverse("draft", args=[correction.pk]))) == {}
    volume = f"lesion-{session.injections.get().lesion_id}-volume_ml"
    type_in(correction, anna, **{volume: "", "phga": "5"})
    shown = told(client.get(reverse("draft", args=[correction.pk])))
    assert shown == {volume: "In the session: 0.4 ml", "phga": "In the session: 6"}


def test_a_session_that_was_struck_out_keeps_the_correction_that_was_typed(client, session, correction, anna):
    type_in(correction, anna, note="she was pale")
    strike_out_session(session, by="nora", reason="Another patient")
    answer = complete(client, correction)
    assert answer.status_code == 422
    assert re.search(r"struck out and cannot be corrected", answer.content.decode())
    assert texts_of(correction)["note"] == "she was pale"
