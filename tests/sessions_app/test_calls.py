"""The call list: facts from rows, what came of a ring, who may see it, and the calendar file."""

import datetime
import re

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from lesions.models import PatientIdentity
from sessions_app.calendar_file import calendar_of, escaped, folded, uid_of
from sessions_app.calls import calls_ahead, clinic_calls, load_facts, note_ring
from sessions_app.models import CallAttempt, SideEffect, SideEffectInquiry
from stsclinic.audit.acting import acting
from stsclinic.clinical.calls import Call
from stsclinic.clinics.models import Holiday, User
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

SESSION = datetime.date(2026, 3, 2)
"""A Monday."""


def noon(day: datetime.date):
    """Noon of that day in Copenhagen, with the clock stopped."""
    return time_machine.travel(
        datetime.datetime(day.year, day.month, day.day, 11, tzinfo=datetime.UTC), tick=False
    )


def on(number: int) -> datetime.date:
    return SESSION + datetime.timedelta(days=number)


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


@pytest.fixture
def clinic():
    return make_clinic("own")


@pytest.fixture
def nurse(clinic):
    return make_user("nurse", clinic, username="nina")


def treated(clinic, body_site="elbow", **values):
    """A patient who was injected on SESSION."""
    patient = make_patient(clinic, **values)
    lesion = make_lesion(patient, body_site=body_site)
    session = make_session(make_series(patient, [lesion]), SESSION)
    make_injection(session, lesion)
    return patient


@pytest.fixture
def patient(clinic):
    patient = treated(clinic, study_id="CALL-1")
    save(PatientIdentity(patient=patient, name="Ann Example", telephone="+45 12 34 56 78"))
    return patient


def keys(user) -> list[str]:
    return [
        call.key.split(":")[0] + ":" + call.key.split(":")[-1] for row in rows(user) for call in row.calls
    ]


def rows(user):
    return [row for day in clinic_calls(user) for row in day.rows]


# Facts


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (1, []),
        (2, ["session:2"]),
        (6, ["session:2"]),
        (7, ["session:7"]),
        (13, ["session:7"]),
        (21, ["session:7"]),
        (22, []),
    ],
)
def test_a_session_is_rung_about_after_two_and_seven_days(nurse, patient, day, due):
    with noon(on(day)):
        assert keys(nurse) == due


def test_fingers_are_rung_about_after_two_weeks_too(clinic, nurse):
    treated(clinic, body_site="index_finger")
    with noon(on(13)):
        assert keys(nurse) == ["session:7"]
    with noon(on(14)):
        assert keys(nurse) == ["session:14"]
        assert "finger or toe" in rows(nurse)[0].calls[0].reason


def test_a_session_without_an_injection_is_not_rung_about(clinic, nurse):
    patient = make_patient(clinic)
    make_session(make_series(patient, [make_lesion(patient)]), SESSION, kind="assessment")
    with noon(on(2)):
        assert keys(nurse) == []


def test_the_clinics_own_midnight_counts(nurse, patient):
    with time_machine.travel(datetime.datetime(2026, 3, 3, 22, 59, tzinfo=datetime.UTC)):
        assert keys(nurse) == []
    with time_machine.travel(datetime.datetime(2026, 3, 3, 23, 0, tzinfo=datetime.UTC)):
        assert keys(nurse) == ["session:2"]


def test_a_holiday_moves_the_call(clinic, nurse, patient):
    save(Holiday(clinic=clinic, held_on=on(2)))
    with noon(on(2)):
        assert keys(nurse) == []
        assert clinic_calls(nurse)[0].next_due_on == on(3)
    with noon(on(3)):
        assert keys(nurse) == ["session:2"]


def test_another_clinics_holiday_moves_nothing(nurse, patient):
    save(Holiday(clinic=make_clinic(), held_on=on(2)))
    with noon(on(2)):
        assert keys(nurse) == ["session:2"]


