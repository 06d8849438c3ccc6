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
    return render(request, "sessions_app/today.html", {"days": clinic_days(request.user)})
