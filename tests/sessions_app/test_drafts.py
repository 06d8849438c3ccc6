"""The sheet and its drafts: what is read, what is kept, who sees whose typing, and how one becomes a session."""

import datetime
import json
from contextlib import nullcontext
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.draft_saving import DraftClosed
from sessions_app.drafts import (
    complete_draft,
    discard_draft,
    open_correction,
    open_draft,
    plan_of,
    save_draft,
    texts_of,
)
from sessions_app.entries import EntryRefused, SessionEntry
from sessions_app.models import AlertAcknowledgement, SideEffectInquiry, TreatmentSession
from sessions_app.services import log_session
from sessions_app.sheet import read_sheet
from stsclinic.audit.services import change
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
FIRST = datetime.date(2026, 1, 5)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def anna(clinic):
    return make_user("clinician", clinic, "anna")


@pytest.fixture
def nora(clinic):
    return make_user("nurse", clinic, "nora")


@pytest.fixture
def series(clinic):
    patient = make_patient(clinic)
    return make_series(patient, [make_lesion(patient)])


@pytest.fixture
def lesion(series):
    return series.series_lesions.get().lesion


def save(draft, by, loaded=None, **typed):
    names = (*plan_of(draft, by).field_names, *(name for name in typed if name.startswith("ack-")))
    return save_draft(draft=draft, names=names, typed={**(loaded or {}), **typed}, loaded=loaded or {}, by=by)


def full(lesion, **values) -> dict[str, str]:
    start = f"lesion-{lesion.pk}-"
    return {
        "held_on": "2026-01-05",
        "performed_by": "anna",
        "ptga": "7",
        "phga": "6",
        "all-agent": "sts",
        "all-concentration_mg_ml": "150",
        f"{start}longest_mm": "12,5",
        f"{start}widest_mm": "8",
        f"{start}ulcer": "no",
        f"{start}inflammation": "yes",
        f"{start}volume_ml": "0,55",
        f"{start}pain_vas": "4",
        **{(start + name[7:] if name.startswith("lesion_") else name): text for name, text in values.items()},
    }


def read(series, by, lesion, **values):
    return read_sheet(plan_of(open_draft(series=series, kind="treatment", by=by), by), full(lesion, **values))


def test_comma_and_point_are_read_and_the_common_values_fill_the_lesion(series, anna, lesion):
    reading = read(series, anna, lesion)
    assert reading.errors == {} and reading.missing == {}
    (seen,), (given,) = reading.entry.assessments, reading.entry.injections
    assert (seen.longest_mm, seen.widest_mm, seen.ulcer, seen.inflammation) == (
        Decimal("12.5"),
        Decimal(8),
        False,
        True,
    )
    assert (given.volume_ml, given.concentration_mg_ml, given.agent) == (Decimal("0.55"), Decimal(150), "sts")
    assert seen.size_source == "measured"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("lesion_volume_ml", "1.000,5"),
        ("lesion_volume_ml", "0"),
        ("lesion_volume_ml", "-1"),
        ("lesion_volume_ml", "0.5555"),
        ("lesion_longest_mm", "wide"),
        ("lesion_pain_vas", "11"),
        ("lesion_ulcer", "maybe"),
        ("ptga", "0"),
        ("ptga", "7.5"),
        ("phga", "11"),
        ("held_on", "5.1.2026"),
        ("held_on", ""),
        ("all-agent", "water"),
        ("all-concentration_mg_ml", "none"),
        ("stop_reason", "other"),
        ("series_status", "stopped"),
    ],
)
def test_a_bad_text_is_an_error_at_its_field(series, anna, lesion, field, text):
    reading = read(series, anna, lesion, **{field: text})
    at = field.replace("lesion_", f"lesion-{lesion.pk}-", 1) if field.startswith("lesion_") else field
    if field == "series_status":
        at = "stop_reason"
    assert reading.entry is None
    assert set(reading.errors) == {at}


def test_gone_with_measures_is_an_error_and_gone_alone_is_an_assessment(series, anna, lesion):
    start = f"lesion-{lesion.pk}-"
    assert f"{start}longest_mm" in read(series, anna, lesion, lesion_gone="on").errors
    alone = read(
        series,
        anna,
        lesion,
        lesion_gone="on",
        lesion_longest_mm="",
        lesion_widest_mm="",
        lesion_ulcer="",
        lesion_inflammation="",
        lesion_volume_ml="",
        lesion_pain_vas="",
    )
    assert alone.entry.assessments[0].status == "gone"


