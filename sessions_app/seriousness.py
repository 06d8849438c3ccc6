"""Serious side effects: what is refused, where the 24 hours stand, and which events wait for a word.

When it is asked, and the six criteria, stand in clinical/seriousness.py.
Source: domain.md, "Alerts"; ICH E2A.
"""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sessions_app.models import SideEffect
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.seriousness import (
    ASKED_FROM_GRADE,
    CRITERION_OF,
    NECROSIS,
    SERIOUS_CRITERIA,
    SponsorClock,
    asks_seriousness,
    criteria_met,
    sponsor_clock,
)

NOT_SAID = "Whether it is serious is not recorded"
CONTRADICTED = "Recorded as not serious, though an answer says that it is"

_BADGE = {"overdue": "overdue", "running": "due", "in_time": "done"}
"""Codes of components/state.html; any other state is unknown."""


def of_seriousness(values: dict) -> dict[str, str]:
    """What cannot be of `serious` and its criteria, as {field: sentence}; `values` are columns of SideEffect."""
    serious, criteria = values["serious"], values["seriousness_criteria"]
    met = criteria_met(values["grade_answers"])
    if serious is False and met:
        return {"serious": f"{_findings(met)}: that makes it serious."}
    if serious is None and (met or asks_seriousness(values["term"], values["grade"])):
        said = f"{_findings(met)}. " if met else ""
        return {
            "serious": f"{said}Say whether it is serious: that is asked of grade 3 or more and of every necrosis."
        }
    if serious is None and values["sponsor_told_on"] is not None:
        return {"serious": "The sponsor was told: say whether it is serious."}
    if serious is False and values["grade"] == 5:
        return {"serious": "A death is serious."}
    if serious and not criteria:
        return {"seriousness_criteria": "Say what makes it serious."}
    if not serious and criteria:
        return {"serious": "One of the six criteria is met, so it is serious."}
    if not set(criteria) <= SERIOUS_CRITERIA.keys():
        return {"seriousness_criteria": "Choose from the six criteria."}
    unticked = [code for code in met if code not in criteria]
    if unticked:
        return {"seriousness_criteria": f"{_findings(unticked)}: choose that too."}
    return {}


def _findings(criteria) -> str:
    return f"The answers say: {', '.join(SERIOUS_CRITERIA[code].lower() for code in criteria)}"


def of_sponsor(values: dict, today: date, now: datetime) -> dict[str, str]:
    """What cannot be of who was told and when, as {field: sentence}; `values` are columns of SideEffect."""
    told, known = values["sponsor_told_on"], values["serious_known_at"]
    found: dict[str, str] = {}
    if known is not None and known > now:
        found["serious_known_at"] = "The moment is in the future."
    elif known is not None and known.astimezone(now.tzinfo).date() < values["onset_on"]:
        found["serious_known_at"] = "It cannot have been known before the onset."
    if told is None:
        if values["sponsor_told_who"] or values["sponsor_told_time"] is not None:
            found["sponsor_told_on"] = "Say on which day the sponsor was told."
        return found
    if told > today:
        found["sponsor_told_on"] = "The date is in the future."
    elif told < values["onset_on"]:
        found["sponsor_told_on"] = "The sponsor cannot have been told before the onset."
    elif known is not None and told < known.astimezone(now.tzinfo).date():
        found["sponsor_told_on"] = "The sponsor cannot have been told before it was known to be serious."
    elif (
        values["sponsor_told_time"] is not None
        and datetime.combine(told, values["sponsor_told_time"], now.tzinfo) > now
    ):
        found["sponsor_told_time"] = "The time is in the future."
    if not values["sponsor_told_who"]:
        found["sponsor_told_who"] = "Say who was told."
    return found


def with_known_at(values: dict, record: SideEffect | None) -> dict:
    """The moment from which the 24 hours count: now, where it is newly serious and nobody was told before."""
    if not values["serious"]:
        return values | {"serious_known_at": None}
    was_serious = record is not None and record.serious
    told_before_today = values["sponsor_told_on"] is not None
    if values["serious_known_at"] is None and not was_serious and not told_before_today:
        return values | {"serious_known_at": timezone.now()}
    return values


def clock_of(effect: SideEffect, now: datetime) -> SponsorClock | None:
    """The 24 hours in which the sponsor is told; None for what is not serious."""
    if not effect.serious:
        return None
    told_from = told_until = None
    if effect.sponsor_told_on is not None:
        zone, at = effect.patient.clinic.zone, effect.sponsor_told_time
        told_from = datetime.combine(effect.sponsor_told_on, at or time.min, zone)
        told_until = datetime.combine(effect.sponsor_told_on, at or time(23, 59), zone)
    return sponsor_clock(
        known_at=effect.serious_known_at, now=now, told_from=told_from, told_until=told_until
    )


@dataclass(frozen=True)
class Standing:
    """Where a side effect stands with the sponsor, in words."""

    effect: SideEffect
    words: str
    badge: str
    """The code of components/state.html."""
    due_words: str = ""
    """`Due by 07-Mar-2026 10:00`, the clinic's time."""
    clock: SponsorClock | None = None


def standing_of(effect: SideEffect, now: datetime) -> Standing | None:
    """The clock of what is serious, or that a word is missing; None where nothing is to be said."""
    clock = clock_of(effect, now)
    if clock is not None:
        due = clock.due_at.astimezone(effect.patient.clinic.zone) if clock.due_at else None
        due_words = f"Due by {show_date(due.date())} {due:%H:%M}" if due else ""
        return Standing(effect, clock.words, _BADGE.get(clock.state, "unknown"), due_words, clock)
    if effect.serious is None and asks_seriousness(effect.term, effect.grade):
        return Standing(effect, NOT_SAID, "unknown")
    if effect.serious is False and (criteria_met(effect.grade_answers) or effect.grade == 5):
        return Standing(effect, CONTRADICTED, "overdue")
    return None


def unsettled(effects: QuerySet[SideEffect]) -> QuerySet[SideEffect]:
    """Those of `effects` of which the sponsor was not told, or that miss a word; the most urgent first.

    First the serious ones, the one that was known longest first and those without a moment last; then
    those called not serious against an answer; then those of grade 3 or more and necroses of which nobody
    said whether they are serious. `standing_of` gives the words of each. One query, which may be sliced;
    what is over, and withdrawn patients', are in it, since both are still to be told.
    """
    is_met = Q(grade=5)
    for key in CRITERION_OF:
        is_met |= Q(**{f"grade_answers__{key}": "yes"})
    return (
        effects.filter(
            Q(serious=True, sponsor_told_on=None)
            | Q(serious=False) & is_met
            | Q(serious=None) & (Q(grade__gte=ASKED_FROM_GRADE) | Q(term__in=NECROSIS))
        )
        .select_related("patient__clinic", "lesion")
        .order_by(
            F("serious").desc(nulls_last=True),
            F("serious_known_at").asc(nulls_last=True),
            "-grade",
            "-onset_on",
            "pk",
        )
    )
