"""What a person is told who opens a sheet again: what changed meanwhile, by whom, and nothing else."""

import datetime

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from lesions.models import Medication
from sessions_app.draft_news import news_of
from sessions_app.draft_readers import note_here
from sessions_app.draft_saving import Typed, save_fields
from sessions_app.drafts import open_draft, plan_of
from sessions_app.models import DraftField, SeriesLesion, SideEffect
from stsclinic.audit.acting import acting
from stsclinic.audit.services import change, strike_out, write_new
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_session, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def anna(clinic):
    return make_user("clinician", clinic, "anna")


@pytest.fixture
def nora(clinic):
    return make_user("nurse", clinic, "nora")


@pytest.fixture
def series(clinic):
    patient = make_patient(clinic)
    return make_series(patient, [make_lesion(patient)])


@pytest.fixture
def draft(series, anna):
    """A sheet on which Anna typed, and which she left."""
    draft = open_draft(series=series, kind="treatment", by=anna)
    now = timezone.now()
    save_fields(draft=draft, typed={"ptga": Typed("7", seen=0)}, by=anna)
    note_here(draft=draft, user=anna, shown_at=now, has_typed=True)
    return draft


def told(draft, user) -> list[str]:
    draft.refresh_from_db()
    news = news_of(draft, plan_of(draft, user), user)
    return [f"{item.what}: {item.how} by {item.by}" for item in news.items] if news else []


def medication(patient, by, **values):
    return write_new(Medication(patient=patient, name="prednisolone", role="other", **values), by=by)


def test_nothing_changed_is_no_news(draft, anna):
    assert told(draft, anna) == []


def test_a_lesion_that_was_added(draft, anna):
    lesion = make_lesion(draft.series.patient)
    write_new(SeriesLesion(series=draft.series, lesion=lesion), by="nora")
    recorded, added = told(draft, anna)
    assert recorded.startswith("Lesion L02 recorded: body site Elbow")
    assert added == "Lesion L02 of series 1 recorded:  by nora"


def test_a_drug_that_was_started_stopped_and_struck_out(draft, anna):
    drug = medication(draft.series.patient, "nora", dose="10 mg", started_on="2026-01")
    change(drug, {"stopped_on": "2026-01-12"}, by="nora", seen_version=None)
    strike_out(drug, by="nora", reason="Of another patient")
    started, stopped, struck = told(draft, anna)
    assert started == "Medication prednisolone recorded: dose 10 mg; started on Jan-2026 by nora"
    assert stopped == "Medication prednisolone changed: stopped on 12-Jan-2026, before Not recorded by nora"
    assert struck.startswith("Medication prednisolone struck out")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pregnant": True}, "pregnant Yes, before No"),
        ({"sts_hypersensitivity": True}, "hypersensitive to sodium thiosulfate Yes, before No"),
        ({"withdrawn_on": datetime.date(2026, 1, 12)}, "withdrawn on 12-Jan-2026, before Not recorded"),
    ],
)
def test_what_changed_of_the_patient(draft, anna, values, words):
    change(draft.series.patient, values, by="nora", seen_version=None)
    (item,) = told(draft, anna)
    assert words in item


def test_what_does_not_matter_for_the_visit_is_left_out(draft, anna):
    change(draft.series.patient, {"race": "not asked"}, by="nora", seen_version=None)
    assert told(draft, anna) == []


def test_a_side_effect_and_another_session(draft, anna):
    patient = draft.series.patient
    write_new(
        SideEffect(patient=patient, term="injection_site_pain", grade=2, onset_on=datetime.date(2026, 1, 12)),
        by="nora",
    )
    make_session(make_series(patient), datetime.date(2026, 1, 11))
    words = "; ".join(told(draft, anna))
    assert "Side effect" in words and "grade 2" in words
    assert "Session 1 of 11-Jan-2026, series 2 recorded" in words


def test_fields_that_a_colleague_or_the_patient_filled(draft, anna, nora):
    save_fields(draft=draft, typed={"phga": Typed("5", seen=0)}, by=nora)
    DraftField.objects.update_or_create(
        draft=draft, name="ptga", defaults={"value": "3", "version": 9, "by": anna, "by_patient": True}
    )
    assert told(draft, anna) == ["PtGA: 3 by the patient", "PhGA: 5 by nora"]


def test_what_one_did_oneself_is_no_news(draft, anna):
    medication(draft.series.patient, "anna")
    save_fields(draft=draft, typed={"note": Typed("mine", seen=0)}, by=anna)
    assert told(draft, anna) == []


def test_typing_on_makes_the_news_old(draft, anna):
    medication(draft.series.patient, "nora")
    assert told(draft, anna)
    later = timezone.now() + datetime.timedelta(minutes=1)
    with time_machine.travel(later, tick=False):
        note_here(draft=draft, user=anna, shown_at=later)
        assert told(draft, anna), "Looking alone is not going on"
        note_here(draft=draft, user=anna, shown_at=later, has_typed=True)
        assert told(draft, anna) == []


def test_what_changed_while_the_page_was_open_is_told_when_it_is_opened_again(draft, anna):
    shown = timezone.now()
    medication(draft.series.patient, "nora")
    with time_machine.travel(shown + datetime.timedelta(minutes=1), tick=False):
        note_here(draft=draft, user=anna, shown_at=shown, has_typed=True)
    assert any("Medication prednisolone recorded" in item for item in told(draft, anna))


def test_one_who_goes_on_for_a_colleague_is_told_what_changed_since_it_was_saved(draft, nora):
    medication(draft.series.patient, "anna")
    draft.refresh_from_db()
    news = news_of(draft, plan_of(draft, nora), nora)
    assert news.title == "Since this sheet was last saved" and news.since == draft.saved_at
    assert len(news.items) == 1


def test_a_closed_allocation_is_not_told(clinic, anna, nora):
    patient = make_patient(clinic)
    series = make_series(patient, [(make_lesion(patient), "active")], protocol="placebo3")
    draft = open_draft(series=series, kind="treatment", by=anna)
    lesion = make_lesion(patient)
    with acting(by="nora", source="page"):
        SeriesLesion(series=series, lesion=lesion, arm="control").save()
    note_here(draft=draft, user=anna, shown_at=draft.opened_at, has_typed=True)
    holder = make_user("data_manager", clinic)
    save_fields(draft=draft, typed={"all-lot_number": Typed("A1", seen=0)}, by=holder)
    words = "; ".join(told(draft, anna))
    assert "Lesion L02 of series 1 recorded" in words
    assert "ontrol" not in words and "A1" not in words


def test_the_page_shows_it_first_and_asks_a_fixed_number_of_questions(
    client, draft, anna, django_assert_max_num_queries
):
    client.force_login(anna)
    address = reverse("draft", args=[draft.pk])
    assert "Since you last had this sheet" not in client.get(address).content.decode()
    counted = []
    for turn in range(2):
        for number in range(3):
            row = Medication(patient=draft.series.patient, name=f"drug {number} {turn}", role="other")
            write_new(row, by="nora")
        with django_assert_max_num_queries(60) as asked:
            page = client.get(address).content.decode()
        counted.append(len(asked))
    assert "Since you last had this sheet" in page and "Medication drug 2 1 recorded" in page
    assert counted[0] == counted[1]
