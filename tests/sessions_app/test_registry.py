"""The records of a report come out of the database as they went in."""

import dataclasses

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesions.models import Lesion, Patient
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from sessions_app.models import Injection, Series, SessionDraft, SideEffect, TreatmentSession
from sessions_app.registry import load_registry
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out
from stsclinic.clinics.models import Clinic
from stsclinic.demo.clinics import CASES
from stsclinic.demo.loading import CASE_FOLDER
from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.summary import summarise
from tests.builders import make_user
from tests.reporting.sheets import read_case, registry_of
from tests.sessions_app.datasheet_files import as_raw, sound
from tests.sessions_app.generated_sheets import Generator

pytestmark = pytest.mark.django_db


def in_order(registry):
    """The registry as plain values, everything in the order of its keys."""
    patients = [dataclasses.asdict(_made(one)) for one in registry.patients]
    for patient in patients:
        patient["series"].sort(key=lambda one: one["series_no"])
        for series in patient["series"]:
            series["sessions"].sort(key=lambda one: one["session_no"])
            for session in series["sessions"]:
                session["injections"] = sorted(session["injections"], key=lambda one: one["lesion_id"])
    effects = [dataclasses.asdict(one) for one in registry.side_effects]
    return (
        sorted(patients, key=lambda one: one["patient_id"]),
        sorted(effects, key=lambda one: tuple(str(value) for value in one.values())),
    )


def _made(patient):
    """The patient with the records of the rows that a database keeps in columns."""
    return dataclasses.replace(
        patient,
        series=[
            dataclasses.replace(
                series,
                sessions=[
                    dataclasses.replace(
                        one, assessments=dict(one.assessments), injections=list(one.injections)
                    )
                    for one in series.sessions
                ],
            )
            for series in patient.series
        ],
    )


@pytest.mark.parametrize("case", CASES)
def test_the_report_from_the_database_is_that_of_the_sheets(case):
    import_sheets(read_path(CASE_FOLDER / case), by="test", source="import")
    stored, given_ = load_registry(), registry_of(read_case(case))
    assert in_order(stored) == in_order(given_)
    assert (
        summarise(stored, allocation_visible=all_open).as_json()
        == summarise(given_, allocation_visible=all_open).as_json()
    )


