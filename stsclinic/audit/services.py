"""The three ways in which a clinical row comes to change: written, changed, struck out."""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from stsclinic.audit.acting import acting
from stsclinic.audit.models import Audited, ClinicalRecord, Event

Row = TypeVar("Row", bound=Audited)
Record = TypeVar("Record", bound=ClinicalRecord)


class StaleRecord(Exception):
    """Somebody else changed the row since it was read.

    Attributes:
        theirs: the row as it now is.
    """

    def __init__(self, theirs: models.Model):
        super().__init__("Somebody else changed this since you opened it.")
        self.theirs = theirs


def write_new(record: Row, *, by: str, source: str = "page", reason: str = "") -> Row:
    """Check and insert a new row, with its history.

    Raises:
        ValidationError: a field or a constraint refuses the row; nothing was written.
    """
    record.full_clean()
    with acting(by=by, source=source, reason=reason):
        record.save(force_insert=True)
    return record


def change(
    record: Row,
    values: dict,
    *,
    by: str,
    seen_version: int | None,
    source: str = "page",
    reason: str = "",
) -> Row:
    """Change fields of a row that the user saw as `seen_version` (None: whatever it is now).

    Raises:
        StaleRecord: somebody changed it in between; nothing was written.
        ValidationError: a field or a constraint refuses the values; nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        now = type(record)._base_manager.select_for_update().get(pk=record.pk)
        if isinstance(now, ClinicalRecord):
            if seen_version is not None and now.version != seen_version:
                raise StaleRecord(now)
            if now.struck_out_at:
                raise ValidationError("This was struck out and cannot be changed.")
        changed = [name for name, value in values.items() if getattr(now, name) != value]
        if not changed:
            return now
        for name in changed:
            setattr(now, name, values[name])
        now.full_clean()
        if isinstance(now, ClinicalRecord):
            now.version += 1
            changed.append("version")
        now.save(update_fields=changed)
    return now


def strike_out(record: Record, *, by: str, reason: str, source: str = "page") -> Record:
    """Strike a mistaken row out; it stays readable.

    Raises:
        ValidationError: no reason was given, or it was struck out before.
    """
    if not reason.strip():
        raise ValidationError("Say why this is struck out.")
    with acting(by=by, source=source, reason=reason):
        now = type(record).everything.select_for_update().get(pk=record.pk)
        if now.struck_out_at:
            raise ValidationError("This was struck out before.")
        now.struck_out_at = timezone.now()
        now.struck_out_by = by
        now.struck_out_reason = reason.strip()
        now.version += 1
        now.save()
    return now


def note_event(kind: str, *, by: str, patient_pk: int | None = None, detail: str = "") -> None:
    """Log an act that changes no clinical row. `detail` holds no identity."""
    Event.objects.create(kind=kind, actor=by, patient_pk=patient_pk, detail=detail)
