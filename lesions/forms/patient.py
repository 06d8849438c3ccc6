"""The forms of a patient and of the patient's identity."""

from django import forms

from lesions.forms.base import RecordForm
from lesions.forms.fields import CodeChoiceField, DayField, LineField, NumberField, YesNoField
from lesions.models import Patient, PatientIdentity, record_code
from lesions.services import identity_as_seen
from stsclinic.clinical import terms


class PatientForm(RecordForm):
    """What is recorded of a patient under the study ID."""

    sections = (
        ("Patient", ("study_id", "sex", "birth_year", "race", "ethnicity")),
        (
            "Disease",
            (
                "diagnosis",
                "disease_status",
                "raynaud",
                "lesion_count",
                "lesion_count_is_minimum",
                "overlap_with",
            ),
        ),
        ("What may exclude", ("sts_hypersensitivity", "pregnant", "breast_feeding")),
        ("Offer", ("offered_on",)),
    )
    wide = ("overlap_with",)

    study_id = LineField(
        label="Study ID",
        max_length=40,
        validators=[record_code],
        help_text="Letters, digits, point, hyphen and underscore. Never a name or a national number.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    sex = CodeChoiceField(terms.SEX)
    birth_year = NumberField(Patient._meta.get_field("birth_year"), label="Year of birth", required=False)
    race = LineField(max_length=60, required=False)
    ethnicity = LineField(max_length=60, required=False)
    diagnosis = CodeChoiceField(terms.DIAGNOSIS)
    disease_status = CodeChoiceField(terms.DISEASE_STATUS, required=False)
    raynaud = CodeChoiceField(terms.YES_NO_UNKNOWN, label="Raynaud's phenomenon", required=False)
    lesion_count = NumberField(
        Patient._meta.get_field("lesion_count"), label="Lesions in all", required=False, digits=6
    )
    lesion_count_is_minimum = YesNoField(label="There are more than counted")
    overlap_with = forms.MultipleChoiceField(
        label="Overlap of",
        choices=list(terms.OVERLAP_WITH.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="For the diagnosis overlap syndrome: two or more.",
    )
    sts_hypersensitivity = YesNoField(label="Hypersensitive to sodium thiosulfate")
    pregnant = YesNoField()
    breast_feeding = YesNoField(label="Breast-feeding")
    offered_on = DayField(label="Offered on", required=False)

    def initial_of(self, record: Patient) -> dict:
        codes = [code for code in record.overlap_with.split(";") if code]
        return super().initial_of(record) | {"overlap_with": codes}

    def values(self) -> dict:
        # In the vocabulary's order, so that the same choice is always the same text.
        chosen = self.cleaned_data["overlap_with"]
        return super().values() | {"overlap_with": ";".join(c for c in terms.OVERLAP_WITH if c in chosen)}

    def clean(self):
        self.refuse_future("offered_on")
        year = self.cleaned_data.get("birth_year")
        if year is not None and year > self.today.year:
            self.add_error("birth_year", "The year of birth is in the future.")
        return self.cleaned_data


class IdentityFields(forms.Form):
    """Name, date of birth, national number and telephone: the columns of PatientIdentity."""

    name = LineField(max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    date_of_birth = DayField(label="Date of birth", required=False)
    national_number = LineField(
        label="National number",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    telephone = LineField(
        max_length=40, required=False, widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"})
    )


IDENTITY = ("name", "date_of_birth", "national_number", "telephone")


class EnrolForm(IdentityFields, PatientForm):
    """A new patient, with the identity where the person may see identities."""

    sections = (("Clinic", ("clinic",)), *PatientForm.sections, ("Identity", IDENTITY))

    clinic = forms.ModelChoiceField(queryset=None, empty_label="Choose")

    def __init__(self, *args, clinics, with_identity: bool, **options):
        super().__init__(*args, **options)
        self.fields["clinic"].queryset = clinics
        if len(clinics) == 1:
            self.fields["clinic"].initial = clinics[0].pk
            self.fields["clinic"].empty_label = None
        if not with_identity:
            for name in IDENTITY:
                del self.fields[name]

    def values(self) -> dict:
        return {name: value for name, value in super().values().items() if name not in IDENTITY}

    def identity_values(self) -> dict:
        """The columns of PatientIdentity; empty where none may be entered."""
        return {name: self.cleaned_data[name] for name in IDENTITY if name in self.fields}

    def clean(self):
        self.refuse_future("date_of_birth")
        return super().clean()


class IdentityForm(IdentityFields, RecordForm):
    """The identity of a patient. `seen` tells whether somebody changed it in between."""

    sections = (("Identity", IDENTITY),)

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, *args, record: PatientIdentity, **options):
        super().__init__(*args, record=record, **options)
        self.fields["seen"].initial = identity_as_seen(record)

    def seen_of(self, record):
        return {"seen": identity_as_seen(record)}

    def clean(self):
        self.refuse_future("date_of_birth")
        return self.cleaned_data
