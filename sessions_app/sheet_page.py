"""What the page of a session sheet shows: each field with its label, its error and its last value; each lesion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from lesions.models import Lesion
from sessions_app.draft_saving import NOTE_OF_ALERT, REASON
from sessions_app.drafts import Conflict
from sessions_app.entries import lesion_field, vial_field
from sessions_app.last_time import LastTime, SeenBefore
from sessions_app.sheet import VOCABULARIES, SheetPlan, as_text, day_of_visit, values_of
from sessions_app.sheet_arithmetic import LesionSum, SheetSum
from sessions_app.sheet_fields import BETRAYING_FIELDS
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.rounds import region_of
from stsclinic.clinical.scales import PGA_WORDS

LABELS = {
    "held_on": "Date of the visit",
    "performed_by": "Seen by",
    "ptga": "PtGA",
    "phga": "PhGA",
    "note": "Note",
    "asked": "Side effects since the last visit",
    "gone": "Gone",
    "confirmed": "As last time",
    "longest_mm": "Longest",
    "widest_mm": "Widest",
    "ulcer": "Ulcer",
    "inflammation": "Inflammation",
    "pga": "PGA",
    "volume_ml": "Volume",
    "pain_vas": "Pain of the injection",
    "agent": "Agent",
    "concentration_mg_ml": "Concentration",
    "technique": "Where the needle goes",
    "anaesthesia": "Anaesthesia",
    "salt_form": "Salt form",
    "lot_number": "Lot number",
    "needle": "Needle",
    "dressing": "Dressing",
    "drawn_ml": "Drawn",
    "infusion-dose_g": "Dose",
    "infusion-duration_min": "Duration",
    "series_status": "The series",
    "stop_reason": "Stopped because of",
}
UNITS = {
    "longest_mm": "mm",
    "widest_mm": "mm",
    "volume_ml": "ml",
    "drawn_ml": "ml",
    "concentration_mg_ml": "mg/ml",
    "infusion-dose_g": "g",
    "infusion-duration_min": "min",
}


TAKEN_OVER = ("longest_mm", "widest_mm", "ulcer", "inflammation")
"""The fields of a lesion that `as last time` takes over where they are left empty."""


@dataclass
class Cell:
    """One field of the sheet as the page shows it."""

    name: str
    label: str
    value: str = ""
    unit: str = ""
    error: str = ""
    last: str = ""
    """Last time's value with its date, for the fields that nothing takes over."""
    last_value: str = ""
    """Last time's value as it would be typed: shown greyed in the field."""
    options: Sequence[tuple[str, str]] = ()
    conflict: Conflict | None = None
    in_session: str = ""
    """What the session says that is corrected, where it is something else."""
    by_patient: str = ""
    """That the patient gave the value, and when."""

    @property
    def id(self) -> str:
        """The id of the input, which errors link to."""
        return f"id_{self.name}"


@dataclass
class LesionRow:
    """One lesion of the sheet: its cells by name, its arithmetic, and last time's words."""

    lesion: Lesion
    cells: dict[str, Cell]
    sum: LesionSum
    last_words: str
    may_confirm: bool
    was_gone: bool
    confirms: str
    """What a tick at `as last time` stands for."""
    is_confirmed: bool
    own: list[Cell]
    is_gone: bool
    own_words: str
    """What this lesion gets other than all lesions."""
    opens_own: bool
    """Whether one of these fields has something to say."""
    region: str
    """The region of the body that a protocol's highest volume of a round counts for."""


@dataclass
class VialRow:
    """One place for a vial: its cells, and what became of it."""

    vial_no: int
    lot: Cell
    drawn: Cell
    words: str
    is_hidden: bool
    """Whether it is empty and not the next one to be filled."""


def vials_of(plan: SheetPlan, sums: SheetSum, cells: dict[str, Cell]) -> list[VialRow]:
    """The places for vials; those that are filled, and one more, are shown."""
    words = {use.vial.vial_no: use.words for use in sums.vials}
    rows = [
        VialRow(
            vial_no=vial_no,
            lot=cells[vial_field(vial_no, "lot_number")],
            drawn=cells[vial_field(vial_no, "drawn_ml")],
            words=words.get(vial_no, ""),
            is_hidden=False,
        )
        for vial_no in plan.vials
    ]
    filled = [row.vial_no for row in rows if row.lot.value or row.drawn.value]
    for row in rows:
        row.is_hidden = row.vial_no > max(filled, default=0) + 1
    return rows


