"""A patient's page: what stands there, what is left out, for whom, and in how many queries."""

import datetime
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from lesions.models import Medication, PatientIdentity, PriorTreatment
from sessions_app import overview
from sessions_app.allocation import open_allocation
from sessions_app.models import AllocationOpening, Infusion, Photograph, SessionDraft, SideEffect
from sessions_app.overview import Overview, overview_of
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Event
from stsclinic.audit.services import strike_out
from stsclinic.clinics.models import User
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
NOW = datetime.datetime(2026, 3, 10, 12, 0, tzinfo=datetime.UTC)
TODAY = date(2026, 3, 10)
FIRST = date(2026, 1, 5)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic():
    return make_clinic("north")


@pytest.fixture
def nurse(clinic):
    return make_user("nurse", clinic)


@pytest.fixture
def patient(clinic):
    return make_patient(clinic)


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


def seen_by(user, patient) -> Overview:
    return overview_of(patient, User.objects.get(pk=user.pk), TODAY)


def page_for(user, patient) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("patient", args=[patient.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def a_series(patient, protocol: str = "weekly4", arms=("", ""), **values):
    """Two lesions with different values on the left and the right, treated twice and followed up."""
    left = make_lesion(patient, body_site="hand_dorsum", laterality="left")
    right = make_lesion(patient, body_site="hand_dorsum", laterality="right")
    series = make_series(patient, [(left, arms[0]), (right, arms[1])], protocol=protocol, **values)
    scores = protocol == "weekly4"
    course = [("treatment", 0, 7, 6), ("treatment", 7, 5, 5), ("follow_up", 100, 3, 2)]
    for number, (kind, days, ptga, phga) in enumerate(course):
        session = make_session(
            series, FIRST + timedelta(days), kind, **({"ptga": ptga, "phga": phga} if scores else {})
        )
        make_assessment(session, left, longest_mm=12 - number, widest_mm=8)
        if number == 2:
            make_assessment(session, right, status="gone", longest_mm=None, widest_mm=None, ulcer=None)
        else:
            make_assessment(session, right, longest_mm=30, widest_mm=20, ulcer=True)
            make_injection(session, left, volume_ml="0.25", concentration_mg_ml=150)
            make_injection(session, right, volume_ml="0.4", concentration_mg_ml=150)
    return series


def test_the_timeline_of_a_series(patient, nurse):
    series = a_series(patient)
    (page,) = seen_by(nurse, patient).series
    assert page.series == series
    assert [
        (row.session.session_no, row.days_since, row.lesions_treated, row.amount.volume_ml, row.amount.dose_mg,
         row.amount.syringes)
        for row in page.rows
    ] == [
        (1, None, 2, Decimal("0.65"), Decimal("97.5"), 1),
        (2, 7, 2, Decimal("0.65"), Decimal("97.5"), 1),
        (3, 93, 0, None, None, None),
    ]  # fmt: skip
    assert (page.total.volume_ml, page.total.dose_mg, page.total.syringes) == (
        Decimal("1.3"),
        Decimal(195),
        2,
    )
    assert [[mark.title for mark in line.marks] for line in page.chart.lines] == [
        ["PtGA, 1: 7", "PtGA, 2: 5", "PtGA, 3: 3"],
        ["PhGA, 1: 6", "PhGA, 2: 5", "PhGA, 3: 2"],
    ]
    assert page.chart.table.rows == (("1", "7", "6"), ("2", "5", "5"), ("3", "3", "2"))
    words = words_of(page_for(nurse, patient))
    assert "1 05-Jan-2026 Treatment 7 6 2 0.65 97.5 1" in words
    assert "2 12-Jan-2026 Treatment 7 5 5 2 0.65 97.5 1" in words
    assert "Total of series 1 1.3 195 2" in words


def test_remission_with_its_reason(patient, nurse):
    a_series(patient)
    (page,) = seen_by(nurse, patient).series
    left, right = page.outcomes
    assert (left.follow_up.outcome, left.follow_up.words) == ("partial", "PtGA 7 → 3, 12 × 8 → 10 × 8 mm")
    assert (left.end_of_treatment.outcome, left.end_of_treatment.words) == (
        "partial", "PtGA 7 → 5, 12 × 8 → 11 × 8 mm"
    )  # fmt: skip
    assert (right.follow_up.outcome, right.end_of_treatment.outcome) == ("complete", "none")
    assert page.outcome == "complete"


def test_an_earlier_series_does_not_decide_a_later_one(patient, nurse):
    first = a_series(patient)
    lesion = first.series_lesions.first().lesion
    second = make_series(patient, [lesion], started_on=date(2026, 3, 1))
    session = make_session(second, date(2026, 3, 1), ptga=4)
    make_assessment(session, lesion, longest_mm=9, widest_mm=9)
    latest, earlier = seen_by(nurse, patient).series
    assert (latest.series, earlier.series) == (second, first)
    assert latest.outcome == "not_evaluable"
    assert earlier.outcome == "complete"
    assert latest.rows[0].days_since is None


def test_left_and_right_are_never_exchanged(patient, nurse):
    a_series(patient)
    left, right = seen_by(nurse, patient).lesions
    assert (left.size, left.size_on, left.state) == ("10 × 8", FIRST + timedelta(100), "present")
    assert (right.size, right.size_on, right.state) == ("30 × 20", FIRST + timedelta(7), "gone")
    html = page_for(nurse, patient)
    rows = {row: words_of(html.split(f'data-lesion="{row}"')[1].split("</tr>")[0]) for row in ("L01", "L02")}
    assert "Left back of hand" in rows["L01"]
    assert "10 × 8" in rows["L01"]
    assert "Gone" not in rows["L01"]
    assert "Right back of hand" in rows["L02"]
    assert "30 × 20" in rows["L02"]
    assert "Gone" in rows["L02"]
    assert 'aria-label="L01: Left back of hand, papule, 10 × 8 mm"' in html
    assert 'aria-label="L02: Right back of hand, papule, 30 × 20 mm, gone"' in html


def test_an_infusion_counts_in_grams(patient, nurse):
    series = make_series(patient, [make_lesion(patient)], protocol="iv")
    for day, dose in enumerate(("12.5", "25")):
        save(Infusion(session=make_session(series, FIRST + timedelta(day * 3)), dose_g=dose, duration_min=30))
    found = seen_by(nurse, patient)
    assert found.series[0].total.infused_g == Decimal("37.5")
    assert found.series[0].total.volume_ml is None
    words = words_of(page_for(nurse, patient))
    assert "Total of series 1 37.5" in words
    assert "Infused 37.5 g" in words
    assert "syringes" not in words


# A closed controlled protocol -------------------------------------------------------------------------------

SECRETS = ("Active (sodium thiosulfate)", "Control (saline)", "16.4", "LOT-7", "syringes")


def a_trial(patient):
    """Both lesions got the same volume; only one got mg, lot and arm."""
    series = a_series(patient, "placebo3", ("active", "control"))
    active, control = (row.lesion for row in series.series_lesions.order_by("lesion__lesion_id"))
    for session in series.sessions.filter(kind="treatment"):
        for injection in session.injections.all():
            if injection.lesion == control:
                injection.agent, injection.concentration_mg_ml = "saline", None
            else:
                injection.concentration_mg_ml, injection.lot_number = Decimal("32.8"), "LOT-7"
            save(injection)
    return series


@pytest.mark.parametrize("role", ["clinician", "nurse", "investigator"])
def test_a_closed_allocation_is_left_out(clinic, patient, role):
    a_trial(patient)
    html = page_for(make_user(role, clinic), patient)
    section = html.split('data-series="1"')[1].split("</section>")[0]
    totals = html.split('id="totals"')[1].split("</section>")[0]
    for secret in SECRETS:
        assert secret not in section
        assert secret not in totals
    assert "mg" not in words_of(section + totals).split()
    assert "The allocation is closed" in section
    assert "0.65" in section


def test_it_shows_to_the_right_and_once_it_was_opened(clinic, patient, nurse):
    series = a_trial(patient)
    manager = make_user("data_manager", clinic)
    assert "Active (sodium thiosulfate)" in page_for(manager, patient)
    assert "16.4" in page_for(manager, patient)
    elsewhere = make_clinic("south")
    for wrong in (
        {"clinic": elsewhere, "patient": None},
        {"clinic": clinic, "patient": make_patient(clinic)},
    ):
        save(
            AllocationOpening(
                protocol_code="placebo3", reason="another's emergency", opened_by="test", **wrong
            )
        )
        assert "Control (saline)" not in page_for(nurse, patient)
    open_allocation(clinic=clinic, protocol_code="placebo3", patient=patient, reason="emergency", by="test")
    html = page_for(nurse, patient)
    assert "Control (saline)" in html
    assert seen_by(nurse, patient).series[0].total.dose_mg == Decimal("16.4")
    assert series.protocol.is_controlled


def test_the_total_says_that_a_dose_is_left_out(patient, nurse):
    a_trial(patient)
    a_series(patient)
    found = seen_by(nurse, patient)
    assert found.is_concealed
    assert (found.total.volume_ml, found.total.dose_mg) == (Decimal("2.6"), Decimal(195))
    assert "of the open allocations" in page_for(nurse, patient)


# What else stands there -------------------------------------------------------------------------------------


def test_medications_the_current_first(patient, nurse):
    for name, stopped_on in (
        ("Aspirin", "2025"),
        ("Nifedipine", ""),
        ("Iloprost", "2027-01"),
        ("Zinc", "2026-03-10"),
    ):
        save(Medication(patient=patient, name=name, role="other", stopped_on=stopped_on))
    found = seen_by(nurse, patient)
    assert [row.name for row in found.medications] == ["Iloprost", "Nifedipine"]
    assert [row.name for row in found.stopped_medications] == ["Aspirin", "Zinc"]
    words = words_of(page_for(nurse, patient))
    assert "stopped 2025" in words
    assert "until Jan-2027" in words


def test_side_effects_the_open_first_and_at_their_session(patient, nurse):
    series = a_series(patient)
    session = series.sessions.get(session_no=1)
    common = {"patient": patient, "series": series, "session": session, "grade": 1}
    over = save(SideEffect(term="nausea", onset_on=FIRST, resolved_on=FIRST, **common))
    still = save(SideEffect(term="skin_blistering", onset_on=FIRST, serious=True, **common))
    recovered = save(SideEffect(term="fatigue", onset_on=FIRST, outcome="recovered", **common))
    found = seen_by(nurse, patient)
    assert found.side_effects == [still]
    assert found.ended_side_effects == [recovered, over]
    assert set(found.series[0].rows[0].side_effects) == {over, still, recovered}
    assert found.series[0].rows[1].side_effects == []
    words = words_of(page_for(nurse, patient))
    assert "Sponsor not told; when the clinic knew is not recorded" in words
    assert "Still there" in words


def test_what_was_struck_out_is_left_out(patient, nurse):
    series = a_series(patient)
    lesion = make_lesion(patient, body_site="scalp", laterality="")
    effect = save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=FIRST))
    drug = save(Medication(patient=patient, name="Aspirin", role="other"))
    earlier = save(PriorTreatment(patient=patient, treatment="Laser"))
    second = make_series(patient, started_on=TODAY)
    last = series.sessions.get(session_no=3)
    with acting(by="test", source="command"):
        last.session_no = None
        last.save()
    for row in (lesion, effect, drug, earlier, second, last):
        strike_out(row, by="test", reason="by mistake")
    found = seen_by(nurse, patient)
    assert [row.lesion.lesion_id for row in found.lesions] == ["L01", "L02"]
    assert [page.series for page in found.series] == [series]
    assert [row.session.session_no for row in found.series[0].rows] == [1, 2]
    assert found.lesions[1].state == "ulcer"
    assert not [*found.side_effects, *found.medications, *found.prior_treatments]


