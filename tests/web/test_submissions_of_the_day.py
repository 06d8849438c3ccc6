"""Careless and hostile submissions to the forms of the clinic's day that are neither a record nor the sheet.

Recalled lots, photographs, data sheets, the report's filter, how a side effect goes on, calls, signing in.
"""

import datetime
import io
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.auth.forms import AuthenticationForm
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from hypothesis import strategies as st
from PIL import Image

from lesions.models import Lesion, Patient
from sessions_app.dataout.bundle import FORMATS
from sessions_app.exchange import plan_of
from sessions_app.forms.alerts import AlertHistoryForm
from sessions_app.forms.enrolment import ProtocolChoice, UndoWithdrawalForm
from sessions_app.forms.exchange import ConfirmForm, ImportForm
from sessions_app.forms.export import ExportForm
from sessions_app.forms.lots import RecalledLotForm
from sessions_app.forms.photographs import MeasureForm, PhotographForm, RulerForm
from sessions_app.forms.report import ReportFilterForm
from sessions_app.forms.side_effects import ObservationForm, SponsorForm
from sessions_app.models import (
    CallAttempt,
    ExportJob,
    Photograph,
    RecalledLot,
    SideEffect,
    SideEffectObservation,
)
from sessions_app.rings import ANSWERS
from sessions_app.side_effects import HOW, OUTCOME_OF
from sessions_app.waiting_uploads import forget, keep
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change, Event
from stsclinic.clinical import terms
from stsclinic.clinical.remission import HORIZON
from stsclinic.clinics.clock import today_in
from stsclinic.reporting.selection import UNIT
from tests.builders import (
    PASSWORD,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)
from tests.sessions_app.datasheet_files import as_files, as_zip
from tests.web.access_world import save
from tests.web.submissions import (
    ANY_TEXT,
    CODES,
    PAST,
    WORDS,
    Tried,
    a_code,
    many,
    maybe,
    says_why,
    spoiled,
    ticked,
    typed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client):
    """A clinic, its clinician who is signed in, and a patient who was injected six days ago."""
    clinic = make_clinic("here")
    today = today_in(clinic)
    consented = today - datetime.timedelta(days=100)
    patient = make_patient(clinic, study_id="HERE-1", offered_on=consented, consented_on=consented)
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion], started_on=today - datetime.timedelta(days=6))
    session = make_session(series, series.started_on)
    make_injection(session, lesion)
    client.force_login(make_user("clinician", clinic))
    return SimpleNamespace(
        clinic=clinic,
        today=today,
        patient=patient,
        lesion=lesion,
        series=series,
        session=session,
        tried=Tried(client),
    )


