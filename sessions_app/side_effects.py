"""Side effects: what is refused, how one is written, followed until it is over, and told to the sponsor.

When to expect what stands in clinical/expected.py, the questions of a grade in clinical/grading.py, what
is serious in clinical/seriousness.py and seriousness.py, what is over in clinical/resolution.py.
Sources: domain.md, "What happens" and "Alerts"; ICH E2A.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from lesions.models import Lesion, Patient
from sessions_app.models import (
    Series,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
    TreatmentSession,
)
from sessions_app.seriousness import of_seriousness, of_sponsor, with_known_at
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord, change, write_new
from stsclinic.clinical import resolution
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.grading import VERSIONS, grade_of
from stsclinic.clinical.seriousness import asks_again, criteria_met
from stsclinic.clinical.terms import SIDE_EFFECT_TERM
from stsclinic.clinics.clock import today_in

GRADE_WORDS = {
    1: "Mild: noticed, needs nothing",
    2: "Moderate: hinders some of the day, or needs simple treatment",
    3: "Severe: hinders self-care, or needs hospital care",
    4: "Life-threatening: needs help at once",
    5: "Death",
}

NOT_OVER = frozenset({"recovering", "not_recovered"})

HOW = {"still_there": "Still there", "better": "Better", "worse": "Worse", "over": "Over"}
"""How an open side effect is when it is asked about again."""

OUTCOME_OF = {
    "still_there": "not_recovered",
    "better": "recovering",
    "worse": "not_recovered",
    "over": "recovered",
}

ONCE_ONLY = "is recorded already with this onset. Look at what is there; to change it, open it."

_OF_GRADE = ("term", "grade", "grade_answers", "grade_reason", "ctcae_version")
_OF_SERIOUSNESS = (
    "term",
    "grade",
    "grade_answers",
    "serious",
    "seriousness_criteria",
    "sponsor_told_on",
)
_OF_SPONSOR = (
    "onset_on",
    "serious",
    "serious_known_at",
    "sponsor_told_on",
    "sponsor_told_time",
    "sponsor_told_who",
)


def is_over(effect: SideEffect) -> bool:
    """Whether nothing more is to be followed up."""
    return resolution.is_over(resolved_on=effect.resolved_on, outcome=effect.outcome)


def problems(
    values: dict, *, birth_year: int | None, today: date, now: datetime, record: SideEffect | None = None
) -> dict[str, str]:
    """What cannot be, as {field: sentence}; empty when all is well.

    Args:
        values: columns of SideEffect, each of its type; `session` is the row or None.
        birth_year: the patient's, where it is known.
        today: the clinic's own date.
        now: this moment, in the clinic's zone.
        record: the row that is changed. What was imported or kept before without what its grade or its
            seriousness stands on is asked for that only where it changes.
    """
    found: dict[str, str] = {}
    onset, ended = values["onset_on"], values["resolved_on"]
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
    if not _stays(values, record, _OF_GRADE):
        found |= _of_grade(values)
    if not _stays(values, record, _OF_SERIOUSNESS):
        found |= of_seriousness(values)
    if not _stays(values, record, _OF_SPONSOR):
        found |= of_sponsor(values, today, now)
    return found


def _stays(values: dict, record: SideEffect | None, names: Sequence[str]) -> bool:
    return record is not None and all(getattr(record, name) == values[name] for name in names)


def _of_grade(values: dict) -> dict[str, str]:
    """A grade stands on the answers to the plain questions, or on a word why not."""
    if values["ctcae_version"] not in VERSIONS:
        return {"ctcae_version": f"Choose version {' or '.join(VERSIONS)}."}
    answered = grade_of(values["term"], values["grade_answers"], values["ctcae_version"])
    if values["grade"] == answered.grade or values["grade_reason"]:
        return {}
    if answered.grade is None:
        return {"grade_reason": "Some questions are open: answer them, or say why you choose this grade."}
    return {"grade_reason": f"The answers give grade {answered.grade}: say why you choose another."}


def record_side_effects(
    *,
    patient: Patient,
    lesions: Sequence[Lesion],
    values: dict,
    by: str,
    asked: bool = False,
    source: str = "page",
) -> list[SideEffect]:
    """Write a side effect: one row for each lesion, or one of the whole patient without any.

    Args:
        values: columns of SideEffect, without `patient` and `lesion`.
        asked: the patient was asked today and told of it; that is kept too.

    Raises:
        ValidationError: a rule refuses it; nothing was written.
    """
    values = with_known_at(values, None)
    _refuse(patient, values, lesions)
    with acting(by=by, source=source):
        Patient.objects.select_for_update().get(pk=patient.pk)
        each: list[Lesion | None] = [*lesions] or [None]
        rows = [
            _write(SideEffect(patient=patient, lesion=lesion, **values), by=by, source=source)
            for lesion in each
        ]
        if asked:
            keep_inquiry(patient=patient, answer="reported", series=values["series"], by=by, source=source)
    return rows


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
    values = with_known_at(values, effect)
    _refuse(effect.patient, values, [values["lesion"]] if values["lesion"] else [], effect)
    with acting(by=by, source=source, reason=reason):
        wanted = SideEffect(pk=effect.pk, patient=effect.patient, **values)
        _refuse_twin(wanted)
        try:
            now = change(effect, values, by=by, seen_version=seen_version, source=source, reason=reason)
        except IntegrityError as error:
            raise _twin(wanted) from error
    return now


def tell_sponsor(
    *, effect: SideEffect, told_on: date, told_time: time | None, who: str, seen_version: int, by: str
) -> SideEffect:
    """Keep who was told of a serious side effect, and when.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    told = {"sponsor_told_on": told_on, "sponsor_told_time": told_time, "sponsor_told_who": who}
    return change_side_effect(effect=effect, values=_columns(effect) | told, seen_version=seen_version, by=by)


