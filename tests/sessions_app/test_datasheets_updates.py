"""A corrected file of a clinic that is there: it changes what it says, and nothing else, and takes nothing away."""

import io
import random

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesions.models import Lesion, Medication, Patient
from sessions_app.datasheets.checking import Allowed, check
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import Scope, sheet_rows
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.problems import ImportRefused
from sessions_app.import_page import row_of_file
from sessions_app.models import Injection, Protocol, Series, SideEffect, TreatmentSession
from sessions_app.services import strike_out_session
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.audit.services import strike_out
from stsclinic.clinics.models import Clinic
from tests.builders import _save
from tests.sessions_app.datasheet_files import (
    P1,
    V1,
    as_files,
    as_raw,
    meanwhile,
    sound,
    write_files,
)
from tests.sessions_app.generated_sheets import Generator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blocks_of_a_patient")]

UPDATES = Allowed(updates=True)
SEEN = {"status": "present", "longest_mm": "12"}


@pytest.fixture
def registry():
    import_sheets(as_raw(sound()), by="test", source="command")


def update(sheets, reason="A correction"):
    return import_sheets(as_raw(sheets), by="dana", source="import", allowed=UPDATES, reason=reason)


def plan_of(sheets):
    checked = check(as_raw(sheets), UPDATES)
    assert not checked.errors, checked.errors
    return checked.plan


def now():
    """The register as its sheets."""
    return {
        name: [
            dict(zip((column.name for column in sheet.columns), row, strict=True))
            for row in sheet_rows(sheet, Scope())
        ]
        for name, sheet in SHEETS.items()
    }


def changes(plan):
    return [(one.row.sheet.name, one.row.key_text, one.column.name, one.old, one.new) for one in plan.changes]


class TestPlan:
    """What a preview tells."""

    def test_of_the_same_file_is_nothing(self, registry):
        plan = plan_of(sound())
        assert plan.changes_nothing
        assert not plan.not_in_file and not plan.other_patients
        assert plan.counts["sessions"] == {"unchanged": 4}

    def test_is_each_field(self, registry):
        sheets = sound()
        sheets["patients"][0] |= {"raynaud": "yes", "sex": "male"}
        sheets["injections"][0]["volume_ml"] = "0.50"
        sheets["session_lesions"][0] |= {"longest_mm": "11.5", "ulcer": ""}
        sheets["sessions"][0]["note"] = "later"
        assert changes(plan_of(sheets)) == [
            ("patients", "P-1", "sex", "female", "male"),
            ("patients", "P-1", "raynaud", "", "yes"),
            ("sessions", "P-1, 1, 1", "note", "", "later"),
            ("session_lesions", "P-1, 1, 1, L1", "longest_mm", "12", "11.5"),
            ("session_lesions", "P-1, 1, 1, L1", "ulcer", "no", ""),
        ]

    def test_names_what_is_new(self, registry):
        sheets = sound()
        sheets["medications"].append({**P1, "name": "aspirin", "role": "analgesic"})
        (row,) = plan_of(sheets).created
        assert (row.sheet.name, row.number, row.key_text) == ("medications", 3, "P-1, aspirin")

    def test_names_what_the_file_has_not(self, registry):
        sheets = sound()
        sheets["patients"] = sheets["patients"][:1]
        sheets["patients"].append({**sheets["patients"][0], "patient_id": "P-9"})
        for name in sheets:
            sheets[name] = [row for row in sheets[name] if row["patient_id"] != "P-3"]
        del sheets["session_lesions"][1]
        plan = plan_of(sheets)
        assert [(row.sheet.name, row.key_text) for row in plan.not_in_file] == [
            ("patients", "P-2"),
            ("session_lesions", "P-1, 1, 2, L1"),
        ]
        assert plan.other_patients == ["P-3"]

    def test_leaves_sheets_and_columns_alone_that_the_file_has_not(self, registry):
        plan = plan_of({"patients": sound()["patients"]})
        assert plan.changes_nothing and not plan.not_in_file
        only = [{"patient_id": "P-1", "clinic": "north", "sex": "female", "diagnosis": "lcssc"}]
        assert changes(plan_of({"patients": only})) == []

    def test_of_a_sheet_alone_knows_the_patients_of_the_register(self, registry):
        rows = sound()["injections"]
        rows[0]["volume_ml"] = "0.4"
        assert changes(plan_of({"injections": rows})) == [
            ("injections", "P-1, 1, 1, L1", "volume_ml", "0.5", "0.4")
        ]

    def test_bears_a_digest_of_what_it_does(self, registry):
        sheets = sound()
        sheets["sessions"][0]["ptga"] = "9"
        digest = plan_of(sheets).digest
        assert plan_of(sheets).digest == digest != plan_of(sound()).digest
        with acting(by="nurse", source="page"):
            TreatmentSession.objects.filter(session_no=1, series__patient__study_id="P-1").update(version=9)
        assert plan_of(sheets).digest != digest


