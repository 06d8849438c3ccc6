"""The page of the body map: one patient's lesions on the day of a visit."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lesions.banner import banner_of
from lesions.selectors import get_patient
from sessions_app.body_map import body_map
from stsclinic.access import may, require
from stsclinic.audit.services import note_event
from stsclinic.clinical.dates import show_date

LONGEST_NUMBER = 6
"""Digits of the number of a visit."""


@require("see_patients")
@require_safe
def patient_body_map(request: HttpRequest, pk: int) -> HttpResponse:
    """The lesions on the body on the day of `visit`, counted from 1; without it, of the last. Each look is logged."""
    patient = get_patient(request.user, "see_patients", pk)
    asked = request.GET.get("visit", "")
    is_number = asked.isascii() and asked.isdecimal() and len(asked) <= LONGEST_NUMBER
    found = body_map(patient, int(asked) if is_number else None)
    note_event("patient_viewed", by=request.user.username, patient_pk=patient.pk)
    may_change, may_enrol = (
        may(request.user, right, patient.clinic_id) for right in ("change_records", "enrol")
    )
    context = {
        **banner_of(request.user, patient),
        "patient": patient,
        "found": found,
        "words": [show_date(day) for day in found.days],
        "may_change": may_change,
        "may_enrol": may_enrol,
        "may_place": may_change or may_enrol,
        "printed_at": timezone.now(),
    }
    return render(request, "sessions_app/body_map.html", context)
