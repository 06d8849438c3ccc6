"""Clinics, users and roles."""

from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from stsclinic.access import ROLES
from stsclinic.audit.models import Audited
from stsclinic.clinical.calls import USUALLY_CLOSED
from stsclinic.fields import CodeField

slug_code = RegexValidator(r"^[a-z0-9][a-z0-9_-]*$", "Small letters, digits, - and _ only.")


def known_time_zone(name: str) -> None:
    """Refuse a time zone that the calendar does not know."""
    if name not in available_timezones():
        raise ValidationError("Write a time zone such as Europe/Copenhagen.")


def weekdays_open_and_closed(value) -> None:
    """Refuse what is no list of weekdays (Monday is 0), and a clinic that never opens."""
    if not isinstance(value, list) or not all(type(day) is int and 0 <= day <= 6 for day in value):
        raise ValidationError("Choose from the days of the week.")
    if len(set(value)) == 7:
        raise ValidationError("A clinic is open on at least one day of the week.")


def usually_closed() -> list[int]:
    """Saturday and Sunday."""
    return list(USUALLY_CLOSED)


class Clinic(Audited):
    """A centre that treats. Dates count in its time zone."""

    code = models.CharField(max_length=40, unique=True, validators=[slug_code])
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="UTC", validators=[known_time_zone])
    country = models.CharField(max_length=60, blank=True, default="")
    """As reports of a side effect name it (CIOMS I, box 1a)."""
    closed_weekdays = models.JSONField(
        default=usually_closed, blank=True, validators=[weekdays_open_and_closed]
    )
    """Weekdays on which no call is due, in their order; Monday is 0."""

    class Meta:
        ordering = ["code"]

    def __str__(self):
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.time_zone)


class User(Audited, AbstractUser):
    """A person who signs in. What the person may do stands in the memberships."""

    unwritten_fields = ("password", "last_login")

    class Meta:
        ordering = ["username"]


class Membership(Audited):
    """One role of one user in one clinic."""

    may_be_removed = True

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="memberships")
    role = CodeField(ROLES)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "clinic", "role"], name="role_once_per_clinic")
        ]
        ordering = ["clinic", "role"]

    def __str__(self):
        return f"{self.user} {self.role} {self.clinic}"


class Holiday(Audited):
    """A day on which a clinic is closed, beside its closed weekdays: no call is due then."""

    may_be_removed = True

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="holidays")
    held_on = models.DateField()
    name = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        ordering = ["clinic", "held_on"]
        constraints = [models.UniqueConstraint(fields=["clinic", "held_on"], name="holiday_once_per_clinic")]

    def __str__(self):
        return f"{self.held_on} {self.name}"