def lines(text: str) -> str:
    """Text of several lines, as it is kept."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


@many(RecalledLotForm, st.data())
def _lot(here, data):
    clinic = st.just(str(here.clinic.pk))
    sent = data.draw(
        spoiled({"clinic": clinic, "lot_number": CODES, "recalled_on": PAST, "reason": maybe(WORDS)})
    )

    def check():
        lot = RecalledLot.objects.get()
        assert lot.clinic == here.clinic
        for name in ("lot_number", "recalled_on", "reason"):
            assert str(getattr(lot, name)) == typed(sent, name), name

    here.tried.post(reverse("lots"), sent, check)


def picture(width: int, height: int, image_format: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(written, image_format)
    return written.getvalue()


SIZES = {(3, 2): "PNG", (2, 5): "JPEG", (4, 4): "WEBP"}
NO_PHOTOGRAPH = (b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n", picture(9, 9, "PNG")[:40], b"\0" * 99)


@many(PhotographForm, st.data())
def _photograph(here, data):
    size = data.draw(st.sampled_from((*SIZES, *SIZES, *SIZES, None)))
    sound = size and picture(*size, SIZES[size])
    content = sound or data.draw(st.one_of(st.sampled_from(NO_PHOTOGRAPH), st.binary(max_size=60)))
    names = st.sampled_from(("a.jpg", "../../etc/passwd", "a.svg", "x" * 300 + ".png", "ÆØÅ 😀.exe"))
    sent = data.draw(spoiled({"taken_on": PAST, "session": st.sampled_from(("", str(here.session.pk)))}))
    if data.draw(st.sampled_from((True, True, True, False))):
        sent = sent | {"photograph": SimpleUploadedFile(data.draw(names), content)}

    def check():
        row = Photograph.objects.get()
        assert (row.lesion, str(row.taken_on)) == (here.lesion, typed(sent, "taken_on"))
        assert (row.width_px, row.height_px) == size
        assert str(row.session_id or "") == typed(sent, "session")

    here.tried.post(reverse("photograph_new", args=[here.lesion.pk]), sent, check)


@many(
    ExportForm,
    spoiled(
        {
            "clinic": st.sampled_from((["here"], "here")),
            "formats": st.lists(a_code(FORMATS), min_size=1, max_size=3, unique=True),
            "protocol": st.sampled_from(([], ["weekly4"])),
            "diagnosis": st.lists(a_code(terms.DIAGNOSIS), max_size=2, unique=True),
            "subtype": st.lists(a_code(terms.SUBTYPE), max_size=2, unique=True),
            "body_site": st.lists(a_code(terms.BODY_SITE), max_size=2, unique=True),
            "concentration": st.sampled_from(("", "150", "12.5")),
            "horizon": a_code(HORIZON),
            "unit": a_code(UNIT),
            "treated_from": maybe(st.dates(datetime.date(2015, 1, 1), datetime.date(2018, 1, 1)).map(str)),
            "treated_to": maybe(st.dates(datetime.date(2018, 1, 1), datetime.date(2026, 1, 1)).map(str)),
            "new_ids": st.sampled_from(("", "on")),
            "with_dates": st.sampled_from(("", "on")),
            "reason": WORDS,
        }
    ),
)
def _export(here, sent):
    def check():
        job = ExportJob.objects.get()
        chosen, formats = plan_of(job), sent["formats"]
        assert chosen.clinics == ("here",)
        assert set(chosen.formats) == ({formats} if isinstance(formats, str) else set(formats))
        selection = chosen.selection
        for name, found in {
            "protocol": selection.protocols,
            "diagnosis": selection.diagnoses,
            "subtype": selection.subtypes,
            "body_site": selection.body_sites,
        }.items():
            wanted = sent.get(name, [])
            assert set(found) == ({wanted} if isinstance(wanted, str) else set(wanted)), name
        assert ",".join(map(str, selection.concentrations)) == typed(sent, "concentration")
        assert (selection.horizon, selection.unit) == (
            typed(sent, "horizon") or "follow_up",
            typed(sent, "unit") or "series",
        )
        assert str(chosen.selection.first_treatment_from or "") == typed(sent, "treated_from")
        assert str(chosen.selection.first_treatment_to or "") == typed(sent, "treated_to")
        for name in ("new_ids", "with_dates"):
            assert getattr(chosen, name) is ticked(sent, name), name
        assert job.reason == lines(typed(sent, "reason"))
        assert Event.objects.filter(kind="exported").count() == 1

    here.tried.post(reverse("export_new"), sent, check)
    assert not Event.objects.filter(kind="exported").exists()


SHEET_PATIENT = {
    "clinic": st.just("here"),
    "sex": a_code(terms.SEX),
    "birth_year": maybe(st.integers(1900, 1989).map(str)),
    "diagnosis": a_code(terms.DIAGNOSIS),
    "raynaud": maybe(a_code(terms.YES_NO_UNKNOWN)),
    "race": maybe(st.from_regex(r"\A[A-Za-zæøå]{1,12}\Z")),
    "consented_on": maybe(PAST),
}
SHEET_LESION = {
    "lesion_id": CODES,
    "body_site": a_code(terms.BODY_SITE),
    "laterality": maybe(a_code(terms.LATERALITY)),
    "lesion_type": a_code(terms.LESION_TYPE),
    "subtype": a_code(terms.SUBTYPE),
    "pain_vas": maybe(st.integers(0, 10).map(str)),
}


@many(ImportForm, st.data())
def _import(here, data):
    patient = _cells(data.draw(spoiled(SHEET_PATIENT)) | {"patient_id": data.draw(CODES)})
    lesion = _cells(data.draw(spoiled(SHEET_LESION)) | {"patient_id": patient["patient_id"]})
    rows = {"patients": [patient], "lesions": [lesion]}
    content = as_zip(as_files(rows)).getvalue()
    if data.draw(st.sampled_from((False, False, False, False, True))):
        content = data.draw(st.one_of(st.just(content[:80]), st.binary(max_size=60)))
    before, client = Change.objects.count(), here.tried.client
    with transaction.atomic():
        answer = client.post(reverse("import_sheets"), {"file": SimpleUploadedFile("sheets.zip", content)})
        assert Change.objects.count() == before, "an upload that only waits changes nothing"
        if answer.status_code == 200:
            assert says_why(answer)
        else:
            confirm = f"{answer.url}confirm/"
            page = client.get(answer.url)
            sent = {"digest": page.context["form"].initial["digest"], "reason": "The yearly report"}
            if client.post(confirm, sent).status_code == 302:
                here.tried.saved += 1
                _same_as_sent(patient, lesion)
            else:
                assert Change.objects.count() == before
        transaction.set_rollback(True)


def _same_as_sent(patient: dict, lesion: dict) -> None:
    row = Patient.objects.get(study_id=patient["patient_id"])
    found = Lesion.objects.get(patient=row)
    for name in ("sex", "diagnosis", "raynaud", "race"):
        assert getattr(row, name) == typed(patient, name), name
    assert str(row.consented_on or "") == typed(patient, "consented_on")
    for name in ("lesion_id", "body_site", "laterality", "lesion_type", "subtype"):
        assert getattr(found, name) == typed(lesion, name), name


@many(ConfirmForm, st.data())
def _confirm(here, data):
    rows = {"patients": [{"patient_id": "NEW-1", "clinic": "here", "sex": "male", "diagnosis": "ssc"}]}
    token = keep(here.manager, SimpleUploadedFile("sheets.zip", as_zip(as_files(rows)).getvalue()))
    page = here.tried.client.get(reverse("import_preview", args=[token]))
    digest = page.context["form"].initial["digest"]
    sent = data.draw(
        spoiled({"digest": st.sampled_from((digest, digest, digest, "0" * 64)), "reason": WORDS})
    )

    def check():
        assert Patient.objects.get(study_id="NEW-1").sex == "male"
        reasons = set(Change.objects.filter(table_name="lesions_patient").values_list("reason", flat=True))
        assert lines(typed(sent, "reason")) in reasons

    here.tried.post(reverse("import_confirm", args=[token]), sent, check)
    forget(token)


def share(low: int, high: int):
    """So many percent of a photograph's width or height, as people type it."""
    return st.integers(low * 10, high * 10).map(lambda n: f"{n // 10}{',.'[n % 2]}{n % 10}")