def test_what_the_protocol_asks_for_is_missing_not_wrong(series, anna, lesion):
    reading = read(series, anna, lesion, ptga="", lesion_ulcer="")
    assert set(reading.missing) == {"ptga", f"lesion-{lesion.pk}-ulcer"}


def test_an_unfinished_sheet_keeps_every_text_as_typed_for_a_colleague(series, anna, nora, lesion):
    draft = open_draft(series=series, kind="treatment", by=anna)
    save(draft, anna, **{f"lesion-{lesion.pk}-volume_ml": "1.000,5", "note": "half"})
    assert open_draft(series=series, kind="treatment", by=nora) == draft
    assert texts_of(draft)[f"lesion-{lesion.pk}-volume_ml"] == "1.000,5"


def test_two_people_on_one_sheet_lose_nothing(series, anna, nora):
    draft = open_draft(series=series, kind="treatment", by=anna)
    loaded = texts_of(draft)
    save(draft, anna, loaded, ptga="7")
    saved = save(draft, nora, loaded, phga="5")
    assert saved.by_others == {"ptga": ("7", "anna")}
    assert not saved.conflicts
    assert {name: texts_of(draft)[name] for name in ("ptga", "phga")} == {"ptga": "7", "phga": "5"}
    clash = save(draft, nora, loaded | {"phga": "5"}, ptga="9")
    (conflict,) = clash.conflicts
    assert (conflict.name, conflict.mine, conflict.theirs, conflict.by) == ("ptga", "9", "7", "anna")
    assert texts_of(draft)["ptga"] == "7"
    knowing = save(draft, nora, texts_of(draft), ptga="9")
    assert not knowing.conflicts
    assert texts_of(draft)["ptga"] == "9"


def complete(draft, by, lesion, notes=None, **values):
    kept = {f"ack-{key}": note for key, note in (notes or {}).items()}
    save(draft, by, texts_of(draft), **full(lesion, **values), **kept)
    return complete_draft(draft=draft, by=by, without_missing=False)


def test_completing_writes_one_session_and_a_second_time_none(series, anna, lesion):
    draft = open_draft(series=series, kind="treatment", by=anna)
    completion = complete(draft, anna, lesion)
    assert completion.session.injections.get().volume_ml == Decimal("0.55")
    with pytest.raises(DraftClosed):
        complete_draft(draft=draft, by=anna, without_missing=False)
    with pytest.raises(DraftClosed):
        discard_draft(draft=draft, by=anna)
    assert TreatmentSession.objects.count() == 1


def test_a_stop_cannot_be_acknowledged(series, anna, lesion):
    change(series.patient, {"pregnant": True}, by="anna", seen_version=None)
    draft = open_draft(series=series, kind="treatment", by=anna)
    (stop,) = complete(draft, anna, lesion).alerts.stopping
    completion = complete(draft, anna, lesion, notes={stop.key: "never mind"})
    assert completion.session is None
    assert [alert.code for alert in completion.alerts.stopping] == ["pregnancy"]
    assert not TreatmentSession.objects.exists()


def test_an_alert_needs_a_note_and_the_note_is_kept_with_the_facts(series, anna, lesion):
    make_injection(make_session(series, FIRST), lesion, concentration_mg_ml=100)
    draft = open_draft(series=series, kind="treatment", by=anna)
    values = {"held_on": "2026-01-12", "all-concentration_mg_ml": "150", "asked": "nothing"}
    completion = complete(draft, anna, lesion, **values)
    (key,) = completion.unacknowledged
    assert key.startswith("concentration_increased")
    done = complete(draft, anna, lesion, notes={key: "Told the patient"}, **values)
    kept = AlertAcknowledgement.objects.get(session=done.session)
    assert (kept.code, kept.note, kept.lesion, kept.by) == (
        "concentration_increased",
        "Told the patient",
        lesion,
        "anna",
    )
    assert "150 mg/ml" in kept.facts and "100 mg/ml" in kept.facts


