"""History on every write path, on the database in use: form, command, bulk and SQL by hand."""

import datetime
import re
from functools import partial

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from lesions.models import Medication, NameBeginning, Patient
from sessions_app.models import (
    DraftField,
    DraftReader,
    ExportDisguise,
    ExportJob,
    LesionDisguise,
    ScoreInvitation,
    SessionDraft,
    WrongScoreCode,
)
from stsclinic.audit import triggers
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change, Event
from stsclinic.audit.services import StaleRecord, change, note_event, strike_out, write_new
from stsclinic.audit.triggers import audited_models
from stsclinic.clinics.models import Membership
from stsclinic.fields import CodeField
from tests.builders import make_clinic, make_patient, make_user

pytestmark = pytest.mark.django_db

NOT_AUDITED = {
    SessionDraft,
    DraftField,
    DraftReader,
    ScoreInvitation,
    WrongScoreCode,
    Change,
    Event,
    ExportDisguise,
    ExportJob,
    LesionDisguise,
    NameBeginning,
}
"""What was typed and not completed keeps its own author and time, as do the codes by which a patient scores; the
trail keeps itself; who has a sheet open is gone tomorrow; the random numbers by which patients and lesions leave may
stand in no history; an export's acts are in the trail; and an index of names says what the audited identity says."""


@pytest.fixture
def patient() -> Patient:
    return make_patient(make_clinic())


def changes(row) -> list[Change]:
    return list(Change.objects.filter(table_name=row._meta.db_table, row_id=row.pk))


def test_every_model_of_ours_is_audited_or_says_why_not():
    ours = {
        model
        for model in apps.get_models()
        if model.__module__.split(".")[0] in {"stsclinic", "lesions", "sessions_app"}
    }
    assert ours - set(audited_models()) == NOT_AUDITED


@pytest.mark.parametrize("model", audited_models(), ids=lambda model: model.__name__)
def test_every_audited_table_has_its_triggers(model):
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
            )
            expected = {"history_insert", "history_update"}
            last = "history_delete" if model.may_be_removed else "never_deleted"
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            expected = {f"{table}_history_insert", f"{table}_history_update"}
            last = f"{table}_history_delete" if model.may_be_removed else f"{table}_never_deleted"
        assert expected | {last} <= {name for (name,) in cursor.fetchall()}


def test_who_when_from_where_old_and_new_and_why(patient):
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
    change(patient, {"raynaud": "yes"}, by="nora", seen_version=1, reason="Asked again")
    last = changes(patient)[-1]
    assert (last.actor, last.source, last.reason, last.action) == ("nora", "page", "Asked again", "changed")
    assert (last.old["raynaud"], last.new["raynaud"]) == ("no", "yes")
    assert before < last.at < before + datetime.timedelta(minutes=2)


def test_bulk_update_bulk_create_and_sql_leave_history(patient):
    with acting(by="dora", source="import"):
        Patient.objects.filter(pk=patient.pk).update(raynaud="unknown")
        made = Medication.objects.bulk_create(
            Medication(patient=patient, name=name, role="other") for name in ("a", "b")
        )
        with connection.cursor() as cursor:
            cursor.execute("UPDATE lesions_patient SET race = 'x' WHERE id = %s", [patient.pk])
    assert [(row.actor, row.source) for row in changes(patient)[-2:]] == [("dora", "import")] * 2
    assert changes(patient)[-1].new["race"] == "x"
    assert Change.objects.filter(table_name="lesions_medication").count() == len(made)


def test_a_write_without_an_actor_is_refused(patient):
    for write in (
        lambda: Patient.objects.filter(pk=patient.pk).update(race="x"),
        lambda: Medication.objects.create(patient=patient, name="a", role="other"),
        lambda: Medication.objects.bulk_create([Medication(patient=patient, name="a", role="other")]),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()


def test_a_write_that_changes_nothing_leaves_no_history(patient):
    number = len(changes(patient))
    with acting(by="nora", source="page"):
        Patient.objects.filter(pk=patient.pk).update(raynaud=patient.raynaud)
    assert len(changes(patient)) == number


def test_deleting_is_refused_on_every_path(patient):
    user = make_user("nurse", patient.clinic)
    for row in (patient, user, patient.clinic):
        for delete in (
            lambda row=row: type(row)._base_manager.filter(pk=row.pk)._raw_delete("default"),
            lambda row=row: _delete_by_hand(row),
        ):
            with pytest.raises(IntegrityError), transaction.atomic(), acting(by="x", source="command"):
                delete()


def _delete_by_hand(row) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])


def test_the_trail_can_only_grow(patient):
    note_event("exported", by="dora")
    for table in ("audit_change", "audit_event"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET actor = 'nobody'"):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


@pytest.mark.parametrize("table", ["audit_change", "audit_event", "lesions_patient"])
def test_a_table_cannot_be_emptied(table):
    if connection.vendor != "postgresql":
        return  # SQLite knows no TRUNCATE
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgtype & 32 = 32", [table]
        )
        assert cursor.fetchall() == [("never_emptied",)]


