"""The forms of a photograph: the file and the day on which it was taken, the scale marker on it, two points."""

from dataclasses import replace
from typing import cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from lesions.forms.base import RecordForm
from lesions.forms.fields import DayField, NumberField
from sessions_app.models import MARKER_FIELDS, Photograph
from sessions_app.photographs import FORMATS
from stsclinic.clinical.ruler import Point
from stsclinic.fields import MeasureField

CHOOSE_AGAIN = "Choose the file again: a browser does not keep it."


class PhotographForm(RecordForm):
    """One photograph of one lesion."""

    sections = (("Photograph", ("from_camera", "photograph", "taken_on")),)

    from_camera = forms.FileField(
        label="From the camera of this device",
        required=False,
        max_length=500,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
        help_text="Opens the camera of a tablet or a telephone.",
        error_messages={"invalid": "Take it again.", "empty": "The file is empty."},
    )
    photograph = forms.FileField(
        label="From a file",
        required=False,
        max_length=500,
        allow_empty_file=False,
        widget=forms.FileInput(attrs={"accept": ",".join(f"image/{code.lower()}" for code in FORMATS)}),
        help_text=f"{', '.join(FORMATS.values())}, up to {settings.PHOTOGRAPH_MAX_BYTES // (1024 * 1024)} MB."
        " It is stored without place, time and device.",
        error_messages={
            "invalid": "Choose a file.",
            "empty": "The file is empty.",
        },
    )
    taken_on = DayField(label="Taken on")

    def shown(self, name):
        # One of the two ways is needed, so neither is called optional.
        return replace(super().shown(name), optional=False)

    def clean(self):
        self.refuse_future("taken_on")
        sent = [name for name in ("from_camera", "photograph") if self.cleaned_data.get(name)]
        if len(sent) > 1:
            self.add_error("photograph", "Send one photograph: from the camera, or a file.")
        elif not sent and not {"from_camera", "photograph"} & self.errors.keys():
            self.add_error("photograph", "Choose a file.")
        elif sent and self.errors:
            self.add_error(sent[0], CHOOSE_AGAIN)
        return self.cleaned_data

    def refuse(self, error: ValidationError) -> None:
        """What is wrong with the picture stands beside the field that it came from."""
        of_picture = getattr(error, "error_dict", {}).get("photograph")
        if of_picture and self.cleaned_data.get("from_camera"):
            error = ValidationError({"from_camera": of_picture})
        super().refuse(error)

    @property
    def file(self):
        """The file that was sent. Only after is_valid()."""
        return self.cleaned_data["from_camera"] or self.cleaned_data["photograph"]


def _column(name: str, **options) -> NumberField:
    column = cast(MeasureField, Photograph._meta.get_field(name))
    return NumberField(column, digits=6, **options)


class RulerForm(RecordForm):
    """Where a scale marker lies on the photograph, and how long it is."""

    sections = (("Scale marker", MARKER_FIELDS),)
    units = {name: "%" for name in MARKER_FIELDS} | {"marker_mm": "mm"}

    marker_x1 = _column("marker_x1", label="First end, from the left")
    marker_y1 = _column("marker_y1", label="First end, from the top")
    marker_x2 = _column("marker_x2", label="Second end, from the left")
    marker_y2 = _column("marker_y2", label="Second end, from the top")
    marker_mm = _column("marker_mm", label="Length of the marker")


class MeasureForm(forms.Form):
    """Two points on a photograph, in % of its width and height."""

    x1 = _column("marker_x1", label="First point, from the left")
    y1 = _column("marker_y1", label="First point, from the top")
    x2 = _column("marker_x2", label="Second point, from the left")
    y2 = _column("marker_y2", label="Second point, from the top")

    def points(self, photograph: Photograph) -> tuple[Point, Point]:
        """The two points in the photograph's pixels. Only after is_valid()."""
        x1, y1, x2, y2 = (self.cleaned_data[name] for name in ("x1", "y1", "x2", "y2"))
        return photograph.point(x1, y1), photograph.point(x2, y2)
