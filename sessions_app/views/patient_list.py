"""The list of patients."""

from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from sessions_app.forms.patient_list import FindForm
from sessions_app.patient_list import choices_for, find_patients
from stsclinic.access import may, require


@require("see_patients")
@require_http_methods(["GET", "POST"])
def patients(request):
    """Find patients as one types. POST finds and changes nothing; an address narrows nothing."""
    with_names = may(request.user, "see_identity")
    choices = choices_for(request.user)
    form = FindForm(request.POST if request.method == "POST" else {}, choices=choices, with_names=with_names)
    wanted = form.wanted()
    page = find_patients(request.user, wanted)
    part = "sessions_app/patients_found.html" if request.htmx else "sessions_app/patients.html"
    context = {
        "form": form,
        "page": page,
        "wanted": wanted,
        "with_names": with_names,
        "may_enrol": may(request.user, "enrol"),
        "may_correct": may(request.user, "correct"),
        "has_clinics": len(choices["clinic"]) > 1,
    }
    return render(request, part, context)
