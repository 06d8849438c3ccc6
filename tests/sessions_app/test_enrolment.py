"""Criteria, consent, withdrawal and series through their pages and services."""

import datetime
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from lesions.models import Patient
from sessions_app import series as series_services
from sessions_app.enrolment import may_open_session
from sessions_app.models import Protocol, Series, SeriesLesion
from sessions_app.series import open_series
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
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

JUDGED = "The patient understands that the treatment is experimental."


@pytest.fixture
def clinic():
    return make_clinic("aarhus")


@pytest.fixture
def owner(client, clinic):
    user = make_user("nurse", clinic)
    client.force_login(user)
    return user


@pytest.fixture
def offered(clinic):
    return make_patient(clinic, study_id="AAR-001", consented_on=None)


@pytest.fixture
def patient(clinic):
    return make_patient(clinic, study_id="AAR-002")


def errors(response) -> str:
    assert response.status_code == 200
    return " ".join(str(error) for found in response.context["form"].errors.values() for error in found)


def decide(client, patient, protocol="weekly4", **typed):
    data = {"protocol": protocol, "version": str(patient.version), "outcome": "consented", "answer_1": "yes"}
    data |= {"consented_on": "2026-01-10"}
    return client.post(reverse("enrol_decide", args=[patient.pk]), data | typed)


# Criteria and consent ------------------------------------------------------------------------------------


def test_each_criterion_is_shown_with_its_answer_and_reason(client, owner, offered):
    make_lesion(offered, pain_vas=2, dysfunction=False)
    page = client.get(reverse("enrol_decide", args=[offered.pk]))
    rows = {row["criterion"].code: row["criterion"] for row in page.context["rows"]}
    assert {code: row.met for code, row in rows.items()} == {
        "age": True,
        "hypersensitivity": True,
        "pregnancy": True,
        "lesion_count": True,
        "pain_or_dysfunction": False,
        "other_1": None,
    }
    text = page.content.decode()
    for row in rows.values():
        assert row.requirement in text
    assert rows["age"].reason in text
    assert "Not met" in text
    assert "Not recorded" in text


def test_another_protocol_has_its_own_criteria(client, owner, offered):
    page = client.get(reverse("enrol_decide", args=[offered.pk]), {"protocol": "placebo3"})
    assert {row["criterion"].code for row in page.context["rows"]} >= {
        "breast_feeding",
        "lesion_size",
        "other_3",
    }
    assert client.get(reverse("enrol_decide", args=[offered.pk]), {"protocol": "none"}).status_code == 404


def test_a_consent_is_recorded_with_what_was_judged(client, owner, offered):
    assert decide(client, offered).url == reverse("lesion_new", args=[offered.pk])
    offered.refresh_from_db()
    assert offered.consented_on == datetime.date(2026, 1, 10)
    assert offered.criteria_met == {"weekly4": {JUDGED: True}}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"consented_on": ""}, "Enter the date of the consent"),
        ({"consented_on": "2025-12-31"}, "before the offer"),
        ({"consented_on": "2099-01-01"}, "in the future"),
        ({"answer_1": ""}, "Answer yes or no"),
        ({"answer_1": "no"}, "Not eligible"),
        ({"answer_1": "maybe"}, "valid choice"),
        ({"outcome": ""}, "required"),
        ({"outcome": "married"}, "valid choice"),
        ({"outcome": "not_eligible"}, "Say which one is not"),
    ],
)
def test_what_a_decision_refuses(client, owner, offered, typed, sentence):
    assert sentence in errors(decide(client, offered, **typed))
    assert Patient.objects.get().version == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sts_hypersensitivity": True}, "hypersensitivity"),
        ({"pregnant": True}, "Not pregnant"),
        ({"birth_year": 2015}, "Aged 18"),
    ],
)
def test_who_is_not_eligible_does_not_consent(client, owner, clinic, values, words):
    patient = make_patient(clinic, consented_on=None, **values)
    assert words in errors(decide(client, patient))
    assert decide(client, patient, outcome="not_eligible").status_code == 302
    patient.refresh_from_db()
    assert (patient.not_enrolled_reason, patient.consented_on) == ("not_eligible", None)
    assert words.split()[-1] in Change.objects.latest("id").reason


