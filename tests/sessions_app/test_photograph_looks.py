"""Photographs looked at: the marker and its ruler, two at one scale, the course, and who sees which."""

import re
from datetime import date
from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from sessions_app.models import MARKER_FIELDS, Photograph
from sessions_app.photograph_looks import compare, mark_scale, measured_words, ruler_of
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.audit.services import StaleRecord, strike_out
from stsclinic.clinical.ruler import Point
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

MARKER = dict(zip(MARKER_FIELDS, map(D, ("10", "90", "35", "90", "20")), strict=True))
"""250 pixels for 20 mm on a photograph of 1000 × 750 pixels."""


class Case:
    """A nurse and a lesion with two photographs of two sessions."""

    def __init__(self, protocol: str = "weekly4"):
        self.clinic = make_clinic()
        self.nurse = make_user("nurse", self.clinic)
        self.patient = make_patient(self.clinic)
        arm = "active" if protocol == "placebo3" else ""
        self.lesion = make_lesion(self.patient)
        self.series = make_series(self.patient, [(self.lesion, arm)], protocol=protocol)
        self.sessions = [make_session(self.series, date(2026, 3, day)) for day in (2, 30)]
        self.first, self.second = (self.add(session) for session in self.sessions)
        self.client = Client()
        self.client.force_login(self.nurse)
        self.course = reverse("lesion_photographs", args=[self.lesion.pk])

    def add(self, session, **values) -> Photograph:
        size = {"width_px": 1000, "height_px": 750, "sha256": "0" * 64} | values
        row = Photograph(lesion=self.lesion, session=session, taken_on=session.held_on, **size)
        with acting(by="test", source="command"):
            row.save()
        return row

    def ruler(self, row: Photograph) -> str:
        return reverse("photograph_ruler", args=[row.token])

    def marked(self, row: Photograph, **values) -> Photograph:
        return mark_scale(photograph=row, values=MARKER | values, by="nina", seen_version=row.version)


@pytest.fixture
def case() -> Case:
    return Case()


def sent(**values) -> dict[str, str]:
    return {name: str(value) for name, value in MARKER.items()} | {"version": "1"} | values


def text_of(answer) -> str:
    return answer.content.decode()


# The marker ------------------------------------------------------------------------------------------------------


def test_a_marker_is_kept_with_its_history(case):
    answer = case.client.post(case.ruler(case.first), sent())
    assert answer.url == case.ruler(case.first)
    row = Photograph.objects.get(pk=case.first.pk)
    assert {name: getattr(row, name) for name in MARKER_FIELDS} == MARKER
    assert (row.version, row.scale.marker_px) == (2, 250)
    change = Change.objects.get(table_name="sessions_app_photograph", row_id=row.pk, action="changed")
    assert (change.actor, D(str(change.new["marker_mm"]))) == (case.nurse.username, 20)
    page = text_of(case.client.get(case.ruler(case.first)))
    assert "Ruler: <strong>20 mm</strong>, a part is 2 mm." in page


def test_it_is_corrected_and_taken_off(case):
    case.marked(case.first)
    case.client.post(case.ruler(case.first), sent(version="2", marker_mm="10", reason="read wrongly"))
    assert Photograph.objects.get(pk=case.first.pk).marker_mm == 10
    case.client.post(case.ruler(case.first), sent(version="3", take_off="yes"))
    assert Photograph.objects.get(pk=case.first.pk).scale is None
    assert Change.objects.filter(reason="read wrongly").count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"marker_x2": "10"}, "these are one point"),
        ({"marker_x2": "10.39", "marker_y2": "90"}, "these are one point"),
        ({"marker_x1": ""}, "required"),
        ({"marker_mm": ""}, "required"),
        ({"marker_mm": "0"}, "above 0"),
        ({"marker_mm": "-5"}, ""),
        ({"marker_mm": "1001"}, ""),
        ({"marker_x1": "100,01"}, ""),
        ({"marker_y1": "NaN"}, ""),
        ({"marker_y1": "1e1"}, ""),
    ],
)
def test_what_is_no_marker_is_refused_and_keeps_what_was_typed(case, values, words):
    answer = case.client.post(case.ruler(case.first), sent(**values))
    assert answer.status_code == 200
    assert words in text_of(answer)
    assert "There is a problem" in text_of(answer) or "error-summary" in text_of(answer)
    assert 'value="20"' in text_of(answer) or "marker_mm" in values
    assert Photograph.objects.get(pk=case.first.pk).scale is None


