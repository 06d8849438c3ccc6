"""The page of alerts: how often each spoke, what was noted, and what came after."""

import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from lesions.models import Medication
from sessions_app import alert_history as module
from sessions_app.alert_history import Period, alert_history
from sessions_app.models import AlertAcknowledgement, Protocol, SideEffect
from stsclinic.audit.acting import acting
from stsclinic.clinics.models import Membership
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

TODAY = datetime.date(2026, 6, 1)
FIRST = datetime.date(2026, 3, 2)


def day(number: int) -> datetime.date:
    return FIRST + datetime.timedelta(days=number)


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


@pytest.fixture
def clinic():
    return make_clinic("own")


def course(clinic, *sessions, protocol="weekly4", arm="", **lesion):
    """A patient with injections of these (day, mg/ml) into one lesion."""
    patient = make_patient(clinic)
    lesion = make_lesion(patient, **lesion)
    series = make_series(patient, [(lesion, arm)], protocol)
    for number, mg_ml in sessions:
        make_injection(make_session(series, day(number)), lesion, concentration_mg_ml=mg_ml)
    return patient


def line(user, code, **choice):
    return next(one for one in alert_history(user, **choice).lines if one.help.code == code)


def effect(patient, number, lesion=None, **values):
    return save(
        SideEffect(
            patient=patient,
            lesion=lesion,
            onset_on=day(number),
            **({"term": "skin_blistering", "grade": 2} | values),
        )
    )


def test_an_alert_is_counted_as_often_as_it_would_have_spoken(clinic):
    course(clinic, (0, 150), (7, 250), (14, 250), (21, 150))
    course(clinic, (0, 150), (7, 150))
    nurse = make_user("nurse", clinic)
    found = line(nurse, "concentration_increased")
    assert (found.spoke, len(found.patients), found.acknowledged) == (1, 1, 0)
    history = alert_history(nurse)
    assert history.sessions == 6
    assert line(nurse, "too_early").spoke == 0


def test_coimbra_in_small(clinic):
    patient = course(clinic, (0, 150), (7, 150), body_site="thumb")
    patient.raynaud = "yes"
    save(patient)
    save(
        Medication(
            patient=patient, name="bosentan", role="vasodilator", started_on="2010", stopped_on="2026-03-05"
        )
    )
    effect(patient, 21, patient.lesions.get(), term="digital_necrosis", grade=3, serious=True)
    found = line(make_user("clinician", clinic), "vasodilator_stopped")
    assert (found.spoke, found.followed, found.followed_words) == (1, 1, "1 of 1")
    assert found.after_words == "Digital necrosis 1"


@pytest.mark.parametrize(("onset", "followed"), [(6, 0), (7, 1), (21, 1), (22, 0)])
def test_after_means_within_two_weeks(clinic, onset, followed):
    patient = course(clinic, (0, 150), (7, 250))
    effect(patient, onset, patient.lesions.get())
    assert line(make_user("nurse", clinic), "concentration_increased").followed == followed


def test_after_means_at_the_lesion_that_the_alert_names(clinic):
    patient = course(clinic, (0, 150), (7, 250))
    other = make_lesion(patient)
    effect(patient, 9, other)
    nurse = make_user("nurse", clinic)
    assert line(nurse, "concentration_increased").followed == 0
    effect(patient, 9, None, term="nausea")
    assert line(nurse, "concentration_increased").followed == 1


def test_sessions_at_which_nothing_spoke_are_there_to_compare(clinic):
    quiet = course(clinic, (0, 150), (7, 150))
    effect(quiet, 8)
    course(clinic, (0, 150), (1, 150))
    history = alert_history(make_user("nurse", clinic))
    assert history.quiet_words == "2 of 3"


@pytest.mark.parametrize(
    ("first", "last", "sessions", "spoke"),
    [
        (None, None, 3, 1), (0, 14, 3, 1), (1, 14, 2, 1), (7, 7, 1, 1), (8, None, 1, 0), (None, 6, 1, 0),
        (15, None, 0, 0),
    ],
)  # fmt: skip
def test_a_period_counts_its_days_but_what_was_before_is_known(clinic, first, last, sessions, spoke):
    course(clinic, (0, 150), (7, 250), (14, 250))
    nurse = make_user("nurse", clinic)
    period = Period(first=None if first is None else day(first), last=None if last is None else day(last))
    assert alert_history(nurse, period).sessions == sessions
    assert line(nurse, "concentration_increased", period=period).spoke == spoke


def test_one_clinic_counts_alone(clinic):
    other = make_clinic("other")
    course(clinic, (0, 150), (7, 250))
    course(other, (0, 150))
    nurse = make_user("nurse", clinic)
    save(Membership(user=nurse, clinic=other, role="nurse"))
    assert alert_history(nurse).sessions == 3
    assert alert_history(nurse, clinic=other.pk).sessions == 1
    assert alert_history(nurse, clinic=make_clinic("strange").pk).sessions == 0


def test_what_stops_or_asks_is_not_counted(clinic):
    patient = course(clinic, (0, 150), (7, 150))
    patient.pregnant = True
    save(patient)
    history = alert_history(make_user("nurse", clinic))
    assert {one.help.level for one in history.lines} == {"acknowledge", "inform"}
    assert history.quiet_words == "0 of 2"


def test_the_number_of_sessions_is_bounded(clinic, monkeypatch):
    monkeypatch.setattr(module, "MOST_SESSIONS", 2)
    course(clinic, (0, 150), (7, 150), (14, 150), (21, 150))
    history = alert_history(make_user("nurse", clinic))
    assert (history.sessions, history.is_cut, history.since) == (2, True, day(8))


