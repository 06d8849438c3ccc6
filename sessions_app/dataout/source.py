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
from itertools import islice
from typing import Any, BinaryIO, Self

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
"""Patients that are read into memory at once: of a hundred injections each, ten thousand rows."""

WRITTEN = 1000
"""Patients of whom PostgreSQL writes the rows into memory, from where they are passed on some at a time."""

STREAMED = 5000
"""Patients of whom it writes them into a file, or for somebody who keeps all: the fewer at once, the dearer is
each."""

ROWS_AT_ONCE = 1000
"""Rows that are passed on together."""

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

    def blocks(self, size: int | None = None) -> Iterator[Block]:
        """The patients in blocks; those without a selected series are left out where series are picked.

        Args:
            size: the patients of a block after the first, which is small so that its rows come soon. Where
                series are picked all are small, since what decides of them is read into memory.
        """
        start = 0
        while start < len(self.patients):
            end = start + (size if size and start and not self.plan.selection.picks_series else BLOCK)
            patients, start = self.patients[start:end], end
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

    def rows(self, name: str, decimal_comma: bool = False) -> Iterator[Sequence[Cells]]:
        """The rows of a sheet, some at a time: each cell its text, or None where nothing is recorded."""
        sheet = self.plan.sheets[name]
        if self._is_written_by_database(sheet):
            for written in self.plain_csv(name):
                reader = csv.reader(io.TextIOWrapper(written, "utf-8", newline=""))
                while part := [[cell or None for cell in row] for row in islice(reader, ROWS_AT_ONCE)]:
                    yield part
            return
        read = self._analysis if name == ANALYSIS.name else self._reader(sheet, decimal_comma)
        texts = [(index, column) for index, column in enumerate(sheet.columns) if column.kind == "text"]
        for block in self.blocks():
            rows: Sequence[Cells] = read(block)
            if texts:
                rows = [_with_plain_texts(row, texts) for row in rows]
            yield rows
            self._step(len(block.patients))

    def plain_csv(self, name: str, all_are_kept: bool = False) -> Iterator[BinaryIO]:
        """The same as CSV for programs, in parts: commas, decimal points, no first row of names, no cell changed.

        Args:
            all_are_kept: whether who asks has memory for all rows, so that the parts may be large.
        """
        sheet = self.plan.sheets[name]
        if not self._is_written_by_database(sheet):
            for rows in self.rows(name):
                yield io.BytesIO(_csv_of(rows, ","))
            return
        query = self._query(sheet)
        for block in self.blocks(STREAMED if all_are_kept else WRITTEN):
            written = io.BytesIO()
            self._copy(query, block, ",", written)
            written.seek(0)
            yield written
            self._step(len(block.patients))

    def write_csv(self, name: str, stream: BinaryIO) -> int:
        """Write a sheet as CSV in UTF-8 with CRLF, without a first row of names; no cell is a formula.

        Separator and decimal mark are those of the plan. Give the number of rows.
        """
        sheet, number = self.plan.sheets[name], 0
        if not self._is_written_by_database(sheet):
            for rows in self.rows(name, self.plan.danish):
                if _has_text(sheet):
                    rows = [[cell and formula_safe(cell) for cell in row] for row in rows]
                stream.write(_csv_of(rows, self.separator))
                number += len(rows)
            return number
        query = self._query(sheet, self.plan.danish)
        for block in self.blocks(STREAMED):
            with _WindowsLines(stream) as lines:
                number += self._copy(query, block, self.separator, lines)
            self._step(len(block.patients))
        return number

    def _is_written_by_database(self, sheet: Sheet) -> bool:
        """Whether no cell can hold a line end or begin a formula, so that the database may write the file."""
        is_computed = sheet.name == ANALYSIS.name
        return connection.vendor == "postgresql" and not is_computed and not _has_text(sheet)

    def _copy(self, query: _Query, block: Block, separator: str, stream: Any) -> int:
        """Have PostgreSQL write the rows of a block as CSV; give their number."""
        with connection.cursor() as cursor:
            sql = cursor.mogrify(query.sql, query.for_block(block)).decode()
            cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv, DELIMITER '{separator}')", stream)
            return cursor.rowcount

    @property
    def separator(self) -> str:
        """What stands between the cells of a CSV file."""
        return ";" if self.plan.danish else ","

    def _reader(self, sheet: Sheet, decimal_comma: bool) -> Callable[[Block], list[Cells]]:
        query = self._query(sheet, decimal_comma)

        def read(block: Block) -> list[Cells]:
            with connection.cursor() as cursor:
                cursor.execute(query.sql, query.for_block(block))
                return cursor.fetchall()

        return read

    def _query(self, sheet: Sheet, decimal_comma: bool = False) -> _Query:
        """The SQL of a sheet, compiled once for all blocks."""
        found: QuerySet = kept_rows(sheet).filter(AnyOf(F(_patient_key(sheet)), _PATIENTS))
        series = _series_key(sheet)
        if series and self.plan.selection.picks_series:
            found = found.filter(AnyOf(F(series), _SERIES))
        lesion = LESION_KEYS.get(sheet.name)
        if lesion and self.plan.selection.picks_lesions:
            found = found.filter(_of_lesions(lesion))
        cells = {
            f"cell_{column.name}": cell_text(sheet, column, self.plan, decimal_comma)
            for column in sheet.columns
        }
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


class _WindowsLines:
    """A file that passes on what PostgreSQL writes, a line with each call, with CRLF and many lines at once."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Take one line."""
        self._lines.append(line)
        if len(self._lines) == ROWS_AT_ONCE:
            self._pass_on()

    def _pass_on(self) -> None:
        self._stream.write(b"".join(self._lines).replace(b"\n", b"\r\n"))
        self._lines.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._lines:
            self._pass_on()


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


def _csv_of(rows: Sequence[Cells], separator: str) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


def _has_text(sheet: Sheet) -> bool:
    return any(column.kind == "text" for column in sheet.columns)


def _with_plain_texts(row: Cells, texts: list[tuple[int, Any]]) -> Cells:
    """The row with what people typed in its canonical form: plain line ends, no control characters."""
    plain = list(row)
    for index, column in texts:
        plain[index] = show_value(column, row[index]) or None
    return plain
