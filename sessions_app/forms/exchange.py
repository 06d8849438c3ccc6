"""The forms by which data sheets come."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from lesions.forms.fields import ReasonField
from sessions_app.datasheets.reading import read_upload


class ImportForm(forms.Form):
    """A zip of CSV files, or a workbook, that can be read and holds a row."""

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
        self.fields["file"].help_text = (
            f"A folder of CSV files as .zip, or one .xlsx; up to {settings.DATA_SHEETS_MAX_BYTES // 1024**2} MB. "
            f"The CSV files may have {settings.DATA_SHEETS_MAX_UNPACKED_BYTES // 1024**2} MB unpacked, which is room for "
            "more than 1,000,000 injections."
        )

    def clean_file(self):
        file = self.cleaned_data["file"]
        raw = read_upload(file, file.name)
        if not raw.sheets and raw.errors:
            # Not one sheet was read: the file itself is wrong.
            raise ValidationError([str(error) for error in raw.errors])
        if raw.is_empty and not raw.errors:
            raise ValidationError(f"{file.name} names columns, but holds no row: there is nothing to import.")
        return file


class ConfirmForm(forms.Form):
    """That what was previewed is to be imported, and why."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = ReasonField(
        label="Reason for the import",
        help_text="Kept in the history of every row that is new or changed, without names of patients.",
        error_messages={"required": "Say why this is imported."},
    )

    def shows(self, digest: str) -> None:
        """Bind the form to the plan that the page shows now."""
        if self.is_bound:
            self.data = self.data.copy()
            self.data["digest"] = digest
        else:
            self.initial["digest"] = digest
