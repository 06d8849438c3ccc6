"""The patient banner: who a page is about, with the identity only for those who may see it."""

from django.core.exceptions import ObjectDoesNotExist
from django.urls import reverse

from lesions.models import Patient
from stsclinic.access import may
from stsclinic.clinical.ages import age_of
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.facts import PatientFacts
from stsclinic.clinics.clock import today_in


def banner_of(user, patient: Patient) -> dict:
    """Context of components/patient_banner.html: `banner`, and `identity` where `user` may see it.

    Unrecorded facts are empty texts, and so is the address of the page of a patient who was struck out. Without the right to the identity the age is that of the year of birth.
    """
    identity = None
    if may(user, "see_identity", patient.clinic_id):
        try:
            identity = patient.identity
        except ObjectDoesNotExist:
            identity = None
    age = age_of(
        PatientFacts(birth_year=patient.birth_year, birth_on=identity.date_of_birth if identity else None),
        today_in(patient.clinic),
    )
    return {
        "banner": {
            "study_id": patient.study_id,
            "url": "" if patient.struck_out_at else reverse("patient", args=[patient.pk]),
            "clinic": patient.clinic.name,
            "sex": patient.get_sex_display(),
            "age": str(age.years) if age else "",
            "diagnosis": patient.get_diagnosis_display(),
            "raynaud": patient.get_raynaud_display(),
            "hypersensitivity": _words(patient.sts_hypersensitivity),
            "pregnancy": _of_a_woman(patient, patient.pregnant),
            "breast_feeding": _of_a_woman(patient, patient.breast_feeding),
            "consent": show_date(patient.consented_on) if patient.consented_on else "",
            "withdrawn": show_date(patient.withdrawn_on) if patient.withdrawn_on else "",
        },
        "identity": {
            "name": identity.name,
            "born": show_date(identity.date_of_birth) if identity.date_of_birth else "",
        }
        if identity
        else None,
    }


def _words(value: bool | None) -> str:
    return {True: "Yes", False: "No", None: ""}[value]


def _of_a_woman(patient: Patient, value: bool | None) -> str:
    """What is not asked of men, as the alerts do not ask it either."""
    return "Not applicable" if patient.sex == "male" and value is None else _words(value)
