"""The session sheet: which fields it has, what was typed in them, and the entry that they make.

The sheet is no ordinary form: it holds one visit of up to 22 lesions, may be unfinished, keeps
every text as it was typed, and shows last time's values beside each field. Everything about its
fields stands here; how it looks stands in templates/sessions_app/sheet.html.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from lesions.models import Lesion
from sessions_app.concealed import Concealed
from sessions_app.entries import (
    AssessmentEntry,
    InfusionEntry,
    InjectionEntry,
    SessionEntry,
    VialEntry,
    agent_of_visit,
    lesion_field,
    vial_field,
)
from sessions_app.last_time import Course, LastTime, course_of
from sessions_app.lesion_order import lesions_in_order
from sessions_app.models import (
    INQUIRY_ANSWER,
    Assessment,
    Injection,
    Series,
    SeriesLesion,
    TreatmentSession,
)
from sessions_app.sheet_fields import BETRAYING_FIELDS, SheetFields
from stsclinic.clinical import terms
from stsclinic.clinical.numbers import (
    LARGEST_LESION_MM,
    NumberError,
    gives_both_measures,
    parse_decimal,
    parse_size,
    parse_whole,
    show_decimal,
)
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.scales import SCALES
from stsclinic.clinical.vials import injected_without_vial, lots_in_words

VOCABULARIES = {
    "agent": terms.AGENT,
    "technique": terms.TECHNIQUE,
    "anaesthesia": terms.ANAESTHESIA,
    "salt_form": terms.SALT_FORM,
    "dressing": terms.DRESSING,
    "ulcer": terms.YES_NO,
    "inflammation": terms.YES_NO,
    "asked": INQUIRY_ANSWER,
    "series_status": {"completed": "is completed", "stopped": "is stopped"},
    "stop_reason": terms.STOP_REASON,
}
TEXT_LIMITS = {"lot_number": 60, "needle": 60, "performed_by": 150, "note": 20_000}


@dataclass(frozen=True, kw_only=True)
class SheetPlan(SheetFields):
    """What a sheet is about: its fields, the series, the lesions in their order, and what may be shown."""

    series: Series
    definition: ProtocolDefinition
    treated: tuple[SeriesLesion, ...]
    """The lesions with their arms, which are for the rules and not for the reader."""
    lesions: tuple[Lesion, ...]
    concealed: Concealed
    """What is kept from the reader."""
    corrects: TreatmentSession | None = None

    @property
    def follows_a_session(self) -> bool:
        """Whether the patient had a session before, after which something may have happened."""
        return self.corrects is None and bool(self.course.visits)

    @cached_property
    def course(self) -> Course:
        """What was recorded of the lesions before. Loaded when it is first asked for."""
        return course_of(
            self.series,
            self.lesion_keys,
            concealed=self.concealed,
            corrects=self.corrects,
        )

    def last_time(self, values: dict[str, str]) -> dict[int, LastTime]:
        """The last values of each lesion before the day of the visit that is typed."""
        visit = day_of_visit(values)
        return {lesion.pk: self.course.last(lesion.pk, visit) for lesion in self.lesions}


def plan_sheet(
    series: Series, kind: str, *, concealed: Concealed, corrects: TreatmentSession | None = None
) -> SheetPlan:
    """Load what a sheet is about, for a reader from whom `concealed` is kept. One query."""
    treated = tuple(lesions_in_order(series))
    return SheetPlan(
        series=series,
        kind=kind,
        definition=series.protocol.definition,
        treated=treated,
        lesions=tuple(row.lesion for row in treated),
        lesion_keys=tuple(row.lesion_id for row in treated),
        concealed=concealed,
        shows_allocation=not concealed.hides_series(series),
        is_correction=corrects is not None,
        corrects=corrects,
    )


def day_of_visit(values: dict[str, str]) -> datetime.date | None:
    """The day that is typed, or None while it is none."""
    try:
        return datetime.date.fromisoformat(values.get("held_on", "").strip())
    except ValueError:
        return None


def values_of(session: TreatmentSession, plan: SheetPlan) -> dict[str, str]:
    """A completed session as the texts of a sheet, for its correction."""
    values = {
        "held_on": session.held_on.isoformat(),
        "performed_by": session.performed_by,
        "ptga": as_text(session.ptga),
        "phga": as_text(session.phga),
        "note": session.note,
    }
    for row in session.assessments.all():
        names = ("longest_mm", "widest_mm", "ulcer", "inflammation", "pga")
        values |= {lesion_field(row.lesion_id, name): as_text(getattr(row, name)) for name in names}
        values[lesion_field(row.lesion_id, "gone")] = "on" if row.status == "gone" else ""
    for given in session.injections.all():
        parts = ("volume_ml", "pain_vas", *plan.common_fields)
        values |= {lesion_field(given.lesion_id, name): as_text(getattr(given, name)) for name in parts}
    for vial in session.vials.all():
        values |= {
            vial_field(vial.vial_no, name): as_text(getattr(vial, name))
            for name in ("lot_number", "drawn_ml")
        }
    for infused in session.infusions.all():
        values |= {
            "infusion-dose_g": as_text(infused.dose_g),
            "infusion-duration_min": str(infused.duration_min),
        }
    return {name: values[name] for name in plan.field_names if values.get(name)}


def as_text(value) -> str:
    """A stored value as one would type it; nothing stays empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return show_decimal(value)
    return str(value)


