"""The vials of a session: typed, added up, stored, corrected, struck out, shown, and hidden in a closed trial."""

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from sessions_app.drafts import complete_draft, open_correction, open_draft, plan_of, save_draft, texts_of
from sessions_app.history import history_of_record
from sessions_app.models import SessionVial
from sessions_app.services import strike_out_session
from sessions_app.sheet import read_sheet
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
D = Decimal
FIRST = datetime.date(2026, 1, 5)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def anna(clinic):
    return make_user("clinician", clinic, "anna")


@pytest.fixture
def lesions(clinic):
    patient = make_patient(clinic)
    return [make_lesion(patient), make_lesion(patient)]


@pytest.fixture
def series(lesions):
    return make_series(lesions[0].patient, lesions)


def typed(lesions, volumes=("0,4", "0.35"), **visit) -> dict[str, str]:
    values = {"held_on": FIRST.isoformat(), "all-agent": "sts", "all-concentration_mg_ml": "150"}
    values |= {f"lesion-{row.pk}-volume_ml": ml for row, ml in zip(lesions, volumes, strict=True)}
    return values | {
        name.replace("_", "-", 2 if name.startswith("vial") else 1): v for name, v in visit.items()
    }


def complete(draft, by, values, reason=""):
    names, loaded = plan_of(draft, by).field_names, texts_of(draft)
    save_draft(draft=draft, names=names, typed=loaded | values, loaded=loaded, by=by)
    return complete_draft(draft=draft, by=by, without_missing=True, reason=reason)


def kept(session) -> list[tuple]:
    return list(session.vials.filter(struck_out_at=None).values_list("vial_no", "lot_number", "drawn_ml"))


def test_a_vial_is_stored_with_the_session(series, anna, lesions):
    draft = open_draft(series=series, kind="treatment", by=anna)
    done = complete(draft, anna, typed(lesions, all_lot_number="A1", vial_1_drawn_ml="1,0"))
    assert kept(done.session) == [(1, "A1", D(1))]
    assert {row.lot_number for row in done.session.injections.all()} == {"A1"}


