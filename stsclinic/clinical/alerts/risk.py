"""Risks to acknowledge with a note: blood flow, a stronger syringe, a side effect that lasts."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from stsclinic.clinical.alerts.kinds import AlertEntry, Finding
from stsclinic.clinical.alerts.questions import names, on_digits
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.dosing import as_anhydrous
from stsclinic.clinical.facts import Facts, InjectionFacts, PreviousInjection, SideEffectFacts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.resolution import is_over
from stsclinic.clinical.terms import SIDE_EFFECT_TERM
from stsclinic.clinical.vasodilators import stopped_lately, takes_vasodilator, vasodilators

UNRESOLVED_TERMS = frozenset(
    {"injection_site_infection", "skin_necrosis", "digital_necrosis", "skin_ulceration"}
)
"""Side effects that speak while they last: an infection, a necrosis or a new ulcer."""


def _vasodilator_stopped(facts: Facts) -> Iterator[Finding]:
    held_on = facts.session.held_on
    stopped = stopped_lately(facts.medications, held_on)
    if _is_digit_at_risk(facts) and stopped:
        stops = ", ".join(
            f"{medication.name} was stopped on {medication.stopped_on.show()}"
            if medication.stopped_on.is_exact
            else f"{medication.name} was stopped in {medication.stopped_on.show()} (the day is not known)"
            for medication in stopped
            if medication.stopped_on is not None
        )
        yield Finding(
            reason=f"{names(on_digits(facts))}; {_raynaud_words(facts)}; no vasodilator is known to be taken"
            f" on {show_date(held_on)}, and within the 6 months before, {stops}."
        )


def _no_vasodilator(facts: Facts) -> Iterator[Finding]:
    held_on = facts.session.held_on
    if (
        not _is_digit_at_risk(facts)
        or facts.series.no_vasodilator_acknowledged
        or stopped_lately(facts.medications, held_on)
    ):
        return
    recorded = vasodilators(facts.medications)
    history = "; ".join(
        medication.name
        + (f", started {medication.started_on.show()}" if medication.started_on else "")
        + (f", stopped {medication.stopped_on.show()}" if medication.stopped_on else "")
        for medication in recorded
    )
    yield Finding(
        reason=f"{names(on_digits(facts))}; {_raynaud_words(facts)}; no vasodilator is known to be taken on"
        f" {show_date(held_on)} or to have been stopped in the 6 months before"
        f" (recorded: {history or 'none'})."
    )


def _concentration_increased(facts: Facts) -> Iterator[Finding]:
    """One alert of the visit, whatever the number of lesions: it is one syringe that was changed."""
    stronger = [
        (injection, last)
        for injection in _of_agent(facts)
        if (last := _last_injection(facts, injection.lesion_id)) is not None and _is_stronger(injection, last)
    ]
    if stronger:
        told = "; ".join(
            f"{injection.lesion}: {_concentration(injection)}, on {show_date(last.given_on)} it was"
            f" {_concentration(last)}"
            for injection, last in stronger
        )
        yield Finding(
            reason=f"{told}.",
            lesion_id=stronger[0][0].lesion_id if len(stronger) == 1 else "",
            betrays_allocation=True,
        )


def _concentration_needs_approval(facts: Facts) -> Iterator[Finding]:
    usual = facts.protocol.usual_concentration_mg_ml
    if usual is None or not facts.protocol.needs_approval_above_usual:
        return
    above = [
        injection
        for injection in _of_agent(facts)
        if injection.concentration_mg_ml is not None and injection.concentration_mg_ml > usual
    ]
    approved_on, held_on = facts.series.high_concentration_approved_on, facts.session.held_on
    if not above or (approved_on is not None and approved_on <= held_on):
        return
    approval = (
        "no approval is recorded on the series"
        if approved_on is None
        else f"the approval is of {show_date(approved_on)}, after this session of {show_date(held_on)}"
    )
    strongest = max(injection.concentration_mg_ml or Decimal(0) for injection in above)
    yield Finding(
        reason=f"{show_decimal(strongest)} mg/ml in {names(above)}; protocol {facts.protocol.code} uses"
        f" {show_decimal(usual)} mg/ml and asks for an individual approval above it; {approval}.",
        betrays_allocation=True,
    )


def _unresolved_side_effect(facts: Facts) -> Iterator[Finding]:
    held_on = facts.session.held_on
    injected = {injection.lesion_id: injection.lesion for injection in facts.session.injections}
    by_lesion: dict[str, list[SideEffectFacts]] = {}
    for effect in facts.side_effects:
        is_here = bool(injected) and (not effect.lesion_id or effect.lesion_id in injected)
        if is_here and effect.term in UNRESOLVED_TERMS and _is_unresolved(effect, held_on):
            by_lesion.setdefault(effect.lesion_id, []).append(effect)
    for lesion_id, effects in by_lesion.items():
        what = ", ".join(
            f"{SIDE_EFFECT_TERM[effect.term].lower()} since {show_date(effect.onset_on)}"
            for effect in effects
        )
        where = injected.get(lesion_id, "On which lesion is not recorded")
        yield Finding(reason=f"{where}: {what}, not resolved on {show_date(held_on)}.", lesion_id=lesion_id)


def _is_digit_at_risk(facts: Facts) -> bool:
    """A finger or toe is injected, Raynaud's phenomenon is present or not known, no vasodilator is taken.

    Where nothing is recorded of Raynaud's phenomenon it is asked for first.
    """
    return (
        bool(on_digits(facts))
        and facts.patient.raynaud in ("yes", "unknown")
        and not takes_vasodilator(facts.medications, facts.session.held_on)
    )


def _raynaud_words(facts: Facts) -> str:
    if facts.patient.raynaud == "unknown":
        return "whether the patient has Raynaud's phenomenon is not known"
    return "the patient has Raynaud's phenomenon"


def _of_agent(facts: Facts) -> list[InjectionFacts]:
    return [injection for injection in facts.session.injections if injection.agent != "saline"]


def _last_injection(facts: Facts, lesion_id: str) -> PreviousInjection | None:
    """The lesion's last injection with a concentration, by the session's day."""
    earlier = [
        previous
        for previous in facts.previous_injections
        if previous.lesion_id == lesion_id
        and previous.concentration_mg_ml is not None
        and previous.given_on <= facts.session.held_on
    ]
    return sorted(earlier, key=lambda previous: previous.given_on)[-1] if earlier else None


def _is_stronger(now: InjectionFacts, last: PreviousInjection) -> bool:
    """Whether the mg/ml rose, as labelled, or counted as one salt where both salt forms are recorded."""
    if now.concentration_mg_ml is None or last.concentration_mg_ml is None:
        return False
    if now.concentration_mg_ml > last.concentration_mg_ml:
        return True
    if not now.salt_form or not last.salt_form:
        return False
    return as_anhydrous(now.concentration_mg_ml, now.salt_form) > as_anhydrous(
        last.concentration_mg_ml, last.salt_form
    )


def _concentration(injection: InjectionFacts | PreviousInjection) -> str:
    words = f"{show_decimal(injection.concentration_mg_ml or Decimal(0))} mg/ml"
    return f"{words} {injection.salt_form}" if injection.salt_form else words


def _is_unresolved(effect: SideEffectFacts, on: date) -> bool:
    """Whether it lasts on that day. The day of its end counts as resolved."""
    over = is_over(resolved_on=effect.resolved_on, outcome=effect.outcome, on=on)
    return effect.onset_on <= on and not over


RISKS: tuple[AlertEntry, ...] = (
    AlertEntry(
        code="vasodilator_stopped",
        level="acknowledge",
        title="A vasodilator was stopped, and a finger or toe is to be injected",
        meaning="A finger or toe would be injected in a patient with Raynaud's phenomenon (or of whom that is"
        " not known) who takes no vasodilator and stopped one within the past 6 months. Necrosis of the pulp"
        " followed such a stop. At each session.",
        source="003",
        rule=_vasodilator_stopped,
    ),
    AlertEntry(
        code="no_vasodilator",
        level="acknowledge",
        title="No vasodilator, and a finger or toe is to be injected",
        meaning="A finger or toe would be injected in a patient with Raynaud's phenomenon (or of whom that is"
        " not known) who takes no vasodilator and stopped none within the past 6 months. Once per series.",
        source="003",
        rule=_no_vasodilator,
    ),
    AlertEntry(
        code="concentration_increased",
        level="acknowledge",
        title="The concentration is higher than last time",
        meaning="The concentration is higher than at the lesion's last injection. Blistering followed a"
        " change from 150 to 250 mg/ml.",
        source="000",
        rule=_concentration_increased,
    ),
    AlertEntry(
        code="concentration_needs_approval",
        level="acknowledge",
        title="The concentration needs an approval",
        meaning="The concentration is above the usual one under a protocol that needs an individual approval"
        " for it, and none is recorded on the series.",
        source="000",
        rule=_concentration_needs_approval,
    ),
    AlertEntry(
        code="unresolved_side_effect",
        level="acknowledge",
        title="A side effect there is not resolved",
        meaning="An infection, a necrosis or a new ulcer, reported on a lesion to be injected, is not resolved.",
        source="000, 003",
        rule=_unresolved_side_effect,
    ),
)
"""In the order in which they are listed."""
