"""What must be said before a session is completed: one table of alerts, each with reason and source.

Four levels. `stop`: the session cannot be completed until it is corrected. `ask`: a fact that
a rule needs is not recorded; it is asked for, never taken as no. `acknowledge`: it may be
completed once a person has acknowledged it with a note. `inform`: it is told, and nothing more.

Everything is judged on the day of the session, and nothing of it is stored. An alert does not come
back for the same facts: its key holds them, so that a note given for other facts counts no more,
and what only informs speaks when it first becomes true. Adding an alert is one entry in ALERTS.
Source: domain.md, "Alerts"; each entry names its report, or that it is ours.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from stsclinic.clinical.ages import age_of
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.dosing import area_cm2, as_anhydrous, session_totals
from stsclinic.clinical.facts import Facts, InjectionFacts, PreviousInjection, SideEffectFacts, SizeFacts
from stsclinic.clinical.lots import plain_lot
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.resolution import is_over
from stsclinic.clinical.rounds import rounds
from stsclinic.clinical.schedule import (
    SessionHeld,
    WindowState,
    follow_up_state,
    follow_up_window,
    had_follow_up,
    window_state,
)
from stsclinic.clinical.sources import cite
from stsclinic.clinical.terms import DIGITS, SIDE_EFFECT_TERM
from stsclinic.clinical.vasodilators import stopped_lately, takes_vasodilator, vasodilators

LEVELS = {
    "stop": "Stops the session: it cannot be completed until this is corrected",
    "ask": "Must be recorded before the session is completed",
    "acknowledge": "Must be acknowledged, with a note",
    "inform": "Is told, and asks for nothing",
}

UNRESOLVED_TERMS = frozenset(
    {"injection_site_infection", "skin_necrosis", "digital_necrosis", "skin_ulceration"}
)
"""Side effects that speak while they last: an infection, a necrosis or a new ulcer."""

SIDE_EFFECT_GRADE_NOT_TOLERATED = 2
"""An infusion with a side effect of this grade or more was not tolerated (domain.md)."""


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

TREATMENTS_BEFORE_GROWTH_COUNTS = 2
"""A lesion that grew is told of once so many treatments of the series did not hold it (our choice)."""


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


def alerts_of(facts: Facts) -> tuple[Alert, ...]:
    """All alerts of a session: stops, then what must be asked, be acknowledged, and what only informs."""
    return tuple(
        Alert(
            code=entry.code,
            level=entry.level,
            title=entry.title,
            reason=finding.reason,
            source=entry.source,
            lesion_id=finding.lesion_id,
            measure=finding.measure,
            field=entry.field,
            betrays_allocation=finding.betrays_allocation,
        )
        for entry in ALERTS
        for finding in entry.rule(facts)
    )


def without_allocation(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Those that may be shown in a closed controlled protocol without the allocation right."""
    return tuple(alert for alert in alerts if not alert.betrays_allocation)


# Stop


