"""Drafts: a sheet being written, field by field, by one or more people, until it is completed or discarded."""

from dataclasses import dataclass, field, replace
from typing import cast

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from lesions.at_hand import keep_at_hand
from sessions_app.carried import carried_anew, carried_values, standing_in
from sessions_app.concealed import concealed_for
from sessions_app.draft_saving import DraftClosed, Typed, locked, put_fields, write_fields
from sessions_app.entries import Acknowledgement, SessionEntry
from sessions_app.models import DraftField, Photograph, Series, SessionDraft, TreatmentSession
from sessions_app.open_effects import unanswered
from sessions_app.services import arms_of, check_entry, check_new_entry, correct_session, write_session
from sessions_app.session_alerts import SheetAlerts, alerts_of_sheet, notes_in
from sessions_app.sheet import Reading, SheetPlan, plan_sheet, read_sheet
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import User


@dataclass(frozen=True)
class Conflict:
    """A field that somebody else changed to another value while this person typed."""

    name: str
    mine: str
    theirs: str
    by: str
    version: int
    """Of what stands there."""


@dataclass
class Saved:
    """What a save did: the draft, the conflicts, and what others changed meanwhile ({field: (value, user name)})."""

    draft: SessionDraft
    conflicts: list[Conflict] = field(default_factory=list)
    by_others: dict[str, tuple[str, str]] = field(default_factory=dict)


def open_draft(*, series: Series, kind: str, by: User) -> SessionDraft:
    """The open draft of a series, or a new one of this kind. A second click opens the same."""
    there = SessionDraft.objects.filter(series=series, state="open", corrects=None).first()
    if there:
        return there
    today = today_in(series.patient.clinic)
    plan = plan_sheet(series, kind, concealed=concealed_for(by))
    values = {"held_on": today.isoformat(), "performed_by": by.username}
    carried = carried_values(plan, today)
    try:
        return _new_draft(SessionDraft(series=series, kind=kind, opened_by=by), values, by, carried)
    except IntegrityError:
        return SessionDraft.objects.get(series=series, state="open", corrects=None)


def open_correction(*, session: TreatmentSession, by: User) -> SessionDraft:
    """The open correction of a completed session, or a new one that stands as the session is."""
    there = SessionDraft.objects.filter(corrects=session, state="open").first()
    if there:
        return there
    plan = plan_sheet(session.series, session.kind, concealed=concealed_for(by), corrects=session)
    draft = SessionDraft(
        series=session.series,
        kind=session.kind,
        corrects=session,
        corrects_version=session.version,
        opened_by=by,
    )
    try:
        return _new_draft(draft, {}, by, carried_values(plan, session.held_on))
    except IntegrityError:
        return SessionDraft.objects.get(corrects=session, state="open")


@transaction.atomic
def _new_draft(
    draft: SessionDraft, values: dict[str, str], by: User, carried: dict[str, str]
) -> SessionDraft:
    draft.save()
    DraftField.objects.bulk_create(
        DraftField(draft=draft, name=name, value=value, version=0, by=by, is_carried=name in carried)
        for name, value in (values | carried).items()
    )
    return draft


def plan_of(draft: SessionDraft, user: User) -> SheetPlan:
    """The plan of a draft's sheet, as this user may see it."""
    return plan_sheet(draft.series, draft.kind, concealed=concealed_for(user), corrects=draft.corrects)


def texts_of(draft: SessionDraft) -> dict[str, str]:
    """What stands in the draft's fields, as typed."""
    return dict(draft.fields.values_list("name", "value"))


@transaction.atomic
def save_draft(
    *, draft: SessionDraft, names: tuple[str, ...], typed: dict[str, str], loaded: dict[str, str], by: User
) -> Saved:
    """Lock the draft, and do as `write_sheet` does.

    Raises:
        DraftClosed: it was completed or discarded in between.
    """
    return write_sheet(draft=locked(draft), names=names, typed=typed, loaded=loaded, by=by)


