"""Rows that an import writes by the thousand hold what they were given, with their history."""

import datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesions.models import Medication
from sessions_app.datasheets.inserting import Inserter
from sessions_app.models import Injection, SideEffect
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from tests.builders import make_clinic, make_lesion, make_patient, make_series

pytestmark = pytest.mark.django_db

AWKWARD = (
    "\\N",
    "\\.",
    "\\",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "\\t",
    '"',
    "'",
    "ø",
    "{}",
    "\U0001f489",
    " x ",
    "NULL",
)
texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(
        st.characters(exclude_categories=("Cs",), exclude_characters="\x00") | st.sampled_from("\\\t\r\nN."),
        min_size=1,
        max_size=120,
    ),
)


def insert(model, names, rows):
    with acting(by="test", source="import", reason="why"), Inserter() as inserter:
        inserter.insert(model, dict(zip(names, zip(*rows, strict=True), strict=True)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(texts, min_size=1, max_size=6, unique=True))
def test_every_text_comes_back_and_stands_in_the_history(names):
    with transaction.atomic():
        patient = make_patient(make_clinic())
        insert(
            Medication,
            ["patient_id", "name", "role", "dose"],
            [(patient.pk, one, "other", one) for one in names],
        )
        rows = list(Medication.objects.filter(patient=patient).order_by("pk"))
        assert [(row.name, row.dose, row.started_on, row.version) for row in rows] == [
            (one, one, "", 1) for one in names
        ]
        history = Change.objects.filter(
            table_name=Medication._meta.db_table, row_id__in=[row.pk for row in rows]
        )
        assert [(one.actor, one.source, one.reason, one.action, one.new["name"]) for one in history] == [
            ("test", "import", "why", "created", one) for one in names
        ]
        transaction.set_rollback(True)


def test_numbers_days_and_what_is_not_recorded():
    patient = make_patient(make_clinic())
    insert(
        SideEffect,
        ["patient_id", "session_id", "term", "grade", "onset_on", "serious"],
        [
            (patient.pk, None, "nausea", 1, datetime.date(2026, 11, 20), None),
            (patient.pk, None, "headache", 2, datetime.date(2026, 11, 21), True),
            (patient.pk, None, "fatigue", 3, datetime.date(2026, 11, 22), False),
        ],
    )
    found = SideEffect.objects.order_by("pk").values_list("session", "grade", "onset_on", "serious")
    assert list(found) == [
        (None, 1, datetime.date(2026, 11, 20), None),
        (None, 2, datetime.date(2026, 11, 21), True),
        (None, 3, datetime.date(2026, 11, 22), False),
    ]
    assert {(str(row.grade_answers), str(row.seriousness_criteria)) for row in SideEffect.objects.all()} == {
        ("{}", "[]")
    }


def test_more_rows_than_are_handed_over_at_once():
    patient = make_patient(make_clinic())
    count = 2001
    rows = ((patient.pk, f"drug {number}", "other") for number in range(count))
    insert(Medication, ["patient_id", "name", "role"], rows)
    assert list(Medication.objects.order_by("pk").values_list("name", flat=True)) == [
        f"drug {number}" for number in range(count)
    ]
    assert Change.objects.filter(table_name=Medication._meta.db_table).count() == count


def test_a_row_that_breaks_a_rule_is_refused_as_by_any_other_write():
    patient = make_patient(make_clinic())
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    names = ["session_id", "lesion_id", "agent", "concentration_mg_ml", "volume_ml"]
    with pytest.raises(DatabaseError), transaction.atomic():
        insert(Injection, names, [(series.pk, lesion.pk, "sts", Decimal(150), Decimal(-1))])
    assert not Injection.objects.exists()


def test_nobody_acting_is_refused():
    patient = make_patient(make_clinic())
    with pytest.raises(DatabaseError), transaction.atomic(), Inserter() as inserter:
        inserter.insert(
            Medication, {"patient_id": [patient.pk], "name": ["bosentan"], "role": ["vasodilator"]}
        )
    assert not Medication.objects.exists()