def test_ends_just_far_enough_apart_are_a_marker(case):
    assert case.marked(case.first, marker_x2=D("10.4")).scale.marker_px == 4


def test_two_who_mark_at_once_are_told(case):
    case.marked(case.first)
    page = text_of(case.client.post(case.ruler(case.first), sent(marker_mm="10")))
    assert "Somebody else changed this" in page
    assert Photograph.objects.get(pk=case.first.pk).marker_mm == 20
    with pytest.raises(StaleRecord):
        mark_scale(photograph=case.first, values=MARKER, by="nina", seen_version=1)


def test_half_a_marker_is_refused_by_the_database(case):
    with pytest.raises(IntegrityError), acting(by="test", source="command"):
        Photograph.objects.filter(pk=case.first.pk).update(marker_x1=5)
    with pytest.raises(ValidationError):
        case.marked(case.first, marker_mm=None)


# Measuring -------------------------------------------------------------------------------------------------------


def test_two_points_are_measured_as_arithmetic(case):
    row = case.marked(case.first)
    assert (
        measured_words(row, Point(D(0), D(0)), Point(D(300), D(400))) == "500 px × 20 mm / 250 px = 40.0 mm"
    )
    page = text_of(case.client.get(case.ruler(row) + "?x1=0&y1=0&x2=50&y2=0"))
    assert "500 px × 20 mm / 250 px = 40.0 mm" in page
    assert not Change.objects.filter(table_name="sessions_app_assessment").exists()


@pytest.mark.parametrize(
    "query", ["?x1=0", "?x1=a&y1=0&x2=5&y2=5", "?x1=0&y1=0&x2=500&y2=0", "?x1=%00&y1=&x2=&y2="]
)
def test_nonsense_is_not_measured(case, query):
    case.marked(case.first)
    answer = case.client.get(case.ruler(case.first) + query)
    assert answer.status_code == 200
    assert " px × " not in text_of(answer)


def test_without_a_marker_nothing_is_measured(case):
    page = text_of(case.client.get(case.ruler(case.first) + "?x1=0&y1=0&x2=50&y2=0"))
    assert "Measure two points" not in page
    assert measured_words(case.first, Point(D(0), D(0)), Point(D(9), D(9))) == ""


@pytest.mark.parametrize(
    ("marker_mm", "length", "part"),
    [("20", "20", "2"), ("100", "200", "20"), ("1", "2", "0.2"), ("0.1", None, None)],
)
def test_the_drawn_ruler_is_round_and_true(case, marker_mm, length, part):
    row = case.marked(case.first, marker_mm=D(marker_mm))
    drawn = ruler_of(row)
    if length is None:
        assert drawn is None
        return
    assert (drawn.length_mm, drawn.part_mm, len(drawn.ticks)) == (length, part, 11)
    assert abs((drawn.x2 - drawn.x1) - D(length) * 250 / D(marker_mm)) < D("0.05")
    assert 0 < drawn.x1 < drawn.x2 < 1000
    assert 0 < drawn.y < 750


# Two dates -------------------------------------------------------------------------------------------------------


def test_with_a_marker_on_both_they_stand_at_one_scale(case):
    one, other = case.marked(case.first), case.marked(case.second, marker_mm=D(10))
    found = compare(one, other)
    assert found.is_in_mm
    left, right = found.panes
    assert (left.width, left.height) == (80, 60)
    assert (right.width, right.height) == (40, 30)
    assert found.view_box == "0 0 80.00 60.00"
    assert (right.x, right.y) == (20, 15)
    assert found.bar["width"] == 10


def test_without_they_are_of_one_width(case):
    tall = case.add(case.sessions[1], width_px=600, height_px=900)
    case.marked(case.first)
    found = compare(case.first, tall)
    assert not found.is_in_mm
    assert found.bar is None
    assert [pane.width for pane in found.panes] == [1000, 1000]
    assert [pane.height for pane in found.panes] == [750, 1500]
    assert found.panes[0].y == 375


