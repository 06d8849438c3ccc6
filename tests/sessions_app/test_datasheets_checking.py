"""Every rule of an import: what is wrong, where it is said to be, and that nothing is written."""

import pytest
from django.db import transaction

from lesions.models import Patient
from sessions_app.datasheets.checking import Allowed, check
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.problems import ImportRefused
from sessions_app.entries import AssessmentEntry, InfusionEntry, InjectionEntry, SessionEntry
from sessions_app.models import Protocol, TreatmentSession
from sessions_app.services import arms_of, check_entry
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change, Event
from stsclinic.clinics.models import Clinic
from tests.builders import make_clinic, make_patient
from tests.sessions_app.datasheet_files import P1, V1, V2, as_raw, meanwhile, sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blocks_of_a_patient")]


def changed(sheet, index, **values):
    """The sound registry with some cells of one row changed; index None adds a row."""
    sheets = sound()
    if index is None:
        sheets[sheet].append(values)
    else:
        sheets[sheet][index] |= values
    return sheets


def places(problems):
    return [problem.place for problem in problems]


SEEN = {"status": "present"}
STS = {"agent": "sts", "concentration_mg_ml": "150", "volume_ml": "0.5"}
LESION = {"body_site": "elbow", "lesion_type": "nodule", "subtype": "dystrophic"}