def test_drafts_and_the_way_on(patient, nurse):
    series = a_series(patient)
    html = page_for(nurse, patient)
    for kind in ("treatment", "follow_up", "assessment"):
        assert f'method="post" action="{reverse("session_open", args=[series.pk, kind])}"' in html
    draft = SessionDraft.objects.create(series=series, kind="treatment", opened_by=nurse)
    correction = SessionDraft.objects.create(
        series=series, kind="treatment", opened_by=nurse, corrects=series.sessions.first()
    )
    html = page_for(nurse, patient)
    assert reverse("session_open", args=[series.pk, "treatment"]) not in html
    assert reverse("draft", args=[draft.pk]) in html
    assert "Being corrected" in html
    assert reverse("draft", args=[correction.pk]) not in html
    clinician = make_user("clinician", patient.clinic)
    assert reverse("draft", args=[correction.pk]) in page_for(clinician, patient)


def test_who_withdrew_is_treated_no_more_and_the_page_says_why(patient, nurse):
    series = a_series(patient)
    patient.withdrawn_on = date(2026, 3, 1)
    save(patient)
    html = page_for(nurse, patient)
    assert "withdrew on 01-Mar-2026" in html
    for kind in ("treatment", "follow_up", "assessment"):
        assert reverse("session_open", args=[series.pk, kind]) not in html
    assert reverse("series_new", args=[patient.pk]) not in html


