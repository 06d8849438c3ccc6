"""A side effect from the question to its end: asked, two taps, serious, the sponsor, over, the report."""

import datetime
from datetime import date

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lesions.models import Medication, PatientIdentity, PriorTreatment
from sessions_app.allocation import open_allocation
from sessions_app.forms.side_effects import NOT_SAID, WHOLE_PATIENT
from sessions_app.models import (
    Photograph,
    SessionDraft,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
)
from sessions_app.seriousness import clock_of
from sessions_app.side_effects import observe
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.audit.services import StaleRecord
from stsclinic.clinical.grading import questions_of
from tests.builders import (
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

NOW = datetime.datetime(2026, 3, 6, 9, 0, tzinfo=datetime.UTC)
HELD_ON = date(2026, 3, 2)
TODAY = date(2026, 3, 6)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


@pytest.fixture
def case(db):
    """A nurse, and her patient whose elbow was injected four days ago, and not her finger."""

    class Case:
        clinic = make_clinic("north")
        nurse = make_user("nurse", clinic)
        patient = make_patient(clinic)
        finger = make_lesion(patient, body_site="thumb")
        elbow = make_lesion(patient)
        series = make_series(patient, [finger, elbow])
        session = make_session(series, HELD_ON)
        injection = make_injection(session, elbow, lot_number="LOT-7")

    Case.client = Client()
    Case.client.force_login(Case.nurse)
    Case.ask = reverse("side_effect_new", args=[Case.patient.pk])
    return Case


def made(case, **values) -> SideEffect:
    defaults = {"patient": case.patient, "series": case.series, "session": case.session, "lesion": case.elbow,
                "term": "skin_blistering", "grade": 1, "onset_on": HELD_ON + datetime.timedelta(days=2)}  # fmt: skip
    return save(SideEffect(**(defaults | values)))


def observed(case, effect, how, **values):
    sent = {"how": how, "version": str(effect.version)} | values
    answer = case.client.post(reverse("side_effect_observe", args=[effect.pk]), sent)
    effect.refresh_from_db()
    return answer


# asking -------------------------------------------------------------------------------------------------


def test_the_row_shows_what_is_expected_today_first(case):
    page = case.client.get(case.ask)
    asking = page.context["asking"]
    assert asking.since_words == "4 days after session 1 of 02-Mar-2026."
    assert [term.code for term in asking.usual if term.is_expected_now] == [
        "skin_discolouration", "skin_blistering", "injection_site_infection", "calcium_drainage",
        "skin_ulceration",
    ]  # fmt: skip
    assert page.content.decode().count("Ask today") == 5
    assert "digital_necrosis" not in {term.code for term in asking.usual}
    make_injection(case.session, case.finger)
    asking = case.client.get(case.ask).context["asking"]
    assert "digital_necrosis" in {term.code for term in asking.usual}


def test_a_term_and_its_day_are_one_tap_and_saving_is_the_second(case):
    page = case.client.get(case.ask)
    (blistering,) = [term for term in page.context["asking"].usual if term.code == "skin_blistering"]
    (pain,) = [term for term in page.context["asking"].usual if term.code == "injection_site_pain"]
    assert (pain.days, blistering.days) == ((0, 1, 2), (4,))
    assert "?term=injection_site_pain&amp;days=2" in page.content.decode()
    form = case.client.get(f"{case.ask}?term=injection_site_pain&days=2")
    sent = shown_values(form)
    assert form.context["form"].began_words == "Began 2 days after the session, 04-Mar-2026"
    assert (sent["onset_when"], sent["lesions"], sent["end_when"]) == (2, [str(case.elbow.pk)], "still")
    assert case.client.post(case.ask, sent | {"no_to_rest": "1"}).status_code == 302
    row = SideEffect.objects.get()
    assert (row.term, row.grade, row.onset_on, row.lesion) == (
        "injection_site_pain", 1, date(2026, 3, 4), case.elbow
    )  # fmt: skip


class TestWhichLesion:
    """Of two that were treated, none is taken as chosen."""

    def send(self, case, term, **choice):
        make_injection(case.session, case.finger)
        sent = shown_values(case.client.get(f"{case.ask}?term={term}&days=2"))
        assert sent["lesions"] == []
        return case.client.post(case.ask, sent | {"no_to_rest": "1"} | choice)

    def test_what_belongs_to_a_place_asks_for_it(self, case):
        answer = self.send(case, "injection_site_pain")
        assert "Choose the lesions, or the whole patient." in answer.content.decode()
        assert not SideEffect.objects.exists()

    def test_the_whole_patient_is_an_answer(self, case):
        assert self.send(case, "injection_site_pain", lesions=[WHOLE_PATIENT]).status_code == 302
        assert SideEffect.objects.get().lesion is None

    def test_not_both(self, case):
        answer = self.send(case, "injection_site_pain", lesions=[WHOLE_PATIENT, str(case.elbow.pk)])
        assert "Choose lesions, or the whole patient, not both." in answer.content.decode()
        assert not SideEffect.objects.exists()

    def test_nausea_is_of_the_whole_patient(self, case):
        assert self.send(case, "nausea").status_code == 302
        assert SideEffect.objects.get().lesion is None


@pytest.mark.parametrize("days", ["5", "-1", "99", "x", "1.5", "9" * 30])
def test_a_day_that_has_not_come_or_is_none_is_not_taken(case, days):
    page = case.client.get(f"{case.ask}?term=nausea&days={days}")
    assert page.status_code == 200
    assert page.context["form"]["onset_when"].value() == NOT_SAID


def test_the_days_that_can_be_tapped_are_the_latest_seven_and_none_to_come(case, clock):
    clock.move_to(NOW + datetime.timedelta(days=6))
    case.client.force_login(case.nurse)
    usual = case.client.get(case.ask).context["asking"].usual
    days = {term.code: term.days for term in usual}
    assert days["injection_site_infection"] == (4, 5, 6, 7, 8, 9, 10)
    assert days["skin_discolouration"] == (2, 3, 4)


def test_the_open_ones_show_their_course_and_photographs(case):
    row = made(case, onset_on=HELD_ON)
    observed(case, row, "worse", answer_daily="yes", no_to_rest="1", action="analgesia", note="dressed twice")
    before, since = (
        save(Photograph(lesion=case.elbow, taken_on=day, width_px=1, height_px=1, sha256="0"))
        for day in (date(2026, 3, 1), date(2026, 3, 5))
    )
    with CaptureQueriesContext(connection) as one:
        page = case.client.get(case.ask)
    (event,) = page.context["asking"].open
    assert [entry["title"] for entry in event.course] == ["Began", "Not recovered"]
    assert event.photographs == [since]
    text = page.content.decode()
    for words in ("dressed twice", "Done: Pain relief", str(since.token)):
        assert words in text, words
    assert str(before.token) not in text
    for term in ("nausea", "headache"):
        observed(case, made(case, term=term), "still_there")
    with CaptureQueriesContext(connection) as many:
        case.client.get(case.ask)
    assert len(many) == len(one)


def test_a_patient_without_a_session_can_be_asked(case):
    patient = make_patient(case.clinic)
    address = reverse("side_effect_new", args=[patient.pk])
    assert "No session was held yet." in case.client.get(address).content.decode()
    page = case.client.get(f"{address}?term=nausea")
    assert page.status_code == 200
    sent = shown_values(page) | {"no_to_rest": "1"}
    assert "Say when it began." in case.client.post(address, sent).content.decode()
    assert case.client.post(address, sent | {"onset_on": "2026-03-05"}).status_code == 302


def test_asked_nothing_is_one_tap_and_is_kept_once(case):
    address = reverse("side_effects_asked", args=[case.patient.pk])
    for _tap in range(2):
        assert case.client.post(address).url == reverse("patient", args=[case.patient.pk])
    row = SideEffectInquiry.objects.get()
    assert (row.answer, row.asked_on, row.series, row.session, row.by) == (
        "nothing", TODAY, case.series, None, case.nurse.username
    )  # fmt: skip
    assert "Asked, nothing, by" in case.client.get(case.ask).content.decode()


def test_asked_at_the_session_of_today_names_it(case, clock):
    today = make_session(case.series, TODAY)
    case.client.post(reverse("side_effects_asked", args=[case.patient.pk]))
    assert SideEffectInquiry.objects.get().session == today


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [("/calls/", "/calls/"), ("//evil.example/", ""), ("https://evil.example/", ""), ("calls", "")],
)
def test_the_way_on_stays_on_this_site(case, wanted, goes_to):
    address = reverse("side_effects_asked", args=[case.patient.pk])
    answer = case.client.post(address, {"next": wanted})
    assert answer.url == goes_to or reverse("patient", args=[case.patient.pk]) == answer.url != wanted


