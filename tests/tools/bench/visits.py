"""Patients with 22 lesions: the sheet of a visit, a field of it, its completion, and the patient's page."""

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from lesions.models import Medication
from sessions_app.drafts import open_draft
from sessions_app.entries import AssessmentEntry, InjectionEntry, SessionEntry
from sessions_app.models import (
    Assessment,
    Injection,
    Series,
    SessionDraft,
    SideEffectInquiry,
    TreatmentSession,
)
from sessions_app.services import log_session
from stsclinic.audit.acting import acting
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Clinic, User
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_user
from tests.tools.bench.browser import Browser, fields_of
from tests.tools.bench.filling import let_it_count
from tests.tools.bench.measuring import ROUNDS, Measured, measure

LESIONS = 22
SESSIONS = 12
TURNS = 11
"""Of completing, which needs a patient for each."""
WEEK = datetime.timedelta(days=7)
SITES = ("index_finger", "middle_finger", "thumb", "elbow", "knee", "forearm", "buttock", "lower_leg")


class Visits:
    """A clinic whose clinician has patients of 22 lesions each, with one earlier session or more."""

    def __init__(self) -> None:
        self.clinic: Clinic = make_clinic("visits")
        self.user: User = make_user("clinician", self.clinic, "visits")
        self.browser = Browser(self.user)
        self.empty = self.browser.asking(reverse("empty"))
        self.empty_post = self.browser.asking(reverse("empty"), {})
        self.today = today_in(self.clinic)

    def series(self, sessions: int = 1) -> Series:
        """A new patient's series of 22 lesions with so many weekly sessions, the last a week ago."""
        with acting(by="bench", source="command"):
            patient = make_patient(self.clinic, raynaud="no")
            Medication.objects.create(patient=patient, name="bosentan", role="vasodilator")
            lesions = [
                make_lesion(
                    patient, body_site=SITES[number % len(SITES)], laterality=("left", "right")[number % 2]
                )
                for number in range(LESIONS)
            ]
            series = make_series(patient, lesions, started_on=self.today - sessions * WEEK)
            for number in range(sessions):
                log_session(series=series, entry=self.entry(series, sessions - number), by=self.user.username)
        return series

    def entry(self, series: Series, weeks_ago: int) -> SessionEntry:
        """A session with every lesion measured and injected."""
        lesions = list(series.series_lesions.values_list("lesion_id", flat=True))
        return SessionEntry(
            kind="treatment",
            held_on=self.today - weeks_ago * WEEK,
            ptga=5,
            phga=4,
            performed_by=self.user.username,
            asked="nothing",
            assessments=tuple(
                AssessmentEntry(
                    lesion=lesion,
                    status="present",
                    longest_mm=Decimal(12),
                    widest_mm=Decimal(8),
                    size_source="measured",
                    ulcer=False,
                    inflammation=False,
                )
                for lesion in lesions
            ),
            injections=tuple(
                InjectionEntry(
                    lesion=lesion,
                    volume_ml=Decimal("0.1"),
                    agent="sts",
                    concentration_mg_ml=Decimal(150),
                    technique="base",
                )
                for lesion in lesions
            ),
        )

    def draft(self) -> SessionDraft:
        """A new sheet of a patient who was here a week ago."""
        return open_draft(series=self.series(), kind="treatment", by=self.user)

    def filled(self, draft: SessionDraft) -> dict[str, str]:
        """What the browser sends of a sheet on which every lesion was measured and injected."""
        path = reverse("draft", args=[draft.pk])
        typed = fields_of(self.browser.asking(path)(), "sheet")
        typed |= {"ptga": "5", "phga": "4", "asked": "nothing"}
        for lesion in draft.series.series_lesions.values_list("lesion_id", flat=True):
            measured = {"longest_mm": "11", "widest_mm": "8", "ulcer": "no", "inflammation": "no"}
            for name, text in {**measured, "volume_ml": "0.1"}.items():
                typed[f"lesion-{lesion}-{name}"] = text
        return typed


def completing(visits: Visits, budget: float) -> Measured:
    """A filled sheet that the browser kept already, completed: it becomes a session with its rows and history."""
    drafts = [visits.draft() for _ in range(TURNS + 1)]
    complete = []
    for draft in drafts:
        typed = visits.filled(draft)
        loaded = {"loaded": json.dumps({name: text for name, text in typed.items() if name != "loaded"})}
        visits.browser.asking(reverse("draft_save", args=[draft.pk]), _as_saved(typed, seen=0))()
        path = reverse("draft", args=[draft.pk])
        complete.append(visits.browser.asking(path, typed | loaded | {"action": "complete"}, expected=302))
    bare = [_bare(visits, draft) for draft in [visits.draft() for _ in range(TURNS + 1)]]
    sheets, rows = iter(complete), iter(bare)
    let_it_count()

    def floor() -> None:
        next(rows)()
        visits.empty_post()

    return measure(
        f"completing a session of {LESIONS} lesions",
        "its rows, history; empty",
        budget,
        floor=floor,
        doing=lambda: next(sheets)(),
        rounds=TURNS,
    )


