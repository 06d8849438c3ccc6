"""Whether a user may see which lesion of a controlled protocol got what.

Source: report 001 (blinding). A controlled protocol in a clinic is closed until someone with the
right opens it, with a reason, logged for ever. While it is closed, arm, agent, concentration and
what betrays them are left out for everyone without the right.
"""

from collections.abc import Collection

from lesions.models import Patient
from sessions_app.models import AllocationOpening, Protocol, Series
from stsclinic.access import clinics_where, may
from stsclinic.audit.acting import acting
from stsclinic.audit.services import note_event
from stsclinic.clinics.models import Clinic


def is_open(series: Series) -> bool:
    """Whether the series' allocation was opened: for its clinic, or for its patient."""
    openings = AllocationOpening.objects.filter(
        clinic_id=series.patient.clinic_id, protocol_code=series.protocol.code
    )
    return any(
        patient_id in (None, series.patient_id)
        for patient_id in openings.values_list("patient_id", flat=True)
    )


def allocation_visible(user, series: Series) -> bool:
    """Whether `user` may see arm, agent, concentration, dose, lot and salt form of this series."""
    if not series.protocol.is_controlled:
        return True
    return may(user, "see_allocation", series.patient.clinic_id) or is_open(series)


def closed_for(user) -> frozenset[tuple[str, str]]:
    """The (clinic code, protocol code) pairs of controlled protocols whose allocation `user` may not see.

    A single patient's emergency opening does not open the pair.
    """
    seeing = Clinic.objects.filter(pk__in=clinics_where(user, "see_allocation"))
    codes = set(seeing.values_list("code", flat=True))
    return frozenset(pair for pair in closed_everywhere() if pair[0] not in codes)


def closed_in(user, clinics: Collection[str]) -> list[list[str]]:
    """The pairs of `closed_for` in these clinics (codes), in order, as a job keeps them."""
    return sorted([clinic, protocol] for clinic, protocol in closed_for(user) if clinic in clinics)


def closed_everywhere() -> frozenset[tuple[str, str]]:
    """The (clinic code, protocol code) pairs whose allocation nobody opened: what a file for anybody leaves out."""
    controlled = set(Protocol.objects.filter(is_controlled=True).values_list("code", flat=True))
    opened = set(AllocationOpening.objects.filter(patient=None).values_list("clinic__code", "protocol_code"))
    clinics = Clinic.objects.values_list("code", flat=True)
    return frozenset(
        (clinic, code) for clinic in clinics for code in controlled if (clinic, code) not in opened
    )


def open_allocation(
    *, clinic: Clinic, protocol_code: str, patient: Patient | None, reason: str, by: str, source: str = "page"
) -> AllocationOpening:
    """Open a clinic's allocation of a controlled protocol, or one patient's in an emergency. For ever.

    Raises:
        ValidationError: no reason was given.
    """
    opening = AllocationOpening(
        clinic=clinic, protocol_code=protocol_code, patient=patient, reason=reason.strip(), opened_by=by
    )
    opening.full_clean()
    with acting(by=by, source=source, reason=reason.strip()):
        opening.save(force_insert=True)
        note_event(
            "allocation_opened",
            by=by,
            patient_pk=patient.pk if patient else None,
            detail=f"{protocol_code} {clinic.code}",
        )
    return opening
