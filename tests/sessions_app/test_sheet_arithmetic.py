"""What a sheet adds up to as it stands: on the server, for a page without scripts and for the next page load."""

import datetime
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.drafts import open_draft, plan_of, save_draft, texts_of
from sessions_app.models import Protocol
from sessions_app.sheet import read_sheet
from sessions_app.sheet_arithmetic import add_up
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
def by_area(clinic):
    """A clinic's own protocol: 0.35 ml on each cm², at most 0.8 ml a lesion and 90 mg a visit."""
    protocol = Protocol.objects.get(code="weekly4")
    protocol.pk, protocol.code, protocol.clinic = None, "byarea", clinic
    protocol.volume_ml_per_cm2, protocol.max_volume_ml_per_lesion = D("0.35"), D("0.8")
    protocol.max_dose_mg_per_session = D(90)
    with acting(by="test", source="command"):
        protocol.save(force_insert=True)
    return protocol


@pytest.fixture
def lesions(clinic):
    patient = make_patient(clinic)
    return [make_lesion(patient) for _ in range(3)]


@pytest.fixture
def series(by_area, lesions):
    series = make_series(lesions[0].patient, lesions, protocol="byarea")
    session = make_session(series, FIRST)
    for lesion in lesions:
        make_assessment(session, lesion, longest_mm=12, widest_mm=10)
        make_injection(session, lesion, volume_ml="0.55")
    return series


@pytest.fixture
def plan(series, anna):
    return plan_of(open_draft(series=series, kind="treatment", by=anna), anna)


def texts(lesions, *parts: dict, **visit) -> dict[str, str]:
    typed = {"held_on": "2026-01-12", "all-agent": "sts", "all-concentration_mg_ml": "150", **visit}
    for lesion, values in zip(lesions, parts, strict=False):
        typed |= {f"lesion-{lesion.pk}-{name}": text for name, text in values.items()}
    return typed


def confirmed(plan, lesion) -> dict[str, str]:
    return {"confirmed": plan.last_time({})[lesion.pk].token}


def test_an_empty_sheet_adds_up_to_nothing(plan, lesions):
    sums = add_up(plan, texts(lesions))
    assert (sums.seen, sums.totals.injections, sums.mg_per_cm2, sums.passed) == (0, 0, "", ())


def test_totals_follow_what_can_be_read(plan, lesions):
    sums = add_up(
        plan,
        texts(
            lesions,
            {"longest_mm": "12x8", "volume_ml": "0,55"},
            {**confirmed(plan, lesions[1]), "volume_ml": "0.2", "concentration_mg_ml": "100"},
            {"volume_ml": "1.000,5", "gone": "on"},
        ),
    )
    assert (sums.seen, sums.totals.injections) == (3, 2)
    assert (sums.totals.volume_ml, sums.totals.dose_mg, sums.totals.syringes) == (D("0.75"), D("102.5"), 2)
    # 102.5 mg on 0.96 + 1.2 cm²
    assert sums.mg_per_cm2 == "47.5"
    assert sums.passed == ("above 90 mg",)
    assert [row.dose for row in sums.lesions.values()] == ["= 82.5 mg", "= 20 mg", ""]


def test_a_last_size_that_is_only_shown_is_no_area(plan, lesions):
    sums = add_up(plan, texts(lesions, {"volume_ml": "0.5"}))
    assert (sums.seen, sums.mg_per_cm2, sums.measured) == (0, "", ())


@pytest.mark.parametrize(
    ("typed", "volume", "words"),
    [
        ({}, "0.42", "protocol: 1.2 cm² (last size) × 0.35 ml/cm²"),
        ({"confirmed": "yes"}, "0.42", "protocol: 1.2 cm² × 0.35 ml/cm²"),
        ({"longest_mm": "10x8"}, "0.28", "protocol: 0.8 cm² × 0.35 ml/cm²"),
        ({"longest_mm": "10"}, "0.35", "protocol: 1 cm² (last size) × 0.35 ml/cm²"),
        ({"longest_mm": "12,5", "widest_mm": "8,25"}, "0.36", "protocol: 1.03125 cm² × 0.35 ml/cm² = 0.3609375 ml"),
        ({"longest_mm": "20x20"}, "0.8", "protocol: 4 cm² × 0.35 ml/cm² = 1.4 ml, held to its maximum"),
        ({"longest_mm": "0.5x0.5"}, "", ""),
        ({"gone": "on"}, "", ""),
    ],
)  # fmt: skip
def test_the_protocols_arithmetic_follows_todays_size(plan, lesions, typed, volume, words):
    if "confirmed" in typed:
        typed = confirmed(plan, lesions[0])
    offer = add_up(plan, texts(lesions, typed)).lesions[lesions[0].pk].by_area
    assert (offer.volume, offer.words) == (volume, words) if volume else offer is None


