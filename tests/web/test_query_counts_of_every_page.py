"""How many times every page asks the database: no page is left out, and none asks more when there is more to show.

The addresses and who may read them are those of test_access_table.py. A number that changed is changed here,
knowingly. What a page asks when it is sent stands in test_query_counts.py.
"""

import datetime
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone

from lesions.models import Medication, PriorTreatment
from sessions_app.models import (
    CallAttempt,
    Photograph,
    RecalledLot,
    SeriesLesion,
    SessionDraft,
    SideEffect,
    SideEffectObservation,
)
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Holiday, Membership
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
)
from tests.sessions_app.datasheet_files import as_zip
from tests.tools.browser import WITHOUT_A_PAGE
from tests.web.access_world import READERS, Side, finished_export, make_person, make_side, save
from tests.web.test_access_table import TABLE, UPLOAD, Row, address
from tests.web.test_query_counts import statements

pytestmark = pytest.mark.django_db

NUMBERS = {
    "login": 0,
    "password": 4,
    "rights": 4,
    "users": 6,
    "user_new": 5,
    "user": 11,
    "user_password": 7,
    "clinics": 5,
    "clinic_new": 4,
    "clinic": 5,
    "protocols": 5,
    "protocol": 6,
    "protocol_new_version": 6,
    "allocation": 9,
    "allocation_open": 8,
    "reading_room": 4,
    "today": 12,
    "calls": 18,
    "side_effect_summary": 10,
    "body_map": 13,
    "swim_lanes": 16,
    "alerts": 18,
    "lots": 13,
    "lot": 11,
    "lot_strike_out": 5,
    "holidays": 8,
    "patients": 10,
    "patients_struck_out": 5,
    "enrol": 7,
    "patient": 21,
    "enrol_decide": 13,
    "patient_withdraw": 10,
    "patient_edit": 9,
    "patient_identity": 10,
    "lesion_new": 11,
    "lesion_edit": 12,
    "medication_new": 9,
    "medication_edit": 11,
    "prior_treatment_new": 10,
    "prior_treatment_edit": 13,
    "patient_history": 26,
    "record_history": 18,
    "strike_out": 10,
    "series_new": 14,
    "series_edit": 12,
    "lesion_order": 9,
    "draft": 30,
    "score_invite": 8,
    "score": 4,
    "session": 30,
    "side_effect_new": 18,
    "side_effect": 10,
    "side_effect_report": 18,
    "side_effect_edit": 12,
    "photograph_new": 12,
    "lesion_photographs": 11,
    "photograph_ruler": 9,
    "report": 26,
    "report_rows": 26,
    "import_preview": 13,
    "import_row": 13,
    "exchange": 5,
    "exports": 9,
    "export": 6,
}


def pages() -> dict[str, Row]:
    """The first row of the table for each page that is a page."""
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)} - WITHOUT_A_PAGE
    found: dict[str, Row] = {}
    for row in TABLE:
        if row.name in names:
            found.setdefault(row.name, row)
    return found


def asked(row: Row, side: Side) -> int:
    """How many statements the page takes for the first reader who sees it."""
    if UPLOAD in row.arguments:
        reader = "data_manager"
        row = replace(row, arguments=row.arguments.replace(UPLOAD, f"token:{upload(side)}"))
    else:
        reader = READERS[(row.own_get if method_of(row) == "get" else row.own_post).split().index("200")]
    return statements(side.users.get(reader), method_of(row), address(row, side))


def method_of(row: Row) -> str:
    """Whether a page is read, or shown once to whom sent the form."""
    return "get" if "405" not in row.own_get else "post"


def upload(side: Side) -> str:
    """The token of data sheets that were sent: as many patients as the clinic has, each with a wrong cell."""
    rows = [f"NEW-{number},{side.clinic.code},femal,lcssc" for number in range(side.clinic.patients.count())]
    text = "\r\n".join(("patient_id,clinic,sex,diagnosis", *rows))
    client = Client()
    client.force_login(side.users["data_manager"])
    sent = as_zip({"patients.csv": text.encode()})
    sent.name = "sheets.zip"
    return str(resolve(client.post(reverse("import_sheets"), {"file": sent}).url).kwargs["token"])


def add(side: Side, number: int) -> None:
    """So many more of every kind of row: on the side's own patient, and of its clinic."""
    before = Medication.objects.filter(patient=side.patient).count()
    for step in range(before, before + number):
        _add_to_patient(side, step)
        _add_to_clinic(side, step)