# few taps -----------------------------------------------------------------------------------------------


def shown_values(page) -> dict:
    """What the page's form would send as it stands."""
    form = page.context["form"]
    sent = {}
    for field in form:
        value = field.value()
        if value is True:
            sent[field.name] = "on"
        elif value not in (None, False, "", NOT_SAID):
            sent[field.name] = value
    return sent


SINCE_TODAY = {"onset_when": "4"}
"""The tap that says when it began; nothing is presumed."""


def test_a_usual_mild_one_takes_what_it_is_when_it_began_and_no_to_the_rest(case):
    page = case.client.get(f"{case.ask}?term=skin_blistering")
    answer = case.client.post(case.ask, shown_values(page) | {"no_to_rest": "1"})
    assert "Say when it began." in answer.content.decode()
    assert not SideEffect.objects.exists()
    answer = case.client.post(case.ask, shown_values(page) | SINCE_TODAY | {"no_to_rest": "1"})
    assert answer.status_code == 302, answer.context["form"].errors
    row = SideEffect.objects.get()
    assert (row.term, row.grade, row.ctcae_version, row.onset_on, row.resolved_on, row.lesion, row.session) == (
        "skin_blistering", 1, "5.0", TODAY, None, case.elbow, case.session
    )  # fmt: skip
    assert row.grade_answers == {question.key: "no" for question in questions_of("skin_blistering", "5.0")}
    assert SideEffectInquiry.objects.get().answer == "reported"


