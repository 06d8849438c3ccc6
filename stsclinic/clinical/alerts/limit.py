"""The protocol's limits, and recalled lots, to acknowledge with a note."""

from collections.abc import Iterator
from decimal import Decimal

from stsclinic.clinical.alerts.kinds import AlertEntry, Finding
from stsclinic.clinical.alerts.questions import names
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.dosing import session_totals
from stsclinic.clinical.facts import Facts, InjectionFacts
from stsclinic.clinical.lots import plain_lot
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.rounds import rounds
from stsclinic.clinical.schedule import WindowState, follow_up_state, window_state

SIDE_EFFECT_GRADE_NOT_TOLERATED = 2
"""An infusion with a side effect of this grade or more was not tolerated (domain.md)."""


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
            reason=f"{names(injections) or 'A vial'}: lot {lot.lot_number} was recalled on"
            f" {show_date(lot.recalled_on)}{why}.",
            measure=lot.lot_number,
            betrays_allocation=True,
        )


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


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


LIMITS: tuple[AlertEntry, ...] = (
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
)
"""In the order in which they are listed."""