@pytest.mark.parametrize(
    ("visit", "errors"),
    [
        ({"all_lot_number": "A1"}, {}),
        ({"all_lot_number": "A1", "vial_1_drawn_ml": "0.75"}, {}),
        ({"all_lot_number": "A1", "vial_1_drawn_ml": "0.749"}, {"vial-1-drawn_ml": "0.001 ml more"}),
        ({"all_lot_number": "A1", "vial_1_drawn_ml": "0"}, {"vial-1-drawn_ml": "Enter a number"}),
        ({"vial_1_drawn_ml": "1"}, {"all-lot_number": "lot number"}),
        ({"vial_2_lot_number": "B2"}, {"vial-2-drawn_ml": "how much"}),
        ({"vial_2_drawn_ml": "1"}, {"vial-2-lot_number": "lot number"}),
        ({"vial_2_lot_number": "B2", "vial_2_drawn_ml": "1"}, {}),
        (
            {"all_lot_number": "A1", "vial_1_drawn_ml": "0.5", "vial_2_lot_number": "a 1", "vial_2_drawn_ml": "0.2"},
            {"vial-2-drawn_ml": "0.05 ml more"},
        ),
        ({"all_lot_number": "x" * 61, "vial_1_drawn_ml": "1"}, {"all-lot_number": "At most 60"}),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_an_error_at_its_field(series, anna, lesions, visit, errors):
    draft = open_draft(series=series, kind="treatment", by=anna)
    found = complete(draft, anna, typed(lesions, **visit)).reading.errors
    assert set(found) == set(errors)
    assert all(words in found[name] for name, words in errors.items())
    assert SessionVial.objects.exists() is (not errors and any("drawn" in name for name in visit))


@pytest.mark.parametrize(
    ("visit", "others"),
    [
        ({"vial_2_lot_number": "B2", "vial_2_drawn_ml": "2"}, "no lot number 0.75 ml"),
        ({"all_lot_number": "A1", "vial_2_lot_number": "B2", "vial_2_drawn_ml": "2"}, "A1 0.75 ml"),
        ({"all_lot_number": "b2", "vial_2_lot_number": "B2", "vial_2_drawn_ml": "2"}, ""),
        ({"all_lot_number": "A1"}, ""),
        ({}, ""),
    ],
)
def test_what_no_listed_vial_gave_is_asked_for_told_in_the_line_and_on_the_session(
    client, series, anna, lesions, visit, others
):
    client.force_login(anna)
    draft = open_draft(series=series, kind="treatment", by=anna)
    values = typed(lesions, **visit)
    save_draft(draft=draft, names=plan_of(draft, anna).field_names, typed=values, loaded={}, by=anna)
    asked = complete_draft(draft=draft, by=anna, without_missing=False).reading.missing
    words = f"Vials that add up: injected from none of those listed: {others}"
    assert asked.get("vial-1-drawn_ml") == (words if others else None)
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    line = page[page.index("data-total-vials") : page.index("data-limit")]
    assert (f"from none of them: {others}" in line) if others else ("from none of them" not in line)
    session = complete_draft(draft=draft, by=anna, without_missing=True).session
    logged = client.get(reverse("session", args=[session.pk])).content.decode()
    told = f"Injected from no vial that is listed: {others}."
    assert (told in logged) if others else ("no vial that is listed" not in logged)


def test_a_correction_changes_adds_and_strikes_out_with_history(client, series, anna, lesions):
    draft = open_draft(series=series, kind="treatment", by=anna)
    visit = {
        "all_lot_number": "A1",
        "vial_1_drawn_ml": "1",
        "vial_2_lot_number": "B2",
        "vial_2_drawn_ml": "2",
    }
    session = complete(draft, anna, typed(lesions, **visit)).session
    correction = open_correction(session=session, by=anna)
    texts = texts_of(correction)
    assert (texts["all-lot_number"], texts["vial-1-drawn_ml"], texts["vial-2-lot_number"]) == (
        "A1",
        "1",
        "B2",
    )
    changed = {"vial-1-drawn_ml": "1.5", "vial-2-lot_number": "", "vial-2-drawn_ml": ""}
    complete(correction, anna, changed, reason="Read again")
    assert kept(session) == [(1, "A1", D("1.5"))]
    assert SessionVial.everything.get(session=session, vial_no=2).struck_out_at
    entries = history_of_record(anna, "session", session).entries
    vials = [entry for entry in entries if entry.record.startswith("Vial, session 1")]
    assert [entry.action for entry in vials] == ["Struck out", "Changed", "Created", "Created"]
    assert any(
        (field.label, field.old, field.new) == ("Drawn (ml)", "1", "1.5")
        for entry in vials
        for field in entry.fields
    )
    client.force_login(anna)
    page = client.get(reverse("session", args=[session.pk])).content.decode()
    assert 'id="vials"' in page and "0.75" in page
    strike_out_session(session, by="anna", reason="Wrong patient")
    assert kept(session) == []
    struck = client.get(reverse("session", args=[session.pk])).content.decode()
    assert 'id="vials"' in struck


def test_the_lot_of_a_closed_trial_is_on_no_sheet_page_or_history(client, clinic):
    patient = make_patient(clinic)
    pair = make_lesion(patient), make_lesion(patient)
    series = make_series(patient, [(pair[0], "active"), (pair[1], "control")], protocol="placebo3")
    session = make_session(series, FIRST)
    for lesion in pair:
        make_assessment(session, lesion, pga=3)
    make_injection(session, pair[0], concentration_mg_ml=40, volume_ml="0.1", lot_number="SECRET-7")
    with acting(by="dana", source="page"):
        SessionVial(session=session, vial_no=1, lot_number="SECRET-7", drawn_ml=D(5)).save()
    nurse, clinician = make_user("nurse", clinic), make_user("clinician", clinic)
    manager = make_user("data_manager", clinic)
    assert plan_of(open_draft(series=series, kind="treatment", by=nurse), nurse).vials == ()
    correction = open_correction(session=session, by=clinician)
    done = complete(correction, clinician, {f"lesion-{pair[0].pk}-pain_vas": "2"}, reason="Misheard")
    assert kept(done.session) == [(1, "SECRET-7", D(5))]
    for user, sees in ((nurse, False), (clinician, False), (manager, True)):
        client.force_login(user)
        for address in (
            reverse("session", args=[session.pk]),
            reverse("record_history", args=["session", session.pk]),
            reverse("patient", args=[patient.pk]),
        ):
            page = client.get(address).content.decode()
            assert sees or ("SECRET" not in page and "Vial" not in page), address
        assert (
            any("Vial" in entry.record for entry in history_of_record(user, "session", session).entries)
            is sees
        )


def test_an_infusion_and_a_follow_up_have_no_vials(series, clinic, anna):
    follow_up = plan_of(open_draft(series=series, kind="follow_up", by=anna), anna)
    infusion = make_series(make_patient(clinic), protocol="iv")
    drip = plan_of(open_draft(series=infusion, kind="treatment", by=anna), anna)
    for plan in (follow_up, drip):
        assert plan.vials == ()
        reading = read_sheet(plan, {"held_on": FIRST.isoformat(), "vial-1-drawn_ml": "1"})
        assert not reading.errors and not reading.entry.vials


@pytest.mark.parametrize("values", [{"lot_number": ""}, {"drawn_ml": 0}, {"drawn_ml": -1}, {"vial_no": 0}])
def test_the_database_refuses_half_a_vial(series, values):
    session = make_session(series, FIRST)
    row = SessionVial(session=session, **({"vial_no": 1, "lot_number": "A1", "drawn_ml": 1} | values))
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="page"):
        row.save()


def test_one_place_holds_one_vial(series):
    session = make_session(series, FIRST)
    vials = [SessionVial(session=session, vial_no=1, lot_number="A1", drawn_ml=1) for _ in range(2)]
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="page"):
        SessionVial.objects.bulk_create(vials)