@pytest.mark.parametrize(
    ("days", "onset", "end", "ended"),
    [
        ("0", HELD_ON, "still", None),
        ("2", date(2026, 3, 4), "0", date(2026, 3, 4)),
        ("2", date(2026, 3, 4), "2", TODAY),
        ("4", TODAY, "", None),
    ],
)
def test_days_become_dates(case, days, onset, end, ended):
    sent = shown_values(case.client.get(f"{case.ask}?term=nausea"))
    sent |= {"onset_when": days, "end_when": end, "no_to_rest": "1"}
    assert case.client.post(case.ask, sent).status_code == 302
    row = SideEffect.objects.get()
    assert (row.onset_on, row.resolved_on) == (onset, ended)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"onset_when": "2", "onset_on": "2026-03-05"}, "onset_when"),
        ({"onset_when": "5"}, "onset_when"),
        ({"onset_when": "", "onset_on": ""}, "onset_on"),
        ({"onset_when": "2", "belongs_to": ""}, "onset_when"),
        ({"end_when": "still", "resolved_on": "2026-03-05"}, "end_when"),
        ({"end_when": "3"}, "resolved_on"),
    ],
)
def test_two_answers_are_refused_and_never_guessed(case, typed, field):
    page = case.client.get(f"{case.ask}?term=nausea")
    sent = shown_values(page) | SINCE_TODAY | {"no_to_rest": "1", "note": "x"} | typed
    answer = case.client.post(case.ask, sent)
    assert answer.status_code == 200
    assert (
        field in answer.context["form"].errors
        or field == "onset_when"
        and "onset_on" in answer.context["form"].errors
    )
    assert not SideEffect.objects.exists()


def test_an_open_question_is_never_taken_as_no(case):
    page = case.client.get(f"{case.ask}?term=skin_blistering")
    sent = shown_values(page) | SINCE_TODAY | {"answer_daily": "yes"}
    answer = case.client.post(case.ask, sent)
    assert "Not answered yet" in answer.context["form"].errors["grade"][0]
    assert case.client.post(case.ask, sent | {"no_to_rest": "1"}).status_code == 302
    assert SideEffect.objects.get().grade == 2


def test_another_grade_needs_a_word_why(case):
    page = case.client.get(f"{case.ask}?term=nausea")
    sent = shown_values(page) | SINCE_TODAY | {"no_to_rest": "1", "grade": "2"}
    answer = case.client.post(case.ask, sent)
    assert "say why" in answer.context["form"].errors["grade_reason"][0]
    assert case.client.post(case.ask, sent | {"grade_reason": "lost 3 kg"}).status_code == 302
    row = SideEffect.objects.get()
    assert (row.grade, row.grade_reason) == (2, "lost 3 kg")


