"""What is due today, by clinic."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.due import clinic_days
from stsclinic.access import require


@require("see_today")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """Drafts left open, sessions and follow-ups due and overdue, series not begun, side effects that last."""
    days = clinic_days(request.user)
    busy = [day for day in days if not day.is_empty]
    return render(
        request, "sessions_app/today.html", {"days": busy, "quiet": [day for day in days if day.is_empty]}
    )