def test_declined_and_back(client, owner, offered):
    assert decide(client, offered, outcome="declined").status_code == 302
    offered.refresh_from_db()
    assert (offered.not_enrolled_reason, offered.consented_on) == ("declined", None)
    assert decide(client, offered).status_code == 302
    offered.refresh_from_db()
    assert (offered.not_enrolled_reason, offered.consented_on) == ("", datetime.date(2026, 1, 10))


def test_a_consent_with_a_series_is_not_taken_back(client, owner, patient):
    make_series(patient)
    assert "has a series" in errors(decide(client, patient, outcome="declined"))


def test_two_people_decide(client, owner, offered):
    stale = offered.version
    decide(client, offered, outcome="declined")
    response = client.post(
        reverse("enrol_decide", args=[offered.pk]),
        {
            "protocol": "weekly4",
            "version": stale,
            "outcome": "consented",
            "answer_1": "yes",
            "consented_on": "2026-01-10",
        },
    )
    assert ("Outcome", "Consented", "Declined") in {
        (row.label, row.typed, row.recorded) for row in response.context["differences"]
    }
    assert Patient.objects.get().not_enrolled_reason == "declined"


def test_an_outsider_decides_nothing(client, offered, patient):
    make_series(patient)
    series = Series.objects.get()
    for user in (make_user("clinician", make_clinic()), make_user("investigator", offered.clinic)):
        client.force_login(user)
        assert decide(client, offered).status_code == 404
        for name, pk in (
            ("enrol_decide", offered.pk),
            ("patient_withdraw", patient.pk),
            ("series_new", patient.pk),
            ("series_edit", series.pk),
        ):
            assert client.get(reverse(name, args=[pk])).status_code == 404
            assert client.post(reverse(name, args=[pk]), {"version": "1"}).status_code == 404


# Withdrawal ------------------------------------------------------------------------------------------------


def test_a_patient_withdraws_without_a_reason_and_no_session_can_be_opened(client, owner, patient):
    make_series(patient, [make_lesion(patient)])
    assert may_open_session(patient) == ""
    data = {"version": "1", "withdrawn_on": "2026-02-01", "withdrawal_reason": "", "stop_series": "on"}
    assert client.post(reverse("patient_withdraw", args=[patient.pk]), data).status_code == 302
    patient.refresh_from_db()
    assert patient.withdrawn_on == datetime.date(2026, 2, 1)
    assert (
        may_open_session(patient) == "The patient withdrew on 01-Feb-2026; no further session can be opened."
    )
    series = Series.objects.get()
    assert (series.status, series.stop_reason) == ("stopped", "patient_choice")


def test_the_open_series_may_stay(client, owner, patient):
    make_series(patient)
    data = {"version": "1", "withdrawn_on": "2026-02-01", "withdrawal_reason": "Tired"}
    client.post(reverse("patient_withdraw", args=[patient.pk]), data)
    patient.refresh_from_db()
    assert (patient.withdrawal_reason, Series.objects.get().status) == ("Tired", "active")


@pytest.mark.parametrize("day", ["", "2026-01-01", "2099-01-01", "yesterday"])
def test_what_a_withdrawal_refuses(client, owner, patient, day):
    data = {"version": "1", "withdrawn_on": day, "withdrawal_reason": ""}
    assert errors(client.post(reverse("patient_withdraw", args=[patient.pk]), data))
    assert Patient.objects.get().withdrawn_on is None


def test_a_mistaken_withdrawal_is_taken_back_with_a_reason(client, owner, patient):
    url = reverse("patient_withdraw", args=[patient.pk])
    client.post(url, {"version": "1", "withdrawn_on": "2026-02-01", "withdrawal_reason": "Tired"})
    assert client.post(url, {"undo": "yes", "version": "2", "undo_reason": " "}).status_code == 200
    assert Patient.objects.get().withdrawn_on is not None
    assert client.post(url, {"undo": "yes", "version": "1", "undo_reason": "Wrong one"}).status_code == 200
    assert client.post(url, {"undo": "yes", "version": "2", "undo_reason": "Wrong one"}).status_code == 302
    patient = Patient.objects.get()
    assert (patient.withdrawn_on, patient.withdrawal_reason) == (None, "")


# Series ------------------------------------------------------------------------------------------------------