# serious ------------------------------------------------------------------------------------------------


def serious(case) -> SideEffect:
    page = case.client.get(f"{case.ask}?term=digital_necrosis")
    sent = shown_values(page) | SINCE_TODAY | {"no_to_rest": "1"}
    assert "serious" in case.client.post(case.ask, sent).context["form"].errors
    answer = case.client.post(case.ask, sent | {"seriousness_criteria": ["disability"]})
    row = SideEffect.objects.get()
    assert answer.url == reverse("side_effect", args=[row.pk])
    return row


def test_a_criterion_makes_it_serious_and_starts_the_clock(case):
    row = serious(case)
    assert (row.serious, row.seriousness_criteria, row.serious_known_at, row.grade) == (
        True, ["disability"], NOW, 3
    )  # fmt: skip
    assert clock_of(row, NOW + datetime.timedelta(hours=20)).words == "Tell the sponsor: 4 h 0 min left"
    page = case.client.get(reverse("side_effect", args=[row.pk])).content.decode()
    assert "1 d 0 h left" in page and "Due by 07-Mar-2026 10:00" in page


@pytest.mark.parametrize(
    ("hours", "told_on", "told_time", "state"),
    [
        (1, "2026-03-06", "10:30", "in_time"),
        (24, "2026-03-07", "10:00", "in_time"),
        (25, "2026-03-07", "10:01", "late"),
        (25, "2026-03-07", "", "told"),
        (50, "2026-03-08", "", "late"),
    ],
)
def test_the_sponsor_was_told(case, clock, hours, told_on, told_time, state):
    row = serious(case)
    later = NOW + datetime.timedelta(hours=hours)
    clock.move_to(later)
    case.client.force_login(case.nurse)
    sent = {"who": "the safety desk", "told_on": told_on, "told_time": told_time, "version": str(row.version)}
    assert case.client.post(reverse("side_effect_sponsor", args=[row.pk]), sent).status_code == 302
    row.refresh_from_db()
    assert (clock_of(row, later).state, row.sponsor_told_who) == (state, "the safety desk")


def test_the_sponsor_form_loses_nothing(case):
    row = serious(case)
    address = reverse("side_effect_sponsor", args=[row.pk])
    page = case.client.post(
        address, {"who": "the desk", "told_on": "2027-01-01", "version": "1"}
    ).content.decode()
    assert "in the future" in page and 'value="the desk"' in page
    page = case.client.post(
        address, {"who": "the desk", "told_on": "2026-03-06", "version": "9"}
    ).content.decode()
    assert "Somebody else changed this" in page and 'value="the desk"' in page
    row.refresh_from_db()
    assert row.sponsor_told_on is None


# until it is over ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "outcome", "ended"),
    [
        ("still_there", "not_recovered", None),
        ("better", "recovering", None),
        ("over", "recovered", TODAY),
    ],
)
def test_one_tap_says_how_it_is(case, how, outcome, ended):
    row = made(case)
    assert observed(case, row, how).status_code == 302
    seen = SideEffectObservation.objects.get()
    assert (seen.seen_on, seen.grade, seen.outcome, seen.by) == (TODAY, 1, outcome, case.nurse.username)
    assert (row.outcome, row.resolved_on, row.version) == (outcome, ended, 2)
    assert SideEffectInquiry.objects.get().answer == "reported"
    assert {"sideeffect", "sideeffectobservation"} <= {
        name.removeprefix("sessions_app_") for name in Change.objects.values_list("table_name", flat=True)
    }


def test_two_taps_at_once_are_one_observation(case):
    row = made(case, outcome="not_recovered")
    observed(case, row, "still_there", version="1")
    answer = observed(case, row, "still_there", version="1", note="mine")
    assert "Somebody else changed this" in answer.content.decode()
    assert 'value="mine"' in answer.content.decode()
    assert SideEffectObservation.objects.count() == 1
    with pytest.raises(StaleRecord):
        observe(effect=row, how="over", seen={}, seen_version=1, by="x")