def shown(page: str) -> list[str]:
    return re.findall(r'<image href="/photographs/([0-9a-f-]{36})/"', page)


def test_the_first_and_the_last_are_compared_and_any_two_can_be(case):
    middle = case.add(case.sessions[0])
    tokens = [str(row.token) for row in (case.first, middle, case.second)]
    assert shown(text_of(case.client.get(case.course))) == [tokens[0], tokens[2]]
    chosen = text_of(case.client.get(f"{case.course}?left={tokens[2]}&right={tokens[1]}"))
    assert shown(chosen) == [tokens[2], tokens[1]]
    nonsense = text_of(case.client.get(f"{case.course}?left=%00&right={'9' * 50}"))
    assert shown(nonsense) == [tokens[0], tokens[2]]


def test_the_strip_holds_every_kept_photograph_in_order(case):
    case.add(case.sessions[0])
    gone = case.add(case.sessions[1])
    strike_out(gone, by="test", reason="another lesion's")
    page = text_of(case.client.get(case.course))
    dates = re.findall(r'film-words"><strong>([^<]+)<', page)
    assert dates == ["02-Mar-2026", "02-Mar-2026", "30-Mar-2026"]
    assert str(gone.token) not in page


def test_another_lesion_s_photograph_is_never_compared(case):
    other = make_lesion(case.patient)
    foreign = case.add(case.sessions[0])
    with acting(by="test", source="command"):
        Photograph.objects.filter(pk=foreign.pk).update(lesion=other)
    assert str(foreign.token) not in text_of(case.client.get(f"{case.course}?left={foreign.token}"))


def test_one_photograph_and_none(case):
    strike_out(case.second, by="test", reason="blurred")
    assert shown(text_of(case.client.get(case.course))) == []
    strike_out(case.first, by="test", reason="blurred")
    assert "No photograph yet" in text_of(case.client.get(case.course))


def test_the_number_of_queries_does_not_grow(case, django_assert_max_num_queries):
    for _ in range(12):
        case.add(case.sessions[0])
    with django_assert_max_num_queries(16):
        case.client.get(case.course)


# Blinding --------------------------------------------------------------------------------------------------------


def test_a_closed_trial_shows_neither_arm_nor_agent_and_the_observer_nothing():
    case = Case("placebo3")
    make_injection(
        case.sessions[0], case.lesion, agent="saline", concentration_mg_ml=None, lot_number="SAL-77"
    )
    case.marked(case.first)
    observer = Client()
    observer.force_login(make_user("observer", case.clinic))
    pages = [case.course, case.ruler(case.first), reverse("photograph_new", args=[case.lesion.pk])]
    for address in pages:
        said = text_of(case.client.get(address)).lower()
        for word in ("saline", "placebo", "sal-77", "active", "control arm", "thiosulfate", "mg/ml"):
            assert word not in said.replace("recommends no dose", ""), (address, word)
        assert observer.get(address).status_code == 404
    for row in (case.first, case.second):
        for name in ("photograph", "photograph_thumbnail"):
            assert observer.get(reverse(name, args=[row.token])).status_code == 404


# The camera ------------------------------------------------------------------------------------------------------


def test_only_the_page_that_takes_photographs_may_use_the_camera(case):
    page = case.client.get(reverse("photograph_new", args=[case.lesion.pk]))
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    assert "microphone=()" in page.headers["Permissions-Policy"]
    for address in (case.course, case.ruler(case.first), reverse("today"), "/score/"):
        assert "camera=()" in case.client.get(address).headers["Permissions-Policy"]


def test_the_camera_and_a_file_are_both_offered_and_the_last_one_shines_through(case):
    page = text_of(case.client.get(reverse("photograph_new", args=[case.lesion.pk])))
    assert 'capture="environment"' in page
    assert re.search(
        rf'viewfinder-ghost" data-viewfinder-ghost src="/photographs/{case.second.token}/thumbnail/"', page
    )
    other = make_lesion(case.patient)
    assert "data-viewfinder-ghost" not in text_of(case.client.get(reverse("photograph_new", args=[other.pk])))
