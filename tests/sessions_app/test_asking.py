"""Questions that are asked ahead: their answers in order, errors where they are taken, and nobody else meanwhile."""

from contextlib import nullcontext

import pytest
from django.db import DataError, connection

from sessions_app.asking import AHEAD, answers
from stsclinic.clinics.models import Clinic

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
    assert list(answers(questions)) == [[str(number)] for number in range(2 * AHEAD + 1)]


def test_nobody_else_asks_before_the_last_answer_is_taken():
    """On SQLite nothing is asked ahead, so everybody may."""
    found = answers([Copied("SELECT 1"), Copied("SELECT 2")])
    assert next(found) == ["1"]
    is_ahead = connection.vendor == "postgresql"
    with pytest.raises(RuntimeError, match="still answering") if is_ahead else nullcontext():
        Clinic.objects.count()
    assert next(found) == ["2"]
    assert Clinic.objects.count() >= 0


def test_an_error_is_raised_where_its_answer_is_taken():
    if connection.vendor != "postgresql":
        return  # SQLite divides by nothing without an error.
    found = answers([Copied("SELECT 1"), Copied("SELECT 1 / 0")])
    assert next(found) == ["1"]
    with pytest.raises(DataError):
        next(found)


def test_who_leaves_early_may_ask_again():
    found = answers([Copied("SELECT 1"), Copied("SELECT 2"), Copied("SELECT 3")])
    next(found)
    found.close()
    assert Clinic.objects.count() >= 0
