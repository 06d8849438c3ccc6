"""One patient's course as lanes under one time axis: sessions with doses, medications, side effects.

The geometry is computed here, in SVG units; the template draws it and shows the same facts as tables.
What the allocation of a closed controlled protocol would betray is left out of the doses.
Source: report 003, where a vasodilator's end came before a necrosis, in different folders.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from lesions.models import Medication, Patient
from sessions_app.concealed import Concealed, concealed_for
from sessions_app.models import (
    Infusion,
    Injection,
    Series,
    SideEffect,
    SideEffectObservation,
    TreatmentSession,
)
from stsclinic.clinical.dates import PartialDate, add_months, show_date
from stsclinic.clinical.dosing import dose_mg
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.resolution import is_over
from stsclinic.clinical.terms import MEDICATION_ROLE, SIDE_EFFECT_OUTCOME, SIDE_EFFECT_TERM

WIDTH, LEFT, RIGHT = 960, 8, 940
TOP, LANE, LABEL = 34, 50, 14
"""Heights in SVG units: above the first lane, of a lane, and of its words."""
BAR = 14
ROOM_FOR_GRADE = 60
"""SVG units that `Grade 3` needs beside its mark."""
SHORTEST_BAR = 5
MOST_LANES = 40
"""Lanes of each kind; further ones stand in the tables alone."""
MOST_TICKS = 12
PAD_DAYS = 21
BEFORE_DAYS = 365
"""What a medication did longer before the first session or side effect does not stretch the axis."""
SPANS = {"all": None, "year": 12, "quarter": 4}
"""How much of the end of the course is shown, in months."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A stretch of time."""

    x: str
    y: str
    width: str
    kind: str
    """`sure`, `unsure` (the date is known in part), or `grade`."""
    title: str
    goes_on: bool = False
    """Whether it lasts beyond the right edge."""
    tip: str = ""
    """The path of the arrow that says so."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A moment, with its shape and its words."""

    d: str
    kind: str
    x: str
    y: str
    label: str
    title: str
    anchor: str = "start"
    """Where the label stands from its x: `start`, `middle` or `end`."""


