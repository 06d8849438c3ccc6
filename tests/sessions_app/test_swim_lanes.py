"""A patient's side effects over time, and those of clinics in numbers."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse

from lesions.models import Medication
from sessions_app.models import AllocationOpening, Infusion, SideEffect, SideEffectObservation
from sessions_app.side_effect_summary import side_effect_summary
from sessions_app.swim_lanes import LEFT, RIGHT, swim_lanes
from stsclinic.audit.acting import acting
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

TODAY = datetime.date(2026, 9, 1)


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


@pytest.fixture
def clinic():
    return make_clinic("own")


@pytest.fixture
def nurse(clinic):
    return make_user("nurse", clinic)


@pytest.fixture
def patient(clinic):
    """Bosentan ends in January, a thumb is injected in March and April, its pulp dies off in April."""
    patient = make_patient(clinic)
    thumb = make_lesion(patient, body_site="thumb")
    series = make_series(patient, [thumb])
    for held_on in (datetime.date(2026, 3, 2), datetime.date(2026, 4, 6)):
        make_injection(make_session(series, held_on), thumb)
    save(
        Medication(
            patient=patient, name="bosentan", role="vasodilator", started_on="2010", stopped_on="2026-01-15"
        )
    )
    return patient


def effect(patient, **values):
    defaults = {
        "lesion": patient.lesions.first(),
        "term": "digital_necrosis",
        "grade": 3,
        "onset_on": datetime.date(2026, 4, 20),
    }
    return save(SideEffect(patient=patient, **(defaults | values)))


def lanes(user, patient, kind, **options):
    return [lane for lane in swim_lanes(user, patient, TODAY, **options).lanes if lane.kind == kind]


def test_the_bar_of_the_vasodilator_ends_before_the_needle_and_the_necrosis(nurse, patient):
    effect(patient, resolved_on=datetime.date(2026, 6, 20))
    (bosentan,) = lanes(nurse, patient, "medication")
    (sessions,) = lanes(nurse, patient, "sessions")
    (necrosis,) = lanes(nurse, patient, "side_effect")
    (bar,) = bosentan.bars
    end = float(bar.x) + float(bar.width)
    assert float(bar.x) == LEFT
    assert end < float(sessions.points[0].x) < float(sessions.points[1].x) < float(necrosis.bars[0].x)
    assert not bar.goes_on
    assert "2010 to 15-Jan-2026" in bar.title
    assert necrosis.points[0].label == "Grade 3"
    assert "Digital necrosis" in necrosis.label
    assert "Left thumb" in necrosis.label


def test_doses_stand_beside_the_sessions(nurse, patient):
    (sessions,) = lanes(nurse, patient, "sessions")
    assert [point.label for point in sessions.points] == ["75 mg", "75 mg"]
    assert "02-Mar-2026, treatment 1: 75 mg" in sessions.points[0].title


def test_an_infusion_is_given_in_grams(nurse, clinic):
    patient = make_patient(clinic)
    session = make_session(make_series(patient, protocol="iv"), datetime.date(2026, 3, 2))
    save(Infusion(session=session, dose_g="12.5", duration_min=30))
    assert swim_lanes(nurse, patient, TODAY).sessions[0]["dose"] == "12.5 g"


@pytest.mark.parametrize(
    ("started", "stopped", "kinds", "goes_on"),
    [
        ("2025-12-01", "2026-02-01", ["sure"], False),
        ("2025-12-01", "", ["sure"], True),
        ("2025-12-01", "2026-03", ["sure", "unsure"], False),
        ("2026-02", "2026-03-20", ["unsure", "sure"], False),
        ("2026-02", "2026-03", ["unsure", "sure", "unsure"], False),
        ("2026", "2026", ["unsure"], True),
        ("", "2026-02-01", ["sure"], False),
        ("", "", ["sure"], True),
        ("2026-03-10", "2026-03-10", ["sure"], False),
    ],
)
def test_a_date_known_in_part_is_drawn_as_unsure(nurse, patient, started, stopped, kinds, goes_on):
    save(
        Medication(
            patient=patient, name="iloprost", role="vasodilator", started_on=started, stopped_on=stopped
        )
    )
    effect(patient)
    lane = next(lane for lane in lanes(nurse, patient, "medication") if lane.label.startswith("iloprost"))
    assert [bar.kind for bar in lane.bars] == kinds
    assert lane.bars[-1].goes_on == goes_on


def test_what_is_open_goes_on_and_what_is_over_does_not(nurse, patient):
    effect(patient)
    effect(patient, term="nausea", lesion=None, outcome="recovered", grade=1)
    effect(patient, term="skin_blistering", resolved_on=datetime.date(2026, 4, 25), grade=2)
    found = {lane.label.split(",")[0]: lane.bars[0].goes_on for lane in lanes(nurse, patient, "side_effect")}
    assert found == {"Digital necrosis": True, "Nausea": False, "Skin blistering": False}


def test_the_grade_over_time_is_drawn_where_it_changes(nurse, patient):
    row = effect(patient, grade=3)
    for number, grade in ((25, 3), (28, 2)):
        save(
            SideEffectObservation(
                side_effect=row, seen_on=datetime.date(2026, 4, number), grade=grade, by="nina"
            )
        )
    found = swim_lanes(nurse, patient, TODAY)
    (lane,) = [lane for lane in found.lanes if lane.kind == "side_effect"]
    assert [point.label for point in lane.points] == ["Grade 3", "Grade 2"]
    assert lane.points[0].d != lane.points[1].d
    assert found.side_effects[0]["course"] == "3 on 25-Apr-2026, 2 on 28-Apr-2026"


def test_each_grade_has_its_shape(nurse, patient):
    row = effect(patient, term="nausea")
    shapes = set()
    for grade in (1, 2, 3, 4, 5):
        row.grade = grade
        save(row)
        (point,) = lanes(nurse, patient, "side_effect")[0].points
        assert point.label == f"Grade {grade}"
        shapes.add(point.d)
    assert len(shapes) == 5


@pytest.mark.parametrize("span", ["all", "year", "quarter"])
def test_everything_lies_within_the_edges(nurse, patient, span):
    effect(patient)
    effect(patient, term="nausea", lesion=None, onset_on=datetime.date(2019, 1, 1), grade=1)
    for lane in swim_lanes(nurse, patient, TODAY, span).lanes:
        for bar in lane.bars:
            assert LEFT <= float(bar.x) <= RIGHT
            assert float(bar.x) + float(bar.width) <= RIGHT + 5
        for point in lane.points:
            assert LEFT - 10 <= float(point.x) <= RIGHT + 10


def test_a_shorter_span_leaves_the_earlier_out_of_the_drawing_but_not_of_the_table(nurse, patient):
    effect(patient)
    effect(
        patient, term="nausea", lesion=None, onset_on=datetime.date(2019, 1, 1), grade=1, outcome="recovered"
    )
    found = swim_lanes(nurse, patient, TODAY, "year")
    assert [lane.label.split(",")[0] for lane in found.lanes if lane.kind == "side_effect"] == [
        "Digital necrosis"
    ]
    assert len(found.side_effects) == 2


def test_a_closed_trial_shows_ml_alone(clinic, nurse):
    patient = make_patient(clinic)
    active, control = make_lesion(patient), make_lesion(patient)
    series = make_series(patient, [(active, "active"), (control, "control")], "placebo3")
    session = make_session(series, datetime.date(2026, 3, 2))
    make_injection(session, active, concentration_mg_ml=40, volume_ml="0.4")
    make_injection(session, control, agent="saline", concentration_mg_ml=None, volume_ml="0.4")
    found = swim_lanes(nurse, patient, TODAY)
    assert (found.sessions[0]["dose"], found.is_concealed) == ("0.8 ml", True)
    holder = make_user("data_manager", clinic)
    assert swim_lanes(holder, patient, TODAY).sessions[0]["dose"] == "16 mg"
    save(
        AllocationOpening(
            clinic=clinic, protocol_code="placebo3", patient=patient, reason="Emergency", opened_by="dora"
        )
    )
    assert swim_lanes(nurse, patient, TODAY).sessions[0]["dose"] == "16 mg"


def test_the_number_of_queries_does_not_grow(nurse, patient, django_assert_num_queries):
    effect(patient)
    swim_lanes(nurse, patient, TODAY)
    with django_assert_num_queries(6):
        swim_lanes(nurse, patient, TODAY)
    for number in range(5):
        row = effect(patient, onset_on=datetime.date(2026, 4, 21 + number))
        save(SideEffectObservation(side_effect=row, seen_on=row.onset_on, grade=2, by="nina"))
        make_session(patient.series.get(), datetime.date(2026, 5, 1 + number))
    with django_assert_num_queries(6):
        swim_lanes(nurse, patient, TODAY)


def test_owner_colleague_and_outsider(clinic, patient):
    effect(patient)
    for role, where, status in (
        ("nurse", clinic, 200),
        ("investigator", clinic, 200),
        ("nurse", make_clinic(), 404),
        ("administrator", clinic, 404),
    ):
        client = Client()
        client.force_login(make_user(role, where))
        assert client.get(reverse("swim_lanes", args=[patient.pk])).status_code == status
    client.force_login(make_user("nurse", clinic))
    assert client.get(reverse("swim_lanes", args=[patient.pk]), {"span": "century"}).status_code == 404


def test_an_empty_patient_is_told_so(clinic, nurse, client):
    client.force_login(nurse)
    page = client.get(reverse("swim_lanes", args=[make_patient(clinic).pk])).content.decode()
    assert "Nothing to draw yet" in page


# In numbers


def part(user, clinics, key):
    found = side_effect_summary(user, [clinic.pk for clinic in clinics])
    return next(one for one in found.breakdowns if one.key == key)


def test_the_numbers_of_a_clinic(clinic, nurse, patient):
    effect(patient, serious=True)
    effect(patient, term="nausea", lesion=None, grade=1, outcome="recovered")
    effect(
        patient,
        term="nausea",
        lesion=None,
        grade=2,
        onset_on=datetime.date(2026, 4, 6),
        resolved_on=datetime.date(2026, 4, 7),
    )
    found = side_effect_summary(nurse, [clinic.pk])
    assert (found.total, found.patients, found.serious, found.still_open) == (3, 1, 1, 1)
    assert part(nurse, [clinic], "term").rows == [
        ["Nausea", "1", "1", "0", "0", "0", "2"],
        ["Digital necrosis", "0", "0", "1", "0", "0", "1"],
    ]
    assert part(nurse, [clinic], "grade").rows == [
        ["Grade 1", "1", "0"],
        ["Grade 2", "1", "0"],
        ["Grade 3", "1", "1"],
    ]
    assert part(nurse, [clinic], "site").rows == [
        ["Thumb", "1", "2", "50.0"],
        ["The whole patient", "2", "", ""],
    ]
    assert part(nurse, [clinic], "concentration").rows == [["Sodium thiosulfate 150 mg/ml", "1", "2", "50.0"]]


@pytest.mark.parametrize(
    ("onset", "words"),
    [
        (datetime.date(2026, 3, 1), "Before any treatment"),
        (datetime.date(2026, 3, 2), "Same day"),
        (datetime.date(2026, 3, 3), "1-2 days"),
        (datetime.date(2026, 3, 5), "3-4 days"),
        (datetime.date(2026, 3, 16), "8-14 days"),
        (datetime.date(2026, 3, 30), "15-28 days"),
        (datetime.date(2026, 3, 31), "29 days or more"),
        (datetime.date(2026, 4, 6), "Same day"),
    ],
)
@pytest.mark.parametrize("has_lesion", [True, False])
def test_days_count_from_the_last_treatment_before(clinic, nurse, patient, onset, words, has_lesion):
    effect(patient, onset_on=onset, **({} if has_lesion else {"lesion": None}))
    assert [row for row in part(nurse, [clinic], "days").rows if row[1] == "1"] == [[words, "1"]]


def test_a_closed_trial_is_in_no_concentration(clinic, nurse):
    patient = make_patient(clinic)
    lesion = make_lesion(patient)
    series = make_series(patient, [(lesion, "active")], "placebo3")
    make_injection(make_session(series, datetime.date(2026, 3, 2)), lesion, concentration_mg_ml=40)
    effect(patient, onset_on=datetime.date(2026, 3, 3))
    closed = part(nurse, [clinic], "concentration")
    assert closed.rows == []
    assert "Trials whose allocation is closed to you are left out." in closed.footnotes
    assert part(nurse, [clinic], "term").rows[0][-1] == "1"
    holder = make_user("data_manager", clinic)
    assert part(holder, [clinic], "concentration").rows == [
        ["Sodium thiosulfate 40 mg/ml", "1", "1", "100.0"]
    ]


def test_another_clinics_side_effects_are_not_counted(clinic, patient, client):
    effect(patient)
    client.force_login(make_user("nurse", make_clinic("other")))
    assert "No side effect is recorded" in client.get(reverse("side_effect_summary")).content.decode()
    assert client.get(reverse("side_effect_summary"), {"clinic": clinic.code}).status_code == 404


def test_the_summary_takes_a_fixed_number_of_queries(clinic, nurse, patient, django_assert_num_queries):
    effect(patient)
    side_effect_summary(nurse, [clinic.pk])
    with django_assert_num_queries(3):
        side_effect_summary(nurse, [clinic.pk])
    for number in range(4):
        effect(patient, onset_on=datetime.date(2026, 5, 1 + number))
    with django_assert_num_queries(3):
        side_effect_summary(nurse, [clinic.pk])
