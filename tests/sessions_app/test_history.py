"""The history as pages show it, and striking out."""

import datetime

import pytest
from django.apps import apps
from django.urls import reverse

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from lesions.services import change_patient, change_record, identity_as_seen, write_identity
from sessions_app import history
from sessions_app.history import history_of_patient, history_of_record
from sessions_app.models import (
    CallAttempt,
    Photograph,
    Series,
    SeriesLesion,
    SideEffect,
    SideEffectInquiry,
    SideEffectObservation,
)
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Audited
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

DAY = datetime.date(2026, 1, 12)


@pytest.fixture
def clinic():
    return make_clinic("aarhus")


@pytest.fixture
def clinician(clinic):
    return make_user("clinician", clinic)


@pytest.fixture
def patient(clinic):
    return make_patient(clinic, study_id="AAR-001")


def save(row):
    with acting(by="test", source="import"):
        row.save()
    return row


def newest(user, patient):
    return history_of_patient(user, patient).entries[0]


def fields(entry) -> dict:
    return {field.label: (field.old, field.new) for field in entry.fields}


# What is shown ------------------------------------------------------------------------------------------


def test_every_audited_record_of_a_patient_is_a_kind_of_the_history():
    of_patients = {
        model
        for model in apps.get_models()
        if issubclass(model, Audited) and model.__module__ in ("lesions.models", "sessions_app.models")
    }
    elsewhere = {"Protocol", "AllocationOpening", "RecalledLot"}
    assert {model.__name__ for model in of_patients} - elsewhere == {
        kind.model.__name__ for kind in history.KINDS.values()
    }


def test_who_when_from_where_what_and_why(clinician, patient):
    change_patient(
        patient=patient,
        values={"birth_year": 1971, "sts_hypersensitivity": True, "overlap_with": "", "pregnant": None},
        seen_version=1,
        by="ann",
        reason="Misread",
    )
    entry = newest(clinician, patient)
    assert (entry.actor, entry.source, entry.record, entry.action, entry.reason) == (
        "ann",
        "Page",
        "Patient AAR-001",
        "Changed",
        "Misread",
    )
    assert fields(entry) == {
        "Birth year": ("1970", "1971"),
        "Hypersensitive to sodium thiosulfate": ("No", "Yes"),
        "Pregnant": ("No", "Not recorded"),
    }


def test_values_are_words_not_codes(clinician, patient):
    lesion = make_lesion(patient, onset_on="2018-06", pain_vas="5.5", dysfunction=False)
    entry = newest(clinician, patient)
    assert entry.action == "Created"
    shown = {label: new for label, (_old, new) in fields(entry).items()}
    assert shown == {
        "Lesion ID": "L01",
        "Body site": "Elbow",
        "Laterality": "Left",
        "Lesion type": "Papule",
        "Subtype": "Dystrophic",
        "Onset on": "Jun-2018",
        "Pain (VAS 0-10)": "5.5",
        "Dysfunction": "No",
    }
    change_record(lesion, {"body_site": "knee"}, seen_version=1, by="ann")
    assert fields(newest(clinician, patient)) == {"Body site": ("Elbow", "Knee")}


def test_dates_references_and_judged_criteria(clinician, patient):
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    assert newest(clinician, patient).record == "Lesion L01 of series 1"
    with acting(by="x", source="page"):
        Series.objects.filter(pk=series.pk).update(started_on=DAY, status="completed")
        Patient.objects.filter(pk=patient.pk).update(criteria_met={"weekly4": {"It is understood.": True}})
    judged, changed, *_ = history_of_patient(clinician, patient).entries
    assert fields(judged) == {"Criteria judged": ("Not recorded", "weekly4: It is understood. Yes")}
    assert fields(changed) == {
        "Started on": ("05-Jan-2026", "12-Jan-2026"),
        "Status": ("Active", "Completed"),
    }


def test_bulk_writes_are_there_row_by_row(clinician, patient):
    with acting(by="importer", source="import"):
        Lesion.objects.bulk_create(
            Lesion(patient=patient, lesion_id=f"B{n}", body_site="knee", lesion_type="nodule")
            for n in range(3)
        )
        Lesion.objects.filter(patient=patient).update(body_site="heel")
    entries = history_of_patient(clinician, patient).entries[:6]
    assert [(entry.action, entry.record, entry.source) for entry in entries] == [
        *(("Changed", f"Lesion B{n}", "Import") for n in (2, 1, 0)),
        *(("Created", f"Lesion B{n}", "Import") for n in (2, 1, 0)),
    ]
    assert fields(entries[0]) == {"Body site": ("Knee", "Heel")}


def test_a_session_shows_its_assessments_and_injections(client, clinician, patient):
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    session = make_session(series, DAY, ptga=7)
    make_assessment(session, lesion)
    make_injection(session, lesion)
    other = make_session(series, datetime.date(2026, 1, 19))
    make_assessment(other, lesion)
    records = [entry.record for entry in history_of_record(clinician, "session", session).entries]
    assert records == [
        "Injection of lesion L01, session 1 of 12-Jan-2026, series 1",
        "Assessment of lesion L01, session 1 of 12-Jan-2026, series 1",
        "Session 1 of 12-Jan-2026, series 1",
    ]
    client.force_login(clinician)
    page = client.get(reverse("record_history", args=["session", session.pk])).content.decode()
    assert "Volume (ml)" in page
    assert "19-Jan-2026" not in page