@dataclass(kw_only=True)
class Lane:
    """One line of the drawing."""

    kind: str
    """`sessions`, `medication` or `side_effect`."""
    label: str
    label_y: str
    middle: str
    bars: list[Bar] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on the axis."""

    x: str
    label: str


@dataclass(frozen=True, kw_only=True)
class SwimLanes:
    """All that the page shows."""

    lanes: list[Lane]
    ticks: list[Tick]
    height: str
    bottom: str
    first_on: date | None
    last_on: date | None
    sessions: list[dict]
    medications: list[dict]
    side_effects: list[dict]
    is_concealed: bool
    is_cut: bool
    """Whether there are more lanes than are drawn."""
    width: str = str(WIDTH)

    @property
    def description(self) -> str:
        """In words, for those who do not see the drawing."""
        return (
            f"{len(self.sessions)} sessions, {len(self.medications)} medications and"
            f" {len(self.side_effects)} side effects under one time axis."
        )


@dataclass
class _Facts:
    sessions: list[TreatmentSession]
    doses: dict[int, str]
    medications: list[Medication]
    effects: list[SideEffect]
    observations: dict[int, list[SideEffectObservation]]
    is_concealed: bool


@dataclass(frozen=True)
class _Axis:
    first: date
    last: date

    def at(self, day: date) -> float:
        """The place of a day, held to the edges."""
        share = (day - self.first).days / max(1, (self.last - self.first).days)
        return LEFT + min(1.0, max(0.0, share)) * (RIGHT - LEFT)

    def shows(self, day: date) -> bool:
        return self.first <= day <= self.last


def swim_lanes(user, patient: Patient, today: date, span: str = "all") -> SwimLanes:
    """The lanes of a patient whom `user` may see. Six queries.

    Args:
        span: a code of SPANS.
    """
    facts = _load(user, patient)
    axis = _axis(facts, today, SPANS[span])
    found = [make(facts, axis) for make in (_session_lanes, _medication_lanes, _effect_lanes)] if axis else []
    drawn = [lane for kind in found for lane in kind[:MOST_LANES]]
    lanes = [_placed(lane, number) for number, lane in enumerate(drawn)]
    bottom = TOP + LANE * len(lanes)
    return SwimLanes(
        lanes=lanes,
        ticks=_ticks(axis) if axis else [],
        height=str(bottom + 8),
        bottom=str(bottom),
        first_on=axis.first if axis else None,
        last_on=axis.last if axis else None,
        sessions=_session_table(facts),
        medications=_medication_table(facts),
        side_effects=_effect_table(facts),
        is_concealed=facts.is_concealed,
        is_cut=any(len(kind) > MOST_LANES for kind in found),
    )


# Facts


def _load(user, patient: Patient) -> _Facts:
    concealed = concealed_for(user)
    sessions = list(
        TreatmentSession.objects.filter(series__patient=patient, series__struck_out_at=None)
        .select_related("series__protocol")
        .order_by("held_on", "series__series_no", "session_no")
    )
    hidden = {session.series_id for session in sessions if _hides(concealed, patient, session.series)}
    kept = {"session__series__patient": patient, "session__struck_out_at": None}
    injections: dict[int, list[Injection]] = defaultdict(list)
    for injection in Injection.objects.filter(**kept):
        injections[injection.session_id].append(injection)
    infusions = {row.session_id: row for row in Infusion.objects.filter(**kept)}
    effects = list(
        SideEffect.objects.filter(patient=patient)
        .select_related("lesion", "session__series")
        .order_by("onset_on", "pk")
    )
    observations: dict[int, list[SideEffectObservation]] = defaultdict(list)
    for row in SideEffectObservation.objects.filter(side_effect__patient=patient).order_by("seen_on", "pk"):
        observations[row.side_effect_id].append(row)
    return _Facts(
        sessions=sessions,
        doses={
            session.pk: _dose(injections[session.pk], infusions.get(session.pk), session.series_id in hidden)
            for session in sessions
        },
        medications=sorted(
            Medication.objects.filter(patient=patient),
            key=lambda row: (row.role != "vasodilator", row.name.casefold(), row.started_on),
        ),
        effects=effects,
        observations=observations,
        is_concealed=bool(hidden),
    )


def _hides(concealed: Concealed, patient: Patient, series: Series) -> bool:
    return concealed.hides(
        clinic_id=patient.clinic_id,
        patient_id=patient.pk,
        protocol_code=series.protocol.code,
        is_controlled=series.protocol.is_controlled,
    )


def _dose(injections: Sequence[Injection], infusion: Infusion | None, is_hidden: bool) -> str:
    """What was given, in words: `550 mg`, `2.2 ml` where the mg are not told, `12.5 g`, or nothing."""
    words = []
    if injections and is_hidden:
        words.append(f"{show_decimal(sum((row.volume_ml for row in injections), Decimal(0)))} ml")
    elif injections:
        dose = sum(
            (
                dose_mg(row.concentration_mg_ml, row.volume_ml)
                for row in injections
                if row.concentration_mg_ml is not None and row.agent != "saline"
            ),
            Decimal(0),
        )
        words.append(f"{show_decimal(dose)} mg")
    if infusion is not None:
        words.append(f"{show_decimal(infusion.dose_g)} g")
    return ", ".join(words)


def _axis(facts: _Facts, today: date, months: int | None) -> _Axis | None:
    """From before the first event to after the last one; never beyond today."""
    events = [session.held_on for session in facts.sessions]
    for effect in facts.effects:
        events += [effect.onset_on, *([effect.resolved_on] if effect.resolved_on else [])]
        events += [row.seen_on for row in facts.observations[effect.pk]]
    changes = [
        PartialDate.parse(text).earliest
        for row in facts.medications
        for text in (row.started_on, row.stopped_on)
        if text
    ]
    if events:
        changes = [day for day in changes if day >= min(events) - timedelta(days=BEFORE_DAYS)]
    days = [day for day in (*events, *changes) if day <= today]
    if not days:
        return None
    last = min(today, max(days) + timedelta(days=PAD_DAYS))
    first = min(days) - timedelta(days=PAD_DAYS)
    if months is not None:
        first = max(first, add_months(last, -months))
    return _Axis(first, max(last, first + timedelta(days=PAD_DAYS)))


def _ticks(axis: _Axis) -> list[Tick]:
    """Firsts of months, as many as fit."""
    months = (axis.last.year - axis.first.year) * 12 + axis.last.month - axis.first.month
    step = next(step for step in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if months / step <= MOST_TICKS)
    month = axis.first.replace(day=1)
    found = []
    while month <= axis.last:
        if axis.first + timedelta(days=PAD_DAYS) <= month and (month.year * 12 + month.month - 1) % step == 0:
            found.append(Tick(x=_text(axis.at(month)), label=PartialDate(month.year, month.month).show()))
        month = add_months(month, 1)
    return found


# Lanes. They are drawn as if each were the first; `_placed` gives each its height.


def _session_lanes(facts: _Facts, axis: _Axis) -> list[Lane]:
    by_series: dict[int, list[TreatmentSession]] = defaultdict(list)
    for session in facts.sessions:
        by_series[session.series.series_no].append(session)
    found = []
    for number, sessions in sorted(by_series.items()):
        lane = Lane(
            kind="sessions",
            label=f"Series {number}: {sessions[0].series.protocol.name}",
            label_y="",
            middle="",
        )
        free_from = float("-inf")
        for session in sessions:
            if not axis.shows(session.held_on):
                continue
            x = axis.at(session.held_on)
            dose = facts.doses[session.pk]
            # The dose stands beside its mark only where it does not run into the one before.
            half = 3.6 * len(dose)
            fits = dose and x - half >= max(free_from, 0) and x + half <= WIDTH
            if fits:
                free_from = x + half + 4
            lane.points.append(
                Point(
                    d=_mark(session.kind, x),
                    kind=session.kind,
                    x=_text(x),
                    y=str(LABEL + 26),
                    label=dose if fits else "",
                    anchor="middle",
                    title=f"{show_date(session.held_on)}, {session.get_kind_display().lower()} {session.session_no}"
                    + (f": {dose}" if dose else ""),
                )
            )
        found.append(lane)
    return found


def _medication_lanes(facts: _Facts, axis: _Axis) -> list[Lane]:
    """One lane for each drug, those that widen vessels first; a bar for each time that it was taken."""
    by_name: dict[tuple[str, str], list[Medication]] = defaultdict(list)
    for row in facts.medications:
        by_name[row.name.casefold(), row.role].append(row)
    found = []
    for (_name, role), rows in by_name.items():
        lane = Lane(
            kind="medication", label=f"{rows[0].name}, {MEDICATION_ROLE[role].lower()}", label_y="", middle=""
        )
        for row in rows:
            lane.bars += _medication_bars(row, axis)
        if lane.bars:
            found.append(lane)
    return found


def _medication_bars(row: Medication, axis: _Axis) -> list[Bar]:
    """Taken for sure, and perhaps before and after where a date is known in part."""
    started = PartialDate.parse(row.started_on) if row.started_on else None
    stopped = PartialDate.parse(row.stopped_on) if row.stopped_on else None
    begins, begun = (started.earliest, started.latest) if started else (date.min, date.min)
    ending, ended = (stopped.earliest, stopped.latest) if stopped else (date.max, date.max)
    title = f"{row.name}: {_period(row)}" + (f", {row.dose}" if row.dose else "")
    stretches = [("unsure", begins, ended)]
    if begun <= ending:
        around = [("unsure", begins, begun), ("unsure", ending, ended)]
        stretches = [one for one in around if one[1] < one[2]] + [("sure", begun, ending)]
    return [
        bar
        for kind, start, end in sorted(stretches, key=lambda one: one[1:])
        for bar in _bar(axis, start, end, kind, title)
    ]


def _effect_lanes(facts: _Facts, axis: _Axis) -> list[Lane]:
    """One lane for each side effect of each place: from onset to end, with the grade at each observation."""
    by_kind: dict[tuple, list[SideEffect]] = defaultdict(list)
    for effect in facts.effects:
        by_kind[effect.term, effect.term_detail if effect.term == "other" else "", effect.lesion_id].append(
            effect
        )
    found = []
    for effects in by_kind.values():
        lane = Lane(kind="side_effect", label=_effect_words(effects[0]), label_y="", middle="")
        for effect in effects:
            over = is_over(resolved_on=effect.resolved_on, outcome=effect.outcome)
            end = effect.resolved_on or (effect.onset_on if over else date.max)
            lane.bars += _bar(
                axis, effect.onset_on, end, "grade", f"{_effect_words(effect)}: {_effect_period(effect)}"
            )
            seen = [
                (effect.onset_on, effect.grade),
                *((row.seen_on, row.grade) for row in facts.observations[effect.pk]),
            ]
            for number, (day, grade) in enumerate(seen):
                if not axis.shows(day) or (number and grade == seen[number - 1][1]):
                    continue
                x = axis.at(day)
                has_room = x + ROOM_FOR_GRADE <= WIDTH
                lane.points.append(
                    Point(
                        d=_grade_mark(grade, x),
                        kind=f"grade-{min(grade, 4)}",
                        x=_text(x + 9 if has_room else x - 9),
                        y=str(LABEL + 31),
                        label=f"Grade {grade}",
                        anchor="start" if has_room else "end",
                        title=f"{_effect_words(effect)}, grade {grade} on {show_date(day)}",
                    )
                )
        if lane.bars or lane.points:
            found.append(lane)
    return found


def _bar(axis: _Axis, start: date, end: date, kind: str, title: str) -> list[Bar]:
    """One bar, cut to the axis; none where it lies outside."""
    if end < axis.first or start > axis.last:
        return []
    left, right = axis.at(max(start, axis.first)), axis.at(min(end, axis.last))
    goes_on = end > axis.last
    middle = LABEL + 13
    return [
        Bar(
            x=_text(left),
            y=str(middle - BAR // 2),
            width=_text(max(SHORTEST_BAR, right - left)),
            kind=kind,
            title=title,
            goes_on=goes_on,
            tip=f"M{RIGHT} {middle - BAR // 2}l9 {BAR // 2}l-9 {BAR // 2}z" if goes_on else "",
        )
    ]


def _placed(lane: Lane, number: int) -> Lane:
    """The lane with the heights of its words and of its line; its drawing is shifted as a whole."""
    lane.label_y = str(LABEL - 3)
    lane.middle = str(TOP + number * LANE)
    return lane


def _mark(kind: str, x: float) -> str:
    """A treatment is a needle's drop, a follow-up a ring, anything else a square."""
    cx, cy = _text(x), LABEL + 10
    if kind == "treatment":
        return f"M{cx} {cy + 6}l-5 -10h10z"
    if kind == "follow_up":
        return f"M{_text(x - 5)} {cy}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"
    return f"M{_text(x - 4)} {cy - 4}h8v8h-8z"


