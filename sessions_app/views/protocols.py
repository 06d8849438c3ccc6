"""Pages of protocols: the list, one version, and the making of a copy or a new version."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app.forms.protocols import ProtocolForm
from sessions_app.protocols import (
    alerts_reading,
    copy_protocol,
    make_new_version,
    protocol_clinics,
    protocols_seen,
    sections_of,
)
from stsclinic.access import require
from stsclinic.clinical.criteria import eligibility
from stsclinic.clinical.facts import PatientFacts


@require("see_protocols")
@require_safe
def protocols(request):
    """Every version of every protocol that one's clinics may use, with how many series use it."""
    return render(request, "sessions_app/protocols.html", {"rows": protocols_seen(request.user)})


@require("see_protocols")
@require_safe
def protocol(request, pk):
    """One version: all of its fields, its criteria, and the alerts that read it."""
    found = get_object_or_404(protocols_seen(request.user), pk=pk)
    definition = found.definition
    # The sentences of the criteria are the same for every patient and every day.
    criteria = eligibility(definition, PatientFacts(), (), date(2000, 1, 1)).criteria
    return render(
        request,
        "sessions_app/protocol.html",
        {
            "protocol": found,
            "sections": sections_of(definition),
            "criteria": [criterion.requirement for criterion in criteria],
            "alerts": alerts_reading(definition),
            "versions": protocols_seen(request.user).filter(code=found.code).exclude(pk=pk),
            "may_make": protocol_clinics(request.user, found).exists(),
        },
    )


@require("manage_protocols")
@require_http_methods(["GET", "HEAD", "POST"])
def protocol_new_version(request, pk):
    """A copy of a shipped protocol for one's clinic, or the next version of the clinic's own."""
    begins_from = get_object_or_404(protocols_seen(request.user), pk=pk)
    clinics = protocol_clinics(request.user, begins_from)
    if not clinics:
        raise Http404
    is_copy = begins_from.clinic_id is None
    form = ProtocolForm(
        request.POST if request.method == "POST" else None,
        begins_from=begins_from,
        clinics=clinics if is_copy else None,
    )
    if request.method == "POST" and form.is_valid():
        by = request.user.username
        try:
            if is_copy:
                data = form.cleaned_data
                made = copy_protocol(clinic=data["clinic"], code=data["code"], values=form.values, by=by)
            else:
                made = make_new_version(begins_from, values=form.values, by=by)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{made} is made.")
            return redirect("protocol", pk=made.pk)
    return render(
        request,
        "sessions_app/protocol_new_version.html",
        {"form": form, "begins_from": begins_from, "is_copy": is_copy},
    )