def test_functions_of_an_earlier_version_go_once_no_trigger_calls_them():
    if connection.vendor != "postgresql":
        return  # SQLite's triggers call no function

    def left() -> list[str]:
        triggers.install_after_migrate(apps.get_app_config("lesions"), "default")
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE proname = ANY(%s)", [list(triggers.FORMER_FUNCTIONS)]
        )
        return [name for (name,) in cursor.fetchall()]

    with connection.cursor() as cursor:
        for name in triggers.FORMER_FUNCTIONS:
            cursor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
            )
        cursor.execute(
            "CREATE TRIGGER earlier AFTER INSERT ON lesions_patient FOR EACH STATEMENT "
            "EXECUTE FUNCTION stsclinic_history_insert()"
        )
        assert left() == ["stsclinic_history_insert"]
        cursor.execute("DROP TRIGGER earlier ON lesions_patient")
        assert left() == []


def test_a_change_that_is_rolled_back_leaves_no_history(patient):
    number = Change.objects.count()
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(patient)
    assert Change.objects.count() == number


def _write_and_fail(patient: Patient) -> None:
    with acting(by="nora", source="page"):
        Patient.objects.filter(pk=patient.pk).update(race="x")
        _ = 1 / 0


def test_a_role_that_is_taken_away_leaves_history(patient):
    user = make_user("nurse", patient.clinic)
    membership = Membership.objects.get(user=user)
    pk = membership.pk
    with acting(by="admin", source="page"):
        membership.delete()
    last = Change.objects.filter(table_name="clinics_membership", row_id=pk).last()
    assert (last.action, last.actor, last.old["role"], last.new) == ("removed", "admin", "nurse", None)


def test_no_password_enters_history(patient):
    user = make_user("nurse", patient.clinic)
    number = len(changes(user))
    with acting(by="admin", source="command"):
        user.set_password("another long passphrase")
        user.save()
    assert all("password" not in (row.new or {}) for row in changes(user))
    assert len(changes(user)) == number, "a change of the password alone leaves history"


@pytest.mark.parametrize("make", [make_patient, partial(make_user, "nurse")], ids=["patient", "user"])
def test_history_has_every_column_but_those_that_stay_out(make):
    row = make(make_clinic())
    written = [field for field in row._meta.concrete_fields if field.name not in row.unwritten_fields]
    (first,) = changes(row)
    assert first.new.keys() == {field.column for field in written}
    texts = [field.column for field in written if isinstance(field, models.CharField | models.TextField)]
    assert {name: first.new[name] for name in texts} == {name: getattr(row, name) for name in texts}


def test_the_innermost_actor_counts_and_the_outer_one_comes_back(patient):
    with acting(by="outer", source="page"):
        with acting(by="inner", source="import", reason="because"):
            Patient.objects.filter(pk=patient.pk).update(race="x")
        Patient.objects.filter(pk=patient.pk).update(race="y")
    assert [(row.actor, row.reason) for row in changes(patient)[-2:]] == [("inner", "because"), ("outer", "")]


def test_an_older_reading_does_not_overwrite(patient):
    change(patient, {"race": "x"}, by="nora", seen_version=1)
    with pytest.raises(StaleRecord) as stale:
        change(patient, {"race": "y"}, by="anna", seen_version=1)
    assert stale.value.theirs.race == "x"


def test_a_struck_out_row_stays_readable_and_cannot_be_changed(patient):
    row = write_new(Medication(patient=patient, name="bosentan", role="vasodilator"), by="nora")
    with pytest.raises(ValidationError):
        strike_out(row, by="nora", reason="  ")
    strike_out(row, by="nora", reason="Wrong patient")
    assert not Medication.objects.filter(pk=row.pk).exists()
    assert Medication.everything.get(pk=row.pk).struck_out_reason == "Wrong patient"
    with pytest.raises(ValidationError):
        change(row, {"name": "iloprost"}, by="nora", seen_version=None)


CODES = [
    (model, field)
    for model in apps.get_models()
    for field in model._meta.concrete_fields
    if isinstance(field, CodeField) and field.model is model
]


@pytest.mark.parametrize(("model", "field"), CODES, ids=lambda one: getattr(one, "__name__", str(one)))
def test_every_code_is_in_its_columns_rule(model, field):
    """A code that is added needs a migration by AlterCodes, or the database refuses it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
                [model._meta.db_table],
            )
            rules = [
                rule for (rule,) in cursor.fetchall() if re.match(rf"CHECK \(\(\(?{field.column}\)?::", rule)
            ]
            codes = {code for code, _words in field.choices} | ({""} if field.blank else set())
            assert codes in [set(re.findall(r"'([^']*)'", rule)) for rule in rules]
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [model._meta.db_table])
            assert field.db_check(connection) in cursor.fetchone()[0]
