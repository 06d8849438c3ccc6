"""Whom to ring today, and what came of it."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lesions.models import Patient
from lesions.selectors import get_patient
from sessions_app.calendar_file import calendar_of
from sessions_app.calls import PATIENTS_PER_PAGE, ClinicCalls, calls_ahead, clinic_calls
from sessions_app.forms.side_effects import ObservationForm, is_key
from sessions_app.models import CallAttempt, SideEffect
from sessions_app.rings import EventAnswer, note_ring, take_back
from sessions_app.selectors import sessions_for
from sessions_app.side_effects import HOW
from stsclinic.access import clinics_where, may, require
from stsclinic.audit.services import note_event
from stsclinic.clinics.clock import today_in

SAID = {
    "no_answer": "{patient}: no answer is noted. The call stays on the list.",
    "nothing": "{patient}: asked, nothing new. The call is done.",
    "reported": "{patient}: that something new was told is noted. Write down what it is.",
    "spoke": "{patient}: the call about the visit is done.",
}
HOW_FIELD = "how-"
VERSION_FIELD = "version-"


@require("make_calls")
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """Who is to be rung today, by clinic, the most urgent first.

    The address may name one clinic by its code and a page of its list; `whole` is the whole list for paper.
    """
    return _page(request)


@require("make_calls")
@require_POST
def call_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Note what came of ringing one patient: `answer`, with the `key`s of the calls that were shown, and for
    each open side effect `how-` and its key."""
    patient = get_patient(request.user, "make_calls", pk)
    answer = request.POST.get("answer", "")
    try:
        events = _events(request, patient)
        note_ring(
            patient=patient,
            keys=request.POST.getlist("key"),
            answer=answer,
            note=request.POST.get("note", ""),
            events=events,
            by=request.user.username,
        )
    except ValidationError as error:
        return _page(request, refused=patient, error=error)
    worse = [event for event in events if event.how == "worse"]
    said = SAID[answer].format(patient=patient.study_id)
    if worse:
        said += (
            f" Say how much worse {'it is' if len(worse) == 1 else 'they are'}: until then the call stays."
        )
    messages.success(request, said)
    onward = _list_address(request)
    if answer == "reported" and may(request.user, "record_session", patient.clinic_id):
        onward = _form_address(request, patient.pk, onward)
    if worse:
        return redirect(_asking_how_much(worse, onward))
    return redirect(onward)


