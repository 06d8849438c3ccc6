"""Export: the form, how far the work is, and the files at the end. A large report is made in the same way."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from sessions_app.dataout.plan import Plan
from sessions_app.exchange import EXPORT_RIGHT, exchange_clinics, export_clinics
from sessions_app.export_jobs import KEPT_FOR, ask, ask_again, cancel, note_fetched
from sessions_app.export_page import export_of, exports_of, file_of
from sessions_app.forms.export import ExportForm
from sessions_app.reports import RIGHT as REPORT_RIGHT
from sessions_app.reports import report_protocols
from stsclinic.access import require


@require(EXPORT_RIGHT)
@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """The form, and one's own latest exports. The address may hold the selection of a report."""
    form = _form(request)
    return _page(request, _form(request, form.chosen_in(request.GET)) if request.GET else form)


@require(EXPORT_RIGHT)
@require_POST
def export_new(request: HttpRequest) -> HttpResponse:
    """Ask for an export; a process of its own makes it."""
    form = _form(request, request.POST)
    if form.is_valid():
        try:
            job = ask(form.plan, by=request.user, reason=form.cleaned_data["reason"].strip())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("export", job.pk)
    return _page(request, form)


@require(REPORT_RIGHT)
@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """One export or large report: what was chosen, how far it is, its files. A page that was made is shown."""
    shown = export_of(request.user, pk)
    if shown.is_page and shown.condition == "done":
        return (HttpResponseClientRedirect if request.htmx else redirect)(shown.address)
    return render(request, "sessions_app/export.html", {"export": shown})


@require(REPORT_RIGHT)
@require_POST
def export_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop an export that is under way."""
    cancel(export_of(request.user, pk).job)
    return redirect("export", pk)


@require(REPORT_RIGHT)
@require_POST
def export_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Start an export anew that stopped, failed or was cancelled."""
    try:
        ask_again(export_of(request.user, pk).job)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("export", pk)


@require(REPORT_RIGHT)
@require_safe
def export_file(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A file of one's own export or report. The log keeps that it was fetched."""
    job, path = file_of(request.user, pk, name)
    stream = path.open("rb")
    if request.method == "GET":
        note_fetched(job, name)
    filename = name if job.kind == "report" else f"stsclinic-{job.asked_at:%Y-%m-%d}-{name}"
    return FileResponse(stream, as_attachment=True, filename=filename)


def _form(request, data=None):
    clinics = export_clinics(request.user)
    return ExportForm(
        data,
        clinics=clinics,
        protocols=report_protocols(clinics),
        as_recorded=[one.code for one in exchange_clinics(request.user)],
    )


def _page(request, form):
    clinics = tuple(one.code for one in export_clinics(request.user))
    context = {
        "form": form,
        "exports": exports_of(request.user),
        "left_out": [
            (sheet.label, column.label)
            for sheet, column in Plan(clinics=clinics, formats=()).left_out
            if column.is_free_text
        ],
        "kept_hours": KEPT_FOR.days * 24,
    }
    return render(request, "sessions_app/exports.html", context)
