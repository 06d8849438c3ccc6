"""Import and export of data sheets."""

import csv
import io
from tempfile import SpooledTemporaryFile

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import NoRoomInWorkbook, write_template
from sessions_app.datasheets.problems import ImportRefused
from sessions_app.exchange import (
    FORMATS,
    PROBLEM_HEADINGS,
    RIGHT,
    check_for,
    exchange_clinics,
    export_for,
    free_text_columns,
    import_for,
    problem_rows,
)
from sessions_app.forms.exchange import ExportForm, ImportForm
from stsclinic.access import require
from stsclinic.reporting.tables import Column, Table

SHOWN_PROBLEMS = 200
"""Errors, and warnings, that the page lists. The file holds all."""
IN_MEMORY = 8 * 1024 * 1024
"""Bytes of an export that are kept in memory; a larger one waits in a temporary file."""


@require(RIGHT)
@require_safe
def exchange(request: HttpRequest) -> HttpResponse:
    """Both forms: what leaves, and what comes."""
    return _page(request)


@require(RIGHT)
@require_POST
def export_sheets(request: HttpRequest) -> HttpResponse:
    """The data sheets as a file."""
    form = ExportForm(request.POST, clinics=exchange_clinics(request.user))
    if not form.is_valid():
        return _page(request, export_form=form)
    chosen = form.cleaned_data
    stream = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # the response closes it
    try:
        export_for(request.user, **chosen, stream=stream)
    except NoRoomInWorkbook as error:
        stream.close()
        form.add_error("file_format", str(error))
        return _page(request, export_form=form)
    stream.seek(0)
    ending = chosen["file_format"]
    return FileResponse(
        stream, as_attachment=True, filename=_file_name("sheets", ending), content_type=FORMATS[ending][1]
    )


@require(RIGHT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_sheets(request: HttpRequest) -> HttpResponse:
    """Check an upload, and import it unless only a check was asked for. By GET: the page with the form.

    Nothing is written unless all is well. The button `problems` gives what was found as a file.
    """
    if request.method != "POST":
        return _page(request)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, import_form=form)
    is_import = "import" in request.POST
    try:
        checked = import_for(request.user, form.raw) if is_import else check_for(request.user, form.raw)
    except ImportRefused as refusal:
        return _page(request, result=_result(refusal.errors, (), {}))
    if "problems" in request.POST:
        return _problems_file(checked.errors, checked.warnings)
    is_written = is_import and not checked.errors
    return _page(request, result=_result(checked.errors, checked.warnings, checked.counts, is_written))


@require(RIGHT)
@require_safe
def sheets_template(request: HttpRequest) -> HttpResponse:
    """An empty workbook with the sheets, and the meaning of each column beside its name."""
    stream = io.BytesIO()
    write_template(stream)
    stream.seek(0)
    name = "stsclinic-sheets-empty.xlsx"
    return FileResponse(stream, as_attachment=True, filename=name, content_type=FORMATS["xlsx"][1])


def _page(request, *, export_form=None, import_form=None, result=None):
    clinics = exchange_clinics(request.user)
    context = {
        "clinics": clinics,
        "export_form": export_form or ExportForm(clinics=clinics),
        "import_form": import_form or ImportForm(),
        "result": result,
        "free_text": free_text_columns(),
    }
    return render(request, "sessions_app/exchange.html", context)


def _result(errors, warnings, counts, is_written=False):
    made = [(SHEETS[name].label, count) for name, count in counts.items() if count]
    return {
        "is_written": is_written,
        "errors": len(errors),
        "warnings": len(warnings),
        "error_table": _problem_table("Errors", errors),
        "warning_table": _problem_table("Warnings", warnings),
        "errors_more": max(0, len(errors) - SHOWN_PROBLEMS),
        "warnings_more": max(0, len(warnings) - SHOWN_PROBLEMS),
        "made": Table("made", "Rows", (Column("sheet", "Sheet"), Column("rows", "Rows", "count")), made),
    }


def _problem_table(title, problems):
    is_error = title == "Errors"
    columns = [
        Column("sheet", "Sheet"),
        Column("row", "Row", "count"),
        Column("column", "Column"),
        Column("value", "Value"),
        Column("sentence", "What is wrong" if is_error else "What is unusual"),
    ]
    rows = [
        [
            one.sheet or "The file",
            "" if one.row is None else one.row,
            one.column,
            one.shown_value,
            one.sentence,
        ]
        for one in problems[:SHOWN_PROBLEMS]
    ]
    if is_error:
        columns.append(Column("valid", "What is valid"))
        rows = [[*row, one.valid] for row, one in zip(rows, problems, strict=False)]
    return Table(title.lower(), title, columns, rows)


def _problems_file(errors, warnings):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([PROBLEM_HEADINGS, *problem_rows(errors, warnings)])
    disposition = f'attachment; filename="{_file_name("problems", "csv")}"'
    return HttpResponse(
        text.getvalue(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


def _file_name(what: str, ending: str) -> str:
    """Neutral: no clinic and no patient."""
    return f"stsclinic-{what}-{timezone.localdate().isoformat()}.{ending}"
