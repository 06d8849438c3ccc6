"""What is done with the large registry, and the plainest thing that the same machine can do instead.

Each is made ready by its arguments, as texts, and then done with a clock, in a process of its own: see alone.py.
Floors are written out here as SQL. What writes rows undoes them, after every constraint was checked.
"""

import csv
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection, transaction

from lesions.models import Lesion, Medication, Patient
from sessions_app.dataout.disguise import disguise_new_patients
from sessions_app.datasheets.columns import SHEETS
from sessions_app.models import (
    Assessment,
    Injection,
    Protocol,
    Series,
    SeriesLesion,
    SideEffect,
    TreatmentSession,
)
from stsclinic.audit.models import Change
from stsclinic.audit.triggers import remove_before_migrate
from stsclinic.clinics.models import Clinic, User
from tests.builders import make_clinic, make_user
from tests.tools.bench import large_rows
from tests.tools.bench.alone import Clock
from tests.tools.bench.filling import fill, without_history

Work = Callable[[Clock], None]

CLINIC = "large"
SHEET = "injections"
FLOOR_COLUMNS = {
    "version": "1", "session_id": "", "lesion_id": "", "agent": "", "concentration_mg_ml": "", "volume_ml": "",
    "technique": "", "anaesthesia": "", "pain_vas": "", "salt_form": "", "lot_number": "", "needle": "",
    "dressing": "", "struck_out_by": "", "struck_out_reason": "",
}  # fmt: skip
"""The columns of the table into which the floor of the import copies, with what they hold where nothing is given."""


# Filling


def grow(first: str, last: str, with_injections: str) -> Work:
    """Add the patients of these numbers, both included; in the end every patient has a disguise."""

    def work(clock: Clock) -> None:
        if not Clinic.objects.filter(code=CLINIC).exists():
            make_user("investigator", make_clinic(CLINIC), CLINIC)
        clinic = Clinic.objects.get(code=CLINIC).pk
        four, any_number = (Protocol.objects.get(code=code).pk for code in ("weekly4", "longterm"))
        patients = range(int(first), int(last) + 1)
        with without_history():
            fill(Patient, large_rows.patient_rows(patients, clinic))
            fill(Medication, large_rows.medication_rows(patients))
            fill(Lesion, large_rows.lesion_rows(patients))
            fill(Series, large_rows.series_rows(patients, four, any_number))
            fill(SeriesLesion, large_rows.series_lesion_rows(patients))
            fill(TreatmentSession, large_rows.session_rows(patients))
            fill(Assessment, large_rows.assessment_rows(patients))
            fill(SideEffect, large_rows.side_effect_rows(patients))
            if with_injections == "yes":
                fill(Injection, large_rows.injection_rows(patients))
        disguise_new_patients()

    return work


def write_injections(last: str, folder: str) -> Work:
    """Write the injections of the first patients into a folder, as a data sheet and as a table of the floor."""

    def work(clock: Clock) -> None:
        patients = range(1, int(last) + 1)
        Path(folder, "sheets").mkdir(parents=True, exist_ok=True)
        with Path(folder, "sheets", f"{SHEET}.csv").open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\r\n").writerows(large_rows.injection_sheet(patients))
        with Path(folder, "table.csv").open("w", newline="") as stream:
            csv.DictWriter(stream, list(FLOOR_COLUMNS)).writerows(
                FLOOR_COLUMNS | row for row in large_rows.injection_rows(patients)
            )

    return work


# The report