def test_a_completed_series_takes_no_treatment(patient, nurse):
    series = a_series(patient, status="completed")
    html = page_for(nurse, patient)
    assert reverse("session_open", args=[series.pk, "treatment"]) not in html
    assert reverse("session_open", args=[series.pk, "follow_up"]) in html


def test_an_empty_page_says_what_to_do_next(patient, nurse):
    html = page_for(nurse, patient)
    assert "No lesion is recorded" in html
    assert "No series yet" in html
    assert reverse("series_new", args=[patient.pk]) in html


def test_photographs_only_for_those_who_may(clinic, patient, nurse):
    lesion = make_lesion(patient)
    row = save(Photograph(lesion=lesion, taken_on=FIRST, width_px=1, height_px=1, sha256="0"))
    address = reverse("photograph_thumbnail", args=[row.token])
    assert address in page_for(nurse, patient)
    assert address not in page_for(make_user("investigator", clinic), patient)
    strike_out(row, by="test", reason="blurred")
    assert address not in page_for(nurse, patient)


def test_the_name_only_for_those_who_may(clinic, patient, nurse):
    save(PatientIdentity(patient=patient, name="Karen Blixen", date_of_birth=date(1970, 4, 17)))
    html = page_for(nurse, patient)
    assert "Karen Blixen" in html
    assert "Blixen" not in html.split("</title>")[0]
    for role in ("investigator", "data_manager"):
        other = page_for(make_user(role, clinic), patient)
        assert "Blixen" not in other
        assert "17-Apr-1970" not in other