def label_of(plan: SheetPlan, name: str) -> str:
    """A field in words, with its lesion."""
    if name == REASON:
        return "Why it is corrected"
    if name.startswith(NOTE_OF_ALERT):
        return "Note of an alert"
    for lesion in plan.lesions:
        start = f"lesion-{lesion.pk}-"
        if name.startswith(start):
            return f"{lesion.lesion_id}, {LABELS[name.removeprefix(start)].lower()}"
    if name.startswith("vial-"):
        _word, vial_no, part = name.split("-")
        return f"Vial {vial_no}, {LABELS[part].lower()}"
    return LABELS[name.removeprefix("all-")]


def cells_of(
    plan: SheetPlan,
    values: dict[str, str],
    last: dict[int, LastTime],
    *,
    errors: Mapping[str, str],
    conflicts: Mapping[str, Conflict],
) -> dict[str, Cell]:
    """Every field of the sheet as the page shows it, by its name."""
    options = {part: _options(part, is_of_all=part in plan.common_fields) for part in plan.lesion_fields}
    of_lesions = {
        lesion_field(pk, part): (pk, part) for pk in plan.lesion_keys for part in plan.lesion_fields
    }
    cells = {}
    for name in plan.field_names:
        if name not in of_lesions:
            cells[name] = _of_visit(plan, name, values, last, errors, conflicts)
            continue
        pk, part = of_lesions[name]
        text, error, conflict = values.get(name, ""), errors.get(name, ""), conflicts.get(name)
        cells[name] = _of_lesion(part, name, text, last[pk], error, conflict, options[part])
    return cells


_OF_A_VISIT = {
    "ptga": "ptga",
    "phga": "phga",
    "infusion-dose_g": "infusion_dose_g",
    "infusion-duration_min": "infusion_duration_min",
}
"""Fields of the whole visit that have a last value, and what it is called of an earlier visit."""


def _last_of(plan: SheetPlan, name: str, values, last: dict[int, LastTime]) -> str:
    """Last time's value of a field that is not one lesion's, with its date."""
    if name in _OF_A_VISIT:
        told = _OF_A_VISIT[name]
        visit = plan.course.last_score(told, day_of_visit(values))
        return f"Last: {_words(told, getattr(visit, told))}, {show_date(visit.held_on)}" if visit else ""
    if not name.startswith("all-"):
        return ""
    part = name.removeprefix("all-")
    given = [one.injection for one in last.values() if one.injection is not None]
    newest = max(given, key=lambda row: row.at, default=None)
    if newest is None or (part in BETRAYING_FIELDS and newest.hides_allocation):
        return ""
    found = [_words(part, getattr(row, part)) for row in given if row.session == newest.session]
    words = " or ".join(dict.fromkeys(filter(None, found)))
    return f"Last: {words}, {show_date(newest.held_on)}" if words else ""


def show_session(plan: SheetPlan, cells: dict[str, Cell]) -> None:
    """Put beside each field of a correction what its session says, where that is something else."""
    if plan.corrects is None:
        return
    stands = values_of(plan.corrects, plan)
    for cell in cells.values():
        text = stands.get(cell.name, "")
        if text != cell.value:
            cell.in_session = f"In the session: {in_words(replace(cell, value=text)) or 'nothing'}"


def _of_visit(
    plan: SheetPlan,
    name: str,
    values: Mapping[str, str],
    last: dict[int, LastTime],
    errors: Mapping[str, str],
    conflicts: Mapping[str, Conflict],
) -> Cell:
    """A field that is not one lesion's."""
    part = name.split("-")[2] if name.startswith("vial-") else name.removeprefix("all-")
    return Cell(
        name=name,
        label=LABELS[part],
        value=values.get(name, ""),
        unit=UNITS.get(part, ""),
        error=errors.get(name, ""),
        last=_last_of(plan, name, values, last),
        options=_options(part, is_of_all=False),
        conflict=conflicts.get(name),
    )