def test_last_times_volume_is_offered_with_its_date_and_never_entered(plan, lesions):
    sums = add_up(plan, texts(lesions))
    offer = sums.lesions[lesions[0].pk].last_time
    assert (offer.volume, offer.words) == ("0.55", "last time: about 1.2 cm² × 0.458 ml/cm²")
    assert sums.totals.injections == 0
    before = add_up(plan, texts(lesions, held_on="2026-01-04"))
    assert before.lesions[lesions[0].pk].last_time is None


@pytest.mark.parametrize(
    ("size", "volume", "words"),
    [
        ((20, 10), "0.25", "last time: 2 cm² × 0.125 ml/cm²"),
        ((30, 10), "0.5", "last time: about 3 cm² × 0.167 ml/cm²"),
        ((20, None), "0.25", "last time, 19-Jan-2026"),
    ],
)
def test_last_times_volume_is_told_on_the_area_that_it_was_given_to(
    plan, series, lesions, anna, size, volume, words
):
    session = make_session(series, datetime.date(2026, 1, 19))
    make_assessment(session, lesions[0], longest_mm=size[0], widest_mm=size[1])
    make_injection(session, lesions[0], volume_ml=volume)
    # The second was injected that day and not looked at: its older size is no area of that injection.
    make_injection(session, lesions[1], volume_ml=volume)
    plan = plan_of(open_draft(series=series, kind="treatment", by=anna), anna)
    sums = add_up(plan, texts(lesions, held_on="2026-01-26"))
    assert (sums.lesions[lesions[0].pk].last_time.words, sums.lesions[lesions[1].pk].last_time.words) == (
        words,
        "last time, 19-Jan-2026",
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"longest_mm": "8x12"}, "Wider than the longest measure, 8 mm."),
        ({"longest_mm": "8", "widest_mm": "8,5"}, "Wider than the longest measure, 8 mm."),
        ({"longest_mm": "8x8"}, ""),
        ({"longest_mm": "8"}, ""),
        ({"longest_mm": "8", "confirmed": "yes"}, "Wider than the longest measure, 8 mm."),
        ({"longest_mm": "8x12", "gone": "on"}, ""),
    ],
)
def test_a_widest_above_the_longest_is_told_at_its_place_and_not_refused(plan, lesions, typed, words):
    if "confirmed" in typed:
        typed = typed | confirmed(plan, lesions[0])
    assert add_up(plan, texts(lesions, typed)).lesions[lesions[0].pk].wider == words
    if words:
        assert read_sheet(plan, texts(lesions, typed)).errors == {}


def test_the_page_tells_the_totals_without_a_script(client, series, anna, plan, lesions):
    draft = open_draft(series=series, kind="treatment", by=anna)
    typed = texts(lesions, {"longest_mm": "12x8", "volume_ml": "0,55"}, held_on="2026-01-12")
    save_draft(draft=draft, names=plan.field_names, typed=typed, loaded=texts_of(draft), by=anna)
    client.force_login(anna)
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    told = dict(re.findall(r"data-total-(\w+)>([^<]*)<", page))
    assert told == {
        "seen": "1",
        "lesions": "1",
        "ml": "0.55",
        "mg": "82.5",
        "density": "85.9",
        "measured": "",
        "syringes": "1",
        "vials": "",
    }
    assert "none listed" in page
    assert "0.8 ml a lesion, 90 mg a visit" in page
    assert "= 82.5 mg" in page


def test_a_closed_trial_tells_no_dose(client, clinic):
    patient = make_patient(clinic)
    pair = make_lesion(patient), make_lesion(patient)
    series = make_series(patient, [(pair[0], "active"), (pair[1], "control")], protocol="placebo3")
    nurse = make_user("nurse", clinic)
    draft = open_draft(series=series, kind="treatment", by=nurse)
    typed = {"held_on": "2026-01-12", f"lesion-{pair[0].pk}-volume_ml": "0.41"}
    plan = plan_of(draft, nurse)
    save_draft(draft=draft, names=plan.field_names, typed=typed, loaded=texts_of(draft), by=nurse)
    client.force_login(nurse)
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    assert set(re.findall(r"data-total-(\w+)>", page)) == {"seen", "lesions", "ml"}
    assert add_up(plan, typed).passed == ("above 0.4 ml in L01",)
    assert "16.4" not in page


def test_the_page_takes_as_many_queries_for_one_lesion_as_for_many(client, clinic, anna):
    """How many they are stands in tests/web/test_query_counts.py."""
    client.force_login(anna)
    taken = []
    for number in (1, 9):
        patient = make_patient(clinic)
        rows = [make_lesion(patient) for _ in range(number)]
        series = make_series(patient, rows)
        session = make_session(series, FIRST)
        for lesion in rows:
            make_assessment(session, lesion)
            make_injection(session, lesion)
        draft = open_draft(series=series, kind="treatment", by=anna)
        address = reverse("draft", args=[draft.pk])
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        taken.append(len(asked))
    assert taken[0] == taken[1]
