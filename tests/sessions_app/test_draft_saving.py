"""What is written when two type, when an answer was lost, and when a save comes late; who is on a sheet."""

import datetime
import json

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.draft_readers import HERE_FOR
from sessions_app.draft_saving import DraftClosed, Typed, changed_since, save_fields
from sessions_app.drafts import discard_draft, open_correction, open_draft, texts_of
from sessions_app.models import DraftReader
from tests.builders import (
    PASSWORD,
    make_clinic,
    make_injection,
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
def anna(clinic):
    return make_user("clinician", clinic, "anna")


@pytest.fixture
def nora(clinic):
    return make_user("nurse", clinic, "nora")


@pytest.fixture
def draft(clinic, anna):
    patient = make_patient(clinic)
    series = make_series(patient, [make_lesion(patient)])
    return open_draft(series=series, kind="treatment", by=anna)


def save(draft, by, value, seen=-1, tried=(), name="ptga"):
    typed = Typed(value, seen=seen, known=frozenset(tried), is_resent=bool(tried))
    return save_fields(draft=draft, typed={name: typed}, by=by)


def post(client, draft, name="draft_save", **values):
    if "fields" in values:
        values["fields"] = json.dumps(values["fields"])
    return client.post(reverse(name, args=[draft.pk]), values)


@pytest.fixture
def web(client, anna):
    client.force_login(anna)
    return client


def test_a_field_is_written_over_what_the_page_has_seen(draft, anna):
    first = save(draft, anna, "1", seen=0)
    second = save(draft, anna, "12", seen=first.draft.version)
    assert (first.written, second.written, second.clashes) == ({"ptga"}, {"ptga"}, set())
    assert texts_of(draft)["ptga"] == "12"


def test_what_a_colleague_typed_in_between_is_not_written_over(draft, anna, nora):
    seen = save(draft, anna, "1", seen=0).draft.version
    save(draft, nora, "14", seen=seen)
    clash = save(draft, anna, "12", seen=seen)
    assert clash.clashes == {"ptga"} and clash.written == set()
    theirs = clash.standing["ptga"]
    assert (theirs.value, theirs.by.username) == ("14", "nora")
    knowing = save(draft, anna, "12", seen=theirs.version)
    assert knowing.written == {"ptga"} and texts_of(draft)["ptga"] == "12"


def test_both_typing_the_same_is_no_clash(draft, anna, nora):
    save(draft, anna, "7", seen=0)
    assert save(draft, nora, "7", seen=0).written == {"ptga"}


def test_a_save_whose_answer_was_lost_is_sent_again_and_is_no_clash(draft, anna):
    save(draft, anna, "1", seen=0)
    again = save(draft, anna, "12", seen=0, tried=["1"])
    assert again.written == {"ptga"} and texts_of(draft)["ptga"] == "12"


def test_a_save_that_comes_late_undoes_nothing(draft, anna):
    save(draft, anna, "", seen=0, tried=["1"])
    late = save(draft, anna, "1", seen=0)
    assert late.clashes == {"ptga"}
    assert texts_of(draft)["ptga"] == ""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["", "1", "12", "123"]), min_size=1, max_size=6), st.data())
def test_whatever_arrives_late_or_twice_the_last_text_stands(texts, data):
    """One page sends text after text and hears nothing; the requests arrive in any order, some of them twice.

    The last one is then sent until it is answered, as the page does."""
    clinic = make_clinic()
    anna = make_user("clinician", clinic)
    draft = open_draft(series=make_series(make_patient(clinic)), kind="treatment", by=anna)
    requests = [(text, texts[:number]) for number, text in enumerate(texts)]
    before_last = requests[:-1]
    arrived = data.draw(st.lists(st.sampled_from(before_last), max_size=8)) if before_last else []
    late = data.draw(st.lists(st.sampled_from(before_last), max_size=8)) if before_last else []
    for text, tried in arrived:
        save(draft, anna, text, seen=0, tried=tried)
    answered = save(draft, anna, texts[-1], seen=0, tried=texts[:-1])
    assert answered.written == {"ptga"}
    for text, tried in late:
        if texts[-1] not in tried:
            save(draft, anna, text, seen=0, tried=tried)
    assert texts_of(draft).get("ptga", "") == texts[-1]


def test_an_answer_tells_only_what_changed_since(draft, anna, nora):
    seen = save(draft, anna, "1", seen=0).draft.version
    save(draft, nora, "a note", seen=seen, name="note")
    assert set(changed_since(draft, seen)) == {"note"}
    assert changed_since(draft, seen + 1) == {}


def test_a_closed_sheet_takes_nothing(draft, anna):
    discard_draft(draft=draft, by=anna)
    with pytest.raises(DraftClosed):
        save(draft, anna, "1", seen=0)
    assert "ptga" not in texts_of(draft)


def test_saving_over_the_web(web, draft, anna, nora):
    fields = {"ptga": {"value": "7", "seen": 0, "tried": []}, "note": {"value": "a\r\nb\0\ud800", "seen": 0}}
    answer = post(web, draft, fields=fields, since=0, person=anna.pk).json()
    assert answer["written"] == ["note", "ptga"] and answer["refused"] == []
    assert answer["fields"]["ptga"] == {
        "value": "7",
        "version": 1,
        "by": "anna",
        "is_mine": True,
        "by_patient": "",
    }
    assert texts_of(draft)["note"] == "a\nb\ufffd"
    save(draft, nora, "5", seen=1, name="phga")
    news = post(web, draft, since=1).json()
    assert news["version"] == 2 and set(news["fields"]) == {"phga"}
    assert news["fields"]["phga"]["by"] == "nora" and not news["fields"]["phga"]["is_mine"]


