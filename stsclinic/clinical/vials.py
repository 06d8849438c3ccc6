"""Where did the agent of a visit go? What was drawn from each vial was injected, or is left over.

Vials of one lot are used up in the order in which they are listed. All volumes in ml.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.lots import plain_lot
from stsclinic.clinical.numbers import show_decimal


@dataclass(frozen=True, kw_only=True)
class Vial:
    """A vial from which was drawn at a visit."""

    vial_no: int
    lot_number: str
    drawn_ml: Decimal


@dataclass(frozen=True)
class VialUse:
    """What became of a vial: `vial.drawn_ml` = injected + left over."""

    vial: Vial
    injected_ml: Decimal

    @property
    def left_over_ml(self) -> Decimal:
        """What was drawn and not injected. Below 0 where more was injected from the lot than was drawn."""
        return self.vial.drawn_ml - self.injected_ml

    @property
    def words(self) -> str:
        """`A1: 5 ml drawn = 2.35 ml injected + 2.65 ml left over`."""
        lot = self.vial.lot_number or "?"
        if self.left_over_ml < 0:
            return f"{lot}: {show_decimal(self.vial.drawn_ml)} ml drawn, {show_decimal(-self.left_over_ml)} ml too few"
        return (
            f"{lot}: {show_decimal(self.vial.drawn_ml)} ml drawn = {show_decimal(self.injected_ml)} ml injected"
            f" + {show_decimal(self.left_over_ml)} ml left over"
        )

    @property
    def short(self) -> str:
        """The same where there is little room: `A1 5 = 2.35 + 2.65 ml`."""
        lot = self.vial.lot_number or "?"
        if self.left_over_ml < 0:
            return f"{lot} {show_decimal(-self.left_over_ml)} ml too few"
        parts = (self.injected_ml, self.left_over_ml)
        return f"{lot} {show_decimal(self.vial.drawn_ml)} = {' + '.join(map(show_decimal, parts))} ml"


def vial_uses(vials: Sequence[Vial], injections: Iterable[InjectionFacts]) -> tuple[VialUse, ...]:
    """What became of each vial; what no vial of its lot could give stands at the last of them."""
    rest = _injected_by_lot(injections)
    last = {plain_lot(vial.lot_number): vial.vial_no for vial in vials}
    uses = []
    for vial in vials:
        lot = plain_lot(vial.lot_number)
        taken = rest[lot] if last[lot] == vial.vial_no else min(rest[lot], vial.drawn_ml)
        rest[lot] -= taken
        uses.append(VialUse(vial, taken))
    return tuple(uses)


def injected_without_vial(vials: Iterable[Vial], injections: Sequence[InjectionFacts]) -> dict[str, Decimal]:
    """{lot number as it was first written: ml} of what was injected and of whose lot no vial is listed.

    The empty text is the lot number of what was injected without one.
    """
    listed = {plain_lot(vial.lot_number) for vial in vials}
    written: dict[str, str] = {}
    for row in injections:
        written.setdefault(plain_lot(row.lot_number), row.lot_number)
    volumes = _injected_by_lot(injections)
    return {written[lot]: volume for lot, volume in volumes.items() if volume and lot not in listed}


def lots_in_words(without_vial: Mapping[str, Decimal]) -> str:
    """What no listed vial gave: `no lot number 1.5 ml, B2 0.5 ml`."""
    return ", ".join(f"{lot or 'no lot number'} {show_decimal(ml)} ml" for lot, ml in without_vial.items())


def _injected_by_lot(injections: Iterable[InjectionFacts]) -> dict[str, Decimal]:
    volumes: dict[str, Decimal] = defaultdict(Decimal)
    for row in injections:
        volumes[plain_lot(row.lot_number)] += row.volume_ml or 0
    return volumes
