"""What came of a ring: written down in one piece, shown as rung today, and taken back after a slip."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone

from lesions.models import Patient
from sessions_app.call_facts import load_facts
from sessions_app.models import (
    CALL_ANSWER,
    CallAttempt,
    Series,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
)
from sessions_app.side_effects import HOW, keep_inquiry, observe
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord, change, strike_out, write_new
from stsclinic.clinical.calls import Call, calls_due
from stsclinic.clinical.resolution import OVER
from stsclinic.clinics.clock import by_the_clock, today_in

ANSWERS = {"no_answer", *CALL_ANSWER}
"""What a person may note of a ring; `spoke` where only a visit was to be agreed, and nothing was asked."""

ASKING_KEYS = ("session:", "effect:")
"""How the keys of those calls begin that ask for side effects; the others are about a visit."""

DONE_ALREADY = "This call is not on the list any more: somebody else has made it, or the visit was held."
SAY_HOW = "Say how it is now."
WRITTEN_MEANWHILE = "Somebody wrote of it meanwhile. Look at what is there, then say how it is."


@dataclass(frozen=True, kw_only=True)
class EventAnswer:
    """How one open side effect is, as the patient said."""

    effect: int
    """Its key."""
    how: str
    """A code of HOW. Of what is worse only its own page can keep how much: it stays to be answered."""
    seen: dict
    """What side_effects.observe takes."""
    version: int
    """Of the side effect, as it was seen."""


def note_ring(
    *,
    patient: Patient,
    keys: Iterable[str],
    answer: str,
    note: str,
    by: str,
    events: Sequence[EventAnswer] = (),
) -> list[CallAttempt]:
    """Note one ring under every call of these keys that is still due, and how each open side effect is.

    Args:
        answer: one of ANSWERS. Where side effects were asked for, the answer is kept too.
        events: the open side effects of the patient, of which none may be left out when side effects were
            asked for.

    Raises:
        ValidationError: none of the calls is due any more, an open side effect has no answer (under
            `how-` and its key), or a value is not valid; nothing was written.
    """
    if answer not in ANSWERS:
        raise ValidationError("Say what came of the ring.")
    wanted = set(keys)
    with acting(by=by, source="page"):
        # The patient's row serialises two people who ring the same patient.
        Patient.objects.select_for_update().get(pk=patient.pk)
        today = today_in(patient.clinic)
        loaded = load_facts({patient.clinic: today})[patient.clinic_id]
        own = [call for call in calls_due(loaded.facts, today) if call.patient == patient.study_id]
        due = [call for call in own if call.key in wanted]
        if not due:
            raise ValidationError(DONE_ALREADY)
        asks = any(call.key.startswith(ASKING_KEYS) for call in own)
        if answer == "spoke" and asks:
            raise ValidationError("Ask for side effects too, and say what the answer was.")
        if answer == "no_answer" and events:
            raise ValidationError(
                "You said how a side effect is, so somebody answered: say what else they told."
            )
        if answer != "no_answer":
            waiting = {
                int(effect.ref)
                for effect in loaded.open_effects.get(patient.study_id, ())
                if effect.waits_for_answer(today)
            }
            _refuse_unanswered(waiting, events)
        elsewhere = set(
            SideEffectInquiry.objects.filter(patient=patient, asked_on=today, attempts=None).values_list(
                "pk", flat=True
            )
        )
        observations = {str(one.effect): _observe(patient, one, by) for one in events if one.how != "worse"}
        inquiry = None
        if asks and answer in ("nothing", "reported"):
            inquiry = keep_inquiry(patient=patient, answer=answer, series=_series_of(due), by=by)
            if inquiry.pk in elsewhere:
                # It was asked on another page before: taking this ring back leaves that.
                inquiry = None
        now = timezone.now()
        return [
            write_new(
                CallAttempt(
                    patient=patient,
                    call_key=call.key,
                    outcome="no_answer" if answer == "no_answer" else "reached",
                    answer="" if answer == "no_answer" else answer,
                    inquiry=inquiry,
                    observation=observations.get(call.about) if call.key.startswith("effect:") else None,
                    rang_at=now,
                    rang_on=today,
                    note=note.strip(),
                    by=by,
                ),
                by=by,
            )
            for call in due
        ]


def _refuse_unanswered(waiting: set[int], events: Sequence[EventAnswer]) -> None:
    """Raise ValidationError unless just those that wait are answered."""
    answered = {one.effect for one in events if one.how in HOW}
    found = {f"how-{pk}": SAY_HOW for pk in waiting - answered}
    found |= {f"how-{pk}": WRITTEN_MEANWHILE for pk in answered - waiting}
    if found:
        raise ValidationError(found)


def _observe(patient: Patient, one: EventAnswer, by: str) -> SideEffectObservation:
    effect = SideEffect.objects.select_related("patient__clinic", "series", "lesion", "session").get(
        pk=one.effect, patient=patient
    )
    try:
        return observe(effect=effect, how=one.how, seen=one.seen, seen_version=one.version, by=by)
    except StaleRecord as error:
        raise ValidationError({f"how-{one.effect}": WRITTEN_MEANWHILE}) from error


def _series_of(calls: Sequence[Call]) -> Series | None:
    """The series that the calls are about, where they name one."""
    for call in calls:
        if call.key.startswith("session:"):
            return Series.objects.get(sessions=int(call.about))
    for call in calls:
        if call.key.startswith("effect:"):
            return SideEffect.objects.select_related("series").get(pk=call.about).series
    return None


def take_back(*, attempt: CallAttempt, by: str) -> None:
    """Strike out a ring that was noted by mistake, under all calls that it was noted for, with what it kept:
    the answer, and how each open side effect was.

    Raises:
        ValidationError: it was taken back before.
    """
    reason = "Taken back: noted by mistake."
    with acting(by=by, source="page", reason=reason):
        Patient.objects.select_for_update().get(pk=attempt.patient_id)
        ring = list(
            CallAttempt.objects.filter(patient=attempt.patient_id, rang_at=attempt.rang_at, by=attempt.by)
        )
        if not ring:
            raise ValidationError("This was taken back before.")
        for row in ring:
            strike_out(row, by=by, reason=reason)
        # Another ring of the day may have had the same answer.
        for inquiry in SideEffectInquiry.objects.filter(attempts__in=ring).distinct():
            if not CallAttempt.objects.filter(inquiry=inquiry).exists():
                strike_out(inquiry, by=by, reason=reason)
        for observation in SideEffectObservation.objects.filter(attempts__in=ring):
            _take_back_observation(observation, by, reason)


def _take_back_observation(observation: SideEffectObservation, by: str, reason: str) -> None:
    """Strike it out; the side effect is again as it was before, unless somebody changed it since."""
    strike_out(observation, by=by, reason=reason)
    effect = observation.side_effect
    if effect.outcome != observation.outcome:
        return
    before = effect.observations.order_by("seen_on", "pk").last()
    values: dict[str, object] = {"outcome": before.outcome if before else ""}
    if observation.outcome in OVER and effect.resolved_on == observation.seen_on:
        values["resolved_on"] = None
    change(effect, values, by=by, seen_version=None, reason=reason)


@dataclass(kw_only=True)
class Rung:
    """What was noted of one ring today."""

    attempt: CallAttempt
    at: str
    """When, by the clinic's clock."""
    words: str
    events: list[str]
    """How each open side effect was."""

    @property
    def has_reported(self) -> bool:
        """Whether something new was told, which is to be written down."""
        return self.attempt.answer == "reported"


def rings_of(today: Mapping[int, date]) -> dict[int, list[Rung]]:
    """What was noted today in these clinics (id to its own date), one line for each ring, the latest first."""
    rings: dict[tuple, list[CallAttempt]] = defaultdict(list)
    for attempt in (
        CallAttempt.objects.filter(
            rang_on__in=set(today.values()), patient__clinic__in=today, patient__struck_out_at=None
        )
        .select_related("patient__clinic", "observation__side_effect")
        .order_by("-rang_at", "-pk")
    ):
        if attempt.rang_on == today[attempt.patient.clinic_id]:
            rings[attempt.patient_id, attempt.by, attempt.rang_at].append(attempt)
    found: dict[int, list[Rung]] = defaultdict(list)
    for attempts in rings.values():
        first = attempts[0]
        found[first.patient.clinic_id].append(
            Rung(
                attempt=first,
                at=by_the_clock(first.rang_at, first.patient.clinic),
                words=CALL_ANSWER.get(first.answer, "No answer"),
                events=[
                    f"{row.observation.side_effect.get_term_display()}:"
                    f" {row.observation.get_outcome_display().lower()}"
                    for row in attempts
                    if row.observation is not None
                ],
            )
        )
    return found
