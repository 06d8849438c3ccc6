"""Write checked data sheets into the database: all of them, or nothing."""

from collections.abc import Callable, Collection
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from sessions_app.datasheets.book import PARENTS, Row
from sessions_app.datasheets.checking import ANYTHING_NEW, Allowed, Block, Checked, begin, check_blocks
from sessions_app.datasheets.collecting import without_garbage_collection
from sessions_app.datasheets.columns import IMPORT_ORDER, SHEETS, Column, Sheet
from sessions_app.datasheets.inserting import Inserter
from sessions_app.datasheets.problems import ImportRefused, Problem
from sessions_app.datasheets.raw import RawSheets
from sessions_app.datasheets.values import empty_value
from sessions_app.models import SideEffect, TreatmentSession
from sessions_app.seriousness import with_known_at
from stsclinic.audit.acting import acting
from stsclinic.audit.services import note_event
from stsclinic.clinics.models import Clinic

CHUNK = 500
IMPORTS = 7_030_001
"""The number of PostgreSQL's advisory lock that an import holds."""
_PARENT_SHEETS = {sheet for sheet, _columns in PARENTS.values()}


class _ChangedSince(Exception):
    pass


def import_sheets(
    raw: RawSheets,
    *,
    by: str,
    source: str,
    allowed: Allowed = ANYTHING_NEW,
    reason: str = "",
    agrees: Callable[[Checked], bool] = lambda checked: True,
) -> Checked:
    """Check and import in one transaction, so that nothing changes in between.

    Each block is written once it is checked, as long as nothing is wrong; what was written is undone if
    something is wrong further on.

    Args:
        by: the user name, or the command's name, that history shows.
        source: `import` or `command`.
        reason: why patients who are there are changed; history keeps it at every row.
        agrees: whether what the check found may be written; if not, nothing is.

    Returns:
        What was checked, and written unless it does not agree.

    Raises:
        ImportRefused: there are errors, or the database changed since they were checked; nothing was written.
    """
    checked = begin(raw)
    try:
        with acting(by=by, source=source, reason=reason), transaction.atomic(), without_garbage_collection():
            _one_at_a_time()
            clinic_ids: dict[str, int] = {}
            counted: set[str] = set()
            with Inserter() as inserter:
                for block in check_blocks(raw, allowed, checked, reading=inserter.beside):
                    if not checked.errors:
                        write_block(block, raw, clinic_ids, by, inserter)
                        _count_anew(_created(checked) - counted, inserter)
                        counted |= _created(checked)
                if not checked.errors:
                    _count_anew(counted, inserter)
            if not agrees(checked):
                transaction.set_rollback(True)
                return checked
            if checked.errors:
                raise ImportRefused(checked.errors)
            _note(checked, by, reason)
    except (DatabaseError, _ChangedSince) as error:
        sentence = "The database refused the rows: something changed since they were checked. Import again."
        raise ImportRefused([Problem(sentence=sentence)]) from error
    return checked


