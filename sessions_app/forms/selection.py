"""The fields of a selection: clinics, protocols, patients, lesions, period, and what the headline is.

The report and the export take the same ones under the same names, so an address of one fits the other.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from django import forms

from lesions.forms.fields import NumberField
from sessions_app.models import Injection
from stsclinic.clinical.remission import HORIZON
from stsclinic.clinical.terms import BODY_SITE, DIAGNOSIS, SUBTYPE
from stsclinic.clinics.models import Clinic
from stsclinic.fields import MeasureField
from stsclinic.reporting.selection import UNIT, Selection

_NO_DATE = "Enter a date such as 2026-11-20."


def date_field(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-date"}),
        error_messages={"invalid": _NO_DATE},
        help_text=help_text,
    )


def _several(label: str, choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        choices=choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "“%(value)s” is not in this list. Choose from it, or nothing for all."
        },
    )


def _one(label: str, labels: Mapping[str, str]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=list(labels.items()),
        error_messages={"invalid_choice": "“%(value)s” is not in this list. Choose from it."},
    )


class SelectionForm(forms.Form):
    """A selection out of the clinics and protocols that a person may see. Empty takes all."""

    treated_from = date_field("First treatment from")
    treated_to = date_field("First treatment to")
    concentration = NumberField(
        cast(MeasureField, Injection._meta.get_field("concentration_mg_ml")),
        label="Concentration used",
        required=False,
    )
    horizon = _one(
        "Headline at", {"follow_up": HORIZON["follow_up"], "end_of_treatment": HORIZON["end_of_treatment"]}
    )
    unit = _one("Headline counts", UNIT)

    LISTS: Sequence[str] = ("clinic", "protocol", "diagnosis", "subtype", "body_site")
    """The fields of which several may be chosen."""
    SINGLES: Sequence[str] = ("treated_from", "treated_to", "concentration", "horizon", "unit")

    def __init__(self, *args, clinics: Sequence[Clinic], protocols: Mapping[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["clinic"] = _several("Clinics", [(one.code, one.name) for one in clinics])
        self.fields["protocol"] = _several(
            "Protocols", [(code, f"{name} ({code})") for code, name in protocols.items()]
        )
        self.fields["diagnosis"] = _several("Diagnosis", list(DIAGNOSIS.items()))
        self.fields["subtype"] = _several("Subtype of the lesion", list(SUBTYPE.items()))
        self.fields["body_site"] = _several("Body site", list(BODY_SITE.items()))
        self.order_fields([*self.LISTS, *self.SINGLES])

    def clean(self):
        data = super().clean()
        first, last = data.get("treated_from"), data.get("treated_to")
        if first and last and last < first:
            self.add_error("treated_to", "The period ends before it begins. Enter a later date.")
        return data

    @property
    def lists(self) -> list[tuple[forms.BoundField, int]]:
        """The fields of several choices, each with how many are chosen."""
        return [(self[name], len(self[name].value() or ())) for name in self.LISTS]

    @property
    def singles(self) -> list[forms.BoundField]:
        return [self[name] for name in self.SINGLES]

    @property
    def selection(self) -> Selection:
        """What was chosen. Only of a valid form."""
        data = self.cleaned_data
        return Selection(
            clinics=frozenset(data["clinic"]),
            protocols=frozenset(data["protocol"]),
            diagnoses=frozenset(data["diagnosis"]),
            subtypes=frozenset(data["subtype"]),
            body_sites=frozenset(data["body_site"]),
            concentrations=frozenset(filter(None, [data["concentration"]])),
            first_treatment_from=data["treated_from"],
            first_treatment_to=data["treated_to"],
            horizon=data["horizon"] or "follow_up",
            unit=data["unit"] or "series",
        )
