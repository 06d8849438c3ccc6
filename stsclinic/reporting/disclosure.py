"""What must a report not know? The allocation of a controlled protocol that is closed in a clinic.

It is taken out of the records before anything is computed, so no figure, table, file or message
can betray it. Source: domain description, "Blinding" (report 001).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from stsclinic.reporting.records import PatientRecord, Registry, SeriesRecord

AllocationVisible = Callable[[str, str], bool]
"""Given a clinic and a protocol, both by code: may this report show the arms?"""

FOOTNOTE = "The allocation of a controlled protocol is closed: its arms and their comparison are left out."


def all_closed(clinic: str, protocol: str) -> bool:
    """Nothing is open: the safe default."""
    return False


def all_open(clinic: str, protocol: str) -> bool:
    """Everything is open: for the operator's commands and those with the allocation right."""
    return True


def open_only(opened: Iterable[tuple[str, str]]) -> AllocationVisible:
    """Only these (clinic, protocol) are open."""
    pairs = frozenset(opened)
    return lambda clinic, protocol: (clinic, protocol) in pairs


def conceal(registry: Registry, allocation_visible: AllocationVisible) -> Registry:
    """The registry without arm, agent and concentration of the series whose allocation is closed."""
    return replace(
        registry, patients=[_conceal_patient(one, allocation_visible) for one in registry.patients]
    )


def _conceal_patient(patient: PatientRecord, allocation_visible: AllocationVisible) -> PatientRecord:
    def closed(series: SeriesRecord) -> bool:
        return series.is_controlled and not allocation_visible(patient.clinic, series.protocol)

    if not any(closed(one) for one in patient.series):
        return patient
    return replace(patient, series=[_conceal_series(one) if closed(one) else one for one in patient.series])


def _conceal_series(series: SeriesRecord) -> SeriesRecord:
    return replace(
        series,
        allocation_concealed=True,
        lesions=dict.fromkeys(sorted(series.lesions), ""),
        sessions=[
            replace(
                session,
                injections=[
                    replace(injection, agent="", concentration_mg_ml=None)
                    for injection in sorted(session.injections, key=lambda one: one.lesion_id)
                ],
            )
            for session in series.sessions
        ],
    )
