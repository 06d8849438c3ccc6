"""The clinic's own order of a series' lesions: kept, followed by every page, and refused when it is stale."""

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.drafts import open_draft, plan_of
from sessions_app.lesion_order import CHANGED, by_body_site, lesions_in_order, moved, order_lesions
from sessions_app.models import Protocol, SeriesLesion
from sessions_app.series import change_series, open_series
from stsclinic.audit.models import Change
from stsclinic.audit.services import change
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

HELD_ON = datetime.date(2026, 1, 5)


@given(
    st.lists(st.integers(1, 99), min_size=1, unique=True).flatmap(
        lambda o: st.tuples(st.just(o), st.sampled_from(o))
    )
)
def test_a_step_down_undoes_a_step_up_and_nothing_is_lost(drawn):
    order, lesion = drawn
    up = moved(order, lesion, -1)
    assert sorted(up) == sorted(order)
    assert up.index(lesion) == max(order.index(lesion) - 1, 0)
    if order[0] != lesion:
        assert moved(up, lesion, 1) == order


def test_what_is_not_there_is_not_moved():
    with pytest.raises(ValidationError, match="changed since"):
        moved([1, 2], 3, 1)


@pytest.fixture
def case():
    """A series with a knee, a left and a right elbow and an ear, seen and injected once."""

    class Case:
        clinic = make_clinic()
        nurse = make_user("nurse", clinic)
        patient = make_patient(clinic)
        knee = make_lesion(patient, body_site="knee", laterality="left")
        left = make_lesion(patient, body_site="elbow", laterality="left")
        right = make_lesion(patient, body_site="elbow", laterality="right")
        ear = make_lesion(patient, body_site="ear", laterality="left")
        series = make_series(patient, [knee, left, right, ear])
        session = make_session(series, HELD_ON)

    for lesion in (Case.knee, Case.left, Case.right, Case.ear):
        make_assessment(Case.session, lesion)
        make_injection(Case.session, lesion)
    Case.page = reverse("lesion_order", args=[Case.series.pk])
    return Case


def kept(case) -> list:
    return [row.lesion for row in lesions_in_order(case.series)]


def test_nobody_ordered_them_so_they_stand_by_id(case):
    assert kept(case) == [case.knee, case.left, case.right, case.ear]


def test_by_body_site_is_head_to_foot_right_before_left(case, client):
    client.force_login(case.nurse)
    before = Change.objects.count()
    assert client.post(case.page, {"by_body_site": "yes"}).status_code == 302
    assert kept(case) == [case.ear, case.right, case.left, case.knee]
    assert {row.actor for row in Change.objects.order_by("pk")[before:]} == {case.nurse.username}


def test_one_step_by_a_button_is_one_post(case, client):
    client.force_login(case.nurse)
    order = [str(lesion.pk) for lesion in kept(case)]
    client.post(case.page, {"order": order, "up": str(case.ear.pk)})
    assert kept(case) == [case.knee, case.left, case.ear, case.right]
    order = [str(lesion.pk) for lesion in kept(case)]
    client.post(case.page, {"order": order, "down": str(case.knee.pk)})
    assert kept(case) == [case.left, case.knee, case.ear, case.right]


def test_every_page_follows_it_and_asks_no_more_of_the_database(case, client):
    client.force_login(case.nurse)
    draft = open_draft(series=case.series, kind="treatment", by=case.nurse)
    pages = [reverse("session", args=[case.session.pk]), reverse("patient", args=[case.patient.pk])]
    counted = []
    for wanted in (
        [case.knee, case.left, case.right, case.ear],
        [case.ear, case.right, case.knee, case.left],
    ):
        order_lesions(series=case.series, order=[lesion.pk for lesion in wanted], by="nina")
        assert list(plan_of(draft, case.nurse).lesions) == wanted
        with CaptureQueriesContext(
            connection,
        ) as queries:
            session, _patient = (client.get(page) for page in pages)
        counted.append(len(queries))
        assert [row.lesion for row in session.context["seen_rows"]] == wanted
        assert [row["given"].lesion for row in session.context["given_rows"]] == wanted
        sheet = client.get(reverse("draft", args=[draft.pk])).content.decode()
        places = [sheet.index(f'name="lesion-{lesion.pk}-longest_mm"') for lesion in wanted]
        assert places == sorted(places)
        assert case.page in sheet
    assert counted[0] == counted[1]


def test_a_lesion_that_is_added_stands_last(case):
    new = make_lesion(case.patient, body_site="scalp")
    everything = [*kept(case), new]
    order_lesions(series=case.series, order=by_body_site(lesions_in_order(case.series)), by="nina")
    change_series(series=case.series, values={}, lesions=everything, seen_version=1, by="nina")
    assert kept(case) == [case.ear, case.right, case.left, case.knee, new]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda order: order[:-1],
        lambda order: [*order, order[0]],
        lambda order: [*order[:-1], "999999"],
        lambda order: [*order[:-1], "9" * 40],
        lambda order: [*order[:-1], "²"],
        lambda order: [],
    ],
)
def test_what_is_not_the_series_lesions_changes_nothing(case, client, spoil):
    client.force_login(case.nurse)
    before = Change.objects.count()
    order = spoil([str(lesion.pk) for lesion in kept(case)])
    answer = client.post(case.page, {"order": order, "save": "yes"})
    assert CHANGED in answer.content.decode()
    assert Change.objects.count() == before
    assert set(SeriesLesion.objects.values_list("position", flat=True)) == {0}


class TestTheNextSeries:
    """A series that follows begins in the order that the clinic gave the one before."""

    def begin(self, case, *lesions):
        patient = case.patient
        if patient.consented_on is None:
            change(patient, {"consented_on": HELD_ON}, by="test", seen_version=None, source="command")
        return open_series(
            patient=patient,
            protocol=Protocol.objects.get(code="weekly4"),
            lesions=lesions,
            started_on=HELD_ON,
            status="active",
            by=case.nurse.username,
        )

    def test_it_takes_the_order_over(self, case):
        lesions = [row.lesion for row in lesions_in_order(case.series)]
        order_lesions(series=case.series, order=[one.pk for one in reversed(lesions)], by="test")
        added = make_lesion(case.patient)
        found = self.begin(case, *lesions, added)
        assert [row.lesion for row in lesions_in_order(found)] == [*reversed(lesions), added]

    def test_without_an_order_it_goes_by_id(self, case):
        lesions = [row.lesion for row in lesions_in_order(case.series)]
        found = self.begin(case, *lesions)
        assert [row.position for row in lesions_in_order(found)] == [0] * len(lesions)


def test_who_comes_from_the_sheet_goes_back_to_it(case, client):
    client.force_login(case.nurse)
    draft = open_draft(series=case.series, kind="treatment", by=case.nurse)
    sheet = reverse("draft", args=[draft.pk])
    address = f"{reverse('lesion_order', args=[case.series.pk])}?draft={draft.pk}"
    assert f'href="{sheet}"' in client.get(address).content.decode()
    order = [row.lesion_id for row in lesions_in_order(case.series)]
    assert client.post(address, {"order": order, "down": order[0]}).url == address
    assert client.post(address, {"order": order, "save": "yes"}).url == sheet


@pytest.mark.parametrize("draft", ["", "x", "0", "9" * 400])
def test_a_sheet_that_is_none_leads_to_the_patient(case, client, draft):
    client.force_login(case.nurse)
    page = client.get(reverse("lesion_order", args=[case.series.pk]), {"draft": draft})
    assert "Back to the patient" in page.content.decode()
