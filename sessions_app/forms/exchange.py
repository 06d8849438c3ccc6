"""The forms by which data sheets leave and come."""

from collections.abc import Sequence

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from lesions.forms.fields import NotesField
from sessions_app.datasheets.reading import RawSheets, read_upload
from sessions_app.exchange import FORMATS
from stsclinic.clinics.models import Clinic


class ExportForm(forms.Form):
    """Which clinics, in which format, and why."""

    clinics = forms.TypedMultipleChoiceField(
        label="Clinics",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one clinic.",
            "invalid_choice": "“%(value)s” is not in this list. Choose one of it.",
        },
    )
    file_format = forms.ChoiceField(
        label="File", widget=forms.RadioSelect, choices=[(code, entry[0]) for code, entry in FORMATS.items()]
    )
    reason = NotesField(
        label="Reason",
        max_length=500,
        help_text="For whom and for what, without names of patients. Kept in the log with your name and the time.",
        error_messages={"required": "Say for whom and for what the data leave."},
    )

    def __init__(self, *args, clinics: Sequence[Clinic], **kwargs):
        by_code = {one.code: one for one in clinics}
        kwargs["initial"] = {"clinics": list(by_code), "file_format": "zip"}
        super().__init__(*args, auto_id="id_export_%s", **kwargs)
        self.fields["clinics"].choices = [(code, one.name) for code, one in by_code.items()]
        self.fields["clinics"].coerce = by_code.get


class ImportForm(forms.Form):
    """A zip of CSV files, or a workbook. `raw` are its sheets, not yet believed."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".zip,.xlsx"}),
        error_messages={
            "required": "Choose a zip or a workbook.",
            "invalid": "No file arrived. Choose it again.",
        },
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id="id_import_%s", **kwargs)
        self.fields[
            "file"
        ].help_text = f"A folder of CSV files as .zip, or one .xlsx; up to {settings.DATA_SHEETS_MAX_BYTES // 1024**2} MB."
        self.raw = RawSheets()

    def clean_file(self):
        file = self.cleaned_data["file"]
        self.raw = read_upload(file, file.name)
        if not self.raw.sheets and self.raw.errors:
            # Not one sheet was read: the file itself is wrong.
            raise ValidationError([str(error) for error in self.raw.errors])
        return file
