"""The controlled protocols of a person's clinics, and what was opened: for those with the allocation right."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from lesions.models import Patient
from sessions_app.models import AllocationOpening, Protocol, Series
from stsclinic.access import clinics_where
from stsclinic.clinics.models import Clinic, User


@dataclass(frozen=True)
class Allocation:
    """One controlled protocol in one clinic."""

    clinic: Clinic
    code: str
    name: str
    series_count: int
    opening: AllocationOpening | None
    """What opened it for the whole clinic."""

    @property
    def is_open(self) -> bool:
        """Whether it is open for the whole clinic."""
        return self.opening is not None

    @property
    def key(self) -> str:
        """Names it in a form: clinic id and protocol code."""
        return f"{self.clinic.pk} {self.code}"


def allocations(user: User) -> list[Allocation]:
    """Every controlled protocol in every clinic where `user` has the allocation right."""
    clinics = list(Clinic.objects.filter(pk__in=clinics_where(user, "see_allocation")))
    names: dict[tuple[int | None, str], str] = {
        (protocol.clinic_id, protocol.code): protocol.name
        for protocol in Protocol.objects.filter(is_controlled=True).order_by("code", "version")
    }
    counts = {
        (clinic_id, code): count
        for clinic_id, code, count in Series.objects.filter(patient__clinic__in=clinics)
        .order_by()
        .values_list("patient__clinic", "protocol__code")
        .annotate(count=Count("pk"))
    }
    openings: dict[tuple[int, str], AllocationOpening] = {}
    for opening in openings_seen(user).filter(patient=None):
        openings.setdefault((opening.clinic_id, opening.protocol_code), opening)
    return [
        Allocation(clinic, code, name, counts.get((clinic.pk, code), 0), openings.get((clinic.pk, code)))
        for clinic in clinics
        for (owner, code), name in names.items()
        if owner in (None, clinic.pk)
    ]


def openings_seen(user: User) -> QuerySet[AllocationOpening]:
    """Every opening in the clinics where `user` has the allocation right, the oldest first."""
    clinics = clinics_where(user, "see_allocation")
    return AllocationOpening.objects.filter(clinic__in=clinics).select_related("clinic", "patient")


def patient_in(allocation: Allocation, study_id: str) -> Patient | None:
    """The patient of this study ID who has a series of this protocol in this clinic, or None."""
    return (
        Patient.objects.filter(clinic=allocation.clinic, study_id=study_id)
        .filter(pk__in=Series.objects.filter(protocol__code=allocation.code).values("patient"))
        .first()
    )


def is_open_for(allocation: Allocation, patient: Patient) -> bool:
    """Whether this one patient's allocation was opened before."""
    return AllocationOpening.objects.filter(
        clinic=allocation.clinic, protocol_code=allocation.code, patient=patient
    ).exists()