def _grade_mark(grade: int, x: float) -> str:
    """A shape for each grade: circle, square, triangle, diamond; 5 is a cross."""
    cx, cy = _text(x), LABEL + 13
    shapes = {
        1: f"M{_text(x - 5)} {cy}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
        2: f"M{_text(x - 5)} {cy - 5}h10v10h-10z",
        3: f"M{cx} {cy - 8}l8 14h-16z",
        4: f"M{cx} {cy - 8}l8 8l-8 8l-8 -8z",
        5: f"M{_text(x - 6)} {cy - 6}l12 12M{_text(x + 6)} {cy - 6}l-12 12",
    }
    return shapes[grade]


# Tables


def _session_table(facts: _Facts) -> list[dict]:
    return [{"session": session, "dose": facts.doses[session.pk]} for session in facts.sessions]


def _medication_table(facts: _Facts) -> list[dict]:
    return [{"medication": row, "period": _period(row)} for row in facts.medications]


def _effect_table(facts: _Facts) -> list[dict]:
    return [
        {
            "effect": effect,
            "words": _effect_words(effect),
            "course": ", ".join(
                f"{row.grade} on {show_date(row.seen_on)}" for row in facts.observations[effect.pk]
            ),
            "outcome": SIDE_EFFECT_OUTCOME.get(effect.outcome, ""),
        }
        for effect in facts.effects
    ]


def _effect_words(effect: SideEffect) -> str:
    words = SIDE_EFFECT_TERM[effect.term]
    if effect.term_detail:
        words += f" ({effect.term_detail})"
    return f"{words}, {effect.lesion.lesion_id} {effect.lesion.site_words}" if effect.lesion else words


def _effect_period(effect: SideEffect) -> str:
    if effect.resolved_on:
        return f"{show_date(effect.onset_on)} to {show_date(effect.resolved_on)}"
    over = is_over(resolved_on=None, outcome=effect.outcome)
    return f"since {show_date(effect.onset_on)}" + (", over, without a recorded end" if over else "")


def _period(row: Medication) -> str:
    """`2010 to 16-Oct-2023`, `since 2010`, `until 2018`, or that neither is recorded."""
    start = PartialDate.parse(row.started_on).show() if row.started_on else ""
    end = PartialDate.parse(row.stopped_on).show() if row.stopped_on else ""
    if start and end:
        return f"{start} to {end}"
    if start or end:
        return f"since {start}" if start else f"until {end}"
    return "dates not recorded"


def _text(value: float) -> str:
    """At most one decimal, without a trailing zero."""
    return f"{value:.1f}".removesuffix(".0")
