"""Two clinics with a row of every kind, and a user of every role in the first: what access tests ask for."""

import datetime
from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from lesions.models import Lesion, Medication, Patient, PatientIdentity, PriorTreatment
from sessions_app.export_jobs import make_folder
from sessions_app.models import (
    CallAttempt,
    ExportJob,
    Photograph,
    Protocol,
    RecalledLot,
    ScoreInvitation,
    Series,
    SessionDraft,
    SideEffect,
    TreatmentSession,
)
from sessions_app.photographs import name_of, thumbnail_name_of
from stsclinic.access import ROLES
from stsclinic.audit.acting import acting
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Clinic, Holiday, Membership, User
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
)

SIGNED_OUT = "signed_out"
READERS = (*ROLES, SIGNED_OUT)
"""The order of the columns in the table of answers."""


@dataclass
class Side:
    """A clinic with one row of every kind."""

    clinic: Clinic
    patient: Patient
    lesion: Lesion
    medication: Medication
    prior_treatment: PriorTreatment
    series: Series
    session: TreatmentSession
    draft: SessionDraft
    correction: SessionDraft
    side_effect: SideEffect
    photograph: Photograph
    protocol: Protocol
    colleague: User
    call_attempt: CallAttempt
    recalled_lot: RecalledLot
    holiday: Holiday
    export_job: ExportJob
    """That of the side's data manager; without users, of the colleague."""
    users: dict[str, User] = field(default_factory=dict)


def save(row):
    """Save a row as the program does: with an actor."""
    with acting(by="test", source="command"):
        row.save()
    return row


def make_person(username: str, role: str, clinic: Clinic) -> User:
    """A user who signs in without a password, since hashing one takes longer than the test."""
    user = save(User(username=username, password=make_password(None)))
    save(Membership(user=user, clinic=clinic, role=role))
    return user


def make_side(name: str, *, users: bool) -> Side:
    """A clinic under this name with all of its rows, and a user of every role where wanted."""
    clinic = make_clinic(name)
    colleague = make_person(f"{name}-colleague", "nurse", clinic)
    patient = make_patient(clinic, study_id=f"{name}-001")
    save(PatientIdentity(patient=patient, name=f"Ann {name}", date_of_birth=datetime.date(1970, 1, 1)))
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    session = make_session(series, datetime.date(2026, 1, 5), ptga=8, phga=7)
    make_assessment(session, lesion)
    make_injection(session, lesion)
    shipped = Protocol.objects.get(code="biweekly")
    shipped.pk, shipped.clinic, shipped.code, shipped._state.adding = None, clinic, f"{name}-own", True
    photograph = save(
        Photograph(
            lesion=lesion, session=session, taken_on=session.held_on, width_px=4, height_px=4, sha256="0" * 64
        )
    )
    for file in (name_of(photograph), thumbnail_name_of(photograph)):
        default_storage.save(file, ContentFile(b"picture"))
    draft = save(SessionDraft(series=series, kind="follow_up", opened_by=colleague))
    now = timezone.now()
    save(
        ScoreInvitation(
            draft=draft,
            purpose="ptga",
            code_digest=f"{name:0>64}",
            made_by=colleague,
            made_at=now,
            ends_at=now + datetime.timedelta(minutes=15),
        )
    )
    people = {role: make_person(f"{name}-{role}", role, clinic) for role in ROLES} if users else {}
    return Side(
        clinic=clinic,
        patient=patient,
        lesion=lesion,
        medication=save(Medication(patient=patient, name="nifedipine", role="calcium_channel_blocker")),
        prior_treatment=save(PriorTreatment(patient=patient, lesion=lesion, treatment="surgery")),
        series=series,
        session=session,
        draft=draft,
        correction=save(
            SessionDraft(
                series=series,
                kind="treatment",
                corrects=session,
                corrects_version=session.version,
                opened_by=colleague,
            )
        ),
        side_effect=save(
            SideEffect(
                patient=patient,
                series=series,
                session=session,
                lesion=lesion,
                term="skin_discolouration",
                grade=1,
                onset_on=datetime.date(2026, 1, 7),
            )
        ),
        photograph=photograph,
        protocol=save(shipped),
        colleague=colleague,
        call_attempt=save(
            CallAttempt(
                patient=patient,
                call_key=f"session:{session.pk}:2",
                outcome="no_answer",
                rang_at=timezone.now(),
                rang_on=today_in(clinic),
                by=colleague.username,
            )
        ),
        recalled_lot=save(
            RecalledLot(
                clinic=clinic, lot_number=f"{name}-17", recalled_on=session.held_on, reason="Particles"
            )
        ),
        holiday=save(Holiday(clinic=clinic, held_on=datetime.date(2026, 12, 24), name="Christmas Eve")),
        export_job=finished_export(people.get("data_manager", colleague), clinic),
        users=people,
    )


def finished_export(user: User, clinic: Clinic) -> ExportJob:
    """An export of this user, with one file."""
    chosen = {"clinics": [clinic.code], "formats": ["csv"], "protocols": [], "diagnoses": []}
    chosen |= {"first_treatment_from": None, "first_treatment_to": None}
    chosen |= {"with_dates": False, "with_text": False, "new_ids": False, "danish": False}
    now = timezone.now()
    job = ExportJob.objects.create(
        made_by=user, chosen=chosen, state="done", heartbeat_at=now, finished_at=now
    )
    (make_folder(job) / "manifest.txt").write_text("one export")
    return job