class TestUpdate:
    def test_makes_the_register_what_the_file_says(self, registry):
        sheets = sound()
        sheets["patients"][0]["birth_year"] = "1960"
        sheets["sessions"][1] |= {"held_on": "2024-01-10", "phga": ""}
        sheets["lesions"][0]["pain_vas"] = "4.5"
        sheets["side_effects"][0] |= {"serious": "no", "resolved_on": "2024-01-03"}
        sheets["series"][0] |= {"status": "stopped", "stop_reason": "patient_choice"}
        update(sheets)
        assert plan_of(sheets).changes_nothing
        assert [row["pain_vas"] for row in now()["lesions"]][0] == "4.5"

    def test_leaves_one_entry_of_history_for_each_row_with_the_reason(self, registry):
        sheets = sound()
        sheets["patients"][0] |= {"birth_year": "1960", "raynaud": "no"}
        sheets["sessions"][1]["ptga"] = "4"
        last = Change.objects.order_by("pk").last().pk
        update(sheets, reason="Read wrongly")
        found = Change.objects.filter(pk__gt=last, action="changed")
        assert sorted(found.values_list("table_name", "actor", "source", "reason")) == [
            ("lesions_patient", "dana", "import", "Read wrongly"),
            ("sessions_app_treatmentsession", "dana", "import", "Read wrongly"),
        ]
        assert not Change.objects.filter(pk__gt=last, action="created").exists()

    def test_makes_a_new_version_so_that_a_page_open_elsewhere_is_told(self, registry):
        sheets = sound()
        sheets["patients"][0]["birth_year"] = "1960"
        update(sheets)
        assert Patient.objects.get(study_id="P-1").version == 2
        assert Patient.objects.get(study_id="P-2").version == 1

    def test_adds_rows_to_patients_who_are_there(self, registry):
        sheets = {
            "sessions": [{**V1, "session_no": "3", "kind": "treatment", "held_on": "2024-01-16"}],
            "injections": [
                {**V1, "session_no": "3", "lesion_id": "L1", "agent": "sts", "concentration_mg_ml": "150", "volume_ml": "1"}
            ],
        }  # fmt: skip
        checked = update(sheets)
        assert len(checked.plan.not_in_file) == 3
        assert Injection.objects.get(session__session_no=3).volume_ml == 1
        assert TreatmentSession.objects.filter(series__patient__study_id="P-1").count() == 3

    def test_takes_nothing_away(self, registry):
        before = now()
        sheets = {"patients": sound()["patients"][:1], "lesions": sound()["lesions"][:1]}
        sheets["patients"][0]["raynaud"] = "yes"
        update(sheets)
        after = now()
        assert [row["patient_id"] for row in after["patients"]] == ["P-1", "P-2", "P-3"]
        assert {name: rows for name, rows in after.items() if name != "patients"} == {
            name: rows for name, rows in before.items() if name != "patients"
        }

    def test_knows_nothing_of_updates_unless_asked(self, registry):
        (error, *_) = check(as_raw(sound())).errors
        assert error.sentence == "This ID is taken."

    def test_in_between_changed_writes_nothing(self, registry, monkeypatch):
        sheets = sound()
        sheets["sessions"][0]["ptga"] = "9"
        sheets["patients"][0]["raynaud"] = "yes"
        first = TreatmentSession.objects.filter(session_no=1, series__patient__study_id="P-1")
        meanwhile(monkeypatch, lambda: first.update(version=9))
        with pytest.raises(ImportRefused, match="nothing was imported"):
            update(sheets)
        assert Patient.objects.get(study_id="P-1").raynaud == ""


