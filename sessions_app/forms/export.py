"""The form by which data leave: what, in which formats, and in which form."""

from collections.abc import Collection, Mapping, Sequence

from django import forms

from lesions.forms.fields import NotesField
from sessions_app.dataout.bundle import FORMATS
from sessions_app.dataout.plan import Plan
from stsclinic.clinical.terms import DIAGNOSIS
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.selection import Selection

_NOT_LISTED = "“%(value)s” is not in this list. Choose one of it."


def _several(label: str, choices: Sequence[tuple[str, str]], missing: str = "", **options):
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=bool(missing),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": missing, "invalid_choice": _NOT_LISTED},
        **options,
    )


def _one(label: str, everything: str, choices: Sequence[tuple[str, str]]):
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[("", everything), *choices],
        error_messages={"invalid_choice": _NOT_LISTED},
    )


def _day(label: str):
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-date"}),
        error_messages={"invalid": "Enter a date such as 2026-11-20."},
    )


class ExportForm(forms.Form):
    """De-identified unless a data manager of all the clinics chooses more, and says why."""

    formats = _several(
        "Files",
        [(name, one.words) for name, one in FORMATS.items()],
        "Choose at least one kind of file.",
        initial=["xlsx", "csv"],
    )
    danish = forms.BooleanField(
        label="CSV as Excel in Denmark opens it: semicolons and decimal commas", required=False
    )
    treated_from = _day("First treatment from")
    treated_to = _day("First treatment to")
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
        super().__init__(*args, auto_id="id_export_%s", **options)
        codes = [one.code for one in clinics]
        self._as_recorded = frozenset(as_recorded)
        self.fields["clinics"] = _several(
            "Clinics", [(one.code, one.name) for one in clinics], "Choose at least one clinic.", initial=codes
        )
        shown = [(code, f"{name} ({code})") for code, name in protocols.items()]
        self.fields["protocol"] = _one("Protocol", "All protocols", shown)
        self.fields["diagnosis"] = _one("Diagnosis", "All diagnoses", list(DIAGNOSIS.items()))
        if not self._as_recorded:
            del self.fields["with_dates"], self.fields["with_text"]

    def clean(self):
        data = super().clean()
        first, last = data.get("treated_from"), data.get("treated_to")
        if first and last and last < first:
            self.add_error("treated_to", "The period ends before it begins. Enter a later date.")
        if data.get("with_dates") or data.get("with_text"):
            if not data.get("reason", "").strip():
                self.add_error("reason", "Say for whom and for what dates or notes leave.")
            if not set(data.get("clinics", ())) <= self._as_recorded:
                self.add_error(
                    "clinics", "Dates and notes leave only from clinics where you are data manager."
                )
        return data

    @property
    def plan(self) -> Plan:
        """What was chosen. Only of a valid form."""
        data = self.cleaned_data
        return Plan(
            clinics=tuple(sorted(data["clinics"])),
            formats=tuple(name for name in FORMATS if name in data["formats"]),
            selection=Selection(
                protocols=frozenset(filter(None, [data["protocol"]])),
                diagnoses=frozenset(filter(None, [data["diagnosis"]])),
                first_treatment_from=data["treated_from"],
                first_treatment_to=data["treated_to"],
            ),
            with_dates=data.get("with_dates", False),
            with_text=data.get("with_text", False),
            new_ids=data["new_ids"],
            danish=data["danish"],
        )
