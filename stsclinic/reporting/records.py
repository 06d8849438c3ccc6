"""The pseudonymous facts that a report is computed from. No names, no Django, nothing derived.

A selector builds a Registry from the database in a fixed number of queries. Only what counts
goes in: no draft and no struck-out row. None means not recorded; yes/no facts are bool or None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AssessmentRecord:
    """What was seen of one lesion at one session. Measures in mm, PGA 0-4. A gone lesion has no measures."""

    status: str
    longest_mm: Decimal | None = None
    widest_mm: Decimal | None = None
    ulcer: bool | None = None
    inflammation: bool | None = None
    pga: int | None = None
    observer_pga: int | None = None


@dataclass(frozen=True, slots=True)
class InjectionRecord:
    """One injection into one lesion. mg/ml (None for saline), ml, pain VAS 0-10. Agent empty: concealed."""

    lesion_id: str
    agent: str
    concentration_mg_ml: Decimal | None
    volume_ml: Decimal
    pain_vas: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InfusionRecord:
    """The infusion of a session: dose in g, duration in minutes."""

    dose_g: Decimal
    duration_min: int


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One completed visit. PtGA and PhGA on their scale of 1-10. `assessments` by lesion_id."""

    session_no: int
    kind: str
    held_on: date
    ptga: int | None = None
    phga: int | None = None
    assessments: Mapping[str, AssessmentRecord] = field(default_factory=dict)
    injections: Sequence[InjectionRecord] = ()
    infusion: InfusionRecord | None = None


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """One series. `lesions` are those it treats, each with its arm (`active`, `control` or empty).

    `allocation_concealed` is set by stsclinic.reporting.disclosure, which empties the arms with it.
    """

    patient_id: str
    series_no: int
    protocol: str
    protocol_version: int
    planned_treatments: int | None
    is_controlled: bool
    status: str
    stop_reason: str
    started_on: date
    lesions: Mapping[str, str] = field(default_factory=dict)
    sessions: Sequence[SessionRecord] = ()
    allocation_concealed: bool = False


@dataclass(frozen=True, slots=True)
class LesionRecord:
    """Where a lesion is, what kind it is, and since when (a partial date such as `2018-06`, or empty)."""

    lesion_id: str
    body_site: str
    laterality: str = ""
    site_detail: str = ""
    lesion_type: str = ""
    subtype: str = ""
    onset_on: str = ""


@dataclass(frozen=True, slots=True)
class MedicationRecord:
    """A drug by its role and name. The dates are partial; empty means not recorded."""

    role: str
    started_on: str = ""
    stopped_on: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PriorTreatmentRecord:
    """Something tried before, and what came of it (a code of RESPONSE, or empty)."""

    response: str = ""
    treatment: str = ""


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """One patient by study ID. `lesions` by lesion_id; one that is missing there is shown by its ID alone.

    `lesion_count` is how many the patient has, treated or not, where it was counted.
    """

    patient_id: str
    clinic: str
    sex: str
    diagnosis: str
    birth_year: int | None = None
    offered_on: date | None = None
    not_enrolled_reason: str = ""
    consented_on: date | None = None
    withdrawn_on: date | None = None
    lesion_count: int | None = None
    disease_status: str = ""
    race: str = ""
    ethnicity: str = ""
    medications: Sequence[MedicationRecord] = ()
    prior_treatments: Sequence[PriorTreatmentRecord] = ()
    lesions: Mapping[str, LesionRecord] = field(default_factory=dict)
    series: Sequence[SeriesRecord] = ()


@dataclass(frozen=True, slots=True)
class SideEffectRecord:
    """One side effect. Without a series it belongs to the time before, between or after series."""

    patient_id: str
    series_no: int | None
    session_no: int | None
    lesion_id: str
    term: str
    term_detail: str
    grade: int
    onset_on: date
    serious: bool | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that a report may look at. patient_id is unique among the patients."""

    patients: Sequence[PatientRecord]
    side_effects: Sequence[SideEffectRecord] = ()
