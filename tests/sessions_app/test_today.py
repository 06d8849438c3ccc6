"""Today: what is due in each clinic on its own date, for whom, and that it stays quick."""

import datetime
from datetime import date

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from lesions.models import PatientIdentity
from sessions_app.due import (
    LONG_PAST_DAYS,
    SHOWN_ROWS,
    SHOWN_SIDE_EFFECTS,
    ClinicDay,
    clinic_days,
)
from sessions_app.models import Protocol, Series, SessionDraft, SideEffect
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out
from stsclinic.clinics.models import User
from tests.builders import (
    make_clinic,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 3, 10, 12, 0, tzinfo=datetime.UTC)
TODAY = date(2026, 3, 10)


@pytest.fixture
def clinic():
    return make_clinic("north")


@pytest.fixture
def nurse(clinic):
    return make_user("nurse", clinic)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False):
        yield


def days_ago(days: int) -> date:
    return TODAY - datetime.timedelta(days=days)


def save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


def treated(clinic, *ago: int, protocol: str = "weekly4", **values) -> Series:
    """A patient's series with a treatment so many days ago, for each number."""
    series = make_series(make_patient(clinic), protocol=protocol, started_on=days_ago(max(ago)), **values)
    for days in sorted(ago, reverse=True):
        make_session(series, days_ago(days))
    return series


def the_day(user) -> ClinicDay:
    (day,) = clinic_days(User.objects.get(pk=user.pk))
    return day


def pks(short_list) -> list[int]:
    return [row.series_pk for row in short_list.rows]


@pytest.mark.parametrize(
    ("ago", "where", "days_over"),
    [
        (5, "nowhere", None),  # the window of weekly4 opens on day 6 and closes on day 31
        (6, "due", 0),
        (31, "due", 0),
        (32, "overdue", 1),
        (40, "overdue", 9),
    ],
)
def test_a_treatment_by_its_window(clinic, nurse, ago, where, days_over):
    series = treated(clinic, ago)
    day = the_day(nurse)
    listed = {name: pks(getattr(day, name)) for name in ("due", "overdue", "not_begun")}
    expected = {name: [series.pk] if name == where else [] for name in listed}
    assert listed == expected
    if where != "nowhere":
        (row,) = getattr(day, where).rows
        assert (row.kind, row.number, row.days_over) == ("treatment", 2, days_over)


@pytest.mark.parametrize(
    ("last", "where"),
    [
        (83, "nowhere"),
        (84, "due"),
        (112, "due"),
        (113, "overdue"),
        (112 + LONG_PAST_DAYS, "overdue"),
        (113 + LONG_PAST_DAYS, "nowhere"),
    ],
)
def test_the_follow_up_of_a_completed_series(clinic, nurse, last, where):
    series = treated(clinic, last + 21, last + 14, last + 7, last, status="completed")
    day = the_day(nurse)
    assert pks(day.due) == ([series.pk] if where == "due" else [])
    assert pks(day.overdue) == ([series.pk] if where == "overdue" else [])
    if where != "nowhere":
        assert getattr(day, where).rows[0].kind == "follow_up"


def test_a_stopped_series_waits_for_its_follow_up_unless_the_patient_is_lost(clinic, nurse):
    waits = treated(clinic, 97, 90, status="stopped", stop_reason="complete_remission")
    treated(clinic, 97, 90, status="stopped", stop_reason="lost_to_follow_up")
    had_it = treated(clinic, 97, 90, status="stopped", stop_reason="side_effects")
    make_session(had_it, days_ago(2), kind="follow_up")
    assert pks(the_day(nurse).due) == [waits.pk]


def test_a_series_without_a_treatment_is_not_begun(clinic, nurse):
    active = make_series(make_patient(clinic), started_on=days_ago(3))
    planned = make_series(make_patient(clinic), started_on=days_ago(-3), status="planned")
    day = the_day(nurse)
    assert pks(day.not_begun) == [active.pk, planned.pk]
    assert not day.due.rows
    assert not day.overdue.rows


