"""The form that strikes a record out."""

from django import forms

from lesions.forms.fields import ReasonField


class StrikeOutForm(forms.Form):
    """Why a record is struck out."""

    reason = ReasonField(
        label="Why is it struck out?",
        help_text="It stays readable in the history, with this reason.",
    )
