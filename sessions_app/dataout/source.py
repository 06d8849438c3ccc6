"""The rows of an export, read from the database in blocks of patients: little memory, and soon a first row.

Patients stand in the order of their IDs, and the rows of a patient in that of their keys, so the blocks
one after the other are the whole sheet in its order. All within one snapshot, which the caller opens.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Collate

from lesions.models import Patient
from sessions_app.dataout.plan import ANALYSIS, Plan
from sessions_app.dataout.text_sql import AnyOf, cell_order, cell_text, patient_path
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.exporting import code_point_collation, kept_rows
from sessions_app.datasheets.values import show_value
from sessions_app.formula_safe import formula_safe
from sessions_app.models import Series, SeriesLesion, TreatmentSession
from stsclinic.reporting.records import PatientRecord, Registry, SeriesRecord, SessionRecord
from stsclinic.reporting.selection import choose, judge_series

BLOCK = 100
"""Patients that are read at once: of a hundred injections each, ten thousand rows."""

_PATIENTS, _SERIES = object(), object()
"""What stands in the SQL's parameters until a block is known."""

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Block:
    """Some patients by id, in their order; `series` by id where the selection picks series, else None."""

    patients: list[int]
    series: list[int] | None


@dataclass(frozen=True)
class _Query:
    sql: str
    params: tuple[Any, ...]

    def for_block(self, block: Block) -> list[Any]:
        return [
            _listed(block.patients) if one is _PATIENTS else _listed(block.series) if one is _SERIES else one
            for one in self.params
        ]