def open_it(client, patient, chosen, **typed):
    data: dict[str, object] = {"protocol": "weekly4", "status": "active", "started_on": "2026-01-10"}
    data |= {"lesions": [lesion.pk for lesion in chosen]}
    return client.post(reverse("series_new", args=[patient.pk]), data | typed)


def test_a_series_is_opened_with_its_lesions(client, owner, patient):
    first, second, _third = (make_lesion(patient) for _ in range(3))
    assert open_it(client, patient, [first, second]).url == reverse("patient", args=[patient.pk])
    series = Series.objects.get()
    assert (series.series_no, series.protocol.code, series.status) == (1, "weekly4", "active")
    assert [row.lesion for row in series.series_lesions.all()] == [first, second]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"protocol": "none"}, "valid choice"),
        ({"lesions": []}, "Choose the lesions"),
        ({"lesions": ["x"]}, "not a valid value"),
        ({"lesions": ["9" * 400]}, "not one of the available choices"),
        ({"status": "completed"}, "valid choice"),
        ({"started_on": "2026-01-01"}, "before the consent"),
        ({"started_on": "2099-01-01"}, "in the future"),
        ({"high_concentration_approved_on": "2026-01-01"}, "a date and a reason"),
        ({"high_concentration_reason": "Scars"}, "a date and a reason"),
        ({"protocol": "placebo3"}, "exactly two lesions"),
    ],
)
def test_what_a_new_series_refuses(client, owner, patient, typed, sentence):
    assert sentence in errors(open_it(client, patient, [make_lesion(patient)], **typed))
    assert not Series.objects.exists()
    assert not SeriesLesion.objects.exists()


def test_another_patients_lesion_is_refused(client, owner, clinic, patient):
    foreign = make_lesion(make_patient(clinic))
    assert "valid choice" in errors(open_it(client, patient, [make_lesion(patient), foreign]))
    with pytest.raises(ValidationError, match="lesions of this patient"):
        open_series(
            patient=patient,
            protocol=Protocol.objects.get(code="weekly4"),
            lesions=[foreign],
            started_on=datetime.date(2026, 1, 10),
            status="active",
            by="x",
        )


def test_another_clinics_protocol_is_refused(client, owner, patient):
    with acting(by="x", source="command"):
        Protocol.objects.create(code="theirs", name="Theirs", clinic=make_clinic())
        Protocol.objects.create(code="weekly4", version=2, name="Our weekly", clinic=patient.clinic)
    lesion = make_lesion(patient)
    assert "valid choice" in errors(open_it(client, patient, [lesion], protocol="theirs"))
    open_it(client, patient, [lesion])
    assert Series.objects.get().protocol.version == 2


def test_a_series_needs_the_consent(client, owner, offered):
    assert "has not consented" in client.get(reverse("series_new", args=[offered.pk])).content.decode()
    open_it(client, offered, [make_lesion(offered)])
    assert not Series.objects.exists()


def test_who_is_not_eligible_gets_no_series(client, owner, clinic):
    patient = make_patient(clinic, pregnant=True)
    assert "Not pregnant" in errors(open_it(client, patient, [make_lesion(patient)]))


def test_the_pain_criterion_is_asked_of_the_patient_not_of_each_lesion(client, owner, patient):
    make_lesion(patient, pain_vas=6)
    mild = make_lesion(patient, pain_vas=1, dysfunction=False)
    assert open_it(client, patient, [mild]).status_code == 302


def test_a_second_open_series_must_be_meant(client, owner, patient):
    lesion = make_lesion(patient)
    make_series(patient, [lesion])
    page = client.get(reverse("series_new", args=[patient.pk])).content.decode()
    assert "Another series of this patient is open" in page
    assert "required" in errors(open_it(client, patient, [lesion]))
    assert open_it(client, patient, [lesion], in_addition="on").status_code == 302
    assert [series.series_no for series in Series.objects.order_by("series_no")] == [1, 2]


