"""The report: its page, the rows behind its numbers, and its files. Pseudonymous: study IDs only.

What takes longer than a person should wait is made by a process of its own, whose page tells how far it is; a
page that was made so stands at its address until it is made anew, or for a day.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from sessions_app.export_jobs import KEPT_FOR, Busy, ask_report
from sessions_app.export_page import page_of
from sessions_app.models import ExportJob
from sessions_app.report_asked import (
    Asked,
    Made,
    NothingThere,
    chosen_from,
    filter_of,
    is_large,
    is_there,
    make,
    selection_words,
)
from sessions_app.reports import RIGHT
from sessions_app.selections import selection_in_a_line
from stsclinic.access import require
from stsclinic.audit.services import note_event


@require(RIGHT)
@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """The report of a selection made by GET, as tables and figures."""
    return _answer(request, Asked(what="page", query=request.GET.urlencode()))


@require(RIGHT)
@require_safe
def report_rows(request: HttpRequest, table: str, row: int, column: str) -> HttpResponse:
    """The rows behind one number of the report, by the codes of its table and column and its row, from 0."""
    return _answer(
        request, Asked(what="rows", names=(table, str(row), column), query=request.GET.urlencode())
    )


@require(RIGHT)
@require_safe
def report_download(request: HttpRequest, file_format: str) -> HttpResponse:
    """The same report as a file. The log keeps who took which selection."""
    return _answer(request, Asked(what="file", names=(file_format,), query=request.GET.urlencode()))


@require(RIGHT)
@require_safe
def report_figure(request: HttpRequest, figure: str, file_format: str) -> HttpResponse:
    """One figure of the report as an SVG, or as a PNG at 300 dots per inch."""
    return _answer(request, Asked(what="figure", names=(figure, file_format), query=request.GET.urlencode()))


def _answer(request: HttpRequest, asked: Asked) -> HttpResponse:
    if not is_there(asked):
        raise Http404
    form, clinics = filter_of(request.user, request.GET)
    if not form.is_valid():
        status = 200 if asked.what == "page" else 400
        return render(request, "sessions_app/report.html", {"form": form}, status=status)
    if is_large(asked, form, clinics):
        try:
            job = ask_report(chosen_from(request.user, asked, form, clinics), by=request.user)
        except Busy as error:
            messages.warning(request, error.message)
            return redirect("export", error.job.pk)
        if job.state == "done" and asked.is_page and (content := page_of(job)) is not None:
            return _page(request, asked, form, content, job)
        return redirect("export", job.pk)
    try:
        made = make(request.user, asked, form, clinics)
    except NothingThere as error:
        raise Http404 from error
    if asked.is_page:
        return _page(request, asked, form, made.content.decode())
    detail = f"{asked.log_words}: {selection_words(form)}"
    note_event("report_downloaded", by=request.user.username, detail=detail)
    return _file(made)


def _page(
    request: HttpRequest, asked: Asked, form, content: str, job: ExportJob | None = None
) -> HttpResponse:
    """A page with what was made for it, by a job where there was one."""
    context = {
        "form": form,
        # Django's own templates made it, of this user's report.
        "made": mark_safe(content),  # noqa: S308
        "chosen": selection_in_a_line(form.selection, dict(form.fields["clinic"].choices)),
        "job": job,
        "kept_until": job and job.finished_at and job.finished_at + KEPT_FOR,
    }
    template = "report.html" if asked.what == "page" else "report_rows.html"
    return render(request, f"sessions_app/{template}", context)


def _file(made: Made) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return HttpResponse(made.content, content_type=made.content_type, headers=headers)