def test_what_was_asked_called_and_observed_is_there(clinician, patient):
    effect = save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=DAY))
    save(SideEffectObservation(side_effect=effect, seen_on=DAY, grade=2, by="ann"))
    save(SideEffectInquiry(patient=patient, asked_on=DAY, answer="nothing", by="ann"))
    save(
        CallAttempt(
            patient=patient,
            call_key="k",
            outcome="no_answer",
            rang_at=datetime.datetime(2026, 1, 12, 9, 30, tzinfo=datetime.UTC),
            rang_on=DAY,
            by="ann",
        )
    )
    called, asked, observed, *_ = history_of_patient(clinician, patient).entries
    assert (called.record, asked.record, observed.record) == (
        "Call",
        "Question for side effects",
        "Observation of side effect nausea",
    )
    assert fields(called)["Outcome"] == ("Not recorded", "Rang, no answer")
    assert fields(called)["Rang at"] == ("Not recorded", "12-Jan-2026 10:30")
    assert fields(observed)["Grade"] == ("Not recorded", "2")
    assert observed in history_of_record(clinician, "side_effect", effect).entries


def test_another_patients_history_is_not_mixed_in(clinician, clinic, patient):
    make_lesion(make_patient(clinic, study_id="AAR-002"))
    assert [entry.record for entry in history_of_patient(clinician, patient).entries] == ["Patient AAR-001"]


def test_pages(client, clinician, patient, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 4)
    for number in range(9):
        make_lesion(patient, f"L{number}")
    client.force_login(clinician)
    seen, url = [], reverse("patient_history", args=[patient.pk])
    while url:
        response = client.get(url)
        seen += [entry.pk for entry in response.context["page"].entries]
        url = response.context["older_url"]
    assert len(seen) == 10
    assert seen == sorted(seen, reverse=True)
    for before in ("x", "-1", "9" * 30, "", "٣"):
        assert (
            client.get(reverse("patient_history", args=[patient.pk]), {"before": before}).status_code == 200
        )


# Who sees what --------------------------------------------------------------------------------------------


def test_identities_only_for_those_who_may_see_them(client, clinic, patient):
    from lesions.models import PatientIdentity

    seen = identity_as_seen(PatientIdentity())
    write_identity(patient=patient, values={"name": "Inger Holm"}, seen=seen, by="ann")
    urls = (
        reverse("patient_history", args=[patient.pk]),
        reverse("record_history", args=["patient", patient.pk]),
    )
    for role, sees in (
        ("nurse", True),
        ("clinician", True),
        ("investigator", False),
        ("data_manager", False),
    ):
        client.force_login(make_user(role, clinic))
        for url in urls:
            page = client.get(url).content.decode().split("<main")[1]
            assert ("Inger Holm" in page) is sees, (role, url)
            assert ("Identity" in page) is sees


def test_an_outsider_and_an_administrator_see_none(client, clinic, patient):
    lesion = make_lesion(patient)
    for user in (
        make_user("clinician", make_clinic()),
        make_user("administrator", clinic),
        make_user("observer", clinic),
    ):
        client.force_login(user)
        for name, args in (
            ("patient_history", [patient.pk]),
            ("record_history", ["patient", patient.pk]),
            ("record_history", ["lesion", lesion.pk]),
            ("strike_out", ["lesion", lesion.pk]),
        ):
            assert client.get(reverse(name, args=args)).status_code == 404
        assert (
            client.post(reverse("strike_out", args=["lesion", lesion.pk]), {"reason": "x"}).status_code == 404
        )
    assert Lesion.objects.filter(pk=lesion.pk).exists()


def test_unknown_kinds_and_identities_have_no_page(client, clinician, patient):
    client.force_login(clinician)
    for kind in ("identity", "user", "protocol"):
        assert client.get(reverse("record_history", args=[kind, 1])).status_code == 404
    for kind in ("assessment", "identity"):
        assert client.get(reverse("strike_out", args=[kind, patient.pk])).status_code == 404


