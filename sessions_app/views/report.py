"""The report: its page, and its files. Pseudonymous: study IDs only."""

from io import BytesIO
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from sessions_app.forms.report import ReportFilterForm
from sessions_app.report_figures import remission_bars, score_chart
from sessions_app.report_files import FORMATS
from sessions_app.report_page import notes_of, shown_tables
from sessions_app.reports import RIGHT, prepare, report_clinics, report_protocols
from stsclinic.access import require
from stsclinic.audit.services import note_event


@require(RIGHT)
@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """The report of a selection made by GET, as tables and figures."""
    form, clinics = _filter(request)
    context = {"form": form}
    if form.is_valid():
        prepared = prepare(request.user, form.selection, clinics)
        by_code = {table.code: table for table in prepared.tables}
        notes = notes_of(prepared.tables)
        shown = shown_tables(prepared.tables, notes, request.user, form.query, request.GET)
        context |= {
            "prepared": prepared,
            # Narrow tables that follow one another stand side by side.
            "groups": [list(group) for _, group in groupby(shown, key=lambda table: table.is_wide)],
            "notes": notes,
            "score_chart": score_chart(by_code["scores"]),
            "query": f"?{urlencode(form.query)}" if form.is_chosen else "",
            "remission_bars": remission_bars(by_code["remission"]),
        }
    return render(request, "sessions_app/report.html", context)


@require(RIGHT)
@require_safe
def report_download(request: HttpRequest, file_format: str) -> HttpResponse:
    """The same report as a file. The log keeps who took which selection."""
    if file_format not in FORMATS:
        raise Http404
    form, clinics = _filter(request)
    if not form.is_valid():
        return render(request, "sessions_app/report.html", {"form": form}, status=400)
    prepared = prepare(request.user, form.selection, clinics)
    ending, content_type, write = FORMATS[file_format]
    stream = BytesIO()
    write(prepared, stream)
    by = request.user.username
    note_event("report_downloaded", by=by, detail=f"{file_format}: {prepared.selection_words}")
    name = f"stsclinic-report-{timezone.localdate().isoformat()}.{ending}"
    return HttpResponse(
        stream.getvalue(),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filter(request):
    clinics = report_clinics(request.user)
    return ReportFilterForm(request.GET, clinics=clinics, protocols=report_protocols(clinics)), clinics
