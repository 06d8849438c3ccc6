"""What an alert is: its levels, what a rule finds, and an entry of the table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from stsclinic.clinical.facts import Facts
from stsclinic.clinical.sources import cite

LEVELS = {
    "stop": "Stops the session: it cannot be completed until this is corrected",
    "ask": "Must be recorded before the session is completed",
    "acknowledge": "Must be acknowledged, with a note",
    "inform": "Is told, and asks for nothing",
}


MAY_BETRAY_ALLOCATION = frozenset(
    {
        "concentration_increased",
        "concentration_needs_approval",
        "above_maximum",
        "not_yet_tolerated",
        "recalled_lot",
    }
)
"""Codes of which an alert may tell an arm: what was acknowledged of these is hidden in a closed trial."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule found: the reason in words, and what it is about."""

    reason: str
    lesion_id: str = ""
    measure: str = ""
    betrays_allocation: bool = False


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert of one session."""

    code: str
    level: str
    title: str
    """What it is, in a few words."""
    reason: str
    source: str
    lesion_id: str = ""
    """The lesion it is about; empty when it is about the patient or the whole session."""
    measure: str = ""
    """`volume_ml`, `dose_mg` or `infusion_g` where one code may speak of several."""
    field: str = ""
    """The patient's field to record, for the level `ask`."""
    betrays_allocation: bool = False
    """Whether it tells which arm a lesion is in: derived from concentration or dose."""

    @property
    def key(self) -> str:
        """Tells the alerts of one session apart, and changes with the facts that the reason tells.

        So a note that was given for other facts is not taken for these.
        """
        facts = sha256(self.reason.encode()).hexdigest()[:12]
        return f"{self.about}:{facts}"

    @property
    def about(self) -> str:
        """Tells apart what the alerts of one session are about, whatever the facts: the key's first part."""
        return ":".join((self.code, self.lesion_id, self.measure))

    @property
    def parts(self) -> tuple[str, ...]:
        """The reason, fact by fact."""
        return tuple(part[:1].upper() + part[1:] for part in self.reason.removesuffix(".").split("; "))

    @property
    def source_words(self) -> str:
        """The reports that it comes from, in words; of one that is ours, that it is."""
        return cite(self.source)

    @property
    def blocks(self) -> bool:
        """Whether no acknowledgement lifts it."""
        return self.level in ("stop", "ask")

    @property
    def needs_note(self) -> bool:
        """Whether a person must acknowledge it, with a note."""
        return self.level == "acknowledge"


@dataclass(frozen=True, kw_only=True)
class AlertEntry:
    """One row of the table: what the alert is, why it exists, and the rule that finds it."""

    code: str
    level: str
    title: str
    """What it is, in a few words."""
    meaning: str
    source: str
    rule: Callable[[Facts], Iterable[Finding]]
    field: str = ""
