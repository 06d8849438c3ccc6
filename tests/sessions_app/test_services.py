"""The service that writes a session: what it refuses, how it numbers, what a correction and a strike-out leave."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sessions_app.concealed import concealed_for
from sessions_app.entries import AssessmentEntry, EntryRefused, InfusionEntry, InjectionEntry, SessionEntry
from sessions_app.models import Assessment, Infusion, Injection, Series, SideEffect, TreatmentSession
from sessions_app.services import correct_session, log_session, strike_out_session
from sessions_app.sheet import plan_sheet, read_sheet, values_of
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.audit.services import StaleRecord
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
FIRST = datetime.date(2026, 1, 5)


@pytest.fixture
def series():
    patient = make_patient(make_clinic())
    return make_series(patient, [make_lesion(patient), make_lesion(patient)])


def lesions(series: Series) -> list[int]:
    return list(series.series_lesions.values_list("lesion_id", flat=True))


def entry(series: Series, days: int = 0, **values) -> SessionEntry:
    first = lesions(series)[0]
    made = {
        "kind": "treatment",
        "held_on": FIRST + datetime.timedelta(days=days),
        "ptga": 7,
        "phga": 6,
        "assessments": (
            AssessmentEntry(lesion=first, status="present", longest_mm=Decimal(12), widest_mm=Decimal(8)),
        ),
        "injections": (
            InjectionEntry(
                lesion=first, volume_ml=Decimal("0.55"), agent="sts", concentration_mg_ml=Decimal(150)
            ),
        ),
    }
    return SessionEntry(**(made | values))


def log(series: Series, days: int = 0, **values) -> TreatmentSession:
    return log_session(series=series, entry=entry(series, days, **values), by="anna")


def test_a_session_is_written_with_its_rows_and_history(series):
    session = log(series)
    assert (session.session_no, session.completed_by) == (1, "anna")
    injection = session.injections.get()
    assert (injection.volume_ml, injection.concentration_mg_ml) == (Decimal("0.550"), Decimal(150))
    change = Change.objects.get(table_name="sessions_app_injection", row_id=injection.pk)
    assert (change.actor, change.source, change.action) == ("anna", "page", "created")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"held_on": datetime.date(2999, 1, 1)}, "held_on"),
        ({"held_on": datetime.date(1989, 12, 31)}, "held_on"),
        ({"ptga": 0}, "ptga"),
        ({"ptga": 11}, "ptga"),
        ({"phga": 11}, "phga"),
        ({"stop_reason": "other"}, "stop_reason"),
        ({"series_status": "stopped"}, "stop_reason"),
        ({"infusion": InfusionEntry(dose_g=Decimal("12.5"), duration_min=30)}, "infusion-dose_g"),
    ],
)
def test_what_several_tables_decide_is_refused_at_its_field(series, values, field):
    with pytest.raises(EntryRefused) as refused:
        log(series, **values)
    assert set(refused.value.errors) == {field}
    assert not TreatmentSession.objects.exists()


def test_a_lesion_of_another_series_is_refused(series):
    stranger = make_lesion(make_patient(series.patient.clinic))
    for values in (
        {"injections": (InjectionEntry(lesion=stranger.pk, volume_ml=Decimal(1)),)},
        {"assessments": (AssessmentEntry(lesion=stranger.pk, status="present"),)},
    ):
        with pytest.raises(EntryRefused):
            log(series, **values)


def test_only_a_treatment_has_injections(series):
    with pytest.raises(EntryRefused):
        log(series, kind="follow_up")


def test_a_gone_lesion_has_no_measures(series):
    lesion = lesions(series)[0]
    gone = AssessmentEntry(lesion=lesion, status="gone", longest_mm=Decimal(1))
    with pytest.raises(EntryRefused):
        log(series, assessments=(gone,))
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="command"):
        Assessment.objects.create(
            session=make_session(series, FIRST), lesion_id=lesion, status="gone", longest_mm=1
        )


def test_scores_that_the_protocol_does_not_use_are_refused():
    patient = make_patient(make_clinic())
    blinded = make_series(
        patient, [(make_lesion(patient), "active"), (make_lesion(patient), "control")], protocol="placebo3"
    )
    active, control = lesions(blinded)
    with pytest.raises(EntryRefused) as refused:
        log(blinded, injections=())
    assert set(refused.value.errors) == {"ptga", "phga"}
    session = log(
        blinded,
        ptga=None,
        phga=None,
        injections=(
            InjectionEntry(lesion=active, volume_ml=Decimal("0.1")),
            InjectionEntry(lesion=control, volume_ml=Decimal("0.1")),
        ),
    )
    given = {row.lesion_id: (row.agent, row.concentration_mg_ml) for row in session.injections.all()}
    assert given == {active: ("sts", Decimal(40)), control: ("saline", None)}


def test_sessions_are_numbered_by_date_when_one_is_entered_late(series):
    for days in (0, 14, 28):
        log(series, days)
    late = log(series, 7)
    assert late.session_no == 2
    held = {row.session_no: (row.held_on - FIRST).days for row in series.sessions.all()}
    assert held == {1: 0, 2: 7, 3: 14, 4: 28}


def test_striking_out_renumbers_and_leaves_the_rows_readable(series):
    first, second, third = (log(series, days) for days in (0, 7, 14))
    strike_out_session(first, by="anna", reason="Wrong patient")
    assert list(series.sessions.values_list("pk", "session_no")) == [(second.pk, 1), (third.pk, 2)]
    assert not Injection.objects.filter(session=first).exists()
    assert Injection.everything.get(session=first).struck_out_reason == "Wrong patient"
    moved = Change.objects.filter(table_name="sessions_app_treatmentsession", row_id=second.pk).last()
    assert (moved.old["session_no"], moved.new["session_no"], moved.reason) == (2, 1, "Wrong patient")


def test_striking_out_needs_a_reason_and_no_side_effects(series):
    session = log(series)
    with pytest.raises(ValidationError):
        strike_out_session(session, by="anna", reason=" ")
    with acting(by="x", source="command"):
        SideEffect.objects.create(
            patient=series.patient, series=series, session=session, term="nausea", grade=1, onset_on=FIRST
        )
    with pytest.raises(ValidationError):
        strike_out_session(session, by="anna", reason="Wrong patient")
    assert TreatmentSession.objects.get(pk=session.pk).session_no == 1


def test_a_correction_changes_what_changed_and_strikes_out_what_disappeared(series):
    session = log(series)
    other = lesions(series)[1]
    corrected = entry(
        series,
        ptga=4,
        injections=(
            InjectionEntry(lesion=other, volume_ml=Decimal(1), agent="sts", concentration_mg_ml=Decimal(150)),
        ),
    )
    correct_session(session=session, entry=corrected, seen_version=1, by="dora", reason="Mixed up lesions")
    session.refresh_from_db()
    assert (session.ptga, session.version) == (4, 2)
    assert [row.lesion_id for row in session.injections.all()] == [other]
    assert Injection.everything.filter(session=session).count() == 2
    last = Change.objects.filter(table_name="sessions_app_treatmentsession", row_id=session.pk).last()
    assert (last.old["ptga"], last.new["ptga"], last.reason) == (7, 4, "Mixed up lesions")


def test_a_correction_of_an_older_reading_is_refused(series):
    session = log(series)
    correct_session(session=session, entry=entry(series, ptga=5), seen_version=1, by="dora", reason="Typo")
    with pytest.raises(StaleRecord):
        correct_session(
            session=session, entry=entry(series, ptga=9), seen_version=1, by="anna", reason="Typo"
        )
    session.refresh_from_db()
    assert session.ptga == 5


def test_a_correction_of_the_date_renumbers(series):
    first, second, third = (log(series, days) for days in (0, 7, 14))
    correct_session(session=first, entry=entry(series, 10), seen_version=1, by="dora", reason="Wrong day")
    assert list(series.sessions.values_list("pk", flat=True)) == [second.pk, first.pk, third.pk]
    assert list(series.sessions.values_list("session_no", flat=True)) == [1, 2, 3]


def test_the_series_becomes_what_the_entry_says(series):
    log(series, series_status="stopped", stop_reason="complete_remission")
    series.refresh_from_db()
    assert (series.status, series.stop_reason) == ("stopped", "complete_remission")


@pytest.mark.parametrize(
    "values",
    [
        {"volume_ml": 0},
        {"volume_ml": -1},
        {"agent": "sts", "concentration_mg_ml": None},
        {"agent": "water"},
        {"pain_vas": 11},
    ],
)
def test_the_database_itself_refuses_an_impossible_injection(series, values):
    session = make_session(series, FIRST)
    row = {"agent": "sts", "concentration_mg_ml": 150, "volume_ml": 1} | values
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="command"):
        Injection.objects.create(session=session, lesion_id=lesions(series)[0], **row)


@pytest.mark.parametrize(
    "values", [{"pga": 5}, {"pga": -1}, {"observer_pga": 5}, {"longest_mm": 0}, {"status": "unsure"}]
)
def test_the_database_itself_refuses_an_impossible_assessment(series, values):
    session = make_session(series, FIRST)
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="command"):
        Assessment.objects.create(
            session=session, lesion_id=lesions(series)[0], **({"status": "present"} | values)
        )


def test_the_database_itself_keeps_numbers_and_lesions_single(series):
    session = make_session(series, FIRST)
    lesion = lesions(series)[0]
    with acting(by="x", source="command"):
        Assessment.objects.create(session=session, lesion_id=lesion, status="present")
    for make in (
        lambda: Assessment.objects.create(session=session, lesion_id=lesion, status="gone"),
        lambda: TreatmentSession.objects.create(series=series, session_no=1, kind="treatment", held_on=FIRST),
        lambda: Series.objects.filter(pk=series.pk).update(status="stopped"),
        lambda: TreatmentSession.objects.filter(pk=session.pk).update(ptga=11),
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="command"):
            make()


def imported(series: Series, *, kind: str, days: int) -> TreatmentSession:
    """A session as only an import brings it: with what no sheet of this series has a field for."""
    session = make_session(series, FIRST + datetime.timedelta(days=days), kind)
    make_assessment(session, make_lesion(series.patient))
    make_assessment(session, series.series_lesions.first().lesion)
    with acting(by="import", source="import"):
        Infusion.objects.create(session=session, dose_g=Decimal("12.5"), duration_min=30)
    return session


@pytest.mark.parametrize(("kind", "days"), [("treatment", 0), ("follow_up", 90)])
def test_a_correction_leaves_alone_what_no_sheet_of_the_series_can_show(series, kind, days):
    session = imported(series, kind=kind, days=days)
    if kind == "follow_up":
        make_injection(session, series.series_lesions.first().lesion)
    else:
        saline = {"agent": "saline", "concentration_mg_ml": 9}
        make_injection(session, series.series_lesions.first().lesion, **saline)
    there = {
        model: set(model.objects.values_list("pk", "version")) for model in (Assessment, Infusion, Injection)
    }
    user = make_user("data_manager", series.patient.clinic)
    plan = plan_sheet(series, kind, concealed=concealed_for(user), corrects=session)
    reading = read_sheet(plan, values_of(session, plan) | {"note": "Only the note is new."})
    corrected = correct_session(
        session=session, entry=reading.entry, seen_version=1, by="dora", reason="The note was left out"
    )
    assert corrected.note == "Only the note is new."
    for model, rows in there.items():
        assert set(model.objects.values_list("pk", "version")) == rows, model


def test_what_a_correction_leaves_out_names_who_struck_it_out_and_why(series):
    session = log(series)
    correct_session(
        session=session, entry=entry(series, injections=()), seen_version=1, by="dora", reason="Not given"
    )
    row = Injection.everything.get(session=session)
    assert (row.struck_out_by, row.struck_out_reason) == ("dora", "Left out by a correction: Not given")
