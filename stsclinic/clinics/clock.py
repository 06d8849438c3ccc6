"""The one place that reads the clock for a date: dates count in the clinic's time zone."""

from datetime import date, datetime

from django.utils import timezone

from stsclinic.clinical.dates import clinic_date, show_date
from stsclinic.clinics.models import Clinic


def today_in(clinic: Clinic) -> date:
    """The clinic's own date."""
    return clinic_date(timezone.now(), clinic.zone)


def by_the_clock(instant: datetime, clinic: Clinic) -> str:
    """`20-Nov-2026 14:02` where the clinic is."""
    local = instant.astimezone(clinic.zone)
    return f"{show_date(local.date())} {local:%H:%M}"
