"""The history of a patient and of one record; striking a mistake out, and the patients struck out."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from lesions.banner import banner_of
from lesions.models import Patient
from lesions.views.pages import posted
from sessions_app.forms.history import StrikeOutForm
from sessions_app.history import (
    KINDS,
    history_of_patient,
    history_of_record,
    patient_of,
    patient_with_history,
    record_for,
    struck_out_patients,
)
from sessions_app.striking import patient_of as patient_of_struck
from sessions_app.striking import (
    record_to_strike_out,
    strike_out_record,
    what_prevents,
    what_stays,
    words_of,
)
from stsclinic.access import require
from stsclinic.templatetags.clinic import moment

LARGEST_KEY = 2**63 - 1


@require("see_history")
@require_GET
def patient_history(request, pk):
    """Everything that changed about a patient, the newest first."""
    patient = patient_with_history(request.user, pk)
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
            if isinstance(record, Patient):
                return redirect("patient_history", patient.pk)
            return redirect("patient", patient.pk)
    context = {
        "patient": patient,
        "form": form,
        "words": words_of(record),
        "prevented": what_prevents(record),
        "stays": what_stays(record),
        **banner_of(request.user, patient),
    }
    return render(request, "sessions_app/strike_out.html", context)


@require("correct")
@require_GET
def patients_struck_out(request):
    """The patients who were struck out, the last first: each leads to its whole history."""
    rows, older = struck_out_patients(request.user, _before(request))
    here = reverse("patients_struck_out")
    context = {
        "rows": rows,
        "older_url": f"{here}?before={older}" if older else "",
        "newest_url": here if "before" in request.GET else "",
    }
    return render(request, "sessions_app/patients_struck_out.html", context)


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
        "struck_words": f"This patient was struck out on {moment(patient.struck_out_at)} by {patient.struck_out_by}"
        if patient.struck_out_at
        else "",
        **banner_of(request.user, patient),
    }
    return render(request, "sessions_app/history.html", context)
