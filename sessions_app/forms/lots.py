"""The form of a recalled lot."""

from django import forms

from stsclinic.access import clinics_where
from stsclinic.clinics.models import Clinic


class RecalledLotForm(forms.Form):
    """A lot that its maker, or the pharmacy, called back."""

    clinic = forms.ModelChoiceField(
        label="Clinic",
        queryset=Clinic.objects.none(),
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    lot_number = forms.CharField(
        label="Lot number",
        max_length=60,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "spellcheck": "false"}),
    )
    recalled_on = forms.DateField(
        label="Recalled on", widget=forms.DateInput(attrs={"type": "date", "class": "form-control w-date"})
    )
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["clinic"].queryset = Clinic.objects.filter(pk__in=clinics_where(user, "recall_lots"))
