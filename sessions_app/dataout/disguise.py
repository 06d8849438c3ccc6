"""The random numbers by which patients and lesions leave: made once, kept in the database, shown nowhere."""

import secrets
from collections.abc import Iterator

from lesions.models import Lesion, Patient
from sessions_app.models import ExportDisguise, LesionDisguise

CHUNK = 2000
FEWEST_DAYS, MOST_DAYS = 30, 365
"""A shift is at least and at most so many days, forwards or backwards."""

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that are mistaken for another."""
_CODE_LENGTH = 10


def disguise_new_patients() -> int:
    """Give each patient who has none yet a disguise; give their number. Two at a time make no difference."""
    made = 0
    for keys in _chunks(Patient.everything.filter(export_disguise=None).values_list("pk", flat=True)):
        disguises = [ExportDisguise(patient_id=key, days=_random_days(), code=_random_code()) for key in keys]
        made += len(ExportDisguise.objects.bulk_create(disguises, ignore_conflicts=True))
    return made


def disguise_new_lesions() -> int:
    """Give each lesion that has none yet a random code; give their number. Two at a time make no difference."""
    made = 0
    for keys in _chunks(Lesion.everything.filter(export_disguise=None).values_list("pk", flat=True)):
        disguises = [LesionDisguise(lesion_id=key, code=_random_code()) for key in keys]
        made += len(LesionDisguise.objects.bulk_create(disguises, ignore_conflicts=True))
    return made


def _chunks(keys) -> Iterator[list[int]]:
    found = list(keys)
    return (found[start : start + CHUNK] for start in range(0, len(found), CHUNK))


def _random_days() -> int:
    days = FEWEST_DAYS + secrets.randbelow(MOST_DAYS - FEWEST_DAYS + 1)
    return days if secrets.randbelow(2) else -days


def _random_code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