def test_each_look_is_logged(patient, nurse):
    page_for(nurse, patient)
    event = Event.objects.get(kind="patient_viewed")
    assert (event.actor, event.patient_pk, event.detail) == (nurse.username, patient.pk, "")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("clinician", True),
        ("nurse", True),
        ("investigator", True),
        ("data_manager", True),
        ("observer", False),
        ("administrator", False),
    ],
)
def test_who_may(clinic, patient, role, allowed):
    address = reverse("patient", args=[patient.pk])
    colleague, outsider, signed_out = Client(), Client(), Client()
    colleague.force_login(make_user(role, clinic))
    outsider.force_login(make_user(role, make_clinic()))
    assert colleague.get(address).status_code == (200 if allowed else 404)
    assert outsider.get(address).status_code == 404
    assert signed_out.get(address).status_code == 302
    assert colleague.post(address).status_code == (405 if allowed else 404)
    assert not Event.objects.filter(kind="patient_viewed").exclude(actor__startswith=role).exists()


def test_a_struck_out_patient_is_not_found(patient, nurse):
    strike_out(patient, by="test", reason="entered twice")
    client = Client()
    client.force_login(nurse)
    assert client.get(reverse("patient", args=[patient.pk])).status_code == 404


@pytest.mark.parametrize("role", ["clinician", "nurse", "investigator", "data_manager"])
def test_no_link_leads_to_a_404(clinic, patient, role):
    user = make_user(role, clinic)
    series = a_series(patient)
    save(Medication(patient=patient, name="Aspirin", role="other"))
    save(PriorTreatment(patient=patient, treatment="Laser"))
    save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=FIRST))
    for corrects in (None, series.sessions.first()):
        SessionDraft.objects.create(series=series, kind="treatment", opened_by=user, corrects=corrects)
    client = Client()
    client.force_login(user)
    html = client.get(reverse("patient", args=[patient.pk])).content.decode()
    links = {link for link in re.findall(r'href="(/[^"#]*)', html) if not link.startswith("/static/")}
    assert len(links) > 5
    assert {link: client.get(link).status_code for link in links if client.get(link).status_code >= 400} == {}


