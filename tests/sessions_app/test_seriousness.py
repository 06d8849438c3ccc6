"""Serious side effects: asked again when they worsen, never "no" beside a yes, and listed until told."""

import datetime
from datetime import date

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.models import SideEffect, SideEffectObservation
from sessions_app.selectors import side_effects_for
from sessions_app.seriousness import CONTRADICTED, NOT_SAID, of_seriousness, standing_of, unsettled
from sessions_app.side_effects import observe
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out
from stsclinic.clinical.seriousness import CRITERION_OF
from tests.builders import make_clinic, make_lesion, make_patient, make_user

NOW = datetime.datetime(2026, 3, 6, 9, 0, tzinfo=datetime.UTC)
TODAY = date(2026, 3, 6)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def case(db):
    """A nurse, and her patient."""

    class Case:
        clinic = make_clinic("north")
        nurse = make_user("nurse", clinic)
        patient = make_patient(clinic)
        elbow = make_lesion(patient)

    Case.client = Client()
    Case.client.force_login(Case.nurse)
    return Case


def made(case, **values) -> SideEffect:
    defaults = {"patient": case.patient, "lesion": case.elbow, "term": "injection_site_infection", "grade": 2,
                "onset_on": TODAY - datetime.timedelta(days=2), "serious": False}  # fmt: skip
    with acting(by="test", source="command"):
        return SideEffect.objects.create(**(defaults | values))


def observed(case, effect, how, **values):
    sent = {"how": how, "version": str(effect.version)} | values
    answer = case.client.post(reverse("side_effect_observe", args=[effect.pk]), sent)
    effect.refresh_from_db()
    return answer


# worse --------------------------------------------------------------------------------------------------


WORSE = {"answer_hospital": "yes", "answer_danger": "yes", "no_to_rest": "1"}


def test_worse_to_hospital_and_danger_is_asked_again_though_it_was_not_serious(case):
    """The patient of the audit: grade 2 and not serious, then in hospital with life in danger."""
    row = made(case)
    answer = observed(case, row, "worse", **WORSE, note="taken by ambulance")
    assert answer.status_code == 200
    assert "serious" in answer.context["observation"].errors
    page = answer.content.decode()
    assert "The answers say: life-threatening, hospitalisation, or a longer one" in page
    assert 'value="taken by ambulance"' in page
    assert 'name="serious"' in page and 'name="seriousness_criteria"' in page
    assert (row.grade, row.serious) == (2, False)
    assert not SideEffectObservation.objects.exists()

    answer = observed(case, row, "worse", **WORSE, serious="no")
    assert "that makes it serious" in answer.context["observation"].errors["serious"][0]
    answer = observed(case, row, "worse", **WORSE, seriousness_criteria=["hospitalisation"])
    assert "life-threatening" in answer.context["observation"].errors["seriousness_criteria"][0]

    both = ["hospitalisation", "life_threatening"]
    assert observed(case, row, "worse", **WORSE, serious="yes", seriousness_criteria=both).status_code == 302
    assert (row.grade, row.serious, row.serious_known_at) == (4, True, NOW)
    assert set(row.seriousness_criteria) == set(both)


@pytest.mark.parametrize(
    ("before", "answers", "asked"),
    [
        (1, {"answer_tablets": "yes"}, False),
        (2, {"answer_tablets": "yes"}, False),
        (2, {"answer_operation": "yes"}, True),
        (3, {"answer_operation": "yes"}, False),
        (3, {"answer_danger": "yes"}, True),
        (3, {"answer_hospital": "yes"}, True),
        (4, {"answer_operation": "yes"}, False),
        (4, {"answer_hospital": "yes"}, True),
        (5, {"answer_tablets": "yes"}, False),
    ],
)
def test_not_serious_is_asked_again_when_the_grade_rises_to_3_or_a_criterion_is_met(
    case, before, answers, asked
):
    row = made(case, grade=before)
    answer = observed(case, row, "worse", **answers, no_to_rest="1")
    if asked:
        assert "serious" in answer.context["observation"].errors
        assert not SideEffectObservation.objects.exists()
    else:
        assert answer.status_code == 302, answer.context["observation"].errors
        assert row.serious is False


def test_another_grade_that_rises_asks_too(case):
    row = made(case)
    higher = {"answer_tablets": "yes", "no_to_rest": "1", "grade": "3", "grade_reason": "spreads fast"}
    assert "serious" in observed(case, row, "worse", **higher).context["observation"].errors
    assert observed(case, row, "worse", **higher, serious="no").status_code == 302
    assert (row.grade, row.serious) == (3, False)


def test_what_is_serious_stays_so_and_gains_criteria(case):
    row = made(case, grade=3, serious=True, seriousness_criteria=["hospitalisation"], serious_known_at=NOW)
    answer = observed(case, row, "worse", answer_danger="yes", no_to_rest="1")
    assert "seriousness_criteria" in answer.context["observation"].errors
    answer = observed(case, row, "better", serious="no")
    assert "take that back" in answer.context["observation"].errors["serious"][0]
    sent = {"answer_danger": "yes", "no_to_rest": "1", "seriousness_criteria": ["life_threatening"]}
    assert observed(case, row, "worse", **sent).status_code == 302
    assert row.seriousness_criteria == ["hospitalisation", "life_threatening"]
    assert row.serious is True and row.serious_known_at == NOW


def test_a_yes_stays_a_yes_when_the_grade_is_found_again(case):
    row = made(case, grade=3, serious=True, seriousness_criteria=["hospitalisation"],
               grade_answers={"hospital": "yes"}, ctcae_version="5.0")  # fmt: skip
    sent = {"answer_danger": "yes", "no_to_rest": "1", "seriousness_criteria": ["life_threatening"]}
    observed(case, row, "worse", **sent)
    assert (row.grade_answers["hospital"], row.grade_answers["danger"]) == ("yes", "yes")