def test_of_the_withdrawn_only_side_effects_are_followed(client, clinic, nurse):
    """An adverse event lasts beyond a withdrawal."""
    withdrawn = treated(clinic, 10)
    withdrawn.patient.withdrawn_on = days_ago(1)
    save(withdrawn.patient)
    SessionDraft.objects.create(series=withdrawn, kind="treatment", opened_by=nurse)
    assert the_day(nurse).is_empty
    mild = save(SideEffect(patient=withdrawn.patient, term="nausea", grade=1, onset_on=days_ago(2)))
    grave = save(SideEffect(patient=withdrawn.patient, term="nausea", grade=3, onset_on=days_ago(3)))
    day = the_day(nurse)
    assert (day.grave.rows, day.side_effects.rows) == ([grave], [mild])
    assert not any(one.rows for one in (day.drafts, day.overdue, day.due, day.not_begun))
    client.force_login(nurse)
    assert "Withdrawn" in client.get(reverse("today")).content.decode()


def test_the_struck_out_never_appear(clinic, nurse):
    mistaken = treated(clinic, 10)
    SessionDraft.objects.create(series=mistaken, kind="treatment", opened_by=nurse)
    strike_out(mistaken, by="test", reason="wrong patient")
    gone = treated(clinic, 10)
    save(SideEffect(patient=gone.patient, term="nausea", grade=1, onset_on=days_ago(2)))
    strike_out(gone.patient, by="test", reason="entered twice")
    effect = save(SideEffect(patient=make_patient(clinic), term="nausea", grade=1, onset_on=days_ago(2)))
    strike_out(effect, by="test", reason="another patient's")
    assert the_day(nurse).is_empty


def test_a_struck_out_session_does_not_count(clinic, nurse):
    series = treated(clinic, 40, 3)
    last = series.sessions.get(held_on=days_ago(3))
    with acting(by="test", source="command"):
        last.session_no = None
        last.save()
    strike_out(last, by="test", reason="never held")
    assert pks(the_day(nurse).overdue) == [series.pk]


def test_each_clinic_counts_on_its_own_date(nurse):
    """At 23:30 UTC it is already the next day in Copenhagen, and not yet in Orlando."""
    late = datetime.datetime(2026, 3, 10, 23, 30, tzinfo=datetime.UTC)
    east, west = make_clinic("east"), make_clinic("west")
    west.time_zone = "America/New_York"
    save(west)
    both = make_user("nurse", east)
    with acting(by="test", source="command"):
        both.memberships.create(clinic=west, role="nurse")
    in_the_east, in_the_west = treated(east, 5), treated(west, 5)
    with time_machine.travel(late, tick=False):
        first, second = clinic_days(both)
    assert (first.today, second.today) == (date(2026, 3, 11), date(2026, 3, 10))
    assert pks(first.due) == [in_the_east.pk]
    assert pks(second.due) == []
    assert second.next_opens_on == date(2026, 3, 11)
    assert in_the_west.pk not in pks(first.due)


def test_a_draft_shows_who_and_leads_on(client, clinic, nurse):
    series = treated(clinic, 10)
    draft = SessionDraft.objects.create(
        series=series, kind="treatment", opened_by=nurse, saved_by=nurse, saved_at=NOON
    )
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    assert f"Saved 10-Mar-2026 13:00 by {nurse.username}" in page
    assert page.count(reverse("draft", args=[draft.pk])) == 2
    assert reverse("session_open", args=[series.pk, "treatment"]) not in page


def test_the_correction_of_a_session_is_a_link_for_those_who_may_correct(client, clinic, nurse):
    series = treated(clinic, 3)
    draft = SessionDraft.objects.create(
        series=series, kind="treatment", opened_by=nurse, corrects=series.sessions.get()
    )
    for role, listed in (("nurse", False), ("clinician", True)):
        client.force_login(make_user(role, clinic))
        page = client.get(reverse("today")).content.decode()
        assert "correction of session 1" in page
        assert (reverse("draft", args=[draft.pk]) in page) is listed


