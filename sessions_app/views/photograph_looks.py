"""Photographs of one lesion looked at: over the course, two side by side, and with a ruler."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from lesions.banner import banner_of
from lesions.selectors import get_lesion
from lesions.views.pages import posted, save_or_show
from sessions_app.forms.photographs import MeasureForm, RulerForm
from sessions_app.models import MARKER_FIELDS, Photograph
from sessions_app.photograph_looks import compare, mark_scale, measured_words, ruler_of
from sessions_app.selectors import photographs_for
from stsclinic.access import may, require
from stsclinic.clinics.clock import today_in


@require("see_photographs")
@require_safe
def lesion_photographs(request: HttpRequest, pk: int) -> HttpResponse:
    """A lesion's photographs in the order of time, and two of them side by side: `left` and `right`."""
    lesion = get_lesion(request.user, "see_photographs", pk)
    rows = list(
        photographs_for(request.user, "see_photographs")
        .filter(lesion=lesion)
        .select_related("session")
        .order_by("taken_on", "pk")
    )
    comparison = None
    if len(rows) > 1:
        left = _chosen(rows, request.GET.get("left", ""), rows[0])
        right = _chosen(rows, request.GET.get("right", ""), rows[-1])
        comparison = compare(left, right)
    return render(
        request,
        "sessions_app/photograph_course.html",
        {
            "lesion": lesion,
            "patient": lesion.patient,
            **banner_of(request.user, lesion.patient),
            "photographs": rows,
            "comparison": comparison,
        },
    )


def _chosen(rows: list[Photograph], token: str, otherwise: Photograph) -> Photograph:
    return next((row for row in rows if str(row.token) == token), otherwise)


@require("see_photographs")
@require_http_methods(["GET", "HEAD", "POST"])
def photograph_ruler(request: HttpRequest, token) -> HttpResponse:
    """One photograph with its ruler: the scale marker is marked, and two points are measured."""
    right = "record_session" if request.method == "POST" else "see_photographs"
    row = get_object_or_404(photographs_for(request.user, right), token=token)
    patient = row.lesion.patient
    may_mark = may(request.user, "record_session", patient.clinic_id)
    if request.method == "POST" and not may_mark:
        raise Http404
    form = RulerForm(posted(request), today=today_in(patient.clinic), record=row)
    measure = MeasureForm(request.GET if "x1" in request.GET else None)
    measured = measured_words(row, *measure.points(row)) if measure.is_valid() else ""

    def save(form: RulerForm) -> Photograph:
        is_taken_off = "take_off" in request.POST
        return mark_scale(
            photograph=row,
            values=dict.fromkeys(MARKER_FIELDS) if is_taken_off else form.values(),
            by=request.user.username,
            seen_version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
        )

    def after(saved: Photograph) -> tuple[str, str]:
        said = "The scale marker is kept." if saved.scale else "The scale marker was taken off."
        return said, reverse("photograph_ruler", args=[row.token])

    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=after,
        title=f"Ruler on {row.lesion.lesion_id}",
        template="sessions_app/photograph_ruler.html",
        photograph=row,
        lesion=row.lesion,
        may_mark=may_mark,
        measure=measure,
        measured=measured,
        ruler=ruler_of(row),
    )
