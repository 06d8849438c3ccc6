"""A session as it is to be written: typed values, checked for what one entry alone can show wrong."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.vials import Vial


@dataclass(frozen=True, kw_only=True)
class AssessmentEntry:
    """What was seen of one lesion. Measures in mm; PGA 0-4. `lesion` is the row's id."""

    lesion: int
    status: str
    longest_mm: Decimal | None = None
    widest_mm: Decimal | None = None
    size_source: str = ""
    ulcer: bool | None = None
    inflammation: bool | None = None
    pga: int | None = None
    observer_pga: int | None = None


@dataclass(frozen=True, kw_only=True)
class InjectionEntry:
    """What was injected into one lesion. mg/ml, ml, pain VAS 0-10. Under a hidden allocation the
    agent and its concentration are empty: the arm tells them."""

    lesion: int
    volume_ml: Decimal | None
    """None only while the injection is planned: of one that was given it is known."""
    agent: str = ""
    concentration_mg_ml: Decimal | None = None
    technique: str = ""
    anaesthesia: str = ""
    pain_vas: Decimal | None = None
    salt_form: str = ""
    lot_number: str = ""
    needle: str = ""
    dressing: str = ""


@dataclass(frozen=True, kw_only=True)
class InfusionEntry:
    """What was infused: g and minutes."""

    dose_g: Decimal
    duration_min: int


@dataclass(frozen=True, kw_only=True)
class VialEntry:
    """A vial from which was drawn, by its place on the sheet: lot number and ml."""

    vial_no: int
    lot_number: str
    drawn_ml: Decimal


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """An alert that a person read, the facts it showed, and the note kept."""

    code: str
    facts: str
    note: str
    lesion: int | None = None


@dataclass(frozen=True, kw_only=True)
class SessionEntry:
    """One visit. `series_status` and `stop_reason` say what becomes of the series; empty: it goes on."""

    kind: str
    held_on: date
    ptga: int | None = None
    phga: int | None = None
    performed_by: str = ""
    note: str = ""
    asked: str = ""
    """What came of asking for side effects: a code of INQUIRY_ANSWER, or nothing where nobody asked."""
    assessments: tuple[AssessmentEntry, ...] = ()
    injections: tuple[InjectionEntry, ...] = ()
    infusion: InfusionEntry | None = None
    vials: tuple[VialEntry, ...] | None = None
    """None where lot numbers are kept from the person: the rows that are there stay."""
    series_status: str = ""
    stop_reason: str = ""
    acknowledgements: tuple[Acknowledgement, ...] = field(default=())


class EntryRefused(Exception):
    """The entry breaks a rule that several tables decide. Nothing was written.

    Attributes:
        errors: {field of the sheet: sentence}; fields of a lesion are named by `lesion_field`.
    """

    def __init__(self, errors: dict[str, str]):
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def agent_of_visit(entry: SessionEntry) -> tuple[list[Vial], list[InjectionFacts]]:
    """What was drawn, and where it went, as stsclinic.clinical.vials adds it up."""
    vials = [
        Vial(vial_no=row.vial_no, lot_number=row.lot_number, drawn_ml=row.drawn_ml)
        for row in entry.vials or ()
    ]
    given = [
        InjectionFacts(lesion_id="", volume_ml=row.volume_ml, lot_number=row.lot_number)
        for row in entry.injections
    ]
    return vials, given


def vial_field(vial_no: int, name: str) -> str:
    """The sheet's name of a field of one vial. The lot of the first is that of all lesions."""
    if vial_no == 1 and name == "lot_number":
        return "all-lot_number"
    return f"vial-{vial_no}-{name}"


def lesion_field(lesion: int, name: str) -> str:
    """The sheet's name of a field of one lesion."""
    return f"lesion-{lesion}-{name}"