def write_sheet(
    *, draft: SessionDraft, names: tuple[str, ...], typed: dict[str, str], loaded: dict[str, str], by: User
) -> Saved:
    """Keep a whole sheet in an open draft that the caller holds locked.

    So sends it a page that has no script to save by itself.

    Args:
        names: the sheet's fields; anything else in `typed` is left alone.
        typed: what the person's sheet says now.
        loaded: what the person's sheet said when it was loaded, so that an untouched field
            never overwrites what a colleague typed.
    """
    stood = texts_of(draft)
    theirs = set()
    mine = {}
    for name in names:
        text, base = typed.get(name, ""), loaded.get(name, "")
        if text == stood.get(name, ""):
            continue
        if text == base:
            theirs.add(name)
        else:
            mine[name] = Typed(text, known=frozenset({base}))
    saved = write_fields(draft=draft, typed=mine, by=by)
    written = draft.fields.filter(name__in=theirs).select_related("by")
    writers = {row.name: row.writer for row in written}
    by_others = {name: (stood.get(name, ""), writers.get(name, "")) for name in names if name in theirs}
    conflicts = []
    for name in sorted(saved.clashes, key=names.index):
        there = saved.standing[name]
        conflicts.append(Conflict(name, mine[name].value, there.value, there.writer, there.version))
    return Saved(saved.draft, conflicts, by_others)


@transaction.atomic
def carry_anew(*, draft: SessionDraft, plan: SheetPlan, by: User) -> dict[str, str]:
    """Let what nobody typed follow the day of the visit; give what changed, {field: text}.

    Raises:
        DraftClosed: it was completed or discarded in between.
    """
    draft = locked(draft)
    changed = carried_anew(plan, standing_in(draft))
    _carry(draft, changed, by)
    return changed


def _carry(draft: SessionDraft, changed: dict[str, str], by: User) -> None:
    if not changed:
        return
    draft.version += 1
    now = timezone.now()
    put_fields(
        [
            DraftField(
                draft=draft, name=name, value=value, version=draft.version, by=by, at=now, is_carried=True
            )
            for name, value in changed.items()
        ]
    )
    draft.save(update_fields=["version"])


def discard_draft(*, draft: SessionDraft, by: User) -> None:
    """Close a draft without a session. What was typed is kept in it.

    Raises:
        DraftClosed: it was completed or discarded in between.
    """
    with transaction.atomic():
        draft = locked(draft)
        draft.state, draft.saved_at, draft.saved_by = "discarded", timezone.now(), by
        draft.save(update_fields=["state", "saved_at", "saved_by"])


class AnotherSheetOpen(Exception):
    """Another sheet of the same series, or correction of the same session, is open."""


def reopen_draft(draft: SessionDraft) -> None:
    """Open a sheet again that was closed without a session; what was typed stands in it. An open one stays open.

    Raises:
        DraftClosed: a session came of it.
        AnotherSheetOpen: nothing was changed.
    """
    try:
        with transaction.atomic():
            draft = SessionDraft.objects.select_for_update().get(pk=draft.pk)
            if draft.state == "completed":
                raise DraftClosed(draft)
            draft.state = "open"
            draft.save(update_fields=["state"])
    except IntegrityError as error:
        raise AnotherSheetOpen from error


@dataclass
class Completion:
    """Whether a draft became a session, and if not, what stands in the way."""

    session: TreatmentSession | None = None
    reading: Reading = field(default_factory=Reading)
    alerts: SheetAlerts | None = None
    """None while errors keep it from being judged."""
    unacknowledged: frozenset[str] = frozenset()
    """Keys of the alerts that still need a note."""
    carried: dict[str, str] = field(default_factory=dict)
    """What nobody typed and had to follow first the day of the visit, or the session: to be read before it is logged."""
    is_overtaken: bool = False
    """Whether somebody else corrected the session since this correction was opened."""