def test_a_row_opens_its_session_by_post(client, clinic, nurse):
    due, follow_up = treated(clinic, 10), treated(clinic, 111, 104, 97, 90, status="completed")
    no_consent = make_series(make_patient(clinic, consented_on=None), started_on=days_ago(1))
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    for series, kind in ((due, "treatment"), (follow_up, "follow_up")):
        assert f'method="post" action="{reverse("session_open", args=[series.pk, kind])}"' in page
    assert page.count("Consent is not recorded") == 1
    assert "Consent is not recorded" in page.split(no_consent.patient.study_id)[1]


def test_long_lists_are_cut_and_the_rest_is_counted(client, clinic, nurse):
    patient = make_patient(clinic)
    for number in range(SHOWN_ROWS + 3):
        make_series(patient, started_on=days_ago(1), series_no=number + 1)
    for number in range(SHOWN_SIDE_EFFECTS + 2):
        save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=days_ago(number)))
    day = the_day(nurse)
    assert (len(day.not_begun.rows), day.not_begun.more) == (SHOWN_ROWS, 3)
    assert (len(day.side_effects.rows), day.side_effects.more) == (SHOWN_SIDE_EFFECTS, 2)
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    assert "and 3 more" in page
    assert "and 2 more" in page


def test_the_gravest_side_effect_stands_first_and_ended_ones_are_left_out(clinic, nurse):
    patient = make_patient(clinic)
    mild = save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=days_ago(1)))
    grave = save(SideEffect(patient=patient, term="digital_necrosis", grade=3, onset_on=days_ago(9)))
    save(SideEffect(patient=patient, term="fatigue", grade=4, onset_on=days_ago(9), resolved_on=days_ago(8)))
    for outcome in ("recovered", "recovered_with_sequelae", "fatal"):
        save(SideEffect(patient=patient, term="headache", grade=4, onset_on=days_ago(9), outcome=outcome,
                        term_detail=outcome))  # fmt: skip
    day = the_day(nurse)
    assert (day.grave.rows, day.side_effects.rows) == ([grave], [mild])


@pytest.mark.parametrize(
    ("values", "is_grave"),
    [
        ({"grade": 2}, False),
        ({"grade": 3}, True),
        ({"grade": 1, "serious": False}, False),
        ({"grade": 1, "serious": True, "seriousness_criteria": ["hospitalisation"]}, True),
        ({"grade": 1, "term": "skin_necrosis"}, True),
        ({"grade": 1, "term": "digital_necrosis"}, True),
    ],
)
def test_what_is_serious_or_grave_stands_above_all_visits(client, clinic, nurse, values, is_grave):
    treated(clinic, 10)
    effect = save(
        SideEffect(patient=make_patient(clinic), onset_on=days_ago(1), **({"term": "nausea"} | values))
    )
    day = the_day(nurse)
    assert (day.grave.rows, day.side_effects.rows) == (([effect], []) if is_grave else ([], [effect]))
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    address = f'href="{reverse("side_effect", args=[effect.pk])}"'
    assert (page.rindex(address) < page.index('data-list="due"')) == is_grave
    assert reverse("side_effect_edit", args=[effect.pk]) not in page


def test_what_the_sponsor_waits_for_stands_first_even_when_it_is_over(client, clinic, nurse):
    values = {"serious": True, "seriousness_criteria": ["hospitalisation"], "grade": 3}
    known_at = NOON - datetime.timedelta(hours=20)
    waiting = save(
        SideEffect(
            patient=make_patient(clinic),
            term="nausea",
            onset_on=days_ago(3),
            resolved_on=days_ago(1),
            serious_known_at=known_at,
            **values,
        )
    )
    save(
        SideEffect(
            patient=make_patient(clinic),
            term="nausea",
            onset_on=days_ago(3),
            sponsor_told_on=days_ago(2),
            sponsor_told_who="Dr Berg",
            **values,
        )
    )
    day = the_day(nurse)
    assert [one.effect for one in day.sponsor.rows] == [waiting]
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    assert "Tell the sponsor: 4 h 0 min left" in page
    assert page.index('data-list="sponsor"') < page.index('data-list="grave"')


