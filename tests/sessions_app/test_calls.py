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
from sessions_app.call_facts import load_facts
from sessions_app.calls import PATIENTS_PER_PAGE, calls_ahead, clinic_calls
from sessions_app.models import CallAttempt, SideEffect, SideEffectInquiry, SideEffectObservation
from sessions_app.rings import SAY_HOW, WRITTEN_MEANWHILE, note_ring
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


def test_a_clinics_own_closed_weekdays_move_the_call(clinic, nurse, patient):
    clinic.closed_weekdays = [2, 3]
    save(clinic)
    with noon(on(3)):
        assert keys(nurse) == []
        assert clinic_calls(nurse)[0].next_due_on == on(4)
    with noon(on(4)):
        assert keys(nurse) == ["session:2"]


@pytest.mark.parametrize("what", ["patient", "series", "session"])
def test_what_was_struck_out_is_not_rung_about(nurse, patient, what):
    row = {
        "patient": patient,
        "series": patient.series.get(),
        "session": patient.series.get().sessions.get(),
    }[what]
    row.struck_out_at = datetime.datetime(2026, 3, 3, tzinfo=datetime.UTC)
    if what == "session":
        row.session_no = None
    save(row)
    with noon(on(2)):
        assert keys(nurse) == []


def effect_of(patient, **values) -> SideEffect:
    defaults = {"term": "skin_blistering", "grade": 2, "onset_on": on(1)}
    return save(SideEffect(patient=patient, **(defaults | values)))


def test_safety_is_followed_after_a_withdrawal_and_no_visit_is_asked_for(signed_in, nurse, patient):
    """An adverse event lasts beyond a withdrawal, and one may still come of the last injection."""
    effect_of(patient)
    patient.withdrawn_on = on(1)
    save(patient)
    with noon(on(8)):
        assert keys(nurse) == [f"effect:{on(1)}", "session:7"]
        page = signed_in.get(reverse("calls")).content.decode()
    assert "Withdrew on 03-Mar-2026" in page
    with noon(on(40)):
        assert [call.urgency for row in rows(nurse) for call in row.calls] == ["side_effect"]


@pytest.mark.parametrize(
    ("values", "is_open"),
    [
        ({}, True),
        ({"resolved_on": datetime.date(2026, 3, 4)}, False),
        ({"outcome": "recovered"}, False),
        ({"outcome": "not_recovered"}, True),
    ],
)
def test_a_side_effect_is_on_the_list_while_it_is_open(clinic, nurse, values, is_open):
    effect_of(make_patient(clinic), **values)
    for day, urgency in ((7, "not_due"), (8, "side_effect")):
        with noon(on(day)):
            assert [row.urgency for row in rows(nurse)] == ([urgency] if is_open else [])


def test_a_grave_one_is_asked_about_after_two_days_and_stands_first(clinic, nurse, patient):
    other = make_patient(clinic, study_id="ZZZ")
    effect_of(other, term="digital_necrosis", grade=3, lesion=make_lesion(other, body_site="thumb"))
    with noon(on(3)):
        first, second = rows(nurse)
    assert (first.study_id, first.urgency) == ("ZZZ", "grave")
    assert "Left thumb" in first.calls[0].reason
    assert second.study_id == "CALL-1"


def test_a_serious_one_is_grave_whatever_its_grade(clinic, nurse):
    effect_of(make_patient(clinic), grade=2, serious=True, seriousness_criteria=["hospitalisation"])
    with noon(on(3)):
        assert [row.urgency for row in rows(nurse)] == ["grave"]


def observed(effect, day, **values):
    defaults = {"grade": effect.grade, "outcome": "not_recovered", "by": "nina"}
    return save(SideEffectObservation(side_effect=effect, seen_on=on(day), **(defaults | values)))


def test_only_what_was_written_of_it_counts_as_asked(clinic, nurse):
    patient = make_patient(clinic)
    effect = effect_of(patient, onset_on=on(-300))
    make_session(make_series(patient), on(-10), kind="assessment")
    save(SideEffectInquiry(patient=patient, asked_on=on(0), answer="nothing", by="nina"))
    with noon(on(0)):
        assert "Not asked about since" in rows(nurse)[0].calls[0].reason
        assert rows(nurse)[0].urgency == "side_effect"
    observed(effect, -3)
    with noon(on(0)):
        assert "Last asked about on 27-Feb-2026" in rows(nurse)[0].calls[0].reason
        assert rows(nurse)[0].urgency == "not_due"


