"""The days on which a clinic is closed beside its closed weekdays: listed, added, removed, each with history.

No call is due on them: it moves to the next open day. Windows of visits are never moved.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from stsclinic.access import clinics_where, require
from stsclinic.audit.acting import acting
from stsclinic.audit.services import write_new
from stsclinic.clinics.forms import WEEKDAYS
from stsclinic.clinics.models import Clinic, Holiday

LONGEST_DAYS = 62
"""Days that can be entered at once."""
SHOWN_BACK_DAYS = 366
FURTHEST_DAYS = 3660
"""Further ahead or back than this is a slip of the pen."""


class HolidayForm(forms.Form):
    """One day, or a stretch of days, of one of the user's clinics."""

    clinic = forms.ModelChoiceField(
        label="Clinic",
        queryset=Clinic.objects.none(),
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    first = forms.DateField(
        label="Closed on", widget=forms.DateInput(attrs={"type": "date", "class": "form-control w-date"})
    )
    last = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control w-date"}),
    )
    name = forms.CharField(
        label="Name", max_length=120, required=False, widget=forms.TextInput(attrs={"class": "form-control"})
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        clinic = cast(forms.ModelChoiceField, self.fields["clinic"])
        clinic.queryset = Clinic.objects.filter(pk__in=clinics_where(user, "keep_holidays"))

    def clean(self):
        values = self.cleaned_data
        first, last = values.get("first"), values.get("last")
        if first is None:
            return values
        today = timezone.now().date()
        if abs((first - today).days) > FURTHEST_DAYS:
            self.add_error("first", "This is more than ten years away.")
        if last is not None and last < first:
            self.add_error("last", "This is before the first day.")
        elif last is not None and (last - first).days >= LONGEST_DAYS:
            self.add_error("last", f"Enter at most {LONGEST_DAYS} days at once.")
        return values


def add_holidays(
    *, clinic: Clinic, first: date, last: date, name: str, by: str, source: str = "page"
) -> list[Holiday]:
    """Close a clinic from `first` to `last`, both included; days that are there already stay as they are.

    Raises:
        ValidationError: all of these days are there already, or a value is not valid.
    """
    with acting(by=by, source=source):
        Clinic.objects.select_for_update().get(pk=clinic.pk)
        there = set(
            Holiday.objects.filter(clinic=clinic, held_on__range=(first, last)).values_list(
                "held_on", flat=True
            )
        )
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        wanted = [day for day in days if day not in there]
        if not wanted:
            raise ValidationError({"first": "The clinic is closed then already."})
        return [
            write_new(Holiday(clinic=clinic, held_on=day, name=name.strip()), by=by, source=source)
            for day in wanted
        ]


def remove_holiday(holiday: Holiday, *, by: str, source: str = "page") -> None:
    """Open the clinic on that day again; the history keeps that it was closed."""
    with acting(by=by, source=source):
        holiday.delete()


def weekday_words(days: Iterable[int]) -> str:
    """`Saturday, Sunday`; Monday is 0."""
    return ", ".join(WEEKDAYS[day] for day in sorted(days)) or "None"


@require("keep_holidays")
@require_http_methods(["GET", "HEAD", "POST"])
def holidays(request):
    """The days of the last year and to come, by clinic, and the form for another."""
    form = HolidayForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            added = add_holidays(
                clinic=values["clinic"],
                first=values["first"],
                last=values["last"] or values["first"],
                name=values["name"],
                by=request.user.username,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            days = "1 day is" if len(added) == 1 else f"{len(added)} days are"
            messages.success(request, f"{days} entered.")
            return redirect("holidays")
    rows = Holiday.objects.filter(
        clinic__in=clinics_where(request.user, "keep_holidays"),
        held_on__gte=timezone.now().date() - timedelta(days=SHOWN_BACK_DAYS),
    )
    clinics = Clinic.objects.filter(pk__in=clinics_where(request.user, "keep_holidays"))
    return render(
        request,
        "clinics/holidays.html",
        {
            "form": form,
            "rows": rows.select_related("clinic").order_by("held_on"),
            "weekdays": [(clinic.name, weekday_words(clinic.closed_weekdays)) for clinic in clinics],
        },
    )


@require("keep_holidays")
@require_POST
def holiday_remove(request, pk):
    """Open the clinic on that day again."""
    rows = Holiday.objects.filter(clinic__in=clinics_where(request.user, "keep_holidays"))
    holiday = get_object_or_404(rows, pk=pk)
    remove_holiday(holiday, by=request.user.username)
    messages.success(request, "The day is removed: the clinic is open then.")
    return redirect("holidays")
