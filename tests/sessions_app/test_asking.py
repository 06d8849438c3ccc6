"""Questions that are asked ahead: their answers in order, errors where they are taken, and nobody else meanwhile."""

from contextlib import nullcontext

import pytest
from django.db import DatabaseError, connection, transaction

from sessions_app import registry_columns
from sessions_app.asking import AHEAD, answers
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from sessions_app.models import Assessment
from sessions_app.registry import load_registry
from sessions_app.registry_columns import SeenOrGiven
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out
from stsclinic.clinics.models import Clinic
from stsclinic.demo.loading import CASE_FOLDER
from tests.sessions_app.test_registry import in_order

pytestmark = pytest.mark.django_db


class Copied:
    """A question as the report asks it; `taken` are the numbers that came."""

    def __init__(self, sql):
        self.sql, self.taken = sql, b""
        self._cursor = connection.cursor()

    def write(self, data):
        self.taken += data

    def __call__(self):
        if connection.vendor == "postgresql":
            self._cursor.copy_expert(f"COPY ({self.sql}) TO STDOUT", self)
            return self.taken.decode().split()
        return [str(cell) for (cell,) in self._cursor.execute(self.sql)]


def test_the_answers_come_in_the_order_of_the_questions():
    questions = [Copied(f"SELECT {number}") for number in range(2 * AHEAD + 1)]
    with answers(questions) as found:
        assert list(found) == [[str(number)] for number in range(2 * AHEAD + 1)]


def test_nobody_else_asks_within_the_block():
    """On SQLite nothing is asked ahead, so everybody may."""
    is_ahead = connection.vendor == "postgresql"
    with answers([Copied("SELECT 1")]) as found:
        with pytest.raises(RuntimeError, match="still answering") if is_ahead else nullcontext():
            Clinic.objects.count()
        assert next(found) == ["1"]
    assert Clinic.objects.count() >= 0


def test_an_error_is_raised_where_its_answer_is_taken():
    with transaction.atomic(), answers([Copied("SELECT 1"), Copied("SELECT 1 FROM no_such_table")]) as found:
        assert next(found) == ["1"]
        with pytest.raises(DatabaseError):
            next(found)
        transaction.set_rollback(True)
    assert Clinic.objects.count() >= 0


def test_what_goes_wrong_on_the_way_leaves_the_connection_as_it_was(monkeypatch):
    """What the thread asks is waited for before anything is rolled back."""
    import_sheets(read_path(CASE_FOLDER / "hershey"), by="test", source="import")

    def fail(*_):
        raise ValueError("on the way")

    for _ in range(10):
        with monkeypatch.context() as patched:
            patched.setattr(SeenOrGiven, "read", fail)
            with pytest.raises(ValueError, match="on the way"):
                load_registry()
        assert not connection.execute_wrappers
        assert load_registry().patients


@pytest.mark.parametrize("part", [1, 2, 7])
def test_tables_come_whole_in_parts_of_any_size(monkeypatch, part):
    import_sheets(read_path(CASE_FOLDER / "orlando"), by="test", source="import")
    whole = repr(in_order(load_registry()))
    monkeypatch.setattr(registry_columns, "PART", part)
    assert repr(in_order(load_registry())) == whole


@pytest.mark.parametrize("part", [1, 20_000])
def test_ids_that_lie_far_apart_are_read_in_few_parts(monkeypatch, part):
    import_sheets(read_path(CASE_FOLDER / "orlando"), by="test", source="import")
    whole = repr(in_order(load_registry()))
    last = Assessment.objects.order_by("pk").last()
    assert last is not None
    strike_out(Assessment.objects.get(pk=last.pk), by="test", reason="its row comes again, far away")
    with acting(by="test", source="command"):
        last.pk = 2**50
        last.save(force_insert=True)
    monkeypatch.setattr(registry_columns, "PART", part)
    assert repr(in_order(load_registry())) == whole
