"""The same session in a plain Django formset: what one would have without a sheet. For counting alone."""

from django import forms

from stsclinic.clinical import terms


def _choice(vocabulary) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[("", "---------"), *vocabulary.items()], required=False)


class Visit(forms.Form):
    """The fields of the visit, with what is known filled in."""

    asked = _choice({"nothing": "Nothing", "reported": "Reported"})
    held_on = forms.DateField(widget=forms.DateInput(), initial="2026-11-20")
    performed_by = forms.CharField(initial="clinician")
    ptga = forms.IntegerField(widget=forms.TextInput)


class After(forms.Form):
    """The fields after the injections."""

    phga = forms.IntegerField(widget=forms.TextInput)
    note = forms.CharField(required=False)


class LesionForm(forms.Form):
    """One lesion: what was seen, and its injection as it was last time."""

    longest_mm = forms.DecimalField(widget=forms.TextInput, required=False)
    widest_mm = forms.DecimalField(widget=forms.TextInput, required=False)
    ulcer = _choice(terms.YES_NO)
    inflammation = _choice(terms.YES_NO)
    gone = forms.BooleanField(required=False)
    volume_ml = forms.DecimalField(widget=forms.TextInput, required=False)
    pain_vas = forms.DecimalField(widget=forms.TextInput, required=False)
    agent = _choice(terms.AGENT)
    concentration_mg_ml = forms.DecimalField(widget=forms.TextInput, required=False)
    technique = _choice(terms.TECHNIQUE)
    anaesthesia = _choice(terms.ANAESTHESIA)
    salt_form = _choice(terms.SALT_FORM)
    lot_number = forms.CharField(required=False)
    needle = forms.CharField(required=False)
    dressing = _choice(terms.DRESSING)


CARRIED = {"agent": "sts", "concentration_mg_ml": "150", "technique": "base"}
"""The best that a formset can do by itself: initial values."""


def page_of(lesions: int) -> str:
    """The page as HTML, with a button at its end."""
    formset = forms.formset_factory(LesionForm, extra=0)(initial=[CARRIED] * lesions)
    parts = [Visit(prefix="visit").as_p(), *(form.as_p() for form in formset), After(prefix="after").as_p()]
    return f"<!doctype html><title>Formset</title><form>{''.join(parts)}<button>Save</button></form>"
