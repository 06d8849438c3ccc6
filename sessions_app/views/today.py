"""What is due today, by clinic."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.due import LONG_PAST_DAYS, clinic_days
from stsclinic.access import require


@require("see_today")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """What is grave first; drafts left open, visits due and overdue, series not begun; what lasts or is long past."""
    days = clinic_days(request.user)
    busy = [day for day in days if not day.is_empty]
    return render(
        request,
        "sessions_app/today.html",
        {
            "days": busy,
            "quiet": [day for day in days if day.is_empty],
            "long_past_days": LONG_PAST_DAYS,
        },
    )
