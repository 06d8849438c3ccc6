"""Correcting a patient, and the patient's identity."""

from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lesions.forms.patient import IdentityForm, PatientForm
from lesions.models import PatientIdentity
from lesions.selectors import get_patient, identity_for
from lesions.services import change_patient, write_identity
from lesions.views.pages import posted, save_or_show
from stsclinic.access import may, require
from stsclinic.clinics.clock import today_in


@require("change_records")
@require_http_methods(["GET", "POST"])
def patient_edit(request, pk):
    """Change what is recorded of a patient under the study ID."""
    patient = get_patient(request.user, "change_records", pk)
    form = PatientForm(posted(request), record=patient, today=today_in(patient.clinic))
    return save_or_show(
        request,
        form,
        patient,
        save=lambda form: change_patient(
            patient=patient,
            values=form.values(),
            seen_version=form.cleaned_data["version"],
            by=request.user.username,
            reason=form.cleaned_data["reason"],
        ),
        after=lambda saved: ("Saved.", reverse("patient", args=[saved.pk])),
        title=f"Patient {patient.study_id}",
        history=("patient", patient.pk),
        can_be_struck_out=True,
    )


@require("see_identity")
@require_http_methods(["GET", "POST"])
def patient_identity(request, pk):
    """Name, date of birth, national number and telephone."""
    patient = get_patient(request.user, "enrol", pk)
    if not may(request.user, "see_identity", patient.clinic_id):
        raise Http404
    identity = identity_for(request.user, patient) or PatientIdentity(patient=patient)
    form = IdentityForm(posted(request), record=identity, today=today_in(patient.clinic))
    return save_or_show(
        request,
        form,
        patient,
        save=lambda form: write_identity(
            patient=patient,
            values={name: form.cleaned_data[name] for name in form.written},
            seen=form.cleaned_data["seen"],
            by=request.user.username,
            reason=form.cleaned_data["reason"],
        ),
        after=lambda _saved: ("Saved.", reverse("patient", args=[patient.pk])),
        title=f"Identity of {patient.study_id}",
        lead="Reports and exports never touch this.",
    )