@require("make_calls")
@require_POST
def call_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what was noted today by mistake; the call is on the list again."""
    attempts = CallAttempt.objects.filter(
        patient__clinic__in=clinics_where(request.user, "make_calls"), patient__struck_out_at=None
    ).select_related("patient__clinic")
    attempt = get_object_or_404(attempts, pk=pk)
    if attempt.rang_on != today_in(attempt.patient.clinic):
        messages.error(request, "Only what was noted today can be taken back.")
        return redirect(_list_address(request))
    try:
        take_back(attempt=attempt, by=request.user.username)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"{attempt.patient.study_id}: taken back.")
    return redirect(_list_address(request))


@require("make_calls")
@require_safe
def calls_calendar(request: HttpRequest) -> HttpResponse:
    """The calls of today and the next weeks as a calendar file: by study ID, without identity or reason."""
    text = calendar_of(calls_ahead(request.user), timezone.now())
    note_event("exported", by=request.user.username, detail="calendar of calls")
    return HttpResponse(
        text,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="calls.ics"'},
    )


def _events(request: HttpRequest, patient: Patient) -> list[EventAnswer]:
    """How each open side effect is, as it was sent. Raises ValidationError for what cannot be."""
    sent = {
        int(name.removeprefix(HOW_FIELD)): how
        for name, how in request.POST.items()
        if name.startswith(HOW_FIELD) and is_key(name.removeprefix(HOW_FIELD)) and how in HOW
    }
    found, today = [], today_in(patient.clinic)
    for effect in SideEffect.objects.filter(patient=patient, pk__in=sent):
        how = sent[effect.pk]
        form = ObservationForm(
            {
                "how": how,
                "note": request.POST.get("note", ""),
                "version": request.POST.get(f"{VERSION_FIELD}{effect.pk}", ""),
            },
            effect=effect,
            today=today,
        )
        if not form.is_valid():
            raise ValidationError({f"{HOW_FIELD}{effect.pk}": [*_sentences(form)]})
        found.append(
            EventAnswer(effect=effect.pk, how=how, seen=form.seen(), version=form.cleaned_data["version"])
        )
    return found


def _sentences(form: ObservationForm) -> Iterable[str]:
    for name, errors in form.errors.items():
        for error in errors:
            yield f"{form[name].label}: {error}" if name in form.fields else str(error)


def _list_address(request: HttpRequest) -> str:
    """The list as it was shown: of one clinic, with the page."""
    kept = {name: request.GET[name] for name in ("clinic", "page") if request.GET.get(name)}
    return reverse("calls") + (f"?{urlencode(kept)}" if kept else "")


def _form_address(request: HttpRequest, patient_pk: int, onward: str) -> str:
    """The form of a new side effect, with the session that the call was about where it is still there."""
    query = {"next": onward}
    session = request.POST.get("session", "")
    own = sessions_for(request.user, "record_session").filter(series__patient=patient_pk)
    if is_key(session) and own.filter(pk=session).exists():
        query = {"session": session} | query
    return f"{reverse('side_effect_new', args=[patient_pk])}?{urlencode(query)}"


def _asking_how_much(worse: Sequence[EventAnswer], onward: str) -> str:
    """The pages of what is worse one after the other, then on to where the way goes."""
    for event in reversed(worse):
        onward = (
            f"{reverse('side_effect', args=[event.effect])}?{urlencode({'how': 'worse', 'next': onward})}"
        )
    return onward


def _page(
    request: HttpRequest, *, refused: Patient | None = None, error: ValidationError | None = None
) -> HttpResponse:
    is_whole = "whole" in request.GET
    code, page = request.GET.get("clinic", ""), request.GET.get("page", "")
    found = clinic_calls(request.user, code=code, page=None if is_whole else int(page) if is_key(page) else 1)
    context = {"problem_of": "", "problems": [], "refused_note": ""}
    if refused is not None and error is not None:
        context = {
            "problem_of": refused.study_id,
            "problems": _put_back(request, found, refused, error),
            "refused_note": request.POST.get("note", ""),
        }
    return render(
        request,
        "sessions_app/calls.html",
        context
        | {
            "days": [day for day in found if not day.is_quiet],
            "quiet": [day for day in found if day.is_quiet],
            "may_record": clinics_where(request.user, "record_session"),
            "how": HOW,
            "query": request.GET.urlencode(),
            "is_whole": is_whole,
            "is_one_clinic": bool(code),
            "has_pages": any(day.pages > 1 for day in found),
            "per_page": PATIENTS_PER_PAGE,
        },
    )


def _put_back(
    request: HttpRequest, days: Iterable[ClinicCalls], refused: Patient, error: ValidationError
) -> list[str]:
    """Put what was typed and what is wrong with it on the card again; what has no place there is returned."""
    beside = error.message_dict if hasattr(error, "error_dict") else {}
    shown = set()
    for row in (row for day in days for row in day.rows if row.patient_pk == refused.pk):
        row.note = request.POST.get("note", "")
        for event in row.events:
            name = f"{HOW_FIELD}{event.effect.pk}"
            event.how = request.POST.get(name, "")
            event.problem = " ".join(beside.get(name, ()))
            shown.add(name)
    if not beside:
        return list(error.messages)
    return [
        *(message for name, messages in beside.items() if name not in shown for message in messages),
        *(["Say how each open side effect is."] if shown & beside.keys() else []),
    ]
