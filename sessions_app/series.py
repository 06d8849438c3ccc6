"""Opens, changes and stops series. Each act is one transaction."""

import datetime
import secrets
from collections.abc import Iterable
from itertools import repeat

from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404

from lesions.models import Lesion, Patient
from sessions_app.enrolment import OPEN_SERIES, eligibility_of, facts_of_lesions, protocols_for
from sessions_app.lesion_order import next_position, places_as_before
from sessions_app.models import Assessment, Injection, Protocol, Series, SeriesLesion
from sessions_app.selectors import series_for
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord, change, strike_out, write_new
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.terms import ARM
from stsclinic.templatetags.clinic import day

ASKED_OF_THE_PATIENT = frozenset({"pain_or_dysfunction"})
"""Criteria that any lesion of the patient may meet; the others are asked of the lesions treated."""


def get_series(user, right: str, pk: int) -> Series:
    """One series that was not struck out, in a clinic where the user has `right`. Raises Http404."""
    return get_object_or_404(series_for(user, right), pk=pk)


def open_ones(patient: Patient) -> QuerySet[Series]:
    """The patient's planned and active series."""
    return patient.series.filter(status__in=OPEN_SERIES).select_related("protocol")


def not_recorded_for(series: Series) -> list[str]:
    """The criteria of the series' protocol that are still to be asked, in words."""
    judged = eligibility_of(series.patient, series.protocol, on=series.started_on)
    return [f"{criterion.requirement}: {criterion.reason}" for criterion in judged.not_recorded]


def open_series(
    *,
    patient: Patient,
    protocol: Protocol,
    lesions: Iterable[Lesion],
    started_on: datetime.date,
    status: str,
    approved_on: datetime.date | None = None,
    approval_reason: str = "",
    by: str,
    source: str = "page",
) -> Series:
    """Plan or begin a series. In a controlled protocol the arms are drawn here and shown nowhere.

    Raises:
        ValidationError: a rule refuses it; nothing was written.
    """
    chosen = sorted(lesions, key=lambda lesion: lesion.lesion_id)
    with acting(by=by, source=source):
        patient = Patient.objects.select_for_update().select_related("clinic").get(pk=patient.pk)
        _check_consent(patient, started_on)
        if protocol not in protocols_for(patient.clinic):
            raise ValidationError({"protocol": "Choose a protocol of this clinic."})
        if status not in OPEN_SERIES:
            raise ValidationError({"status": "A new series is planned or active."})
        _check_lesions(patient, protocol, chosen)
        _check_criteria(patient, protocol, chosen, started_on)
        _check_approval(approved_on, approval_reason)
        last = patient.series.aggregate(last=Max("series_no"))["last"] or 0
        series = Series(
            patient=patient,
            series_no=last + 1,
            protocol=protocol,
            started_on=started_on,
            status=status,
            high_concentration_approved_on=approved_on,
            high_concentration_reason=approval_reason,
        )
        write_new(series, by=by, source=source)
        places = places_as_before(patient, chosen)
        for lesion, arm in zip(chosen, _arms(protocol), strict=False):
            treated = SeriesLesion(series=series, lesion=lesion, arm=arm, position=places[lesion])
            write_new(treated, by=by, source=source)
    return series