@pytest.mark.parametrize(("source", "urgencies"), [("page", []), ("import", ["side_effect"])])
def test_recording_one_on_a_page_is_writing_how_it_is_and_an_import_is_not(clinic, nurse, source, urgencies):
    """By the real clock, since the database itself notes when a row was made."""
    now = datetime.datetime.now(datetime.UTC)
    with acting(by="nina", source=source):
        SideEffect.objects.create(
            patient=make_patient(clinic),
            term="nausea",
            grade=1,
            onset_on=now.date() - datetime.timedelta(days=30),
        )
    with time_machine.travel(now, tick=False):
        assert [row.urgency for row in rows(nurse)] == urgencies
    with time_machine.travel(now + datetime.timedelta(days=1), tick=False):
        assert [row.urgency for row in rows(nurse)] == (urgencies or ["not_due"])


def test_a_card_shows_each_open_side_effect_first_with_its_course(signed_in, clinic, nurse, patient):
    lesion = patient.lesions.get()
    mild = effect_of(patient, grade=1, onset_on=on(-30))
    grave = effect_of(patient, term="injection_site_infection", grade=3, lesion=lesion, onset_on=on(-20))
    effect_of(patient, term="nausea", resolved_on=on(1))
    for day in range(-19, -13):
        observed(grave, day, grade=2)
    observed(grave, -13, action="oral_antibiotic", note="Swollen")
    with noon(on(32)):
        (row,) = rows(nurse)
        page = signed_in.get(reverse("calls")).content.decode()
    assert [call.urgency for call in row.calls] == ["grave", "side_effect", "missed_visit"]
    assert [call.urgency for call in row.reasons] == ["missed_visit"]
    assert [(event.effect, event.must_answer) for event in row.events] == [(grave, True), (mild, True)]
    assert (row.events[0].before, [seen.grade for seen in row.events[0].course]) == (3, [2, 2, 2, 3])
    for words in ("Began 10-Feb-2026", "3 more in between", "17-Feb-2026: grade 3, not recovered", "Swollen"):
        assert words in page
    assert page.index("Injection site infection") < page.index("Skin blistering") < page.index("was missed")


@pytest.mark.parametrize(("day", "due"), [(1, ["session:2"]), (2, []), (3, [])])
def test_what_was_asked_on_another_page_takes_the_call_off(nurse, patient, day, due):
    save(SideEffectInquiry(patient=patient, asked_on=on(day), answer="nothing", by="carl"))
    with noon(on(3)):
        assert keys(nurse) == due


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


def ring(client, patient, answer, only=None, note="", how="still_there", **more):
    """Answer what the page asks of the patient: each open side effect by `how`, where somebody answered."""
    page = client.get(reverse("calls")).content.decode()
    shown = re.findall(r'name="key" value="([^"]+)"', page)
    events = dict(re.findall(r'name="(version-[0-9]+)" value="([0-9]+)"', page))
    if how and answer != "no_answer":
        events |= {name.replace("version", "how"): how for name in events}
    return client.post(
        reverse("call_note", args=[patient.pk]),
        {"answer": answer, "key": shown if only is None else only, "note": note} | events | more,
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
        assert "Asked, nothing new" in signed_in.get(reverse("calls")).content.decode()
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
        address = reverse("side_effect_new", args=[patient.pk])
        assert answer.headers["Location"] == f"{address}?session={session.pk}&next=%2Fcalls%2F"
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
    assert answer.headers["Location"] == f"{reverse('side_effect_new', args=[patient.pk])}?next=%2Fcalls%2F"


def test_one_ring_answers_all_calls_of_a_patient(signed_in, nurse, patient):
    effect_of(patient, onset_on=on(-10), grade=1)
    with noon(on(7)):
        assert len(rows(nurse)) == 1
        assert len(rows(nurse)[0].calls) == 2
        ring(signed_in, patient, "nothing")
        assert rows(nurse) == []
    assert CallAttempt.objects.count() == 2
    assert SideEffectInquiry.objects.count() == 1
    assert SideEffectObservation.objects.get().outcome == "not_recovered"
    for day, urgency in ((13, "not_due"), (14, "side_effect")):
        with noon(on(day)):
            assert [call.urgency for row in rows(nurse) for call in row.calls] == [urgency]


def test_no_open_side_effect_is_left_without_an_answer(signed_in, nurse, patient):
    first, second = effect_of(patient, grade=1), effect_of(patient, term="nausea")
    chosen = {f"how-{first.pk}": "better"}
    for answer in ("nothing", "reported"):
        with noon(on(8)):
            page = ring(signed_in, patient, answer, how="", note="Slept well", **chosen).content.decode()
        assert SAY_HOW in page
        assert page.count(SAY_HOW) == 1
        assert f'id="problem-{second.pk}"' in page
        assert 'value="Slept well"' in page
        assert re.search(rf'name="how-{first.pk}" value="better" checked', page)
    for model in (CallAttempt, SideEffectInquiry, SideEffectObservation):
        assert not model.objects.exists()
    with noon(on(8)):
        ring(signed_in, patient, "nothing", how="", **chosen, **{f"how-{second.pk}": "over"})
        assert rows(nurse) == []
        page = signed_in.get(reverse("calls")).content.decode()
    assert "Skin blistering: recovering" in page
    assert "Nausea: recovered" in page
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, first.resolved_on) == ("recovering", None)
    assert (second.outcome, second.resolved_on) == ("recovered", on(8))
    assert SideEffectInquiry.objects.count() == 1