@dataclass
class Reading:
    """What the typed texts say: the entry, or the errors that stand in its way.

    `errors` and `missing` are {field: sentence}. What is missing may be left out knowingly.
    """

    entry: SessionEntry | None = None
    errors: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    readable: dict[str, Any] = field(default_factory=dict)
    """The parts of the entry that can be read, also while others cannot."""

    def so_far(self, today: datetime.date) -> SessionEntry:
        """What can be read as an entry; while no day can be read, of today."""
        return SessionEntry(**self.readable | {"held_on": self.readable["held_on"] or today})


def read_sheet(plan: SheetPlan, values: dict[str, str], *, carried: frozenset[str] = frozenset()) -> Reading:
    """Read the typed texts of a sheet. Nothing is guessed: a text with two readings is an error.

    What was recorded before is asked for only where something was not typed.

    Args:
        carried: the fields that nobody typed: they stand as the last treatment was.
    """
    reader, visit = _Reader(values), day_of_visit(values)

    def last(lesion: Lesion) -> LastTime:
        return plan.course.last(lesion.pk, visit)

    assessments = [_read_assessment(plan, lesion, last, reader) for lesion in plan.lesions]
    injections = [_read_injection(plan, lesion, reader, carried) for lesion in plan.lesions]
    entry: dict[str, Any] = dict(
        kind=plan.kind,
        held_on=reader.date("held_on"),
        ptga=reader.scale("ptga", "ptga"),
        phga=reader.scale("phga", "phga"),
        performed_by=reader.text("performed_by"),
        note=reader.text("note"),
        asked=reader.code("asked", "asked"),
        assessments=tuple(filter(None, assessments)),
        injections=tuple(filter(None, injections)),
        infusion=_read_infusion(plan, reader),
        vials=_read_vials(plan, reader),
        series_status=reader.code("series_status", "series_status"),
        stop_reason=reader.code("stop_reason", "stop_reason"),
    )
    if entry["held_on"] is None and "held_on" not in reader.errors:
        reader.errors["held_on"] = "Enter the day of the visit."
    if entry["series_status"] == "stopped" and not entry["stop_reason"]:
        reader.errors.setdefault("stop_reason", "Choose why the series is stopped.")
    if entry["stop_reason"] and entry["series_status"] != "stopped":
        reader.errors.setdefault(
            "stop_reason", "Choose that the series is stopped, or leave the reason empty."
        )
    if reader.errors:
        return Reading(errors=reader.errors, readable=entry)
    made = SessionEntry(**entry)
    return Reading(entry=made, missing=_missing(plan, made, last), readable=entry)


def planned_injections(plan: SheetPlan, values: dict[str, str]) -> tuple[InjectionEntry, ...]:
    """What each lesion that is not gone would get as far as it is typed: before there is a volume, without one."""
    if not plan.has_injections:
        return ()
    reader, visit = _Reader(values), day_of_visit(values)
    planned = []
    for lesion in plan.lesions:
        volume = reader.read(lesion_field(lesion.pk, "volume_ml"), parse_volume)
        if volume is None and _is_gone(lesion, plan.course.last(lesion.pk, visit), reader):
            continue
        own = {}
        for part in BETRAYING_FIELDS if plan.shows_allocation else ():
            own[part] = _read_injection_part(reader, lesion_field(lesion.pk, part), part)
            if own[part] in (None, ""):
                own[part] = _read_injection_part(reader, f"all-{part}", part)
        planned.append(
            InjectionEntry(lesion=lesion.pk, volume_ml=volume, **own | _agent_and_dose(plan, lesion, own))
        )
    return tuple(planned)