class TestResultingState:
    """The rules hold of what the register would be."""

    def errors(self, sheets):
        return [str(error) for error in check(as_raw(sheets), UPDATES).errors]

    def test_a_session_before_one_that_is_there(self, registry):
        row = {**V1, "session_no": "3", "kind": "treatment", "held_on": "2024-01-08"}
        (error,) = self.errors({"sessions": [row]})
        assert "Session 2 was held on 09-Jan-2024" in error

    def test_a_date_after_the_next_session_that_the_file_has_not(self, registry):
        row = {**sound()["sessions"][0], "held_on": "2024-01-30"}
        (error,) = self.errors({"sessions": [row]})
        assert error.startswith('sessions, held_on "2024-01-09": In the register, P-1, 1, 2:')

    def test_a_lesion_that_the_series_of_the_register_does_not_treat(self, registry):
        row = {
            **V1,
            "session_no": "1",
            "lesion_id": "L2",
            "agent": "sts",
            "concentration_mg_ml": "150",
            "volume_ml": "1",
        }
        (error,) = self.errors({"injections": [row]})
        assert "Series 1 does not treat this lesion" in error

    def test_another_protocol_under_which_the_scores_are_not_used(self, registry):
        row = {**sound()["series"][0], "protocol": "placebo3"}
        errors = self.errors({"series": [row]})
        assert len(errors) == 4
        assert all("does not use" in error and "In the register" in error for error in errors)

    def test_a_series_keeps_the_version_of_its_protocol(self, registry):
        series = Series.objects.get(patient__study_id="P-1")
        old = series.protocol
        newer = Protocol(**{
            field.name: getattr(old, field.name) for field in Protocol._meta.concrete_fields if field.name != "id"
        } | {"version": 2, "uses_ptga_phga": False})  # fmt: skip
        _save(newer)
        sheets = sound()
        sheets["sessions"][0]["ptga"] = "9"
        update(sheets)
        series.refresh_from_db()
        assert series.protocol_id == old.pk
        new = {**sound()["series"][0], "series_no": "2"}
        import_sheets(as_raw({"series": [new]}), by="x", source="command", allowed=UPDATES)
        assert Series.objects.get(patient__study_id="P-1", series_no=2).protocol_id == newer.pk

    def test_what_is_unusual_is_told_of_patients_of_whom_something_changes(self, registry):
        sheets = sound()
        sheets["session_lesions"][0]["widest_mm"] = "13"
        assert len(check(as_raw(sheets), UPDATES).warnings) == 1
        update(sheets)
        assert check(as_raw(sheets), UPDATES).warnings == []


class TestWhoseAndWhere:
    def test_a_patient_of_another_clinic_is_taken(self, registry):
        found = check(as_raw(sound()), Allowed(updates=True, clinics={"north"}))
        assert [str(error)[:40] for error in found.errors[:2]] == [
            'patients, row 3, patient_id "P-2": This ',
            'patients, row 3, clinic "south": You can',
        ]
        assert not [change for change in found.plan.changes if change.row.patient_id == "P-2"]

    def test_rows_of_a_patient_of_another_clinic_are_as_if_not_there(self, registry):
        rows = sound()["lesions"][2:]
        found = check(as_raw({"lesions": rows}), Allowed(updates=True, clinics={"north"}))
        assert {error.sentence for error in found.errors} == {
            "No patient of this ID is in the sheet patients."
        }

    def test_nobody_is_moved_to_another_clinic(self, registry):
        sheets = sound()
        sheets["patients"][0]["clinic"] = "south"
        (error, *_) = check(as_raw(sheets), UPDATES).errors
        assert "moves no patient to another clinic" in error.valid

    def test_a_closed_allocation_stays_closed(self, registry):
        found = check(as_raw(sound()), Allowed(updates=True, closed={("south", "placebo3")}))
        assert {error.sentence for error in found.errors} >= {
            "The allocation of protocol placebo3 is closed to you, so its series cannot come from you."
        }
        sheets = sound()
        sheets["series_lesions"][1]["arm"] = "control"
        found = check(as_raw(sheets), Allowed(updates=True, closed={("south", "placebo3")}))
        assert found.errors and not found.plan.changes

    def test_another_arm_is_pointed_out(self, registry):
        sheets = sound()
        sheets["series_lesions"][1]["arm"] = "control"
        found = check(as_raw(sheets), UPDATES)
        assert [str(one) for one in found.warnings] == [
            'series_lesions, row 3, arm "control": The arm was allocated as active.',
            'injections, row 3, agent "sts": The arm of the lesion is control: its agent is saline.',
        ]


