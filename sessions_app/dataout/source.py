"""The rows of an export, read from the database in blocks of patients: little memory, and soon a first row.

Patients stand in the order of their IDs, and the rows of a patient in that of their keys, so the blocks
one after the other are the whole sheet in its order. All within one snapshot, which the caller opens.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Collate

from lesions.models import Patient
from sessions_app.dataout.light import light_records
from sessions_app.dataout.plan import ANALYSIS, Plan
from sessions_app.dataout.text_sql import AnyOf, cell_order, cell_text, patient_path
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.exporting import code_point_collation, kept_rows
from sessions_app.datasheets.values import show_value
from sessions_app.formula_safe import formula_safe
from stsclinic.reporting.selection import choose, judge_series

BLOCK = 100
"""Patients that are read at once: of a hundred injections each, ten thousand rows."""

_PATIENTS, _SERIES, _LESIONS = object(), object(), object()
"""What stands in the SQL's parameters until a block is known."""

LESION_KEYS = {
    "lesions": "pk",
    **dict.fromkeys(("series_lesions", "session_lesions", "injections", "side_effects"), "lesion_id"),
}
"""Where the id of the lesion stands. Earlier treatments are the patient's, whatever lesion was chosen."""

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Block:
    """Some patients by id, in their order; series and lesions by id where the selection picks such, else None."""

    patients: list[int]
    series: list[int] | None = None
    lesions: list[int] | None = None


@dataclass(frozen=True)
class _Query:
    sql: str
    params: tuple[Any, ...]

    def for_block(self, block: Block) -> list[Any]:
        lists = {_PATIENTS: block.patients, _SERIES: block.series, _LESIONS: block.lesions}
        return [_listed(lists[one]) if one in (_PATIENTS, _SERIES, _LESIONS) else one for one in self.params]


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
                yield Block(patients)
                continue
            records = light_records(patients, self.plan)
            chosen = choose(records.registry, self.plan.selection)
            kept = {patient.patient_id for patient, _courses in chosen.patients}
            series = [course.series for _patient, courses in chosen.patients for course in courses]
            yield Block(
                [key for key in patients if records.patients[key].patient_id in kept],
                [records.series_keys[one.patient_id, one.series_no] for one in series],
                sorted({records.lesion_keys[one.patient_id, code] for one in series for code in one.lesions}),
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
        lesion = LESION_KEYS.get(sheet.name)
        if lesion and self.plan.selection.picks_lesions:
            found = found.filter(_of_lesions(lesion))
        cells = {f"cell_{column.name}": cell_text(sheet, column, self.plan) for column in sheet.columns}
        found = found.annotate(**cells).order_by(*self._order(sheet)).values_list(*cells)
        return _Query(*found.query.sql_with_params())

    def _order(self, sheet: Sheet) -> list[Any]:
        return cell_order(sheet, self.plan)

    def _analysis(self, block: Block) -> list[Cells]:
        """Whether and why each series is left out, as the report judges it on the days as recorded."""
        records = light_records(block.patients, self.plan)
        shown = self._shown_ids(block.patients)
        rows: list[Cells] = []
        chosen = choose(records.registry, self.plan.selection)
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


def _of_lesions(lesion: str) -> Q:
    """The rows of the chosen lesions, and those that are of no lesion, or of one that was struck out."""
    chosen = Q(AnyOf(F(lesion), _LESIONS))
    if lesion == "pk":
        return chosen
    return chosen | Q(**{lesion: None}) | Q(lesion__struck_out_at__isnull=False)


def _has_text(sheet: Sheet) -> bool:
    return any(column.kind == "text" for column in sheet.columns)


def _with_plain_texts(row: Cells, texts: list[tuple[int, Any]]) -> Cells:
    """The row with what people typed in its canonical form: plain line ends, no control characters."""
    plain = list(row)
    for index, column in texts:
        plain[index] = show_value(column, row[index]) or None
    return plain
