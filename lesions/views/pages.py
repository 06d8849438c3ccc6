"""What the pages of records share: the form's page, the conflict, the way on."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from lesions.banner import banner_of
from lesions.forms.base import RecordForm
from lesions.models import Patient
from stsclinic.audit.services import StaleRecord


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, even if nothing was, or None for a page that is only read."""
    return request.POST if request.method == "POST" else None


def record_page(
    request: HttpRequest, form: RecordForm, patient: Patient | None, *, title: str, **context
) -> HttpResponse:
    """The page of one form."""
    if patient is not None:
        context |= banner_of(request.user, patient) | {"patient": patient}
        context["is_being_enrolled"] = not patient.series.exists()
    context |= {"form": form, "title": title}
    return render(request, context.pop("template", "lesions/record_form.html"), context)


def save_or_show(request: HttpRequest, form: RecordForm, patient: Patient | None, *, save, after, **page):
    """Save a posted form and go on, or show it with what refuses it.

    Args:
        save: called with the valid form; may raise ValidationError or StaleRecord.
        after: called with what `save` returned; gives (message, address).
    """
    if form.is_bound and form.is_valid():
        try:
            saved = save(form)
        except StaleRecord as stale:
            again, differences = form.newly_based_on(stale.theirs)
            return record_page(request, again, patient, differences=differences, is_conflict=True, **page)
        except ValidationError as error:
            form.refuse(error)
        else:
            message, address = after(saved)
            messages.success(request, message)
            return redirect(address)
    return record_page(request, form, patient, **page)
