"""A patient who was entered by mistake: struck out, gone from everywhere, readable to those who may correct."""

import datetime
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from lesions.models import Patient
from sessions_app.models import SideEffectInquiry, SideEffectObservation
from stsclinic.audit.services import strike_out
from tests.builders import make_patient
from tests.web.access_world import Side, make_side, save
from tests.web.test_access_table import TABLE, address

pytestmark = pytest.mark.django_db
OF_A_PATIENT = (
    "patient",
    "lesion",
    "medication",
    "prior_treatment",
    "series",
    "session",
    "draft",
    "correction",
    "side_effect",
    "photograph",
    "call_attempt",
)
LISTS = ("patients", "today", "calls", "side_effect_summary", "alerts", "lots", "report")
REASON = "The same person as own-002"


@pytest.fixture
def side() -> Side:
    made = make_side("own", users=True)
    save(
        SideEffectObservation(
            side_effect=made.side_effect, seen_on=datetime.date(2026, 1, 8), grade=1, by="x"
        )
    )
    save(
        SideEffectInquiry(patient=made.patient, asked_on=datetime.date(2026, 1, 8), answer="reported", by="x")
    )
    return made


def signed_in(side: Side, role: str) -> Client:
    client = Client()
    client.force_login(side.users[role])
    return client


def strike(side: Side, role: str = "data_manager"):
    return signed_in(side, role).post(
        reverse("strike_out", args=["patient", side.patient.pk]), {"reason": REASON}, follow=True
    )


def close_sheets(side: Side) -> None:
    for draft in (side.draft, side.correction):
        draft.state = "discarded"
        draft.save()


def in_report(side: Side) -> dict:
    told = StringIO()
    call_command("series_report", json=True, clinic=side.clinic.code, stdout=told)
    return json.loads(told.getvalue())


def exported(folder) -> str:
    call_command("export_sheets", str(folder))
    return "".join(path.read_text() for path in sorted(folder.iterdir()))


def test_a_patient_is_not_struck_out_while_a_sheet_is_open_and_not_without_a_reason(side):
    page = strike(side).content.decode()
    assert "A session of this patient is being written. Close that sheet first." in page
    close_sheets(side)
    where = reverse("strike_out", args=["patient", side.patient.pk])
    assert signed_in(side, "clinician").post(where, {"reason": " "}).status_code == 200
    assert signed_in(side, "nurse").post(where, {"reason": REASON}).status_code == 404
    assert Patient.objects.filter(pk=side.patient.pk).exists()


def test_a_struck_out_patient_leaves_every_list_report_and_export(side, tmp_path):
    close_sheets(side)
    before, lists = in_report(side), 0
    assert side.patient.study_id in exported(tmp_path / "before")
    for role in ("clinician", "nurse", "investigator", "data_manager"):
        for name in LISTS:
            lists += side.patient.study_id in signed_in(side, role).get(reverse(name)).content.decode()
    assert before["cohort"]["patients_offered"] == 1 and lists
    assert strike(side).status_code == 200
    assert in_report(side)["cohort"]["patients_offered"] == 0
    assert side.patient.study_id not in exported(tmp_path / "after")
    for role in ("clinician", "nurse", "investigator", "data_manager"):
        for name in LISTS:
            page = signed_in(side, role).get(reverse(name))
            assert side.patient.study_id not in page.content.decode(), (role, name)


def test_no_page_of_a_struck_out_patient_or_of_what_hangs_on_it_is_found(side):
    close_sheets(side)
    strike(side)
    rows = [
        row
        for row in TABLE
        if any(part.split("=")[-1].split(".")[0] in OF_A_PATIENT for part in row.arguments.split())
    ]
    assert len(rows) > 30
    for row in rows:
        readable = {"clinician", "data_manager"} if row.name.endswith("_history") else set()
        for role in ("clinician", "nurse", "investigator", "data_manager"):
            answer = signed_in(side, role).get(address(row, side)).status_code
            allowed = {200, 404} if role in readable else {404, 405}
            assert answer in allowed, (row.name, row.arguments, role)


def test_the_struck_out_patient_stays_readable_to_who_may_correct(side):
    close_sheets(side)
    page = strike(side)
    assert f"by {side.users['data_manager'].username}" in page.content.decode()
    for role, sees in (
        ("clinician", True),
        ("data_manager", True),
        ("nurse", False),
        ("investigator", False),
    ):
        client = signed_in(side, role)
        listed = client.get(reverse("patients_struck_out"))
        history = client.get(reverse("patient_history", args=[side.patient.pk]))
        assert {listed.status_code, history.status_code} == ({200} if sees else {404}), role
        if not sees:
            continue
        for shown in (listed, history):
            assert side.patient.study_id in shown.content.decode() and REASON in shown.content.decode()
        entries = history.context["page"].entries
        assert {"patient", "lesion", "series", "session", "injection", "side_effect"} <= {
            entry.kind for entry in entries
        }
        assert reverse("patient", args=[side.patient.pk]) + '"' not in history.content.decode()
    other = make_side("other", users=True)
    assert (
        side.patient.study_id
        not in signed_in(other, "clinician").get(reverse("patients_struck_out")).content.decode()
    )


def test_the_list_of_struck_out_patients_goes_on_page_by_page(side, monkeypatch):
    monkeypatch.setattr("sessions_app.history.PAGE", 1)
    patients = [side.patient, make_patient(side.clinic), make_patient(side.clinic)]
    for patient in patients:
        strike_out(patient, by="dora", reason=REASON)
    client, where, found = signed_in(side, "clinician"), reverse("patients_struck_out"), []
    while where:
        page = client.get(where)
        found += page.context["rows"]
        where = page.context["older_url"]
    assert found == patients[::-1]
