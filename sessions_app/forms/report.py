"""The report's filter: clinic, protocol, diagnosis, and the period of the first treatment."""

from collections.abc import Mapping, Sequence

from django import forms

from stsclinic.clinical.terms import DIAGNOSIS
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.selection import Selection

_NO_DATE = "Enter a date such as 2026-11-20."


def _date(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-date"}),
        error_messages={"invalid": _NO_DATE},
    )


def _choice(label: str, everything: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[("", everything), *choices],
        error_messages={
            "invalid_choice": f"“%(value)s” is not in this list. Choose one of it, or “{everything}”."
        },
    )


class ReportFilterForm(forms.Form):
    """A selection out of the clinics and protocols that the reader may see. Empty takes all."""

    treated_from = _date("First treatment from")
    treated_to = _date("First treatment to")

    field_order = ("clinic", "protocol", "diagnosis", "treated_from", "treated_to")

    def __init__(self, *args, clinics: Sequence[Clinic], protocols: Mapping[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["clinic"] = _choice(
            "Clinic", "All your clinics", [(one.code, one.name) for one in clinics]
        )
        self.fields["protocol"] = _choice(
            "Protocol", "All protocols", [(code, f"{name} ({code})") for code, name in protocols.items()]
        )
        self.fields["diagnosis"] = _choice("Diagnosis", "All diagnoses", list(DIAGNOSIS.items()))
        self.order_fields(self.field_order)

    def clean(self):
        data = super().clean()
        first, last = data.get("treated_from"), data.get("treated_to")
        if first and last and last < first:
            self.add_error("treated_to", "The period ends before it begins. Enter a later date.")
        return data

    @property
    def selection(self) -> Selection:
        """What was chosen. Only of a valid form."""
        data = self.cleaned_data
        return Selection(
            clinics=frozenset(filter(None, [data["clinic"]])),
            protocols=frozenset(filter(None, [data["protocol"]])),
            diagnoses=frozenset(filter(None, [data["diagnosis"]])),
            first_treatment_from=data["treated_from"],
            first_treatment_to=data["treated_to"],
        )

    @property
    def is_chosen(self) -> bool:
        """Whether anything was chosen, valid or not."""
        return bool(self.query)

    @property
    def query(self) -> dict[str, str]:
        """What was chosen, as the address holds it."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}
