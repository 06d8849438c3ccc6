"""A visit asks first about what lasts: with its course, until somebody said how it is on that day."""

import datetime

import pytest
import time_machine
from django.urls import reverse

from sessions_app.drafts import complete_draft, open_draft, plan_of, save_draft, texts_of
from sessions_app.models import SideEffect, SideEffectObservation
from sessions_app.open_effects import open_effects
from stsclinic.audit.services import change, write_new
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_session, make_user

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 20)
VISIT = datetime.date(2026, 11, 19)


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC), tick=False):
        yield


@pytest.fixture
def anna(client):
    user = make_user("clinician", make_clinic(), "anna")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def series(anna):
    patient = make_patient(anna.memberships.get().clinic)
    row = make_series(patient, [make_lesion(patient, "L01")])
    make_session(row, datetime.date(2026, 11, 5))
    return row


@pytest.fixture
def draft(series, anna):
    row = open_draft(series=series, kind="treatment", by=anna)
    there = texts_of(row)
    names, typed = plan_of(row, anna).field_names, {**there, "held_on": VISIT.isoformat()}
    save_draft(draft=row, names=names, typed=typed, loaded=there, by=anna)
    row.refresh_from_db()
    return row


def effect(series, **values):
    usual = {"term": "skin_ulceration", "grade": 2, "onset_on": datetime.date(2026, 11, 8)}
    lesion = series.series_lesions.get().lesion
    return write_new(
        SideEffect(patient=series.patient, series=series, lesion=lesion, **(usual | values)),
        by="nina",
        source="page",
    )


def seen(row, on, **values):
    usual = {"grade": 2, "by": "nina", "outcome": "not_recovered"}
    return write_new(SideEffectObservation(side_effect=row, seen_on=on, **(usual | values)), by="nina")


def send(client, draft, action):
    there = client.get(reverse("draft", args=[draft.pk])).context
    typed = {name: cell.value for name, cell in there["cells"].items()}
    return client.post(
        reverse("draft", args=[draft.pk]), {**typed, "loaded": there["loaded"], "action": action}
    )


@pytest.mark.parametrize(
    ("values", "is_asked"),
    [
        ({}, True),
        ({"onset_on": VISIT - datetime.timedelta(days=1)}, True),
        ({"onset_on": VISIT}, False),
        ({"outcome": "recovering"}, True),
        ({"outcome": "recovered"}, False),
        ({"resolved_on": datetime.date(2026, 11, 9)}, False),
    ],
)
def test_what_is_asked_about(series, values, is_asked):
    effect(series, **values)
    assert [one.is_asked for one in open_effects(series.patient, VISIT)] == [True] * is_asked


@pytest.mark.parametrize(("on", "is_asked"), [(-1, True), (0, False), (1, True)])
def test_it_is_answered_by_what_was_said_on_the_day_of_the_visit(series, on, is_asked):
    seen(effect(series), VISIT + datetime.timedelta(days=on))
    (one,) = open_effects(series.patient, VISIT)
    assert one.is_asked is is_asked


def test_the_sheet_shows_its_course_and_asks(client, series, draft):
    row = effect(series)
    seen(row, datetime.date(2026, 11, 10), grade=3, action="oral_antibiotic", note="Seen by the surgeon")
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    assert "10-Nov-2026: grade 3, not recovered" in page
    assert "Seen by the surgeon" in page
    assert f'value="effect-{row.pk}-{row.version}-still_there"' in page
    assert page.count(f'href="{reverse("side_effect", args=[row.pk])}"') == 2, "banner and question"


def test_a_session_is_not_completed_without_an_answer_unless_that_is_left_out_knowingly(series, anna, draft):
    row = effect(series)
    missing = complete_draft(draft=draft, by=anna, without_missing=False).reading.missing
    assert next(iter(missing)) == f"effect-{row.pk}"
    assert missing[f"effect-{row.pk}"] == "Skin ulceration, L01 left elbow: how it is now"
    seen(row, VISIT)
    missing = complete_draft(draft=draft, by=anna, without_missing=False).reading.missing
    assert f"effect-{row.pk}" not in missing


@pytest.mark.parametrize(
    ("how", "outcome", "ended"), [("still_there", "not_recovered", None), ("over", "recovered", VISIT)]
)
def test_one_tap_answers_on_the_day_of_the_visit_and_keeps_what_was_typed(
    client, series, draft, how, outcome, ended
):
    row = effect(series)
    answer = send(client, draft, f"effect-{row.pk}-{row.version}-{how}")
    assert answer.status_code == 302
    kept = row.observations.get()
    assert (kept.seen_on, kept.grade, kept.outcome, kept.by) == (VISIT, 2, outcome, "anna")
    row.refresh_from_db()
    assert (row.outcome, row.resolved_on) == (outcome, ended)
    assert texts_of(draft)["held_on"] == VISIT.isoformat()
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Asked at this visit." in page
    send(client, draft, f"effect-{row.pk}-{row.version}-{how}")
    assert row.observations.count() == 1, "A second tap is no second observation"


def test_what_somebody_wrote_meanwhile_is_not_answered_over(client, series, draft):
    row = effect(series)
    change(row, {"grade": 3, "grade_reason": "Worse"}, by="nina", seen_version=None)
    answer = send(client, draft, f"effect-{row.pk}-{row.version}-over")
    assert not row.observations.exists()
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Somebody wrote of this side effect meanwhile" in page


@pytest.mark.parametrize("action", ["effect-", "effect-x-1-over", "effect-999-1-over", "effect-{pk}-1-worse"])
def test_what_cannot_be_answered_is_refused(client, series, draft, action):
    row = effect(series)
    send(client, draft, action.format(pk=row.pk))
    assert not SideEffectObservation.objects.exists()


def test_another_patients_side_effect_is_not_answered_here(client, series, draft):
    other = make_patient(series.patient.clinic)
    row = effect(make_series(other, [make_lesion(other)]))
    send(client, draft, f"effect-{row.pk}-{row.version}-over")
    assert not row.observations.exists()