def test_what_is_worse_stays_until_it_is_said_how_much(signed_in, nurse, patient):
    effect = effect_of(patient, grade=1)
    with noon(on(8)):
        answer = ring(signed_in, patient, "nothing", how="worse")
        address = answer.headers["Location"]
        assert address == f"{reverse('side_effect', args=[effect.pk])}?how=worse&next=%2Fcalls%2F"
        page = signed_in.get(address).content.decode()
        assert '<input type="hidden" name="next" value="/calls/">' in page
        assert [call.urgency for row in rows(nurse) for call in row.calls] == ["side_effect"]
        effect.refresh_from_db()
        values = {"how": "worse", "grade": "2", "grade_reason": "As she told", "version": effect.version}
        answer = signed_in.post(
            reverse("side_effect_observe", args=[effect.pk]), values | {"next": "/calls/"}
        )
        assert answer.headers["Location"] == "/calls/"
        assert rows(nurse) == []
    assert SideEffectObservation.objects.get().grade == 2


def test_something_new_and_something_worse_are_both_written_down(signed_in, patient):
    effect = effect_of(patient, grade=1)
    session = patient.series.get().sessions.get()
    with noon(on(8)):
        answer = ring(signed_in, patient, "reported", how="worse", session=str(session.pk))
    onward = f"%2Fpatients%2F{patient.pk}%2Fside-effects%2Fnew%2F%3Fsession%3D{session.pk}%26next%3D%252Fcalls%252F"
    assert answer.headers["Location"] == f"/side-effects/{effect.pk}/?how=worse&next={onward}"


def test_who_says_how_it_is_was_answered(signed_in, patient):
    effect = effect_of(patient)
    with noon(on(8)):
        page = ring(signed_in, patient, "no_answer", **{f"how-{effect.pk}": "over"}).content.decode()
    assert "so somebody answered" in page
    assert not CallAttempt.objects.exists()
    assert not SideEffectObservation.objects.exists()


@pytest.mark.parametrize("what", ["stale", "answered", "other patient's", "no version"])
def test_an_answer_about_another_state_of_it_is_refused_and_shown_again(signed_in, clinic, patient, what):
    effect = effect_of(patient)
    with noon(on(8)):
        sent = {f"how-{effect.pk}": "better", f"version-{effect.pk}": effect.version}
        keys_seen = re.findall(
            r'name="key" value="([^"]+)"', signed_in.get(reverse("calls")).content.decode()
        )
        if what == "stale":
            with acting(by="carl", source="page"):
                SideEffect.objects.filter(pk=effect.pk).update(version=7)
        elif what == "answered":
            observed(effect, 8)
        elif what == "no version":
            sent.pop(f"version-{effect.pk}")
        else:
            theirs = effect_of(make_patient(clinic))
            sent |= {f"how-{theirs.pk}": "over", f"version-{theirs.pk}": theirs.version}
        before = SideEffectObservation.objects.count()
        answer = signed_in.post(
            reverse("call_note", args=[patient.pk]), {"answer": "nothing", "key": keys_seen} | sent
        )
    if what == "other patient's":
        assert answer.status_code == 302
        theirs.refresh_from_db()
        assert theirs.outcome == ""
        return
    assert "nothing was noted" in answer.content.decode()
    assert (WRITTEN_MEANWHILE in answer.content.decode()) == (what != "no version")
    assert SideEffectObservation.objects.count() == before
    assert not CallAttempt.objects.exists()


