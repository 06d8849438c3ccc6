"""A query whose SQL is made once gives the rows of its queryset, whatever is given and whoever asks."""

import datetime
import threading

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import CharField, DateField, Q
from django.db.models.sql.compiler import SQLCompiler

from lesions.models import Lesion, Patient
from sessions_app.models import Assessment, SeriesLesion, TreatmentSession
from stsclinic.statement import Given, Statement, statement
from tests.builders import make_assessment, make_clinic, make_lesion, make_patient, make_series, make_session

DAY = datetime.date(2026, 3, 2)


@pytest.fixture
def course(db):
    """A patient whose two lesions were seen at two sessions."""
    patient = make_patient(make_clinic())
    lesions = [make_lesion(patient, body_site=site) for site in ("thumb", "elbow")]
    series = make_series(patient, lesions)
    for days in (0, 7):
        session = make_session(series, held_on=DAY + datetime.timedelta(days=days))
        for lesion in lesions:
            make_assessment(session, lesion, longest_mm="12.50", ulcer=bool(days))
    return series


def told(row):
    """A row with all that was loaded of it and with it."""
    if not hasattr(row, "_meta"):
        return row
    known = row._state.fields_cache
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row), columns, {name: told(related) for name, related in known.items()}


QUERIES = {
    "rows with what they hang on": lambda one: (
        SeriesLesion.objects.filter(series=one)
        .select_related("lesion__patient__clinic", "series__protocol")
        .order_by("position", "lesion__lesion_id")
    ),
    "values by name": lambda one: (
        Assessment.objects.filter(session__series=one)
        .order_by("pk")
        .values("session", "longest_mm", "ulcer", "session__held_on")
    ),
    "values in a row": lambda one: (
        Assessment.objects.filter(session__series=one)
        .order_by("-pk")
        .values_list("lesion__lesion_id", "longest_mm")
    ),
    "one column": lambda one: (
        TreatmentSession.objects.filter(series=one).order_by("held_on").values_list("held_on", flat=True)
    ),
    "a part": lambda one: TreatmentSession.objects.filter(series=one).order_by("-held_on")[:1],
    "one of several conditions": lambda one: TreatmentSession.objects.filter(
        Q(series=one, kind="follow_up") | Q(series=one, session_no__gte=1)
    ).order_by("pk"),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_it_gives_the_rows_of_its_queryset(course, query):
    other = make_series(make_patient(course.patient.clinic), [])
    made = Statement(lambda: query(Given("series")))
    for series in (course.pk, other.pk, course.pk):
        assert list(map(told, made.rows(series=series))) == list(map(told, query(series)))
    assert made.rows(series=course.pk)
    assert made.rows(series=other.pk) == []


def test_what_hangs_on_a_row_is_loaded_with_it(course, django_assert_num_queries):
    made = Statement(
        lambda: SeriesLesion.objects.filter(series=Given("series")).select_related("lesion__patient__clinic")
    )
    made.rows(series=course.pk)
    with django_assert_num_queries(1):
        first = made.first(series=course.pk)
        assert first.lesion.patient.clinic.name


def test_its_sql_is_made_once(course, monkeypatch):
    made = Statement(lambda: Lesion.objects.filter(patient=Given("patient")))
    made.rows(patient=course.patient_id)
    monkeypatch.setattr(SQLCompiler, "as_sql", lambda *_arguments, **_options: pytest.fail("made again"))
    assert len(made.rows(patient=course.patient_id)) == 2


def test_values_are_given_as_their_fields_store_them(course):
    made = Statement(
        lambda: TreatmentSession.objects.filter(
            held_on__gt=Given("day", DateField()), performed_by=Given("who", CharField())
        )
    )
    assert [row.held_on for row in made.rows(day=DAY, who="anna")] == [
        row.held_on for row in TreatmentSession.objects.filter(held_on__gt=DAY, performed_by="anna")
    ]
    assert made.rows(day=DAY, who="' OR 1=1 --") == []


@pytest.mark.parametrize("key", [2**63, -(2**63) - 1, 10**40])
def test_no_row_has_a_key_beyond_64_bits(course, key):
    made = Statement(lambda: Patient.objects.filter(pk=Given("pk")))
    assert made.rows(pk=key) == []
    assert made.first(pk=key) is None


def test_a_value_that_is_not_given_is_an_error(course):
    made = Statement(lambda: Patient.objects.filter(pk=Given("pk")))
    with pytest.raises(KeyError, match="pk"):
        made.rows()


def test_what_changes_the_sql_has_a_statement_of_its_own(course):
    @statement
    def of_clinics(clinics):
        return Patient.objects.filter(clinic__in=clinics, pk=Given("pk"))

    own, none = frozenset({course.patient.clinic_id}), frozenset()
    assert of_clinics(own) is of_clinics(own)
    assert of_clinics(own).first(pk=course.patient_id) == course.patient
    assert of_clinics(none).first(pk=course.patient_id) is None
    assert of_clinics(frozenset({course.patient.clinic_id + 1})).first(pk=course.patient_id) is None


def test_each_thread_asks_by_its_own_connection(db):
    made = Statement(lambda: Patient.objects.filter(pk=Given("pk")))
    made.rows(pk=1)
    asked_by = []

    def ask() -> None:
        def note(execute, sql, params, many, context):
            asked_by.append(context["connection"])
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            made.rows(pk=1)
        asked_by.append(connections[DEFAULT_DB_ALIAS])
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    used, of_thread = asked_by
    assert used is of_thread
    assert used is not connections[DEFAULT_DB_ALIAS]
