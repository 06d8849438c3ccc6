"""The one place that reads the clock for a date: dates count in the clinic's time zone."""

from datetime import date

from django.utils import timezone

from stsclinic.clinical.dates import clinic_date
from stsclinic.clinics.models import Clinic


def today_in(clinic: Clinic) -> date:
    """The clinic's own date."""
    return clinic_date(timezone.now(), clinic.zone)