def test_tries_are_kept_from_the_call_after_48_hours_to_that_after_7_days(signed_in, nurse, patient):
    for day in (2, 3):
        with noon(on(day)):
            ring(signed_in, patient, "no_answer")
    with noon(on(7)):
        assert keys(nurse) == ["session:7"]
        assert rows(nurse)[0].tried_at == ["05-Mar-2026 12:00", "04-Mar-2026 12:00"]


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
    assert not SideEffectObservation.objects.exists()
    assert CallAttempt.everything.count() == 2
    assert SideEffectInquiry.everything.get().struck_out_by == "nina"


@pytest.mark.parametrize("before", ["", "recovering"])
def test_a_side_effect_that_a_slip_called_over_is_open_again(signed_in, nurse, patient, before):
    effect = effect_of(patient, onset_on=on(-10), grade=1)
    if before:
        observed(effect, -2, outcome=before)
    with noon(on(7)):
        ring(signed_in, patient, "nothing", how="over")
        effect.refresh_from_db()
        assert (effect.outcome, effect.resolved_on) == ("recovered", on(7))
        signed_in.post(reverse("call_take_back", args=[CallAttempt.objects.first().pk]))
        effect.refresh_from_db()
        assert (effect.outcome, effect.resolved_on) == (before, None)
        assert len(rows(nurse)[0].calls) == 2


def test_what_a_colleague_changed_since_is_not_taken_back(signed_in, patient):
    effect = effect_of(patient, onset_on=on(-10), grade=1)
    with noon(on(7)):
        ring(signed_in, patient, "nothing", how="over")
        effect.refresh_from_db()
        effect.outcome = "recovered_with_sequelae"
        save(effect)
        signed_in.post(reverse("call_take_back", args=[CallAttempt.objects.first().pk]))
    effect.refresh_from_db()
    assert (effect.outcome, effect.resolved_on) == ("recovered_with_sequelae", on(7))


def test_what_was_asked_on_another_page_stays_when_a_ring_is_taken_back(signed_in, nurse, patient):
    effect_of(patient, onset_on=on(-10), grade=1)
    with noon(on(7)):
        signed_in.post(reverse("side_effects_asked", args=[patient.pk]))
        ring(signed_in, patient, "nothing")
        signed_in.post(reverse("call_take_back", args=[CallAttempt.objects.get().pk]))
        assert keys(nurse) == [f"effect:{on(-10)}"]
    assert [row.answer for row in SideEffectInquiry.objects.all()] == ["nothing"]


def test_taking_back_a_later_ring_leaves_the_earlier_answer(signed_in, nurse, patient):
    with noon(on(2)):
        ring(signed_in, patient, "nothing")
    effect_of(patient, onset_on=on(-10))
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


def test_every_patient_is_on_some_page_and_all_are_on_the_list_for_print(signed_in, nurse, clinic):
    number = 2 * PATIENTS_PER_PAGE + 1
    wanted = {treated(clinic, study_id=f"MANY-{place:03}").study_id for place in range(number)}
    other = treated(make_clinic("other"), study_id="NOT-OURS")
    find = re.compile(r'data-call="([^"]+)"').findall
    with noon(on(2)):
        pages = [
            signed_in.get(f"{reverse('calls')}?clinic=own&page={page}").content.decode()
            for page in (1, 2, 3, 99)
        ]
        whole = signed_in.get(f"{reverse('calls')}?whole").content.decode()
        first = signed_in.get(reverse("calls")).content.decode()
    assert [len(find(page)) for page in pages] == [PATIENTS_PER_PAGE, PATIENTS_PER_PAGE, 1, 1]
    assert {study_id for page in pages for study_id in find(page)} == wanted
    assert set(find(whole)) == wanted
    assert find(first) == find(pages[0])
    assert "121 to ring" in first
    assert "?clinic=own&amp;page=2" in first
    assert 'href="?whole"' in first
    assert "data-print" in whole
    assert "<button" not in whole[whole.index("data-call") : whole.rindex("data-call")]
    assert other.study_id not in whole


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("clinic=own", True),
        ("clinic=other", False),
        ("clinic=nowhere", False),
        ("page=x", True),
        ("page=0", True),
        ("page=-1", True),
        ("page=99999999999999999999999999", True),
    ],
)
def test_an_address_that_names_nothing_shows_nothing_of_others(signed_in, patient, query, shown):
    treated(make_clinic("other"), study_id="NOT-OURS")
    with noon(on(2)):
        page = signed_in.get(f"{reverse('calls')}?{query}")
    assert page.status_code == 200
    assert ("CALL-1" in page.content.decode()) == shown
    assert "NOT-OURS" not in page.content.decode()


