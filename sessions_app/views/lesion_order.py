"""The page on which the clinic orders the lesions of a series."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from lesions.banner import banner_of
from sessions_app.forms.side_effects import is_key
from sessions_app.lesion_order import CHANGED, by_body_site, lesions_in_order, moved, order_lesions
from sessions_app.models import Series, SeriesLesion, SessionDraft
from sessions_app.selectors import drafts_to_write
from sessions_app.series import get_series
from stsclinic.access import require

STEPS = {"up": -1, "down": 1}


@require("change_records")
@require_http_methods(["GET", "HEAD", "POST"])
def lesion_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Order the lesions of a series: by dragging, one step up or down, or from head to foot.

    Who comes from an open sheet of it (`draft`) goes back there.
    """
    series = get_series(request.user, "change_records", pk)
    draft = _sheet(request, series)
    rows = lesions_in_order(series)
    problem = ""
    if request.method == "POST":
        try:
            order_lesions(series=series, order=_wanted(request.POST, rows), by=request.user.username)
        except ValidationError as error:
            problem = error.messages[0]
        else:
            if "save" in request.POST:
                messages.success(request, "The order is kept: every sheet of this series shows it.")
                if draft:
                    return redirect("draft", draft.pk)
            return redirect(request.get_full_path())
    context = {
        "series": series,
        "patient": series.patient,
        "draft": draft,
        "rows": rows,
        "problem": problem,
        **banner_of(request.user, series.patient),
    }
    return render(request, "sessions_app/lesion_order.html", context)


def _sheet(request: HttpRequest, series: Series) -> SessionDraft | None:
    """The open sheet of this series from which the person came."""
    key = request.GET.get("draft", "")
    if not is_key(key):
        return None
    return drafts_to_write(request.user).filter(pk=int(key), series=series, state="open").first()


def _wanted(sent: QueryDict, rows: list[SeriesLesion]) -> list[int]:
    """The order that was asked for. Raises ValidationError where it cannot be read."""
    if "by_body_site" in sent:
        return by_body_site(rows)
    order = [_key(text) for text in sent.getlist("order")]
    for step, by in STEPS.items():
        if step in sent:
            return moved(order, _key(sent[step]), by)
    return order


def _key(text: str) -> int:
    if not is_key(text):
        raise ValidationError(CHANGED)
    return int(text)