def test_worse_asks_for_the_grade_and_keeps_the_highest(case):
    row = made(case)
    answer = observed(case, row, "worse", note="spreading")
    assert answer.status_code == 200 and 'value="spreading"' in answer.content.decode()
    observed(case, row, "worse", answer_daily="yes", no_to_rest="1", action="analgesia")
    assert (row.grade, row.grade_answers["daily"], row.action) == (2, "yes", "analgesia")
    observed(case, row, "better", grade="1", grade_reason="drying", answer_daily="")
    assert row.grade == 2
    assert list(SideEffectObservation.objects.values_list("grade", flat=True)) == [2, 1]


def test_worse_to_grade_3_asks_whether_it_is_serious(case):
    row = made(case)
    worse = {"answer_self_care": "yes", "no_to_rest": "1"}
    answer = observed(case, row, "worse", **worse)
    assert "serious" in answer.context["observation"].errors
    assert not SideEffectObservation.objects.exists()
    observed(case, row, "worse", **worse, seriousness_criteria=["hospitalisation"])
    assert (row.grade, row.serious, row.serious_known_at) == (3, True, NOW)


def test_what_was_imported_without_its_grounds_can_still_end(case):
    row = made(case, grade=3, serious=True)
    assert observed(case, row, "over").status_code == 302
    assert row.resolved_on == TODAY


def test_what_is_over_is_not_asked_about_again(case):
    row = made(case, resolved_on=TODAY, outcome="recovered")
    assert "over already" in observed(case, row, "better").content.decode()
    assert not case.client.get(case.ask).context["asking"].open
    with pytest.raises(ValidationError, match="over already"):
        observe(effect=row, how="over", seen={}, seen_version=row.version, by="x")


def test_the_latest_day_says_the_outcome(case):
    row = made(case)
    observed(case, row, "better", seen_on="2026-03-06")
    observed(case, row, "still_there", seen_on="2026-03-05")
    assert row.outcome == "recovering"
    assert observed(case, row, "better", seen_on="2026-03-03").status_code == 200
    assert observed(case, row, "better", seen_on="2026-03-07").status_code == 200


def test_the_page_shows_its_history(case):
    row = made(case)
    observed(case, row, "worse", answer_daily="yes", no_to_rest="1", action="analgesia", note="dressed")
    observed(case, row, "over")
    page = case.client.get(reverse("side_effect", args=[row.pk]))
    titles = [entry["title"] for entry in page.context["page"].course]
    assert titles == ["Began", "Not recovered", "Recovered", "Ended"]
    for words in ("dressed", "Done: Pain relief", "Did it stop you from housework", "Expected"):
        assert words in page.content.decode()


def test_the_history_tells_answers_and_criteria_in_words(case):
    row = serious(case)
    page = case.client.get(reverse("record_history", args=["side_effect", row.pk])).content.decode()
    assert "danger: no" in page and "Persistent or significant disability" in page


def test_the_patients_page_asks_in_one_tap_and_leads_to_the_event(case):
    row = made(case)
    page = case.client.get(reverse("patient", args=[case.patient.pk])).content.decode()
    assert reverse("side_effects_asked", args=[case.patient.pk]) in page
    assert reverse("side_effect", args=[row.pk]) in page


# silence ------------------------------------------------------------------------------------------------


def inquired(case, day: date, answer: str = "nothing") -> None:
    save(SideEffectInquiry(patient=case.patient, asked_on=day, answer=answer, by="rita"))


NOT_ASKED = "Not asked, as far as is recorded"


def test_a_session_says_whether_anybody_asked_after_it(case):
    address = reverse("session", args=[case.session.pk])
    assert NOT_ASKED in case.client.get(address).content.decode()
    inquired(case, HELD_ON)
    assert NOT_ASKED in case.client.get(address).content.decode()
    make_session(case.series, date(2026, 3, 5))
    inquired(case, date(2026, 3, 6))
    assert NOT_ASKED in case.client.get(address).content.decode()
    inquired(case, date(2026, 3, 5))
    page = case.client.get(address).content.decode()
    assert NOT_ASKED not in page and "No side effect is recorded." in page
    assert "05-Mar-2026: asked, nothing (by rita)" in page and "06-Mar-2026" not in page
    made(case)
    page = case.client.get(address).content.decode()
    assert "No side effect is recorded." not in page and "asked, nothing" in page