@pytest.mark.parametrize("what", ["patient", "series", "session", "withdrawn"])
def test_what_was_struck_out_or_withdrawn_is_not_rung_about(nurse, patient, what):
    row = {
        "patient": patient,
        "withdrawn": patient,
        "series": patient.series.get(),
        "session": patient.series.get().sessions.get(),
    }[what]
    if what == "withdrawn":
        row.withdrawn_on = SESSION
    else:
        row.struck_out_at = datetime.datetime(2026, 3, 3, tzinfo=datetime.UTC)
        if what == "session":
            row.session_no = None
    save(row)
    with noon(on(2)):
        assert keys(nurse) == []


def effect_of(patient, **values) -> SideEffect:
    defaults = {"term": "skin_blistering", "grade": 2, "onset_on": on(1)}
    return save(SideEffect(patient=patient, **(defaults | values)))


@pytest.mark.parametrize(
    ("values", "waits"),
    [
        ({}, True),
        ({"resolved_on": datetime.date(2026, 3, 4)}, False),
        ({"outcome": "recovered"}, False),
        ({"outcome": "not_recovered"}, True),
    ],
)
def test_a_side_effect_is_asked_about_while_it_is_open(clinic, nurse, values, waits):
    effect_of(make_patient(clinic), **values)
    with noon(on(7)):
        assert keys(nurse) == []
    with noon(on(8)):
        assert bool(keys(nurse)) == waits


def test_a_grave_one_is_asked_about_after_two_days_and_stands_first(clinic, nurse, patient):
    other = make_patient(clinic, study_id="ZZZ")
    effect_of(other, term="digital_necrosis", grade=3, lesion=make_lesion(other, body_site="thumb"))
    with noon(on(3)):
        first, second = rows(nurse)
    assert (first.study_id, first.urgency) == ("ZZZ", "grave")
    assert "Left thumb" in first.calls[0].reason
    assert second.study_id == "CALL-1"


def test_a_late_session_answers_for_an_old_open_side_effect(clinic, nurse):
    patient = make_patient(clinic)
    effect_of(patient, onset_on=on(-300))
    make_session(make_series(patient), on(-200), kind="assessment")
    with noon(on(0)):
        row = rows(nurse)[0]
    assert "Last asked about on 14-Aug-2025" in row.calls[0].reason


def test_a_missed_treatment_is_rung_about_from_the_day_after_its_window(nurse, patient):
    with noon(on(31)):
        assert keys(nurse) == []
    with noon(on(32)):
        assert [call.urgency for row in rows(nurse) for call in row.calls] == ["missed_visit"]


def test_what_was_missed_half_a_year_ago_is_rung_about_no_more(nurse, patient):
    closed_on = 31
    with noon(on(closed_on + 180)):
        assert len(rows(nurse)) == 1
    with noon(on(closed_on + 181)):
        assert rows(nurse) == []


# What came of a ring


def ring(client, patient, answer, only=None, note=""):
    page = client.get(reverse("calls")).content.decode()
    shown = re.findall(r'name="key" value="([^"]+)"', page)
    return client.post(
        reverse("call_note", args=[patient.pk]),
        {"answer": answer, "key": shown if only is None else only, "note": note},
    )


class StaysSignedIn(Client):
    """A browser of somebody who signs in anew on each day of a test."""

    def __init__(self, user):
        super().__init__()
        self.user = user

    def request(self, **request):
        self.force_login(self.user)
        return super().request(**request)


@pytest.fixture
def signed_in(nurse):
    return StaysSignedIn(nurse)


def test_no_answer_keeps_the_call_with_the_tries_and_their_times(signed_in, nurse, patient):
    with noon(on(2)):
        assert ring(signed_in, patient, "no_answer").status_code == 302
    with noon(on(3)):
        ring(signed_in, patient, "no_answer", note="Husband: back in the evening")
        assert [len(row.tried_at) for row in rows(nurse)] == [2]
        page = signed_in.get(reverse("calls")).content.decode()
    assert "2 tries without an answer" in page
    assert "05-Mar-2026 12:00, 04-Mar-2026 12:00" in page
    assert "Husband: back in the evening" in page
    assert not SideEffectInquiry.objects.exists()


