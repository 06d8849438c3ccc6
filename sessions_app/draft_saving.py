"""What of that which was typed is written into a draft, when two people write on it, or an answer was lost?

A field is written over only where the person knows what stood there: the version that the person's page
has seen, or a text that the page itself sent before without hearing whether it arrived. So a save may be
sent twice, late or out of order, and never undoes what came after it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.utils import timezone

from sessions_app.concealed import concealed_for
from sessions_app.models import DraftField, SeriesLesion, SessionDraft
from sessions_app.sheet_fields import SheetFields
from stsclinic.clinical.alerts import MAY_BETRAY_ALLOCATION
from stsclinic.clinics.models import User

NOTE_OF_ALERT = "ack-"
"""The field of an alert's note is named by this and the alert's key."""
REASON = "reason"
"""The field of a correction's reason."""
LONGEST_NAME = 200
PUT_AT_ONCE = 100
"""Fields in one statement: no database takes values without end."""


class DraftClosed(Exception):
    """The draft was completed or discarded in between; nothing was written.

    Attributes:
        draft: the draft as it now is.
    """

    def __init__(self, draft: SessionDraft):
        super().__init__("This sheet was closed in between.")
        self.draft = draft


@dataclass(frozen=True)
class Typed:
    """What a person typed in one field, and what it may be written over.

    Attributes:
        value: the text, as typed.
        seen: the field's version that the person's page has seen; -1 for none.
        known: texts that it may replace, whatever their version.
        is_resent: the page sent another text before and heard nothing. It is then written even where the
            same stands there already, so that the earlier one cannot come after it.
    """

    value: str
    seen: int = -1
    known: frozenset[str] = frozenset()
    is_resent: bool = False

    def may_replace(self, there: DraftField) -> bool:
        """Whether the person knew of what stands there."""
        return there.version <= self.seen or there.value in self.known


@dataclass
class SavedFields:
    """What became of a save.

    Attributes:
        draft: the draft as it now is.
        written: the fields that now stand as they were typed.
        clashes: the fields where somebody else typed something in between; they were left as they are.
        standing: the fields that were sent, and those that changed since the version the page has seen.
    """

    draft: SessionDraft
    written: set[str] = field(default_factory=set)
    clashes: set[str] = field(default_factory=set)
    standing: dict[str, DraftField] = field(default_factory=dict)


def locked(draft: SessionDraft) -> SessionDraft:
    """The draft, held against others until the transaction ends.

    Raises:
        DraftClosed: it was completed or discarded in between.
    """
    draft = SessionDraft.objects.select_for_update().get(pk=draft.pk)
    if draft.state != "open":
        raise DraftClosed(draft)
    return draft


@transaction.atomic
def save_fields(
    *, draft: SessionDraft, typed: dict[str, Typed], by: User, since: int | None = None
) -> SavedFields:
    """Lock the draft, and do as `write_fields` does.

    Raises:
        DraftClosed: it was completed or discarded in between.
    """
    return write_fields(draft=locked(draft), typed=typed, by=by, since=since)


def write_fields(
    *, draft: SessionDraft, typed: dict[str, Typed], by: User, since: int | None = None
) -> SavedFields:
    """Keep what was typed in some fields of an open draft that the caller holds locked.

    The caller has seen to it that the fields are the sheet's.

    Args:
        since: the draft's version that the page has seen; None: what others changed is not asked for.
    """
    saved = SavedFields(draft, standing=_standing(draft, typed, since, by))
    now = timezone.now()
    changed = []
    for name, mine in typed.items():
        empty = DraftField(draft=draft, name=name, value="", version=0, by=by)
        there = saved.standing.setdefault(name, empty)
        if mine.value == there.value and not mine.is_resent:
            saved.written.add(name)
        elif mine.may_replace(there) or mine.value == there.value:
            row = DraftField(
                draft=draft, name=name, value=mine.value, version=draft.version + 1, by=by, at=now
            )
            changed.append(row)
            saved.written.add(name)
            saved.standing[name] = row
        else:
            saved.clashes.add(name)
    if changed:
        draft.version += 1
        put_fields(changed)
    if changed or draft.saved_at is None:
        draft.saved_at, draft.saved_by = now, by
        moment = connection.ops.adapt_datetimefield_value(now)
        with connection.cursor() as cursor:
            cursor.execute(_SAVED, [draft.version, moment, by.pk, draft.pk])
    return saved