def _of_lesion(
    part: str,
    name: str,
    value: str,
    last: LastTime,
    error: str,
    conflict: Conflict | None,
    options: Sequence[tuple[str, str]],
) -> Cell:
    """A field of one lesion."""
    if part == "confirmed" and value:
        error = error or last.refuses(value)
    is_taken_over = part in TAKEN_OVER
    return Cell(
        name=name,
        label=LABELS[part],
        value=value,
        unit=UNITS.get(part, ""),
        error=error,
        last="" if is_taken_over else _last_words(last, part),
        last_value=_last_value(last, part) if is_taken_over else "",
        options=options,
        conflict=conflict,
    )


@cache
def _options(part: str, *, is_of_all: bool) -> tuple[tuple[str, str], ...]:
    """The choices of a field, none where it is typed; `is_of_all`: one of a lesion that is given for all."""
    if part == "asked":
        return ("", "Not asked"), ("nothing", "Asked, nothing"), ("reported", "Asked, recorded")
    if part == "pga":
        return ("", "–"), *((str(value), f"{value} {words}") for value, words in PGA_WORDS.items())
    if part not in VOCABULARIES:
        return ()
    nothing = {"ulcer": "–", "inflammation": "–", "stop_reason": "–", "series_status": "goes on"}
    words = "As for all lesions" if is_of_all else nothing.get(part, "Not recorded")
    return ("", words), *VOCABULARIES[part].items()


def _last_value(last: LastTime, part: str) -> str:
    return as_text(getattr(last.assessment, part)) if last.may_confirm else ""


def _last_words(last: LastTime, part: str) -> str:
    row = last.assessment if part == "pga" else last.injection
    if row is None or part in ("gone", "confirmed", "volume_ml"):
        return ""
    if part in BETRAYING_FIELDS and last.injection and last.injection.hides_allocation:
        return ""
    words = _words(part, getattr(row, part))
    return f"{words}, {show_date(row.held_on)}" if words else ""


def _words(part: str, value) -> str:
    """A recorded value as people read it; empty where there is none."""
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if part in VOCABULARIES:
        return VOCABULARIES[part][value]
    return value if isinstance(value, str) else show_decimal(value)


def rows_of(
    plan: SheetPlan, sums: SheetSum, last: dict[int, LastTime], cells: dict[str, Cell]
) -> list[LesionRow]:
    """The lesions of the sheet in their order."""
    return [
        _lesion_row(plan, lesion, sums.lesions[lesion.pk], last[lesion.pk], cells) for lesion in plan.lesions
    ]


def _lesion_row(
    plan: SheetPlan, lesion: Lesion, arithmetic: LesionSum, last: LastTime, cells: dict[str, Cell]
) -> LesionRow:
    own_cells = {name: cells[lesion_field(lesion.pk, name)] for name in plan.lesion_fields}
    own = [own_cells[name] for name in plan.common_fields]
    is_gone = bool(own_cells["gone"].value)
    return LesionRow(
        lesion=lesion,
        cells=own_cells,
        sum=arithmetic,
        last_words=_assessment_words(last.assessment),
        may_confirm=last.may_confirm,
        was_gone=last.assessment is not None and last.assessment.status == "gone",
        confirms=last.token,
        is_confirmed=not is_gone and last.may_confirm and own_cells["confirmed"].value == last.token,
        own=own,
        is_gone=is_gone,
        own_words=", ".join(f"{cell.label.lower()} {in_words(cell)}" for cell in own if cell.value),
        opens_own=any(cell.error or cell.conflict for cell in own),
        region=region_of(lesion.body_site),
    )


def in_words(cell: Cell) -> str:
    """What stands in a field, as people read it."""
    words = "ticked" if cell.name.endswith("-gone") and cell.value else cell.value
    words = dict(cell.options).get(cell.value, words)
    return f"{words} {cell.unit}".strip() if words else ""


def _assessment_words(row: SeenBefore | None) -> str:
    if row is None:
        return "Not seen before"
    words = []
    if row.status == "gone":
        words.append("gone")
    elif row.longest_mm is not None or row.widest_mm is not None:
        measures = (row.longest_mm, row.widest_mm)
        words.append(" × ".join("?" if mm is None else show_decimal(mm) for mm in measures) + " mm")
    for value, what in ((row.ulcer, "ulcer"), (row.inflammation, "inflammation")):
        if value is not None:
            words.append(what if value else f"no {what}")
    return f"Last, {show_date(row.held_on)}: {', '.join(words) or 'seen'}"
