"""What do the typed texts of a sheet add up to, as far as they can be read? Shown on the sheet, stored nowhere.

The sheet's scripts do the same while one types. A text that is no number yet counts as nothing here; it is
refused, with its reason, when the session is completed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from lesions.models import Lesion
from sessions_app.entries import lesion_field, vial_field
from sessions_app.last_time import LastTime
from sessions_app.sheet import (
    SheetPlan,
    parse_both_measures,
    parse_concentration,
    parse_drawn,
    parse_measure,
    parse_volume,
)
from stsclinic.clinical.dosing import (
    Totals,
    area_cm2,
    dose_mg,
    mg_per_cm2,
    ml_per_cm2,
    session_totals,
    volume_by_area,
)
from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.limits import limits_passed
from stsclinic.clinical.numbers import NumberError, gives_both_measures, show_decimal
from stsclinic.clinical.vials import Vial, VialUse, injected_without_vial, lots_in_words, vial_uses

T = TypeVar("T")


@dataclass(frozen=True)
class Offer:
    """A volume in ml that one key takes over, and where it comes from."""

    volume: str
    words: str


@dataclass(frozen=True)
class LesionSum:
    """One lesion of the sheet: whether it was looked at, its area in cm², and what is injected."""

    is_seen: bool
    area: Decimal | None
    wider: str
    """That the widest measure is above the longest, in words."""
    injection: InjectionFacts | None
    last_time: Offer | None
    by_area: Offer | None

    @property
    def dose(self) -> str:
        """The dose as arithmetic: `= 82.5 mg`."""
        given = self.injection
        if given is None or given.volume_ml is None:
            return ""
        if given.agent == "saline":
            return "saline"
        if given.concentration_mg_ml is None:
            return ""
        return f"= {show_decimal(dose_mg(given.concentration_mg_ml, given.volume_ml))} mg"


@dataclass(frozen=True)
class SheetSum:
    """All lesions of a sheet."""

    lesions: dict[int, LesionSum] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    passed: tuple[str, ...] = ()
    """The protocol's limits that are passed, in words."""
    vials: tuple[VialUse, ...] = ()
    without_vial: str = ""
    """What was injected from no vial that is listed, in words."""

    @property
    def seen(self) -> int:
        """How many lesions were looked at."""
        return sum(row.is_seen for row in self.lesions.values())

    @property
    def measured(self) -> tuple[LesionSum, ...]:
        """The injected lesions whose size of this visit is known."""
        return tuple(row for row in self.lesions.values() if row.injection and row.area)

    @property
    def mg_per_cm2(self) -> str:
        """mg on each cm² of these lesions; empty where it is not known."""
        density = mg_per_cm2((row.injection, row.area) for row in self.lesions.values() if row.injection)
        return "" if density is None else show_decimal(density)


def add_up(plan: SheetPlan, values: dict[str, str]) -> SheetSum:
    """The arithmetic of a sheet as it stands."""
    last = plan.last_time(values)
    lesions = {lesion.pk: _lesion_sum(plan, lesion, last[lesion.pk], values) for lesion in plan.lesions}
    injections = [row.injection for row in lesions.values() if row.injection]
    vials = _vials(plan, values)
    return SheetSum(
        vials=vial_uses(vials, injections),
        without_vial=lots_in_words(injected_without_vial(vials, injections)) if vials else "",
        lesions=lesions,
        totals=session_totals(injections),
        passed=limits_passed(plan.definition, injections, counts_dose=plan.shows_allocation),
    )


def _vials(plan: SheetPlan, values: dict[str, str]) -> tuple[Vial, ...]:
    found = []
    for vial_no in plan.vials:
        drawn = _read(parse_drawn, values.get(vial_field(vial_no, "drawn_ml"), ""))
        if drawn is not None:
            lot = values.get(vial_field(vial_no, "lot_number"), "").strip()
            found.append(Vial(vial_no=vial_no, lot_number=lot, drawn_ml=drawn))
    return tuple(found)


