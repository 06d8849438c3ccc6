"""Loads patients and what belongs to them, for those who may: what a person may not see is not found."""

from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from lesions.models import Lesion, Medication, Patient, PatientIdentity, PriorTreatment
from stsclinic.access import clinics_where, may
from stsclinic.audit.models import ClinicalRecord
from stsclinic.clinics.models import Clinic
from stsclinic.statement import Given, statement

Record = TypeVar("Record", bound=ClinicalRecord)


def patients_for(user, right: str) -> QuerySet[Patient]:
    """The patients of the clinics in which the user has `right`."""
    return _patients_in(clinics_where(user, right))


def clinics_for(user, right: str) -> QuerySet[Clinic]:
    """The clinics in which the user has `right`."""
    return Clinic.objects.filter(pk__in=clinics_where(user, right)).order_by("name")


def get_patient(user, right: str, pk: int) -> Patient:
    """One patient. Raises Http404 where there is none, or none that the user may see."""
    if (row := _patient_in(clinics_where(user, right)).first(pk=pk)) is None:
        raise Http404
    return row


def _patients_in(clinics: frozenset[int]) -> QuerySet[Patient]:
    return Patient.objects.filter(clinic__in=clinics).select_related("clinic")


@statement
def _patient_in(clinics: frozenset[int]) -> QuerySet[Patient]:
    return _patients_in(clinics).filter(pk=Given("pk"))


def get_lesion(user, right: str, pk: int) -> Lesion:
    """One lesion that was not struck out. Raises Http404."""
    return _get(Lesion, user, right, pk)


def get_medication(user, right: str, pk: int) -> Medication:
    """One medication that was not struck out. Raises Http404."""
    return _get(Medication, user, right, pk)


def get_prior_treatment(user, right: str, pk: int) -> PriorTreatment:
    """One earlier treatment that was not struck out. Raises Http404."""
    return _get(PriorTreatment, user, right, pk)


def identity_for(user, patient: Patient) -> PatientIdentity | None:
    """Who the patient is, for those who may see identities in the patient's clinic; else None."""
    if not may(user, "see_identity", patient.clinic_id):
        return None
    return PatientIdentity.objects.filter(patient=patient).first()


def next_lesion_id(patient: Patient) -> str:
    """A free ID for a new lesion: L01, L02, …"""
    taken = set(Lesion.everything.filter(patient=patient).values_list("lesion_id", flat=True))
    number = len(taken) + 1
    while f"L{number:02}" in taken:
        number += 1
    return f"L{number:02}"


def _get(model: type[Record], user, right: str, pk: int) -> Record:
    conditions = {"patient__struck_out_at": None, "patient__clinic__in": clinics_where(user, right)}
    return get_object_or_404(model.objects.filter(**conditions), pk=pk)
