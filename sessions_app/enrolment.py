"""Eligible, consented, declined, withdrawn: the decisions about a patient. Each act is one transaction."""

import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from lesions.facts import lesion_facts, patient_facts
from lesions.models import Patient
from sessions_app.models import Assessment, Protocol
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord, change
from stsclinic.clinical import terms
from stsclinic.clinical.criteria import Eligibility, eligibility
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.facts import LesionFacts
from stsclinic.clinics.models import Clinic

OPEN_SERIES = ("planned", "active")

OUTCOME = {"undecided": "Not decided yet", "consented": "Consented", **terms.NOT_ENROLLED_REASON}
"""What an offer came to. All but the first two are reasons for not being enrolled."""


def may_open_session(patient: Patient) -> str:
    """The sentence that says why no further session can be opened, or "" when one can."""
    if patient.withdrawn_on:
        return f"The patient withdrew on {show_date(patient.withdrawn_on)}; no further session can be opened."
    return ""


def outcome_of(patient: Patient) -> str:
    """The code of OUTCOME that the patient's columns amount to."""
    if patient.consented_on:
        return "consented"
    return patient.not_enrolled_reason or "undecided"


def protocols_for(clinic: Clinic) -> list[Protocol]:
    """The latest version of each protocol that the clinic may use: shipped ones first, then its own."""
    latest: dict[str, Protocol] = {}
    for protocol in Protocol.objects.filter(clinic=None) | Protocol.objects.filter(clinic=clinic):
        known = latest.get(protocol.code)
        if known is None or known.version < protocol.version:
            latest[protocol.code] = protocol
    return sorted(latest.values(), key=lambda protocol: (protocol.clinic_id is not None, protocol.pk))


def facts_of_lesions(patient: Patient) -> dict[int, LesionFacts]:
    """Every lesion of the patient by its primary key, with the size that was measured last."""
    sizes = {}
    measured = Assessment.objects.filter(
        lesion__patient=patient,
        session__struck_out_at=None,
        session__series__struck_out_at=None,
        longest_mm__isnull=False,
    ).order_by("session__held_on", "session__session_no")
    for lesion_pk, longest, widest in measured.values_list("lesion_id", "longest_mm", "widest_mm"):
        sizes[lesion_pk] = (longest, widest)
    return {
        lesion.pk: lesion_facts(lesion, sizes.get(lesion.pk, (None, None)))
        for lesion in patient.lesions.all()
    }


def eligibility_of(
    patient: Patient,
    protocol: Protocol,
    *,
    on: datetime.date,
    answers: dict[str, bool] | None = None,
    lesions: dict[int, LesionFacts] | None = None,
) -> Eligibility:
    """The patient against the protocol's criteria on a day.

    Args:
        answers: what a person judged, by criterion; without them, what was recorded before.
        lesions: those considered; without them, all of the patient.
    """
    judged = patient.criteria_met.get(protocol.code, {}) if answers is None else answers
    considered = facts_of_lesions(patient) if lesions is None else lesions
    return eligibility(
        protocol.definition,
        patient_facts(patient),
        considered.values(),
        on,
        {sentence: "yes" if met else "no" for sentence, met in judged.items()},
    )


