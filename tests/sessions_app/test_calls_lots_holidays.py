"""Recalled lots and the days on which a clinic is closed."""

import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from sessions_app.models import AllocationOpening, RecalledLot, SessionVial, TreatmentSession
from sessions_app.recalled_lots import enter_lot, lot_rows, recipients
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.clinical.lots import plain_lot
from stsclinic.clinics.models import Holiday
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

DAY = datetime.date(2026, 3, 2)


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


@pytest.fixture
def clinic():
    return make_clinic("own")


@pytest.fixture
def nurse(clinic):
    return make_user("nurse", clinic, username="nina")


@pytest.fixture
def browser(nurse):
    client = Client()
    client.force_login(nurse)
    return client


def injected(clinic, lot_number, protocol="weekly4", arm=""):
    patient = make_patient(clinic)
    lesion = make_lesion(patient)
    session = make_session(make_series(patient, [(lesion, arm)], protocol), DAY)
    make_injection(session, lesion, lot_number=lot_number)
    return patient


def recall(clinic, lot_number="STS-25 017"):
    return save(RecalledLot(clinic=clinic, lot_number=lot_number, recalled_on=DAY, reason="Particles"))


# Lots


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("STS-25 017", "sts25017", True),
        ("A.17", "a-17", True),
        ("A17", "A17 ", True),
        ("A17", "A18", False),
        ("A17", "A170", False),
        ("ÅÆ1", "åæ1", True),
    ],
)
def test_two_numbers_are_the_same_lot(one, other, same):
    assert (plain_lot(one) == plain_lot(other)) == same


def test_who_got_a_lot_however_it_was_written(clinic, nurse):
    first, second = injected(clinic, "sts 25017"), injected(clinic, "STS-25-017")
    injected(clinic, "STS-25 018")
    injected(make_clinic(), "STS-25 017")
    lot = recall(clinic)
    assert {row.study_id for row in recipients(nurse, lot)} == {first.study_id, second.study_id}
    (row,) = lot_rows(nurse)
    assert (row.patients, row.injections) == (2, 2)


def test_the_page_names_session_lesion_and_day(clinic, browser):
    patient = injected(clinic, "STS-25 017")
    page = browser.get(reverse("lot", args=[recall(clinic).pk])).content.decode()
    for text in (patient.study_id, "Series 1, session 1", "02-Mar-2026", "L01", "Left elbow"):
        assert text in page


@pytest.mark.parametrize("what", ["patient", "series", "session", "injection"])
def test_what_was_struck_out_got_nothing(clinic, nurse, what):
    patient = injected(clinic, "A17")
    series = patient.series.get()
    session = series.sessions.get()
    row = {"patient": patient, "series": series, "session": session, "injection": session.injections.get()}[
        what
    ]
    row.struck_out_at = datetime.datetime(2026, 4, 1, tzinfo=datetime.UTC)
    if what == "session":
        row.session_no = None
    save(row)
    assert recipients(nurse, recall(clinic, "A17")) == []


def test_a_vial_of_the_lot_is_found_where_no_injection_tells_it(clinic, nurse, browser):
    session = TreatmentSession.objects.get(series__patient=injected(clinic, ""))
    save(SessionVial(session=session, vial_no=2, lot_number="sts 25-017", drawn_ml="1.5"))
    told = TreatmentSession.objects.get(series__patient=injected(clinic, "STS-25 017"))
    save(SessionVial(session=told, vial_no=1, lot_number="STS-25 017", drawn_ml="1"))
    lot = recall(clinic)
    rows = {(row.session_pk, row.lesion_id) for row in recipients(nurse, lot)}
    assert rows == {(session.pk, ""), (told.pk, "L01")}
    (row,) = lot_rows(nurse)
    assert (row.patients, row.injections) == (2, 2)
    page = browser.get(reverse("lot", args=[lot.pk])).content.decode()
    assert "1.5 ml drawn; for which lesions is not recorded" in page
    assert "For an infusion no lot is recorded" in page