def test_asked_nothing_is_an_answer_and_the_call_leaves(signed_in, nurse, patient):
    with noon(on(2)):
        ring(signed_in, patient, "nothing")
        assert rows(nurse) == []
        assert "Asked, nothing" in signed_in.get(reverse("calls")).content.decode()
    inquiry = SideEffectInquiry.objects.get()
    assert (inquiry.answer, inquiry.asked_on, inquiry.by) == ("nothing", on(2), "nina")
    assert inquiry.series == patient.series.get()
    assert inquiry.session is None
    assert CallAttempt.objects.get().outcome == "reached"
    with noon(on(7)):
        assert keys(nurse) == ["session:7"]


def test_reported_leads_to_the_form_of_a_side_effect(signed_in, nurse, patient):
    session = patient.series.get().sessions.get()
    with noon(on(2)):
        key = rows(nurse)[0].calls[0].key
        answer = signed_in.post(
            reverse("call_note", args=[patient.pk]), {"answer": "reported", "key": key, "session": session.pk}
        )
        assert (
            answer.headers["Location"]
            == f"{reverse('side_effect_new', args=[patient.pk])}?session={session.pk}"
        )
        assert signed_in.get(answer.headers["Location"]).status_code == 200
        assert rows(nurse) == []
    assert SideEffectInquiry.objects.get().answer == "reported"


@pytest.mark.parametrize("session", ["", "x", "9" * 30, "other", "²"])
def test_another_patients_session_is_not_taken_along(signed_in, clinic, patient, session):
    if session == "other":
        session = treated(make_clinic()).series.get().sessions.get().pk
    with noon(on(2)):
        page = signed_in.get(reverse("calls")).content.decode()
        key = re.search(r'name="key" value="([^"]+)"', page)[1]
        answer = signed_in.post(
            reverse("call_note", args=[patient.pk]), {"answer": "reported", "key": key, "session": session}
        )
    assert answer.headers["Location"] == reverse("side_effect_new", args=[patient.pk])


def test_one_ring_answers_all_calls_of_a_patient(signed_in, nurse, patient):
    effect_of(patient, onset_on=on(-10), grade=1)
    with noon(on(7)):
        assert len(rows(nurse)) == 1
        assert len(rows(nurse)[0].calls) == 2
        ring(signed_in, patient, "nothing")
        assert rows(nurse) == []
    assert CallAttempt.objects.count() == 2
    assert SideEffectInquiry.objects.count() == 1
    with noon(on(14)):
        assert [call.urgency for row in rows(nurse) for call in row.calls] == ["side_effect"]


def test_of_a_missed_visit_nothing_is_asked_and_nothing_claimed(signed_in, nurse, patient):
    with noon(on(32)):
        ring(signed_in, patient, "spoke")
        assert rows(nurse) == []
    assert not SideEffectInquiry.objects.exists()
    with noon(on(38)):
        assert rows(nurse) == []
    with noon(on(39)):
        assert "Last rung about on 03-Apr-2026" in rows(nurse)[0].calls[0].reason


def test_speaking_without_asking_does_not_answer_a_call_that_asks(signed_in, nurse, patient):
    with noon(on(2)):
        assert "Ask for side effects too" in ring(signed_in, patient, "spoke").content.decode()
        assert len(rows(nurse)) == 1
    assert not CallAttempt.objects.exists()


