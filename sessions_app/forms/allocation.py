"""The form by which an allocation is opened."""

from django import forms

from lesions.forms.fields import LineField, NotesField
from sessions_app.allocation_list import Allocation, is_open_for, patient_in

WHOLE_CLINIC, ONE_PATIENT = "clinic", "patient"


class OpeningForm(forms.Form):
    """What is opened, for whom and why. `rows` are the closed allocations that the person may open."""

    of = forms.TypedChoiceField(label="Clinic and protocol", empty_value=None)
    scope = forms.ChoiceField(
        label="For whom",
        choices=[
            (ONE_PATIENT, "One patient, in an emergency"),
            (WHOLE_CLINIC, "The whole clinic, at the trial's end"),
        ],
        widget=forms.RadioSelect,
    )
    patient = LineField(
        label="Study ID of the patient", max_length=40, required=False, help_text="Only for one patient."
    )
    reason = NotesField(
        label="Reason",
        max_length=500,
        help_text="Kept for ever, with your name and the time. It cannot be closed again.",
    )

    def __init__(self, *args, rows: list[Allocation], **kwargs):
        super().__init__(*args, **kwargs)
        by_key = {row.key: row for row in rows}
        self.fields["of"].choices = [
            ("", "Choose"),
            *((row.key, f"{row.clinic.name}: {row.name} ({row.code})") for row in rows),
        ]
        self.fields["of"].coerce = by_key.get
        self.has_choices = bool(rows)

    def clean(self):
        data = super().clean()
        row, scope, study_id = data.get("of"), data.get("scope"), data.get("patient", "")
        data["patient"] = None
        if scope == WHOLE_CLINIC and study_id:
            self.add_error("patient", "Leave this empty, or choose one patient above.")
        if scope != ONE_PATIENT or row is None:
            return data
        patient = patient_in(row, study_id) if study_id else None
        if patient is None:
            self.add_error(
                "patient", "Enter the study ID of a patient of this clinic with a series of this protocol."
            )
        elif is_open_for(row, patient):
            self.add_error("patient", "The allocation of this patient is open already.")
        data["patient"] = patient
        return data