def test_the_sponsors_list_is_cut_for_each_clinic_and_the_rest_counted(clinic, nurse):
    other = make_clinic("south")
    for place, where in [(number, clinic) for number in range(SHOWN_SIDE_EFFECTS + 2)] + [(0, other)]:
        save(SideEffect(patient=make_patient(where), term="nausea", grade=3, onset_on=days_ago(place)))
    day = the_day(nurse)
    assert (len(day.sponsor.rows), day.sponsor.more) == (SHOWN_SIDE_EFFECTS, 2)
    assert {one.effect.patient.clinic for one in day.sponsor.rows} == {clinic}


@pytest.mark.parametrize(
    ("over", "where"),
    [(1, "overdue"), (LONG_PAST_DAYS, "overdue"), (LONG_PAST_DAYS + 1, "long_past"), (3000, "long_past")],
)
def test_what_is_long_past_is_folded_away_without_a_button(client, clinic, nurse, over, where):
    series = treated(clinic, 31 + over)
    day = the_day(nurse)
    listed = {name: pks(getattr(day, name)) for name in ("due", "overdue", "not_begun", "long_past")}
    assert listed == {name: [series.pk] if name == where else [] for name in listed}
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    assert (reverse("session_open", args=[series.pk, "treatment"]) in page) == (where == "overdue")
    assert ("days ago. Nobody is rung about them" in page) == (where == "long_past")
    assert ("overdue</span>" in page) == (where == "overdue")


def test_nothing_due_says_what_to_do_next(client, clinic, nurse):
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    assert "Nothing is due today" in page
    assert reverse("enrol") in page
    treated(clinic, 2)
    assert "the next window opens on 14-Mar-2026" in client.get(reverse("today")).content.decode()


def test_names_only_where_they_may_be_seen_and_never_in_an_address(client, clinic, nurse):
    series = treated(clinic, 10)
    save(PatientIdentity(patient=series.patient, name="Karen Blixen"))
    other = treated(make_clinic("south"), 10)
    save(PatientIdentity(patient=other.patient, name="Tania Dinesen"))
    client.force_login(nurse)
    page = client.get(reverse("today")).content.decode()
    assert "Karen Blixen" in page
    assert "Tania Dinesen" not in page
    assert other.patient.study_id not in page
    assert "Blixen" not in page.split("</title>")[0]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("clinician", 200),
        ("nurse", 200),
        ("investigator", 404),
        ("observer", 404),
        ("data_manager", 404),
        ("administrator", 404),
    ],
)
def test_who_may_see_it(client, clinic, role, status):
    client.force_login(make_user(role, clinic))
    assert client.get(reverse("today")).status_code == status


def test_the_signed_out_are_led_to_the_sign_in(client):
    assert client.get(reverse("today")).status_code == 302


def test_get_changes_nothing_and_post_is_refused(client, clinic, nurse):
    client.force_login(nurse)
    assert client.post(reverse("today")).status_code == 405


def test_the_number_of_queries_does_not_grow(clinic, nurse, django_assert_num_queries):
    def fill():
        series = treated(clinic, 40)
        treated(clinic, 10)
        make_series(make_patient(clinic), started_on=days_ago(1))
        SessionDraft.objects.create(series=series, kind="treatment", opened_by=nurse)
        lesion = make_lesion(series.patient)
        save(SideEffect(patient=series.patient, lesion=lesion, term="nausea", grade=1, onset_on=days_ago(1)))

    client = Client()
    client.force_login(nurse)
    fill()
    client.get(reverse("today"))
    with django_assert_num_queries(14):
        client.get(reverse("today"))
    for _ in range(7):
        fill()
    with django_assert_num_queries(14):
        client.get(reverse("today"))


def test_ten_thousand_series_do_not_stop_it(clinic, nurse):
    patients = [make_patient(clinic) for _ in range(10)]
    protocol = Protocol.objects.get(code="weekly4")
    rows = [
        Series(patient=patient, series_no=number, protocol=protocol, started_on=days_ago(40), status="active")
        for patient in patients
        for number in range(1, 1_001)
    ]
    with acting(by="test", source="command"):
        Series.objects.bulk_create(rows, batch_size=500)
    day = the_day(nurse)
    assert day.not_begun.total == 10_000
    assert len(day.not_begun.rows) == SHOWN_ROWS
