"""The patient banner: who a page is about, with the identity only for those who may see it, and what is not over.

What is not over stands on every page of the patient, also where nobody asks an alert: a side effect that lasts,
a sponsor who is to be told, a vasodilator that was stopped.
"""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils import timezone

from lesions.at_hand import at_hand
from lesions.models import Patient
from stsclinic.access import may
from stsclinic.clinical.ages import age_of
from stsclinic.clinical.dates import PartialDate, show_date
from stsclinic.clinical.facts import MedicationFacts, PatientFacts
from stsclinic.clinical.resolution import is_over
from stsclinic.clinical.seriousness import sponsor_clock
from stsclinic.clinical.vasodilators import stopped_lately
from stsclinic.clinics.clock import today_in

SHOWN_EFFECTS = 3


@dataclass(frozen=True)
class Lasting:
    """One thing that is not over, in words."""

    what: str
    words: str
    level: str = "caution"
    url: str = ""


def banner_of(user, patient: Patient) -> dict:
    """Context of components/patient_banner.html: `banner`, and `identity` where `user` may see it.

    Unrecorded facts are empty texts, and so is the address of the page of a patient who was struck out. Without the right to the identity the age is that of the year of birth.
    """
    identity = at_hand(patient).identity if may(user, "see_identity", patient.clinic_id) else None
    today = today_in(patient.clinic)
    age = age_of(
        PatientFacts(birth_year=patient.birth_year, birth_on=identity.date_of_birth if identity else None),
        today,
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
            "lasting": _lasting(user, patient, today),
        },
        "identity": {
            "name": identity.name,
            "born": show_date(identity.date_of_birth) if identity.date_of_birth else "",
        }
        if identity
        else None,
    }


def _lasting(user, patient: Patient, today: date) -> list[Lasting]:
    """What is not over: what the sponsor is to be told, side effects, vasodilators that were stopped.

    The gravest first. Two queries at most.
    """
    effects = sorted(at_hand(patient).side_effects, key=lambda effect: -effect.grade)
    may_open = may(user, "record_session", patient.clinic_id)
    told, lasting = [], []
    for effect in effects:
        url = reverse("side_effect", args=[effect.pk]) if may_open else ""
        where = f", {effect.lesion.lesion_id}" if effect.lesion else ""
        if effect.serious and effect.sponsor_told_on is None:
            clock = sponsor_clock(known_at=effect.serious_known_at, now=timezone.now())
            words = f"{effect.get_term_display()}: {clock.words}"
            told.append(Lasting("Sponsor not told", words, "stop", url))
        if not is_over(resolved_on=effect.resolved_on, outcome=effect.outcome):
            words = (
                f"{effect.get_term_display()}{where}, grade {effect.grade},"
                f" since {show_date(effect.onset_on)}"
            )
            lasting.append(Lasting("Not over", words, "caution", url))
    if len(lasting) > SHOWN_EFFECTS:
        more = len(lasting) - SHOWN_EFFECTS
        lasting = [*lasting[:SHOWN_EFFECTS], Lasting("Not over", f"and {more} more")]
    stopped = stopped_lately(
        (
            MedicationFacts(
                name=row.name,
                role=row.role,
                started_on=PartialDate.parse(row.started_on) if row.started_on else None,
                stopped_on=PartialDate.parse(row.stopped_on),
            )
            for row in at_hand(patient).medications
            if row.role == "vasodilator" and row.stopped_on
        ),
        today,
    )
    return [
        *told,
        *lasting,
        *(
            Lasting("Vasodilator stopped", f"{row.name}, {row.stopped_on.show()}")
            for row in stopped
            if row.stopped_on is not None
        ),
    ]


def _words(value: bool | None) -> str:
    return {True: "Yes", False: "No", None: ""}[value]


def _of_a_woman(patient: Patient, value: bool | None) -> str:
    """What is not asked of men, as the alerts do not ask it either."""
    return "Not applicable" if patient.sex == "male" and value is None else _words(value)