MARKER = {
    "marker_x1": share(0, 30),
    "marker_y1": share(0, 100),
    "marker_x2": share(60, 100),
    "marker_y2": share(0, 100),
    "marker_mm": st.integers(10, 100).map(str),
}


@many(RulerForm, spoiled(MARKER | {"version": st.just("1"), "reason": maybe(WORDS)}))
def _ruler(here, sent):
    def check():
        row = Photograph.objects.get(pk=here.photograph.pk)
        for name in MARKER:
            text = typed(sent, name).replace(",", ".")
            assert getattr(row, name) == (Decimal(text) if text else None), name

    here.tried.post(reverse("photograph_ruler", args=[here.photograph.token]), sent, check)


@many(
    MeasureForm, spoiled({"x1": share(0, 30), "y1": share(0, 100), "x2": share(60, 100), "y2": share(0, 100)})
)
def _measure(here, sent):
    before = Change.objects.count()
    answer = here.tried.client.get(reverse("photograph_ruler", args=[here.photograph.token]), sent)
    assert answer.status_code == 200
    assert Change.objects.count() == before
    measure = answer.context["measure"]
    if measure.is_bound and not measure.errors:
        here.tried.saved += 1
        for name in ("x1", "y1", "x2", "y2"):
            assert measure.cleaned_data[name] == Decimal(typed(sent, name).replace(",", ".")), name


