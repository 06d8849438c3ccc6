"""What is told of a patient on the day of a first treatment: age, how long the lesions were there, the drugs."""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from operator import attrgetter

from stsclinic.clinical.dates import PartialDate, age_by_year
from stsclinic.reporting.records import LesionRecord, MedicationRecord, PatientRecord


def age_on(patient: PatientRecord, day: date) -> int | None:
    """In years, by the year of birth; None where that is not known, or later."""
    born = patient.birth_year
    return None if born is None or born > day.year else age_by_year(born, day)


def years_since_onset(lesions: Iterable[LesionRecord], day: date) -> float | None:
    """Years from the earliest recorded onset of these lesions, in the middle of what is known of it."""
    onsets = set(filter(None, map(attrgetter("onset_on"), lesions)))
    if not onsets:
        return None
    days = (day - min(map(_middle, onsets))).days
    return days / 365.25 if days >= 0 else None


_parsed = lru_cache(maxsize=4096)(PartialDate.parse)


@lru_cache(maxsize=4096)
def _middle(onset: str) -> date:
    known = _parsed(onset)
    return known.earliest + (known.latest - known.earliest) / 2


def taken_on(patient: PatientRecord, day: date) -> list[MedicationRecord]:
    """The drugs that were, or may have been, taken on a day."""
    return [
        record
        for record in patient.medications
        if (not record.started_on or _parsed(record.started_on).earliest <= day)
        and (not record.stopped_on or _parsed(record.stopped_on).latest >= day)
    ]


def names_taken_on(patient: PatientRecord, day: date) -> set[str]:
    return {plain_name(record.name) for record in taken_on(patient, day) if record.name}


@lru_cache(maxsize=4096)
def plain_name(text: str) -> str:
    """`Diltiazem 90 mg/day` is diltiazem: small letters, to the first digit."""
    words = re.split(r"\d", text.casefold().replace("_", " "))[0]
    return words.strip(" ,;(") or text.casefold()