def test_a_call_that_a_colleague_made_is_not_made_twice_and_the_note_is_not_lost(signed_in, nurse, patient):
    with noon(on(2)):
        key = rows(nurse)[0].calls[0].key
        ring(signed_in, patient, "nothing")
        answer = ring(signed_in, patient, "nothing", only=[key], note="Slept well")
    page = answer.content.decode()
    assert "somebody else has made it" in page
    assert "Slept well" in page
    assert CallAttempt.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "note"), [("", ""), ("done", ""), ("reached", ""), ("nothing", "x" * 501)]
)
def test_what_cannot_be_is_refused_and_nothing_written(signed_in, patient, answer, note):
    with noon(on(2)):
        response = ring(signed_in, patient, answer, note=note)
    page = response.content.decode()
    assert "nothing was noted" in page
    assert not note or f'value="{note}"' in page
    assert not CallAttempt.objects.exists()
    assert not SideEffectInquiry.objects.exists()


def test_a_key_of_another_patient_writes_nothing(signed_in, clinic, patient, nurse):
    other = treated(clinic, study_id="CALL-2")
    with noon(on(2)):
        wrong = next(row.calls[0].key for row in rows(nurse) if row.study_id == "CALL-2")
        ring(signed_in, patient, "nothing", only=[wrong])
        assert len(rows(nurse)) == 2
    assert not CallAttempt.objects.filter(patient=other).exists()


def test_a_slip_can_be_taken_back_on_the_same_day_with_its_answer(signed_in, nurse, patient):
    effect_of(patient, onset_on=on(-10), grade=1)
    with noon(on(7)):
        ring(signed_in, patient, "nothing")
        attempt = CallAttempt.objects.first()
        signed_in.post(reverse("call_take_back", args=[attempt.pk]))
        assert len(rows(nurse)[0].calls) == 2
    assert not CallAttempt.objects.exists()
    assert not SideEffectInquiry.objects.exists()
    assert CallAttempt.everything.count() == 2
    assert SideEffectInquiry.everything.get().struck_out_by == "nina"


def test_taking_back_a_later_ring_leaves_the_earlier_answer(signed_in, nurse, patient):
    with noon(on(2)):
        ring(signed_in, patient, "nothing")
        lesion = make_lesion(patient)
        make_injection(make_session(make_series(patient, [lesion]), on(0)), lesion)
    with time_machine.travel(datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)):
        ring(signed_in, patient, "reported")
        signed_in.post(reverse("call_take_back", args=[CallAttempt.objects.last().pk]))
    assert [row.answer for row in SideEffectInquiry.objects.all()] == ["nothing"]
    assert CallAttempt.objects.count() == 1


def test_yesterdays_ring_cannot_be_taken_back(signed_in, patient):
    with noon(on(2)):
        ring(signed_in, patient, "nothing")
    with noon(on(3)):
        answer = signed_in.post(reverse("call_take_back", args=[CallAttempt.objects.get().pk]), follow=True)
    assert "Only what was noted today" in answer.content.decode()
    assert CallAttempt.objects.exists()


# Who may


def test_only_the_clinics_own_people_see_names_and_telephones(patient, clinic):
    colleague, outsider = make_user("clinician", clinic), make_user("nurse", make_clinic())
    with noon(on(2)):
        for user, sees in ((colleague, True), (outsider, False)):
            client = Client()
            client.force_login(user)
            page = client.get(reverse("calls")).content.decode()
            for text in ("CALL-1", "Ann Example", "+45 12 34 56 78"):
                assert (text in page) == sees
            answer = client.post(reverse("call_note", args=[patient.pk]), {"answer": "no_answer"})
            assert answer.status_code == (200 if sees else 404)


def test_an_outsider_cannot_take_back(signed_in, patient):
    with noon(on(2)):
        ring(signed_in, patient, "nothing")
        outsider = Client()
        outsider.force_login(make_user("nurse", make_clinic()))
        answer = outsider.post(reverse("call_take_back", args=[CallAttempt.objects.get().pk]))
    assert answer.status_code == 404
    assert CallAttempt.objects.exists()


def test_looking_changes_nothing(signed_in, patient):
    with noon(on(2)):
        signed_in.get(reverse("calls"))
        signed_in.get(reverse("calls_calendar"))
    assert not CallAttempt.objects.exists()


