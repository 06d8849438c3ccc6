"""Write checked data sheets into the database: all of them, or nothing."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F
from django.utils import timezone

from sessions_app.datasheets.book import PARENTS, Row
from sessions_app.datasheets.checking import ANYTHING_NEW, Allowed, Checked, check
from sessions_app.datasheets.columns import IMPORT_ORDER, SHEETS, Sheet
from sessions_app.datasheets.inserting import insert_rows
from sessions_app.datasheets.problems import ImportRefused, Problem
from sessions_app.datasheets.raw import RawSheets
from sessions_app.models import SideEffect, TreatmentSession
from sessions_app.seriousness import with_known_at
from stsclinic.audit.acting import acting
from stsclinic.audit.services import note_event
from stsclinic.clinics.models import Clinic

CHUNK = 500
_PARENT_OF_SHEET = {sheet: parent for parent, (sheet, _columns) in PARENTS.items()}


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

    Args:
        by: the user name, or the command's name, that history shows.
        source: `import` or `command`.
        reason: why patients who are there are changed; history keeps it at every row.
        agrees: whether what the check found may be written; if not, nothing is.

    Returns:
        What was checked, and written unless it does not agree.

    Raises:
        ImportRefused: there are errors; nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        checked = check(raw, allowed)
        if agrees(checked):
            import_checked(checked, by=by, source=source, reason=reason)
    return checked


def import_checked(checked: Checked, *, by: str, source: str, reason: str = "") -> None:
    """Import what a check let through: change what is there, and add what is new.

    Raises:
        ImportRefused: the check has errors, or the database changed since; nothing was written.
    """
    if checked.errors:
        raise ImportRefused(checked.errors)
    try:
        with acting(by=by, source=source, reason=reason):
            ids: dict[str, dict[Any, int]] = {
                "clinic": _clinic_ids(checked),
                "protocol": checked.protocol_ids,
            }
            _make_room(checked.rows["sessions"])
            for name in IMPORT_ORDER:
                _note_ids(SHEETS[name], checked.rows[name], ids)
            for row, changes in checked.plan.changed_rows:
                _change(row, {change.column.name for change in changes}, ids)
            for name in IMPORT_ORDER:
                new = [row for row in checked.rows[name] if row.held is None]
                _write_sheet(SHEETS[name], new, ids, by)
            _count_anew()
            _note(checked, by, reason)
    except (DatabaseError, _ChangedSince) as error:
        sentence = "The database refused the rows: something changed since they were checked. Import again."
        raise ImportRefused([Problem(sentence=sentence)]) from error


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


def _note_ids(sheet: Sheet, rows: list[Row], ids: dict[str, dict[Any, int]]) -> None:
    parent = _PARENT_OF_SHEET.get(sheet.name)
    if parent:
        there = ids.setdefault(parent, {})
        for row in rows:
            if row.held is not None:
                there[row.key(PARENTS[parent][1])] = row.held.pk


def _change(row: Row, changed: set[str], ids: dict[str, dict[Any, int]]) -> None:
    """Change the fields of one row, unless somebody else changed it since it was read."""
    assert row.held is not None
    model: Any = apps.get_model(row.sheet.model)
    values: dict[str, Any] = {}
    for name in changed:
        column = row.sheet.column(name)
        assert column is not None
        if column.is_reference:
            reference = column.field.split("__")[0]
            values[f"{reference}_id"] = _referred(row, reference, ids)
        else:
            values[column.field] = row.values[name]
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


def _count_anew() -> None:
    """Tell PostgreSQL how large the tables have become: it plans the report's joins by that, and would
    take minutes for seconds' work until it has counted by itself."""
    if connection.vendor == "postgresql":
        tables = ", ".join(apps.get_model(SHEETS[name].model)._meta.db_table for name in IMPORT_ORDER)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


def _clinic_ids(checked: Checked) -> dict[str, int]:
    """The ids of the clinics by code; those that are not there are made, in the default time zone."""
    codes = sorted({row.values["clinic"] for row in checked.rows["patients"]})
    ids = dict(Clinic.objects.filter(code__in=codes).values_list("code", "pk"))
    for code in codes:
        if code not in ids:
            ids[code] = Clinic.objects.create(code=code, name=code, time_zone=settings.TIME_ZONE).pk
    return ids


def _write_sheet(sheet: Sheet, rows: list[Row], ids: dict[str, dict[Any, int]], by: str) -> None:
    model: Any = apps.get_model(sheet.model)
    own = {column.field: column.name for column in sheet.columns if not column.is_reference}
    references = dict.fromkeys(column.field.split("__")[0] for column in sheet.columns if column.is_reference)
    extra = {"completed_at": timezone.now(), "completed_by": by} if sheet.name == "sessions" else {}
    names = [*own, *(f"{name}_id" for name in references), *extra]

    def values_of(row: Row) -> list[Any]:
        there = [row.values[name] for name in own.values()]
        return [*there, *(_referred(row, name, ids) for name in references), *extra.values()]

    parent = _PARENT_OF_SHEET.get(sheet.name)
    if parent is None:
        insert_rows(model, names, map(values_of, rows))
        return
    written = ids.setdefault(parent, {})
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        made = [model(**dict(zip(names, values_of(row), strict=True))) for row in chunk]
        model._base_manager.bulk_create(made)
        for row, record in zip(chunk, made, strict=True):
            written[row.key(PARENTS[parent][1])] = record.pk


def _referred(row: Row, name: str, ids: dict[str, dict[Any, int]]) -> int | None:
    """The id of the row that this one refers to; None where it refers to none."""
    if name == "protocol":
        return ids[name][row.key(PARENTS["series"][1])]
    if name in PARENTS:
        key = row.parent_key(name)
        return None if key is None else ids[name][key]
    return ids[name][row.values[name]]
