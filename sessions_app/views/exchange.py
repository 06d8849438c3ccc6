"""Export of data sheets, and the page of both forms."""

import io
from tempfile import SpooledTemporaryFile

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sessions_app.datasheets.exporting import NoRoomInWorkbook
from sessions_app.datasheets.template import write_template
from sessions_app.exchange import (
    FORMATS,
    RIGHT,
    XLSX_TYPE,
    exchange_clinics,
    export_for,
    free_text_columns,
)
from sessions_app.forms.exchange import ExportForm, ImportForm
from stsclinic.access import require

IN_MEMORY = 8 * 1024 * 1024
"""Bytes of an export that are kept in memory; a larger one waits in a temporary file."""


@require(RIGHT)
@require_safe
def exchange(request: HttpRequest) -> HttpResponse:
    """Both forms: what leaves, and what comes."""
    return exchange_page(request)


@require(RIGHT)
@require_POST
def export_sheets(request: HttpRequest) -> HttpResponse:
    """The data sheets as a file."""
    form = ExportForm(request.POST, clinics=exchange_clinics(request.user))
    if not form.is_valid():
        return exchange_page(request, export_form=form)
    chosen = form.cleaned_data
    stream = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # the response closes it
    try:
        export_for(request.user, **chosen, stream=stream)
    except NoRoomInWorkbook as error:
        stream.close()
        form.add_error("file_format", str(error))
        return exchange_page(request, export_form=form)
    stream.seek(0)
    ending = chosen["file_format"]
    return FileResponse(
        stream, as_attachment=True, filename=_file_name("sheets", ending), content_type=FORMATS[ending][1]
    )


@require(RIGHT)
@require_safe
def sheets_template(request: HttpRequest) -> HttpResponse:
    """The workbook to fill in, with lists to choose from, units and a worked example."""
    stream = io.BytesIO()
    write_template(stream)
    stream.seek(0)
    name = "stsclinic-sheets-template.xlsx"
    return FileResponse(stream, as_attachment=True, filename=name, content_type=XLSX_TYPE)


def exchange_page(
    request: HttpRequest, *, export_form: ExportForm | None = None, import_form: ImportForm | None = None
) -> HttpResponse:
    """The page with both forms."""
    clinics = exchange_clinics(request.user)
    context = {
        "clinics": clinics,
        "export_form": export_form or ExportForm(clinics=clinics),
        "import_form": import_form or ImportForm(),
        "free_text": free_text_columns(),
    }
    return render(request, "sessions_app/exchange.html", context)


def _file_name(what: str, ending: str) -> str:
    """Neutral: no clinic and no patient."""
    return f"stsclinic-{what}-{timezone.localdate().isoformat()}.{ending}"
