"""The number that says what the data of a report were: that of the last change of these clinics' rows."""

import datetime
import random
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lesions.models import Medication, PriorTreatment
from sessions_app import data_state
from sessions_app.data_state import CLINIC_OF, MODELS, last_change
from sessions_app.models import Infusion, SideEffect
from stsclinic.audit.models import Change
from tests.builders import (
    _save,
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

DAY = datetime.date(2026, 1, 5)


def rows_of_a_patient(clinic) -> list:
    """A row of each table that a report reads."""
    patient = make_patient(clinic)
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    session = make_session(series, DAY)
    rows = [
        patient,
        lesion,
        series,
        session,
        series.series_lesions.get(),
        make_assessment(session, lesion),
        make_injection(session, lesion),
        _save(Medication(patient=patient, name="diltiazem", role="other")),
        _save(PriorTreatment(patient=patient, treatment="laser")),
        _save(
            SideEffect(
                patient=patient,
                series=series,
                session=session,
                term="injection_site_pain",
                grade=1,
                onset_on=DAY,
            )
        ),
        _save(Infusion(session=session, dose_g=25, duration_min=60)),
    ]
    assert {type(row) for row in rows} == set(CLINIC_OF)
    return rows


def change(row) -> None:
    row.version += 1
    _save(row)


def slowly(clinics) -> int:
    """As it is defined: each change is looked at, and the clinic of its row."""
    found = 0
    for number, table, row_id in Change.objects.values_list("pk", "table_name", "row_id"):
        if model := MODELS.get(table):
            row = model._base_manager.filter(pk=row_id, **{f"{CLINIC_OF[model]}__in": clinics})
            found = max(found, number if row.exists() else 0)
    return found


@pytest.mark.parametrize("newest", [data_state.NEWEST, (1, 2), (2, 5), (7, 30)])
def test_it_is_the_last_change_of_any_row_of_the_clinics(newest, monkeypatch):
    monkeypatch.setattr(data_state, "NEWEST", newest)
    draw = random.Random(str(newest))
    clinics = [make_clinic() for _number in range(4)]
    rows = {clinic: rows_of_a_patient(clinic) for clinic in clinics[:3]}
    subsets = [chosen for size in range(5) for chosen in combinations([one.pk for one in clinics], size)]
    for clinic in draw.choices(clinics[:3], k=6):
        for row in draw.choices(rows[clinic], k=draw.choice([1, 2, 8])):
            change(row)
        make_user("nurse", clinic)
        for chosen in subsets:
            assert last_change(chosen) == slowly(chosen), chosen


@pytest.mark.parametrize("model", CLINIC_OF)
def test_a_change_of_each_table_counts(model):
    mine, other = make_clinic(), make_clinic()
    row = next(row for row in rows_of_a_patient(mine) if type(row) is model)
    rows_of_a_patient(other)
    change(row)
    last = Change.objects.latest("pk")
    assert (last.table_name, last.row_id) == (model._meta.db_table, row.pk)
    assert last_change([mine.pk]) == last.pk
    assert last_change([other.pk]) < last.pk


def test_before_any_patient_there_is_none():
    make_clinic()
    assert last_change([make_clinic().pk]) == last_change([]) == 0


def test_where_theirs_is_the_newest_no_other_change_is_looked_at(monkeypatch):
    """However long the trail is: some of the newest, and the rows of one table by their keys."""
    monkeypatch.setattr(data_state, "NEWEST", (5, 10))
    mine, other = make_clinic(), make_clinic()
    rows, _others = rows_of_a_patient(mine), rows_of_a_patient(other)
    change(rows[6])
    last = Change.objects.latest("pk").pk
    with CaptureQueriesContext(connection) as asked:
        assert last_change([mine.pk]) == last
    _clinics, newest, keys = (one["sql"] for one in asked)
    assert newest.endswith("LIMIT 5")
    assert "audit_change" not in keys and '"sessions_app_injection"."id" IN' in keys
