"""The page of the body map: one patient's lesions on the day of a visit."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lesions.banner import banner_of
from lesions.moves import last_move
from lesions.selectors import get_patient
from sessions_app.body_map import body_map
from sessions_app.forms.side_effects import is_key
from stsclinic.access import may, require
from stsclinic.audit.services import note_event
from stsclinic.clinical.dates import show_date


@require("see_patients")
@require_safe
def patient_body_map(request: HttpRequest, pk: int) -> HttpResponse:
    """The lesions on the body on the day of `visit`, counted from 1; without it, of the last. Each look is logged.

    Of the lesion that was `moved` just now it says from where to where.
    """
    patient = get_patient(request.user, "see_patients", pk)
    visit, moved = (_number(request.GET.get(name, "")) for name in ("visit", "moved"))
    found = body_map(patient, visit)
    note_event("patient_viewed", by=request.user.username, patient_pk=patient.pk)
    may_change, may_enrol = (
        may(request.user, right, patient.clinic_id) for right in ("change_records", "enrol")
    )
    lesions = {row.lesion.pk: row.lesion for row in found.rows}
    moved_lesion = lesions.get(moved) if may_change else None
    context = {
        **banner_of(request.user, patient),
        "patient": patient,
        "found": found,
        "words": [show_date(day) for day in found.days],
        "may_change": may_change,
        "may_enrol": may_enrol,
        "may_place": may_change or may_enrol,
        "moved": moved_lesion and last_move(moved_lesion),
        "printed_at": timezone.now(),
    }
    return render(request, "sessions_app/body_map.html", context)


def _number(text: str) -> int | None:
    return int(text) if is_key(text) else None
