"""How often each alert spoke, and what happened after."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions_app.alert_history import AFTER_DAYS, alert_history
from stsclinic.access import require


@require("see_alert_history")
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """The alerts of the reader's clinics, played over their latest sessions."""
    return render(
        request,
        "sessions_app/alerts.html",
        {"history": alert_history(request.user, timezone.now().date()), "after_days": AFTER_DAYS},
    )
