"""Which series keep their allocation from a reader? Asked once for many series, as lists need it.

The same rule as sessions_app.allocation.allocation_visible, which asks for one series.
"""

from dataclasses import dataclass
from functools import cached_property

from sessions_app.models import AllocationOpening, Series
from stsclinic.access import clinics_where


@dataclass(frozen=True)
class Concealed:
    """What a reader may not be shown."""

    seeing: frozenset[int]
    """Ids of the clinics where the reader has the allocation right."""

    @cached_property
    def openings(self) -> frozenset[tuple[int, str, int | None]]:
        """(clinic id, protocol code, patient id or None for the whole clinic). Loaded when it is first asked for."""
        rows = AllocationOpening.objects.order_by()
        return frozenset(rows.values_list("clinic_id", "protocol_code", "patient_id"))

    def hides(self, *, clinic_id: int, patient_id: int, protocol_code: str, is_controlled: bool) -> bool:
        """Whether arm, agent, concentration, dose, lot and salt form of this series are left out."""
        return clinic_id not in self.seeing and self.is_closed(
            clinic_id=clinic_id,
            patient_id=patient_id,
            protocol_code=protocol_code,
            is_controlled=is_controlled,
        )

    def is_closed(self, *, clinic_id: int, patient_id: int, protocol_code: str, is_controlled: bool) -> bool:
        """The same, whoever reads: nobody opened the allocation of this series."""
        return is_controlled and not any(
            (clinic_id, protocol_code, whose) in self.openings for whose in (None, patient_id)
        )

    def hides_series(self, series: Series) -> bool:
        """The same of a series whose patient and protocol are loaded."""
        return self.hides(
            clinic_id=series.patient.clinic_id,
            patient_id=series.patient_id,
            protocol_code=series.protocol.code,
            is_controlled=series.protocol.is_controlled,
        )


def concealed_for(user) -> Concealed:
    """What is kept from `user`. One query, once a controlled protocol is asked about."""
    return Concealed(clinics_where(user, "see_allocation"))
