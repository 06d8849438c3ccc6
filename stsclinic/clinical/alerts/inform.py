"""What is told, and asks for nothing."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from stsclinic.clinical.alerts.kinds import AlertEntry, Finding
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.dosing import area_cm2
from stsclinic.clinical.facts import Facts, SizeFacts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.schedule import SessionHeld, follow_up_window, had_follow_up

TREATMENTS_BEFORE_GROWTH_COUNTS = 2
"""A lesion that grew is told of once so many treatments of the series did not hold it (our choice)."""


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


def _area(size: SizeFacts) -> Decimal | None:
    if size.longest_mm is None or size.widest_mm is None:
        return None
    return area_cm2(size.longest_mm, size.widest_mm)


INFORMS: tuple[AlertEntry, ...] = (
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
"""In the order in which they are listed."""