def test_changing_the_grade_asks_again_too_and_the_answer_is_taken(case):
    row = made(case, ctcae_version="5.0", grade_reason="looked at")
    address = reverse("side_effect_edit", args=[row.pk])
    sent = {"term": row.term, "onset_on": str(row.onset_on), "lesion": str(case.elbow.pk), "ctcae_version": "5.0",
            "grade": "3", "grade_reason": "looked at", "serious": "no", "version": "1"}  # fmt: skip
    answer = case.client.post(address, sent)
    form = answer.context["form"]
    assert "It was not serious at grade 2, and the grade is 3 now" in form.errors["serious"][0]
    assert form["serious"].value() == ""
    assert 'name="serious_at_grade" value="3"' in answer.content.decode()
    assert (
        "serious"
        in case.client.post(address, sent | {"serious": "", "serious_at_grade": "3"}).context["form"].errors
    )
    assert case.client.post(address, sent | {"serious_at_grade": "3"}).status_code == 302
    row.refresh_from_db()
    assert (row.grade, row.serious) == (3, False)


def test_the_service_holds_it_by_itself(case):
    row = made(case)
    seen = {"seen_on": TODAY, "note": "", "action": "", "grade": 4, "grade_answers": {"died": "no", "danger": "yes"},
            "grade_reason": "", "ctcae_version": "5.0", "resolved_on": None, "outcome": "",
            "serious": None, "seriousness_criteria": []}  # fmt: skip
    for said in ({}, {"serious": False}):
        with pytest.raises(ValidationError) as refused:
            observe(effect=row, how="worse", seen=seen | said, seen_version=1, by="x")
        assert set(refused.value.message_dict) == {"serious"}
    assert not SideEffectObservation.objects.exists()


@pytest.mark.parametrize("key", CRITERION_OF)
def test_no_beside_a_yes_is_refused(key):
    values = {"serious": False, "seriousness_criteria": [], "grade_answers": {key: "yes"}, "term": "other",
              "grade": 2, "sponsor_told_on": None}  # fmt: skip
    assert set(of_seriousness(values)) == {"serious"}
    assert set(of_seriousness(values | {"serious": None})) == {"serious"}
    assert of_seriousness(values | {"grade_answers": {key: "no"}}) == {}
    criteria = ["medically_important"]
    answered = values | {"serious": True, "seriousness_criteria": criteria}
    assert set(of_seriousness(answered)) == {"seriousness_criteria"}
    assert of_seriousness(answered | {"seriousness_criteria": [*criteria, CRITERION_OF[key]]}) == {}


# the list -----------------------------------------------------------------------------------------------


SERIOUS = {"serious": True, "grade": 3, "seriousness_criteria": ["hospitalisation"]}


def test_what_waits_for_a_word_the_most_urgent_first(case):
    overdue = made(case, **SERIOUS, term="headache", serious_known_at=NOW - 30 * HOUR)
    running = made(case, **SERIOUS, term="nausea", serious_known_at=NOW - HOUR)
    no_moment = made(case, **SERIOUS, term="vomiting", resolved_on=TODAY, outcome="recovered")
    contradicted = made(case, term="dizziness", grade_answers={"hospital": "yes"}, ctcae_version="5.0")
    not_said = made(case, term="skin_blistering", grade=3, serious=None)
    necrosis = made(case, term="skin_necrosis", grade=1, serious=None)
    # and these are settled
    made(case, **SERIOUS, term="diarrhoea", sponsor_told_on=TODAY, sponsor_told_who="x")
    made(case, term="fatigue", grade=3, serious=False, grade_answers={"self_care": "yes", "died": "no"})
    made(case, term="haematoma", grade=2, serious=None)
    strike_out(made(case, **SERIOUS, term="hypotension"), by="test", reason="twice")

    found = list(unsettled(side_effects_for(case.nurse, "see_patients")))
    assert found == [overdue, running, no_moment, contradicted, not_said, necrosis]
    with CaptureQueriesContext(connection) as queries:
        told = [standing_of(row, NOW) for row in unsettled(SideEffect.objects.filter(patient=case.patient))]
    assert len(queries) == 1
    assert [(one.words, one.badge, one.due_words) for one in told] == [
        ("The sponsor should have been told: 6 h 0 min over", "overdue", "Due by 06-Mar-2026 04:00"),
        ("Tell the sponsor: 23 h 0 min left", "due", "Due by 07-Mar-2026 09:00"),
        ("Sponsor not told; when the clinic knew is not recorded", "unknown", ""),
        (CONTRADICTED, "overdue", ""),
        (NOT_SAID, "unknown", ""),
        (NOT_SAID, "unknown", ""),
    ]
    assert all(standing_of(row, NOW) is not None for row in found)
    nothing = SideEffect.objects.exclude(pk__in=[row.pk for row in found]).filter(sponsor_told_on=None)
    assert [standing_of(row, NOW) for row in nothing] == [None, None]


def test_a_withdrawn_patient_is_still_to_be_told_of_and_another_clinic_is_not_seen(case):
    case.patient.withdrawn_on = TODAY
    with acting(by="test", source="command"):
        case.patient.save()
    row = made(case, **SERIOUS)
    other = make_patient(make_clinic("south"))
    made(case, **SERIOUS, patient=other, lesion=None)
    assert list(unsettled(side_effects_for(case.nurse, "see_patients"))) == [row]