def _cells(row: dict) -> dict[str, str]:
    """What was drawn, as the text of cells."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()}


def some(codes):
    return st.lists(a_code(codes), max_size=2, unique=True)


A_SELECTION = {
    "clinic": some(["here"]),
    "protocol": some(["weekly4", "iv"]),
    "diagnosis": some(terms.DIAGNOSIS),
    "subtype": some(terms.SUBTYPE),
    "body_site": some(terms.BODY_SITE),
    "treated_from": maybe(st.dates(datetime.date(2015, 1, 1), datetime.date(2018, 1, 1)).map(str)),
    "treated_to": maybe(st.dates(datetime.date(2018, 1, 1), datetime.date(2026, 1, 1)).map(str)),
    "concentration": st.sampled_from(("", "150", "40.5")),
    "horizon": st.sampled_from(("", "follow_up", "end_of_treatment")),
}


@many(ReportFilterForm, st.one_of(st.fixed_dictionaries(A_SELECTION), spoiled(A_SELECTION)))
def _report(here, sent):
    before = Change.objects.count()
    answer = here.tried.client.get(reverse("report"), sent)
    assert answer.status_code == 200
    assert Change.objects.count() == before
    form = answer.context["form"]
    if not form.errors:
        here.tried.saved += 1
        chosen = form.selection
        for name, found in (
            ("clinic", chosen.clinics),
            ("protocol", chosen.protocols),
            ("diagnosis", chosen.diagnoses),
            ("subtype", chosen.subtypes),
            ("body_site", chosen.body_sites),
        ):
            asked = sent.get(name, [])
            assert set(found) == ({asked} if isinstance(asked, str) else set(asked)), name
        assert str(chosen.first_treatment_from or "") == typed(sent, "treated_from")
        assert str(chosen.first_treatment_to or "") == typed(sent, "treated_to")
        wanted = typed(sent, "concentration")
        assert chosen.concentrations == ({Decimal(wanted)} if wanted else set())
        assert chosen.horizon == (typed(sent, "horizon") or "follow_up")


@many(ProtocolChoice, spoiled({"protocol": st.sampled_from(("weekly4", "placebo3", "iv")), "more": ANY_TEXT}))
def _protocol_choice(here, sent):
    answer = here.tried.client.get(reverse("enrol_decide", args=[here.patient.pk]), sent)
    assert answer.status_code in (200, 404)
    if answer.status_code == 200 and typed(sent, "protocol"):
        here.tried.saved += 1
        assert answer.context["protocol"].code == typed(sent, "protocol")


A_PERIOD = {
    "clinic": st.sampled_from(("", "here")),
    "held_from": maybe(PAST),
    "held_to": maybe(st.dates(datetime.date(2026, 1, 1), datetime.date(2050, 1, 1)).map(str)),
    "alert": maybe(a_code({"too_early", "concentration_increased"})),
}


@many(AlertHistoryForm, spoiled(A_PERIOD))
def _alerts(here, sent):
    answer = here.tried.client.get(reverse("alerts"), sent)
    assert answer.status_code == 200
    form, history = answer.context["form"], answer.context["history"]
    if not form.errors:
        here.tried.saved += 1
        assert (str(history.since or ""), str(history.until or "")) == (
            typed(sent, "held_from"),
            typed(sent, "held_to"),
        )
        line = answer.context["line"]
        assert (line.help.code if line else "") == typed(sent, "alert")


def make_effect(here, **values) -> SideEffect:
    return save(
        SideEffect(
            patient=here.patient,
            series=here.series,
            session=here.session,
            term="skin_discolouration",
            grade=1,
            onset_on=here.session.held_on,
            **values,
        )
    )


@many(ObservationForm, st.data())
def _observation(here, data):
    how = data.draw(a_code(HOW))
    valid = {
        "how": st.just(how),
        "seen_on": maybe(st.sampled_from([str(here.today - datetime.timedelta(days=n)) for n in range(5)])),
        "grade": st.just("2") if how == "worse" else st.just(""),
        "grade_reason": WORDS if how == "worse" else st.just(""),
        "outcome": st.sampled_from(("", "recovered")) if how == "over" else st.just(""),
        "action": maybe(a_code(terms.ACTION)),
        "note": maybe(WORDS),
        "ctcae_version": st.sampled_from(("", "5.0")),
        "version": st.just("1"),
    }
    sent = data.draw(spoiled(valid))

    def check():
        row = SideEffectObservation.objects.get()
        assert row.side_effect == here.effect
        assert str(row.seen_on) == (typed(sent, "seen_on") or str(here.today))
        assert (row.action, row.note) == (typed(sent, "action"), typed(sent, "note"))
        now = SideEffect.objects.get(pk=here.effect.pk)
        assert (now.resolved_on is not None) == (typed(sent, "how") == "over")
        assert now.grade == int(typed(sent, "grade") or 1)

    here.tried.post(reverse("side_effect_observe", args=[here.effect.pk]), sent, check)


@many(SponsorForm, st.data())
def _sponsor(here, data):
    days = [str(here.today - datetime.timedelta(days=number)) for number in range(1, 6)]
    valid = {
        "who": WORDS,
        "told_on": st.sampled_from(days),
        "told_time": maybe(st.times().map(lambda time: f"{time:%H:%M}")),
        "version": st.just("1"),
    }
    sent = data.draw(spoiled(valid))

    def check():
        now = SideEffect.objects.get(pk=here.effect.pk)
        assert (str(now.sponsor_told_on), now.sponsor_told_who) == (
            typed(sent, "told_on"),
            typed(sent, "who"),
        )
        shown = f"{now.sponsor_told_time:%H:%M}" if now.sponsor_told_time else ""
        assert shown == typed(sent, "told_time")[:5]

    here.tried.post(reverse("side_effect_sponsor", args=[here.effect.pk]), sent, check)


@many(UndoWithdrawalForm, spoiled({"version": st.just("1"), "undo_reason": WORDS}))
def _undo_withdrawal(here, sent):
    def check():
        now = Patient.objects.get(pk=here.patient.pk)
        assert (now.withdrawn_on, now.withdrawal_reason) == (None, "")
        reasons = set(Change.objects.filter(table_name="lesions_patient").values_list("reason", flat=True))
        assert lines(typed(sent, "undo_reason")) in reasons

    address = reverse("patient_withdraw", args=[here.patient.pk])
    here.tried.post(address, sent | {"undo": "1"}, check)


@many(
    AuthenticationForm,
    spoiled({"username": st.just("nina"), "password": st.just(PASSWORD), "next": ANY_TEXT}),
)
def _sign_in(here, sent):
    with transaction.atomic():
        answer = here.tried.client.post(reverse("login"), sent)
        assert answer.status_code in (200, 302)
        kinds = list(Event.objects.values_list("kind", "actor"))
        if answer.status_code == 302:
            here.tried.saved += 1
            assert kinds == [("signed_in", "nina")]
        else:
            is_known = typed(sent, "username") == "nina"
            assert kinds == [("sign_in_failed", "nina" if is_known else "")]
        transaction.set_rollback(True)


@many(None, st.data())
def _lot_strike_out(here, data):
    sent = data.draw(spoiled({"reason": WORDS}))

    def check():
        struck = RecalledLot.everything.get()
        assert struck.struck_out_at
        assert lines(struck.struck_out_reason) == lines(typed(sent, "reason"))

    here.tried.post(reverse("lot_strike_out", args=[here.lot.pk]), sent, check)


@many(None, st.data())
def _call(here, data):
    keys = st.sampled_from((here.key, [here.key], [here.key, "session:0:2"]))
    sent = data.draw(spoiled({"answer": a_code(set(ANSWERS) - {"spoke"}), "note": maybe(WORDS), "key": keys}))

    def check():
        attempt = CallAttempt.objects.get()
        assert (attempt.patient, attempt.call_key) == (here.patient, here.key)
        assert attempt.outcome == ("no_answer" if typed(sent, "answer") == "no_answer" else "reached")
        assert attempt.note == typed(sent, "note")

    here.tried.post(reverse("call_note", args=[here.patient.pk]), sent, check)


@many(None, st.data())
def _call_about_effect(here, data):
    effect = here.effect
    valid = {
        "answer": a_code({"nothing", "reported"}),
        "note": maybe(WORDS),
        "key": st.just(f"effect:{effect.pk}:{effect.onset_on.isoformat()}"),
        f"how-{effect.pk}": a_code(set(HOW)),
        f"version-{effect.pk}": st.just("1"),
    }
    sent = data.draw(spoiled(valid))

    def check():
        how = typed(sent, f"how-{effect.pk}")
        attempt = CallAttempt.objects.get()
        assert attempt.answer == typed(sent, "answer")
        if how == "worse":
            assert not SideEffectObservation.objects.exists()
            return
        seen = SideEffectObservation.objects.get()
        assert attempt.observation == seen
        assert (seen.side_effect, seen.seen_on, seen.note) == (effect, here.today, typed(sent, "note"))
        assert seen.outcome == OUTCOME_OF[how]

    here.tried.post(reverse("call_note", args=[here.patient.pk]), sent, check)


@pytest.mark.parametrize(
    "submit",
    [_lot, _photograph, _report, _alerts, _protocol_choice],
    ids=lambda submit: submit.__name__.strip("_"),
)
def test_submissions(here, submit):
    submit(here)
    here.tried.enough()


@pytest.mark.parametrize(
    "submit", [_export, _import, _confirm], ids=lambda submit: submit.__name__.strip("_")
)
def test_submissions_of_data_sheets(here, submit):
    here.manager = make_user("data_manager", here.clinic)
    here.tried.client.force_login(here.manager)
    submit(here)
    here.tried.enough()


@pytest.mark.parametrize("submit", [_ruler, _measure], ids=lambda submit: submit.__name__.strip("_"))
def test_submissions_on_a_photograph(here, submit):
    held_on = here.session.held_on
    here.photograph = save(
        Photograph(lesion=here.lesion, taken_on=held_on, width_px=400, height_px=300, sha256="0" * 64)
    )
    submit(here)
    here.tried.enough()


def test_submissions_observation(here):
    here.effect = make_effect(here)
    _observation(here)
    here.tried.enough()


def test_submissions_sponsor(here):
    here.effect = make_effect(here, serious=True, seriousness_criteria=["hospitalisation"])
    _sponsor(here)
    here.tried.enough()


def test_submissions_undo_withdrawal(here):
    with acting(by="test", source="command"):
        Patient.objects.filter(pk=here.patient.pk).update(withdrawn_on=here.today)
    _undo_withdrawal(here)
    here.tried.enough()


def test_submissions_sign_in(here, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    nina = make_user("nurse", here.clinic, username="nina")
    nina.set_password(PASSWORD)
    nina.save(update_fields=["password"])
    here.tried.client.logout()
    Event.objects.all()._raw_delete("default")
    _sign_in(here)
    here.tried.enough()


def test_submissions_lot_strike_out(here):
    here.lot = save(RecalledLot(clinic=here.clinic, lot_number="A-17", recalled_on=here.session.held_on))
    _lot_strike_out(here)
    here.tried.enough()


def test_submissions_call(here):
    here.key = f"session:{here.session.pk}:2"
    _call(here)
    here.tried.enough()


def test_submissions_call_about_an_open_side_effect(here):
    here.effect = make_effect(here)
    _call_about_effect(here)
    here.tried.enough()
