"""What changed on the server while a sheet lay: shown first to the person who opens it again.

Facts of the patient count from the moment at which the page was made on which the person last typed;
the sheet's own fields from the person's last typing, since what a colleague typed before was seen arrive.
"""

import datetime
from dataclasses import dataclass
from typing import cast

from django.db.models import Field, QuerySet

from lesions.models import Lesion, Medication, Patient
from sessions_app.history import Entry, changes_since, label_of
from sessions_app.models import DraftReader, Series, SeriesLesion, SessionDraft, SideEffect, TreatmentSession
from sessions_app.sheet import VOCABULARIES, SheetPlan
from sessions_app.sheet_page import label_of as field_label
from stsclinic.clinics.models import User
from stsclinic.statement import Given, statement

COUNTS = {
    "patient": (
        Patient,
        ("consented_on", "withdrawn_on", "sts_hypersensitivity", "pregnant", "breast_feeding", "raynaud"),
    ),
    "medication": (Medication, ("dose", "started_on", "stopped_on")),
    "lesion": (Lesion, ("body_site", "laterality")),
    "series": (Series, ("status", "stop_reason")),
    "series_lesion": (SeriesLesion, ()),
    "session": (TreatmentSession, ("held_on", "ptga", "phga")),
    "side_effect": (SideEffect, ("grade", "onset_on", "resolved_on", "serious")),
}
"""The kinds of record (sessions_app.history.KINDS) that count, and what is told of each. A change of a record
that touches none of these is no news; that one was made or struck out always is."""
TOLD = {"Created": "recorded", "Changed": "changed", "Struck out": "struck out"}


@dataclass(frozen=True)
class Item:
    """One thing that changed: what, how, by whom and when."""

    what: str
    how: str
    by: str
    at: datetime.datetime


@dataclass(frozen=True)
class News:
    """What changed since a moment, and what that moment was."""

    title: str
    since: datetime.datetime
    items: tuple[Item, ...]


def news_of(draft: SessionDraft, plan: SheetPlan, user: User) -> News | None:
    """What a person has not seen of a sheet that is opened again; None where there is nothing.

    What the person did elsewhere is no news, and a closed allocation stays closed.
    """
    mark = _reading().first(draft=draft.pk, user=user.pk)
    items: list[Item] = []
    if mark is not None and mark.typed_at is not None:
        title, since, facts_since = (
            "Since you last had this sheet",
            mark.typed_at,
            mark.shown_at or mark.typed_at,
        )
        items = _of_fields(draft, plan, user, since)
    else:
        title, since = "Since this sheet was last saved", draft.saved_at or draft.opened_at
        facts_since = since
    changes = changes_since(user, plan.series.patient, COUNTS, facts_since, but_by=user.username)
    items = [item for entry in changes if (item := _of_entry(entry))] + items
    return News(title, since, tuple(items)) if items else None


@statement
def _reading() -> QuerySet[DraftReader]:
    return DraftReader.objects.filter(draft=Given("draft"), user=Given("user"))


def _of_entry(entry: Entry) -> Item | None:
    model, names = COUNTS[entry.kind]
    counted = {label_of(cast(Field, model._meta.get_field(name))) for name in names}
    told = [
        f"{field.label.lower()} {field.new}" + (f", before {field.old}" if entry.action == "Changed" else "")
        for field in entry.fields
        if field.label in counted
    ]
    if entry.action == "Changed" and not told:
        return None
    return Item(
        f"{entry.record} {TOLD.get(entry.action, entry.action.lower())}",
        "; ".join(told),
        entry.actor,
        entry.at,
    )


def _of_fields(draft: SessionDraft, plan: SheetPlan, user: User, since: datetime.datetime) -> list[Item]:
    names = plan.field_names
    rows = draft.fields.filter(at__gt=since, name__in=names).select_related("by")
    return [
        Item(field_label(plan, row.name), _in_words(row.name, row.value), row.writer, row.at)
        for row in sorted(rows, key=lambda row: names.index(row.name))
        if row.by_patient or row.by_id != user.pk
    ]


def _in_words(name: str, value: str) -> str:
    words = VOCABULARIES.get(name.split("-", 2)[-1].removeprefix("all-"), {})
    return words.get(value, value) or "emptied"
