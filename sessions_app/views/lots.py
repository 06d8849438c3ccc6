"""Recalled lots: the list, who got one, and striking one out."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app.forms.lots import RecalledLotForm
from sessions_app.recalled_lots import (
    SHOWN_RECIPIENTS,
    enter_lot,
    leaves_out,
    lot_rows,
    lots_for,
    recipients,
    strike_out_lot,
)
from stsclinic.access import clinics_where, may, require


@require("recall_lots")
@require_http_methods(["GET", "HEAD", "POST"])
def lots(request: HttpRequest) -> HttpResponse:
    """The recalled lots of the user's clinics, and the form for another."""
    form = RecalledLotForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            lot = enter_lot(**form.cleaned_data, by=request.user.username)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Lot {lot.lot_number} is entered as recalled. Below is who got it.")
            return redirect("lot", pk=lot.pk)
    clinics = clinics_where(request.user, "recall_lots")
    return render(
        request,
        "sessions_app/lots.html",
        {"form": form, "rows": lot_rows(request.user), "leaves_out": leaves_out(request.user, clinics)},
    )


@require("recall_lots")
@require_safe
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """Who got a recalled lot."""
    row = get_object_or_404(lots_for(request.user), pk=pk)
    found = recipients(request.user, row)
    return render(
        request,
        "sessions_app/lots_recipients.html",
        {
            "lot": row,
            "rows": found[:SHOWN_RECIPIENTS],
            "more": max(0, len(found) - SHOWN_RECIPIENTS),
            "patients": len({one.patient_pk for one in found}),
            "leaves_out": leaves_out(request.user, [row.clinic_id]),
            "may_see_patients": may(request.user, "see_patients", row.clinic_id),
            "printed_at": timezone.now(),
        },
    )


@require("recall_lots")
@require_http_methods(["GET", "HEAD", "POST"])
def lot_strike_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Strike out a recall that was entered by mistake, with a reason."""
    row = get_object_or_404(lots_for(request.user), pk=pk)
    reason, error = request.POST.get("reason", ""), ""
    if request.method == "POST":
        try:
            strike_out_lot(row, by=request.user.username, reason=reason)
        except ValidationError as refused:
            error = refused.messages[0]
        else:
            messages.success(request, f"The recall of lot {row.lot_number} was struck out.")
            return redirect("lots")
    return render(
        request, "sessions_app/lots_strike_out.html", {"lot": row, "reason": reason, "error": error}
    )