def _lesion_sum(plan: SheetPlan, lesion: Lesion, last: LastTime, values: dict[str, str]) -> LesionSum:
    def typed(part: str) -> str:
        return values.get(lesion_field(lesion.pk, part), "").strip()

    before = last.assessment if last.may_confirm else None
    is_gone = bool(typed("gone"))
    is_confirmed = not is_gone and bool(before) and typed("confirmed") == last.token
    today = _size(typed("longest_mm"), typed("widest_mm"))
    known = (before.longest_mm, before.widest_mm) if before else (None, None)
    shown = tuple(now or then for now, then in zip(today, known, strict=True))
    size = shown if is_confirmed else today
    seen = ("gone", "longest_mm", "widest_mm", "ulcer", "inflammation", "pga")
    return LesionSum(
        is_seen=is_confirmed or any(typed(part) for part in seen),
        area=None if is_gone else _area(size),
        wider="" if is_gone else _wider(*size),
        injection=_injection(plan, lesion, values),
        last_time=_as_last_time(plan, last),
        by_area=None if is_gone else _by_area(plan, shown, is_today=is_confirmed or None not in today),
    )


def _size(longest: str, widest: str) -> tuple[Decimal | None, Decimal | None]:
    for typed, other in ((longest, widest), (widest, longest)):
        if gives_both_measures(typed):
            return (None if other else _read(parse_both_measures, typed)) or (None, None)
    return _read(parse_measure, longest), _read(parse_measure, widest)


def _wider(longest: Decimal | None, widest: Decimal | None) -> str:
    if longest is None or widest is None or widest <= longest:
        return ""
    return f"Wider than the longest measure, {show_decimal(longest)} mm."


def _area(size: tuple[Decimal | None, ...]) -> Decimal | None:
    longest, widest = size
    return area_cm2(longest, widest) if longest and widest else None


def _injection(plan: SheetPlan, lesion: Lesion, values: dict[str, str]) -> InjectionFacts | None:
    def typed(part: str) -> str:
        own = values.get(lesion_field(lesion.pk, part), "").strip()
        return own or values.get(f"all-{part}", "").strip()

    if not plan.has_injections:
        return None
    volume = _read(parse_volume, values.get(lesion_field(lesion.pk, "volume_ml"), ""))
    if volume is None:
        return None
    agent = typed("agent") or "sts"
    concentration = _read(parse_concentration, typed("concentration_mg_ml"))
    return InjectionFacts(
        lesion_id=lesion.lesion_id,
        body_site=lesion.body_site,
        agent=agent,
        concentration_mg_ml=None if agent == "saline" else concentration,
        volume_ml=volume,
        salt_form=typed("salt_form"),
        lot_number=typed("lot_number"),
    )


def _read(parse: Callable[[str], T], text: str) -> T | None:
    try:
        return parse(text)
    except NumberError:
        return None


def _as_last_time(plan: SheetPlan, last: LastTime) -> Offer | None:
    if last.injection is None or not plan.has_injections:
        return None
    given, seen = last.injection, last.assessment
    area = _area((seen.longest_mm, seen.widest_mm)) if seen and seen.held_on == given.held_on else None
    words = f"last time, {given.on}"
    if area:
        # The lesion's head says of which day these are.
        density = ml_per_cm2(given.volume_ml, area)
        about = "" if density * area == given.volume_ml else "about "
        words = f"last time: {about}{show_decimal(area)} cm² × {show_decimal(density)} ml/cm²"
    return Offer(show_decimal(given.volume_ml), words)


def _by_area(plan: SheetPlan, size: tuple[Decimal | None, ...], *, is_today: bool) -> Offer | None:
    rate, area = plan.definition.volume_ml_per_cm2, _area(size)
    if rate is None or area is None or not plan.has_injections:
        return None
    most = plan.definition.max_volume_ml_per_lesion
    return protocol_volume(area, rate, most, whose="" if is_today else " (last size)")


def protocol_volume(area: Decimal, rate: Decimal, most: Decimal | None, *, whose: str = "") -> Offer | None:
    """The protocol's ml/cm² on an area in cm², held to its maximum in ml: arithmetic, and named as such.

    Args:
        whose: which size it is, where it is not today's.
    """
    volume = volume_by_area(area, rate, most)
    if not volume.enterable_ml:
        return None
    words = f"protocol: {show_decimal(area)} cm²{whose} × {show_decimal(rate)} ml/cm²"
    if volume.is_held_to_maximum:
        words += f" = {show_decimal(area * rate)} ml, held to its maximum"
    elif volume.enterable_ml != volume.volume_ml:
        words += f" = {show_decimal(volume.volume_ml)} ml"
    return Offer(show_decimal(volume.enterable_ml), words)