def test_a_closed_allocation_is_left_out(client, clinic, patient):
    lesions = [make_lesion(patient), make_lesion(patient)]
    series = make_series(patient, [(lesions[0], "active"), (lesions[1], "control")], protocol="placebo3")
    session = make_session(series, DAY)
    given = make_injection(
        session, lesions[0], concentration_mg_ml=40, volume_ml="0.123", lot_number="LOT-77"
    )
    make_injection(
        session, lesions[1], agent="saline", concentration_mg_ml=None, volume_ml="0.123", technique="top"
    )
    with acting(by="x", source="page"):
        type(given).objects.filter(pk=given.pk).update(concentration_mg_ml="41.37")
    words = (
        "Active (sodium",
        "Control (saline)",
        "Sodium thiosulfate<",
        "Saline",
        "0.123",
        "LOT-77",
        "41.37",
    )
    urls = [
        reverse("patient_history", args=[patient.pk]),
        reverse("record_history", args=["session", session.pk]),
        reverse("record_history", args=["injection", given.pk]),
        reverse("record_history", args=["series", series.pk]),
    ]
    for role, sees in (("clinician", False), ("investigator", False), ("data_manager", True)):
        client.force_login(make_user(role, clinic))
        pages = [client.get(url).content.decode().split("<main")[1].split("<table")[-1] for url in urls]
        for word in words:
            assert any(word in page for page in pages) is sees, (role, word)
        entries = client.get(urls[1]).context["page"].entries
        # That the concentration of one lesion was corrected would betray its arm.
        assert len(entries) == (4 if sees else 3)


# Striking out ---------------------------------------------------------------------------------------------


def strike(client, kind, row, reason="Entered twice"):
    return client.post(reverse("strike_out", args=[kind, row.pk]), {"reason": reason})


def test_each_kind_is_struck_out_and_stays_readable(client, clinician, patient):
    lesion, spare = make_lesion(patient), make_lesion(patient)
    series = make_series(patient, [lesion])
    session = make_session(series, DAY)
    make_assessment(session, lesion)
    effect = save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=DAY))
    rows = {
        "side_effect_observation": save(
            SideEffectObservation(side_effect=effect, seen_on=DAY, grade=1, by="anna")
        ),
        "inquiry": save(SideEffectInquiry(patient=patient, asked_on=DAY, answer="nothing", by="anna")),
        "medication": save(Medication(patient=patient, name="iloprost", role="vasodilator")),
        "prior_treatment": save(PriorTreatment(patient=patient, treatment="surgery")),
        "side_effect": effect,
        "photograph": save(Photograph(lesion=spare, taken_on=DAY, width_px=1, height_px=1, sha256="0" * 64)),
        "session": session,
        "series": series,
        "lesion": lesion,
    }
    client.force_login(clinician)
    for kind, row in rows.items():
        assert client.get(reverse("strike_out", args=[kind, row.pk])).status_code == 200
        assert strike(client, kind, row, reason=" ").status_code == 200, kind
        assert type(row).objects.filter(pk=row.pk).exists(), kind
        assert strike(client, kind, row).status_code == 302, kind
        assert not type(row).objects.filter(pk=row.pk).exists(), kind
        assert strike(client, kind, row).status_code == 404, kind
        response = client.get(reverse("record_history", args=[kind, row.pk]))
        struck = [entry for entry in response.context["page"].entries if entry.action == "Struck out"]
        assert struck, kind
        assert all(entry.reason == "Entered twice" and entry.is_struck_out for entry in struck), kind
    assert not SeriesLesion.objects.exists()


def test_what_has_sessions_is_not_struck_out_before_them(client, clinician, patient):
    lesion = make_lesion(patient)
    series = make_series(patient, [lesion])
    session = make_session(series, DAY)
    make_assessment(session, lesion)
    client.force_login(clinician)
    for kind, row in (("lesion", lesion), ("series", series)):
        assert "until these are" in client.get(reverse("strike_out", args=[kind, row.pk])).content.decode()
        assert strike(client, kind, row).status_code == 200
        assert type(row).objects.filter(pk=row.pk).exists()
    assert strike(client, "session", session).status_code == 302
    assert "Series 1 treats this lesion" in strike(client, "lesion", lesion).content.decode()
    assert strike(client, "series", series).status_code == 302
    assert strike(client, "lesion", lesion).status_code == 302


@pytest.mark.parametrize("about", ["lesion", "series", "session"])
def test_side_effects_go_first(client, clinician, patient, about):
    lesion = make_lesion(patient)
    series = make_series(patient)
    session = make_session(series, DAY)
    choices: dict[str, dict] = {
        "lesion": {"lesion": lesion},
        "series": {"series": series},
        "session": {"series": series, "session": session},
    }
    effect = save(SideEffect(patient=patient, term="nausea", grade=1, onset_on=DAY, **choices[about]))
    client.force_login(clinician)
    row = {"lesion": lesion, "series": series, "session": session}[about]
    assert strike(client, about, row).status_code == 200
    assert type(row).objects.filter(pk=row.pk).exists()
    if about == "series":
        strike(client, "session", session)
    assert strike(client, "side_effect", effect).status_code == 302
    assert strike(client, about, row).status_code == 302


def test_a_nurse_strikes_nothing_out_and_is_shown_no_link(client, clinic, patient):
    lesion = make_lesion(patient)
    client.force_login(make_user("nurse", clinic))
    assert strike(client, "lesion", lesion).status_code == 404
    link = reverse("strike_out", args=["lesion", lesion.pk])
    assert link not in client.get(reverse("lesion_edit", args=[lesion.pk])).content.decode()
    client.force_login(make_user("clinician", clinic))
    assert link in client.get(reverse("lesion_edit", args=[lesion.pk])).content.decode()
