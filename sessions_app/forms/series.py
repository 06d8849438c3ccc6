"""The forms of a series: a new one, and one that is completed, stopped, reopened or approved."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from lesions.forms.base import RecordForm
from lesions.forms.fields import CodeChoiceField, DayField, LineField
from lesions.models import Lesion, Patient
from sessions_app.enrolment import OPEN_SERIES
from sessions_app.models import Protocol, Series
from stsclinic.clinical import terms

LONGEST_KEY = 18
"""Digits of a primary key."""


class LesionsField(forms.ModelMultipleChoiceField):
    """Lesions of a patient, each with its site and type."""

    def __init__(self, **options):
        options.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(Lesion.objects.none(), **options)

    def clean(self, value):
        # A list of keys reaches the database as typed, and SQLite knows no larger number.
        if any(len(str(key)) > LONGEST_KEY for key in value or ()):
            raise ValidationError(self.error_messages["invalid_choice"], params={"value": "This"})
        return super().clean(value)

    def label_from_instance(self, lesion: Lesion) -> str:
        return f"{lesion.lesion_id}  {lesion.site_words} ({lesion.get_lesion_type_display().lower()})"


APPROVAL = ("high_concentration_approved_on", "high_concentration_reason")


class ApprovalFields(forms.Form):
    """The individual approval of a concentration above the protocol's usual one."""

    high_concentration_approved_on = DayField(label="Approved on", required=False)
    high_concentration_reason = LineField(label="Reason of the approval", max_length=500, required=False)


class NewSeriesForm(ApprovalFields, RecordForm):
    """A planned or active series."""

    sections = (
        ("Series", ("protocol", "status", "started_on")),
        ("Lesions to be treated", ("lesions",)),
        ("Approval of a higher concentration, where the protocol asks for one", APPROVAL),
    )
    wide = ("lesions", "high_concentration_reason", "in_addition")

    protocol = forms.ModelChoiceField(Protocol.objects.none(), empty_label="Choose", to_field_name="code")
    status = forms.ChoiceField(
        choices=[(code, terms.SERIES_STATUS[code]) for code in OPEN_SERIES], initial="active"
    )
    started_on = DayField(label="Starts on")
    lesions = LesionsField(required=False)

    def __init__(
        self, *args, patient: Patient, protocols: list[Protocol], open_ones: list[Series], **options
    ):
        super().__init__(*args, **options)
        self.fields["started_on"].initial = self.today
        self.fields["protocol"].queryset = Protocol.objects.filter(pk__in=[row.pk for row in protocols])
        self.fields["protocol"].label_from_instance = lambda row: (
            f"{row.name} ({row.code}, version {row.version})"
        )
        self.fields["lesions"].queryset = patient.lesions.all()
        self.has_lesions = patient.lesions.exists()
        if open_ones:
            self.fields["in_addition"] = forms.BooleanField(
                label="Open this series in addition to the one that is open"
            )
            self.sections = (*self.sections, ("Another series is open", ("in_addition",)))

    def clean(self):
        if self.cleaned_data.get("status") == "active":
            self.refuse_future("started_on")
        return self.cleaned_data


class SeriesForm(ApprovalFields, RecordForm):
    """A series that is there. The lesions of a controlled protocol are not among its fields."""

    sections = (
        ("Series", ("status", "stop_reason", "started_on")),
        ("Lesions treated", ("lesions",)),
        ("Approval of a higher concentration", APPROVAL),
    )
    wide = ("lesions", "high_concentration_reason")

    status = forms.ChoiceField(choices=list(terms.SERIES_STATUS.items()))
    stop_reason = CodeChoiceField(terms.STOP_REASON, label="Why it was stopped", required=False)
    started_on = DayField(label="Started on")
    lesions = LesionsField(required=False)

    def __init__(self, *args, record: Series, **options):
        super().__init__(*args, record=record, **options)
        self.fields["stop_reason"].choices = [("", "Not stopped"), *terms.STOP_REASON.items()]
        if record.protocol.is_controlled:
            del self.fields["lesions"]
        else:
            treated = list(record.series_lesions.values_list("lesion", flat=True))
            self.fields["lesions"].queryset = Lesion.everything.filter(
                Q(struck_out_at=None) | Q(pk__in=treated), patient=record.patient_id
            )
        if not (record.protocol.needs_approval_above_usual or record.high_concentration_approved_on):
            for name in APPROVAL:
                del self.fields[name]

    def initial_of(self, record: Series) -> dict:
        columns = ("status", "stop_reason", "started_on", *APPROVAL)
        lesions = list(Lesion.everything.filter(series_lesions__in=record.series_lesions.all()))
        return {name: getattr(record, name) for name in columns} | {"lesions": lesions}

    def values(self) -> dict:
        return {name: value for name, value in super().values().items() if name != "lesions"}

    def clean_lesions(self) -> list[Lesion]:
        return list(self.cleaned_data["lesions"])

    def clean(self):
        if self.cleaned_data.get("status") in ("active", "completed", "stopped"):
            self.refuse_future("started_on")
        return self.cleaned_data