def test_the_way_leads_back_to_the_page_of_the_list(signed_in, patient):
    with noon(on(2)):
        key = f"session:{patient.series.get().sessions.get().pk}:2"
        address = f"{reverse('call_note', args=[patient.pk])}?clinic=own&page=2"
        answer = signed_in.post(address, {"answer": "no_answer", "key": key})
    assert answer.headers["Location"] == f"{reverse('calls')}?clinic=own&page=2"


def test_the_printed_list_bears_the_clinics_own_time(signed_in, patient):
    with time_machine.travel(datetime.datetime(2026, 3, 4, 23, 30, tzinfo=datetime.UTC), tick=False):
        page = signed_in.get(reverse("calls")).content.decode()
    assert "Printed 05-Mar-2026 00:30" in page
    assert "04-Mar-2026 23:30" not in page


def test_what_the_sponsor_waits_for_stands_on_the_page(signed_in, clinic):
    effect = effect_of(
        make_patient(clinic),
        grade=3,
        serious=True,
        seriousness_criteria=["hospitalisation"],
        serious_known_at=datetime.datetime(2026, 3, 4, 5, tzinfo=datetime.UTC),
    )
    theirs = effect_of(make_patient(make_clinic()), serious=True, seriousness_criteria=["disability"])
    with noon(on(2)):
        page = signed_in.get(reverse("calls")).content.decode()
    assert "Tell the sponsor: 18 h 0 min left" in page
    assert "Due by 05-Mar-2026 06:00" in page
    assert reverse("side_effect", args=[effect.pk]) in page
    assert reverse("side_effect", args=[theirs.pk]) not in page


def test_the_number_of_queries_does_not_grow(signed_in, nurse, clinic, patient, django_assert_num_queries):
    with noon(on(8)):
        effect_of(patient, lesion=patient.lesions.get())
        ring(signed_in, patient, "no_answer")
        reader = fresh(nurse)
        with django_assert_num_queries(15):
            clinic_calls(reader)
        for number in range(5):
            one = treated(clinic, body_site="thumb")
            effect_of(one, lesion=one.lesions.get(), onset_on=on(-number))
            ring(signed_in, one, "no_answer")
        reader = fresh(nurse)
        with django_assert_num_queries(15):
            assert len(clinic_calls(reader)[0].rows) == 6
        reader = fresh(nurse)
        with django_assert_num_queries(10):
            calls_ahead(reader)


def fresh(user) -> User:
    """The user as a new request has it, whose roles were not read yet."""
    return User.objects.get(pk=user.pk)


def test_the_facts_of_two_clinics_do_not_mix(clinic, patient):
    other = make_clinic("other")
    theirs = treated(other)
    facts = load_facts({clinic: on(2), other: on(2)})
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
    assert text.count("SUMMARY:Ring CALL-1\r\n") == 2


def test_the_calendar_file_tells_nothing_of_health(signed_in, patient):
    effect_of(patient, onset_on=on(-10), term="digital_necrosis", grade=3, lesion=patient.lesions.get())
    with noon(on(2)):
        text = signed_in.get(reverse("calls_calendar")).content.decode().replace("\r\n ", "")
    names = {line.partition(":")[0].partition(";")[0] for line in text.split("\r\n")}
    assert names == {
        "BEGIN", "VERSION", "PRODID", "CALSCALE", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "TRANSP",
        "CLASS", "END", "",
    }  # fmt: skip
    assert re.findall("SUMMARY:(.*)\r", text) == ["Ring CALL-1"] * 2
    assert [line for line in text.split("\r\n") if line.startswith("DTSTART")] == [
        "DTSTART;VALUE=DATE:20260304",
        "DTSTART;VALUE=DATE:20260309",
    ]


def test_what_is_due_since_earlier_stands_on_today(signed_in, patient):
    with noon(on(5)):
        assert "DTSTART;VALUE=DATE:20260307" in signed_in.get(reverse("calls_calendar")).content.decode()


def test_another_clinics_calls_are_in_no_calendar(patient):
    client = Client()
    client.force_login(make_user("nurse", make_clinic()))
    with noon(on(2)):
        assert "VEVENT" not in client.get(reverse("calls_calendar")).content.decode()


def a_call(reason: str = "", study_id: str = "ÆØÅ-1") -> Call:
    return Call(key="session:1:2", patient=study_id, reason=reason, due_on=SESSION, urgency="after_session")


def test_the_file_keeps_to_the_standard():
    at = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
    text = calendar_of([a_call(study_id="A; red, painful\\\n" + "å" * 100)], at)
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith("END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert r"Ring A\; red\, painful\\\n" + "å" * 100 in text.replace("\r\n ", "")


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