def decide_enrolment(
    *,
    patient: Patient,
    protocol: Protocol,
    outcome: str,
    consented_on: datetime.date | None,
    answers: dict[str, bool],
    seen_version: int,
    by: str,
    reason: str = "",
    source: str = "page",
) -> Patient:
    """Record what the offer came to, and what was judged under `protocol`.

    Consent needs every criterion met that is recorded, and every judged one answered; what is not
    recorded yet, such as the lesions, may follow. Not eligible needs a criterion that is not met.

    Raises:
        StaleRecord: somebody changed the patient since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        now = Patient.objects.select_for_update().get(pk=patient.pk)
        if now.version != seen_version:
            raise StaleRecord(now)
        if now.withdrawn_on:
            raise ValidationError("The patient withdrew. Correct the withdrawal first.")
        today = timezone.localdate(timezone=now.clinic.zone)
        on = consented_on if outcome == "consented" and consented_on else today
        judged = eligibility_of(now, protocol, on=on, answers=answers)
        if outcome == "consented":
            _check_consent(now, protocol, consented_on, answers, judged, today)
        elif now.series.exists():
            raise ValidationError(
                {"outcome": "The patient has a series. A consent given is withdrawn, not taken back."}
            )
        elif outcome == "not_eligible" and not judged.not_met:
            raise ValidationError(
                {"outcome": "Every criterion that is answered is met. Say which one is not."}
            )
        values = {
            "consented_on": consented_on if outcome == "consented" else None,
            "not_enrolled_reason": outcome if outcome in terms.NOT_ENROLLED_REASON else "",
            "criteria_met": {**now.criteria_met, protocol.code: answers} if answers else now.criteria_met,
        }
        if outcome == "not_eligible":
            because = "; ".join(
                f"{criterion.requirement}: {criterion.reason}" for criterion in judged.not_met
            )
            reason = " ".join(filter(None, (reason, f"{protocol.code}: {because}")))
        return change(now, values, by=by, seen_version=seen_version, source=source, reason=reason)


def _check_consent(now, protocol, consented_on, answers, judged, today) -> None:
    if consented_on is None:
        raise ValidationError({"consented_on": "Enter the date of the consent."})
    if consented_on > today:
        raise ValidationError({"consented_on": "The date is in the future."})
    if now.offered_on and consented_on < now.offered_on:
        raise ValidationError(
            {"consented_on": f"The date is before the offer of {show_date(now.offered_on)}."}
        )
    open_ones = [sentence for sentence in protocol.other_criteria if sentence not in answers]
    if open_ones:
        raise ValidationError([f"Answer yes or no: {sentence}" for sentence in open_ones])
    if judged.not_met:
        raise ValidationError(
            [f"Not eligible. {criterion.requirement}: {criterion.reason}" for criterion in judged.not_met]
        )


def withdraw_patient(
    *,
    patient: Patient,
    withdrawn_on: datetime.date,
    withdrawal_reason: str,
    stop_series: bool,
    seen_version: int,
    by: str,
    source: str = "page",
) -> Patient:
    """Record that the patient withdrew, with or without a reason. The data are kept.

    Args:
        stop_series: stop the open series too, by the patient's choice.

    Raises:
        StaleRecord: somebody changed the patient since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    with acting(by=by, source=source, reason=withdrawal_reason):
        now = Patient.objects.select_for_update().get(pk=patient.pk)
        earliest = now.consented_on or now.offered_on
        if earliest and withdrawn_on < earliest:
            raise ValidationError(
                {"withdrawn_on": f"The date is before {show_date(earliest)}, the consent or offer."}
            )
        if withdrawn_on > timezone.localdate(timezone=now.clinic.zone):
            raise ValidationError({"withdrawn_on": "The date is in the future."})
        values = {"withdrawn_on": withdrawn_on, "withdrawal_reason": withdrawal_reason}
        change(now, values, by=by, seen_version=seen_version, source=source, reason=withdrawal_reason)
        if stop_series:
            for series in now.series.filter(status__in=OPEN_SERIES):
                stopped = {"status": "stopped", "stop_reason": "patient_choice"}
                change(
                    series, stopped, by=by, seen_version=None, source=source, reason="The patient withdrew."
                )
        now.refresh_from_db()
    return now


def undo_withdrawal(
    *, patient: Patient, seen_version: int, by: str, reason: str, source: str = "page"
) -> Patient:
    """Take back a withdrawal that was recorded by mistake. Series that were stopped stay stopped.

    Raises:
        StaleRecord: somebody changed the patient since it was read.
        ValidationError: no reason was given. In both cases nothing was written.
    """
    if not reason.strip():
        raise ValidationError("Say why the withdrawal is taken back.")
    values = {"withdrawn_on": None, "withdrawal_reason": ""}
    return change(patient, values, by=by, seen_version=seen_version, source=source, reason=reason.strip())