def test_a_session_completed_while_the_page_is_made_is_on_the_next_one(clinic, patient, nurse, monkeypatch):
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    make_assessment(make_session(series, held_on=FIRST), lesion)
    treated = overview._treated

    def completed_meanwhile():
        session = make_session(series, held_on=FIRST + timedelta(7))
        make_assessment(session, lesion)
        make_injection(session, lesion)
        return treated()

    monkeypatch.setattr(overview, "_treated", completed_meanwhile)
    shown = overview_of(patient, nurse, FIRST + timedelta(8))
    assert [len(page.rows) for page in shown.series] == [1]
    assert [row.last_on for row in shown.lesions] == [FIRST]
    monkeypatch.undo()
    shown = overview_of(patient, nurse, FIRST + timedelta(8))
    assert [len(page.rows) for page in shown.series] == [2]
    assert [row.last_on for row in shown.lesions] == [FIRST + timedelta(7)]


def test_the_number_of_queries_is_fixed(clinic, patient, nurse, django_assert_num_queries):
    client = Client()
    client.force_login(nurse)
    address = reverse("patient", args=[patient.pk])

    def fill(lesions: int, sessions: int, protocol: str):
        rows = [make_lesion(patient, f"{protocol}-{number}") for number in range(lesions)]
        series = make_series(patient, rows, protocol=protocol)
        with acting(by="test", source="command"):
            for number in range(sessions):
                session = series.sessions.create(
                    session_no=number + 1, kind="treatment", held_on=FIRST + timedelta(7 * number)
                )
                for lesion in rows:
                    session.assessments.create(lesion=lesion, status="present", longest_mm=9, widest_mm=9)
                    session.injections.create(
                        lesion=lesion, agent="sts", concentration_mg_ml=150, volume_ml=Decimal("0.1")
                    )
                    session.side_effects.create(
                        patient=patient, series=series, lesion=lesion, term="nausea", grade=1, onset_on=FIRST
                    )
        SessionDraft.objects.create(series=series, kind="treatment", opened_by=nurse)

    fill(1, 1, "placebo3")
    client.get(address)
    with django_assert_num_queries(QUERIES):
        client.get(address)
    fill(22, 12, "weekly4")
    fill(3, 4, "biweekly")
    with django_assert_num_queries(QUERIES):
        client.get(address)


QUERIES = 24