def _is_gone(lesion: Lesion, last: LastTime, reader: "_Reader") -> bool:
    """Whether it is gone: as typed, or as at the last visit while nothing else was seen of it."""
    seen = any(reader.typed(lesion_field(lesion.pk, part)) for part in ("longest_mm", "widest_mm", "ulcer"))
    was_gone = last.assessment is not None and last.assessment.status == "gone"
    return bool(reader.typed(lesion_field(lesion.pk, "gone"))) or (was_gone and not seen)


SMALLEST_MM, MM_PLACES = Decimal("0.01"), 2


def parse_measure(text: str) -> Decimal:
    """A measure of a lesion in mm. Raises NumberError."""
    return parse_decimal(text, places=MM_PLACES, low=SMALLEST_MM, high=LARGEST_LESION_MM)


def parse_both_measures(text: str) -> tuple[Decimal, Decimal]:
    """Longest and widest in mm, typed in one field as `12x8`. Raises NumberError."""
    return parse_size(text, places=MM_PLACES, low=SMALLEST_MM, high=LARGEST_LESION_MM)


def parse_volume(text: str) -> Decimal:
    """A volume in ml. Raises NumberError."""
    return parse_decimal(text, places=3, low=Decimal("0.001"), high=100)


def parse_concentration(text: str) -> Decimal:
    """A concentration in mg/ml. Raises NumberError."""
    return parse_decimal(text, places=2, low=Decimal("0.01"), high=1000)


def parse_drawn(text: str) -> Decimal:
    """What was drawn from a vial, in ml. Raises NumberError."""
    return parse_decimal(text, places=3, low=Decimal("0.001"), high=1000)


def parse_infusion(text: str) -> Decimal:
    """A dose of an infusion in g. Raises NumberError."""
    return parse_decimal(text, places=2, low=Decimal("0.01"), high=1000)


