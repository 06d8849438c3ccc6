"""Photographs: sent, and served to those who may see them."""

from http import HTTPStatus

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_permissions_policy.decorators import permissions_policy_override

from lesions.models import Lesion
from lesions.selectors import get_lesion
from lesions.views.pages import save_or_show
from sessions_app.forms.photographs import CHOOSE_AGAIN, PhotographForm
from sessions_app.forms.side_effects import is_key
from sessions_app.models import Photograph, SessionDraft, TreatmentSession
from sessions_app.photographs import CONTENT_TYPE, name_of, store_photograph, thumbnail_name_of
from sessions_app.selectors import photographs_for
from stsclinic.access import require
from stsclinic.audit.services import note_event
from stsclinic.clinics.clock import today_in

SHOWN_EARLIER = 6


@require("record_session")
@permissions_policy_override(settings.PERMISSIONS_POLICY | {"camera": "self"})
@require_http_methods(["GET", "HEAD", "POST"])
def photograph_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a photograph of a lesion; the one page that may use the camera. The address may name the `session` or the `draft` that it belongs to."""
    lesion = get_lesion(request.user, "record_session", pk)
    asked = request.POST if request.method == "POST" else request.GET
    session = _belongs(TreatmentSession, lesion, asked.get("session", ""))
    draft = _belongs(SessionDraft, lesion, asked.get("draft", ""))
    posted = request.method == "POST"
    form = PhotographForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        today=today_in(lesion.patient.clinic),
        initial={"taken_on": session.held_on if session else today_in(lesion.patient.clinic)},
    )

    def save(form: PhotographForm) -> Photograph:
        return store_photograph(
            lesion=lesion,
            file=form.file,
            taken_on=form.cleaned_data["taken_on"],
            session=session,
            draft=draft,
            by=request.user.username,
        )

    back = _back(lesion, session, draft)
    answer = save_or_show(
        request,
        form,
        lesion.patient,
        save=save,
        after=lambda _row: (f"The photograph of {lesion.lesion_id} was kept.", back),
        title=f"Photograph of {lesion.lesion_id}",
        template="sessions_app/photograph_form.html",
        lesion=lesion,
        session=session,
        draft=draft,
        back=back,
        earlier=photographs_for(request.user, "see_photographs")
        .filter(lesion=lesion)
        .order_by("-taken_on", "-pk")[:SHOWN_EARLIER],
    )
    return (
        _in_short(answer, form) if posted and request.headers.get("Accept") == "application/json" else answer
    )


def _in_short(answer: HttpResponse, form: PhotographForm) -> JsonResponse:
    """The same for the page's script, which stays on the page and so still has the file: where to go, or what is wrong."""
    if answer.status_code == HTTPStatus.FOUND:
        return JsonResponse({"next": answer.headers["Location"]})
    errors = {name: [words for words in said if words != CHOOSE_AGAIN] for name, said in form.errors.items()}
    return JsonResponse({"errors": {name: said for name, said in errors.items() if said}})


@require("see_photographs")
@require_safe
def photograph(request: HttpRequest, token) -> HttpResponse:
    """The photograph itself. Each look is logged."""
    row = get_object_or_404(photographs_for(request.user, "see_photographs"), token=token)
    answer = _served(name_of(row))
    note_event(
        "photograph_viewed",
        by=request.user.username,
        patient_pk=row.lesion.patient_id,
        detail=f"photograph {row.pk}",
    )
    return answer


@require("see_photographs")
@require_safe
def photograph_thumbnail(request: HttpRequest, token) -> HttpResponse:
    """The photograph in small, for lists."""
    row = get_object_or_404(photographs_for(request.user, "see_photographs"), token=token)
    return _served(thumbnail_name_of(row))


def _served(name: str) -> FileResponse:
    """The file under a neutral name, kept by no browser and read as nothing but a picture."""
    try:
        file = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(
        file,
        content_type=CONTENT_TYPE,
        filename="photograph.jpg",
        headers={
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _belongs(model: type, lesion: Lesion, text: str):
    """The session or draft that the address names. Raises Http404 for one of another patient."""
    if not text:
        return None
    if not is_key(text):
        raise Http404
    rows = model.objects.select_related("series").filter(
        series__patient=lesion.patient_id, series__struck_out_at=None
    )
    return get_object_or_404(rows, pk=int(text))


def _back(lesion: Lesion, session: TreatmentSession | None, draft: SessionDraft | None) -> str:
    """Where the way goes on: the sheet, the session or the patient that it came from."""
    if draft is not None:
        return reverse("draft", args=[draft.pk])
    if session is not None:
        return reverse("session", args=[session.pk])
    return f"{reverse('patient', args=[lesion.patient_id])}#photographs"
