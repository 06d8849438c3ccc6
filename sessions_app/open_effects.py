"""Which side effects does a visit ask about first, how did each go so far, and how is it on that day?

One that lasts is asked about at each visit until somebody said how it is on the day of the visit. The answer is an
observation like any other, kept at once: it is true whatever becomes of the sheet.
"""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, prefetch_related_objects

from lesions.at_hand import at_hand
from lesions.models import Patient
from sessions_app.models import SideEffect, SideEffectObservation
from sessions_app.side_effects import is_over, observe
from stsclinic.clinical.dates import show_date

SHOWN = 4
"""Observations of each that the sheet shows: the latest."""
AT_ONCE = {"still_there": "As before", "over": "Over"}
"""What is answered on the sheet itself (codes of side_effects.HOW); a change of grade has its own page."""


@dataclass(frozen=True)
class OpenEffect:
    """One side effect that the visit asks about."""

    effect: SideEffect
    course: tuple[SideEffectObservation, ...]
    """The latest observations, in the order of their days."""
    answer: SideEffectObservation | None
    """What was said on the day of the visit."""

    @property
    def is_asked(self) -> bool:
        """Whether it is still to be said how it is."""
        return self.answer is None

    @property
    def is_over(self) -> bool:
        """Whether it was said at this visit that it is over."""
        return is_over(self.effect)

    @property
    def words(self) -> str:
        """`Digital necrosis, L01 left thumb`."""
        lesion = self.effect.lesion
        where = f", {lesion.lesion_id} {lesion.site_words.lower()}" if lesion else ""
        return f"{self.effect.get_term_display()}{where}"


def open_effects(patient: Patient, visit: date) -> list[OpenEffect]:
    """Those that began before the day of the visit and last, or of which it was said on that day how they are.

    Two queries at most, the gravest first.
    """
    rows = sorted(
        (row for row in at_hand(patient).side_effects if row.onset_on < visit), key=lambda row: -row.grade
    )
    observations = SideEffectObservation.objects.order_by("seen_on", "pk")
    prefetch_related_objects(rows, Prefetch("observations", observations))
    found = []
    for row in rows:
        course = tuple(row.observations.all())
        answer = next((one for one in reversed(course) if one.seen_on == visit), None)
        if answer is not None or not is_over(row):
            found.append(OpenEffect(row, course[-SHOWN:], answer))
    return found


def unanswered(patient: Patient, visit: date) -> dict[str, str]:
    """{place on the sheet: sentence} of those of which nobody said how they are."""
    return {
        f"effect-{one.effect.pk}": f"{one.words}: how it is now"
        for one in open_effects(patient, visit)
        if one.is_asked
    }


def answer_at_visit(
    *, patient: Patient, effect: int, how: str, seen_version: int, visit: date, by: str
) -> None:
    """Keep how an open side effect is on the day of the visit.

    Args:
        effect: its key; `how` is a code of AT_ONCE.

    Raises:
        ValidationError: it is not asked about at this visit, or a rule refuses the answer.
        StaleRecord: somebody changed it since it was read.
    """
    asked = {one.effect.pk: one.effect for one in open_effects(patient, visit) if one.is_asked}
    if effect not in asked or how not in AT_ONCE:
        raise ValidationError(f"It is not asked about at a visit of {show_date(visit)}.")
    seen = {
        "seen_on": visit,
        "note": "",
        "action": "",
        "grade": None,
        "grade_answers": {},
        "grade_reason": "",
        "ctcae_version": "",
        "resolved_on": None,
        "outcome": "",
        "serious": None,
        "seriousness_criteria": [],
    }
    observe(effect=asked[effect], how=how, seen=seen, seen_version=seen_version, by=by)
