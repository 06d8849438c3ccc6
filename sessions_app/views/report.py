"""The report: its page, the rows behind its numbers, and its files. Pseudonymous: study IDs only."""

from io import BytesIO

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.forms.report import ReportFilterForm
from sessions_app.report_files import FORMATS, NOT_SHARED
from sessions_app.report_page import address, lanes_from, notes_of, shown_sections, shown_tables
from sessions_app.report_pdf import PICTURES
from sessions_app.reports import RIGHT, Prepared, prepare, report_clinics, report_protocols
from stsclinic.access import clinics_where, require
from stsclinic.audit.services import note_event
from stsclinic.drawing import footed
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
        drawn = figures(prepared.tables, lanes_from(request.GET))
        context |= {
            "prepared": prepared,
            "may_export": bool(clinics_where(request.user, "export_data")),
            "sections": shown_sections(prepared.tables, drawn, notes, request.user, form.query, request.GET),
            "notes": notes,
            "query": address("report", form.query).removeprefix(address("report", {})),
            "share_query": address("report", form.query, share=1).removeprefix(address("report", {})),
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
    counted = next((one for one in of.columns if one.code == column), None) if of else None
    found = of.behind(row, column) if of and counted and row < len(of.rows) else None
    if of is None or counted is None or found is None:
        raise Http404
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
    for_sharing = _is_for_sharing(request)
    if for_sharing and file_format in NOT_SHARED:
        raise Http404
    prepared = prepare(
        request.user, form.selection, clinics, stated_on=form.stated_on, for_sharing=for_sharing
    )
    ending, content_type, write = FORMATS[file_format]
    stream = BytesIO()
    write(prepared, stream)
    _log(request, prepared, file_format)
    return _file(prepared, "report", ending, content_type, stream.getvalue())


@require(RIGHT)
@require_safe
def report_figure(request: HttpRequest, figure: str, file_format: str) -> HttpResponse:
    """One figure of the report as an SVG, or as a PNG at 300 dots per inch."""
    form, clinics = _filter(request)
    if file_format not in PICTURES:
        raise Http404
    if not form.is_valid():
        return render(request, "sessions_app/report.html", {"form": form}, status=400)
    prepared = prepare(
        request.user,
        form.selection,
        clinics,
        stated_on=form.stated_on,
        for_sharing=_is_for_sharing(request),
    )
    found = figures(prepared.tables, lanes_from(request.GET))
    drawn = next((one for one in found if one.code == figure), None)
    if drawn is None:
        raise Http404
    content_type, draw = PICTURES[file_format]
    _log(request, prepared, f"{figure}.{file_format}")
    return _file(prepared, figure, file_format, content_type, draw(footed(drawn, prepared.foot)))


def _is_for_sharing(request: HttpRequest) -> bool:
    return request.GET.get("share") == "1"


def _log(request: HttpRequest, prepared: Prepared, what: str) -> None:
    sharing = " for sharing" if prepared.is_for_sharing else ""
    note_event(
        "report_downloaded", by=request.user.username, detail=f"{what}{sharing}: {prepared.selection_words}"
    )


def _file(prepared: Prepared, what: str, ending: str, content_type: str, content: bytes) -> HttpResponse:
    sharing = "-for-sharing" if prepared.is_for_sharing else ""
    name = f"stsclinic-{what}{sharing}-{prepared.stated_on.isoformat()}.{ending}"
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filter(request):
    clinics = report_clinics(request.user)
    return ReportFilterForm(request.GET, clinics=clinics, protocols=report_protocols(clinics)), clinics
