"""Side effects: what is asked of one, what is refused, and how one is written.

Everything that the program knows of side effects stands here. Sources: domain.md, "What happens"
(when to expect what), "Alerts" (seriousness, after ICH E2A), and the five reports.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from lesions.models import Lesion, Patient
from sessions_app.models import SideEffect
from sessions_app.selectors import today_in
from stsclinic.audit.acting import acting
from stsclinic.audit.services import change, write_new
from stsclinic.clinical.alerts import RESOLVED_OUTCOMES
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.terms import SIDE_EFFECT_TERM

EXPECTED = {
    "injection_site_pain": "minutes to 48 hours",
    "skin_discolouration": "brownish, days 2-4",
    "skin_blistering": "days 4-7",
    "injection_site_infection": "",
    "calcium_drainage": "liquefied",
    "digital_necrosis": "of the pulp, 2 weeks",
}
"""The terms to ask for first, and when after an injection they were seen."""

GRADE_WORDS = {
    1: "Mild: noticed, needs nothing",
    2: "Moderate: hinders some of the day, or needs simple treatment",
    3: "Severe: hinders self-care, or needs hospital care",
    4: "Life-threatening: needs help at once",
    5: "Death",
}

SERIOUS_WHEN = (
    "the patient died",
    "life was in danger",
    "a stay in hospital was needed or became longer",
    "a disability persists",
    "a child has a congenital anomaly",
    "a doctor holds it for as important as these",
)
"""The six criteria of ICH E2A, in our words: one is enough."""

NECROSIS = frozenset({"skin_necrosis", "digital_necrosis"})
SEVERE_GRADE = 3
NOT_OVER = frozenset({"recovering", "not_recovered"})
OVER = RESOLVED_OUTCOMES | {"fatal"}
"""Outcomes of what is over, with or without a recorded end."""

ONCE_ONLY = "is recorded already with this onset. Look at what is there; to change it, open it."


def asks_seriousness(term: str, grade: int) -> bool:
    """Whether it must be said if this is serious: grade 3 or more, or a necrosis."""
    return grade >= SEVERE_GRADE or term in NECROSIS


def is_over(effect: SideEffect) -> bool:
    """Whether nothing more is to be followed up: it has an end, or an outcome that is one."""
    return effect.resolved_on is not None or effect.outcome in OVER


def problems(values: dict, *, birth_year: int | None, today: date) -> dict[str, str]:
    """What cannot be, as {field: sentence}; empty when all is well.

    Args:
        values: columns of SideEffect, each of its type; `session` is the row or None.
        birth_year: the patient's, where it is known.
        today: the clinic's own date.
    """
    found: dict[str, str] = {}
    onset, ended, told = values["onset_on"], values["resolved_on"], values["sponsor_told_on"]
    session = values["session"]
    if onset > today:
        found["onset_on"] = "The onset is in the future."
    elif session is not None and onset < session.held_on:
        found["onset_on"] = f"The onset is before the session of {show_date(session.held_on)}."
    elif birth_year is not None and onset.year < birth_year:
        found["onset_on"] = "The onset is before the patient's birth."

    if ended is not None and ended < onset:
        found["resolved_on"] = "It ended before its onset."
    elif ended is not None and ended > today:
        found["resolved_on"] = "The end is in the future. Leave it empty while it is still there."
    elif ended is not None and values["outcome"] in NOT_OVER:
        found["outcome"] = "It has an end, so it is over: choose another outcome, or empty the end."
    if values["lasted_minutes"] is not None and ended is not None and ended > onset + timedelta(days=1):
        found["lasted_minutes"] = "Minutes are for what was over within a day; here the dates say more."

    if values["term"] == "other" and not values["term_detail"]:
        found["term_detail"] = "Say what it was."
    if values["outcome"] == "fatal" and values["grade"] != 5:
        found["grade"] = "A fatal side effect is of grade 5."
    found |= _seriousness(values)
    if told is not None and told > today:
        found["sponsor_told_on"] = "The date is in the future."
    elif told is not None and told < onset:
        found["sponsor_told_on"] = "The sponsor cannot have been told before the onset."
    return found


def _seriousness(values: dict) -> dict[str, str]:
    if values["serious"] is None and asks_seriousness(values["term"], values["grade"]):
        return {
            "serious": "Say whether it is serious: that is asked of grade 3 or more and of every necrosis."
        }
    if values["serious"] is None and values["sponsor_told_on"] is not None:
        return {"serious": "The sponsor was told: say whether it is serious."}
    if values["serious"] is False and values["grade"] == 5:
        return {"serious": "A death is serious."}
    return {}


def record_side_effects(
    *, patient: Patient, lesions: Sequence[Lesion], values: dict, by: str, source: str = "page"
) -> list[SideEffect]:
    """Write a side effect: one row for each lesion, or one of the whole patient without any.

    Args:
        values: columns of SideEffect, without `patient` and `lesion`.

    Raises:
        ValidationError: a rule refuses it; nothing was written.
    """
    _refuse(patient, values, lesions)
    with acting(by=by, source=source):
        Patient.objects.select_for_update().get(pk=patient.pk)
        if not lesions:
            return [_write(SideEffect(patient=patient, **values), by=by, source=source)]
        return [
            _write(SideEffect(patient=patient, lesion=lesion, **values), by=by, source=source)
            for lesion in lesions
        ]


def change_side_effect(
    *, effect: SideEffect, values: dict, seen_version: int, by: str, reason: str = "", source: str = "page"
) -> SideEffect:
    """Change a side effect that the user saw as `seen_version`.

    Args:
        values: columns of SideEffect, `lesion` (or None) among them, without `patient`.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    _refuse(effect.patient, values, [values["lesion"]] if values["lesion"] else [])
    with acting(by=by, source=source, reason=reason):
        wanted = SideEffect(pk=effect.pk, patient=effect.patient, **values)
        _refuse_twin(wanted)
        try:
            now = change(effect, values, by=by, seen_version=seen_version, source=source, reason=reason)
        except IntegrityError as error:
            raise _twin(wanted) from error
    return cast(SideEffect, now)


def _write(row: SideEffect, *, by: str, source: str) -> SideEffect:
    _refuse_twin(row)
    try:
        write_new(row, by=by, source=source)
    except IntegrityError as error:
        raise _twin(row) from error
    return row


def _refuse(patient: Patient, values: dict, lesions: Sequence[Lesion]) -> None:
    """Raise what `problems` finds, and refuse the rows of another patient."""
    series, session = values["series"], values["session"]
    owners = {lesion.patient_id for lesion in lesions}
    if series is not None:
        owners.add(series.patient_id)
    if owners - {patient.pk} or (session is not None and (series is None or session.series_id != series.pk)):
        raise ValidationError("Choose a session, a series and lesions of this patient.")
    found = problems(values, birth_year=patient.birth_year, today=today_in(patient.clinic))
    if found:
        raise ValidationError(found)


def _refuse_twin(row: SideEffect) -> None:
    same = ("patient", "series", "session", "lesion", "term", "term_detail", "onset_on")
    conditions = {name: getattr(row, name) for name in same}
    if SideEffect.objects.filter(**conditions).exclude(pk=row.pk).exists():
        raise _twin(row)


def _twin(row: SideEffect) -> ValidationError:
    where = f" of {row.lesion.lesion_id}" if row.lesion else ""
    return ValidationError(f"{SIDE_EFFECT_TERM[row.term]}{where} {ONCE_ONLY}")