# What is changed, where the error must stand, and words of its sentence.
WRONG = {
    "required": (("patients", 0, {"sex": ""}), "patients, row 2, sex", "required"),
    "unknown code": (("patients", 0, {"diagnosis": "flu"}), "patients, row 2, diagnosis", "lcssc, dcssc"),
    "a day before any patient": (
        ("patients", 0, {"offered_on": "1879-12-31"}), "patients, row 2, offered_on", "before 1880 or after 2100"
    ),
    "a day after any patient": (
        ("sessions", 0, {"held_on": "9999-12-31"}), "sessions, row 2, held_on", "from 1880 to 2100"
    ),
    "a partial date before any patient": (
        ("lesions", 0, {"onset_on": "0001"}), "lesions, row 2, onset_on", "before 1880 or after 2100"
    ),
    "no date": (("sessions", 0, {"held_on": "2.1.2024"}), "sessions, row 2, held_on", "2018-06-14"),
    "a day as Excel counts it": (
        ("sessions", 0, {"held_on": "45293"}), "sessions, row 2, held_on", "format the cell as a date"
    ),
    "a partial day as Excel counts it": (
        ("lesions", 0, {"onset_on": "45293"}), "lesions, row 2, onset_on", "format the cell as a date"
    ),
    "a comma": (("injections", 0, {"volume_ml": "0,5"}), "injections, row 2, volume_ml", "point"),
    "off the scale": (("sessions", 1, {"ptga": "11"}), "sessions, row 3, ptga", "from 1 to 10"),
    "grade": (("side_effects", 0, {"grade": "6"}), "side_effects, row 2, grade", "from 1 to 5"),
    "one code of an overlap": (
        ("patients", 0, {"overlap_with": "ssc"}), "patients, row 2, overlap_with", "two or more"
    ),
    "not enrolled, but consented": (
        ("patients", 0, {"not_enrolled_reason": "declined"}), "patients, row 2, not_enrolled_reason", "consented"
    ),
    "a withdrawal without its date": (
        ("patients", 0, {"withdrawal_reason": "moved"}), "patients, row 2, withdrawal_reason", "withdrawn_on"
    ),
    "patient twice": (
        ("patients", None, dict(sound()["patients"][0])), "patients, row 5, patient_id", "row 2 already"
    ),
    "medication twice": (
        ("medications", None, dict(sound()["medications"][0])), "medications, row 3, started_on", "row 2 already"
    ),
    "treatment twice": (
        ("prior_treatments", None, dict(sound()["prior_treatments"][0])),
        "prior_treatments, row 3, started_on",
        "row 2 already",
    ),
    "lesion twice": (
        ("lesions", None, {**P1, "lesion_id": "L1", **LESION}), "lesions, row 6, lesion_id", "row 2 already"
    ),
    "session twice": (
        ("sessions", None, {**V1, "session_no": "02", "kind": "treatment", "held_on": "2024-01-09"}),
        "sessions, row 6, session_no",
        "row 3 already",
    ),
    "injected twice": (
        ("injections", None, {**V1, "session_no": "1", "lesion_id": "L1", **STS}),
        "injections, row 5, lesion_id",
        "row 2 already",
    ),
    "infused twice": (
        ("infusions", None, dict(sound()["infusions"][0])), "infusions, row 3, session_no", "row 2 already"
    ),
    "side effect twice": (
        ("side_effects", None, dict(sound()["side_effects"][0])),
        "side_effects, row 3, onset_on",
        "row 2 already",
    ),
    "medication of nobody": (
        ("medications", 0, {"patient_id": "P-9"}), "medications, row 2, patient_id", "sheet patients"
    ),
    "lesion of nobody": (
        ("lesions", None, {"patient_id": "P-9", "lesion_id": "L1", **LESION}),
        "lesions, row 6, patient_id",
        "sheet patients",
    ),
    "treatment of no lesion": (
        ("prior_treatments", 0, {"lesion_id": "L9"}), "prior_treatments, row 2, lesion_id", "sheet lesions"
    ),
    "series of nobody": (
        ("series", None, {"patient_id": "P-9", "series_no": "1", "protocol": "iv", "started_on": "2024-01-02",
                          "status": "active"}),
        "series, row 5, patient_id",
        "sheet patients",
    ),
    "lesion of no series": (
        ("series_lesions", 0, {"series_no": "2"}), "series_lesions, row 2, series_no", "sheet series"
    ),
    "series of no lesion": (
        ("series_lesions", None, {**V1, "lesion_id": "L9"}), "series_lesions, row 5, lesion_id", "sheet lesions"
    ),
    "session of no series": (
        ("sessions", None, {**P1, "series_no": "2", "session_no": "1", "kind": "treatment",
                            "held_on": "2024-01-09"}),
        "sessions, row 6, series_no",
        "sheet series",
    ),
    "seen at no session": (
        ("session_lesions", None, {**V1, "session_no": "3", "lesion_id": "L1", **SEEN}),
        "session_lesions, row 5, session_no",
        "sheet sessions",
    ),
    "seen, but no lesion": (
        ("session_lesions", None, {**V1, "session_no": "1", "lesion_id": "L9", **SEEN}),
        "session_lesions, row 5, lesion_id",
        "sheet lesions",
    ),
    "injected at no session": (
        ("injections", None, {**V1, "session_no": "3", "lesion_id": "L1", **STS}),
        "injections, row 5, session_no",
        "sheet sessions",
    ),
    "injected, but not treated": (
        ("injections", None, {**V1, "session_no": "1", "lesion_id": "L2", **STS}),
        "injections, row 5, lesion_id",
        "does not treat",
    ),
    "infused at no session": (
        ("infusions", 0, {"session_no": "2"}), "infusions, row 2, session_no", "sheet sessions"
    ),
    "side effect of no session": (
        ("side_effects", 0, {"session_no": "3"}), "side_effects, row 2, session_no", "sheet sessions"
    ),
    "side effect of no series": (
        ("side_effects", 0, {"series_no": "2", "session_no": ""}), "side_effects, row 2, series_no", "sheet series"
    ),
    "side effect of no lesion": (
        ("side_effects", 0, {"lesion_id": "L9"}), "side_effects, row 2, lesion_id", "sheet lesions"
    ),
    "a session without its series": (
        ("side_effects", 0, {"series_no": ""}), "side_effects, row 2, series_no", "needs its series"
    ),
    "no protocol": (("series", 0, {"protocol": "daily"}), "series, row 2, protocol", "weekly4"),
    "stopped without reason": (("series", 0, {"status": "stopped"}), "series, row 2, stop_reason", "one of"),
    "a reason, but not stopped": (
        ("series", 0, {"stop_reason": "other"}), "series, row 2, stop_reason", "not stopped"
    ),
    "an arm without a comparison": (
        ("series_lesions", 0, {"arm": "active"}), "series_lesions, row 2, arm", "has no arms"
    ),
    "a number left out": (("sessions", 1, {"session_no": "3"}), "sessions, row 3, session_no", "Valid is 2"),
    "not from 1": (
        ("sessions", 2, {"session_no": "2"}), "sessions, row 4, session_no", "Valid is 1"
    ),
    "a date that falls": (
        ("sessions", 1, {"held_on": "2024-01-01"}), "sessions, row 3, held_on", "held on 02-Jan-2024"
    ),
    "ptga not used": (("sessions", 2, {"ptga": "5"}), "sessions, row 4, ptga", "does not use PtGA"),
    "phga not used": (("sessions", 2, {"phga": "5"}), "sessions, row 4, phga", "does not use PhGA"),
    "pga not used": (("session_lesions", 0, {"pga": "1"}), "session_lesions, row 2, pga", "does not use PGA"),
    "observer's pga not used": (
        ("session_lesions", 0, {"observer_pga": "1"}), "session_lesions, row 2, observer_pga", "does not use"
    ),
    "gone, but measured": (
        ("session_lesions", 1, {"longest_mm": "1"}), "session_lesions, row 3, longest_mm", "gone"
    ),
    "gone, but an ulcer": (("session_lesions", 1, {"ulcer": "no"}), "session_lesions, row 3, ulcer", "gone"),
    "gone, but confirmed": (
        ("session_lesions", 1, {"size_source": "confirmed"}), "session_lesions, row 3, size_source", "gone"
    ),
    "no concentration": (
        ("injections", 0, {"concentration_mg_ml": ""}), "injections, row 2, concentration_mg_ml", "needs its"
    ),
    "other without words": (
        ("side_effects", 0, {"term": "other"}), "side_effects, row 2, term_detail", "needs words"
    ),
    "over before it began": (
        ("side_effects", 0, {"resolved_on": "2024-01-01"}), "side_effects, row 2, resolved_on", "02-Jan-2024"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_an_error_is_found_at_its_place(what):
    change, place, words = WRONG[what]
    sheet, index, values = change
    raw = as_raw(changed(sheet, index, **values))
    checked = check(raw)
    found = [error for error in checked.errors if error.place == place]
    assert len(found) == 1, places(checked.errors)
    assert words in str(found[0])
    assert found[0].valid
    with pytest.raises(ImportRefused):
        import_sheets(raw, by="test", source="import")
    assert not Patient.everything.exists()


def test_the_sound_registry_has_no_error_and_no_warning():
    checked = check(as_raw(sound()))
    assert (checked.errors, checked.warnings) == ([], [])
    assert checked.counts["sessions"] == 4


def test_a_gone_lesion_may_have_a_pga():
    sheets = sound()
    sheets["session_lesions"][2] = {**V2, "session_no": "1", "lesion_id": "L1", "status": "gone", "pga": "0"}
    assert check(as_raw(sheets)).errors == []


def test_equal_days_and_pain_under_any_protocol_are_allowed():
    sheets = changed("sessions", 1, held_on="2024-01-02")
    sheets["injections"][0]["pain_vas"] = "4.5"
    assert check(as_raw(sheets)).errors == []


def test_every_error_of_the_whole_file_is_listed_at_once():
    sheets = sound()
    sheets["patients"][0]["sex"] = "f"
    sheets["lesions"][0]["body_site"] = "arm"
    sheets["sessions"][0]["ptga"] = "12"
    sheets["sessions"][2]["ptga"] = "5"
    sheets["injections"][0]["volume_ml"] = "0"
    checked = check(as_raw(sheets))
    assert places(checked.errors) == [
        "patients, row 2, sex",
        "lesions, row 2, body_site",
        "sessions, row 2, ptga",
        "sessions, row 4, ptga",
        "injections, row 2, volume_ml",
    ]
    assert checked.errors[0].value == "f"


UNUSUAL = {
    "too late": (("sessions", 1, {"held_on": "2024-02-20"}), "sessions, row 3, held_on", "18 days too late"),
    "too early": (("sessions", 1, {"held_on": "2024-01-03"}), "sessions, row 3, held_on", "5 days too early"),
    "follow-up too early": (
        ("sessions", None, {**V1, "session_no": "3", "kind": "follow_up", "held_on": "2024-03-01"}),
        "sessions, row 6, held_on",
        "too early",
    ),
    "above the usual": (
        ("injections", 0, {"concentration_mg_ml": "250"}), "injections, row 2, concentration_mg_ml", "150"
    ),
    "above the maximum of a lesion": (
        ("injections", 1, {"volume_ml": "0.41"}), "injections, row 3, volume_ml", "0.4 ml"
    ),
    "above the maximum of a session": (
        ("injections", 1, {"volume_ml": "0.401"}), "injections, row 3, volume_ml", "16.04 mg in all"
    ),
    "above the usual infusion": (("infusions", 0, {"dose_g": "25"}), "infusions, row 2, dose_g", "12.5 g"),
    "wider than long": (
        ("session_lesions", 0, {"widest_mm": "13"}), "session_lesions, row 2, widest_mm", "12 mm"
    ),
    "fewer counted than listed": (
        ("patients", 0, {"lesion_count": "1"}), "patients, row 2, lesion_count", "listed: 2"
    ),
    "no consent": (("patients", 0, {"consented_on": ""}), "sessions, row 2, held_on", "No consent"),
    "withdrawn": (("patients", 0, {"withdrawn_on": "2024-01-05"}), "sessions, row 3, held_on", "withdrew"),
    "injected at an assessment": (
        ("sessions", 0, {"kind": "assessment"}), "injections, row 2, session_no", "no treatment"
    ),
    "assessed, but not treated": (
        ("session_lesions", None, {**V1, "session_no": "1", "lesion_id": "L2", **SEEN}),
        "session_lesions, row 5, lesion_id",
        "does not treat",
    ),
    "infused under a protocol of injections": (
        ("infusions", None, {**V1, "session_no": "1", "dose_g": "12.5", "duration_min": "30"}),
        "infusions, row 3, session_no",
        "gives no infusions",
    ),
    "infused at a follow-up": (
        ("sessions", 3, {"kind": "follow_up"}), "infusions, row 2, session_no", "no treatment"
    ),
    "injected under a protocol of infusions": (
        ("series", 0, {"protocol": "iv"}), "injections, row 2, session_no", "gives no injections"
    ),
    "not the agent of the arm": (
        ("injections", 2, {"agent": "sts", "concentration_mg_ml": "40"}),
        "injections, row 4, agent",
        "its agent is saline",
    ),
    "without an arm": (("series_lesions", 1, {"arm": ""}), "injections, row 3, lesion_id", "no arm"),
    "in the future": (("sessions", 3, {"held_on": "2100-12-31"}), "sessions, row 5, held_on", "in the future"),
    "long ago": (("sessions", 3, {"held_on": "1989-12-31"}), "sessions, row 5, held_on", "before 1990"),
    "injected, but gone": (
        ("session_lesions", 2, {"status": "gone", "longest_mm": "", "widest_mm": "", "ulcer": ""}),
        "injections, row 3, lesion_id",
        "gone",
    ),
    "stopped before started": (
        ("medications", 0, {"stopped_on": "2018-12"}), "medications, row 2, stopped_on", "2019"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSUAL)
def test_what_is_unusual_is_listed_and_let_through(what):
    (sheet, index, values), place, words = UNUSUAL[what]
    checked = import_sheets(as_raw(changed(sheet, index, **values)), by="test", source="import")
    assert [problem for problem in checked.warnings if problem.place == place and words in str(problem)]
    assert Patient.objects.count() == 3


REFUSED_ON_A_SHEET = {
    "injected at an assessment",
    "assessed, but not treated",
    "infused under a protocol of injections",
    "infused at a follow-up",
    "injected under a protocol of infusions",
    "not the agent of the arm",
    "without an arm",
    "in the future",
    "long ago",
}


@pytest.mark.parametrize("what", [None, *UNUSUAL])
def test_what_a_session_sheet_refuses_comes_in_with_a_warning_only(what):
    (sheet, index, values), _place, _words = UNUSUAL[what] if what else (("patients", 0, {}), "", "")
    checked = import_sheets(as_raw(changed(sheet, index, **values)), by="test", source="import")
    sessions = TreatmentSession.objects.select_related("series__patient__clinic", "series__protocol")
    refused = [
        session
        for session in sessions
        if check_entry(session.series, entry_of(session), arms_of(session.series.series_lesions.all()))
    ]
    assert bool(refused) is (what in REFUSED_ON_A_SHEET)
    assert bool(checked.warnings) is (what is not None)


def entry_of(session):
    """A session that is there as one would send it from a sheet."""
    seen = (
        AssessmentEntry(lesion=row.lesion_id, status=row.status, pga=row.pga, observer_pga=row.observer_pga)
        for row in session.assessments.all()
    )
    given = (
        InjectionEntry(
            lesion=row.lesion_id,
            volume_ml=row.volume_ml,
            agent=row.agent,
            concentration_mg_ml=row.concentration_mg_ml,
        )
        for row in session.injections.all()
    )
    infused = session.infusions.first()
    return SessionEntry(
        kind=session.kind,
        held_on=session.held_on,
        ptga=session.ptga,
        phga=session.phga,
        assessments=tuple(seen),
        injections=tuple(given),
        infusion=infused and InfusionEntry(dose_g=infused.dose_g, duration_min=infused.duration_min),
    )


def test_a_count_that_is_a_minimum_is_not_unusual():
    values = {"lesion_count": "1", "lesion_count_is_minimum": "yes"}
    assert check(as_raw(changed("patients", 0, **values))).warnings == []


def test_an_import_leaves_history_and_an_event():
    import_sheets(as_raw(sound()), by="dora", source="import")
    history = Change.objects.filter(table_name="sessions_app_injection")
    assert list(history.values_list("actor", "source", "action")) == [("dora", "import", "created")] * 3
    assert all(change.new and change.new["volume_ml"] for change in history)
    event = Event.objects.get(kind="imported")
    assert event.actor == "dora"
    assert "P-1" not in event.detail
    session = TreatmentSession.objects.all()[0]
    assert session.completed_by == "dora"
    assert session.completed_at


def test_new_clinics_are_made_in_the_default_time_zone(settings):
    settings.TIME_ZONE = "Europe/Lisbon"
    make_clinic("north")
    import_sheets(as_raw(sound()), by="test", source="command")
    zones = dict(Clinic.objects.values_list("code", "time_zone"))
    assert zones == {"north": "Europe/Copenhagen", "south": "Europe/Lisbon"}


def test_a_taken_id_is_an_error_that_says_no_more():
    make_patient(make_clinic("elsewhere"), study_id="P-2")
    errors = check(as_raw(sound())).errors
    assert places(errors) == ["patients, row 3, patient_id"]
    assert errors[0].sentence == "This ID is taken."
    assert "elsewhere" not in str(errors[0])


def test_an_id_that_differs_from_a_taken_one_in_capitals_only_is_taken():
    make_patient(make_clinic("elsewhere"), study_id="p-2")
    errors = check(as_raw(sound())).errors
    assert places(errors) == ["patients, row 3, patient_id"]
    assert errors[0].sentence == "This ID is taken."


def test_two_ids_of_one_file_that_differ_in_capitals_only_are_refused():
    sheets = sound()
    sheets["patients"].append(sheets["patients"][2] | {"patient_id": "p-3"})
    errors = check(as_raw(sheets)).errors
    assert places(errors) == ["patients, row 5, patient_id"]
    assert errors[0].sentence == "The same ID stands in row 4 with other capitals."


def test_a_row_cannot_be_added_to_a_patient_who_is_there():
    make_patient(make_clinic("north"), study_id="P-9")
    sheets = {"medications": [{"patient_id": "P-9", "name": "x", "role": "other"}]}
    assert places(check(as_raw(sheets)).errors) == ["medications, row 2, patient_id"]


def test_only_into_ones_own_clinics_and_without_telling_which_others_there_are():
    make_clinic("north")
    make_clinic("south")
    raw = as_raw(sound())
    errors = check(raw, Allowed(clinics={"north"})).errors
    assert places(errors) == ["patients, row 3, clinic"]
    sheets = sound()
    sheets["patients"][1]["clinic"] = "nowhere"
    unknown = check(as_raw(sheets), Allowed(clinics={"north"})).errors
    assert [error.sentence for error in unknown] == [error.sentence for error in errors]
    assert [error.valid for error in unknown] == [error.valid for error in errors]
    with pytest.raises(ImportRefused):
        import_sheets(raw, by="test", source="import", allowed=Allowed(clinics={"north"}))
    import_sheets(raw, by="test", source="import", allowed=Allowed(clinics={"north", "south"}))
    assert Patient.objects.count() == 3


def own_protocol(clinic, code="weekly4", version=2, **values):
    base = Protocol.objects.get(code="weekly4", version=1)
    base.pk, base.code, base.version, base.clinic = None, code, version, clinic
    for name, value in values.items():
        setattr(base, name, value)
    with acting(by="test", source="command"):
        base.save(force_insert=True)
    return base


def test_the_latest_version_that_the_clinic_may_use_counts():
    own_protocol(make_clinic("north"), code="ours", version=1)
    latest = own_protocol(Clinic.objects.get(code="north"), code="ours", version=2)
    sheets = changed("series", 0, protocol="ours")
    with transaction.atomic():
        import_sheets(as_raw(sheets), by="test", source="import")
        assert latest.series.count() == 1
        transaction.set_rollback(True)
    sheets["patients"][0]["clinic"] = "south"
    assert places(check(as_raw(sheets)).errors) == ["series, row 2, protocol"]


def test_what_changed_since_the_check_refuses_the_whole_import(monkeypatch):
    meanwhile(monkeypatch, lambda: make_patient(make_clinic("elsewhere"), study_id="P-1"))
    with pytest.raises(ImportRefused) as refusal:
        import_sheets(as_raw(sound()), by="test", source="import")
    assert "something changed since" in str(refusal.value.errors[0])
    assert not Patient.everything.exists()
    assert not Clinic.objects.filter(code="north").exists()
