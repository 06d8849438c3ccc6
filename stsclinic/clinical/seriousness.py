"""Must it be asked whether a side effect is serious, what makes it so, and by when is the sponsor told?

Source: domain.md (grade 3 or more, or necrosis); ICH E2A for the criteria; 24 hours from the moment
at which the clinic knows is what sponsors ask of a site (ICH E6: "immediately").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

ASKED_FROM_GRADE = 3

NECROSIS = frozenset({"skin_necrosis", "digital_necrosis"})

SERIOUS_CRITERIA = {
    "death": "Death",
    "life_threatening": "Life-threatening",
    "hospitalisation": "Hospitalisation, or a longer one",
    "disability": "Persistent or significant disability",
    "congenital_anomaly": "Congenital anomaly",
    "medically_important": "Medically important",
}
"""A side effect is serious if any of these is true (ICH E2A)."""

CRITERION_OF = {"died": "death", "danger": "life_threatening", "hospital": "hospitalisation"}
"""The plain questions (grading.py) of which a yes is one of the criteria in itself."""

TIME_TO_TELL = timedelta(hours=24)

CLOCK_STATE = {
    "unknown": "Sponsor not told; when the clinic knew is not recorded",
    "running": "Tell the sponsor",
    "overdue": "The sponsor should have been told",
    "in_time": "Sponsor told within 24 hours",
    "late": "Sponsor told later than 24 hours",
    "told": "Sponsor told",
}
"""`told`: it was told, and whether within 24 hours cannot be said."""


@dataclass(frozen=True, kw_only=True)
class SponsorClock:
    """Where the 24 hours stand."""

    state: str
    """A code of CLOCK_STATE."""
    due_at: datetime | None = None
    left: timedelta = timedelta(0)
    """Time left while running; how long it is over when overdue."""

    @property
    def words(self) -> str:
        """`Tell the sponsor: 5 h 20 min left`."""
        if self.state not in ("running", "overdue"):
            return CLOCK_STATE[self.state]
        minutes = int(self.left.total_seconds() // 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        span = f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
        return f"{CLOCK_STATE[self.state]}: {span} {'left' if self.state == 'running' else 'over'}"


def asks_seriousness(term: str, grade: int | None) -> bool:
    """Whether it must be recorded if the side effect is serious, and when the sponsor was told."""
    return term in NECROSIS or (grade is not None and grade >= ASKED_FROM_GRADE)


def criteria_met(answers: Mapping[str, str]) -> tuple[str, ...]:
    """The criteria that the answers to the plain questions say are met: codes of SERIOUS_CRITERIA."""
    return tuple(code for key, code in CRITERION_OF.items() if answers.get(key) == "yes")


def asks_again(term: str, *, grade_before: int, grade: int) -> bool:
    """Whether "not serious" was said of a milder event, so that it is no answer any more."""
    return grade > grade_before and asks_seriousness(term, grade)


def sponsor_clock(
    *,
    known_at: datetime | None,
    now: datetime,
    told_from: datetime | None = None,
    told_until: datetime | None = None,
) -> SponsorClock:
    """The clock of a serious side effect. All instants bear a zone.

    Args:
        known_at: when the clinic knew that it was serious.
        told_from, told_until: the first and last instant at which the sponsor may have been told: the same
            where the hour is recorded, the ends of the day where only the date is; None: not told.
    """
    due_at = known_at + TIME_TO_TELL if known_at is not None else None
    if told_from is not None and told_until is not None:
        if due_at is None:
            return SponsorClock(state="told")
        state = "in_time" if told_until <= due_at else "late" if told_from > due_at else "told"
        return SponsorClock(state=state, due_at=due_at)
    if due_at is None:
        return SponsorClock(state="unknown")
    if now <= due_at:
        return SponsorClock(state="running", due_at=due_at, left=due_at - now)
    return SponsorClock(state="overdue", due_at=due_at, left=now - due_at)
