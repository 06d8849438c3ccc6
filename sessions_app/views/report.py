"""The report: its page, the rows behind its numbers, and its files. Pseudonymous: study IDs only."""

from io import BytesIO

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.forms.report import ReportFilterForm
from sessions_app.report_files import FORMATS
from sessions_app.report_page import address, notes_of, shown_sections, shown_tables
from sessions_app.reports import RIGHT, prepare, report_clinics, report_protocols
from stsclinic.access import require
from stsclinic.audit.services import note_event
from stsclinic.reporting.figures import figures
from stsclinic.reporting.tables import cell_text
from stsclinic.reporting.tables.behind import rows_behind


@require(RIGHT)
@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """The report of a selection made by GET, as tables and figures."""
    form, clinics = _filter(request)
    context = {"form": form}
    if form.is_valid():
        prepared = prepare(request.user, form.selection, clinics, stated_on=form.stated_on)
        notes = notes_of(prepared.tables)
        drawn = figures(prepared.tables)
        context |= {
            "prepared": prepared,
            "sections": shown_sections(prepared.tables, drawn, notes, request.user, form.query, request.GET),
            "notes": notes,
            "query": address("report", form.query).removeprefix(address("report", {})),
        }
    return render(request, "sessions_app/report.html", context)


@require(RIGHT)
@require_safe
def report_rows(request: HttpRequest, table: str, row: int, column: str) -> HttpResponse:
    """The rows behind one number of the report, by the codes of its table and column and its row, from 0."""
    form, clinics = _filter(request)
    if not form.is_valid():
        return render(request, "sessions_app/report.html", {"form": form}, status=400)
    prepared = prepare(request.user, form.selection, clinics, stated_on=form.stated_on)
    of = next((one for one in prepared.tables if one.code == table), None)
    found = of.behind(row, column) if of and row < len(of.rows) else None
    if of is None or found is None:
        raise Http404
    counted = next(one for one in of.columns if one.code == column)
    words = [
        cell_text(one, value)
        for one, value in zip(of.columns, of.rows[row], strict=True)
        if not one.is_number and value not in (None, "")
    ]
    listed = rows_behind(prepared.report, found)
    where = table, str(row), column
    (shown,) = shown_tables([listed], [], request.user, form.query, request.GET, of=where)
    context = {
        "of": of,
        "words": words,
        "column": counted,
        "value": cell_text(counted, of.value(row, column)),
        "shown": shown,
        "about": prepared.about,
        "back": f"{address('report', form.query)}#part-{table}",
    }
    return render(request, "sessions_app/report_rows.html", context)


@require(RIGHT)
@require_safe
def report_download(request: HttpRequest, file_format: str) -> HttpResponse:
    """The same report as a file. The log keeps who took which selection."""
    if file_format not in FORMATS:
        raise Http404
    form, clinics = _filter(request)
    if not form.is_valid():
        return render(request, "sessions_app/report.html", {"form": form}, status=400)
    prepared = prepare(request.user, form.selection, clinics, stated_on=form.stated_on)
    ending, content_type, write = FORMATS[file_format]
    stream = BytesIO()
    write(prepared, stream)
    by = request.user.username
    note_event("report_downloaded", by=by, detail=f"{file_format}: {prepared.selection_words}")
    name = f"stsclinic-report-{prepared.stated_on.isoformat()}.{ending}"
    return HttpResponse(
        stream.getvalue(),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filter(request):
    clinics = report_clinics(request.user)
    return ReportFilterForm(request.GET, clinics=clinics, protocols=report_protocols(clinics)), clinics