FIRST_AND_LAST_SCORES = """
SELECT DISTINCT ON (series_id) series_id, session_no, held_on, ptga, phga
FROM sessions_app_treatmentsession WHERE struck_out_at IS NULL AND kind = 'treatment'
ORDER BY series_id, session_no {}
"""
FIRST_AND_LAST_ASSESSMENTS = """
SELECT DISTINCT ON (s.series_id, a.lesion_id) s.series_id, a.lesion_id, s.session_no, a.status, a.longest_mm,
       a.widest_mm, a.ulcer
FROM sessions_app_assessment a JOIN sessions_app_treatmentsession s ON s.id = a.session_id
WHERE a.struck_out_at IS NULL AND s.struck_out_at IS NULL
ORDER BY s.series_id, a.lesion_id, s.session_no {}
"""
# SQLite has no DISTINCT ON.
FIRST_AND_LAST_SCORES_SQLITE = """
SELECT series_id, session_no, held_on, ptga, phga FROM (
    SELECT *, row_number() OVER (PARTITION BY series_id ORDER BY session_no {}) AS place
    FROM sessions_app_treatmentsession WHERE struck_out_at IS NULL AND kind = 'treatment'
) WHERE place = 1
"""
FIRST_AND_LAST_ASSESSMENTS_SQLITE = """
SELECT series_id, lesion_id, session_no, status, longest_mm, widest_mm, ulcer FROM (
    SELECT s.series_id, a.lesion_id, s.session_no, a.status, a.longest_mm, a.widest_mm, a.ulcer,
           row_number() OVER (PARTITION BY s.series_id, a.lesion_id ORDER BY s.session_no {}) AS place
    FROM sessions_app_assessment a JOIN sessions_app_treatmentsession s ON s.id = a.session_id
    WHERE a.struck_out_at IS NULL AND s.struck_out_at IS NULL
) WHERE place = 1
"""


def report_floor() -> Work:
    """The plainest SQL that finds the first and last scores and assessments of each series and lesion."""
    statements = (
        (FIRST_AND_LAST_SCORES, FIRST_AND_LAST_ASSESSMENTS)
        if connection.vendor == "postgresql"
        else (FIRST_AND_LAST_SCORES_SQLITE, FIRST_AND_LAST_ASSESSMENTS_SQLITE)
    )

    def work(clock: Clock) -> None:
        found = []
        with connection.cursor() as cursor:
            for statement in statements:
                for order in ("ASC", "DESC"):
                    cursor.execute(statement.format(order))
                    found.append(cursor.fetchall())

    return work


def report() -> Work:
    """The report over everything: every table that the page, the PDF and the files show."""
    import scipy.stats  # noqa: F401  # a server's process loads it once, for its first report

    from sessions_app.reports import prepare, report_clinics
    from stsclinic.reporting.selection import Selection

    def work(clock: Clock) -> None:
        user = User.objects.get(username=CLINIC)
        prepared = prepare(user, Selection(), report_clinics(user))
        assert prepared.patients == Patient.objects.count()

    return work


# Data out

JOINED = """
SELECT p.study_id, r.series_no, s.session_no, l.lesion_id, i.agent, i.concentration_mg_ml, i.volume_ml,
       i.technique, i.anaesthesia, i.pain_vas, i.salt_form, i.dressing
FROM sessions_app_injection i
JOIN sessions_app_treatmentsession s ON s.id = i.session_id
JOIN sessions_app_series r ON r.id = s.series_id
JOIN lesions_patient p ON p.id = r.patient_id
JOIN lesions_lesion l ON l.id = i.lesion_id
WHERE i.struck_out_at IS NULL AND s.struck_out_at IS NULL AND r.struck_out_at IS NULL
  AND p.struck_out_at IS NULL AND l.struck_out_at IS NULL
ORDER BY p.study_id, r.series_no, s.session_no, l.lesion_id
"""