@pytest.mark.parametrize("name", ["patient", "swim_lanes"])
def test_a_patients_pages_say_whether_anybody_asked(case, name):
    address = reverse(name, args=[case.patient.pk])
    assert NOT_ASKED in case.client.get(address).content.decode()
    made(case)
    assert "That anybody asked is not recorded" in case.client.get(address).content.decode()
    inquired(case, date(2026, 3, 5), "reported")
    page = case.client.get(address).content.decode()
    assert "05-Mar-2026: asked, side effects reported (by rita)" in page
    assert "is not recorded: whether" not in page


def test_the_clock_is_seen_on_the_patients_page_and_in_the_summary(case):
    row = serious(case)
    for address in (reverse("patient", args=[case.patient.pk]), reverse("side_effect_summary")):
        page = case.client.get(address).content.decode()
        assert "Tell the sponsor: 1 d 0 h left" in page and "Due by 07-Mar-2026 10:00" in page
        assert reverse("side_effect", args=[row.pk]) in page


def test_what_waits_is_paged(case):
    for number in range(21):
        made(case, term="other", term_detail=f"number {number}", grade=3)
    address = reverse("side_effect_summary")
    first = case.client.get(address)
    assert len(first.context["standings"]) == 20 and first.context["page"].paginator.count == 21
    assert "?page=2" in first.content.decode()
    assert len(case.client.get(f"{address}?page=2&clinic=north").context["standings"]) == 1
    assert len(case.client.get(f"{address}?page=x").context["standings"]) == 20


# the report ---------------------------------------------------------------------------------------------


def test_the_report_has_the_content_of_cioms_i(case):
    save(
        Medication(
            patient=case.patient, name="bosentan", role="vasodilator", started_on="2025", dose="125 mg"
        )
    )
    for name, stopped_on in (
        ("nifedipine", "2025-12-08"), ("iloprost", "2025-09"), ("sildenafil", "2025-09-05"), ("aspirin", "2026-03-06")
    ):  # fmt: skip
        save(Medication(patient=case.patient, name=name, role="vasodilator", stopped_on=stopped_on))
    save(PatientIdentity(patient=case.patient, name="Ann Secret", date_of_birth=date(1970, 5, 1)))
    case.patient.clinic.country = "Portugal"
    save(case.patient.clinic)
    row = serious(case)
    page = case.client.get(reverse("side_effect_report", args=[row.pk])).content.decode()
    for words in (
        case.patient.study_id, "Female", "55 or 56 years", "Portugal", "Digital necrosis", "06-Mar-2026",
        "Sodium thiosulfate", "0.5 ml of 150 mg/ml (75 mg)", "LOT-7", "Injection into the lesion",
        "Calcinosis cutis (limited cutaneous systemic sclerosis)", "bosentan 125 mg (vasodilator, from 2025)",
        "Not yet", "weekly4 version 1", "Not expected",
        "Initial: that the sponsor was told is not recorded",
        "No: still there on 06-Mar-2026, and not given since it began", "Does not apply: it was not given again",
    ):  # fmt: skip
        assert words in page, words
    assert "sildenafil" not in page and "Secret" not in page
    taken, stopped = page.split("Stopped in the 6 months before the onset")
    assert "aspirin (vasodilator, to 06-Mar-2026)" in taken
    assert "nifedipine (vasodilator, to 08-Dec-2025, 88 days before the onset)" in stopped
    assert "iloprost (vasodilator, to Sep-2025, 157 to 186 days before the onset)" in stopped


def test_an_earlier_treatment_is_read_in_words_wherever_it_stands(case):
    row = save(PriorTreatment(patient=case.patient, treatment="surgical_excision", response="none"))
    pages = {
        "side_effect_report": [serious(case).pk],
        "patient": [case.patient.pk],
        "prior_treatment_edit": [row.pk],
        "strike_out": ["prior_treatment", row.pk],
    }
    case.client.force_login(make_user("clinician", case.clinic))
    for name, arguments in pages.items():
        page = case.client.get(reverse(name, args=arguments)).content.decode()
        assert "surgical excision" in page, name
        # The field in which it is changed holds what is stored.
        assert ("surgical_excision" in page) == (name == "prior_treatment_edit"), name


