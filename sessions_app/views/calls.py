"""Whom to ring today, and what came of it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lesions.selectors import get_patient
from sessions_app.calendar_file import calendar_of
from sessions_app.calls import calls_ahead, clinic_calls, note_ring, take_back
from sessions_app.models import CallAttempt
from sessions_app.selectors import sessions_for
from stsclinic.access import clinics_where, may, require
from stsclinic.audit.services import note_event
from stsclinic.clinics.clock import today_in

SAID = {
    "no_answer": "{patient}: no answer is noted. The call stays on the list.",
    "nothing": "{patient}: asked, nothing. The call is done.",
    "reported": "{patient}: that side effects were reported is noted. Write down what they are.",
    "spoke": "{patient}: the call about the visit is done.",
}


@require("make_calls")
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """Who is to be rung today, by clinic, the most urgent first."""
    return _page(request)


@require("make_calls")
@require_POST
def call_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Note what came of ringing one patient: `answer`, with the `key`s of the calls that were shown."""
    patient = get_patient(request.user, "make_calls", pk)
    answer, note = request.POST.get("answer", ""), request.POST.get("note", "")
    try:
        note_ring(
            patient=patient,
            keys=request.POST.getlist("key"),
            answer=answer,
            note=note,
            by=request.user.username,
        )
    except ValidationError as error:
        return _page(
            request,
            problem=" ".join(error.messages),
            problem_of=patient.study_id,
            refused_note=note,
            typed={pk: note},
        )
    messages.success(request, SAID[answer].format(patient=patient.study_id))
    if answer != "reported" or not may(request.user, "record_session", patient.clinic_id):
        return redirect("calls")
    return redirect(_form_address(request, patient.pk))


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
        return redirect("calls")
    try:
        take_back(attempt=attempt, by=request.user.username)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"{attempt.patient.study_id}: taken back.")
    return redirect("calls")


@require("make_calls")
@require_safe
def calls_calendar(request: HttpRequest) -> HttpResponse:
    """The calls of today and the next weeks as a calendar file, by study ID, without identity."""
    text = calendar_of(calls_ahead(request.user), timezone.now())
    note_event("exported", by=request.user.username, detail="calendar of calls")
    return HttpResponse(
        text,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="calls.ics"'},
    )


def _form_address(request: HttpRequest, patient_pk: int) -> str:
    """The form of a new side effect, with the session that the call was about where it is still there."""
    address = reverse("side_effect_new", args=[patient_pk])
    session = request.POST.get("session", "")
    own = sessions_for(request.user, "record_session").filter(series__patient=patient_pk)
    if session.isascii() and session.isdigit() and len(session) < 19 and own.filter(pk=session).exists():
        return f"{address}?session={session}"
    return address


def _page(request: HttpRequest, **context) -> HttpResponse:
    found = clinic_calls(request.user)
    return render(
        request,
        "sessions_app/calls.html",
        {
            "days": [day for day in found if not day.is_quiet],
            "quiet": [day for day in found if day.is_quiet],
            "may_record": clinics_where(request.user, "record_session"),
            "printed_at": timezone.now(),
            **context,
        },
    )
