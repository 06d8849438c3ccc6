"""The form that chooses which sessions the page of alerts counts, and whose notes it shows."""

from collections.abc import Sequence

from django import forms

from lesions.forms.fields import DayField
from sessions_app.alert_history import COUNTED
from stsclinic.clinics.models import Clinic


class AlertHistoryForm(forms.Form):
    """Clinics and period. Empty takes all, as far back as sessions are played at once."""

    clinic = forms.ChoiceField(label="Clinic", required=False)
    held_from = DayField(label="Sessions from", required=False)
    held_to = DayField(label="Sessions to", required=False)
    alert = forms.ChoiceField(
        label="Notes on",
        required=False,
        choices=[("", "Each alert, the latest"), *((entry.code, entry.title) for entry in COUNTED)],
        error_messages={"invalid_choice": "“%(value)s” is no alert that is counted here."},
    )

    def __init__(self, *args, clinics: Sequence[Clinic], **options):
        super().__init__(*args, **options)
        self.fields["clinic"].choices = [
            ("", "All my clinics"),
            *((clinic.code, clinic.name) for clinic in clinics),
        ]
        self.fields["clinic"].error_messages["invalid_choice"] = "“%(value)s” is none of your clinics."

    def clean(self):
        values = super().clean()
        first, last = values.get("held_from"), values.get("held_to")
        if first and last and last < first:
            self.add_error("held_to", "The period ends before it begins. Enter a later date.")
        return values