@pytest.mark.parametrize(
    "entry", ["7", None, {"value": 7}, {"value": "7", "seen": "0"}, {"value": "7", "tried": 1}]
)
def test_what_is_malformed_is_not_written_and_not_called_saved(web, draft, entry):
    answer = post(web, draft, fields={"ptga": entry}).json()
    assert answer["written"] == [] and "ptga" not in texts_of(draft)


def test_a_field_that_the_sheet_has_no_more_is_called_refused(web, draft):
    names = ("lesion-999-longest_mm", "series", "ack-" + "x" * 400, "reason")
    answer = post(web, draft, fields={name: {"value": "1", "seen": 0} for name in names}).json()
    assert answer["refused"] == sorted(names) and answer["written"] == []


def test_notes_of_alerts_and_a_corrections_reason_are_kept_too(web, draft, anna):
    key = "ack-concentration_increased:L01::0123456789ab"
    assert post(web, draft, fields={key: {"value": "Agreed", "seen": 0}}).json()["written"] == [key]
    session = make_session(draft.series, datetime.date(2026, 1, 5))
    correction = open_correction(session=session, by=anna)
    assert post(web, correction, fields={"reason": {"value": "Misread", "seen": 0}}).json()["written"] == [
        "reason"
    ]
    assert 'value="Misread"' in web.get(reverse("draft", args=[correction.pk])).content.decode()


def test_a_closed_allocation_stays_closed(client, clinic, nora):
    patient = make_patient(clinic)
    lesion = make_lesion(patient)
    series = make_series(
        patient, [(lesion, "active"), (make_lesion(patient), "control")], protocol="placebo3"
    )
    make_injection(make_session(series, datetime.date(2026, 1, 5)), lesion, lot_number="A1")
    draft = open_draft(series=series, kind="treatment", by=nora)
    holder = make_user("data_manager", clinic)
    betraying = ("all-lot_number", "ack-concentration_increased:L01::0123456789ab")
    for name in betraying:
        save(draft, holder, "A1", seen=0, name=name)
    client.force_login(nora)
    answer = post(client, draft, "draft_watch", since=0)
    assert answer.status_code == 200 and answer.json()["fields"] == {}
    assert post(client, draft, fields={betraying[0]: {"value": "B", "seen": 9}}).json()["refused"] == [
        betraying[0]
    ]
    assert b"A1" not in client.get(reverse("draft", args=[draft.pk])).content


def test_what_one_typed_is_not_kept_under_anothers_name(web, draft, nora):
    for name in ("draft_save", "draft_watch"):
        answer = post(web, draft, name, fields={"ptga": {"value": "7", "seen": 0}}, person=nora.pk)
        assert answer.status_code == 403
    assert "ptga" not in texts_of(draft) and not DraftReader.objects.exists()


def test_a_closed_sheet_says_who_closed_it(web, draft, nora):
    discard_draft(draft=draft, by=nora)
    for name in ("draft_save", "draft_watch"):
        answer = post(web, draft, name, fields={"ptga": {"value": "7", "seen": 0}})
        closed = answer.json()["closed"]
        assert (closed["by"], closed["is_completed"]) == ("nora", False)


def test_looking_is_answered_with_nothing_until_there_is_something(web, draft, nora):
    assert post(web, draft, "draft_watch", since=0).status_code == 204
    save(draft, nora, "7", seen=0)
    assert post(web, draft, "draft_watch", since=0).json()["fields"]["ptga"]["value"] == "7"
    assert post(web, draft, "draft_watch", since=1).status_code == 204


def test_two_on_a_sheet_know_of_each_other_until_one_leaves(web, draft, nora):
    other = Client()
    other.force_login(nora)
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert post(web, draft, "draft_watch", since=0).status_code == 204
        assert post(other, draft, "draft_watch", since=0).json()["company"] == ["anna"]
        assert post(other, draft, "draft_watch", since=0, company="anna").status_code == 204
        assert post(web, draft, "draft_watch", since=0).json()["company"] == ["nora"]
    with time_machine.travel(now + HERE_FOR + datetime.timedelta(seconds=1), tick=False):
        assert post(web, draft, "draft_watch", since=0, company="nora").json()["company"] == []


def test_looking_by_itself_keeps_no_session_alive(client, draft, anna, settings):
    client.post(reverse("login"), {"username": "anna", "password": PASSWORD})
    start = timezone.now()
    idle = datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    with time_machine.travel(start, tick=False):
        assert post(client, draft).status_code == 200
    for part in (0.3, 0.6, 0.9):
        with time_machine.travel(start + idle * part, tick=False):
            assert post(client, draft, "draft_watch", since=0).status_code == 204
            assert client.get(reverse("signed_in")).json()["person"] == anna.pk
    with time_machine.travel(start + idle * 1.01, tick=False):
        assert post(client, draft, "draft_watch", since=0).status_code == 302
        assert client.get(reverse("signed_in")).json()["person"] is None


def test_saving_and_looking_ask_a_fixed_number_of_questions(
    web, draft, clinic, anna, django_assert_num_queries
):
    patient = make_patient(clinic)
    large = open_draft(
        series=make_series(patient, [make_lesion(patient) for _ in range(22)]), kind="treatment", by=anna
    )
    names = [f"lesion-{row.lesion_id}-longest_mm" for row in large.series.series_lesions.all()]
    post(web, large, "draft_watch", since=0)
    with django_assert_num_queries(10):
        post(web, draft, fields={"ptga": {"value": "7", "seen": 0}}, since=0)
    with django_assert_num_queries(10):
        post(web, large, fields={name: {"value": "7", "seen": 0} for name in names}, since=0)
    with django_assert_num_queries(6):
        post(web, large, "draft_watch", since=1)
