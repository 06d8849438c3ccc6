"""A protocol: its plan, its windows, its limits, its scores and its criteria. Pure data.

Limits and windows belong to a protocol, never to the code: one protocol's overdose is
another's usual dose. The five regimens of the reports are shipped here as SHIPPED and
become rows at migration; a clinic makes its own, and a used one is never edited.
"""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class ProtocolDefinition:
    """One version of a regimen. Days are calendar days; None means that the protocol gives none."""

    code: str
    version: int = 1
    name: str
    source: str
    route: str = "injection"
    """`injection` or `infusion`."""
    is_controlled: bool = False
    """Two arms: one lesion of a patient is injected with the agent, another with saline, blinded."""

    planned_treatments: int | None = None
    interval_min_days: int | None = None
    interval_max_days: int | None = None
    """The window of a treatment, in days since the treatment before."""
    interval_words: str = ""
    follow_up_from: str = ""
    """Where the follow-up window counts from: `first_treatment`, `last_treatment` or nothing."""
    follow_up_min_days: int | None = None
    follow_up_max_days: int | None = None

    usual_concentration_mg_ml: Decimal | None = None
    needs_approval_above_usual: bool = False
    """A higher concentration than the usual one needs an individual approval on the series."""
    volume_words: str = ""
    volume_ml_per_cm2: Decimal | None = None
    max_volume_ml_per_lesion: Decimal | None = None
    max_volume_ml_per_session: Decimal | None = None
    max_dose_mg_per_session: Decimal | None = None
    usual_infusion_g: Decimal | None = None
    usual_infusion_min: int | None = None
    max_infusion_g: Decimal | None = None
    max_infusion_min: int | None = None
    infusions_tolerated_before_increase: int | None = None

    uses_ptga_phga: bool = True
    uses_pga: bool = False
    uses_observer_pga: bool = False
    asks_injection_pain: bool = False

    min_age: int | None = None
    max_age: int | None = None
    excludes_hypersensitivity: bool = True
    excludes_pregnancy: bool = True
    excludes_breast_feeding: bool = False
    min_lesions: int = 1
    max_lesions: int | None = None
    min_lesion_mm: Decimal | None = None
    needs_pain_or_dysfunction: bool = False
    min_pain_vas: Decimal | None = None
    subtypes: tuple[str, ...] = ()
    """Subtypes of calcinosis that the protocol takes; empty means any."""
    other_criteria: tuple[str, ...] = field(default=())
    """Criteria that a person judges, each as a sentence that must be true."""
