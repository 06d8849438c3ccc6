"""What must be said before a session is completed: one table of alerts, each with reason and source.

Four levels. `stop`: the session cannot be completed until it is corrected. `ask`: a fact that
a rule needs is not recorded; it is asked for, never taken as no. `acknowledge`: it may be
completed once a person has acknowledged it with a note. `inform`: it is told, and nothing more.

Everything is judged on the day of the session, and nothing of it is stored. An alert does not come
back for the same facts: its key holds them, so that a note given for other facts counts no more,
and what only informs speaks when it first becomes true. Adding an alert is a rule and its entry in
the module of its kind. Source: domain.md, "Alerts"; each entry names its report, or that it is ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stsclinic.clinical.alerts.ask import ASKS
from stsclinic.clinical.alerts.inform import INFORMS
from stsclinic.clinical.alerts.kinds import LEVELS, MAY_BETRAY_ALLOCATION, Alert, AlertEntry
from stsclinic.clinical.alerts.limit import LIMITS
from stsclinic.clinical.alerts.risk import RISKS
from stsclinic.clinical.alerts.stop import STOPS
from stsclinic.clinical.facts import Facts
from stsclinic.clinical.sources import cite

__all__ = [
    "ALERTS",
    "LEVELS",
    "MAY_BETRAY_ALLOCATION",
    "Alert",
    "AlertEntry",
    "AlertHelp",
    "alert_help",
    "alerts_of",
    "without_allocation",
]

ALERTS: tuple[AlertEntry, ...] = (*STOPS, *ASKS, *RISKS, *LIMITS, *INFORMS)
"""Stops, asks, what must be acknowledged, what informs: the order in which alerts are listed.

An entry without a report is ours: no paper asks for it.
"""


def alerts_of(facts: Facts) -> tuple[Alert, ...]:
    """All alerts of a session: stops, then what must be asked, be acknowledged, and what only informs."""
    return tuple(
        Alert(
            code=entry.code,
            level=entry.level,
            title=entry.title,
            reason=finding.reason,
            source=entry.source,
            lesion_id=finding.lesion_id,
            measure=finding.measure,
            field=entry.field,
            betrays_allocation=finding.betrays_allocation,
        )
        for entry in ALERTS
        for finding in entry.rule(facts)
    )


def without_allocation(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Those that may be shown in a closed controlled protocol without the allocation right."""
    return tuple(alert for alert in alerts if not alert.betrays_allocation)


@dataclass(frozen=True, kw_only=True)
class AlertHelp:
    """One line of the help page."""

    code: str
    level: str
    level_words: str
    title: str
    meaning: str
    source: str
    source_words: str


def alert_help() -> tuple[AlertHelp, ...]:
    """The table for people: code, level, meaning and source of every alert."""
    return tuple(
        AlertHelp(
            code=entry.code,
            level=entry.level,
            level_words=LEVELS[entry.level],
            title=entry.title,
            meaning=entry.meaning,
            source=entry.source,
            source_words=cite(entry.source),
        )
        for entry in ALERTS
    )
