"""What are a protocol's limits of a session, and which of them do its injections pass? In short words.

The same limits make the alert `above_maximum`, which tells by how much. They belong to the protocol.
"""

from collections.abc import Sequence
from decimal import Decimal

from stsclinic.clinical.dosing import session_totals
from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.rounds import rounds


def limits_in_words(protocol: ProtocolDefinition) -> tuple[str, ...]:
    """The highest volumes and doses of a session: `0.4 ml a lesion`, `16 mg a visit`."""
    limits = (
        (protocol.max_volume_ml_per_lesion, "ml a lesion"),
        (protocol.max_volume_ml_per_session, "ml a region"),
        (protocol.max_dose_mg_per_session, "mg a visit"),
    )
    return tuple(f"{show_decimal(limit)} {what}" for limit, what in limits if limit is not None)


def infusion_in_words(protocol: ProtocolDefinition) -> str:
    """An infusion as the protocol gives it: `usually 12.5 g in 30 min, at most 25 g in 60 min`; "" where it does not."""
    amounts = (
        ("usually", protocol.usual_infusion_g, protocol.usual_infusion_min),
        ("at most", protocol.max_infusion_g, protocol.max_infusion_min),
    )
    parts = []
    for what, dose_g, duration_min in amounts:
        dose = None if dose_g is None else f"{show_decimal(dose_g)} g"
        duration = None if duration_min is None else f"{duration_min} min"
        if amount := " in ".join(filter(None, (dose, duration))):
            parts.append(f"{what} {amount}")
    return ", ".join(parts)


def limits_passed(
    protocol: ProtocolDefinition, injections: Sequence[InjectionFacts], *, counts_dose: bool
) -> tuple[str, ...]:
    """The limits that these injections pass: `above 0.4 ml in L02`.

    Args:
        counts_dose: False while the dose would betray an allocation.
    """
    passed = []
    if (limit := protocol.max_volume_ml_per_lesion) is not None:
        for row in injections:
            if row.volume_ml is not None and row.volume_ml > limit:
                passed.append(_above(limit, f"ml in {row.lesion_id}"))
    if (limit := protocol.max_volume_ml_per_session) is not None:
        for region, rows in rounds(injections).items():
            if session_totals(rows).volume_ml > limit:
                passed.append(_above(limit, f"ml in {region}"))
    limit = protocol.max_dose_mg_per_session
    if counts_dose and limit is not None and session_totals(injections).dose_mg > limit:
        passed.append(_above(limit, "mg"))
    return tuple(passed)


def _above(limit: Decimal, what: str) -> str:
    return f"above {show_decimal(limit)} {what}"
