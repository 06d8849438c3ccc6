"""How many times each page asks the database: a number for each, the same for few rows as for many.

A number that changed is changed here, knowingly. What opens and closes transactions is not counted,
nor is the mark of who has a sheet open, which is renewed now and then.
"""

import datetime
import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.drafts import open_draft, plan_of, save_draft
from sessions_app.models import SessionDraft
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Clinic, User
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db

FEW, MANY = (2, 1, 2), (6, 4, 5)
"""Patients, sessions of each, lesions of each."""


class World:
    """A clinic with so many patients, each with a sheet that is open and filled."""

    def __init__(self, patients: int, sessions: int, lesions: int):
        self.clinic: Clinic = make_clinic()
        self.user: User = make_user("clinician", self.clinic)
        self.today = today_in(self.clinic)
        self.drafts = [self._patient(sessions, lesions) for _ in range(patients)]
        self.draft = self.drafts[0]
        self.patient = self.draft.series.patient
        self.session = self.draft.series.sessions.get(session_no=1)

    def _patient(self, sessions: int, count: int) -> SessionDraft:
        patient = make_patient(self.clinic)
        lesions = [make_lesion(patient) for _ in range(count)]
        series = make_series(patient, lesions)
        for number in range(sessions):
            days = datetime.timedelta(days=7 * (sessions - number))
            session = make_session(series, self.today - days, ptga=5, phga=4)
            for lesion in lesions:
                make_assessment(session, lesion)
                make_injection(session, lesion, volume_ml="0.1")
        draft = open_draft(series=series, kind="treatment", by=self.user)
        plan = plan_of(draft, self.user)
        typed = {"held_on": self.today.isoformat(), "ptga": "5", "phga": "4", "asked": "nothing"}
        for lesion in lesions:
            for name, text in {
                "longest_mm": "9",
                "widest_mm": "7",
                "ulcer": "no",
                "volume_ml": "0.1",
            }.items():
                typed[f"lesion-{lesion.pk}-{name}"] = text
        self.typed = typed | {"all-agent": "sts", "all-concentration_mg_ml": "150"}
        save_draft(draft=draft, names=plan.field_names, typed=self.typed, loaded={}, by=self.user)
        return draft


def one_field(world: World) -> dict[str, str]:
    """What the sheet's script sends of one field."""
    fields = {"note": {"value": "calm", "seen": 99}}
    return {"person": str(world.user.pk), "fields": json.dumps(fields), "since": "99"}


def refused(world: World) -> dict[str, str]:
    """The sheet, sent to be completed with a wrong size of each lesion."""
    typed = completing(world)
    return typed | {name: "x" for name in typed if name.endswith("-longest_mm")}


Ask = Callable[[World], tuple[str, dict[str, str] | None]]
PAGES: dict[str, tuple[Ask, int]] = {
    "patients": (lambda world: (reverse("patients"), None), 10),
    "patients by ID or name": (lambda world: (reverse("patients"), {"text": "T-"}), 12),
    "patient": (lambda world: (reverse("patient", args=[world.patient.pk]), None), 21),
    "today": (lambda world: (reverse("today"), None), 12),
    "calls": (lambda world: (reverse("calls"), None), 16),
    "session": (lambda world: (reverse("session", args=[world.session.pk]), None), 29),
    "sheet": (lambda world: (reverse("draft", args=[world.draft.pk]), None), 16),
    "sheet, refused": (lambda world: (reverse("draft", args=[world.draft.pk]), refused(world)), 28),
    "alerts of a sheet": (lambda world: (reverse("draft_alerts", args=[world.draft.pk]), {}), 14),
    "one field": (lambda world: (reverse("draft_save", args=[world.draft.pk]), one_field(world)), 8),
    "side effects": (lambda world: (reverse("side_effect_summary"), None), 9),
    "protocols": (lambda world: (reverse("protocols"), None), 5),
}


def asked(world: World, path: str, typed: dict[str, str] | None) -> int:
    """How many statements a page takes, read or sent by the world's user."""
    return statements(world.user, "get" if typed is None else "post", path, typed)


def statements(user: User | None, method: str, path: str, sent: dict[str, str] | None = None) -> int:
    """How many statements read or wrote a row, of a page that is read or sent; None is nobody signed in."""
    client = Client()
    if user is not None:
        client.force_login(user)
    with CaptureQueriesContext(connection) as captured:
        answer = getattr(client, method)(path, sent)
    assert answer.status_code in (200, 302, 422), answer.content.decode()[:2000]
    # PostgreSQL reads many rows by a cursor that is declared, or as a copy.
    words = ("SELECT", "INSERT", "UPDATE", "DELETE", "DECLARE", "COPY")
    return sum(
        query["sql"].lstrip("( \n").startswith(words) and "set_config" not in query["sql"]
        for query in captured.captured_queries
    )


@pytest.fixture
def worlds(settings) -> list[World]:
    settings.SESSION_SAVE_EVERY_REQUEST = False
    return [World(*FEW), World(*MANY)]


def test_each_page_asks_as_often_whatever_it_shows(worlds):
    wrong = []
    for page, (ask, number) in PAGES.items():
        counted = [asked(world, *ask(world)) for world in worlds]
        if counted != [number, number]:
            wrong.append(f"{page}: {counted[0]} for few rows, {counted[1]} for many, and not {number}")
    assert not wrong, "\n".join(wrong)


def test_completing_a_session_writes_as_often_whatever_the_lesions(worlds):
    """Checks, alerts, rows, history: the statements are as many for two lesions as for five."""
    counted = [asked(world, reverse("draft", args=[world.draft.pk]), completing(world)) for world in worlds]
    assert counted == [23, 23]
    for world in worlds:
        world.draft.refresh_from_db()
        assert world.draft.state == "completed"


def completing(world: World) -> dict[str, str]:
    """The filled sheet, sent to be completed."""
    typed = dict(world.draft.fields.values_list("name", "value"))
    return typed | {"loaded": json.dumps(typed), "action": "complete", "without_missing": "on"}
