"""Rows of a patient and of lesions as the facts that rules are asked about."""

from decimal import Decimal

from lesions.at_hand import at_hand
from lesions.models import Lesion, Patient
from stsclinic.clinical.facts import LesionFacts, PatientFacts

_YES_NO = {True: "yes", False: "no", None: ""}


def patient_facts(patient: Patient) -> PatientFacts:
    """The patient's facts; the age is exact where the date of birth is recorded."""
    return PatientFacts(
        sex=patient.sex,
        birth_year=patient.birth_year,
        birth_on=at_hand(patient).born_on,
        hypersensitivity=_YES_NO[patient.sts_hypersensitivity],
        pregnant=_YES_NO[patient.pregnant],
        breast_feeding=_YES_NO[patient.breast_feeding],
        raynaud=patient.raynaud,
        consented_on=patient.consented_on,
        withdrawn_on=patient.withdrawn_on,
        lesion_count=patient.lesion_count,
        lesion_count_is_minimum=bool(patient.lesion_count_is_minimum),
    )


def lesion_facts(lesion: Lesion, size: tuple[Decimal | None, Decimal | None] = (None, None)) -> LesionFacts:
    """A lesion's facts at enrolment; `size` is longest and widest in mm where it was measured."""
    return LesionFacts(
        lesion_id=lesion.lesion_id,
        subtype=lesion.subtype,
        pain_vas=lesion.pain_vas,
        dysfunction=_YES_NO[lesion.dysfunction],
        longest_mm=size[0],
        widest_mm=size[1],
    )
