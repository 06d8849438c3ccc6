"""Write checked data sheets into the database: all of them, or nothing."""

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from sessions_app.datasheets.book import PARENTS, Row
from sessions_app.datasheets.checking import Checked, check
from sessions_app.datasheets.columns import IMPORT_ORDER, SHEETS, Sheet
from sessions_app.datasheets.problems import ImportRefused, Problem
from sessions_app.datasheets.reading import RawSheets
from stsclinic.audit.acting import acting
from stsclinic.audit.services import note_event
from stsclinic.clinics.models import Clinic

CHUNK = 500
_PARENT_OF_SHEET = {sheet: parent for parent, (sheet, _columns) in PARENTS.items()}


def import_sheets(raw: RawSheets, *, by: str, source: str, clinics: Collection[str] | None = None) -> Checked:
    """Check and import in one transaction, so that nothing changes in between.

    Args:
        by: the user name, or the command's name, that history shows.
        source: `import` or `command`.
        clinics: see `check`.

    Raises:
        ImportRefused: there are errors; nothing was written.
    """
    with acting(by=by, source=source):
        checked = check(raw, clinics=clinics)
        import_checked(checked, by=by, source=source)
    return checked


def import_checked(checked: Checked, *, by: str, source: str) -> None:
    """Import what a check let through.

    Raises:
        ImportRefused: the check has errors, or the database changed since; nothing was written.
    """
    if checked.errors:
        raise ImportRefused(checked.errors)
    try:
        with acting(by=by, source=source):
            ids: dict[str, dict[Any, int]] = {
                "clinic": _clinic_ids(checked),
                "protocol": checked.protocol_ids,
            }
            for name in IMPORT_ORDER:
                _write_sheet(SHEETS[name], checked.rows[name], ids, by)
            _count_anew()
            counts = ", ".join(f"{name} {count}" for name, count in checked.counts.items() if count)
            note_event("imported", by=by, detail=counts)
    except DatabaseError as error:
        sentence = "The database refused the rows: something changed since they were checked. Import again."
        raise ImportRefused([Problem(sentence=sentence)]) from error


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
    own = [column for column in sheet.columns if not column.is_reference]
    references = dict.fromkeys(column.field.split("__")[0] for column in sheet.columns if column.is_reference)
    extra = {"completed_at": timezone.now(), "completed_by": by} if sheet.name == "sessions" else {}
    parent = _PARENT_OF_SHEET.get(sheet.name)
    written = ids.setdefault(parent, {}) if parent else {}
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        made = [
            model(
                **{column.field: row.values[column.name] for column in own},
                **{f"{name}_id": _referred(row, name, ids) for name in references},
                **extra,
            )
            for row in chunk
        ]
        model._base_manager.bulk_create(made)
        if parent:
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
