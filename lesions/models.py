"""Patients, their identities apart, their medications, earlier treatments and lesions."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from lesions.figures import FIGURE, FIGURES, WIDTH, Place
from stsclinic.audit.models import Audited, ClinicalRecord
from stsclinic.clinical import terms
from stsclinic.clinics.models import Clinic
from stsclinic.fields import CodeField, MeasureField, PartialDateField, SmallLetters, WholeNumberField

record_code = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", "Letters, digits, point, hyphen and underscore only."
)


_ONE_CODE = f"({'|'.join(terms.OVERLAP_WITH)})"
OVERLAP_CODES = f"^{_ONE_CODE}(;{_ONE_CODE})+$"
"""Two or more codes joined by `;`, as Patient.overlap_with holds them."""
ONE_CODE_TWICE = r"(^|;)([a-z]+);(.*;)?\2(;|$)"


def kept(**conditions) -> Q:
    """The condition of a row that is not struck out."""
    return Q(struck_out_at=None, **conditions)


class Patient(ClinicalRecord):
    """A person under a study ID. Names and numbers are in PatientIdentity."""

    study_id = models.CharField(max_length=40, unique=True, validators=[record_code])
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="patients")
    sex = CodeField(terms.SEX)
    birth_year = WholeNumberField(low=1880, high=2100, null=True, blank=True)
    diagnosis = CodeField(terms.DIAGNOSIS)
    overlap_with = models.CharField(max_length=60, blank=True, default="")
    """Codes of terms.OVERLAP_WITH joined by `;`."""
    raynaud = CodeField(terms.YES_NO_UNKNOWN, blank=True, default="")
    sts_hypersensitivity = models.BooleanField(null=True, blank=True)
    pregnant = models.BooleanField(null=True, blank=True)
    breast_feeding = models.BooleanField(null=True, blank=True)
    lesion_count = WholeNumberField(low=0, high=100_000, null=True, blank=True)
    lesion_count_is_minimum = models.BooleanField(null=True, blank=True)
    disease_status = CodeField(terms.DISEASE_STATUS, blank=True, default="")
    race = models.CharField(max_length=60, blank=True, default="")
    ethnicity = models.CharField(max_length=60, blank=True, default="")
    offered_on = models.DateField(null=True, blank=True)
    not_enrolled_reason = CodeField(terms.NOT_ENROLLED_REASON, blank=True, default="")
    consented_on = models.DateField(null=True, blank=True)
    withdrawn_on = models.DateField(null=True, blank=True)
    withdrawal_reason = models.CharField(max_length=500, blank=True, default="")
    criteria_met = models.JSONField(default=dict, blank=True)
    """What a person judged at enrolment: {protocol code: {criterion: true or false}}."""

    class Meta:
        ordering = ["study_id"]
        # Each is in the order of the list, so that a page of it is read and no more, however many there are.
        indexes = [
            models.Index(fields=["clinic", "study_id"], name="patients_of_clinic"),
            models.Index(fields=["diagnosis", "study_id"], name="patients_by_diagnosis"),
            models.Index(
                fields=["study_id"],
                condition=Q(withdrawn_on=None, consented_on=None, not_enrolled_reason=""),
                name="patients_offered",
            ),
            models.Index(
                fields=["study_id"],
                condition=Q(withdrawn_on=None) & ~Q(not_enrolled_reason=""),
                name="patients_not_enrolled",
            ),
            models.Index(
                fields=["study_id"], condition=Q(withdrawn_on__isnull=False), name="patients_withdrawn"
            ),
            models.Index(fields=["id"], condition=Q(struck_out_at__isnull=False), name="patients_struck_out"),
        ]
        constraints = [
            # Two IDs that differ in capitals only are read, said and typed as one.
            models.UniqueConstraint(SmallLetters("study_id"), name="study_id_once_in_any_capitals"),
            models.CheckConstraint(
                condition=Q(overlap_with="")
                | Q(overlap_with__regex=OVERLAP_CODES) & ~Q(overlap_with__regex=ONE_CODE_TWICE),
                name="overlap_of_two_or_more_codes",
            ),
            models.CheckConstraint(
                condition=Q(not_enrolled_reason="") | Q(consented_on=None),
                name="not_enrolled_never_consented",
            ),
            models.CheckConstraint(
                condition=Q(withdrawal_reason="") | Q(withdrawn_on__isnull=False),
                name="withdrawal_reason_needs_date",
            ),
        ]

    def __str__(self):
        return self.study_id


class PatientIdentity(Audited):
    """Who the patient is. Reports and exports never touch this table."""

    patient = models.OneToOneField(Patient, models.PROTECT, related_name="identity")
    name = models.CharField(max_length=200, blank=True, default="")
    date_of_birth = models.DateField(null=True, blank=True)
    national_number = models.CharField(max_length=40, blank=True, default="")
    telephone = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        verbose_name_plural = "patient identities"

    def __str__(self):
        return f"Identity {self.pk}"

    def save(self, *args, **options):
        """Write it, and what the search for the name looks up."""
        super().save(*args, **options)
        wanted = beginnings(self.name)
        there = NameBeginning.objects.filter(patient=self.patient_id)
        if {bytes(text) for text in there.values_list("text", flat=True)} != wanted:
            there.delete()
            NameBeginning.objects.bulk_create(
                NameBeginning(patient_id=self.patient_id, text=text) for text in wanted
            )


class NameBeginning(models.Model):
    """A patient's name from the beginning of one of its words on: an index, which the search looks up."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    text = models.BinaryField()
    """In small letters, as UTF-8: bytes are sorted alike by every database, whatever its language."""

    class Meta:
        indexes = [models.Index(fields=["text", "patient"], name="names_by_beginning")]

    def __str__(self):
        return f"Beginning {self.pk}"


