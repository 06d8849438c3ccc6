"""Import of data sheets: an upload, its preview, and the import of what was previewed."""

import csv
import io
import uuid

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.marked import HEADINGS, TooLargeToMark, listed, write_marked
from sessions_app.datasheets.problems import ImportRefused
from sessions_app.datasheets.raw import RawSheets
from sessions_app.datasheets.reading import read_path
from sessions_app.exchange import RIGHT, XLSX_TYPE, allowed_to, check_for, import_for
from sessions_app.forms.exchange import ConfirmForm, ImportForm
from sessions_app.import_page import preview, row_of_file
from sessions_app.views.exchange import exchange_page
from sessions_app.waiting_uploads import Waiting, forget, keep, waiting
from stsclinic.access import require

GONE = "The file is no longer kept: it is deleted after an hour, and once it is imported. Choose it again."


@require(RIGHT)
@require_http_methods(["GET", "HEAD", "POST"])
def import_sheets(request: HttpRequest) -> HttpResponse:
    """Keep an upload that can be read, and lead to its preview. By GET: the page with the form."""
    if request.method != "POST":
        return exchange_page(request)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return exchange_page(request, import_form=form)
    return redirect("import_preview", keep(request.user, form.cleaned_data["file"]))


@require(RIGHT)
@require_safe
def import_preview(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """What an import of the upload would do, and the form that confirms it."""
    found = waiting(request.user, token)
    if found is None:
        return _gone(request)
    return _preview(request, found, ConfirmForm())


@require(RIGHT)
@require_POST
def import_confirm(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Import what was previewed; where it is not the same any more, show the new preview."""
    found = waiting(request.user, token)
    if found is None:
        return _gone(request)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _preview(request, found, form)
    digest, reason = form.cleaned_data["digest"], form.cleaned_data["reason"]
    try:
        checked = import_for(request.user, _read(found), digest=digest, reason=reason)
    except ImportRefused as refusal:
        form.add_error(None, " ".join(str(error) for error in refusal.errors[:3]))
        return _preview(request, found, form)
    if checked.errors or checked.plan.digest != digest:
        form.add_error(None, "The register changed since you saw the preview. Look at it again, then import.")
        return _preview(request, found, form)
    forget(token)
    plan = checked.plan
    messages.success(
        request,
        f"Imported: {_rows(len(plan.created))} new, {_rows(len(plan.changed))} changed."
        " The history shows you and the import.",
    )
    return redirect("exchange")


@require(RIGHT)
@require_POST
def import_discard(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Delete an upload that is not to be imported."""
    if waiting(request.user, token) is not None:
        forget(token)
        messages.success(request, "The file is deleted; nothing was imported.")
    return redirect("exchange")


@require(RIGHT)
@require_safe
def import_row(request: HttpRequest, token: uuid.UUID, sheet: str, row: int) -> HttpResponse:
    """One row of the upload, with what was found in it."""
    found = waiting(request.user, token)
    if found is None:
        return _gone(request)
    raw = _read(found)
    shown = row_of_file(raw, allowed_to(request.user), sheet, row) if sheet in SHEETS else None
    if shown is None:
        raise Http404
    problems, table = shown
    context = {"waiting": found, "problems": problems, "table": table}
    return render(request, "sessions_app/import_row.html", context)


@require(RIGHT)
@require_safe
def import_marked(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """The upload as a workbook in which everything that was found is marked."""
    found = waiting(request.user, token)
    if found is None:
        return _gone(request)
    raw = _read(found)
    stream = io.BytesIO()
    try:
        write_marked(stream, found.path, raw, check_for(request.user, raw))
    except TooLargeToMark:
        messages.warning(request, "The file is too large for a marked copy. Take the list as CSV.")
        return redirect("import_preview", token)
    stream.seek(0)
    name = _file_name("marked", "xlsx")
    return FileResponse(stream, as_attachment=True, filename=name, content_type=XLSX_TYPE)


@require(RIGHT)
@require_safe
def import_problems(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Everything that was found as CSV."""
    found = waiting(request.user, token)
    if found is None:
        return _gone(request)
    checked = check_for(request.user, _read(found))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([HEADINGS, *listed(checked)])
    disposition = f'attachment; filename="{_file_name("problems", "csv")}"'
    return HttpResponse(
        text.getvalue(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


def _read(found: Waiting) -> RawSheets:
    return read_path(found.path)


def _preview(request: HttpRequest, found: Waiting, form: ConfirmForm) -> HttpResponse:
    checked = check_for(request.user, _read(found))

    def link_to(sheet: str, row: int) -> str:
        return reverse("import_row", args=[found.token, sheet, row])

    shown = preview(checked, link_to)
    form.shows(shown["digest"])
    context = {"waiting": found, "form": form, "preview": shown}
    return render(request, "sessions_app/import_preview.html", context)


def _gone(request: HttpRequest) -> HttpResponse:
    messages.warning(request, GONE)
    return redirect("exchange")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _file_name(what: str, ending: str) -> str:
    """Neutral: no clinic and no patient."""
    return f"stsclinic-{what}-{timezone.localdate().isoformat()}.{ending}"