def test_a_series_tells_the_version_of_its_protocol():
    import_sheets(read_path(CASE_FOLDER / "kansas"), by="test", source="import")
    series = Series.objects.select_related("protocol").order_by("pk")[0]
    former, later = series.protocol.version, series.protocol
    later.pk, later.version, later._state.adding = None, former + 1, True
    with acting(by="test", source="command", reason="a version"):
        later.save()
        Series.objects.filter(pk=series.pk).update(protocol=later, version=series.version + 1)
    versions = [one.protocol_version for patient in load_registry().patients for one in patient.series]
    assert sorted(set(versions)) == [former, former + 1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_registry_gives_the_same_report(seed):
    sheets = Generator(seed, ["x"]).sheets()
    with transaction.atomic():
        if any(sheets.values()):
            import_sheets(as_raw(sheets), by="test", source="import")
        stored, given_ = load_registry(), registry_of(sheets)
        transaction.set_rollback(True)
    assert in_order(stored) == in_order(given_)
    assert summarise(stored).as_json() == summarise(given_).as_json()


def test_the_number_of_queries_does_not_grow():
    import_sheets(read_path(CASE_FOLDER / "hershey"), by="test", source="import")
    with CaptureQueriesContext(connection) as few:
        load_registry()
    import_sheets(read_path(CASE_FOLDER / "orlando"), by="test", source="import")
    with CaptureQueriesContext(connection) as more:
        load_registry()
    # What PostgreSQL is asked by the driver alone is no statement of Django's, and it is told how to plan.
    assert len(few) == len(more) == (11 if connection.vendor == "sqlite" else 8)


def test_only_the_clinics_asked_for():
    import_sheets(as_raw(sound()), by="test", source="import")
    north = load_registry([Clinic.objects.get(code="north").pk])
    assert [one.patient_id for one in north.patients] == ["P-1", "P-3"]
    assert [one.patient_id for one in north.side_effects] == ["P-1"]
    assert load_registry([]).patients == []


class TestWhatDoesNotCount:
    """What was struck out, and drafts."""

    @pytest.fixture(autouse=True)
    def registry(self):
        import_sheets(as_raw(sound()), by="test", source="import")

    def first(self):
        return load_registry().patients[0]

    def test_nothing_is_missing_before(self):
        (series,) = self.first().series
        assert len(series.sessions) == 2
        assert len(series.sessions[0].injections) == 1
        assert list(series.sessions[0].assessments) == ["L1"]
        infusion = load_registry().patients[2].series[0].sessions[0].infusion
        assert infusion is not None
        assert infusion.duration_min == 30

    def test_a_patient(self):
        strike_out(Patient.objects.get(study_id="P-1"), by="test", reason="a mistake")
        registry = load_registry()
        assert [one.patient_id for one in registry.patients] == ["P-2", "P-3"]
        assert registry.side_effects == []

    def test_a_series(self):
        strike_out(Series.objects.get(patient__study_id="P-1"), by="test", reason="a mistake")
        assert self.first().series == []
        (effect,) = load_registry().side_effects
        assert (effect.series_no, effect.session_no) == (None, None)

    def test_a_lesion(self):
        strike_out(Lesion.objects.get(patient__study_id="P-1", lesion_id="L1"), by="test", reason="a mistake")
        assert list(self.first().lesions) == ["L2"]
        (series,) = self.first().series
        assert series.lesions == {}
        assert series.sessions[0].assessments == {}
        assert series.sessions[0].injections == []
        assert load_registry().side_effects[0].lesion_id == ""

    def test_a_session(self):
        session = TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=2)
        with acting(by="test", source="page", reason="a mistake"):
            session.session_no, session.struck_out_at = None, session.completed_at
            session.save()
        assert len(self.first().series[0].sessions) == 1

    def test_an_injection_and_a_side_effect(self):
        injection = Injection.objects.get(session__series__patient__study_id="P-1")
        strike_out(injection, by="test", reason="a mistake")
        strike_out(SideEffect.objects.get(), by="test", reason="a mistake")
        assert self.first().series[0].sessions[0].injections == []
        assert load_registry().side_effects == []

    def test_a_draft(self):
        before = in_order(load_registry())
        series = Series.objects.get(patient__study_id="P-1")
        SessionDraft.objects.create(
            series=series, kind="treatment", opened_by=make_user("nurse", series.patient.clinic)
        )
        assert in_order(load_registry()) == before


def test_postgresql_knows_the_size_of_the_tables_as_soon_as_they_are_imported():
    if connection.vendor != "postgresql":
        return  # SQLite plans by its indexes.
    import_sheets(read_path(CASE_FOLDER / "aarhus"), by="test", source="import")
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [Injection._meta.db_table])
        assert cursor.fetchone()[0] == Injection.objects.count()


def test_everything_stands_in_its_order_whatever_the_order_of_the_rows():
    """Sessions by date, then number; lesions by ID as code points are ordered, also within a session and a series."""
    sheets = sound()
    ids = ("L10", "a", "B")
    first = next(row for row in sheets["lesions"] if row["patient_id"] == "P-1" and row["lesion_id"] == "L1")
    sheets["lesions"] += [{**first, "lesion_id": lesion_id} for lesion_id in ids]
    for sheet in ("series_lesions", "session_lesions", "injections"):
        row = next(row for row in sheets[sheet] if row["patient_id"] == "P-1" and row["lesion_id"] == "L1")
        sheets[sheet] += [{**row, "lesion_id": lesion_id} for lesion_id in ids]
    import_sheets(as_raw(sheets), by="test", source="import")
    first, second = TreatmentSession.objects.filter(series__patient__study_id="P-1").order_by("session_no")
    with acting(by="test", source="command", reason="on one day, and the older row comes later"):
        for one, number in ((first, 99), (second, 1), (first, 2)):
            one.session_no, one.held_on = number, first.held_on
            one.save()
    patient = load_registry().patients[0]
    (series,) = patient.series
    assert [one.session_no for one in series.sessions] == [1, 2]
    in_their_order = ["B", "L1", "L10", "a"]
    assert [one for one in patient.lesions if one in in_their_order] == in_their_order
    assert list(series.lesions) == in_their_order
    assert list(series.sessions[1].assessments) == in_their_order
    assert [one.lesion_id for one in series.sessions[1].injections] == in_their_order
