"""The allocation of controlled protocols: closed or open, the act of opening it, and the reading room."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app.allocation import open_allocation
from sessions_app.allocation_list import allocations, openings_seen
from sessions_app.forms.allocation import OpeningForm
from stsclinic.access import require


@require("see_allocation")
@require_safe
def allocation(request):
    """Each controlled protocol of one's clinics: closed or open, since when, by whom and why."""
    return render(
        request,
        "sessions_app/allocation.html",
        {"rows": allocations(request.user), "openings": openings_seen(request.user)},
    )


@require("see_allocation")
@require_http_methods(["GET", "HEAD", "POST"])
def allocation_open(request):
    """Open a clinic's allocation, or one patient's in an emergency, with a reason. It cannot be closed again."""
    form = OpeningForm(
        request.POST if request.method == "POST" else None,
        rows=[row for row in allocations(request.user) if not row.is_open],
        initial={"of": request.GET.get("of", "")},
    )
    if request.method == "POST" and form.is_valid():
        row, patient = form.cleaned_data["of"], form.cleaned_data["patient"]
        try:
            open_allocation(
                clinic=row.clinic,
                protocol_code=row.code,
                patient=patient,
                reason=form.cleaned_data["reason"],
                by=request.user.username,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            what = f"for patient {patient.study_id}" if patient else f"for the whole clinic {row.clinic.name}"
            messages.success(request, f"The allocation of {row.code} is open {what}.")
            return redirect("allocation")
    return render(request, "sessions_app/allocation_open.html", {"form": form})


@require("score_as_observer")
@require_safe
def reading_room(request):
    """The observer's first page. Nothing is given to be scored yet, so it says so."""
    return render(request, "sessions_app/reading_room.html")