def test_the_scores_of_a_protocol_without_ptga_are_pga_and_pain_of_each_lesion(clinic, nurse, patient):
    lesions = [make_lesion(patient, f"L{number}") for number in range(1, 6)]
    few = make_series(patient, [(lesions[0], "active"), (lesions[1], "control")], protocol="placebo3")
    session = make_session(few, FIRST)
    for lesion, pga, pain in ((lesions[0], 3, "2.5"), (lesions[1], 0, None)):
        make_assessment(session, lesion, pga=pga)
        make_injection(session, lesion, concentration_mg_ml=40, volume_ml="0.1", pain_vas=pain)
    many = make_series(patient, lesions, protocol="weekly4")
    session = make_session(many, FIRST + timedelta(days=40), ptga=6, phga=5)
    for pain, lesion in enumerate(lesions, start=1):
        make_injection(session, lesion, pain_vas=pain)
    pages = {page.series.pk: page for page in seen_by(nurse, patient).series}
    (row,) = pages[few.pk].rows
    assert (row.pga, row.pain) == ("L1 3, L2 0", "L1 2.5")
    (row,) = pages[many.pk].rows
    assert (row.pga, row.pain) == ("", "1 to 5, 5 lesions")
    html = page_for(nurse, patient)
    table = words_of(html.split(f"Sessions of series {few.series_no}<")[1].split("</table>")[0])
    assert "PGA 0-4" in table and "L1 3, L2 0" in table and "L1 2.5" in table and "PtGA" not in table
    table = words_of(html.split(f"Sessions of series {many.series_no}<")[1].split("</table>")[0])
    assert "1 to 5, 5 lesions" in table and "PGA 0-4" not in table


def test_all_series_stand_in_one_timeline_by_the_day_of_their_sessions(clinic, nurse, patient):
    lesion = make_lesion(patient)
    first, second = make_series(patient, [lesion]), make_series(patient, [lesion], protocol="iv")
    make_injection(make_session(first, FIRST, ptga=7, phga=6), lesion)
    assert seen_by(nurse, patient).timeline == []
    infused = make_session(second, FIRST + timedelta(days=3), ptga=5, phga=4)
    save(Infusion(session=infused, dose_g=Decimal("12.5"), duration_min=30))
    make_session(first, FIRST + timedelta(days=90), "follow_up", ptga=3, phga=2)
    listed = [(page.series.pk, row.session.held_on) for page, row in seen_by(nurse, patient).timeline]
    assert listed == [
        (first.pk, FIRST + timedelta(days=90)),
        (second.pk, FIRST + timedelta(days=3)),
        (first.pk, FIRST),
    ]
    words = words_of(page_for(nurse, patient).split('id="timeline"')[1].split("</table>")[0])
    assert re.search(r"05-Jan-2026 1 weekly4 Treatment 1 PtGA 7, PhGA 6 0.5 ml, 75 mg", words), words
    assert re.search(r"08-Jan-2026 2 iv Treatment 1 PtGA 5, PhGA 4 12.5 g infused", words), words


def test_a_closed_allocation_keeps_the_dose_out_of_the_timeline(clinic, nurse, patient):
    lesions = [make_lesion(patient), make_lesion(patient)]
    hidden = make_series(patient, list(zip(lesions, ("active", "control"), strict=True)), protocol="placebo3")
    make_injection(make_session(hidden, FIRST), lesions[0], concentration_mg_ml=40, volume_ml="0.1")
    make_session(make_series(patient, lesions), FIRST + timedelta(days=1))
    ((_page, _open), (page, row)) = seen_by(nurse, patient).timeline
    assert page.is_concealed and row.amount.volume_ml == Decimal("0.1") and row.amount.dose_mg is None


def test_a_gone_lesion_is_not_shown_as_large_as_it_was(clinic, nurse, patient):
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    make_assessment(make_session(series, FIRST), lesion)
    gone = dict.fromkeys(("longest_mm", "widest_mm", "ulcer"))
    make_assessment(make_session(series, FIRST + timedelta(days=7)), lesion, status="gone", **gone)
    row = words_of(page_for(nurse, patient).split(f'data-lesion="{lesion.lesion_id}"')[1].split("</tr>")[0])
    assert "gone; before, 12 × 8" in row