def _one_at_a_time() -> None:
    """Wait for another import to end: to count a table holds it against those who would count it too."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORTS])


def write_block(
    block: Block, raw: RawSheets, clinic_ids: dict[str, int], by: str, inserter: Inserter
) -> None:
    """Change what is there of some patients, and add what is new."""
    rows = block.book.rows
    _find_clinics(rows["patients"], clinic_ids)
    _make_room(rows["sessions"])
    for row, changes in block.plan.changed:
        _change(row, [column for column, _old, _new in changes], clinic_ids)
    for name in IMPORT_ORDER:
        new = [row for row in rows[name] if row.held is None]
        if new:
            _write_sheet(SHEETS[name], raw.sheets[name].columns, new, clinic_ids, by, inserter)


def _note(checked: Checked, by: str, reason: str) -> None:
    counts = ", ".join(
        f"{name} {counts['created']}" for name, counts in checked.plan.counts.items() if counts["created"]
    )
    changed = f"; changed {len(checked.plan.changed)} rows, reason: {reason}" if checked.plan.changed else ""
    note_event("imported", by=by, detail=counts + changed)


# What is there and changes


def _make_room(rows: list[Row]) -> None:
    """Take the numbers from sessions whose number changes, so that no two ever share one."""
    moved = [
        row.held.pk
        for row in rows
        if row.held is not None and row.held.values["session_no"] != row.values["session_no"]
    ]
    for start in range(0, len(moved), CHUNK):
        TreatmentSession.objects.filter(pk__in=moved[start : start + CHUNK]).update(session_no=None)


def _change(row: Row, changed: list[Column], clinic_ids: dict[str, int]) -> None:
    """Change the fields of one row, unless somebody else changed it since it was read."""
    assert row.held is not None
    model: Any = apps.get_model(row.sheet.model)
    values: dict[str, Any] = {}
    for column in changed:
        if column.is_reference:
            reference = column.field.split("__")[0]
            values[f"{reference}_id"] = _referred(row, reference, clinic_ids)
        else:
            values[column.field] = row.values[column.name]
    if model is SideEffect:
        values |= _what_follows(SideEffect.objects.get(pk=row.held.pk), values)
    written = model.objects.filter(pk=row.held.pk, version=row.held.version)
    if not written.update(**values, version=F("version") + 1):
        raise _ChangedSince


def _what_follows(effect: SideEffect, values: dict[str, Any]) -> dict[str, Any]:
    """What no sheet has and yet hangs on a side effect's grade and seriousness."""
    follows: dict[str, Any] = {}
    if "grade" in values:
        # The answers gave the former grade.
        follows |= {"grade_answers": {}, "grade_reason": ""}
    if "serious" in values:
        known = {"sponsor_told_on": effect.sponsor_told_on, "serious_known_at": effect.serious_known_at}
        follows["serious_known_at"] = with_known_at(known | values, effect)["serious_known_at"]
        if not values["serious"]:
            follows["seriousness_criteria"] = []
    return follows


# What is new


def _created(checked: Checked) -> set[str]:
    return {name for name, counts in checked.plan.counts.items() if counts["created"]}


def _count_anew(sheets: Collection[str], inserter: Inserter) -> None:
    """Tell PostgreSQL how large the tables have become, in the beginning and in the end: it plans by that, and
    would take minutes for seconds' work, here or in the report, until it has counted by itself."""
    if sheets and connection.vendor == "postgresql":
        tables = ", ".join(sorted(apps.get_model(SHEETS[name].model)._meta.db_table for name in sheets))
        inserter.then(f"ANALYZE {tables}")


def _find_clinics(patients: list[Row], ids: dict[str, int]) -> None:
    """Note the ids of the clinics by code; those that are not there are made, in the default time zone."""
    codes = {row.values["clinic"] for row in patients} - ids.keys()
    ids.update(Clinic.objects.filter(code__in=codes).values_list("code", "pk"))
    for code in sorted(codes - ids.keys()):
        ids[code] = Clinic.objects.create(code=code, name=code, time_zone=settings.TIME_ZONE).pk


def _write_sheet(
    sheet: Sheet,
    given: Collection[str],
    rows: list[Row],
    clinic_ids: dict[str, int],
    by: str,
    inserter: Inserter,
) -> None:
    model: Any = apps.get_model(sheet.model)
    own = [column for column in sheet.columns if not column.is_reference]
    references = dict.fromkeys(column.field.split("__")[0] for column in sheet.columns if column.is_reference)
    everywhere = {column.field: empty_value(column) for column in own if column.name not in given}
    if sheet.name == "sessions":
        everywhere |= {"completed_at": timezone.now(), "completed_by": by}
    columns = {
        column.field: [row.values[column.name] for row in rows] for column in own if column.name in given
    }
    columns |= {f"{name}_id": [_referred(row, name, clinic_ids) for row in rows] for name in references}
    if sheet.name not in _PARENT_SHEETS:
        inserter.insert(model, columns, everywhere)
        return
    by_row = zip(*columns.values(), strict=True)
    made = [model(**dict(zip(columns, one, strict=True)), **everywhere) for one in by_row]
    model._base_manager.bulk_create(made, batch_size=CHUNK)
    for row, record in zip(rows, made, strict=True):
        row.pk = record.pk


def _referred(row: Row, name: str, clinic_ids: dict[str, int]) -> int | None:
    """The id of the row that this one refers to; None where it refers to none."""
    if name == "clinic":
        return clinic_ids[row.values[name]]
    if name == "protocol":
        assert row.known is not None
        return row.known.pk
    parent = getattr(row, name)
    return None if parent is None else parent.pk