def change_series(
    *,
    series: Series,
    values: dict,
    lesions: Iterable[Lesion] | None,
    seen_version: int,
    by: str,
    reason: str = "",
    source: str = "page",
) -> Series:
    """Change a series: complete, stop, reopen, approve, take lesions in or out.

    Args:
        values: columns of Series.
        lesions: what the series is to treat; None leaves the lesions as they are.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        now = (
            Series.objects.select_for_update(of=("self",))
            .select_related("patient__clinic", "protocol")
            .get(pk=series.pk)
        )
        if now.version != seen_version:
            raise StaleRecord(now)
        wanted = {name: getattr(now, name) for name in _COLUMNS} | values
        if (wanted["status"] == "stopped") != bool(wanted["stop_reason"]):
            raise ValidationError({"stop_reason": "A stopped series has a reason, and no other has one."})
        if wanted["status"] in OPEN_SERIES and now.status not in OPEN_SERIES:
            _check_consent(now.patient, wanted["started_on"])
        elif now.patient.consented_on and wanted["started_on"] < now.patient.consented_on:
            raise ValidationError({"started_on": _before_consent(now.patient)})
        _check_approval(wanted["high_concentration_approved_on"], wanted["high_concentration_reason"])
        if wanted["status"] == "planned" and now.sessions.exists():
            raise ValidationError({"status": "The series has a session, so it is not only planned."})
        set_anew = lesions is not None and _set_lesions(
            now, set(lesions), by=by, source=source, reason=reason
        )
        saved = change(now, values, by=by, seen_version=seen_version, source=source, reason=reason)
        if set_anew and saved.version == seen_version:
            # Lesions alone were changed: a colleague who still sees the old ones must be told.
            saved.version += 1
            saved.save(update_fields=["version"])
    return saved


_COLUMNS = (
    "status",
    "stop_reason",
    "started_on",
    "high_concentration_approved_on",
    "high_concentration_reason",
)


def _set_lesions(series: Series, wanted: set[Lesion], *, by: str, source: str, reason: str) -> bool:
    """Take lesions in and out; whether anything was to be done."""
    now = {row.lesion: row for row in series.series_lesions.select_related("lesion")}
    if set(now) == wanted:
        return False
    if series.protocol.is_controlled:
        raise ValidationError(
            {"lesions": "The lesions of a controlled protocol stay as they were allocated."}
        )
    _check_lesions(series.patient, series.protocol, sorted(wanted, key=lambda lesion: lesion.lesion_id))
    for lesion in sorted(set(now) - wanted, key=lambda lesion: lesion.lesion_id):
        if _was_treated(series, lesion):
            raise ValidationError(
                {"lesions": f"Lesion {lesion.lesion_id} has sessions in this series and stays in it."}
            )
        strike_out(now[lesion], by=by, source=source, reason=reason or "Taken out of the series.")
    for lesion in sorted(wanted - set(now), key=lambda lesion: lesion.lesion_id):
        added = SeriesLesion(series=series, lesion=lesion, position=next_position(series))
        write_new(added, by=by, source=source, reason=reason)
    return True


def _was_treated(series: Series, lesion: Lesion) -> bool:
    rows = {"session__series": series, "session__struck_out_at": None, "lesion": lesion}
    return Assessment.objects.filter(**rows).exists() or Injection.objects.filter(**rows).exists()


def _arms(protocol: Protocol) -> Iterable[str]:
    """One arm for each lesion, in order; concealed from everyone, so drawn where nobody looks."""
    if not protocol.is_controlled:
        return repeat("")
    first, second = ARM
    return (first, second) if secrets.choice((True, False)) else (second, first)


def _check_consent(patient: Patient, started_on: datetime.date) -> None:
    if patient.withdrawn_on:
        raise ValidationError(
            f"The patient withdrew on {show_date(patient.withdrawn_on)}; no series can be open."
        )
    if not patient.consented_on:
        raise ValidationError("The patient has not consented. Record the consent first.")
    if started_on < patient.consented_on:
        raise ValidationError({"started_on": _before_consent(patient)})


def _before_consent(patient: Patient) -> str:
    return f"The date is before the consent of {day(patient.consented_on)}."


def _check_lesions(patient: Patient, protocol: Protocol, chosen: list[Lesion]) -> None:
    if any(lesion.patient_id != patient.pk or lesion.struck_out_at for lesion in chosen):
        raise ValidationError({"lesions": "Choose lesions of this patient."})
    if protocol.is_controlled and len(chosen) != len(ARM):
        raise ValidationError(
            {"lesions": "A controlled protocol treats exactly two lesions, one in each arm."}
        )
    if protocol.route == "injection" and not chosen:
        raise ValidationError({"lesions": "Choose the lesions that are to be injected."})


def _check_criteria(patient: Patient, protocol: Protocol, chosen: list[Lesion], on: datetime.date) -> None:
    known = facts_of_lesions(patient)
    treated = {lesion.pk: known[lesion.pk] for lesion in chosen}
    of_the_patient = eligibility_of(patient, protocol, on=on, lesions=known).not_met
    of_the_lesions = eligibility_of(patient, protocol, on=on, lesions=treated or known).not_met
    refused = {criterion.code: criterion for criterion in of_the_patient}
    for criterion in of_the_lesions:
        if criterion.code not in ASKED_OF_THE_PATIENT:
            refused[criterion.code] = criterion
    if refused:
        raise ValidationError(
            [f"Not eligible. {criterion.requirement}: {criterion.reason}" for criterion in refused.values()]
        )


def _check_approval(approved_on: datetime.date | None, reason: str) -> None:
    if bool(approved_on) != bool(reason):
        name = "high_concentration_reason" if approved_on else "high_concentration_approved_on"
        raise ValidationError({name: "An approval has a date and a reason."})