def test_asking_for_side_effects_is_an_answer_and_silence_is_none(series, anna, lesion):
    make_session(series, FIRST)
    draft = open_draft(series=series, kind="treatment", by=anna)
    silent = complete(draft, anna, lesion, held_on="2026-01-12")
    assert set(silent.reading.missing) == {"asked"} and not SideEffectInquiry.objects.exists()
    session = complete(draft, anna, lesion, held_on="2026-01-12", asked="nothing").session
    asked = SideEffectInquiry.objects.get(session=session)
    assert (asked.answer, asked.asked_on, asked.by) == ("nothing", session.held_on, "anna")


def test_what_is_missing_may_be_left_out_knowingly(series, anna, lesion):
    draft = open_draft(series=series, kind="treatment", by=anna)
    assert complete(draft, anna, lesion, ptga="").session is None
    assert complete_draft(draft=draft, by=anna, without_missing=True).session.ptga is None


def test_a_correction_stands_as_the_session_was_and_needs_a_reason(series, anna, lesion):
    draft = open_draft(series=series, kind="treatment", by=anna)
    session = complete(draft, anna, lesion).session
    correction = open_correction(session=session, by=anna)
    texts = texts_of(correction)
    assert texts[f"lesion-{lesion.pk}-volume_ml"] == "0.55"
    save(correction, anna, texts, **{f"lesion-{lesion.pk}-volume_ml": "0.5"})
    with pytest.raises(ValidationError):
        complete_draft(draft=correction, by=anna, without_missing=False)
    complete_draft(draft=correction, by=anna, without_missing=False, reason="Read 0.5 on the syringe")
    assert session.injections.get().volume_ml == Decimal("0.5")
    assert session.assessments.get().size_source == "measured"


def test_a_correction_without_the_allocation_loses_nothing_hidden(clinic, anna):
    patient = make_patient(clinic)
    lesion, other = make_lesion(patient), make_lesion(patient)
    series = make_series(patient, [(lesion, "active"), (other, "control")], protocol="placebo3")
    session = make_session(series, FIRST)
    make_assessment(session, lesion, pga=4)
    make_injection(
        session,
        lesion,
        concentration_mg_ml=40,
        volume_ml="0.1",
        lot_number="A1",
        salt_form="pentahydrate",
        pain_vas=3,
    )
    correction = open_correction(session=session, by=anna)
    texts = texts_of(correction)
    assert not any("agent" in name or "lot" in name or "A1" in text for name, text in texts.items())
    save(correction, anna, texts, **{f"lesion-{lesion.pk}-pain_vas": "5"})
    done = complete_draft(draft=correction, by=anna, without_missing=True, reason="Misheard")
    row = done.session.injections.get()
    assert (row.pain_vas, row.lot_number, row.salt_form, row.agent, row.concentration_mg_ml) == (
        5,
        "A1",
        "pentahydrate",
        "sts",
        40,
    )


def test_the_sheet_over_the_web(client, series, anna, lesion):
    client.force_login(anna)
    opened = client.post(reverse("session_open", args=[series.pk, "treatment"]))
    again = client.post(reverse("session_open", args=[series.pk, "treatment"]))
    assert opened.url == again.url
    page = client.get(opened.url)
    assert page.status_code == 200
    loaded = page.context["loaded"]
    bad = client.post(
        opened.url, {**full(lesion, lesion_volume_ml="1.000,5"), "loaded": loaded, "action": "complete"}
    )
    assert bad.status_code == 422
    assert (
        "1.000,5" in bad.content.decode()
        and f'href="#id_lesion-{lesion.pk}-volume_ml"' in bad.content.decode()
    )
    sent = {**full(lesion), "loaded": bad.context["loaded"], "action": "complete"}
    done = client.post(opened.url, sent)
    session = TreatmentSession.objects.get()
    assert done.url == reverse("session", args=[session.pk])
    twice = client.post(opened.url, sent)
    assert twice.status_code in (302, 409)
    assert TreatmentSession.objects.count() == 1
    assert client.get(done.url).status_code == 200
    late = client.post(opened.url, {**sent, "ptga": "1", "loaded": loaded})
    assert late.status_code == 409 and "You typed" in late.content.decode()


