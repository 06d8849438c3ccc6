"""What a sheet carries over from the last treatment follows the day of the visit, until somebody types."""

import datetime
import itertools
from decimal import Decimal

import pytest
from django.urls import reverse

from sessions_app.drafts import complete_draft, open_correction, open_draft, plan_of, save_draft, texts_of
from sessions_app.models import Infusion, TreatmentSession
from stsclinic.audit.acting import acting
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
FIRST, SECOND = datetime.date(2026, 1, 5), datetime.date(2026, 1, 19)
BEFORE_ALL, BETWEEN, NOW = "2026-01-04", "2026-01-12", "2026-01-26"


@pytest.fixture
def anna(client):
    user = make_user("clinician", make_clinic(), "anna")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def lesions(anna):
    patient = make_patient(anna.memberships.get().clinic)
    return [make_lesion(patient) for _ in range(3)]


@pytest.fixture
def series(lesions):
    """All got 150 mg/ml into the base first; then the second lesion 100, and all into the top."""
    series = make_series(lesions[0].patient, lesions)
    for day, technique, second in ((FIRST, "base", 150), (SECOND, "top", 100)):
        session = make_session(series, day)
        for lesion in lesions:
            strength = second if lesion is lesions[1] else 150
            make_injection(session, lesion, concentration_mg_ml=strength, technique=technique)
            make_assessment(session, lesion)
    return series


@pytest.fixture
def draft(series, anna):
    return open_draft(series=series, kind="treatment", by=anna)


def own(lesion) -> str:
    return f"lesion-{lesion.pk}-concentration_mg_ml"


def carried(draft) -> dict[str, str]:
    texts = texts_of(draft).items()
    return {name: text for name, text in texts if text and name.startswith(("all-", "lesion-", "infusion-"))}


def type_in(draft, by, **typed):
    save_draft(
        draft=draft, names=plan_of(draft, by).field_names, typed=texts_of(draft) | typed, loaded=texts_of(draft), by=by
    )  # fmt: skip


def post(client, draft, action, **typed):
    page = client.get(reverse("draft", args=[draft.pk]))
    values = {name: cell.value for name, cell in page.context["cells"].items()}
    sent = {**values, "loaded": page.context["loaded"], "action": action, "without_missing": "on", **typed}
    return client.post(reverse("draft", args=[draft.pk]), sent)


AS_FIRST = {"all-agent": "sts", "all-concentration_mg_ml": "150", "all-technique": "base"}
AS_SECOND = AS_FIRST | {"all-technique": "top"}


def test_for_every_way_from_day_to_day_the_sheet_stands_as_one_opened_for_the_last(client, draft, lesions):
    wanted = {
        BEFORE_ALL: {"all-agent": "sts", "all-concentration_mg_ml": "150"},
        BETWEEN: AS_FIRST,
        NOW: AS_SECOND | {own(lesions[1]): "100"},
    }
    assert carried(draft) == wanted[NOW]
    for way in itertools.permutations(wanted):
        for day in way:
            assert post(client, draft, "save", held_on=day).status_code in (200, 302)
            assert carried(draft) == wanted[day]


def test_a_session_entered_late_gets_the_dose_of_the_treatment_before_it(client, draft, lesions):
    volumes = {f"lesion-{lesion.pk}-volume_ml": "0.5" for lesion in lesions}
    answer = post(client, draft, "complete", held_on=BETWEEN, **volumes)
    told = [(change["label"], change["value"]) for change in answer.context["carried"]]
    assert told == [("Where the needle goes", "Base"), ("L02, concentration", "")]
    page = answer.content.decode()
    assert "The last treatment before this day is another" in page
    assert "L02, concentration</a>: now empty" in page
    assert TreatmentSession.objects.count() == 2
    assert post(client, draft, "complete").status_code == 302
    given = TreatmentSession.objects.get(held_on=BETWEEN).injections.all()
    assert {row.concentration_mg_ml for row in given} == {Decimal(150)}
    assert {row.technique for row in given} == {"base"}


def test_a_day_that_was_saved_by_itself_is_noticed_when_it_is_completed(draft, anna, lesions):
    type_in(draft, anna, held_on=BETWEEN, **{f"lesion-{lesions[1].pk}-volume_ml": "0.5"})
    assert texts_of(draft)[own(lesions[1])] == "100"
    first = complete_draft(draft=draft, by=anna, without_missing=True)
    assert first.session is None and first.carried == {own(lesions[1]): "", "all-technique": "base"}
    done = complete_draft(draft=draft, by=anna, without_missing=True)
    assert done.session.injections.get().concentration_mg_ml == 150


def test_a_lesion_that_nobody_touched_stands_in_nobodys_way(draft, anna, lesions):
    type_in(draft, anna, held_on=BETWEEN, **{f"lesion-{lesions[0].pk}-volume_ml": "0.5"})
    complete_draft(draft=draft, by=anna, without_missing=True)
    done = complete_draft(draft=draft, by=anna, without_missing=True)
    assert done.reading.errors == {}
    assert done.session.injections.get().lesion == lesions[0]


@pytest.mark.parametrize(("way", "stays"), [(["120"], "120"), (["120", "100"], "100"), (["120", ""], "")])
def test_what_somebody_typed_stays(client, draft, anna, lesions, way, stays):
    for text in way:
        type_in(draft, anna, **{own(lesions[1]): text})
    post(client, draft, "save", held_on=BETWEEN)
    assert texts_of(draft)[own(lesions[1])] == stays


def test_a_treatment_that_was_entered_meanwhile_is_carried_before_this_is_logged(
    draft, series, anna, lesions
):
    session = make_session(series, datetime.date(2026, 1, 22))
    for lesion in lesions:
        make_injection(session, lesion, concentration_mg_ml=250, technique="top")
    type_in(draft, anna, held_on=NOW, **{f"lesion-{lesions[0].pk}-volume_ml": "0.5"})
    first = complete_draft(draft=draft, by=anna, without_missing=True)
    assert first.carried == {"all-concentration_mg_ml": "250", own(lesions[1]): ""}


def test_a_visit_without_injections_is_passed_by(series, anna, lesions):
    make_session(series, datetime.date(2026, 1, 21))
    assert carried(open_draft(series=series, kind="treatment", by=anna)) == AS_SECOND | {
        own(lesions[1]): "100"
    }


def test_another_series_carries_nothing_over(series, anna, lesions):
    other = make_series(lesions[0].patient, lesions)
    opened = carried(open_draft(series=other, kind="treatment", by=anna))
    assert opened == {"all-agent": "sts", "all-concentration_mg_ml": "150"}


def test_a_correction_carries_nothing(series, anna, lesions):
    session = make_session(series, datetime.date(2026, 1, 22))
    make_injection(session, lesions[0], technique="")
    correction = open_correction(session=session, by=anna)
    type_in(correction, anna, note="read again")
    done = complete_draft(draft=correction, by=anna, without_missing=True, reason="Note")
    assert done.session and done.session.injections.get().technique == ""


def test_an_infusion_follows_the_day_too(client, anna, lesions):
    series = make_series(lesions[0].patient, lesions[:1], protocol="iv")
    for day, dose in ((FIRST, 10), (SECOND, 20)):
        with acting(by="test", source="command"):
            Infusion.objects.create(session=make_session(series, day), dose_g=dose, duration_min=60)
    draft = open_draft(series=series, kind="treatment", by=anna)
    assert carried(draft)["infusion-dose_g"] == "20"
    post(client, draft, "save", held_on=BETWEEN)
    assert carried(draft)["infusion-dose_g"] == "10"
