"""What the session sheet's script asks while somebody types: keep these fields; what is new here; what alerts?"""

import datetime
import json

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from sessions_app.draft_at_hand import draft_at_hand
from sessions_app.draft_readers import note_here, others_here
from sessions_app.draft_saving import Holds, Typed, changed_since, fields_held, write_fields
from sessions_app.drafts import plan_of, texts_of
from sessions_app.models import DraftField, SessionDraft
from sessions_app.patient_scores import patients_words
from sessions_app.selectors import draft_to_write
from sessions_app.session_alerts import alerts_of_sheet, cards_of, notes_in
from sessions_app.sheet import read_sheet
from stsclinic.access import require
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import User
from stsclinic.clinics.sign_in import no_sign_of_life, renew

MANY = 2**31 - 1
"""More saves than a draft ever has; PostgreSQL's whole numbers end here."""


@require("see_patients")
@require_POST
def draft_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the fields that changed; answer with what now stands, and with what others typed since."""
    sent = _sent_fields(request)
    with transaction.atomic():
        at_hand = draft_at_hand(request.user, pk)
        if at_hand is None:
            raise Http404
        draft = at_hand.draft
        if refusal := _refused(request, draft):
            return refusal
        holds = Holds(fields_held(draft, request.user, at_hand.lesion_keys))
        typed = {name: value for name, value in sent.items() if name in holds}
        saved = write_fields(draft=draft, typed=typed, by=request.user, since=_whole(request, "since"))
        renew(request)
    return JsonResponse(
        {
            **_news(draft, request.user, draft.version, saved.standing, holds),
            "written": sorted(saved.written),
            "refused": sorted(set(sent) - set(typed)),
        }
    )


@no_sign_of_life
@require("see_patients")
@require_POST
def draft_watch(request: HttpRequest, pk: int) -> HttpResponse:
    """What others typed since the version that the page has seen, and who else is here; 204 for nothing new.

    The page asks by itself every few seconds, so it is no sign that somebody is there.
    """
    draft = draft_to_write(request.user, pk)
    if refusal := _refused(request, draft):
        return refusal
    note_here(
        draft=draft,
        user=request.user,
        shown_at=shown_at(request),
        has_typed=bool(request.POST.get("typed")),
    )
    company = others_here(draft, request.user)
    since = _whole(request, "since")
    if draft.version <= since and ",".join(company) == request.POST.get("company", ""):
        return HttpResponse(status=204)
    holds = Holds(fields_held(draft, request.user))
    news = _news(draft, request.user, draft.version, changed_since(draft, since, request.user), holds)
    return JsonResponse(news | {"company": company})


@no_sign_of_life
@require("see_patients")
@require_POST
def draft_alerts(request: HttpRequest, pk: int) -> HttpResponse:
    """What the alerts say of the sheet as it is kept now; the page asks by itself after a save."""
    draft = draft_to_write(request.user, pk)
    if refusal := _refused(request, draft):
        return refusal
    plan, values = plan_of(draft, request.user), texts_of(draft)
    patient = plan.series.patient
    alerts = alerts_of_sheet(plan, values, read_sheet(plan, values), today_in(patient.clinic))
    context = {"alert_cards": cards_of(alerts, notes_in(values)), "patient": patient}
    cards = render_to_string("sessions_app/sheet_alerts.html", context, request)
    return JsonResponse({"cards": cards, "words": alerts.words})


def _refused(request: HttpRequest, draft: SessionDraft) -> HttpResponse | None:
    """What one person typed is never kept under another's name, and nothing is kept in a closed sheet."""
    if request.POST.get("person", str(request.user.pk)) != str(request.user.pk):
        return JsonResponse({"other_person": True}, status=403)
    return _closed(draft) if draft.state != "open" else None


def _closed(draft: SessionDraft) -> JsonResponse:
    return JsonResponse(
        {
            "closed": {
                "is_completed": draft.state == "completed",
                "by": draft.saved_by.username if draft.saved_by else "",
                "at": _clock(draft, draft.saved_at),
                "url": reverse("draft", args=[draft.pk]),
            }
        }
    )


def _news(
    draft: SessionDraft, user: User, version: int, standing: dict[str, DraftField], holds: Holds
) -> dict:
    """The answer's common part; the hours are those of the clinic."""
    return {
        "at": _clock(draft, timezone.now()),
        "version": version,
        "fields": {
            name: {
                "value": row.value,
                "version": row.version,
                "by": row.writer,
                "is_mine": row.by_id == user.pk and not row.by_patient,
                "by_patient": patients_words(row, draft.series.patient.clinic.zone) if row.by_patient else "",
            }
            for name, row in standing.items()
            if name in holds
        },
    }


def _clock(draft: SessionDraft, moment: datetime.datetime | None) -> str:
    return f"{moment.astimezone(draft.series.patient.clinic.zone):%H:%M:%S}" if moment else ""


def _sent_fields(request: HttpRequest) -> dict[str, Typed]:
    """The fields of the request, {name: {value, seen, tried}}; what is malformed counts as not sent."""
    try:
        sent = json.loads(request.POST.get("fields", "{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(sent, dict):
        return {}
    return {
        _sound(name): typed
        for name, entry in sent.items()
        if isinstance(entry, dict) and (typed := _typed(entry)) is not None
    }


def _typed(entry: dict) -> Typed | None:
    value, seen, tried = entry.get("value"), entry.get("seen", -1), entry.get("tried", [])
    if not isinstance(value, str) or type(seen) is not int or not isinstance(tried, list):
        return None
    known = frozenset(_sound(text) for text in tried if isinstance(text, str))
    return Typed(_sound(value), seen=seen, known=known, is_resent=bool(known))


def _sound(text: str) -> str:
    """A text that every database takes, with one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\x00", "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return min(int(text), MANY) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def shown_at(request: HttpRequest) -> datetime.datetime | None:
    """When the page was made that the request comes from, as the page says."""
    try:
        found = parse_datetime(request.POST.get("shown", ""))
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
