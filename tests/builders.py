"""Rows for tests, made the way the program makes them: with an actor and through the constraints."""

import datetime
from functools import cache
from itertools import count

from django.contrib.auth.hashers import make_password

from lesions.models import Lesion, Patient
from sessions_app.models import Assessment, Injection, Protocol, Series, SeriesLesion, TreatmentSession
from stsclinic.audit.acting import acting
from stsclinic.clinics.models import Clinic, Membership, User

PASSWORD = "a long enough passphrase"
_number = count(1)


@cache
def _hashed_password() -> str:
    """Hashed once for all users: argon2 is slow on purpose."""
    return make_password(PASSWORD)


def _save(row):
    with acting(by="test", source="command"):
        row.save()
    return row


def make_clinic(code: str = "", **values) -> Clinic:
    """A clinic in Copenhagen's time zone."""
    code = code or f"clinic{next(_number)}"
    return _save(Clinic(code=code, name=code.title(), time_zone="Europe/Copenhagen", **values))


def make_user(role: str, clinic: Clinic | None, username: str = "") -> User:
    """A user with one role in one clinic; without a clinic, a user without any role."""
    user = User(username=username or f"{role}{next(_number)}")
    user.password = _hashed_password()
    _save(user)
    if clinic is not None:
        _save(Membership(user=user, clinic=clinic, role=role))
    return user


def make_patient(clinic: Clinic, **values) -> Patient:
    """A consented woman with limited systemic sclerosis and nothing that excludes."""
    defaults = {
        "study_id": f"T-{next(_number):03}",
        "sex": "female",
        "birth_year": 1970,
        "diagnosis": "lcssc",
        "raynaud": "no",
        "sts_hypersensitivity": False,
        "pregnant": False,
        "breast_feeding": False,
        "offered_on": datetime.date(2026, 1, 1),
        "consented_on": datetime.date(2026, 1, 2),
    }
    return _save(Patient(clinic=clinic, **(defaults | values)))


def make_lesion(patient: Patient, lesion_id: str = "", **values) -> Lesion:
    """A papule on the left elbow with pain 6."""
    defaults = {"body_site": "elbow", "laterality": "left", "lesion_type": "papule", "pain_vas": 6}
    lesion_id = lesion_id or f"L{patient.lesions.count() + 1:02}"
    return _save(Lesion(patient=patient, lesion_id=lesion_id, **(defaults | values)))


def make_series(patient: Patient, lesions=(), protocol: str = "weekly4", **values) -> Series:
    """An active series of the shipped protocol that treats `lesions` ((lesion, arm) where controlled)."""
    defaults = {
        "series_no": patient.series.count() + 1,
        "started_on": datetime.date(2026, 1, 5),
        "status": "active",
    }
    row = _save(Series(patient=patient, protocol=Protocol.objects.get(code=protocol), **(defaults | values)))
    for entry in lesions:
        lesion, arm = entry if isinstance(entry, tuple) else (entry, "")
        _save(SeriesLesion(series=row, lesion=lesion, arm=arm))
    return row


def make_session(
    series: Series, held_on: datetime.date, kind: str = "treatment", **values
) -> TreatmentSession:
    """A completed session, numbered after those that are there."""
    number = series.sessions.count() + 1
    return _save(TreatmentSession(series=series, session_no=number, kind=kind, held_on=held_on, **values))


def make_assessment(session: TreatmentSession, lesion: Lesion, **values) -> Assessment:
    """A present lesion of 12 × 8 mm without ulcer."""
    defaults = {"status": "present", "longest_mm": 12, "widest_mm": 8, "ulcer": False}
    return _save(Assessment(session=session, lesion=lesion, **(defaults | values)))


def make_injection(session: TreatmentSession, lesion: Lesion, **values) -> Injection:
    """0.5 ml of 150 mg/ml."""
    defaults = {"agent": "sts", "concentration_mg_ml": 150, "volume_ml": "0.5"}
    return _save(Injection(session=session, lesion=lesion, **(defaults | values)))