def observe(*, effect: SideEffect, how: str, seen: dict, seen_version: int, by: str) -> SideEffectObservation:
    """Keep how an open side effect was on one day, and carry its course on.

    The side effect keeps its highest grade, its last action and, by the latest observation, its outcome.

    Args:
        how: a code of HOW. Over: it ended on `resolved_on`, or on the day it was asked.
        seen: `seen_on`, `note`, `action`; `grade` (None: as last) with `grade_answers`, `grade_reason` and
            `ctcae_version`; `resolved_on` and `outcome` of what is over; `serious` and
            `seriousness_criteria` where a graver grade asks for them.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    today = today_in(effect.patient.clinic)
    if effect.version != seen_version:
        raise StaleRecord(effect)
    if is_over(effect):
        raise ValidationError("It is over already. To take that back, change the side effect.")
    if not effect.onset_on <= seen["seen_on"] <= today:
        raise ValidationError({"seen_on": f"Choose a day from {show_date(effect.onset_on)} to today."})
    rows = effect.observations.order_by("seen_on", "pk")
    last = rows.last()
    if how == "worse" and seen["grade"] is None:
        raise ValidationError({"grade": "It is worse: answer the questions, so that its grade is known."})
    grade = seen["grade"] or (last.grade if last else effect.grade)
    outcome = (seen["outcome"] if how == "over" else "") or OUTCOME_OF[how]
    columns = _columns(effect)
    if seen["grade"] is not None:
        refused = _of_grade({"term": effect.term} | seen)
        if refused:
            raise ValidationError(refused)
        if grade >= effect.grade:
            columns |= _gravest(effect, seen)
    columns |= _seriousness_seen(effect, grade, seen)
    if seen["action"]:
        columns["action"] = seen["action"]
    if how == "over":
        columns |= {"outcome": outcome, "resolved_on": seen["resolved_on"] or seen["seen_on"]}
    elif last is None or seen["seen_on"] >= last.seen_on:
        columns["outcome"] = outcome
    with acting(by=by, source="page"):
        Patient.objects.select_for_update().get(pk=effect.patient_id)
        change_side_effect(effect=effect, values=columns, seen_version=seen_version, by=by)
        observation = write_new(
            SideEffectObservation(
                side_effect=effect,
                seen_on=seen["seen_on"],
                grade=grade,
                action=seen["action"],
                outcome=outcome,
                note=seen["note"],
                by=by,
            ),
            by=by,
        )
        # The next one on the same page must see a new version, or two taps would be two observations.
        SideEffect.objects.filter(pk=effect.pk, version=seen_version).update(version=seen_version + 1)
        if seen["seen_on"] == today:
            keep_inquiry(patient=effect.patient, answer="reported", series=effect.series, by=by)
    return observation


def _gravest(effect: SideEffect, seen: dict) -> dict:
    """The columns of a grade at least as high as that recorded: what was answered yes before stays a yes."""
    before = {key: answer for key, answer in effect.grade_answers.items() if answer == "yes"}
    return {
        "grade": seen["grade"],
        "grade_answers": seen["grade_answers"] | before,
        "grade_reason": seen["grade_reason"] or effect.grade_reason,
        "ctcae_version": seen["ctcae_version"],
    }


def _seriousness_seen(effect: SideEffect, grade: int, seen: dict) -> dict:
    """The columns of seriousness after an observation: asked anew where the grade rose to one that asks.

    Raises:
        ValidationError: it must be said, or what is said contradicts the answers or what was serious.
    """
    serious, criteria = seen["serious"], seen["seriousness_criteria"]
    if effect.serious and serious is False:
        raise ValidationError({"serious": "It was serious. To take that back, change the side effect."})
    is_said = serious is not None or criteria
    is_new = set(criteria_met(seen["grade_answers"])) - set(effect.seriousness_criteria)
    rose = not effect.serious and asks_again(effect.term, grade_before=effect.grade, grade=grade)
    if not (is_said or is_new or rose):
        return {}
    if effect.serious:
        serious, criteria = True, list(dict.fromkeys([*effect.seriousness_criteria, *criteria]))
    found = of_seriousness(
        _columns(effect)
        | {
            "grade": grade,
            "grade_answers": seen["grade_answers"],
            "serious": serious,
            "seriousness_criteria": criteria,
        }
    )
    if found:
        raise ValidationError(found)
    return {"serious": serious, "seriousness_criteria": criteria}


def keep_inquiry(
    *, patient: Patient, answer: str, series: Series | None, by: str, source: str = "page"
) -> SideEffectInquiry:
    """Keep that somebody asked today, and the answer. What is kept already is not kept twice.

    A report of the same day stands: "nothing" after it means nothing more.
    """
    today = today_in(patient.clinic)
    with acting(by=by, source=source):
        Patient.objects.select_for_update().get(pk=patient.pk)
        kept = SideEffectInquiry.objects.filter(patient=patient, asked_on=today)
        same = kept.filter(answer__in={answer, "reported"}).last()
        if same is not None:
            return same
        session = TreatmentSession.objects.filter(series=series, held_on=today).last() if series else None
        return write_new(
            SideEffectInquiry(
                patient=patient, series=series, session=session, asked_on=today, answer=answer, by=by
            ),
            by=by,
            source=source,
        )


def _columns(effect: SideEffect) -> dict:
    """The row as the values that change_side_effect takes."""
    left_out = {"id", "patient", "version", "struck_out_at", "struck_out_by", "struck_out_reason"}
    names = [field.name for field in SideEffect._meta.concrete_fields if field.name not in left_out]
    return {name: getattr(effect, name) for name in names}


def _write(row: SideEffect, *, by: str, source: str) -> SideEffect:
    _refuse_twin(row)
    try:
        write_new(row, by=by, source=source)
    except IntegrityError as error:
        raise _twin(row) from error
    return row


def _refuse(
    patient: Patient, values: dict, lesions: Sequence[Lesion], record: SideEffect | None = None
) -> None:
    """Raise what `problems` finds, and refuse the rows of another patient."""
    series, session = values["series"], values["session"]
    owners = {lesion.patient_id for lesion in lesions}
    if series is not None:
        owners.add(series.patient_id)
    if owners - {patient.pk} or (session is not None and (series is None or session.series_id != series.pk)):
        raise ValidationError("Choose a session, a series and lesions of this patient.")
    found = problems(
        values,
        birth_year=patient.birth_year,
        today=today_in(patient.clinic),
        now=timezone.now().astimezone(patient.clinic.zone),
        record=record,
    )
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
