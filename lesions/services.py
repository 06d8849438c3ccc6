"""Writes patients, identities, lesions, medications and earlier treatments. Each act is one transaction."""

import hashlib
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from lesions.bodymap import agrees
from lesions.models import Lesion, Medication, Patient, PatientIdentity, PriorTreatment
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Audited
from stsclinic.audit.services import StaleRecord, change, write_new
from stsclinic.clinical import terms
from stsclinic.clinical.dates import PartialDate

Row = TypeVar("Row", bound=Audited)
Record = Lesion | Medication | PriorTreatment

MEANWHILE = (
    "Somebody recorded the same at this moment. Look at what is there, then save again if it is still needed."
)


def enrol_patient(*, values: dict, identity: dict, by: str, source: str = "page") -> Patient:
    """Write a new patient, and the identity where anything of it is known.

    Args:
        values: columns of Patient. Without a year of birth, that of the date of birth is taken.
        identity: columns of PatientIdentity, or empty.

    Raises:
        ValidationError: a rule refuses it; nothing was written.
    """
    values = dict(values)
    born_on = identity.get("date_of_birth")
    if born_on and values.get("birth_year") is None:
        values["birth_year"] = born_on.year
    patient = Patient(**values)
    _check_patient(patient)
    _check_birth(patient.birth_year, born_on)
    with acting(by=by, source=source):
        _write(patient, by=by, source=source)
        if any(identity.values()):
            _write(_identity_row(patient, identity), by=by, source=source)
    return patient


def change_patient(
    *, patient: Patient, values: dict, seen_version: int, by: str, reason: str = "", source: str = "page"
) -> Patient:
    """Change what is recorded of a patient.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        now = Patient.objects.select_for_update().get(pk=patient.pk)
        wanted = _with(now, values)
        _check_patient(wanted)
        identity = PatientIdentity.objects.filter(patient=now).first()
        _check_birth(wanted.birth_year, identity.date_of_birth if identity else None)
        return _change(patient, values, seen_version=seen_version, by=by, reason=reason, source=source)


def write_identity(
    *, patient: Patient, values: dict, seen: str, by: str, reason: str = "", source: str = "page"
) -> PatientIdentity:
    """Write who the patient is. The year of birth follows the date of birth.

    Args:
        seen: identity_as_seen of what the person read.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        patient = Patient.objects.select_for_update().get(pk=patient.pk)
        now = PatientIdentity.objects.filter(patient=patient).first()
        if identity_as_seen(now or PatientIdentity()) != seen:
            raise StaleRecord(now or PatientIdentity(patient=patient))
        wanted = _identity_row(patient, values)
        if now is None:
            now = _write(wanted, by=by, source=source, reason=reason)
        else:
            now = _change(now, values, seen_version=None, by=by, reason=reason, source=source)
        if now.date_of_birth and now.date_of_birth.year != patient.birth_year:
            year = {"birth_year": now.date_of_birth.year}
            _change(patient, year, seen_version=None, by=by, reason=reason, source=source)
    return now


def identity_as_seen(identity: PatientIdentity) -> str:
    """A short text that differs whenever the identity does. The table has no version of its own."""
    seen = (identity.name, identity.date_of_birth, identity.national_number, identity.telephone)
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def add_record(record: Record, *, by: str, source: str = "page") -> Record:
    """Write a new lesion, medication or earlier treatment.

    Raises:
        ValidationError: a rule refuses it; nothing was written.
    """
    _check(record)
    return _write(record, by=by, source=source)


def change_record(
    record: Record, values: dict, *, seen_version: int, by: str, reason: str = "", source: str = "page"
) -> Record:
    """Change a lesion, a medication or an earlier treatment.

    Raises:
        StaleRecord: somebody changed it since it was read.
        ValidationError: a rule refuses it. In both cases nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        now = type(record).everything.select_for_update().get(pk=record.pk)
        _check(_with(now, values))
        return _change(record, values, seen_version=seen_version, by=by, reason=reason, source=source)


def _write(record: Row, *, by: str, source: str, reason: str = "") -> Row:
    try:
        return write_new(record, by=by, source=source, reason=reason)
    except IntegrityError as error:
        raise ValidationError(MEANWHILE) from error


def _change(record: Row, values: dict, *, seen_version: int | None, by: str, reason: str, source: str) -> Row:
    try:
        return change(record, values, by=by, seen_version=seen_version, source=source, reason=reason)
    except IntegrityError as error:
        raise ValidationError(MEANWHILE) from error


def _with(record: Row, values: dict) -> Row:
    """The row as it would be."""
    for name, value in values.items():
        setattr(record, name, value)
    return record


def _identity_row(patient: Patient, values: dict) -> PatientIdentity:
    return PatientIdentity(patient=patient, **values)


def _check_patient(patient: Patient) -> None:
    errors = {}
    same = Patient.everything.filter(study_id__iexact=patient.study_id).exclude(pk=patient.pk)
    if same.exclude(study_id=patient.study_id).exists():
        errors["study_id"] = "This ID is taken: it differs from a patient's ID in capitals only."
    codes = [code for code in patient.overlap_with.split(";") if code]
    if codes and patient.diagnosis != "overlap":
        errors["overlap_with"] = "Only the diagnosis overlap syndrome has these."
    elif codes and (len(set(codes)) < 2 or not set(codes) <= set(terms.OVERLAP_WITH)):
        errors["overlap_with"] = "Choose two or more."
    if patient.lesion_count_is_minimum and patient.lesion_count is None:
        errors["lesion_count"] = "Enter how many were counted."
    if patient.offered_on and patient.birth_year and patient.offered_on.year < patient.birth_year:
        errors["offered_on"] = "The date is before the birth."
    if patient.offered_on and patient.consented_on and patient.consented_on < patient.offered_on:
        errors["offered_on"] = "The date is after the consent."
    if errors:
        raise ValidationError(errors)


def _check_birth(birth_year: int | None, born_on) -> None:
    if born_on and birth_year != born_on.year:
        raise ValidationError(
            {
                "birth_year": "This does not agree with the date of birth. Correct the date of birth in the identity."
            }
        )


def _check_span(record: Medication | PriorTreatment) -> None:
    if record.started_on and record.stopped_on:
        started, stopped = (_partial(record, name) for name in ("started_on", "stopped_on"))
        if stopped.latest < started.earliest:
            raise ValidationError({"stopped_on": "The end is before the start."})


def _partial(record, name: str) -> PartialDate:
    try:
        return PartialDate.parse(getattr(record, name))
    except ValueError as error:
        raise ValidationError({name: str(error)}) from error


def _check_prior_treatment(record: PriorTreatment) -> None:
    _check_span(record)
    if record.lesion is not None and record.lesion.patient_id != record.patient_id:
        raise ValidationError({"lesion": "Choose a lesion of this patient."})


def _check_lesion(lesion: Lesion) -> None:
    put_at = lesion.put_at
    if put_at is not None and not agrees(put_at, lesion.laterality):
        where = f"the patient's {put_at.side} side" if put_at.side else "neither side"
        raise ValidationError(
            {"laterality": f"On the body map it is on {where}. Correct the side, or move it on the map."}
        )


def _check(record: Lesion | Medication | PriorTreatment) -> None:
    """What a single column cannot decide."""
    if isinstance(record, Lesion):
        _check_lesion(record)
    elif isinstance(record, Medication):
        _check_span(record)
    elif isinstance(record, PriorTreatment):
        _check_prior_treatment(record)
