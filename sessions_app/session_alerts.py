"""What do the alerts say of a sheet that is being written, of a correction, and of a session that is logged?

A sheet is asked about before the needle: every lesion that is not gone counts as one that may be injected,
with a volume or without. What then stands in the way of logging is what holds for the injections that have one.
A correction is asked about what it changes: what the session said as it stood was said then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sessions_app.draft_saving import NOTE_OF_ALERT
from sessions_app.entries import AssessmentEntry, InfusionEntry, InjectionEntry, SessionEntry, VialEntry
from sessions_app.models import TreatmentSession
from sessions_app.session_facts import facts_of
from sessions_app.sheet import Reading, SheetPlan, planned_injections
from stsclinic.clinical.alerts import Alert, alerts_of, without_allocation
from stsclinic.clinical.facts import Facts

MAY_CHANGE_ALERTS = (
    "held_on",
    "ptga",
    "gone",
    "confirmed",
    "longest_mm",
    "widest_mm",
    "volume_ml",
    "agent",
    "concentration_mg_ml",
    "salt_form",
    "lot_number",
    "dose_g",
)
"""The last parts of the names of the sheet's fields that an alert may speak of."""

WHAT_IT_ASKS = {
    "stop": ("stops the session", "stop the session"),
    "ask": ("must be recorded", "must be recorded"),
    "acknowledge": ("needs a note", "need a note"),
    "inform": ("to know", "to know"),
}


@dataclass(frozen=True)
class SheetAlerts:
    """What a sheet is told."""

    shown: tuple[Alert, ...] = ()
    """In the order of the table."""
    due: frozenset[str] = frozenset()
    """Keys of those that hold for what would be logged now."""

    @property
    def stopping(self) -> tuple[Alert, ...]:
        """Those that no note lifts."""
        return tuple(alert for alert in self.shown if alert.blocks and alert.key in self.due)

    def without_note(self, notes: Mapping[str, str]) -> frozenset[str]:
        """Keys of those that still need a note; `notes` are by key."""
        return frozenset(
            alert.key
            for alert in self.shown
            if alert.needs_note and alert.key in self.due and not notes.get(alert.key, "").strip()
        )

    @property
    def words(self) -> str:
        """`1 needs a note, 2 to know`; empty without any."""
        parts = []
        for level, (one, many) in WHAT_IT_ASKS.items():
            if count := sum(alert.level == level for alert in self.shown):
                parts.append(f"{count} {one if count == 1 else many}")
        return ", ".join(parts)


def alerts_of_sheet(plan: SheetPlan, values: dict[str, str], reading: Reading, today: date) -> SheetAlerts:
    """What the sheet says now, as this reader may see it. A fixed number of queries.

    Args:
        values: the typed texts, and `reading` what they say.
        today: the day of the visit while none can be read.
    """
    entry = reading.so_far(today)
    if plan.corrects is not None:
        return _of_correction(plan, entry, plan.corrects)
    facts = _facts(plan, replace(entry, injections=planned_injections(plan, values)))
    shown = _visible(plan, alerts_of(facts))
    given = tuple(row for row in facts.session.injections if row.volume_ml is not None)
    if given == facts.session.injections:
        return SheetAlerts(shown, frozenset(alert.key for alert in shown))
    logged = _visible(plan, alerts_of(replace(facts, session=replace(facts.session, injections=given))))
    return SheetAlerts(shown, frozenset(_as_shown(alert, shown).key for alert in logged))


def _as_shown(alert: Alert, shown: tuple[Alert, ...]) -> Alert:
    """The alert that is shown of what may be injected, for the same one of what is."""
    same = [one for one in shown if (one.code, one.measure) == (alert.code, alert.measure)]
    return max(same, key=lambda one: (one.key == alert.key, one.about == alert.about), default=alert)


def _of_correction(plan: SheetPlan, entry: SessionEntry, session: TreatmentSession) -> SheetAlerts:
    """What the correction brings about. A stop is the same one whatever the words that tell its facts."""
    as_it_stood = alerts_of(_facts(plan, entry_of(session)))
    keys = {alert.key for alert in as_it_stood}
    stops = {alert.about for alert in as_it_stood if alert.blocks}
    new = [
        alert
        for alert in alerts_of(_facts(plan, entry))
        if alert.key not in keys and not (alert.blocks and alert.about in stops)
    ]
    shown = _visible(plan, tuple(new))
    return SheetAlerts(shown, frozenset(alert.key for alert in shown))


def _facts(plan: SheetPlan, entry: SessionEntry) -> Facts:
    """The facts of an entry of the sheet, of what its plan has loaded."""
    return facts_of(plan.series, entry, leaving_out=plan.corrects, treated=plan.treated, course=plan.course)


def _visible(plan: SheetPlan, alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    return alerts if plan.shows_allocation else without_allocation(alerts)


def told_at(session: TreatmentSession, *, shows_allocation: bool) -> tuple[Alert, ...]:
    """What only informs, of a session that is logged."""
    alerts = alerts_of(facts_of(session.series, entry_of(session), leaving_out=session))
    told = tuple(alert for alert in alerts if alert.level == "inform")
    return told if shows_allocation else without_allocation(told)


def entry_of(session: TreatmentSession) -> SessionEntry:
    """A logged session as far as an alert may speak of it."""
    return SessionEntry(
        kind=session.kind,
        held_on=session.held_on,
        ptga=session.ptga,
        assessments=tuple(
            AssessmentEntry(
                lesion=row.lesion_id,
                status=row.status,
                longest_mm=row.longest_mm,
                widest_mm=row.widest_mm,
            )
            for row in session.assessments.all()
        ),
        injections=tuple(
            InjectionEntry(
                lesion=row.lesion_id,
                volume_ml=row.volume_ml,
                agent=row.agent,
                concentration_mg_ml=row.concentration_mg_ml,
                salt_form=row.salt_form,
                lot_number=row.lot_number,
            )
            for row in session.injections.all()
        ),
        vials=tuple(
            VialEntry(vial_no=row.vial_no, lot_number=row.lot_number, drawn_ml=row.drawn_ml)
            for row in session.vials.all()
        ),
        infusion=next(
            (
                InfusionEntry(dose_g=row.dose_g, duration_min=row.duration_min)
                for row in session.infusions.all()
            ),
            None,
        ),
    )


@dataclass(frozen=True)
class AlertCard:
    """An alert as the sheet shows it."""

    alert: Alert
    note: str
    other_note: str
    """What stands in the sheet as a note on other facts of the same alert: it counts no more."""
    is_open: bool
    """Whether somebody tried to complete the sheet without its note."""

    @property
    def name(self) -> str:
        """The field of its note."""
        return f"{NOTE_OF_ALERT}{self.alert.key}"


def cards_of(
    alerts: SheetAlerts, notes: Mapping[str, str], is_open: frozenset[str] = frozenset()
) -> list[AlertCard]:
    """The alerts of a sheet, with the notes that stand in it, by key; `is_open` are keys."""
    return [
        AlertCard(
            alert=alert,
            note=notes.get(alert.key, ""),
            other_note=next(
                (
                    note
                    for key, note in notes.items()
                    if note.strip() and key != alert.key and key.startswith(f"{alert.about}:")
                ),
                "",
            ),
            is_open=alert.key in is_open,
        )
        for alert in alerts.shown
    ]


def notes_in(values: Mapping[str, str]) -> dict[str, str]:
    """The notes of alerts among the texts of a sheet, by the alert's key."""
    return {
        name.removeprefix(NOTE_OF_ALERT): text
        for name, text in values.items()
        if name.startswith(NOTE_OF_ALERT)
    }