def test_the_arms_are_drawn_and_shown_nowhere(client, owner, clinic, monkeypatch):
    drawn = []
    for is_first in (True, False):
        patient = make_patient(clinic)
        lesions = [make_lesion(patient), make_lesion(patient)]
        coin = SimpleNamespace(choice=lambda _options, said=is_first: said)
        monkeypatch.setattr(series_services, "secrets", coin)
        assert open_it(client, patient, lesions, protocol="placebo3").status_code == 302
        series = Series.objects.get(patient=patient)
        drawn.append([row.arm for row in series.series_lesions.order_by("lesion__lesion_id")])
        for name, args in (
            ("series_edit", [series.pk]),
            ("patient_history", [patient.pk]),
            ("record_history", ["series", series.pk]),
        ):
            page = client.get(reverse(name, args=args)).content.decode()
            assert "Control (saline)" not in page
            assert "Active (sodium thiosulfate)" not in page
    assert drawn == [["active", "control"], ["control", "active"]]


def test_both_draws_happen(clinic):
    seen = set()
    for _ in range(40):
        seen.add(tuple(series_services._arms(Protocol.objects.get(code="placebo3"))))
    assert seen == {("active", "control"), ("control", "active")}


def edit(client, series, **typed):
    data = {
        "version": str(series.version),
        "status": series.status,
        "stop_reason": series.stop_reason,
        "started_on": series.started_on.isoformat(),
        "lesions": list(series.series_lesions.values_list("lesion", flat=True)),
    }
    response = client.post(reverse("series_edit", args=[series.pk]), data | typed)
    series.refresh_from_db()
    return response


def test_stop_and_reopen(client, owner, patient):
    series = make_series(patient, [make_lesion(patient)])
    assert "has a reason" in errors(edit(client, series, status="stopped"))
    assert "no other has one" in errors(edit(client, series, stop_reason="other"))
    assert edit(client, series, status="stopped", stop_reason="complete_remission").status_code == 302
    assert (series.status, series.stop_reason) == ("stopped", "complete_remission")
    assert edit(client, series, status="active", stop_reason="").status_code == 302
    assert edit(client, series, status="completed").status_code == 302
    assert series.status == "completed"


def test_after_a_withdrawal_nothing_is_reopened(client, owner, clinic):
    patient = make_patient(clinic, withdrawn_on=datetime.date(2026, 2, 1))
    series = make_series(patient, [make_lesion(patient)], status="completed")
    assert "withdrew" in errors(edit(client, series, status="active"))
    assert "withdrew" in client.get(reverse("series_new", args=[patient.pk])).content.decode()


def test_an_approval_is_recorded(client, owner, patient):
    series = make_series(patient, [make_lesion(patient)])
    approval = {
        "high_concentration_approved_on": "2026-01-20",
        "high_concentration_reason": "No effect of 150",
    }
    assert "a date and a reason" in errors(edit(client, series, high_concentration_reason="No effect"))
    assert edit(client, series, **approval).status_code == 302
    assert (series.high_concentration_approved_on, series.high_concentration_reason) == (
        datetime.date(2026, 1, 20),
        "No effect of 150",
    )


def test_lesions_come_in_and_untreated_ones_go_out(client, owner, patient):
    treated, untreated, new = (make_lesion(patient) for _ in range(3))
    series = make_series(patient, [treated, untreated])
    make_assessment(make_session(series, datetime.date(2026, 1, 10)), treated)
    assert "stays in it" in errors(edit(client, series, lesions=[untreated.pk]))
    assert edit(client, series, lesions=[treated.pk, new.pk]).status_code == 302
    assert set(series.series_lesions.values_list("lesion", flat=True)) == {treated.pk, new.pk}
    assert SeriesLesion.everything.get(lesion=untreated).struck_out_reason


def test_two_people_change_the_lesions(client, owner, patient):
    first, second = make_lesion(patient), make_lesion(patient)
    series = make_series(patient, [first])
    stale = series.version
    assert edit(client, series, lesions=[first.pk, second.pk]).status_code == 302
    response = edit(client, series, version=str(stale), lesions=[first.pk])
    assert ("Lesions", "L01", "L01, L02") in {
        (row.label, row.typed, row.recorded) for row in response.context["differences"]
    }
    assert series.series_lesions.count() == 2


def test_the_lesions_of_a_controlled_series_stay(client, owner, patient):
    lesions = [make_lesion(patient), make_lesion(patient)]
    series = make_series(patient, [(lesions[0], "active"), (lesions[1], "control")], protocol="placebo3")
    page = client.get(reverse("series_edit", args=[series.pk]))
    assert "lesions" not in page.context["form"].fields
    assert edit(client, series, lesions=[lesions[0].pk], status="completed").status_code == 302
    assert series.series_lesions.count() == 2