class TestStruckOut:
    """What was struck out does not come back by an older file."""

    def errors(self, sheets):
        return [str(error) for error in check(as_raw(sheets), UPDATES).errors]

    def test_a_patient(self, registry):
        strike_out(Patient.objects.get(study_id="P-3"), by="test", reason="a mistake")
        errors = self.errors(sound())
        assert errors[0].startswith('patients, row 4, patient_id "P-3": This patient was struck out on ')

    def test_a_row(self, registry):
        strike_out(Medication.objects.get(), by="test", reason="a mistake")
        (error,) = self.errors(sound())
        assert error.startswith('medications, row 2, started_on "2019": This row was struck out on ')
        assert self.errors(sound() | {"medications": []}) == []

    def test_a_lesion_and_what_belongs_to_it(self, registry):
        strike_out(Lesion.objects.get(patient__study_id="P-1", lesion_id="L2"), by="test", reason="a mistake")
        (error,) = self.errors(sound())
        assert error.startswith('lesions, row 3, lesion_id "L2"')

    def test_a_session_is_known_again_by_its_day(self, registry):
        session = TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=2)
        strike_out_session(session, by="test", reason="a mistake")
        (error, *_) = self.errors(sound())
        assert error.startswith('sessions, row 3, session_no "2": This row was struck out on ')

    def test_what_was_entered_anew_is_changed_as_any(self, registry):
        old = Medication.objects.get()
        strike_out(old, by="test", reason="a mistake")
        with acting(by="test", source="page"):
            Medication.objects.create(patient=old.patient, name="bosentan", role="other", started_on="2019")
        assert changes(plan_of(sound())) == [
            ("medications", "P-1, bosentan, 2019", "role", "other", "vasodilator")
        ]


class TestRename:
    """Another key is a new row beside the old one."""

    def warnings(self, sheets):
        found = check(as_raw(sheets), UPDATES)
        assert not found.errors
        return [(one.place, one.sentence) for one in found.warnings]

    def test_of_a_patient(self, registry):
        sheets = {name: [dict(row) for row in rows] for name, rows in sound().items()}
        sheets["patients"][0]["birth_year"] = "1971"
        update(sheets)
        for rows in sheets.values():
            for row in rows:
                row["patient_id"] = row["patient_id"].replace("P-1", "P-01")
        found = dict(self.warnings(sheets))
        assert found["patients, row 2, patient_id"].startswith("This looks like P-1 under another key.")

    def test_the_page_of_one_row_knows_the_patients_of_the_other_rows(self, registry):
        sheets = {name: [dict(row) for row in rows] for name, rows in sound().items()}
        sheets["patients"][0]["birth_year"] = "1971"
        update(sheets)
        sheets["patients"].append({**sheets["patients"][0], "patient_id": "P-9"})
        assert not self.warnings(sheets)
        number = len(sheets["patients"]) + 1
        found, _table = row_of_file(as_raw(sheets), UPDATES, "patients", number)
        assert not found

    def test_of_a_medication(self, registry):
        sheets = sound()
        sheets["medications"][0]["started_on"] = "2019-05"
        ((place, sentence),) = self.warnings(sheets)
        assert place == "medications, row 2, started_on"
        assert sentence.startswith("This looks like P-1, bosentan, 2019 under another key.")

    def test_of_other_values_is_none(self, registry):
        sheets = sound()
        sheets["medications"][0] |= {"started_on": "2019-05", "dose": "62.5 mg"}
        assert self.warnings(sheets) == []


