"""The body map over time: size, ulcer, gone and treated are those of the chosen day, and left stays left."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lesions.figures import MIDDLE
from sessions_app.body_map import body_map
from sessions_app.striking import strike_out_record
from stsclinic.audit.models import Change
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

DAYS = [datetime.date(2026, 1, 5), datetime.date(2026, 1, 12), datetime.date(2026, 1, 19)]


@pytest.fixture
def case():
    """A left thumb that ulcerates and goes, and a right knee that is seen late and injected last."""

    class Case:
        clinic = make_clinic()
        reader = make_user("investigator", clinic)
        patient = make_patient(clinic)
        thumb = make_lesion(patient, body_site="thumb", laterality="left")
        knee = make_lesion(patient, body_site="knee", laterality="right")
        series = make_series(patient, [thumb, knee])

    Case.sessions = [make_session(Case.series, day) for day in DAYS]
    first, second, third = Case.sessions
    make_assessment(first, Case.thumb, longest_mm=12, widest_mm=8)
    make_injection(first, Case.thumb)
    make_assessment(second, Case.thumb, longest_mm=None, widest_mm=None, ulcer=True)
    make_assessment(second, Case.knee, longest_mm=30, widest_mm=None)
    make_assessment(third, Case.thumb, status="gone", longest_mm=None, widest_mm=None, ulcer=None)
    make_injection(third, Case.knee)
    Case.page = reverse("body_map", args=[Case.patient.pk])
    return Case


def said(found) -> list[tuple]:
    return [(row.lesion.lesion_id, row.state, row.size, row.was_treated) for row in found.rows]


@pytest.mark.parametrize(
    ("visit", "on", "rows"),
    [
        (1, DAYS[0], [("L01", "present", "12 × 8", True), ("L02", "present", "", False)]),
        (2, DAYS[1], [("L01", "ulcer", "12 × 8", False), ("L02", "present", "30 × ?", False)]),
        (3, DAYS[2], [("L01", "gone", "", False), ("L02", "present", "30 × ?", True)]),
        (None, DAYS[2], [("L01", "gone", "", False), ("L02", "present", "30 × ?", True)]),
        (0, DAYS[2], [("L01", "gone", "", False), ("L02", "present", "30 × ?", True)]),
        (99, DAYS[2], [("L01", "gone", "", False), ("L02", "present", "30 × ?", True)]),
    ],
)
def test_each_day_shows_what_was_known_then(case, visit, on, rows):
    found = body_map(case.patient, visit)
    assert (found.on, said(found)) == (on, rows)


def test_a_struck_out_visit_tells_nothing(case):
    strike_out_record(case.sessions[2], by="test", reason="another patient's")
    found = body_map(case.patient)
    assert found.on == DAYS[1]
    assert said(found)[0] == ("L01", "ulcer", "12 × 8", False)


def test_before_the_first_visit_the_lesions_stand_there_unseen(case):
    patient = make_patient(case.clinic)
    assert body_map(patient).outline.markers == ()
    make_lesion(patient)
    found = body_map(patient)
    assert (found.on, said(found)) == (None, [("L01", "present", "", False)])


def test_map_and_list_say_the_same_and_left_stays_left(case, client):
    client.force_login(case.reader)
    page = client.get(case.page, {"visit": "2"}).content.decode()
    assert "Body map, 12-Jan-2026" in page
    assert "L01: Left thumb, 12 × 8 mm, with ulcer" in page
    assert "L02: Right knee, 30 × ? mm" in page
    assert page.count("Left thumb") >= 2
    shown = body_map(case.patient, 2).outline.markers
    by_words = {marker.words.split(",")[0]: float(marker.x) for marker in shown}
    assert by_words["L02: Right knee"] < MIDDLE < by_words["L01: Left thumb"]


def test_the_ring_grows_with_the_lesion_and_a_sign_says_treated(case, client):
    client.force_login(case.reader)
    first, second = (client.get(case.page, {"visit": number}).content.decode() for number in ("1", "2"))
    rings = [float(text) for text in re.findall(r'class="ring" r="([\d.]+)"', second)]
    assert sorted(rings) == [11.5 + 12 * 0.14, 11.5 + 30 * 0.14]
    assert "treated that day" in first
    assert "treated that day" not in second


@pytest.mark.parametrize("visit", ["", "x", "-1", "²", "9" * 400, "1e3", "\x00", "0"])
def test_an_address_that_names_no_visit_shows_the_last(case, client, visit):
    client.force_login(case.reader)
    before = Change.objects.count()
    assert client.get(case.page, {"visit": visit}).context["found"].on == DAYS[2]
    assert Change.objects.count() == before


def test_it_asks_no_more_of_the_database_for_more_visits_and_lesions(case, client):
    client.force_login(case.reader)
    counted = []
    for _round in range(2):
        client.get(case.page)
        with CaptureQueriesContext(connection) as queries:
            client.get(case.page)
        counted.append(len(queries))
        for number in range(4):
            session = make_session(case.series, DAYS[2] + datetime.timedelta(days=7 * (number + 1)))
            make_assessment(session, case.knee)
            make_lesion(case.patient, body_site="elbow")
    assert counted[0] == counted[1]
