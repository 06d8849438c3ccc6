"""What several parts of one page ask of a patient: its side effects and medications, loaded once where a page says so."""

from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from lesions.models import Medication, Patient, PatientIdentity
from stsclinic.statement import Given, statement


class AtHand:
    """What is loaded of one patient, each when it is first asked for."""

    def __init__(self, patient: Patient):
        self._patient = patient

    @cached_property
    def side_effects(self) -> list[Any]:
        """Those not struck out, with their lesions, in the order of their onset."""
        return _side_effects().rows(patient=self._patient.pk)

    @cached_property
    def medications(self) -> list[Medication]:
        """Those not struck out, by name."""
        return _medications().rows(patient=self._patient.pk)

    @cached_property
    def identity(self) -> PatientIdentity | None:
        """Who it is: only for those who may see it."""
        return _identity().first(patient=self._patient.pk)

    @cached_property
    def born_on(self) -> date | None:
        """The one day of the identity that a rule asks for, whoever reads."""
        if "identity" in vars(self):
            return self.identity.date_of_birth if self.identity else None
        return _born_on().first(patient=self._patient.pk)


def keep_at_hand(patient: Patient) -> None:
    """Load each at most once from now on, for a page that is shown: what is written afterwards is not seen."""
    patient.at_hand = AtHand(patient)  # type: ignore[attr-defined]


def at_hand(patient: Patient) -> AtHand:
    """What is kept at hand of a patient; of one that a page keeps nothing of, it is loaded anew."""
    return getattr(patient, "at_hand", None) or AtHand(patient)


@statement
def _side_effects() -> QuerySet[Any]:
    side_effect: Any = Patient.side_effects.rel.related_model
    effects = side_effect.objects.filter(patient=Given("patient"))
    return effects.select_related("lesion").order_by("onset_on", "pk")


@statement
def _medications() -> QuerySet[Medication]:
    return Medication.objects.filter(patient=Given("patient"))


@statement
def _identity() -> QuerySet[PatientIdentity]:
    return PatientIdentity.objects.filter(patient=Given("patient"))


@statement
def _born_on() -> QuerySet[Any]:
    days = PatientIdentity.objects.filter(patient=Given("patient")).order_by()
    return days.values_list("date_of_birth", flat=True)
