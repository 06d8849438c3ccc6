"""What of that which was typed is written into a draft, when two people write on it, or an answer was lost?

A field is written over only where the person knows what stood there: the version that the person's page
has seen, or a text that the page itself sent before without hearing whether it arrived. So a save may be
sent twice, late or out of order, and never undoes what came after it.
"""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from lesions.models import Lesion
from sessions_app.concealed import Concealed, concealed_for
from sessions_app.models import DraftField, SeriesLesion, SessionDraft
from sessions_app.sheet import SheetPlan
from stsclinic.clinical.alerts import MAY_BETRAY_ALLOCATION
from stsclinic.clinics.models import User

NOTE_OF_ALERT = "ack-"
"""The field of an alert's note is named by this and the alert's key."""
REASON = "reason"
"""The field of a correction's reason."""
LONGEST_NAME = 200
WRITTEN = ("value", "version", "by", "at", "is_carried", "by_patient", "instead_of")
"""The columns of a field that are written over with its text."""


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
    """Keep what was typed in some fields. The caller has seen to it that the fields are the sheet's.

    Args:
        since: the draft's version that the page has seen; None: what others changed is not asked for.

    Raises:
        DraftClosed: it was completed or discarded in between.
    """
    draft = locked(draft)
    saved = SavedFields(draft, standing=_standing(draft, set(typed), since))
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
        DraftField.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["draft", "name"],
            update_fields=WRITTEN,
        )
    if changed or draft.saved_at is None:
        draft.saved_at, draft.saved_by = now, by
        draft.save(update_fields=["version", "saved_at", "saved_by"])
    return saved


def changed_since(draft: SessionDraft, version: int) -> dict[str, DraftField]:
    """The fields that changed after a version, by name."""
    return _standing(draft, set(), version)


def _standing(draft: SessionDraft, names: set[str], since: int | None) -> dict[str, DraftField]:
    rows = draft.fields.select_related("by")
    named = rows.filter(name__in=names)
    found = named if since is None else named | rows.filter(version__gt=since)
    return {row.name: row for row in found}


class Holds:
    """Which fields a draft holds that this user may see and write. Two queries at most."""

    def __init__(self, draft: SessionDraft, user: User):
        is_controlled = draft.series.protocol.is_controlled
        treated = SeriesLesion.objects.filter(series=draft.series_id).values_list("lesion_id", flat=True)
        plan = SheetPlan(
            series=draft.series,
            kind=draft.kind,
            definition=draft.series.protocol.definition,
            lesions=tuple(Lesion(pk=pk) for pk in treated),
            # Nothing is kept from anybody where there is no allocation to close.
            concealed=concealed_for(user) if is_controlled else Concealed(frozenset(), frozenset()),
            corrects=draft.corrects,
        )
        self._shows_allocation = plan.shows_allocation
        self._names = frozenset(plan.field_names) | ({REASON} if draft.corrects_id else set())

    def __contains__(self, name: str) -> bool:
        if not name.startswith(NOTE_OF_ALERT):
            return name in self._names
        code = name.removeprefix(NOTE_OF_ALERT).partition(":")[0]
        return len(name) <= LONGEST_NAME and (self._shows_allocation or code not in MAY_BETRAY_ALLOCATION)