def _add_to_patient(side: Side, step: int) -> None:
    day = datetime.date(2026, 1, 12) + datetime.timedelta(days=7 * step)
    lesion = make_lesion(side.patient, body_site="knee")
    save(SeriesLesion(series=side.series, lesion=lesion))
    for session in (make_session(side.series, day, ptga=5, phga=4), side.session):
        make_assessment(session, lesion)
        make_injection(session, lesion, lot_number=side.recalled_lot.lot_number)
    for of in (side.lesion, lesion):
        save(
            Photograph(
                lesion=of, session=session, taken_on=day, width_px=4, height_px=4, sha256=f"{step:064}"
            )
        )
    _side_effect(side, lesion, session, day)
    seen_on = side.side_effect.onset_on + datetime.timedelta(days=step + 1)
    save(SideEffectObservation(side_effect=side.side_effect, seen_on=seen_on, grade=1, by="nurse"))
    save(Medication(patient=side.patient, name=f"drug {step}", role="other"))
    save(PriorTreatment(patient=side.patient, lesion=lesion, treatment=f"laser {step}"))
    make_series(side.patient, [lesion], started_on=day)
    side.lesion.site_detail = f"tip {step}"
    save(side.lesion)


def _add_to_clinic(side: Side, step: int) -> None:
    day = today_in(side.clinic) - datetime.timedelta(days=8)
    patient = make_patient(side.clinic)
    lesions = [make_lesion(patient), make_lesion(patient)]
    for treated, protocol in (
        (lesions, "weekly4"),
        (list(zip(lesions, ("active", "control"), strict=True)), "placebo3"),
    ):
        series = make_series(patient, treated, protocol=protocol, started_on=day)
        session = make_session(series, day)
        for lesion in lesions:
            make_assessment(session, lesion)
            make_injection(session, lesion, lot_number=side.recalled_lot.lot_number)
            save(
                Photograph(
                    lesion=lesion, session=session, taken_on=day, width_px=4, height_px=4, sha256="1" * 64
                )
            )
    _side_effect(side, lesions[0], session, day)
    save(SessionDraft(series=series, kind="treatment", opened_by=side.colleague))
    make_patient(side.clinic, consented_on=None)
    struck_out = make_patient(side.clinic)
    struck_out.struck_out_at, struck_out.struck_out_by = timezone.now(), "nurse"
    struck_out.struck_out_reason = "twice"
    save(struck_out)
    save(Membership(user=side.colleague, clinic=make_clinic(), role="nurse"))
    make_person(f"more-{step}", "nurse", side.clinic)
    save(RecalledLot(clinic=side.clinic, lot_number=f"LOT-{step}", recalled_on=day, reason="Particles"))
    save(Holiday(clinic=side.clinic, held_on=datetime.date(2027, 1, 1 + step), name="Closed"))
    copy = type(side.protocol).objects.get(pk=side.protocol.pk)
    copy.pk, copy.version, copy._state.adding = None, copy.version + step + 1, True
    save(copy)
    save(
        CallAttempt(
            patient=patient,
            call_key=f"session:{session.pk}:2",
            outcome="no_answer",
            rang_at=timezone.now(),
            rang_on=today_in(side.clinic),
            by="nurse",
        )
    )
    finished_export(side.export_job.made_by, side.clinic)


def _side_effect(side: Side, lesion, session, day) -> None:
    where = {"patient": lesion.patient, "series": session.series, "session": session, "lesion": lesion}
    save(SideEffect(**where, term="skin_discolouration", grade=1, onset_on=day))


def test_every_page_has_a_number():
    assert set(NUMBERS) == set(pages())


OF_POSTGRESQL = {"report": 21, "report_rows": 21}
"""Five tables are asked for by the driver alone, which is not counted: ask_each in sessions_app/registry_columns.py."""


def test_every_page_asks_as_often_whatever_it_shows(settings):
    settings.SESSION_SAVE_EVERY_REQUEST = False
    side = make_side("own", users=True)
    counted = []
    for _ in range(2):
        # Enough for the first page of the history to be full.
        add(side, 6)
        counted.append({name: asked(row, side) for name, row in pages().items()})
    expected = NUMBERS | (OF_POSTGRESQL if connection.vendor == "postgresql" else {})
    wrong = [
        f"{name}: {few} for few rows, {many} for many, and not {expected.get(name)}"
        for name, few, many in ((name, few, counted[1][name]) for name, few in counted[0].items())
        if not few == many == expected.get(name)
    ]
    assert not wrong, "\n".join(wrong)
