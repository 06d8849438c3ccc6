"""The form of a new protocol or of a new version: every field of a definition, once."""

from django import forms

from lesions.forms.fields import LineField, NotesField, NumberField
from sessions_app.models import FOLLOW_UP_FROM, ROUTE, Protocol
from sessions_app.protocols import FIXED_NAMES, PLAN_NAMES, SECTIONS, WORDS
from stsclinic.clinical.expected import expected_terms
from stsclinic.clinical.terms import SIDE_EFFECT_TERM, SUBTYPE
from stsclinic.clinics.models import slug_code
from stsclinic.fields import MeasureField, WholeNumberField

LONGEST_CRITERION = 300
MOST_CRITERIA = 20


class ProtocolForm(forms.Form):
    """All fields of a protocol, filled with those of the version that it begins from.

    With `clinics` (a queryset) it asks for the code and the clinic of a copy; without, it is a new version.
    """

    code = LineField(
        label="Code",
        max_length=40,
        validators=[slug_code],
        help_text="Small letters, digits, - and _. Data sheets and reports know the protocol by it, so it is never changed.",
    )

    def __init__(self, *args, begins_from: Protocol, clinics=None, **kwargs):
        super().__init__(*args, initial=_initial(begins_from), **kwargs)
        for name in (name for names in SECTIONS.values() for name in names):
            self.fields[name] = _field(name)
        if clinics is None:
            for name in ("code", *FIXED_NAMES):
                del self.fields[name]
        else:
            self.fields["clinic"] = forms.ModelChoiceField(
                clinics, label="Clinic", empty_label=None, help_text="The protocol is this clinic's own."
            )
            if len(clinics) == 1:
                self.initial["clinic"] = clinics[0].pk

    def clean_other_criteria(self):
        lines = [line.strip() for line in self.cleaned_data["other_criteria"].split("\n") if line.strip()]
        if len(lines) > MOST_CRITERIA or any(len(line) > LONGEST_CRITERION for line in lines):
            raise forms.ValidationError(
                f"At most {MOST_CRITERIA} criteria, each of at most {LONGEST_CRITERION} characters."
            )
        if len(set(lines)) < len(lines):
            raise forms.ValidationError("The same criterion stands there twice.")
        return lines

    def clean_min_lesions(self):
        least = self.cleaned_data["min_lesions"]
        return 1 if least is None else least

    @property
    def values(self) -> dict:
        """The protocol's fields as asked for. Only after is_valid()."""
        return {name: self.cleaned_data[name] for name in PLAN_NAMES if name in self.fields}

    @property
    def sections(self) -> list[tuple[str, list]]:
        """(title, [(bound field, unit)]) in the order of the page."""
        own = [(self[name], "") for name in ("clinic", "code") if name in self.fields]
        shown = [
            (title, [(self[name], WORDS[name][1]) for name in names if name in self.fields])
            for title, names in SECTIONS.items()
        ]
        return [("Whose it is", own), *shown] if own else shown


def _initial(protocol: Protocol) -> dict:
    values = {name: getattr(protocol, name) for name in PLAN_NAMES}
    return values | {
        "other_criteria": "\n".join(protocol.other_criteria),
        "expected_terms": expected_terms(protocol.definition),
    }


def _field(name: str) -> forms.Field:
    """A form field for a column of Protocol, by the column's kind."""
    column, label = Protocol._meta.get_field(name), WORDS[name][0]
    if name == "route":
        return forms.ChoiceField(label=label, choices=list(ROUTE.items()))
    if name == "follow_up_from":
        choices = [("", "No follow-up is given"), *FOLLOW_UP_FROM.items()]
        return forms.ChoiceField(label=label, choices=choices, required=False)
    if name == "subtypes":
        return forms.MultipleChoiceField(
            label=label,
            choices=list(SUBTYPE.items()),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text="None chosen means any.",
        )
    if name == "expected_terms":
        return forms.MultipleChoiceField(
            label=label,
            choices=list(SIDE_EFFECT_TERM.items()),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text="Any other side effect is an unexpected one. None chosen: what the reports tell of the route.",
        )
    if name == "other_criteria":
        return NotesField(
            label=label,
            max_length=MOST_CRITERIA * LONGEST_CRITERION,
            required=False,
            help_text="One criterion a line, each a sentence that must be true.",
        )
    if isinstance(column, (WholeNumberField, MeasureField)):
        return NumberField(column, label=label, required=False)
    if column.get_internal_type() == "BooleanField":
        return forms.BooleanField(label=label, required=False)
    return LineField(label=label, max_length=column.max_length or 500, required=not column.blank)
