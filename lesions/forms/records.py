"""The forms of a lesion, a medication and an earlier treatment."""

from decimal import Decimal

from django import forms
from django.db.models import Q

from lesions.forms.base import RecordForm
from lesions.forms.fields import CodeChoiceField, LineField, NumberField, PartialDateField, YesNoField
from lesions.forms.places import PlaceField, place_words
from lesions.models import Lesion, Patient, record_code
from stsclinic.clinical import terms


class LesionForm(RecordForm):
    """One lesion as it is at enrolment."""

    sections = (
        ("Where", ("lesion_id", "put_at", "body_site", "laterality", "site_detail")),
        ("What", ("lesion_type", "subtype", "onset_on", "pain_vas", "dysfunction")),
    )
    units = {"pain_vas": "VAS 0-10"}

    lesion_id = LineField(label="Lesion ID", max_length=40, validators=[record_code])
    put_at = PlaceField(label="Place on the body map", required=False)
    body_site = CodeChoiceField(terms.BODY_SITE, label="Body site")
    laterality = CodeChoiceField(terms.LATERALITY, label="Side", required=False)
    site_detail = LineField(label="Detail of the site", max_length=200, required=False)
    lesion_type = CodeChoiceField(terms.LESION_TYPE, label="Type")
    subtype = CodeChoiceField(terms.SUBTYPE, label="Subtype of calcinosis", initial="dystrophic")
    onset_on = PartialDateField(label="Since", required=False)
    pain_vas = NumberField(
        Lesion._meta.get_field("pain_vas"), label="Average pain at enrolment", required=False
    )
    dysfunction = YesNoField(label="Dysfunction")

    def __init__(self, *args, patient: Patient, **options):
        super().__init__(*args, **options)
        self.patient = patient

    def values(self):
        values = super().values()
        put_at = values.pop("put_at")
        values["map_figure"] = put_at.figure if put_at else ""
        values["map_x"] = Decimal(str(put_at.x)) if put_at else None
        values["map_y"] = Decimal(str(put_at.y)) if put_at else None
        return values

    def words(self, name, value):
        return place_words(value) if name == "put_at" else super().words(name, value)

    def again(self, data, record):
        return type(self)(data, record=record, today=self.today, patient=self.patient)

    def clean(self):
        self.refuse_future("onset_on")
        return self.cleaned_data


class MedicationForm(RecordForm):
    """A drug that the patient takes or took."""

    sections = (("Medication", ("name", "role", "dose", "started_on", "stopped_on")),)

    name = LineField(max_length=120)
    role = CodeChoiceField(
        terms.MEDICATION_ROLE,
        help_text="Vasodilators decide an alert before lesions on fingers and toes are injected.",
    )
    dose = LineField(max_length=200, required=False)
    started_on = PartialDateField(label="Started", required=False)
    stopped_on = PartialDateField(
        label="Stopped", required=False, help_text="Empty: still taken. A year, a month or a day."
    )

    def __init__(self, *args, patient: Patient, **options):
        super().__init__(*args, **options)
        self.patient = patient

    def again(self, data, record):
        return type(self)(data, record=record, today=self.today, patient=self.patient)

    def clean(self):
        self.refuse_future("started_on", "stopped_on")
        return self.cleaned_data


class PriorTreatmentForm(RecordForm):
    """What was tried before."""

    sections = (("Earlier treatment", ("treatment", "lesion", "started_on", "stopped_on", "response")),)

    treatment = LineField(max_length=200)
    lesion = forms.ModelChoiceField(queryset=None, required=False, empty_label="All lesions")
    started_on = PartialDateField(label="Started", required=False)
    stopped_on = PartialDateField(label="Stopped", required=False)
    response = CodeChoiceField(terms.RESPONSE, required=False)

    def __init__(self, *args, patient: Patient, **options):
        super().__init__(*args, **options)
        self.patient = patient
        # A lesion that was struck out after it was chosen stays what the record says.
        chosen = self.record.lesion_id if self.record else None
        self.fields["lesion"].queryset = Lesion.everything.filter(
            Q(struck_out_at=None) | Q(pk=chosen), patient=patient
        )

    def again(self, data, record):
        return type(self)(data, record=record, today=self.today, patient=self.patient)

    def clean(self):
        self.refuse_future("started_on", "stopped_on")
        return self.cleaned_data