def test_the_narrative_tells_the_facts_in_their_order(case):
    save(Medication(patient=case.patient, name="bosentan", role="vasodilator", stopped_on="2025-12-08"))
    row = serious(case)
    observed(case, row, "better", action="analgesia", note="pink again")
    case.client.post(
        reverse("side_effect_sponsor", args=[row.pk]),
        {"who": "the desk", "told_on": "2026-03-06", "told_time": "", "version": str(row.version)},
    )
    page = case.client.get(reverse("side_effect_report", args=[row.pk]))
    text = " ".join(page.context["report"].narrative)
    facts = [
        "Patient: Female, 55 or 56 years, limited cutaneous systemic sclerosis.",
        "Sodium thiosulfate was given: 02-Mar-2026, on 1 day.",
        "Stopped in the 6 months before: bosentan (vasodilator, to 08-Dec-2025, 88 days before the onset).",
        "On 06-Mar-2026 began: digital necrosis",
        "Its highest grade was 3.",
        "It was serious because of: persistent or significant disability.",
        "06-Mar-2026: grade 3, recovering, pink again",
        "It was still there on 06-Mar-2026",
    ]
    places = [text.find(words) for words in facts]
    assert -1 not in places and places == sorted(places), dict(zip(facts, places, strict=True))
    assert "Follow-up: the sponsor was first told on 06-Mar-2026" in page.content.decode()


def test_the_report_keeps_a_closed_allocation(case):
    patient = make_patient(case.clinic)
    lesions = [make_lesion(patient), make_lesion(patient)]
    arms = list(zip(lesions, ("active", "control"), strict=True))
    series = make_series(patient, arms, protocol="placebo3")
    session = make_session(series, HELD_ON)
    make_injection(session, lesions[0], concentration_mg_ml=40, volume_ml="0.37", lot_number="LOT-A")
    make_injection(session, lesions[1], agent="saline", concentration_mg_ml=None, volume_ml="0.37")
    row = made(case, patient=patient, series=series, session=session, lesion=lesions[0])
    address = reverse("side_effect_report", args=[row.pk])
    betraying = ("0.37", "LOT-A", "40 mg/ml", "saline\n")
    closed = case.client.get(address).content.decode()
    assert "the allocation is closed" in closed and "Sodium thiosulfate or saline (blinded)" in closed
    assert not [words for words in betraying if words in closed]
    open_allocation(clinic=case.clinic, protocol_code="placebo3", patient=patient, reason="emergency", by="x")
    opened = case.client.get(address).content.decode()
    assert "0.37 ml of 40 mg/ml" in opened and "LOT-A" in opened


# who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "sees", "records"),
    [
        ("clinician", True, True),
        ("nurse", True, True),
        ("investigator", True, False),
        ("observer", False, False),
        ("data_manager", True, False),
        ("administrator", False, False),
    ],
)
def test_who_may(case, role, sees, records):
    row = made(case, serious=True, seriousness_criteria=["death"], grade=5)
    colleague, outsider = Client(), Client()
    colleague.force_login(make_user(role, case.clinic))
    outsider.force_login(make_user(role, make_clinic()))
    for name in ("side_effect", "side_effect_report"):
        address = reverse(name, args=[row.pk])
        assert outsider.get(address).status_code == 404
        assert colleague.get(address).status_code == (200 if sees else 404)
    if sees and not records:
        page = colleague.get(reverse("side_effect", args=[row.pk])).content.decode()
        assert "How is it now?" not in page and "Keep that the sponsor" not in page
    for name, key in (
        ("side_effect_observe", row.pk), ("side_effect_sponsor", row.pk), ("side_effects_asked", case.patient.pk)
    ):  # fmt: skip
        address = reverse(name, args=[key])
        assert outsider.post(address, {"how": "over", "version": "1"}).status_code == 404
        if not records:
            assert colleague.post(address, {"how": "over", "version": "1"}).status_code == 404
    assert not SideEffectObservation.objects.exists() and not SideEffectInquiry.objects.exists()


def test_a_draft_of_another_patient_is_refused_and_the_own_one_is_the_way_on(case):
    other = SessionDraft.objects.create(
        series=make_series(make_patient(case.clinic)), kind="treatment", opened_by=case.nurse
    )
    own = SessionDraft.objects.create(series=case.series, kind="treatment", opened_by=case.nurse)
    address = reverse("side_effects_asked", args=[case.patient.pk])
    assert case.client.post(address, {"draft": str(other.pk)}).status_code == 404
    assert case.client.post(address, {"draft": str(own.pk)}).url == reverse("draft", args=[own.pk])
