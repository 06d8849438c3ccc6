"""One patient: who it is, every lesion, every series, what was given and what came of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import resolve, reverse
from django.views.decorators.http import require_safe

from lesions.at_hand import keep_at_hand
from lesions.banner import banner_of
from lesions.models import Patient
from lesions.selectors import get_patient
from sessions_app.enrolment import may_open_session
from sessions_app.overview import Overview, overview_of
from stsclinic.access import may, require
from stsclinic.audit.services import note_event
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinics.clock import today_in

ACTIONS = (
    ("Add a series", "series_new"),
    ("Add a lesion", "lesion_new"),
    ("Record a side effect", "side_effect_new"),
    ("Change the record", "patient_edit"),
    ("Identity", "patient_identity"),
    ("History", "patient_history"),
    ("Withdraw", "patient_withdraw"),
)
"""Label and URL name of what can be done with a patient; each is shown to those whom its view admits."""

RIGHTS = ("enrol", "change_records", "record_session", "correct", "see_photographs", "see_history")


@require("see_patients")
@require_safe
def patient(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient's page. Each look is logged."""
    row = get_patient(request.user, "see_patients", pk)
    keep_at_hand(row)
    found = overview_of(row, request.user, today_in(row.clinic))
    context = {
        **banner_of(request.user, row),
        "patient": row,
        "overview": found,
        "totals": _totals(found),
        "refusal": may_open_session(row),
        "actions": _actions(request.user, row),
        "rights": {right: may(request.user, right, row.clinic_id) for right in RIGHTS},
    }
    note_event("patient_viewed", by=request.user.username, patient_pk=row.pk)
    return render(request, "sessions_app/patient.html", context)


def _actions(user, row: Patient) -> list[dict]:
    """The links that lead this user somewhere, as .label and .url."""
    names = list(ACTIONS)
    if row.withdrawn_on:
        names = [(label, name) for label, name in names if name not in ("series_new", "patient_withdraw")]
    elif not row.consented_on and not row.not_enrolled_reason:
        names.insert(0, ("Decide on enrolment", "enrol_decide"))
    found = []
    for label, name in names:
        url = reverse(name, args=[row.pk])
        if may(user, resolve(url).func.right, row.clinic_id):
            found.append({"label": label, "url": url, "name": name})
    return found


def _totals(found: Overview) -> list[dict]:
    """What the patient was given in all, for components/stat_line.html."""
    total = found.total
    part = "of the open allocations" if found.is_concealed else ""
    given = (
        ("Volume injected", total.volume_ml, "ml", ""),
        ("Dose injected", total.dose_mg, "mg", part),
        ("1 ml syringes", total.syringes, "", part),
        ("Infused", total.infused_g, "g", ""),
    )
    return [
        {"label": label, "value": show_decimal(value), "unit": unit, "note": note}
        for label, value, unit, note in given
        if value is not None
    ]