def acknowledge(patient, code, note="Seen, goes on", facts="150 before, 250 now"):
    session = patient.series.get().sessions.order_by("-session_no").first()
    return save(
        AlertAcknowledgement(session=session, code=code, lesion=None, facts=facts, note=note, by="carl")
    )


def test_notes_are_for_those_who_see_patients(clinic, client):
    patient = course(clinic, (0, 150), (7, 250))
    acknowledge(patient, "concentration_increased")
    for role, sees in (("nurse", True), ("investigator", True), ("administrator", False)):
        client.force_login(make_user(role, clinic))
        with time_machine.travel(datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)):
            page = client.get(reverse("alerts")).content.decode()
        assert ("Seen, goes on" in page) == sees
        assert (patient.study_id in page) == sees
        assert line(make_user(role, clinic), "concentration_increased").acknowledged == 1


def test_another_clinic_counts_nothing(clinic):
    acknowledge(course(clinic, (0, 150), (7, 250)), "concentration_increased")
    outsider = make_user("nurse", make_clinic())
    history = alert_history(outsider)
    assert history.sessions == 0
    assert not any(one.spoke or one.acknowledged or one.notes for one in history.lines)


def test_a_closed_trial_betrays_nothing(clinic):
    patient = course(clinic, (0, 40), (30, 250), protocol="placebo3", arm="active")
    acknowledge(patient, "concentration_increased", facts="from 40 to 250 mg/ml")
    acknowledge(patient, "too_early", note="On holiday")
    blinded, holder = make_user("clinician", clinic), make_user("data_manager", clinic)
    assert alert_history(blinded).leaves_out
    assert not alert_history(holder).leaves_out
    for user, spoke in ((blinded, 0), (holder, 1)):
        found = line(user, "concentration_increased")
        assert (found.spoke, found.acknowledged, len(found.notes)) == (spoke, spoke, spoke)
        assert line(user, "too_early").notes[0].note == "On holiday"


def test_each_series_is_judged_by_its_own_version_of_the_protocol(clinic):
    patient = course(clinic, (0, 150), (10, 150))
    nurse = make_user("nurse", clinic)
    assert line(nurse, "too_early").spoke == 0
    stricter = Protocol.objects.get(code="weekly4")
    stricter.pk, stricter.version, stricter.interval_min_days, stricter._state.adding = None, 2, 14, True
    save(stricter)
    assert line(nurse, "too_early").spoke == 0
    series = patient.series.get()
    series.protocol = stricter
    save(series)
    assert line(nurse, "too_early").spoke == 1


def test_what_was_struck_out_is_not_played(clinic):
    patient = course(clinic, (0, 150), (7, 250))
    session = patient.series.get().sessions.get(session_no=2)
    session.session_no, session.struck_out_at = None, datetime.datetime(2026, 4, 1, tzinfo=datetime.UTC)
    save(session)
    nurse = make_user("nurse", clinic)
    assert alert_history(nurse).sessions == 1
    assert line(nurse, "concentration_increased").spoke == 0


def test_the_number_of_queries_does_not_grow(clinic, django_assert_num_queries):
    acknowledge(course(clinic, (0, 150), (7, 250)), "concentration_increased")
    nurse = make_user("nurse", clinic)
    alert_history(nurse)
    with django_assert_num_queries(12):
        alert_history(nurse)
    for _ in range(4):
        acknowledge(course(clinic, (0, 150), (7, 250), (14, 250)), "concentration_increased")
    with django_assert_num_queries(12):
        alert_history(nurse)


def test_the_page_without_sessions_says_so():
    client = Client()
    client.force_login(make_user("administrator", make_clinic()))
    page = client.get(reverse("alerts")).content.decode()
    assert "No session is recorded here yet" in page
    assert "a new version" in page


class TestThePage:
    @pytest.fixture
    def nurse(self, clinic, client):
        client.force_login(make_user("nurse", clinic))
        return client

    def page(self, client, **query):
        response = client.get(reverse("alerts"), query)
        assert response.status_code == 200
        return response

    def test_all_notes_on_one_alert_by_pages(self, clinic, nurse):
        patient = course(clinic, (0, 150), (7, 250))
        for number in range(51):
            acknowledge(patient, "concentration_increased", note=f"note {number}.", facts=f"facts {number}")
        acknowledge(patient, "too_early", note="of another alert")
        html = self.page(nurse).content.decode()
        assert html.count("note 5") == 1 and "All 51" in html and "of another alert" in html
        first = self.page(nurse, alert="concentration_increased")
        assert len(first.context["page"]) == 50
        assert "of another alert" not in first.content.decode()
        second = nurse.get(reverse("alerts") + first.context["next_url"])
        assert [note.note for note in second.context["page"]] == ["note 0."]

    def test_a_note_tells_what_came_after(self, clinic, nurse):
        patient = course(clinic, (0, 150), (7, 250))
        acknowledge(patient, "concentration_increased")
        assert "No side effect after" in self.page(nurse).content.decode()
        effect(patient, 9, patient.lesions.get())
        assert "After: Skin blistering, 11-Mar-2026" in self.page(nurse).content.decode()

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ({"clinic": "strange"}, "is none of your clinics"),
            ({"held_from": "soon"}, "Enter a date as year-month-day"),
            ({"held_from": "2026-03-09", "held_to": "2026-03-08"}, "ends before it begins"),
            ({"alert": "pregnancy"}, "is no alert that is counted here"),
        ],
    )
    def test_what_cannot_be_read_is_said_and_chooses_nothing(self, clinic, nurse, query, sentence):
        course(clinic, (0, 150), (7, 250))
        response = self.page(nurse, **query)
        assert sentence in response.content.decode()
        assert response.context["form"].errors
