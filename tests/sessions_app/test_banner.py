"""What is not over stands in the banner of each page of the patient."""

import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from lesions.banner import banner_of
from lesions.models import Medication
from sessions_app.models import SideEffect
from stsclinic.audit.services import change, write_new
from tests.builders import make_clinic, make_lesion, make_patient, make_user

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)
ONSET = datetime.date(2026, 11, 10)


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def nurse():
    return make_user("nurse", make_clinic())


@pytest.fixture
def patient(nurse):
    return make_patient(nurse.memberships.get().clinic)


def effect(patient, **values):
    usual = {"term": "digital_necrosis", "grade": 3, "onset_on": ONSET}
    return write_new(SideEffect(patient=patient, **(usual | values)), by="nina", source="page")


def stopped(patient, on, **values):
    usual = {"name": "bosentan", "role": "vasodilator", "stopped_on": on}
    return write_new(Medication(patient=patient, **(usual | values)), by="nina", source="page")


def lasting(user, patient):
    return [(one.what, one.words, one.level) for one in banner_of(user, patient)["banner"]["lasting"]]


def test_a_side_effect_that_lasts_stands_there_with_its_lesion_and_a_link(nurse, patient):
    row = effect(patient, lesion=make_lesion(patient, "L07"))
    (one,) = banner_of(nurse, patient)["banner"]["lasting"]
    assert one.words == "Digital necrosis, L07, grade 3, since 10-Nov-2026"
    assert one.url == reverse("side_effect", args=[row.pk])


@pytest.mark.parametrize(
    ("values", "stands"),
    [
        ({}, True),
        ({"outcome": "recovering"}, True),
        ({"outcome": "unknown"}, True),
        ({"outcome": "recovered"}, False),
        ({"resolved_on": ONSET}, False),
        ({"outcome": "fatal", "grade": 5, "serious": False}, False),
    ],
)
def test_what_is_over_stands_there_no_more(nurse, patient, values, stands):
    effect(patient, **values)
    assert bool(lasting(nurse, patient)) is stands


def test_a_sponsor_who_is_not_told_stands_there_first_until_told_though_it_is_over(nurse, patient):
    known = NOW - datetime.timedelta(hours=4)
    row = effect(patient, serious=True, serious_known_at=known, resolved_on=ONSET)
    effect(patient, term="headache")
    told, other = lasting(nurse, patient)
    assert told == ("Sponsor not told", "Digital necrosis: Tell the sponsor: 20 h 0 min left", "stop")
    assert other[0] == "Not over"
    change(row, {"sponsor_told_on": NOW.date()}, by="nina", seen_version=None)
    assert lasting(nurse, patient) == [other]


@pytest.mark.parametrize(
    ("on", "stands"),
    [
        ("2026-05-19", False),
        ("2026-05-20", True),
        ("2026-11-20", True),
        ("2026-05", True),
        ("2026-04", False),
        ("2026", True),
    ],
)
def test_a_vasodilator_that_was_stopped_within_six_months(nurse, patient, on, stands):
    stopped(patient, on)
    stopped(patient, on, name="nifedipine", role="calcium_channel_blocker")
    assert [what for what, *_rest in lasting(nurse, patient)] == ["Vasodilator stopped"] * stands


def test_of_many_the_gravest_are_named_and_the_rest_are_counted(nurse, patient):
    for number in range(6):
        effect(patient, term="headache", grade=1, onset_on=ONSET - datetime.timedelta(days=number))
    effect(patient)
    words = [words for _what, words, _level in lasting(nurse, patient)]
    assert words[0].startswith("Digital necrosis")
    assert words[3:] == ["and 4 more"]


def test_another_patients_are_not_told_and_who_may_not_record_gets_no_link(nurse, patient):
    clinic = patient.clinic
    effect(make_patient(clinic))
    assert lasting(nurse, patient) == []
    row = effect(patient)
    client = Client()
    client.force_login(make_user("investigator", clinic))
    page = client.get(reverse("patient", args=[patient.pk])).content.decode()
    banner = page[page.index("patient-lasting") :].partition("</section>")[0]
    assert "Digital necrosis" in banner
    assert reverse("side_effect", args=[row.pk]) not in banner