def test_nobody_else_reaches_the_sheet(client, series, anna):
    draft = open_draft(series=series, kind="treatment", by=anna)
    fields = {"fields": '{"ptga": {"value": "1", "seen": 0}}'}
    for user in (make_user("clinician", make_clinic()), make_user("investigator", series.patient.clinic)):
        client.force_login(user)
        assert client.get(reverse("draft", args=[draft.pk])).status_code == 404
        assert client.post(reverse("draft_save", args=[draft.pk]), fields).status_code == 404
    assert "ptga" not in texts_of(draft)


def sent(client, draft, typed) -> dict[str, str]:
    """The sheet as a browser sends it to be completed."""
    loaded = client.get(reverse("draft", args=[draft.pk])).context["loaded"]
    return {**json.loads(loaded), **typed, "loaded": loaded, "action": "complete"}


@pytest.mark.parametrize(
    ("kind", "held_on", "logged"), [("treatment", "2026-01-05", False), ("follow_up", "2026-04-05", True)]
)
def test_no_treatment_is_logged_in_a_series_that_ended_meanwhile(
    client, series, anna, lesion, kind, held_on, logged
):
    make_session(series, FIRST)
    draft = open_draft(series=series, kind=kind, by=anna)
    change(series, {"status": "completed"}, by="nora", seen_version=None)
    client.force_login(anna)
    typed = {"held_on": held_on, "ptga": "3", "phga": "3", "asked": "nothing", "without_missing": "on"}
    page = client.post(reverse("draft", args=[draft.pk]), sent(client, draft, typed))
    assert TreatmentSession.objects.count() == (2 if logged else 1)
    if not logged:
        assert page.status_code == 422
        assert "This series is completed since this sheet was opened." in page.content.decode()
    entry = SessionEntry(kind=kind, held_on=datetime.date(2026, 4, 6))
    with nullcontext() if logged else pytest.raises(EntryRefused):
        log_session(series=series, entry=entry, by="anna")


def test_who_ends_a_series_is_told_of_its_open_sheet(client, series, anna, lesion):
    client.force_login(anna)
    warning = "sheet of this series is still open"

    def end() -> str:
        series.refresh_from_db()
        typed = {
            "status": "completed",
            "started_on": "2026-01-05",
            "lesions": [lesion.pk],
            "version": series.version,
            "reason": "All is well",
        }
        return client.post(reverse("series_edit", args=[series.pk]), typed, follow=True).content.decode()

    assert warning not in end()
    change(series, {"status": "active"}, by="anna", seen_version=None)
    open_draft(series=series, kind="treatment", by=anna)
    assert warning in end()


def test_a_correction_is_confirmed_as_a_correction(client, series, anna, lesion):
    session = complete(open_draft(series=series, kind="treatment", by=anna), anna, lesion).session
    change(series, {"status": "completed"}, by="anna", seen_version=None)
    correction = open_correction(session=session, by=anna)
    client.force_login(anna)
    typed = sent(client, correction, {"note": "Misheard", "reason": "Misheard"})
    page = client.post(reverse("draft", args=[correction.pk]), typed, follow=True)
    assert "Treatment 1 is corrected." in page.content.decode()


def test_completing_holds_the_patient_and_the_series_before_it_reads_what_they_decide(series, anna, lesion):
    draft = open_draft(series=series, kind="treatment", by=anna)
    save(draft, anna, texts_of(draft), **full(lesion))
    with CaptureQueriesContext(connection) as captured:
        complete_draft(draft=draft, by=anna, without_missing=False)
    if connection.vendor == "sqlite":
        # There one writer at a time is all: whoever writes holds the whole database from the start.
        assert settings.DATABASES["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        return
    read = [query["sql"] for query in captured.captured_queries if query["sql"].startswith('SELECT "')]
    tables = ("lesions_patient", "sessions_app_series", "sessions_app_sessiondraft")
    of = ", ".join(f'"{table}"' for table in tables)
    assert read[0].endswith(f"FOR UPDATE OF {of}")


def test_a_sheet_that_is_sent_back_is_no_warning_of_the_server(client, series, anna, caplog):
    draft = open_draft(series=series, kind="treatment", by=anna)
    client.force_login(anna)
    typed = sent(client, draft, {"held_on": "no day"})
    assert client.post(reverse("draft", args=[draft.pk]), typed).status_code == 422
    assert client.get("/nothing-is-here/").status_code == 404
    assert "Unprocessable" not in caplog.text and "Not Found" in caplog.text
