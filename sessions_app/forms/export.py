"""The form by which data leave: what, in which formats, and in which form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from django import forms
from django.http import QueryDict

from lesions.forms.fields import NotesField
from sessions_app.dataout.bundle import FORMATS
from sessions_app.dataout.plan import Plan
from sessions_app.forms.selection import SelectionForm
from stsclinic.clinics.models import Clinic


class ExportForm(SelectionForm):
    """De-identified unless a data manager of all the clinics chooses more, and says why."""

    formats = forms.MultipleChoiceField(
        label="Files",
        choices=[(name, one.words) for name, one in FORMATS.items()],
        initial=["xlsx", "csv"],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one kind of file.",
            "invalid_choice": "“%(value)s” is not in this list. Choose from it.",
        },
    )
    danish = forms.BooleanField(
        label="CSV as Excel in Denmark opens it: semicolons and decimal commas", required=False
    )
    new_ids = forms.BooleanField(
        label="Random codes for study IDs and lesion IDs",
        required=False,
        help_text="For data that go to others. The codes are the same in every export that has them.",
    )
    with_dates = forms.BooleanField(label="Days and years of birth as recorded", required=False)
    with_text = forms.BooleanField(label="Notes and all other free text, and who did what", required=False)
    reason = NotesField(
        label="Reason",
        max_length=500,
        required=False,
        help_text="For whom and for what, without names of patients. Kept in the log with your name and the time. "
        "Needed where dates or notes leave.",
    )

    def __init__(
        self,
        *args,
        clinics: Sequence[Clinic],
        protocols: Mapping[str, str],
        as_recorded: Collection[str],
        **options,
    ):
        """Args: as_recorded: the codes of the clinics of which dates and notes may leave."""
        super().__init__(*args, auto_id="id_export_%s", clinics=clinics, protocols=protocols, **options)
        self._as_recorded = frozenset(as_recorded)
        clinic = self.fields["clinic"]
        clinic.required, clinic.initial = True, [one.code for one in clinics]
        clinic.error_messages["required"] = "Choose at least one clinic."
        if not self._as_recorded:
            del self.fields["with_dates"], self.fields["with_text"]

    def chosen_in(self, address: QueryDict) -> QueryDict:
        """The data of this form for the selection that an address of the report holds; the rest as it begins."""
        data = QueryDict(mutable=True)
        for name in (*self.LISTS, *self.SINGLES):
            data.setlist(name, address.getlist(name) or self[name].initial or [])
        data.setlist("formats", self["formats"].initial)
        return data

    def clean(self):
        data = super().clean()
        if data.get("with_dates") or data.get("with_text"):
            if not data.get("reason", "").strip():
                self.add_error("reason", "Say for whom and for what dates or notes leave.")
            if not set(data.get("clinic", ())) <= self._as_recorded:
                self.add_error(
                    "clinic", "Dates and notes leave only from clinics where you are data manager."
                )
        return data

    @property
    def plan(self) -> Plan:
        """What was chosen. Only of a valid form."""
        data = self.cleaned_data
        return Plan(
            clinics=tuple(sorted(data["clinic"])),
            formats=tuple(name for name in FORMATS if name in data["formats"]),
            selection=replace(self.selection, clinics=frozenset()),
            with_dates=data.get("with_dates", False),
            with_text=data.get("with_text", False),
            new_ids=data["new_ids"],
            danish=data["danish"],
        )