class Source:
    """What a plan lets leave, sheet by sheet.

    Args:
        step: called with the number of patients that were read of a sheet, after each block. It may raise.
    """

    def __init__(self, plan: Plan, step: Callable[[int], None] = lambda patients: None):
        self.plan = plan
        self._step = step

    @cached_property
    def patients(self) -> list[int]:
        """The ids of the patients of the selection's clinics and diagnoses, in the order of the sheets."""
        plan = self.plan
        found = Patient.objects.filter(clinic__code__in=plan.clinics)
        if plan.selection.clinics:
            found = found.filter(clinic__code__in=plan.selection.clinics)
        if plan.selection.diagnoses:
            found = found.filter(diagnosis__in=plan.selection.diagnoses)
        if not plan.with_dates or plan.new_ids:
            # One who was enrolled in this very moment has no disguise yet, and does not leave as he is.
            found = found.exclude(export_disguise=None)
        by = "export_disguise__code" if plan.new_ids else "study_id"
        return list(found.order_by(Collate(F(by), code_point_collation())).values_list("pk", flat=True))

    def blocks(self) -> Iterator[Block]:
        """The patients in blocks; those without a selected series are left out where series are picked."""
        for start in range(0, len(self.patients), BLOCK):
            patients = self.patients[start : start + BLOCK]
            if not self.plan.selection.picks_series:
                yield Block(patients, None)
                continue
            records, series_keys = _light_records(patients)
            chosen = choose(Registry(list(records.values())), self.plan.selection)
            kept = {patient.patient_id for patient, _courses in chosen.patients}
            yield Block(
                [key for key in patients if records[key].patient_id in kept],
                [
                    series_keys[course.series.patient_id, course.series.series_no]
                    for _patient, courses in chosen.patients
                    for course in courses
                ],
            )

    def rows(self, name: str) -> Iterator[list[Cells]]:
        """The rows of a sheet, block by block: each cell its text, or None where nothing is recorded."""
        sheet = self.plan.sheets[name]
        read = self._analysis if name == ANALYSIS.name else self._reader(sheet)
        texts = [(index, column) for index, column in enumerate(sheet.columns) if column.kind == "text"]
        for block in self.blocks():
            rows = read(block)
            if texts:
                rows = [_with_plain_texts(row, texts) for row in rows]
            yield rows
            self._step(len(block.patients))

    def csv(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The same as CSV in UTF-8 with CRLF, without a first row of names; no cell is a formula.

        Block by block: the number of rows, and their bytes.
        """
        sheet = self.plan.sheets[name]
        if name == ANALYSIS.name or connection.vendor != "postgresql" or _has_text(sheet):
            yield from self._csv_of_rows(name)
            return
        # No cell can hold a line end or begin a formula: the database writes the file itself.
        query = self._query(sheet)
        separator = self.separator
        for block in self.blocks():
            buffer = io.BytesIO()
            with connection.cursor() as cursor:
                sql = cursor.mogrify(query.sql, query.for_block(block)).decode()
                cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv, DELIMITER '{separator}')", buffer)
                rows = cursor.rowcount
            yield rows, buffer.getvalue().replace(b"\n", b"\r\n")
            self._step(len(block.patients))

    @property
    def separator(self) -> str:
        """What stands between the cells of a CSV file."""
        return ";" if self.plan.danish else ","

    def _csv_of_rows(self, name: str) -> Iterator[tuple[int, bytes]]:
        has_text = _has_text(self.plan.sheets[name])
        for rows in self.rows(name):
            buffer = io.StringIO(newline="")
            writer = csv.writer(buffer, delimiter=self.separator, lineterminator="\r\n")
            if has_text:
                rows = [[cell and formula_safe(cell) for cell in row] for row in rows]
            writer.writerows(rows)
            yield len(rows), buffer.getvalue().encode()

    def _reader(self, sheet: Sheet) -> Callable[[Block], list[Cells]]:
        query = self._query(sheet)

        def read(block: Block) -> list[Cells]:
            with connection.cursor() as cursor:
                cursor.execute(query.sql, query.for_block(block))
                return cursor.fetchall()

        return read

    def _query(self, sheet: Sheet) -> _Query:
        """The SQL of a sheet, compiled once for all blocks."""
        found: QuerySet = kept_rows(sheet).filter(AnyOf(F(_patient_key(sheet)), _PATIENTS))
        series = _series_key(sheet)
        if series and self.plan.selection.picks_series:
            found = found.filter(AnyOf(F(series), _SERIES))
        cells = {f"cell_{column.name}": cell_text(sheet, column, self.plan) for column in sheet.columns}
        found = found.annotate(**cells).order_by(*self._order(sheet)).values_list(*cells)
        return _Query(*found.query.sql_with_params())

    def _order(self, sheet: Sheet) -> list[Any]:
        return cell_order(sheet, self.plan)

    def _analysis(self, block: Block) -> list[Cells]:
        """Whether and why each series is left out, as the report judges it on the days as recorded."""
        records, _keys = _light_records(block.patients)
        shown = self._shown_ids(block.patients)
        rows: list[Cells] = []
        chosen = choose(Registry(list(records.values())), self.plan.selection)
        for _patient, courses in sorted(chosen.patients, key=lambda one: shown[one[0].patient_id]):
            for verdict in judge_series(courses):
                series = verdict.course.series
                analysed = "no" if verdict.reason else "yes"
                rows.append(
                    (shown[series.patient_id], str(series.series_no), analysed, verdict.reason or None)
                )
        return rows

    def _shown_ids(self, keys: list[int]) -> dict[str, str]:
        """By study ID, the ID under which a patient leaves."""
        by = "export_disguise__code" if self.plan.new_ids else "study_id"
        return dict(Patient.objects.filter(pk__in=keys).values_list("study_id", by))


def _listed(keys: list[int] | None) -> Any:
    """A list of ids as the one parameter that AnyOf takes."""
    return json.dumps(keys or []) if connection.vendor == "sqlite" else keys or []


def _patient_key(sheet: Sheet) -> str:
    path = patient_path(sheet)
    return f"{path.removesuffix('__')}_id" if path else "pk"


def _series_key(sheet: Sheet) -> str:
    """Where the id of the series stands; empty for a sheet whose rows belong to none."""
    if sheet.name == SHEETS["series"].name:
        return "pk"
    return f"{sheet.series_path.removesuffix('__')}_id" if sheet.series_path else ""


def _has_text(sheet: Sheet) -> bool:
    return any(column.kind == "text" for column in sheet.columns)


def _with_plain_texts(row: Cells, texts: list[tuple[int, Any]]) -> Cells:
    """The row with what people typed in its canonical form: plain line ends, no control characters."""
    plain = list(row)
    for index, column in texts:
        plain[index] = show_value(column, row[index]) or None
    return plain


def _light_records(keys: list[int]) -> tuple[dict[int, PatientRecord], dict[tuple[str, int], int]]:
    """The patients with what selecting and judging their series asks for, and the series' ids.

    Without assessments, injections and follow-ups: the rules of selection look at treatments alone.
    """
    lesions: dict[int, dict[str, str]] = defaultdict(dict)
    listed = SeriesLesion.objects.filter(
        series__patient__in=keys, series__struck_out_at=None, lesion__struck_out_at=None
    )
    for series, lesion_id in listed.values_list("series_id", "lesion__lesion_id").order_by(
        "lesion__lesion_id"
    ):
        lesions[series][lesion_id] = ""
    sessions: dict[int, list[SessionRecord]] = defaultdict(list)
    held = TreatmentSession.objects.filter(
        series__patient__in=keys, kind="treatment", series__struck_out_at=None
    )
    for series, number, held_on, ptga, phga in held.values_list(
        "series_id", "session_no", "held_on", "ptga", "phga"
    ).order_by("series_id", "session_no"):
        sessions[series].append(SessionRecord(number or 0, "treatment", held_on, ptga, phga))
    series_keys: dict[tuple[str, int], int] = {}
    by_patient: dict[int, list[SeriesRecord]] = defaultdict(list)
    fields = {
        "patient_id": "patient__study_id",
        "series_no": "series_no",
        "protocol": "protocol__code",
        "planned_treatments": "protocol__planned_treatments",
        "is_controlled": "protocol__is_controlled",
        "status": "status",
        "stop_reason": "stop_reason",
        "started_on": "started_on",
    }
    found = Series.objects.filter(patient__in=keys).order_by("series_no")
    for key, patient, *values in found.values_list("pk", "patient_id", *fields.values()):
        facts = dict(zip(fields, values, strict=True))
        one = SeriesRecord(**facts, lesions=lesions[key], sessions=sessions[key])
        series_keys[one.patient_id, one.series_no] = key
        by_patient[patient].append(one)
    patients = {
        key: PatientRecord(study_id, clinic, sex, diagnosis, series=by_patient[key])
        for key, study_id, clinic, sex, diagnosis in Patient.objects.filter(pk__in=keys).values_list(
            "pk", "study_id", "clinic__code", "sex", "diagnosis"
        )
    }
    return patients, series_keys
