"""The form of a photograph: the file and the day on which it was taken."""

from django import forms
from django.conf import settings

from lesions.forms.base import RecordForm
from lesions.forms.fields import DayField
from sessions_app.photographs import FORMATS

CHOOSE_AGAIN = "Choose the file again: a browser does not keep it."


class PhotographForm(RecordForm):
    """One photograph of one lesion."""

    sections = (("Photograph", ("photograph", "taken_on")),)

    photograph = forms.FileField(
        label="File",
        max_length=500,
        allow_empty_file=False,
        widget=forms.FileInput(attrs={"accept": ",".join(f"image/{code.lower()}" for code in FORMATS)}),
        help_text=f"{', '.join(FORMATS.values())}, up to {settings.PHOTOGRAPH_MAX_BYTES // (1024 * 1024)} MB."
        " It is stored without place, time and device.",
        error_messages={
            "required": "Choose a file.",
            "invalid": "Choose a file.",
            "empty": "The file is empty.",
        },
    )
    taken_on = DayField(label="Taken on")

    def clean(self):
        self.refuse_future("taken_on")
        if self.errors and "photograph" in self.cleaned_data:
            self.add_error("photograph", CHOOSE_AGAIN)
        return self.cleaned_data
