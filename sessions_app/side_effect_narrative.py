"""The narrative of one side effect: what is recorded of it, as sentences in the order of time.

Only facts that stand in the rows; nothing of a cause. Source: CIOMS I form, boxes 7 and 13.
"""

from collections.abc import Sequence
from datetime import date

from sessions_app.models import SideEffect
from sessions_app.side_effect_pages import observations_of
from sessions_app.side_effects import is_over
from stsclinic.clinical.dates import age_range, show_date
from stsclinic.clinical.grading import VERSIONS, questions_of
from stsclinic.clinical.seriousness import SERIOUS_CRITERIA


def age_words(birth_year: int | None, on: date) -> str:
    """In years, or between two where only the year of birth is known; empty where it is not."""
    if birth_year is None or birth_year > on.year:
        return ""
    lowest, highest = age_range(birth_year, on)
    return f"{highest} years" if lowest == highest else f"{lowest} or {highest} years"


def narrative_of(effect: SideEffect, *, given: str, drug: str, stopped: Sequence[str], on: date) -> list[str]:
    """The sentences.

    Args:
        given: on which days the drug was given before the onset, in words.
        drug: what was given, as the reader may know it; empty where nothing was.
        stopped: drugs that were stopped in the months before, in words.
        on: the day of the report.
    """
    patient = effect.patient
    age = age_words(patient.birth_year, effect.onset_on)
    who = ", ".join(filter(None, (patient.get_sex_display(), age, patient.get_diagnosis_display().lower())))
    found = [f"Patient: {who}."]
    if drug:
        found.append(f"{drug} was given: {given}.")
    if stopped:
        found.append(f"Stopped in the 6 months before: {'; '.join(stopped)}.")
    where = f" of {effect.lesion.lesion_id} {effect.lesion.site_words.lower()}" if effect.lesion else ""
    detail = f" ({effect.term_detail})" if effect.term_detail else ""
    found.append(
        f"On {show_date(effect.onset_on)} began: {effect.get_term_display().lower()}{where}{detail}."
        f" Its highest grade was {effect.grade}."
    )
    if findings := _findings(effect):
        found.append(f"Answered: {'; '.join(findings)}.")
    if effect.seriousness_criteria:
        met = ", ".join(
            SERIOUS_CRITERIA[code].lower() for code in effect.seriousness_criteria if code in SERIOUS_CRITERIA
        )
        found.append(f"It was serious because of: {met}.")
    for row in observations_of(effect):
        seen = [f"grade {row.grade}", row.get_outcome_display().lower(), row.note]
        done = f"done: {row.get_action_display().lower()}" if row.action else ""
        found.append(f"{show_date(row.seen_on)}: {', '.join(filter(None, (*seen, done)))}.")
    if effect.action:
        found.append(f"What was done: {effect.get_action_display().lower()}.")
    found.append(_end(effect, on))
    return found


def _findings(effect: SideEffect) -> list[str]:
    """What was answered with yes."""
    version = effect.ctcae_version if effect.ctcae_version in VERSIONS else VERSIONS[0]
    asked = questions_of(effect.term, version)
    return [question.finding for question in asked if effect.grade_answers.get(question.key) == "yes"]


def _end(effect: SideEffect, on: date) -> str:
    outcome = f": {effect.get_outcome_display().lower()}" if effect.outcome else ""
    if effect.resolved_on is not None:
        return f"It ended on {show_date(effect.resolved_on)}{outcome}."
    if is_over(effect):
        return f"It is over{outcome}; the day is not recorded."
    return f"It was still there on {show_date(on)}, as far as is recorded."