def put_fields(rows: Sequence[DraftField]) -> None:
    """Write these fields, each over what stands in its draft under its name. By hand, as `_standing`."""
    for start in range(0, len(rows), PUT_AT_ONCE):
        some = rows[start : start + PUT_AT_ONCE]
        values = [
            value
            for row in some
            for value in (
                row.draft_id, row.name, row.value, row.version, row.by_id,
                connection.ops.adapt_datetimefield_value(row.at), row.is_carried, row.by_patient, row.instead_of,
            )
        ]  # fmt: skip
        places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(some))
        with connection.cursor() as cursor:
            cursor.execute(_PUT.format(places), values)


def changed_since(draft: SessionDraft, version: int, reader: User | None = None) -> dict[str, DraftField]:
    """The fields that changed after a version, by name. `reader`: who most likely wrote them, and need not be loaded."""
    return _standing(draft, (), version, reader)


def _standing(
    draft: SessionDraft, names: Collection[str], since: int | None, reader: User | None
) -> dict[str, DraftField]:
    """The fields of these names, and those that changed since a version. One query; a second where others wrote them.

    By hand, since it is asked with each field that somebody types: see sessions_app.draft_at_hand.
    """
    asked = [f"name IN ({', '.join(['%s'] * len(names))})"] if names else []
    asked += ["version > %s"] if since is not None else []
    if not asked:
        return {}
    values = [draft.pk, *names, *([] if since is None else [since])]
    rows = list(DraftField.objects.raw(_FIELDS.format(" OR ".join(asked)), values))
    known = {reader.pk: reader} if reader else {}
    known |= User.objects.in_bulk({row.by_id for row in rows} - set(known))
    for row in rows:
        row.by = known[row.by_id]
    return {row.name: row for row in rows}


_PUT = """
    INSERT INTO sessions_app_draftfield
        (draft_id, name, value, version, by_id, at, is_carried, by_patient, instead_of)
    VALUES {}
    ON CONFLICT (draft_id, name) DO UPDATE SET
        value = excluded.value, version = excluded.version, by_id = excluded.by_id, at = excluded.at,
        is_carried = excluded.is_carried, by_patient = excluded.by_patient, instead_of = excluded.instead_of
"""
_SAVED = "UPDATE sessions_app_sessiondraft SET version = %s, saved_at = %s, saved_by_id = %s WHERE id = %s"
_FIELDS = "SELECT * FROM sessions_app_draftfield WHERE draft_id = %s AND ({})"


class Holds:
    """Which fields a draft holds that the reader of its sheet may see and write."""

    def __init__(self, sheet: SheetFields):
        self._sheet = sheet

    def __contains__(self, name: str) -> bool:
        if name == REASON:
            return self._sheet.is_correction
        if not name.startswith(NOTE_OF_ALERT):
            return name in self._sheet
        code = name.removeprefix(NOTE_OF_ALERT).partition(":")[0]
        return len(name) <= LONGEST_NAME and (
            self._sheet.shows_allocation or code not in MAY_BETRAY_ALLOCATION
        )


def fields_held(draft: SessionDraft, user: User, lesion_keys: tuple[int, ...] | None = None) -> SheetFields:
    """The fields of a draft's sheet that this user may see and write. Two queries at most.

    Args:
        lesion_keys: the primary keys of the series' lesions, where they are loaded.
    """
    if lesion_keys is None:
        treated = SeriesLesion.objects.filter(series=draft.series_id).order_by()
        lesion_keys = tuple(treated.values_list("lesion_id", flat=True))
    return SheetFields(
        kind=draft.kind,
        definition=draft.series.protocol,
        lesion_keys=lesion_keys,
        shows_allocation=not concealed_for(user).hides_series(draft.series),
        is_correction=draft.corrects_id is not None,
    )