def test_a_lot_does_not_betray_an_arm(clinic, nurse, browser):
    patient = injected(clinic, "A17", "placebo3", "active")
    lot = recall(clinic, "A17")
    page = browser.get(reverse("lot", args=[lot.pk])).content.decode()
    assert patient.study_id not in page
    assert "left out" in page
    assert lot_rows(nurse)[0].injections == 0
    holder = make_user("data_manager", clinic)
    assert [row.study_id for row in recipients(holder, lot)] == [patient.study_id]


def test_the_words_are_the_same_whether_or_not_a_trial_had_the_lot(clinic, browser):
    lot = recall(clinic, "A17")
    with time_machine.travel(datetime.datetime(2026, 3, 9, 12, tzinfo=datetime.UTC), tick=False):
        browser.force_login(make_user("nurse", clinic, username="nora"))
        before = browser.get(reverse("lot", args=[lot.pk])).context["leaves_out"]
        injected(clinic, "A17", "placebo3", "active")
        after = browser.get(reverse("lot", args=[lot.pk]))
    assert before is True
    assert after.context["leaves_out"] is True
    assert after.context["rows"] == []


def test_a_patient_whose_code_was_opened_is_listed(clinic, nurse):
    patient = injected(clinic, "A17", "placebo3", "active")
    injected(clinic, "A17", "placebo3", "active")
    save(
        AllocationOpening(
            clinic=clinic, protocol_code="placebo3", patient=patient, reason="Emergency", opened_by="dora"
        )
    )
    assert [row.study_id for row in recipients(nurse, recall(clinic, "A17"))] == [patient.study_id]


def test_a_lot_is_entered_once_and_not_in_the_future(clinic):
    values = {"clinic": clinic, "recalled_on": DAY, "reason": "", "by": "nina"}
    enter_lot(lot_number=" STS-25 017 ", **values)
    for number in ("sts25017", "", " - "):
        with pytest.raises(ValidationError):
            enter_lot(lot_number=number, **values)
    with pytest.raises(ValidationError):
        enter_lot(lot_number="B1", **(values | {"recalled_on": datetime.date(2100, 1, 1)}))
    assert [lot.lot_number for lot in RecalledLot.objects.all()] == ["STS-25 017"]


def test_a_lot_is_entered_on_the_page_and_struck_out_with_a_reason(clinic, browser):
    answer = browser.post(
        reverse("lots"),
        {"clinic": clinic.pk, "lot_number": "A17", "recalled_on": "2026-03-02", "reason": "Particles"},
    )
    lot = RecalledLot.objects.get()
    assert answer.headers["Location"] == reverse("lot", args=[lot.pk])
    assert Change.objects.filter(actor="nina", action="created", row_id=lot.pk).exists()
    assert (lot.lot_number, lot.recalled_on, lot.reason) == ("A17", DAY, "Particles")
    refused = browser.post(reverse("lot_strike_out", args=[lot.pk]), {"reason": " "})
    assert "Say why" in refused.content.decode()
    browser.post(reverse("lot_strike_out", args=[lot.pk]), {"reason": "Wrong number"})
    assert not RecalledLot.objects.exists()
    assert RecalledLot.everything.get().struck_out_reason == "Wrong number"
    assert "No lot is recalled" in browser.get(reverse("lots")).content.decode()


def test_another_clinics_lot_is_neither_seen_nor_entered(clinic):
    lot, other = recall(clinic, "A17"), make_clinic("other")
    client = Client()
    client.force_login(make_user("nurse", other))
    assert "A17" not in client.get(reverse("lots")).content.decode()
    assert client.get(reverse("lot", args=[lot.pk])).status_code == 404
    client.post(reverse("lots"), {"clinic": clinic.pk, "lot_number": "B1", "recalled_on": "2026-03-02"})
    assert RecalledLot.objects.count() == 1


