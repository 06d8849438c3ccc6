"""Questions that are asked ahead: their answers in order, errors where they are taken, and nobody else meanwhile."""

import struct
from contextlib import nullcontext

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app import registry
from sessions_app.asking import AHEAD, answers
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from sessions_app.models import Assessment
from sessions_app.registry import load_registry
from sessions_app.registry_columns import _Copy, ask_rows, by_hashing
from stsclinic.clinics.models import Clinic
from stsclinic.demo.loading import CASE_FOLDER

pytestmark = pytest.mark.django_db

IDS = st.tuples(st.integers(0, 2**50), st.integers(0, 2**50))


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
            patched.setattr(registry, "_series_of", fail)
            with pytest.raises(ValueError, match="on the way"):
                load_registry()
        assert not connection.execute_wrappers
        assert load_registry().patients


TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=3)


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(TEXT, TEXT, st.lists(IDS, min_size=1, max_size=4))), cut=st.integers(1, 50))
def test_what_is_copied_may_come_in_pieces_of_any_size(rows, cut):
    """Rows of texts and numbers, as PostgreSQL's documentation of COPY in binary has them."""
    sent = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
    for *texts, numbers in rows:
        sent += struct.pack(">h", 3)
        for cell in (*texts, b"".join(struct.pack(">qq", *one) for one in numbers)):
            written = cell.encode() if isinstance(cell, str) else cell
            sent += struct.pack(">i", -1) if written is None else struct.pack(">i", len(written)) + written
    sent += struct.pack(">h", -1)
    copy = _Copy(2, 1)
    for start in range(0, len(sent), cut):
        copy.write(sent[start : start + cut])
    facts, kind, (owner, own) = copy.answer()
    numbers = [(place, one) for place, (*_, of_row) in enumerate(rows) for one in of_row]
    assert facts == [tuple(texts) for *texts, _ in rows]
    assert kind.tolist() == [place for place, _ in numbers]
    assert list(zip(owner.tolist(), own.tolist(), strict=True)) == [one for _, one in numbers]


def test_ids_may_be_of_any_size():
    import_sheets(read_path(CASE_FOLDER / "orlando"), by="test", source="import")
    far = 2**50
    rows = Assessment.objects.annotate(far=F("session_id") + far)
    with answers([ask_rows(rows, ["status"], "far", "lesion_id")]) as found:
        asked = next(found)
    assert sorted(zip(asked.owner.tolist(), asked.own.tolist(), strict=True)) == sorted(
        rows.values_list("far", "lesion_id")
    )


def test_postgresql_is_told_nothing_any_more_when_something_else_went_wrong():
    if connection.vendor != "postgresql":
        return  # SQLite is told nothing of that.
    with pytest.raises(ValueError, match="on the way"), by_hashing():
        raise ValueError("on the way")
    with pytest.raises(DatabaseError), transaction.atomic(), by_hashing(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM no_such_table")
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_sort")
        assert cursor.fetchone() == ("on",)


def test_postgresql_plans_as_before_when_the_rows_are_read():
    if connection.vendor != "postgresql":
        return  # SQLite is told nothing of that.
    with connection.cursor() as cursor:

        def told():
            cursor.execute(
                "SELECT current_setting('enable_sort'), current_setting('jit'), current_setting('work_mem')"
            )
            return cursor.fetchone()

        before = told()
        assert before[0] == "on"
        with by_hashing():
            assert told() == ("off", "off", "32MB")
        with CaptureQueriesContext(connection) as asked:
            load_registry()
        assert any("enable_sort = off" in one["sql"] for one in asked)
        assert told() == before
