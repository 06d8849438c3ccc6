"""What is known of a patient, a series and a session when a rule is asked. Facts only, no rules.

Yes/no facts are codes as in the data sheets: `yes`, `no`, or empty where nothing is recorded.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from stsclinic.clinical.dates import PartialDate
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.terms import BODY_SITE, LATERALITY


@dataclass(frozen=True, kw_only=True)
class PatientFacts:
    """The patient, as recorded on the day of the question."""

    sex: str = "unknown"
    birth_year: int | None = None
    birth_on: date | None = None
    """The date of birth, where it is known and may be used; ages are then exact."""
    hypersensitivity: str = ""
    pregnant: str = ""
    breast_feeding: str = ""
    raynaud: str = ""
    """`yes`, `no`, `unknown` (it was asked, and is not known) or empty (not recorded)."""
    consented_on: date | None = None
    withdrawn_on: date | None = None
    lesion_count: int | None = None
    """How many lesions the patient has in all."""
    lesion_count_is_minimum: bool = False


@dataclass(frozen=True, kw_only=True)
class MedicationFacts:
    """A medication. Without a start it was taken before; without a stop it is still taken."""

    name: str
    role: str
    started_on: PartialDate | None = None
    stopped_on: PartialDate | None = None


@dataclass(frozen=True, kw_only=True)
class LesionFacts:
    """A lesion at enrolment."""

    lesion_id: str
    subtype: str = ""
    pain_vas: Decimal | None = None
    dysfunction: str = ""
    longest_mm: Decimal | None = None
    widest_mm: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class InjectionFacts:
    """One lesion's injection in the session; what is not entered yet is None or empty."""

    lesion_id: str
    body_site: str = ""
    laterality: str = ""
    agent: str = "sts"
    concentration_mg_ml: Decimal | None = None
    volume_ml: Decimal | None = None
    salt_form: str = ""
    lot_number: str = ""

    @property
    def lesion(self) -> str:
        """The lesion in words: `L01 (left thumb)`."""
        words = " ".join(
            filter(None, (LATERALITY.get(self.laterality, ""), BODY_SITE.get(self.body_site, "")))
        )
        return f"{self.lesion_id} ({words.lower()})" if words else self.lesion_id


@dataclass(frozen=True, kw_only=True)
class PreviousInjection:
    """An earlier injection of a lesion, in any series."""

    lesion_id: str
    given_on: date
    concentration_mg_ml: Decimal | None
    salt_form: str = ""


@dataclass(frozen=True, kw_only=True)
class PreviousInfusion:
    """An earlier infusion of the series."""

    given_on: date
    dose_g: Decimal
    worst_grade: int | None = None
    """The highest grade of its side effects; None without any."""
    session: Hashable = None
    """What tells its session apart."""


@dataclass(frozen=True, kw_only=True)
class SizeFacts:
    """The measures of one lesion, in mm; None where they were not taken."""

    lesion_id: str
    longest_mm: Decimal | None = None
    widest_mm: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class PreviousVisit:
    """An earlier session of the series, with what the patient scored and what was measured."""

    held_on: date
    kind: str
    ptga: int | None = None
    sizes: tuple[SizeFacts, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EarlierSeries:
    """The patient's series before this one, with the protocol that it had."""

    series_no: int
    protocol: ProtocolDefinition
    sessions: tuple[PreviousVisit, ...] = ()
    """In the order in which they were held; on one day, by their numbers."""
    stop_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RecalledLot:
    """A lot of the agent that was recalled."""

    lot_number: str
    recalled_on: date
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SideEffectFacts:
    """A side effect of the patient; without a lesion where none was recorded."""

    term: str
    onset_on: date
    lesion_id: str = ""
    resolved_on: date | None = None
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """The series of the session, before it."""

    high_concentration_approved_on: date | None = None
    no_vasodilator_acknowledged: bool = False
    """Whether an earlier session of the series acknowledged `no_vasodilator`."""
    first_treatment_on: date | None = None
    previous_treatment_on: date | None = None
    """The last treatment before this session that really was."""


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """The session that is to be completed."""

    held_on: date
    kind: str = "treatment"
    injections: tuple[InjectionFacts, ...] = ()
    vial_lots: tuple[str, ...] = ()
    """The lot numbers of the vials from which was drawn."""
    infusion_g: Decimal | None = None
    ptga: int | None = None
    sizes: tuple[SizeFacts, ...] = ()

    @property
    def treats(self) -> bool:
        """Whether the agent is given: a treatment, or anything with an injection or an infusion."""
        return self.kind == "treatment" or bool(self.injections) or self.infusion_g is not None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the alerts are a function of."""

    protocol: ProtocolDefinition
    session: SessionFacts
    patient: PatientFacts = field(default_factory=PatientFacts)
    series: SeriesFacts = field(default_factory=SeriesFacts)
    medications: tuple[MedicationFacts, ...] = ()
    previous_injections: tuple[PreviousInjection, ...] = ()
    previous_infusions: tuple[PreviousInfusion, ...] = ()
    side_effects: tuple[SideEffectFacts, ...] = ()
    previous_visits: tuple[PreviousVisit, ...] = ()
    """Of this series, in the order in which they were held."""
    earlier_series: EarlierSeries | None = None
    """The last one that began before this one; None without any."""
    recalled_lots: tuple[RecalledLot, ...] = ()