def _bare(visits: Visits, draft: SessionDraft) -> Callable[[], None]:
    """One transaction that writes what completing this draft would: an INSERT for each table, history by trigger."""
    series, entry = draft.series, visits.entry(draft.series, 0)
    session = TreatmentSession(
        series=series,
        session_no=2,
        kind="treatment",
        held_on=visits.today,
        ptga=entry.ptga,
        phga=entry.phga,
        performed_by=visits.user.username,
        completed_at=timezone.now(),
        completed_by=visits.user.username,
    )
    inquiry = SideEffectInquiry(
        patient_id=series.patient_id,
        series=series,
        asked_on=visits.today,
        answer="nothing",
        by=visits.user.username,
    )
    seen = [_row(Assessment, row) for row in entry.assessments]
    given = [_row(Injection, row) for row in entry.injections]
    statements = [(rows, *_insert(rows)) for rows in (seen, given, [inquiry])]

    def write() -> None:
        with acting(by=visits.user.username, source="page"), connection.cursor() as cursor:
            head, values = _insert([session])
            cursor.execute(f"{head} RETURNING id", values)
            (session_id,) = cursor.fetchone()
            for rows, statement, values in statements:
                at = [field.attname for field in _columns(rows[0])].index("session_id")
                width = len(values) // len(rows)
                for number in range(len(rows)):
                    values[number * width + at] = session_id
                cursor.execute(statement, values)
            cursor.execute(
                "UPDATE sessions_app_sessiondraft SET state = 'completed', session_id = %s WHERE id = %s",
                [session_id, draft.pk],
            )

    return write


def _row(model: Any, entry: AssessmentEntry | InjectionEntry) -> Any:
    values = dict(entry.__dict__)
    return model(lesion_id=values.pop("lesion"), **values)


def _columns(row: Any) -> list:
    return [field for field in row._meta.concrete_fields if not field.primary_key]


def _insert(rows: list) -> tuple[str, list]:
    """One statement that inserts the rows, and its values."""
    columns = _columns(rows[0])
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows for field in columns
    ]
    places = ", ".join("(" + ", ".join("%s" for _ in columns) + ")" for _ in rows)
    names = ", ".join(f'"{field.column}"' for field in columns)
    return f'INSERT INTO "{rows[0]._meta.db_table}" ({names}) VALUES {places}', values


def _as_saved(typed: dict[str, str], *, seen: int) -> dict[str, str]:
    """What the sheet's script sends of fields that changed since the draft's version `seen`."""
    fields = {name: {"value": text, "seen": seen, "tried": []} for name, text in typed.items()}
    return {"fields": json.dumps(fields), "since": str(seen)}


def one_field(visits: Visits, budget: float) -> Measured:
    """The script of a sheet of 22 lesions keeps one field that was typed."""
    draft = visits.draft()
    typed = visits.filled(draft)
    path = reverse("draft_save", args=[draft.pk])
    visits.browser.asking(path, _as_saved(typed, seen=0))()
    name = next(name for name in typed if name.endswith("-longest_mm"))
    let_it_count()
    texts = iter(
        [
            visits.browser.asking(path, _as_saved({name: f"{number + 20}"}, seen=number + 1))
            for number in range(ROUNDS + 1)
        ]
    )
    return measure("one draft field", "empty", budget, floor=visits.empty_post, doing=lambda: next(texts)())


def sheet(visits: Visits, budget: float) -> Measured:
    """The sheet of a second visit, with last week's values beside each field."""
    path = reverse("draft", args=[visits.draft().pk])
    let_it_count()
    return measure(
        f"the sheet of {LESIONS} lesions",
        "empty",
        budget,
        floor=visits.empty,
        doing=visits.browser.asking(path),
    )


def patient_page(visits: Visits, budget: float) -> Measured:
    """The page of a patient with every lesion measured and injected at each session."""
    path = reverse("patient", args=[visits.series(SESSIONS).patient_id])
    let_it_count()
    return measure(
        f"patient page of {LESIONS} lesions × {SESSIONS} sessions",
        "empty",
        budget,
        floor=visits.empty,
        doing=visits.browser.asking(path),
    )