def complete_draft(
    *,
    draft: SessionDraft,
    by: User,
    without_missing: bool,
    reason: str = "",
) -> Completion:
    """Make a session of a draft, or say what stands in the way. Sent twice, it logs one session.

    A note acknowledges an alert for the facts that were seen with it: when they have changed, it counts
    no more.

    Args:
        without_missing: the person leaves out knowingly what the protocol asks for.
        reason: why, for a correction.

    Raises:
        DraftClosed: it was completed or discarded in between.
        ValidationError: a correction without a reason.
    """
    with acting(by=by.username, source="page", reason=reason):
        # The patient first, as everywhere: what the alerts are told must still be so when it is written.
        draft = (
            SessionDraft.objects.select_for_update(of=("series__patient", "series", "self"))
            .select_related("series__patient__clinic", "series__protocol")
            .get(pk=draft.pk)
        )
        if draft.state != "open":
            raise DraftClosed(draft)
        keep_at_hand(draft.series.patient)
        plan = plan_of(draft, by)
        fields = standing_in(draft)
        if draft.corrects is None and (changed := carried_anew(plan, fields)):
            _carry(draft, changed, by)
            return Completion(carried=changed)
        texts = {row.name: row.value for row in fields}
        reading = read_sheet(
            plan,
            texts,
            carried=frozenset(row.name for row in fields if row.is_carried and draft.corrects is None),
        )
        if reading.entry is not None:
            check = check_new_entry if draft.corrects is None else check_entry
            reading.errors = check(draft.series, reading.entry, arms_of(plan.treated))
        if reading.errors or reading.entry is None:
            return Completion(reading=reading)
        alerts = alerts_of_sheet(plan, texts, reading, reading.entry.held_on)
        notes = notes_in(texts)
        open_keys = alerts.without_note(notes)
        if draft.corrects is None:
            reading.missing = unanswered(draft.series.patient, reading.entry.held_on) | reading.missing
        if open_keys or alerts.stopping or (reading.missing and not without_missing):
            return Completion(reading=reading, alerts=alerts, unacknowledged=open_keys)
        try:
            session = _write(draft, plan, reading.entry, alerts, notes, by, reason)
        except StaleRecord as stale:
            plan = replace(plan, corrects=cast(TreatmentSession, stale.theirs))
            return _overtaken(draft, carried_anew(plan, fields), plan, by)
        draft.state, draft.session, draft.saved_at, draft.saved_by = "completed", session, timezone.now(), by
        draft.save(update_fields=["state", "session", "saved_at", "saved_by"])
        taken = Photograph.objects.filter(draft=draft, session=None)
        taken.update(session=session, version=F("version") + 1)
    return Completion(session=session, reading=reading, alerts=alerts)


def _overtaken(draft: SessionDraft, changed: dict[str, str], plan: SheetPlan, by: User) -> Completion:
    """A correction goes on from its session as somebody else made it; what was typed stays."""
    _carry(draft, changed, by)
    draft.corrects_version = plan.corrects.version if plan.corrects else None
    draft.save(update_fields=["corrects_version"])
    return Completion(carried=changed, is_overtaken=True)


def _write(
    draft: SessionDraft,
    plan: SheetPlan,
    entry: SessionEntry,
    alerts: SheetAlerts,
    notes: dict[str, str],
    by: User,
    reason: str,
) -> TreatmentSession:
    lesion_ids = {lesion.lesion_id: lesion.pk for lesion in plan.lesions}
    acknowledgements = tuple(
        Acknowledgement(
            code=alert.code,
            facts=alert.reason,
            note=notes[alert.key].strip(),
            lesion=lesion_ids.get(alert.lesion_id),
        )
        for alert in alerts.shown
        if alert.needs_note and alert.key in alerts.due
    )
    entry = replace(entry, acknowledgements=acknowledgements)
    if draft.corrects is None:
        return write_session(series=draft.series, entry=entry, arms=arms_of(plan.treated), by=by.username)
    return correct_session(
        session=draft.corrects,
        entry=entry,
        seen_version=draft.corrects_version or 1,
        by=by.username,
        reason=reason,
    )
