"""How often each alert spoke, and what happened after."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lesions.selectors import clinics_for
from sessions_app.alert_history import AFTER_DAYS, Period, alert_history
from sessions_app.forms.alerts import AlertHistoryForm
from stsclinic.access import require

SHOWN_NOTES = 50
"""Notes on the alert that is chosen, on one page."""


@require("see_alert_history")
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """The alerts of the reader's clinics, played over their sessions: of a `clinic`, `held_from` and `held_to` a day,
    with all notes on one `alert`, 50 on a `page`. What cannot be read is said at its place, and does not choose."""
    clinics = list(clinics_for(request.user, "see_alert_history"))
    form = AlertHistoryForm(request.GET, clinics=clinics)
    form.is_valid()
    chosen = form.cleaned_data
    code, alert = chosen.get("clinic", ""), chosen.get("alert", "")
    history = alert_history(
        request.user,
        Period(first=chosen.get("held_from"), last=chosen.get("held_to")),
        clinic=next((clinic.pk for clinic in clinics if clinic.code == code), None),
        alert=alert,
    )
    line = next((line for line in history.lines if line.help.code == alert), None)
    page = Paginator(line.notes if line else [], SHOWN_NOTES).get_page(request.GET.get("page"))
    return render(
        request,
        "sessions_app/alerts.html",
        {
            "form": form,
            "history": history,
            "line": line,
            "page": page,
            "previous_url": _url(request, page=page.previous_page_number()) if page.has_previous() else "",
            "next_url": _url(request, page=page.next_page_number()) if page.has_next() else "",
            "notes_url": _url(request, alert=""),
            "after_days": AFTER_DAYS,
        },
    )


def _url(request: HttpRequest, **changed: str | int) -> str:
    """This page's address with another choice, which stands last."""
    query = request.GET.copy()
    query.pop("page", None)
    for name, value in changed.items():
        query.pop(name, None)
        query[name] = str(value)
    return f"?{query.urlencode()}"