class TestRenumbering:
    """A session that came in between moves the later ones, which stay themselves."""

    def late(self):
        """The registry with a session of 5-Jan that was entered late."""
        sheets = sound()
        for name in ("sessions", "session_lesions", "injections", "side_effects"):
            for row in sheets[name]:
                if (row["patient_id"], row["session_no"]) == ("P-1", "2"):
                    row["session_no"] = "3"
        late = {**V1, "session_no": "2", "kind": "treatment", "held_on": "2024-01-05"}
        sheets["sessions"].insert(1, late)
        sheets["session_lesions"].append({**V1, "session_no": "2", "lesion_id": "L1", **SEEN})
        return sheets

    def test_is_told_as_such(self, registry):
        plan = plan_of(self.late())
        assert changes(plan) == [("sessions", "P-1, 1, 3", "session_no", "2", "3")]
        assert [row.key_text for row in plan.created] == ["P-1, 1, 2", "P-1, 1, 2, L1"]

    def test_keeps_every_session_itself(self, registry):
        before = dict(TreatmentSession.objects.values_list("held_on", "pk"))
        update(self.late())
        sessions = TreatmentSession.objects.filter(series__patient__study_id="P-1").order_by("session_no")
        assert [str(one.held_on) for one in sessions] == ["2024-01-02", "2024-01-05", "2024-01-09"]
        assert sessions[2].pk == before[sessions[2].held_on]
        assert sessions[2].assessments.get().status == "gone"
        assert sessions[1].assessments.get().longest_mm == 12
        assert plan_of(self.late()).changes_nothing

    def test_a_session_left_out_stays_and_keeps_its_number(self, registry):
        sheets = sound()
        sheets["sessions"] = [row for row in sheets["sessions"] if row["held_on"] != "2024-01-02"]
        for name in ("sessions", "session_lesions", "injections"):
            sheets[name] = [
                {**row, "session_no": "1"} for row in sheets[name] if row.get("session_no") == "2"
            ]
        sheets.pop("side_effects")
        errors = [str(error) for error in check(as_raw(sheets), UPDATES).errors]
        assert errors[0].startswith('sessions, row 2, session_no "1": The register has P-1, 1, 1 too')

    def test_a_corrected_day_changes_the_day(self, registry):
        sheets = sound()
        sheets["sessions"][1]["held_on"] = "2024-01-11"
        assert changes(plan_of(sheets)) == [("sessions", "P-1, 1, 2", "held_on", "2024-01-09", "2024-01-11")]


class TestSideEffects:
    """What no sheet has follows the grade and the seriousness."""

    def test_a_newly_serious_one_starts_the_sponsors_clock(self, registry):
        sheets = sound()
        sheets["side_effects"][0]["serious"] = "yes"
        update(sheets)
        assert SideEffect.objects.get().serious_known_at is not None
        sheets["side_effects"][0]["serious"] = "no"
        update(sheets)
        assert SideEffect.objects.get().serious_known_at is None

    def test_another_grade_is_not_what_the_answers_gave(self, registry):
        with acting(by="test", source="page"):
            SideEffect.objects.update(grade_answers={"a": "b"}, grade_reason="so")
        sheets = sound()
        sheets["side_effects"][0]["grade"] = "2"
        update(sheets)
        effect = SideEffect.objects.get()
        assert (effect.grade, effect.grade_answers, effect.grade_reason) == (2, {}, "")