@contextmanager
def _new_file(ending: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stsclinic-bench-") as folder:
        yield Path(folder, f"{SHEET}.{ending}")


def copy_out() -> Work:
    """What psql's `\\copy` of the joined SELECT does."""

    def work(clock: Clock) -> None:
        with _new_file("csv") as path, path.open("wb") as stream, connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.copy_expert(f"COPY ({JOINED}) TO STDOUT (FORMAT csv)", stream)
            else:
                with path.open("w", newline="") as text:
                    csv.writer(text).writerows(cursor.execute(JOINED))

    return work


def _source() -> Any:
    """The injections as an export lets them leave if nobody asks for more."""
    from sessions_app.dataout.plan import Plan
    from sessions_app.dataout.source import Source

    class OneSheet(Plan):
        @cached_property
        def sheets(self):
            return {SHEET: self._leaving(SHEETS[SHEET])}

        @property
        def left_out(self):
            return []

    return Source(OneSheet(clinics=(CLINIC,), formats=("csv", "xlsx", "dta", "sav")))


class _Noticing:
    """A stream that notes when something is written after the first row of names."""

    def __init__(self, stream: BinaryIO, clock: Clock):
        self._stream, self._clock, self._has_names = stream, clock, False

    def write(self, data: bytes) -> int:
        if self._has_names:
            self._clock.first_row()
        self._has_names = True
        return self._stream.write(data)


def export_csv() -> Work:
    """The injections sheet, de-identified and formula-safe."""
    from sessions_app.dataout.csv_files import write_csv
    from sessions_app.datasheets.snapshot import snapshot

    def work(clock: Clock) -> None:
        with _new_file("csv") as path, path.open("wb") as stream, snapshot():
            _expect(write_csv(_Noticing(stream, clock), _source(), SHEET))  # type: ignore[arg-type]

    return work


def export_xlsx() -> Work:
    """The same as a workbook."""
    import xlsxwriter  # noqa: F401  # what it takes to load it is not of the export

    from sessions_app.dataout.workbook import write_workbook
    from sessions_app.datasheets.snapshot import snapshot

    def work(clock: Clock) -> None:
        with _new_file("xlsx") as path, path.open("wb") as stream, snapshot():
            _expect(write_workbook(stream, _source(), folder=path.parent)[SHEET])

    return work


def export_statistics(ending: str) -> Work:
    """The same as a file of Stata (dta) or SPSS (sav)."""
    import pandas  # noqa: F401
    import pyreadstat  # noqa: F401

    from sessions_app.dataout.statistics_files import PROGRAMS, write_statistics_file
    from sessions_app.datasheets.snapshot import snapshot

    def work(clock: Clock) -> None:
        with _new_file(ending) as path, snapshot():
            _expect(write_statistics_file(path, _source(), SHEET, PROGRAMS[ending]))

    return work


def _expect(rows: int) -> None:
    there = Injection.objects.count()
    if rows != there:
        raise RuntimeError(f"{rows} rows came out, and {there} are there.")


# Data in


@contextmanager
def _undone() -> Iterator[None]:
    """A transaction that is undone after every constraint was checked: SQLite has done it by then."""
    with transaction.atomic():
        yield
        if connection.vendor == "postgresql":
            connection.check_constraints()
        transaction.set_rollback(True)


def _leave_no_history() -> None:
    """For the rest of this transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {Injection._meta.db_table} DISABLE TRIGGER USER")
    else:
        remove_before_migrate(None, "default", plan=True)


def _tidy() -> None:
    """What the undone rows left is cleared away, so that the next one finds the same."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {Injection._meta.db_table}, {Change._meta.db_table}")


def copy_in(folder: str) -> Work:
    """`\\copy` into the table of injections, with its indexes and its rules, and without history."""
    _tidy()
    table, names = Injection._meta.db_table, ", ".join(FLOOR_COLUMNS)

    def work(clock: Clock) -> None:
        with Path(folder, "table.csv").open() as stream, _undone():
            _leave_no_history()
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    # A text that is empty is one; a number that is not there is none.
                    texts = [name for name in FLOOR_COLUMNS if name not in ("pain_vas",)]
                    options = f"FORMAT csv, FORCE_NOT_NULL ({', '.join(texts)})"
                    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN ({options})", stream)
                else:
                    places = ", ".join(
                        "nullif(%s, '')" if name == "pain_vas" else "%s" for name in FLOOR_COLUMNS
                    )
                    cursor.executemany(
                        f"INSERT INTO {table} ({names}) VALUES ({places})",
                        csv.reader(stream),  # type: ignore[arg-type]
                    )

    return work


def import_injections(folder: str, expected: str) -> Work:
    """The command's import: the patients are there, with all but their injections."""
    from sessions_app.datasheets.checking import Allowed
    from sessions_app.datasheets.importing import import_sheets
    from sessions_app.datasheets.reading import read_path

    _tidy()

    def work(clock: Clock) -> None:
        before = Change.objects.count()
        with _undone():
            raw = read_path(Path(folder, "sheets"))
            import_sheets(raw, by=CLINIC, source="command", allowed=Allowed(updates=True), reason="bench")
            there = Injection.objects.count(), Change.objects.count() - before
            if there != (int(expected), int(expected)):
                raise RuntimeError(f"{there} injections and changes are there, and not {expected} of each.")

    return work


WORK: dict[str, Callable[..., Work]] = {
    "grow": grow,
    "write_injections": write_injections,
    "report_floor": report_floor,
    "report": report,
    "copy_out": copy_out,
    "csv": export_csv,
    "xlsx": export_xlsx,
    "statistics": export_statistics,
    "copy_in": copy_in,
    "import": import_injections,
}