def test_a_page_without_a_call_says_when_the_next_is_due(signed_in, patient):
    with noon(on(0)):
        assert "the next call is due on 04-Mar-2026" in signed_in.get(reverse("calls")).content.decode()


# Many


def test_the_number_of_queries_does_not_grow(signed_in, nurse, clinic, patient, django_assert_num_queries):
    with noon(on(8)):
        ring(signed_in, patient, "no_answer")
        reader = fresh(nurse)
        with django_assert_num_queries(12):
            clinic_calls(reader)
        for number in range(5):
            one = treated(clinic, body_site="thumb")
            effect_of(one, lesion=one.lesions.get(), onset_on=on(-number))
            ring(signed_in, one, "no_answer")
        reader = fresh(nurse)
        with django_assert_num_queries(12):
            assert len(clinic_calls(reader)[0].rows) == 6
        reader = fresh(nurse)
        with django_assert_num_queries(9):
            calls_ahead(reader)


def fresh(user) -> User:
    """The user as a new request has it, whose roles were not read yet."""
    return User.objects.get(pk=user.pk)


def test_the_facts_of_two_clinics_do_not_mix(clinic, patient):
    other = make_clinic("other")
    theirs = treated(other)
    facts = load_facts({clinic.pk: on(2), other.pk: on(2)})
    assert [one.patient for one in facts[clinic.pk].facts.sessions] == [patient.study_id]
    assert [one.patient for one in facts[other.pk].facts.sessions] == [theirs.study_id]


def test_two_people_who_ring_at_once_do_not_both_count(patient):
    with noon(on(2)):
        key = f"session:{patient.series.get().sessions.get().pk}:2"
        note_ring(patient=patient, keys=[key], answer="nothing", note="", by="nina")
        with pytest.raises(ValidationError):
            note_ring(patient=patient, keys=[key], answer="nothing", note="", by="carl")


# The calendar file


def test_the_calendar_file_holds_no_identity(signed_in, patient):
    with noon(on(0)):
        answer = signed_in.get(reverse("calls_calendar"))
    text = answer.content.decode()
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "Ann" not in text
    assert "12 34" not in text
    assert text.count("BEGIN:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20260304\r\nDTEND;VALUE=DATE:20260305" in text
    assert "SUMMARY:Ring CALL-1: 48 hours after the session of 02-Mar-2026." in text.replace("\r\n ", "")


def test_what_is_due_since_earlier_stands_on_today(signed_in, patient):
    with noon(on(5)):
        assert "DTSTART;VALUE=DATE:20260307" in signed_in.get(reverse("calls_calendar")).content.decode()


def test_another_clinics_calls_are_in_no_calendar(patient):
    client = Client()
    client.force_login(make_user("nurse", make_clinic()))
    with noon(on(2)):
        assert "VEVENT" not in client.get(reverse("calls_calendar")).content.decode()


def a_call(reason: str) -> Call:
    return Call(key="session:1:2", patient="ÆØÅ-1", reason=reason, due_on=SESSION, urgency="after_session")


def test_the_file_keeps_to_the_standard():
    at = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
    text = calendar_of([a_call("Blisters; red, painful\\\n" + "å" * 100)], at)
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith("END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert r"Blisters\; red\, painful\\\n" + "å" * 100 in text.replace("\r\n ", "")


def test_an_entry_keeps_its_name_and_tells_no_key():
    assert uid_of(a_call("one")) == uid_of(a_call("another"))
    assert "session" not in uid_of(a_call("one"))


@pytest.mark.parametrize("length", [74, 75, 76, 149, 150, 300])
def test_folding_is_undone_by_taking_out_the_line_ends(length):
    line = "x" * length
    pieces = folded(line).split("\r\n")
    assert "".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == line
    assert all(len(piece) <= 75 for piece in pieces)
    assert (len(pieces) == 1) == (length <= 75)


def test_escaping_touches_each_sign_once():
    assert escaped("a\\;b") == "a\\\\\\;b"