def test_what_was_typed_is_not_lost(clinic, browser):
    page = browser.post(
        reverse("lots"),
        {"clinic": clinic.pk, "lot_number": "A17", "recalled_on": "2100-01-01", "reason": "Particles"},
    ).content.decode()
    assert "in the future" in page
    assert 'value="A17"' in page
    assert 'value="Particles"' in page


def test_lists_of_lots_take_a_fixed_number_of_queries(clinic, nurse, django_assert_num_queries):
    for number in range(2):
        recall(clinic, f"A{number}")
        injected(clinic, f"A{number}")
    lot_rows(nurse)
    with django_assert_num_queries(4):
        lot_rows(nurse)
    for number in range(2, 6):
        recall(clinic, f"A{number}")
        injected(clinic, f"A{number}")
    with django_assert_num_queries(4):
        lot_rows(nurse)


# Days closed


def enter(browser, clinic, first, last="", name=""):
    return browser.post(
        reverse("holidays"), {"clinic": clinic.pk, "first": first, "last": last, "name": name}
    )


def test_a_stretch_of_days_is_entered_listed_and_removed(clinic, browser):
    enter(browser, clinic, "2099-12-24", "2099-12-26", "Christmas")
    assert not Holiday.objects.exists()
    with time_machine.travel(datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.UTC), tick=False):
        browser.force_login(make_user("nurse", clinic, username="nora"))
        enter(browser, clinic, "2026-12-24", "2026-12-26", "Christmas")
        enter(browser, clinic, "2026-12-26", "2026-12-27", "Christmas")
        assert Holiday.objects.count() == 4
        page = browser.get(reverse("holidays")).content.decode()
        assert "24-Dec-2026" in page
        row = Holiday.objects.first()
        browser.post(reverse("holiday_remove", args=[row.pk]))
    assert Holiday.objects.count() == 3
    assert Change.objects.filter(actor="nora", action="removed", row_id=row.pk).exists()


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("", "", "required"),
        ("2026-12-24", "2026-12-23", "before the first day"),
        ("2026-12-24", "2027-02-24", "at most 62 days"),
        ("2026-12-24", "x", "Enter a valid date"),
    ],
)
def test_days_that_cannot_be_are_refused(clinic, browser, first, last, said):
    with time_machine.travel(datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.UTC), tick=False):
        browser.force_login(make_user("nurse", clinic, username="nora"))
        page = enter(browser, clinic, first, last, "Christmas").content.decode()
    assert said in page
    assert 'value="Christmas"' in page
    assert not Holiday.objects.exists()


def test_a_day_that_is_there_is_said_to_be_there(clinic, browser):
    day = datetime.date.today() + datetime.timedelta(days=30)
    enter(browser, clinic, day.isoformat())
    assert "closed then already" in enter(browser, clinic, day.isoformat()).content.decode()
    assert Holiday.objects.count() == 1


def test_another_clinics_days_are_out_of_reach(clinic, browser):
    other = make_clinic("other")
    day = save(Holiday(clinic=other, held_on=datetime.date.today()))
    assert browser.post(reverse("holiday_remove", args=[day.pk])).status_code == 404
    enter(browser, other, (datetime.date.today() + datetime.timedelta(days=3)).isoformat())
    assert list(Holiday.objects.all()) == [day]


def test_the_closed_weekdays_stand_beside_them(clinic, browser):
    assert "Saturday, Sunday" in browser.get(reverse("holidays")).content.decode()
    for days, words in (([4], "Friday"), ([], "None")):
        clinic.closed_weekdays = days
        save(clinic)
        page = browser.get(reverse("holidays")).content.decode()
        assert f"<strong>{clinic.name}</strong>: {words}</li>" in page


@pytest.mark.parametrize(
    ("role", "status"), [("administrator", 200), ("clinician", 200), ("investigator", 404)]
)
def test_who_keeps_the_days(clinic, role, status):
    client = Client()
    client.force_login(make_user(role, clinic))
    assert client.get(reverse("holidays")).status_code == status
