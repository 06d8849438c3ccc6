"""Three kinds of scale, never mixed: 1-10 for PtGA and PhGA, 0-4 for PGA, 0-10 for pain.

A protocol says which it uses. Adding a scale is one entry in SCALES and its use in `scales_of`.
Sources: report 000 (PtGA, PhGA), report 001, Table I and Methods (PGA, pain VAS).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from stsclinic.clinical.numbers import NumberError, parse_decimal, show_decimal
from stsclinic.clinical.protocols import ProtocolDefinition

PGA_WORDS = {0: "clear", 1: "almost clear", 2: "mild", 3: "moderate", 4: "severe"}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One score: what it is called, what it may be, and of what it is given. Higher is worse."""

    code: str
    name: str
    given_by: str
    given_to: str
    """`session`, `lesion` (at a session) or `injection`."""
    question: str
    low: Decimal
    high: Decimal
    step: Decimal = Decimal(1)
    words: Mapping[int, str] = field(default_factory=dict)

    @property
    def places(self) -> int:
        """Decimals that a value may have."""
        return max(0, -int(self.step.as_tuple().exponent))

    @property
    def valid(self) -> str:
        """What is valid, as a sentence."""
        kind = "a whole number" if self.places == 0 else f"a number with at most {self.places} decimal"
        return f"{self.name} is {kind} from {show_decimal(self.low)} to {show_decimal(self.high)}."

    def holds(self, value: Decimal | int) -> bool:
        """Whether the value is on the scale: within its ends and on one of its steps."""
        number = Decimal(value)
        return number.is_finite() and self.low <= number <= self.high and number % self.step == 0

    def parse(self, text: str) -> Decimal:
        """Read a typed value. Raises NumberError with the sentence `valid`."""
        try:
            return parse_decimal(text, places=self.places, low=self.low, high=self.high)
        except NumberError as error:
            raise NumberError(self.valid) from error

    def show(self, value: Decimal | int) -> str:
        """The value with its word, where the scale has words: `3 (moderate)`."""
        word = self.words.get(int(value), "") if self.holds(value) else ""
        return f"{show_decimal(value)} ({word})" if word else show_decimal(value)


SCALES = {
    scale.code: scale
    for scale in (
        Scale(
            code="ptga",
            name="PtGA",
            given_by="patient",
            given_to="session",
            question="Overall, how problematic were the calcium deposits chosen for treatment in the past week?",
            low=Decimal(1),
            high=Decimal(10),
        ),
        Scale(
            code="phga",
            name="PhGA",
            given_by="physician",
            given_to="session",
            question="Physician's global assessment, after the visit",
            low=Decimal(1),
            high=Decimal(10),
        ),
        Scale(
            code="pga",
            name="PGA",
            given_by="physician",
            given_to="lesion",
            question="Physician's Global Assessment of the lesion",
            low=Decimal(0),
            high=Decimal(4),
            words=PGA_WORDS,
        ),
        Scale(
            code="observer_pga",
            name="Observer's PGA",
            given_by="observer",
            given_to="lesion",
            question="Physician's Global Assessment of the lesion, from photographs",
            low=Decimal(0),
            high=Decimal(4),
            words=PGA_WORDS,
        ),
        Scale(
            code="pain_vas",
            name="Pain (VAS)",
            given_by="patient",
            given_to="injection",
            question="Pain of the injection: 0 none, 10 extreme",
            low=Decimal(0),
            high=Decimal(10),
            step=Decimal("0.1"),
        ),
    )
}


def scales_of(definition: ProtocolDefinition) -> tuple[Scale, ...]:
    """The scales that a protocol asks for, in the order of SCALES.

    Pain may be noted under any protocol, asked for or not.
    """
    asked = {
        "ptga": definition.uses_ptga_phga,
        "phga": definition.uses_ptga_phga,
        "pga": definition.uses_pga,
        "observer_pga": definition.uses_observer_pga,
        "pain_vas": definition.asks_injection_pain,
    }
    return tuple(scale for code, scale in SCALES.items() if asked[code])
