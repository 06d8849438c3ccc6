"""The form that finds patients."""

from django import forms

from lesions.forms.fields import LineField
from sessions_app.patient_list import Wanted


class FindForm(forms.Form):
    """What is looked for. It travels by POST: a name never stands in an address."""

    text = LineField(
        label="Study ID",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    clinic = forms.ChoiceField(required=False)
    diagnosis = forms.ChoiceField(required=False)
    protocol = forms.ChoiceField(required=False)
    status = forms.ChoiceField(required=False)
    after = LineField(max_length=40, required=False, widget=forms.HiddenInput)
    before = LineField(max_length=40, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, choices: dict[str, list[tuple[str, str]]], with_names: bool, **options):
        super().__init__(*args, **options)
        for name, entries in choices.items():
            self.fields[name].choices = [("", "All"), *entries]
        if with_names:
            self.fields["text"].label = "Study ID or name"

    def wanted(self) -> Wanted:
        """What is looked for; an entry that is none of the choices does not narrow."""
        self.is_valid()
        typed = self.cleaned_data
        clinic = typed.get("clinic", "")
        return Wanted(
            text=typed.get("text", ""),
            clinic=int(clinic) if clinic else None,
            **{name: typed.get(name, "") for name in ("diagnosis", "protocol", "status", "after", "before")},
        )