def beginnings(name: str) -> set[bytes]:
    """A name from each of its words on, as `NameBeginning` keeps it: of "Anne-Marie Holm" three."""
    small = name.lower()
    return {small[word.start() :].encode() for word in re.finditer(r"\w+", small)}


class Medication(ClinicalRecord):
    """A drug that the patient takes or took."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="medications")
    name = models.CharField(max_length=120)
    role = CodeField(terms.MEDICATION_ROLE)
    dose = models.CharField(max_length=200, blank=True, default="")
    started_on = PartialDateField()
    stopped_on = PartialDateField()

    class Meta:
        ordering = ["name", "started_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "name", "started_on"], condition=kept(), name="medication_once_per_start"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="medication_has_a_name"),
        ]

    def __str__(self):
        return self.name


def _on_a_drawing() -> Q:
    """A place is a point of its drawing, or nothing of it is there."""
    condition = Q(map_figure="", map_x=None, map_y=None)
    for code, figure in FIGURES.items():
        condition |= Q(
            map_figure=code, map_x__isnull=False, map_y__isnull=False, map_y__lte=int(figure.height)
        )
    return condition


class Lesion(ClinicalRecord):
    """One calcium deposit, under an ID that is unique within the patient."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="lesions")
    lesion_id = models.CharField(max_length=40, validators=[record_code])
    body_site = CodeField(terms.BODY_SITE)
    laterality = CodeField(terms.LATERALITY, blank=True, default="")
    site_detail = models.CharField(max_length=200, blank=True, default="")
    lesion_type = CodeField(terms.LESION_TYPE)
    subtype = CodeField(terms.SUBTYPE, default="dystrophic")
    onset_on = PartialDateField()
    pain_vas = MeasureField(low=0, high=10, places=1, null=True, blank=True)
    dysfunction = models.BooleanField(null=True, blank=True)
    map_figure = CodeField(FIGURE, blank=True, default="")
    """The drawing of lesions/figures.py on which somebody put it, and where there, in units of the drawing.

    The data sheets have no such columns: their format is fixed. Where these are empty, or on the other
    side than `laterality`, the map shows the lesion at the middle of its body site.
    """
    map_x = MeasureField(low=0, high=int(WIDTH), places=1, null=True, blank=True)
    map_y = MeasureField(low=0, high=490, places=1, null=True, blank=True)

    class Meta:
        ordering = ["lesion_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "lesion_id"], condition=kept(), name="lesion_id_once_per_patient"
            ),
            models.CheckConstraint(condition=_on_a_drawing(), name="place_is_on_a_drawing_or_not_there"),
        ]

    def __str__(self):
        return self.lesion_id

    @property
    def put_at(self) -> Place | None:
        """Where on the body map somebody put it."""
        if self.map_x is None or self.map_y is None:
            return None
        return Place(self.map_figure, float(self.map_x), float(self.map_y))

    @property
    def site_words(self) -> str:
        """Where on the body, side first: `Left elbow, inferior aspect`."""
        site = terms.BODY_SITE.get(self.body_site, self.body_site)
        if self.laterality:
            side = terms.LATERALITY.get(self.laterality, self.laterality)
            site = f"{side} {site[0].lower()}{site[1:]}"
        return f"{site}, {self.site_detail}" if self.site_detail else site


class PriorTreatment(ClinicalRecord):
    """What was tried before, for one lesion or for all."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="prior_treatments")
    lesion = models.ForeignKey(Lesion, models.PROTECT, null=True, blank=True, related_name="prior_treatments")
    treatment = models.CharField(max_length=200)
    started_on = PartialDateField()
    stopped_on = PartialDateField()
    response = CodeField(terms.RESPONSE, blank=True, default="")

    class Meta:
        ordering = ["treatment", "started_on"]
        constraints = [
            models.UniqueConstraint(
                F("patient"),
                Coalesce(F("lesion"), 0),
                F("treatment"),
                F("started_on"),
                condition=kept(),
                name="prior_treatment_once_per_start",
            ),
            models.CheckConstraint(condition=~Q(treatment=""), name="prior_treatment_has_a_name"),
        ]

    def __str__(self):
        return self.words

    @property
    def words(self) -> str:
        """The treatment as it is read: data sheets may write `surgical_excision`."""
        return self.treatment.replace("_", " ")