class TestCommand:
    def run(self, folder, *options):
        out = io.StringIO()
        call_command("import_sheets", str(folder), *options, stdout=out)
        return out.getvalue()

    @pytest.fixture
    def folder(self, registry, tmp_path):
        sheets = sound()
        sheets["sessions"][0]["ptga"] = "9"
        del sheets["medications"][0]
        files = as_files(sheets) | {"medications.csv": b"patient_id,name,role\r\nP-1,aspirin,analgesic\r\n"}
        return write_files(tmp_path / "in", files)

    def test_updates_with_a_reason(self, folder):
        out = self.run(folder, "--update", "--reason", "Read wrongly")
        assert 'Changed: sessions, P-1, 1, 1, ptga: "7" to "9"' in out
        assert "Not in the file, and left as it is: medications, P-1, bosentan, 2019" in out
        assert "1 rows are new, 1 changed, 1 not in the file" in out
        assert Change.objects.filter(reason="Read wrongly", source="command").count() == 2

    def test_asks_for_the_reason(self, folder):
        with pytest.raises(CommandError, match="needs --reason"):
            self.run(folder, "--update")

    def test_shows_what_it_would_do(self, folder):
        assert "Changed: sessions" in self.run(folder, "--update", "--check")
        assert TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=1).ptga == 7

    def test_says_so_where_there_is_nothing(self, tmp_path):
        folder = write_files(tmp_path / "none", {"patients.csv": b"patient_id,clinic,sex,diagnosis\r\n"})
        assert self.run(folder) == "The sheets hold no row: there is nothing to import.\n"

    def test_changes_nobody_without_being_asked(self, folder):
        with pytest.raises(CommandError, match="errors; nothing was imported"):
            self.run(folder)


class _Undone(Exception):
    pass


def edited(sheets, chance):
    """Some cells of an export changed, and what was changed: {(sheet, key, column): (old, new)}."""
    edits = {}
    for name, rows in sheets.items():
        sheet = SHEETS[name]
        keys = [column.name for column in sheet.keys]
        for row in rows:
            for column in sheet.columns:
                new = _other(chance, name, column, row)
                if column.is_key or new is None or chance.random() > 0.15:
                    continue
                edits[name, ", ".join(row[key] for key in keys if row[key]), column.name] = (
                    row[column.name],
                    new,
                )
                row[column.name] = new
    return edits


_FREE = {
    ("patients", "raynaud"), ("patients", "disease_status"), ("patients", "race"), ("patients", "pregnant"),
    ("medications", "role"), ("medications", "dose"), ("prior_treatments", "response"), ("lesions", "body_site"),
    ("lesions", "pain_vas"), ("lesions", "dysfunction"), ("lesions", "onset_on"), ("sessions", "note"),
    ("sessions", "performed_by"), ("injections", "volume_ml"), ("injections", "technique"), ("injections", "needle"),
    ("infusions", "dose_g"), ("side_effects", "grade"), ("side_effects", "serious"), ("side_effects", "action"),
}  # fmt: skip
"""Columns that may hold anything of their kind, whatever stands beside them."""


def _other(chance, name, column, row):
    """Another valid value of a cell, or None."""
    if (name, column.name) not in _FREE:
        return None
    values = {
        "code": list(column.vocabulary or ()),
        "yes_no": ["yes", "no"],
        "whole": ["1", "2", "3"],
        "decimal": ["0.5", "1.25", "3"] if column.places > 1 else ["0.5", "3"],
        "partial": ["2011", "2011-05"],
        "text": ["=1+1", "a;b, ø", "0012"],
    }[column.kind]
    if not column.required:
        values.append("")
    values = [value for value in values if value != row[column.name]]
    return chance.choice(values)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_edits_of_an_export_are_told_exactly_and_the_next_export_is_the_edited_file(seed):
    sheets = Generator(seed, ["x"]).sheets()
    if not sheets["patients"]:
        return
    try:
        with transaction.atomic():
            import_sheets(as_raw(sheets), by="test", source="command")
            before = now()
            edits = edited(before, random.Random(seed))
            raw = as_raw({name: rows for name, rows in before.items() if rows})
            checked = import_sheets(raw, by="dana", source="import", allowed=UPDATES, reason="edits")
            told = {(name, key, column): (old, new) for name, key, column, old, new in changes(checked.plan)}
            assert told == edits
            assert not checked.plan.created and not checked.plan.not_in_file
            assert now() == before
            raise _Undone
    except _Undone:
        pass


def test_the_clinics_of_the_register_are_not_made_twice(registry):
    update(sound() | {"patients": [{**row, "raynaud": "no"} for row in sound()["patients"]]})
    assert Clinic.objects.filter(code="north").count() == 1
