"""Arithmetic of a dose: mg, cm², ml, syringes, dilutions, salt forms. No dose is recommended.

Everything is Decimal: mg/ml, ml, mg, mm, cm². Nothing is rounded here.
Source: domain.md, "Arithmetic that the program does"; report 001 for the area, ml/cm² and dilution.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from stsclinic.clinical.facts import InjectionFacts

ANHYDROUS_PER_PENTAHYDRATE = Decimal("0.637")
"""Mass of the anhydrous salt in one of pentahydrate (158.11 / 248.18 g/mol, United States label)."""

SYRINGE_ML = Decimal(1)
SMALLEST_ML = Decimal("0.001")


def dose_mg(concentration_mg_ml: Decimal, volume_ml: Decimal) -> Decimal:
    """Dose of one injection in mg."""
    return concentration_mg_ml * volume_ml


def area_cm2(longest_mm: Decimal, widest_mm: Decimal) -> Decimal:
    """Area by the papers' own reckoning, longest × widest: 3 × 3 mm is 0.09 cm² (report 001)."""
    return longest_mm * widest_mm / 100


@dataclass(frozen=True)
class VolumeByArea:
    """A protocol's volume for a lesion, and whether its maximum held it."""

    volume_ml: Decimal
    is_held_to_maximum: bool

    @property
    def enterable_ml(self) -> Decimal:
        """The volume as a sheet takes it: cut to 0.001 ml, so that it is never more than the arithmetic gives."""
        return self.volume_ml.quantize(SMALLEST_ML, rounding=ROUND_FLOOR)


def volume_by_area(area: Decimal, ml_per_cm2: Decimal, maximum_ml: Decimal | None) -> VolumeByArea:
    """Volume for an area in cm² at the protocol's ml/cm², held to its maximum per lesion."""
    volume = area * ml_per_cm2
    if maximum_ml is not None and volume > maximum_ml:
        return VolumeByArea(maximum_ml, True)
    return VolumeByArea(volume, False)


def ml_per_cm2(volume_ml: Decimal, area: Decimal) -> Decimal:
    """ml on each cm² of an area in cm², to three decimals."""
    return (volume_ml / area).quantize(SMALLEST_ML, rounding=ROUND_HALF_UP)


def syringes(volume_ml: Decimal) -> int:
    """How many 1 ml syringes hold a volume of one solution in one session."""
    return int((volume_ml / SYRINGE_ML).to_integral_value(rounding=ROUND_CEILING))


def diluted_mg_ml(stock_mg_ml: Decimal, parts: Decimal) -> Decimal:
    """Concentration of 1 part of stock in so many parts of water: 250 in 5.25 gives 40.

    Raises ValueError for a negative part.
    """
    if parts < 0:
        raise ValueError("Parts of water cannot be below 0.")
    return stock_mg_ml / (1 + parts)


def water_parts(stock_mg_ml: Decimal, wanted_mg_ml: Decimal) -> Decimal:
    """Parts of water to 1 part of stock: 250 to 40 mg/ml takes 5.25.

    Raises ValueError when no dilution gives it.
    """
    if not 0 < wanted_mg_ml <= stock_mg_ml:
        raise ValueError("A dilution lies above 0 and not above the stock's concentration.")
    return stock_mg_ml / wanted_mg_ml - 1


def as_anhydrous(amount: Decimal, salt_form: str) -> Decimal:
    """mg or mg/ml counted as the anhydrous salt. Raises ValueError for an unknown salt form."""
    return amount * _anhydrous_share(salt_form)


def as_pentahydrate(amount: Decimal, salt_form: str) -> Decimal:
    """mg or mg/ml counted as the pentahydrate. Raises ValueError for an unknown salt form."""
    if salt_form == "pentahydrate":
        return amount
    return as_anhydrous(amount, salt_form) / ANHYDROUS_PER_PENTAHYDRATE


def _anhydrous_share(salt_form: str) -> Decimal:
    if salt_form == "pentahydrate":
        return ANHYDROUS_PER_PENTAHYDRATE
    if salt_form == "anhydrous":
        return Decimal(1)
    raise ValueError("Without its salt form, a concentration cannot be converted.")


@dataclass(frozen=True)
class Totals:
    """What was injected: of one session, or summed over sessions with `+`."""

    injections: int = 0
    volume_ml: Decimal = Decimal(0)
    dose_mg: Decimal = Decimal(0)
    """Of sodium thiosulfate, as labelled; saline adds none."""
    syringes: int = 0
    """1 ml syringes; one holds one solution, and is not kept for the next session."""
    is_complete: bool = True
    """False while a volume, or the concentration of an agent other than saline, is missing."""

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.injections + other.injections,
            self.volume_ml + other.volume_ml,
            self.dose_mg + other.dose_mg,
            self.syringes + other.syringes,
            self.is_complete and other.is_complete,
        )


def session_totals(injections: Iterable[InjectionFacts]) -> Totals:
    """Totals of one session; add those of several sessions for a series or a patient."""
    rows = tuple(injections)
    by_solution: dict[tuple[str, Decimal | None, str], Decimal] = defaultdict(Decimal)
    dose = Decimal(0)
    is_complete = True
    for row in rows:
        if row.volume_ml is None:
            is_complete = False
            continue
        by_solution[row.agent, row.concentration_mg_ml, row.salt_form] += row.volume_ml
        if row.agent == "saline":
            continue
        if row.concentration_mg_ml is None:
            is_complete = False
        else:
            dose += dose_mg(row.concentration_mg_ml, row.volume_ml)
    return Totals(
        injections=len(rows),
        volume_ml=sum(by_solution.values(), Decimal(0)),
        dose_mg=dose,
        syringes=sum(syringes(volume) for volume in by_solution.values()),
        is_complete=is_complete,
    )


def mg_per_cm2(treated: Iterable[tuple[InjectionFacts, Decimal | None]]) -> Decimal | None:
    """mg on each cm² of the lesions whose area in cm² is known, to one decimal.

    None without an area, or where the dose of such a lesion is not known.
    """
    measured = [(row, area) for row, area in treated if area]
    totals = session_totals(row for row, _area in measured)
    if not measured or not totals.is_complete:
        return None
    whole = sum((area for _row, area in measured), Decimal(0))
    return (totals.dose_mg / whole).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
