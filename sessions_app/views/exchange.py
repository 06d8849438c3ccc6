"""The page of the import, and the empty workbook."""

import io

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.datasheets.template import write_template
from sessions_app.exchange import RIGHT, XLSX_TYPE, exchange_clinics
from sessions_app.forms.exchange import ImportForm
from stsclinic.access import require


@require(RIGHT)
@require_safe
def exchange(request: HttpRequest) -> HttpResponse:
    """The form by which sheets come."""
    return exchange_page(request)


@require(RIGHT)
@require_safe
def sheets_template(request: HttpRequest) -> HttpResponse:
    """The workbook to fill in, with lists to choose from, units and a worked example."""
    stream = io.BytesIO()
    write_template(stream)
    stream.seek(0)
    name = "stsclinic-sheets-template.xlsx"
    return FileResponse(stream, as_attachment=True, filename=name, content_type=XLSX_TYPE)


def exchange_page(request: HttpRequest, *, import_form: ImportForm | None = None) -> HttpResponse:
    """The page with the form."""
    context = {"clinics": exchange_clinics(request.user), "import_form": import_form or ImportForm()}
    return render(request, "sessions_app/exchange.html", context)