def _hypersensitivity(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and facts.patient.hypersensitivity == "yes":
        yield Finding(reason="The patient is hypersensitive to sodium thiosulfate.")


def _pregnancy(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and facts.patient.pregnant == "yes":
        yield Finding(reason="The patient is recorded as pregnant.")


def _breast_feeding(facts: Facts) -> Iterator[Finding]:
    if _excludes_breast_feeding(facts) and facts.patient.breast_feeding == "yes":
        yield Finding(
            reason=f"The patient is breast feeding, and protocol {facts.protocol.code} excludes it."
        )


def _no_consent(facts: Facts) -> Iterator[Finding]:
    consented_on, held_on = facts.patient.consented_on, facts.session.held_on
    if consented_on is None:
        yield Finding(reason="No consent is recorded.")
    elif consented_on > held_on:
        yield Finding(
            reason=f"The patient consented on {show_date(consented_on)}, after this session of"
            f" {show_date(held_on)}."
        )


def _withdrawn(facts: Facts) -> Iterator[Finding]:
    withdrawn_on, held_on = facts.patient.withdrawn_on, facts.session.held_on
    if withdrawn_on is not None and withdrawn_on <= held_on:
        yield Finding(
            reason=f"The patient withdrew on {show_date(withdrawn_on)};"
            f" this session is of {show_date(held_on)}."
        )


def _too_young(facts: Facts) -> Iterator[Finding]:
    least = facts.protocol.min_age
    age = age_of(facts.patient, facts.session.held_on)
    if facts.session.treats and least is not None and age is not None and age.years < least:
        yield Finding(
            reason=f"The patient is {age.words} on {show_date(facts.session.held_on)};"
            f" protocol {facts.protocol.code} takes patients from {least} years."
        )


# Ask


def _ask_hypersensitivity(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and not facts.patient.hypersensitivity:
        yield Finding(reason="Hypersensitivity to sodium thiosulfate is not recorded.")


def _ask_pregnancy(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and facts.patient.sex != "male" and not facts.patient.pregnant:
        yield Finding(reason="Whether the patient is pregnant is not recorded.")


def _ask_breast_feeding(facts: Facts) -> Iterator[Finding]:
    patient = facts.patient
    if _excludes_breast_feeding(facts) and patient.sex != "male" and not patient.breast_feeding:
        yield Finding(
            reason="Whether the patient is breast feeding is not recorded,"
            f" and protocol {facts.protocol.code} excludes it."
        )


def _ask_birth_year(facts: Facts) -> Iterator[Finding]:
    least = facts.protocol.min_age
    if facts.session.treats and least is not None and age_of(facts.patient, facts.session.held_on) is None:
        yield Finding(
            reason="The year of birth is not recorded,"
            f" and protocol {facts.protocol.code} takes patients from {least} years."
        )


def _ask_raynaud(facts: Facts) -> Iterator[Finding]:
    digits = _on_digits(facts)
    if digits and not facts.patient.raynaud:
        yield Finding(
            reason="Whether the patient has Raynaud's phenomenon is not recorded,"
            f" and {_names(digits)} would be injected."
        )


# Acknowledge


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
            reason=f"{_names(_on_digits(facts))}; {_raynaud_words(facts)}; no vasodilator is known to be taken"
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
        reason=f"{_names(_on_digits(facts))}; {_raynaud_words(facts)}; no vasodilator is known to be taken on"
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
        reason=f"{show_decimal(strongest)} mg/ml in {_names(above)}; protocol {facts.protocol.code} uses"
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


def _above_maximum(facts: Facts) -> Iterator[Finding]:
    protocol, session = facts.protocol, facts.session
    if protocol.max_volume_ml_per_lesion is not None:
        for injection in session.injections:
            if injection.volume_ml is not None and injection.volume_ml > protocol.max_volume_ml_per_lesion:
                yield Finding(
                    reason=f"{injection.lesion}: "
                    + _over(injection.volume_ml, protocol.max_volume_ml_per_lesion, "ml", facts, "lesion"),
                    lesion_id=injection.lesion_id,
                    measure="volume_ml",
                )
    if protocol.max_volume_ml_per_session is not None:
        for region, injections in rounds(session.injections).items():
            volume = session_totals(injections).volume_ml
            if volume > protocol.max_volume_ml_per_session:
                yield Finding(
                    reason=f"In {region}: "
                    + _over(volume, protocol.max_volume_ml_per_session, "ml", facts, "round"),
                    measure="volume_ml",
                )
    totals = session_totals(session.injections)
    for measure, unit, given, maximum, betrays in (
        ("dose_mg", "mg", totals.dose_mg, protocol.max_dose_mg_per_session, True),
        ("infusion_g", "g", session.infusion_g, protocol.max_infusion_g, True),
    ):
        if given is not None and maximum is not None and given > maximum:
            yield Finding(
                reason=_over(given, maximum, unit, facts, "session"),
                measure=measure,
                betrays_allocation=betrays,
            )


def _not_yet_tolerated(facts: Facts) -> Iterator[Finding]:
    usual, needed = facts.protocol.usual_infusion_g, facts.protocol.infusions_tolerated_before_increase
    given = facts.session.infusion_g
    if usual is None or needed is None or given is None or given <= usual:
        return
    tolerated = 0
    for infusion in sorted(facts.previous_infusions, key=lambda infusion: infusion.given_on):
        if infusion.given_on > facts.session.held_on:
            break
        is_tolerated = (infusion.worst_grade or 0) < SIDE_EFFECT_GRADE_NOT_TOLERATED
        tolerated = tolerated + 1 if is_tolerated else 0
    if tolerated < needed:
        yield Finding(
            reason=f"{show_decimal(given)} g is more than {show_decimal(usual)} g. Infusions in a row without a"
            f" side effect of grade {SIDE_EFFECT_GRADE_NOT_TOLERATED} or more: {tolerated};"
            f" protocol {facts.protocol.code} asks for {needed}.",
            betrays_allocation=True,
        )


def _too_early(facts: Facts) -> Iterator[Finding]:
    yield from _outside_window(facts, "too_early")


def _too_late(facts: Facts) -> Iterator[Finding]:
    yield from _outside_window(facts, "too_late")


def _recalled_lot(facts: Facts) -> Iterator[Finding]:
    recalled = {number: lot for lot in facts.recalled_lots if (number := plain_lot(lot.lot_number))}
    by_lot: dict[str, list[InjectionFacts]] = {
        number: [] for lot in facts.session.vial_lots if (number := plain_lot(lot)) in recalled
    }
    for injection in facts.session.injections:
        if plain_lot(injection.lot_number) in recalled:
            by_lot.setdefault(plain_lot(injection.lot_number), []).append(injection)
    for number, injections in by_lot.items():
        lot = recalled[number]
        why = f" ({lot.reason})" if lot.reason else ""
        yield Finding(
            reason=f"{_names(injections) or 'A vial'}: lot {lot.lot_number} was recalled on"
            f" {show_date(lot.recalled_on)}{why}.",
            measure=lot.lot_number,
            betrays_allocation=True,
        )


# Inform


def _more_than_planned(facts: Facts) -> Iterator[Finding]:
    planned = facts.protocol.planned_treatments
    number = 1 + Counter(visit.kind for visit in facts.previous_visits)["treatment"]
    if facts.session.kind == "treatment" and planned is not None and number > planned:
        yield Finding(
            reason=f"This is treatment {number} of the series; protocol {facts.protocol.code} plans {planned}."
        )


def _missing_follow_up(facts: Facts) -> Iterator[Finding]:
    before = facts.earlier_series
    is_first = not any(visit.kind == "treatment" for visit in facts.previous_visits)
    if before is None or facts.session.kind != "treatment" or not is_first:
        return
    if before.stop_reason == "lost_to_follow_up":
        return
    held = [SessionHeld(kind=visit.kind, held_on=visit.held_on) for visit in before.sessions]
    treated = [visit.held_on for visit in held if visit.kind == "treatment"]
    if not treated or had_follow_up(held):
        return
    window = follow_up_window(before.protocol, treated[0], treated[-1])
    if window is None or window.closes_on is None or window.state(facts.session.held_on) != "too_late":
        return
    yield Finding(
        reason=f"Series {before.series_no} had no follow-up after its last treatment of"
        f" {show_date(treated[-1])}; its window closed on {show_date(window.closes_on)}."
    )


def _ptga_worse(facts: Facts) -> Iterator[Finding]:
    """Worse than at the visit before, or for the first time so much worse than at the first visit."""
    now, points = facts.session.ptga, facts.protocol.ptga_worse_by
    scored = [(visit.held_on, visit.ptga) for visit in facts.previous_visits if visit.ptga is not None]
    if now is None or points is None or not scored:
        return
    (first_on, first), (last_on, last) = scored[0], scored[-1]
    if now - last >= points:
        since_on, since = last_on, last
    elif now - first >= points > last - first:
        since_on, since = first_on, first
    else:
        return
    yield Finding(reason=f"PtGA is {now}; on {show_date(since_on)} it was {since} (worse by {now - since}).")


def _lesion_grew(facts: Facts) -> Iterator[Finding]:
    """Larger than at its first measure in the series, and larger than was told of before."""
    for size in facts.session.sizes:
        now = _area(size)
        earlier = []
        treatments = 0
        for visit in facts.previous_visits:
            areas = [_area(one) for one in visit.sizes if one.lesion_id == size.lesion_id]
            if areas and areas[0] is not None:
                earlier.append((visit.held_on, areas[0], treatments))
            treatments += visit.kind == "treatment"
        if now is None or not earlier or treatments < TREATMENTS_BEFORE_GROWTH_COUNTS:
            continue
        first_on, first, _ = earlier[0]
        told = [area for _, area, before in earlier if before >= TREATMENTS_BEFORE_GROWTH_COUNTS]
        if now > max(first, *told, Decimal(0)):
            yield Finding(
                reason=f"{size.lesion_id}: {show_decimal(now)} cm² after {treatments} treatments of the series;"
                f" on {show_date(first_on)} it was {show_decimal(first)} cm².",
                lesion_id=size.lesion_id,
            )


# Questions that several rules ask


def _area(size: SizeFacts) -> Decimal | None:
    if size.longest_mm is None or size.widest_mm is None:
        return None
    return area_cm2(size.longest_mm, size.widest_mm)


def _excludes_breast_feeding(facts: Facts) -> bool:
    return facts.session.treats and facts.protocol.excludes_breast_feeding


def _on_digits(facts: Facts) -> list[InjectionFacts]:
    return [injection for injection in facts.session.injections if injection.body_site in DIGITS]


def _is_digit_at_risk(facts: Facts) -> bool:
    """A finger or toe is injected, Raynaud's phenomenon is present or not known, no vasodilator is taken.

    Where nothing is recorded of Raynaud's phenomenon it is asked for first.
    """
    return (
        bool(_on_digits(facts))
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


def _outside_window(facts: Facts, state: str) -> Iterator[Finding]:
    series, held_on = facts.series, facts.session.held_on
    where: WindowState | None = None
    low, high = facts.protocol.interval_min_days, facts.protocol.interval_max_days
    since = "the treatment before"
    if facts.session.kind == "treatment":
        where = window_state(facts.protocol, series.previous_treatment_on, held_on)
    elif facts.session.kind == "follow_up":
        where = follow_up_state(
            facts.protocol, series.first_treatment_on, series.previous_treatment_on, held_on
        )
        low, high = facts.protocol.follow_up_min_days, facts.protocol.follow_up_max_days
        since = f"the {facts.protocol.follow_up_from.replace('_', ' ')}"
    if where is None or where.state != state:
        return
    span = (
        f"{low} to {high} days"
        if low is not None and high is not None
        else (f"at least {low} days" if high is None else f"at most {high} days")
    )
    yield Finding(
        reason=f"{_days(where.days)} after {since} of {show_date(where.counted_from)}, on"
        f" {show_date(held_on)}; protocol {facts.protocol.code} asks for {span}"
        f" ({_days(where.days_outside)} {'too early' if state == 'too_early' else 'too late'})."
    )


def _over(given: Decimal, maximum: Decimal, unit: str, facts: Facts, per: str) -> str:
    return (
        f"{show_decimal(given)} {unit}; protocol {facts.protocol.code} allows at most"
        f" {show_decimal(maximum)} {unit} per {per}."
    )


def _names(injections: Iterable[InjectionFacts]) -> str:
    return ", ".join(injection.lesion for injection in injections)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


ALERTS: tuple[AlertEntry, ...] = (
    AlertEntry(
        code="hypersensitivity",
        level="stop",
        title="Hypersensitive to sodium thiosulfate",
        meaning="The patient is known to be hypersensitive to sodium thiosulfate.",
        source="000, 001",
        rule=_hypersensitivity,
    ),
    AlertEntry(
        code="pregnancy",
        level="stop",
        title="Pregnant",
        meaning="The patient is pregnant.",
        source="000, 001",
        rule=_pregnancy,
    ),
    AlertEntry(
        code="breast_feeding",
        level="stop",
        title="Breast feeding",
        meaning="The patient is breast feeding, where the protocol excludes it.",
        source="001",
        rule=_breast_feeding,
    ),
    AlertEntry(
        code="no_consent",
        level="stop",
        title="No consent by the day of the session",
        meaning="No consent is recorded by the day of the session.",
        source="001",
        rule=_no_consent,
    ),
    AlertEntry(
        code="withdrawn",
        level="stop",
        title="Withdrew",
        meaning="The patient withdrew on or before the day of the session.",
        source="001",
        rule=_withdrawn,
    ),
    AlertEntry(
        code="too_young",
        level="stop",
        title="Too young for the protocol",
        meaning="The patient is younger than the protocol takes, counted by year where only the year of"
        " birth is known.",
        source="000, 001",
        rule=_too_young,
    ),
    AlertEntry(
        code="hypersensitivity_not_recorded",
        level="ask",
        title="Hypersensitivity is not recorded",
        meaning="Whether the patient is hypersensitive to sodium thiosulfate is not recorded.",
        source="000, 001",
        rule=_ask_hypersensitivity,
        field="sts_hypersensitivity",
    ),
    AlertEntry(
        code="pregnancy_not_recorded",
        level="ask",
        title="Pregnancy is not recorded",
        meaning="Whether the patient is pregnant is not recorded (not asked of men).",
        source="000, 001",
        rule=_ask_pregnancy,
        field="pregnant",
    ),
    AlertEntry(
        code="breast_feeding_not_recorded",
        level="ask",
        title="Breast feeding is not recorded",
        meaning="Whether the patient is breast feeding is not recorded, where the protocol excludes it"
        " (not asked of men).",
        source="001",
        rule=_ask_breast_feeding,
        field="breast_feeding",
    ),
    AlertEntry(
        code="birth_year_not_recorded",
        level="ask",
        title="The year of birth is not recorded",
        meaning="The year of birth is not recorded, where the protocol has a lowest age.",
        source="000, 001",
        rule=_ask_birth_year,
        field="birth_year",
    ),
    AlertEntry(
        code="raynaud_not_recorded",
        level="ask",
        title="Raynaud's phenomenon is not recorded",
        meaning="A finger or toe would be injected, and nothing is recorded of Raynaud's phenomenon.",
        source="003",
        rule=_ask_raynaud,
        field="raynaud",
    ),
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
    AlertEntry(
        code="above_maximum",
        level="acknowledge",
        title="Above the protocol's maximum",
        meaning="A volume or dose is above the protocol's maximum. The volume of a session counts by round: the"
        " lesions of one region of the body.",
        source="001",
        rule=_above_maximum,
    ),
    AlertEntry(
        code="not_yet_tolerated",
        level="acknowledge",
        title="A higher dose before enough infusions were tolerated",
        meaning="The infusion is above the usual dose before enough in a row passed without a side effect of"
        " grade 2 or more.",
        source="004",
        rule=_not_yet_tolerated,
    ),
    AlertEntry(
        code="too_early",
        level="acknowledge",
        title="Before the protocol's window",
        meaning="The visit is before the protocol's window.",
        source="000, 001, 002, 003, 004",
        rule=_too_early,
    ),
    AlertEntry(
        code="too_late",
        level="acknowledge",
        title="After the protocol's window",
        meaning="The visit is after the protocol's window.",
        source="000, 001, 002, 003, 004",
        rule=_too_late,
    ),
    AlertEntry(
        code="recalled_lot",
        level="acknowledge",
        title="The lot was recalled",
        meaning="The lot of what is injected, or of a vial from which was drawn, was recalled. It can be acknowledged, so that what was given can"
        " be recorded.",
        source="",
        rule=_recalled_lot,
    ),
    AlertEntry(
        code="more_than_planned",
        level="inform",
        title="More treatments than planned",
        meaning="The series has had all treatments that its protocol plans.",
        source="",
        rule=_more_than_planned,
    ),
    AlertEntry(
        code="missing_follow_up",
        level="inform",
        title="The series before had no follow-up",
        meaning="The series before had no follow-up, and its window is closed. At the first treatment of the"
        " next series.",
        source="",
        rule=_missing_follow_up,
    ),
    AlertEntry(
        code="ptga_worse",
        level="inform",
        title="PtGA is worse",
        meaning="PtGA is worse by the protocol's points (usually 3) than at the visit before, or, for the first"
        " time, than at the first visit of the series.",
        source="",
        rule=_ptga_worse,
    ),
    AlertEntry(
        code="lesion_grew",
        level="inform",
        title="A lesion grew",
        meaning="A lesion is larger (longest × widest) than at its first measure in the series, after"
        f" {TREATMENTS_BEFORE_GROWTH_COUNTS} treatments or more, and larger than was told of before.",
        source="",
        rule=_lesion_grew,
    ),
)
"""Stops, asks, what must be acknowledged, what informs: the order in which alerts are listed.

An entry without a report is ours: no paper asks for it.
"""


@dataclass(frozen=True, kw_only=True)
class AlertHelp:
    """One line of the help page."""

    code: str
    level: str
    level_words: str
    title: str
    meaning: str
    source: str
    source_words: str


def alert_help() -> tuple[AlertHelp, ...]:
    """The table for people: code, level, meaning and source of every alert."""
    return tuple(
        AlertHelp(
            code=entry.code,
            level=entry.level,
            level_words=LEVELS[entry.level],
            title=entry.title,
            meaning=entry.meaning,
            source=entry.source,
            source_words=cite(entry.source),
        )
        for entry in ALERTS
    )