class _Reader:
    """Reads one field after the other and keeps what is wrong, each at its place."""

    def __init__(self, values: dict[str, str]):
        self.values = values
        self.errors: dict[str, str] = {}

    def typed(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def read(self, name: str, parse):
        """What `parse` makes of the text; None where nothing is typed, or where it is refused."""
        text = self.typed(name)
        if not text:
            return None
        try:
            return parse(text)
        except NumberError as error:
            self.errors[name] = str(error)
            return None

    def scale(self, name: str, code: str):
        value = self.read(name, SCALES[code].parse)
        return int(value) if value is not None and SCALES[code].places == 0 else value

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        return self.read(name, lambda text: parse_whole(text, low=low, high=high))

    def code(self, name: str, kind: str) -> str:
        text = self.typed(name)
        if text and text not in VOCABULARIES[kind]:
            self.errors[name] = "Choose one of the list."
            return ""
        return text

    def yes_no(self, name: str, kind: str) -> bool | None:
        return {"yes": True, "no": False}.get(self.code(name, kind))

    def text(self, name: str, kind: str = "") -> str:
        text = self.typed(name)
        limit = TEXT_LIMITS[kind or name]
        if len(text) > limit:
            self.errors[name] = f"At most {limit} characters; this has {len(text)}."
        if "\x00" in text:
            self.errors[name] = "This holds a character that cannot be kept."
        return text

    def date(self, name: str) -> datetime.date | None:
        text = self.typed(name)
        if not text:
            return None
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            self.errors[name] = "Enter a date as year-month-day, such as 2026-11-20."
            return None


def _read_assessment(
    plan: SheetPlan, lesion: Lesion, last: Callable[[Lesion], LastTime], reader: _Reader
) -> AssessmentEntry | None:
    def name(part: str) -> str:
        return lesion_field(lesion.pk, part)

    gone, confirmed = bool(reader.typed(name("gone"))), reader.typed(name("confirmed"))
    longest, widest = _read_size(reader, name("longest_mm"), name("widest_mm"))
    ulcer = reader.yes_no(name("ulcer"), "ulcer")
    inflammation = reader.yes_no(name("inflammation"), "inflammation")
    pga = reader.scale(name("pga"), "pga") if plan.definition.uses_pga else None
    observer_pga = _observer_pga(plan, lesion)
    seen = [
        name(part)
        for part in ("longest_mm", "widest_mm", "ulcer", "inflammation")
        if reader.typed(name(part))
    ]
    if gone:
        for spot in seen:
            reader.errors.setdefault(spot, "A lesion that is gone has no measures, ulcer or inflammation.")
        if confirmed:
            reader.errors[name("confirmed")] = "Choose one: gone, or as last time."
        return AssessmentEntry(lesion=lesion.pk, status="gone", pga=pga, observer_pga=observer_pga)
    source = "measured" if longest is not None or widest is not None else ""
    if confirmed:
        before = last(lesion)
        if (refusal := before.refuses(confirmed)) or before.assessment is None:
            reader.errors[name("confirmed")] = refusal
            return None
        # What is typed replaces only its own field; a size of which one measure is new was measured.
        longest = before.assessment.longest_mm if longest is None else longest
        widest = before.assessment.widest_mm if widest is None else widest
        ulcer = before.assessment.ulcer if ulcer is None else ulcer
        inflammation = before.assessment.inflammation if inflammation is None else inflammation
        if not source and (longest is not None or widest is not None):
            source = "confirmed"
    elif not seen and pga is None and observer_pga is None:
        return None
    return AssessmentEntry(
        lesion=lesion.pk,
        status="present",
        longest_mm=longest,
        widest_mm=widest,
        size_source=_size_source(plan, lesion, longest, widest, source),
        ulcer=ulcer,
        inflammation=inflammation,
        pga=pga,
        observer_pga=observer_pga,
    )


def _read_size(reader: _Reader, longest: str, widest: str) -> tuple[Decimal | None, Decimal | None]:
    """Both measures in mm; `12x8` in either field gives both."""
    for spot, other in ((longest, widest), (widest, longest)):
        if not gives_both_measures(reader.typed(spot)):
            continue
        if reader.typed(other):
            reader.errors[spot] = "This gives both measures, and the other field is typed too. Empty one."
            return None, None
        return reader.read(spot, parse_both_measures) or (None, None)
    return reader.read(longest, parse_measure), reader.read(widest, parse_measure)


def _own_row(plan: SheetPlan, lesion: Lesion) -> Assessment | None:
    if plan.corrects is None:
        return None
    return next((row for row in plan.corrects.assessments.all() if row.lesion_id == lesion.pk), None)


def _observer_pga(plan: SheetPlan, lesion: Lesion) -> int | None:
    """The observer's score is no field of the sheet: a correction keeps it."""
    row = _own_row(plan, lesion)
    return row.observer_pga if row else None


def _size_source(plan: SheetPlan, lesion: Lesion, longest, widest, typed: str) -> str:
    """How the size was found. A correction that leaves the size alone leaves this alone too, also where it is empty."""
    row = _own_row(plan, lesion)
    return row.size_source if row and (row.longest_mm, row.widest_mm) == (longest, widest) else typed


def _read_injection(
    plan: SheetPlan, lesion: Lesion, reader: _Reader, carried: frozenset[str]
) -> InjectionEntry | None:
    if not plan.has_injections:
        return None

    def name(part: str) -> str:
        return lesion_field(lesion.pk, part)

    volume = reader.read(name("volume_ml"), parse_volume)
    pain = reader.scale(name("pain_vas"), "pain_vas")
    own = {part: _read_injection_part(reader, name(part), part) for part in plan.common_fields}
    if volume is None:
        spots = [name(part) for part in ("pain_vas", *plan.common_fields)]
        if name("volume_ml") not in reader.errors and any(
            reader.typed(spot) for spot in spots if spot not in carried
        ):
            reader.errors[name("volume_ml")] = (
                "Enter the volume, or empty the lesion's other injection fields."
            )
        return None
    for part in plan.common_fields:
        if own[part] in (None, ""):
            own[part] = _read_injection_part(reader, f"all-{part}", part)
    own |= _agent_and_dose(plan, lesion, own)
    is_wanting = plan.shows_allocation and own["agent"] == "sts" and own["concentration_mg_ml"] is None
    if is_wanting and "all-concentration_mg_ml" not in reader.errors:
        spot = name("concentration_mg_ml")
        reader.errors.setdefault(spot, "Enter the concentration in mg/ml, here or for all lesions.")
    return InjectionEntry(lesion=lesion.pk, volume_ml=volume, pain_vas=pain, **own)


def _agent_and_dose(plan: SheetPlan, lesion: Lesion, own: dict) -> dict:
    """The fields that tell the arm, filled up: of what is typed, or of what a correction may not see."""
    if not plan.shows_allocation:
        return _kept_while_hidden(plan, lesion)
    agent = own["agent"] or ("" if plan.definition.is_controlled else "sts")
    return {
        "agent": agent,
        "concentration_mg_ml": _saline_as_it_was(plan, lesion)
        if agent == "saline"
        else own["concentration_mg_ml"],
    }


def _kept_while_hidden(plan: SheetPlan, lesion: Lesion) -> dict:
    """What a correction may not see and must not lose: the fields that would betray the arm."""
    row = _own_injection(plan, lesion)
    return {part: getattr(row, part) for part in BETRAYING_FIELDS} if row else {}


def _saline_as_it_was(plan: SheetPlan, lesion: Lesion) -> Decimal | None:
    """Saline is given no mg/ml here; a correction keeps what an import brought."""
    row = _own_injection(plan, lesion)
    return row.concentration_mg_ml if row and row.agent == "saline" else None


def _own_injection(plan: SheetPlan, lesion: Lesion) -> Injection | None:
    if plan.corrects is None:
        return None
    return next((row for row in plan.corrects.injections.all() if row.lesion_id == lesion.pk), None)


def _read_injection_part(reader: _Reader, name: str, part: str):
    if part == "concentration_mg_ml":
        return reader.read(name, parse_concentration)
    if part in VOCABULARIES:
        return reader.code(name, part)
    return reader.text(name, part)


def _read_infusion(plan: SheetPlan, reader: _Reader) -> InfusionEntry | None:
    if not plan.has_infusion:
        return None
    dose = reader.read("infusion-dose_g", parse_infusion)
    minutes = reader.whole("infusion-duration_min", low=1, high=1440)
    if dose is None and minutes is None:
        return None
    if dose is None:
        reader.errors.setdefault("infusion-dose_g", "Enter the dose in g.")
    if minutes is None:
        reader.errors.setdefault("infusion-duration_min", "Enter the duration in minutes.")
    if dose is None or minutes is None:
        return None
    return InfusionEntry(dose_g=dose, duration_min=minutes)


def _read_vials(plan: SheetPlan, reader: _Reader) -> tuple[VialEntry, ...] | None:
    if plan.has_injections and not plan.shows_allocation:
        return None
    vials = []
    for vial_no in plan.vials:
        lot_spot, drawn_spot = (vial_field(vial_no, name) for name in ("lot_number", "drawn_ml"))
        lot, drawn = reader.text(lot_spot, "lot_number"), reader.read(drawn_spot, parse_drawn)
        if drawn is not None and not lot:
            reader.errors.setdefault(lot_spot, "Enter the vial's lot number, or empty what was drawn.")
        elif lot and drawn is None and vial_no > 1:
            reader.errors.setdefault(drawn_spot, "Enter how much was drawn, or empty the lot number.")
        elif drawn is not None:
            vials.append(VialEntry(vial_no=vial_no, lot_number=lot, drawn_ml=drawn))
    return tuple(vials)


def _missing(plan: SheetPlan, entry: SessionEntry, last: Callable[[Lesion], LastTime]) -> dict[str, str]:
    """What the protocol asks for and the sheet does not have. It may be left out knowingly."""
    missing = {}
    if not entry.asked and plan.follows_a_session:
        missing["asked"] = "Whether side effects since the last visit were asked for"
    if plan.definition.uses_ptga_phga:
        if entry.ptga is None:
            missing["ptga"] = "PtGA: the patient's score before the injection"
        if entry.phga is None:
            missing["phga"] = "PhGA: the physician's score after the visit"
    seen = {row.lesion: row for row in entry.assessments}
    given = {row.lesion: row for row in entry.injections}
    for lesion in plan.lesions:
        row = seen.get(lesion.pk)
        wanted = {}
        if row is None:
            before = last(lesion).assessment
            if not (before and before.status == "gone"):
                wanted["longest_mm"] = "how the lesion is"
        elif row.status == "present":
            if row.longest_mm is None:
                wanted["longest_mm"] = "longest measure"
            if row.widest_mm is None:
                wanted["widest_mm"] = "widest measure"
            if row.ulcer is None:
                wanted["ulcer"] = "ulcer, yes or no"
        if plan.definition.uses_pga and row is not None and row.pga is None:
            wanted["pga"] = "PGA"
        for name, what in wanted.items():
            missing[lesion_field(lesion.pk, name)] = f"{lesion.lesion_id}, {lesion.site_words}: {what}"
    if plan.definition.asks_injection_pain:
        for lesion in plan.lesions:
            if lesion.pk in given and given[lesion.pk].pain_vas is None:
                missing[lesion_field(lesion.pk, "pain_vas")] = f"{lesion.lesion_id}: pain of the injection"
    if plan.has_injections and not given and plan.lesions:
        missing[lesion_field(plan.lesions[0].pk, "volume_ml")] = "An injection: no lesion has a volume"
    if entry.vials and (others := lots_in_words(injected_without_vial(*agent_of_visit(entry)))):
        spot = vial_field(1, "drawn_ml")
        missing[spot] = f"Vials that add up: injected from none of those listed: {others}"
    if plan.has_infusion and entry.infusion is None:
        missing["infusion-dose_g"] = "The infusion: dose and duration"
    return missing
