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
    """Of one round: the lesions of one region of the body at one session (see rounds.py)."""
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
    expected_terms: tuple[str, ...] = ()
    """Side effects that are expected under the protocol; empty: those that the reports tell of its route.

    Of the shipped ones, those that its own report tells of its treatment."""
    ptga_worse_by: int | None = 3
    """From how many points on a PtGA is pointed out that is worse than at the visit before, or than at the
    series' first; None: never."""

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


WEEKLY4 = ProtocolDefinition(
    code="weekly4",
    name="Weekly, four treatments",
    source="000: Olesen and Fage, Aarhus",
    planned_treatments=4,
    interval_min_days=6,
    interval_max_days=31,
    interval_words="7 days (seen up to a month)",
    follow_up_from="last_treatment",
    follow_up_min_days=84,
    follow_up_max_days=112,
    usual_concentration_mg_ml=Decimal(150),
    needs_approval_above_usual=True,
    volume_words="By size, from a 1 ml syringe",
    expected_terms=(
        "injection_site_pain",
        "skin_discolouration",
        "skin_blistering",
        "injection_site_infection",
    ),
    min_age=18,
    needs_pain_or_dysfunction=True,
    min_pain_vas=Decimal(4),
    other_criteria=("The patient understands that the treatment is experimental.",),
)

PLACEBO3 = ProtocolDefinition(
    code="placebo3",
    name="Blinded against saline, three monthly treatments",
    source="001: Winter et al., Orlando, JAAD Int 2020;1:114-20",
    is_controlled=True,
    planned_treatments=3,
    interval_min_days=28,
    interval_max_days=35,
    interval_words="monthly: baseline, 1 and 2 months",
    follow_up_from="first_treatment",
    follow_up_min_days=84,
    follow_up_max_days=98,
    usual_concentration_mg_ml=Decimal(40),
    volume_words="0.1 ml/cm², at most 0.4 ml a lesion in either arm, and 16 mg a visit",
    volume_ml_per_cm2=Decimal("0.1"),
    max_volume_ml_per_lesion=Decimal("0.4"),
    max_dose_mg_per_session=Decimal(16),
    uses_ptga_phga=False,
    uses_pga=True,
    uses_observer_pga=True,
    asks_injection_pain=True,
    # The report has no adverse event; pain is what it measured.
    expected_terms=("injection_site_pain",),
    min_age=18,
    max_age=80,
    excludes_breast_feeding=True,
    min_lesions=2,
    min_lesion_mm=Decimal(2),
    subtypes=("idiopathic", "dystrophic"),
    other_criteria=(
        "The patient can consent.",
        "The patient can read English.",
        "The patient is not a prisoner.",
    ),
)

BIWEEKLY = ProtocolDefinition(
    code="biweekly",
    name="Every two weeks, four treatments",
    source="002: Golub, Gladys and Helm, Hershey",
    planned_treatments=4,
    interval_min_days=12,
    interval_max_days=21,
    interval_words="14 days",
    usual_concentration_mg_ml=Decimal(250),
    volume_words="Up to 5 ml a round",
    max_volume_ml_per_session=Decimal(5),
    expected_terms=(
        "injection_site_pain",
        "injection_site_infection",
        "hypotension",
        "headache",
        "disorientation",
    ),
)

LONGTERM = ProtocolDefinition(
    code="longterm",
    name="Long-term, under digital nerve block",
    source="003: Coimbra, doi:10.1016/j.abd.2025.501222",
    interval_min_days=42,
    interval_max_days=92,
    interval_words="6 to 8 weeks, then every 3 months",
    usual_concentration_mg_ml=Decimal(250),
    volume_words="0.1 to 1 ml by size and distensibility",
    max_volume_ml_per_lesion=Decimal(1),
    expected_terms=(
        "injection_site_pain",
        "injection_site_infection",
        "skin_ulceration",
        "calcium_drainage",
        "digital_necrosis",
    ),
)

IV = ProtocolDefinition(
    code="iv",
    name="Intravenous",
    source="004: Badawi et al., Kansas, doi:10.12788/cutis.0071",
    route="infusion",
    interval_min_days=1,
    interval_max_days=8,
    interval_words="3 times a week, later weekly",
    follow_up_from="last_treatment",
    follow_up_min_days=84,
    follow_up_max_days=98,
    usual_infusion_g=Decimal("12.5"),
    usual_infusion_min=30,
    max_infusion_g=Decimal(25),
    max_infusion_min=60,
    infusions_tolerated_before_increase=3,
    expected_terms=("nausea",),
)

SHIPPED: tuple[ProtocolDefinition, ...] = (WEEKLY4, PLACEBO3, BIWEEKLY, LONGTERM, IV)
"""The regimens of the five reports; where a report is vague about a window, the choice is ours.

The maximum of `biweekly` counts per round: that report gave 5 ml to the hands and 5 ml to the elbow
at one visit, and calls each a round. That of `longterm` counts per lesion: that letter's 0.1 to 1 ml
went into the base of each calcification.
"""
