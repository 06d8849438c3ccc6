"""The history of a patient and of one record; striking a mistake out."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from lesions.banner import banner_of
from lesions.selectors import get_patient
from lesions.views.pages import posted
from sessions_app.forms.history import StrikeOutForm
from sessions_app.history import KINDS, history_of_patient, history_of_record, patient_of, record_for
from sessions_app.striking import patient_of as patient_of_struck
from sessions_app.striking import record_to_strike_out, strike_out_record, what_prevents, words_of
from stsclinic.access import require

LARGEST_KEY = 2**63 - 1


@require("see_history")
@require_GET
def patient_history(request, pk):
    """Everything that changed about a patient, the newest first."""
    patient = get_patient(request.user, "see_history", pk)
    page = history_of_patient(request.user, patient, _before(request))
    return _shown(
        request, patient, page, f"History of {patient.study_id}", reverse("patient_history", args=[pk])
    )


@require("see_history")
@require_GET
def record_history(request, kind, pk):
    """What changed of one record, the newest first."""
    record = record_for(request.user, kind, pk)
    patient = patient_of(kind, record)
    page = history_of_record(request.user, kind, record, _before(request))
    title = f"History: {KINDS[kind].words.lower()}" + ("" if kind == "patient" else f" {record}")
    return _shown(request, patient, page, title, reverse("record_history", args=[kind, pk]))


@require("correct")
@require_http_methods(["GET", "POST"])
def strike_out(request, kind, pk):
    """Strike a mistake out, with a reason. It stays readable in the history."""
    record = record_to_strike_out(request.user, kind, pk)
    patient = patient_of_struck(record)
    form = StrikeOutForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            strike_out_record(record, by=request.user.username, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "It is struck out, and stays readable in the history.")
            return redirect("patient", patient.pk)
    context = {
        "patient": patient,
        "form": form,
        "words": words_of(record),
        "prevented": what_prevents(record),
        **banner_of(request.user, patient),
    }
    return render(request, "sessions_app/strike_out.html", context)


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    return min(int(text), LARGEST_KEY) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _shown(request: HttpRequest, patient, page, title: str, address: str):
    context = {
        "patient": patient,
        "page": page,
        "title": title,
        "older_url": f"{address}?before={page.older}" if page.older else "",
        "newest_url": address if "before" in request.GET else "",
        **banner_of(request.user, patient),
    }
    return render(request, "sessions_app/history.html", context)
