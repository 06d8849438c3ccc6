"""A file is checked and written some patients at a time, and nobody can tell by what comes of it."""

import gc
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lesions.models import Lesion, Medication, Patient
from sessions_app.datasheets import blocks as blocks_module
from sessions_app.datasheets import checking
from sessions_app.datasheets.blocks import block_around, blocks
from sessions_app.datasheets.checking import Allowed, check
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.inserting import Inserter
from sessions_app.datasheets.problems import ImportRefused
from sessions_app.datasheets.raw import RawSheet, RawSheets
from sessions_app.datasheets.rules import RULES
from sessions_app.datasheets.unusual import UNUSUAL
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.clinics.models import Clinic
from tests.builders import make_clinic, make_patient
from tests.sessions_app.datasheet_files import as_raw, sound
from tests.sessions_app.generated_sheets import Generator

UPDATES = Allowed(updates=True)
IDS = ["P-1", "p-1", " P-1 ", "P-2", "Q", "", "  ", None]


def raw_of(**ids):
    sheets = {}
    for name, column in ids.items():
        sheets[name] = RawSheet(("patient_id",))
        for number, one in enumerate(column, start=2):
            sheets[name].add(number, (one,))
    return RawSheets(sheets=sheets)


class TestBlocks:
    @given(
        patients=st.lists(st.sampled_from(IDS), max_size=30),
        lesions=st.lists(st.sampled_from(IDS), max_size=30),
        most=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 4)),
    )
    def test_have_each_row_once_and_those_of_a_patient_together(self, patients, lesions, most):
        given_ids = {"patients": patients, "lesions": lesions}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks_module, "MOST_PATIENTS", most[0])
            patch.setattr(blocks_module, "MOST_ROWS", most[1])
            patch.setattr(blocks_module, "FIRST_PATIENTS", most[2])
            found = list(blocks(raw_of(**given_ids)))
        for name, ids in given_ids.items():
            places = [place for block in found for place in block.get(name, ())]
            assert sorted(places) == list(range(len(ids)))
            assert all(block[name] == sorted(block[name]) for block in found if name in block)
        whose = [
            {
                (given_ids[name][place] or "").strip().lower()
                for name, places in block.items()
                for place in places
            }
            for block in found
        ]
        named = [patient for block in whose for patient in block if patient]
        assert len(named) == len(set(named))
        assert all(len(block) <= most[0] for block in whose)
        if len(named) > most[0]:
            assert len(whose[0]) <= min(most[2], most[0])

    def test_without_a_patient_a_sheet_is_cut_where_it_gets_long(self, monkeypatch):
        monkeypatch.setattr(blocks_module, "MOST_ROWS", 3)
        raw = raw_of(lesions=[""] * 7)
        raw.sheets["sessions"] = RawSheet(("note",))
        for number in range(2, 6):
            raw.sheets["sessions"].add(number, ("x",))
        assert max(len(places) for block in blocks(raw) for places in block.values()) == 3

    def test_around_a_row_is_its_patient(self):
        raw = raw_of(patients=["P-1", "P-2"], lesions=["P-2", "p-1", "P-2", "", ""])
        assert block_around(raw, "lesions", 1) == {"patients": [0], "lesions": [1]}
        assert block_around(raw, "patients", 1) == {"patients": [1], "lesions": [0, 2]}


def test_a_raw_sheet_gives_back_what_it_took():
    sheet = RawSheet(("a", "b"))
    sheet.add(2, ("x", None))
    sheet.add_rows([5, 6], [("y", "x"), ("", "z")])
    assert list(sheet.rows) == [
        (2, {"a": "x", "b": None}),
        (5, {"a": "y", "b": ""}),
        (6, {"a": "x", "b": "z"}),
    ]
    assert [sheet.place(number) for number in (1, 2, 3, 5, 6, 7)] == [None, 0, None, 1, 2, None]
    assert [sheet.text(name, 0) for name in ("a", "b", "c")] == ["x", "", ""]


@pytest.mark.django_db
class TestAllOrNothing:
    @pytest.fixture(autouse=True)
    def one_by_one(self, monkeypatch):
        monkeypatch.setattr(blocks_module, "MOST_PATIENTS", 1)

    @pytest.mark.parametrize("wrong", [0, 1, 2])
    def test_whichever_patient_is_wrong(self, wrong):
        sheets = sound()
        sheets["patients"][wrong]["sex"] = "?"
        changes = Change.objects.count()
        with pytest.raises(ImportRefused) as refusal:
            import_sheets(as_raw(sheets), by="test", source="import")
        assert [error.place for error in refusal.value.errors] == [f"patients, row {wrong + 2}, sex"]
        assert not Patient.everything.exists() and not Lesion.everything.exists()
        assert not Clinic.objects.filter(code="north").exists()
        assert Change.objects.count() == changes

    def test_where_it_does_not_agree(self):
        found = import_sheets(as_raw(sound()), by="test", source="import", agrees=lambda checked: False)
        assert found.plan.counts["patients"]["created"] == 3
        assert not Patient.everything.exists()

    def test_python_collects_garbage_again(self):
        with pytest.raises(ImportRefused):
            import_sheets(as_raw({"lesions": sound()["lesions"]}), by="test", source="import")
        assert gc.isenabled()


@pytest.mark.django_db
@pytest.mark.usefixtures("blocks_of_a_patient")
def test_of_very_many_errors_the_first_of_the_file_are_listed(monkeypatch):
    monkeypatch.setattr(checking, "MOST_ERRORS", 2)
    sheets = sound()
    for rows in (sheets["patients"], sheets["series"]):
        for row in rows:
            row |= {"sex": "?"} if "sex" in row else {"status": "?"}
    found = [str(error)[:24] for error in check(as_raw(sheets)).errors]
    assert found == ['patients, row 2, sex "?"', 'patients, row 3, sex "?"', "There are 4 more, which "]


def as_if_nothing_was_spared(raw):
    """Checked with every rule, and with every row that the register has of the patients."""
    everything = {name: {} for name in SHEETS}
    with pytest.MonkeyPatch.context() as patch:
        for name, rules in (("RULES", RULES), ("UNUSUAL", UNUSUAL)):
            patch.setattr(checking, name, [replace(rule, reads=everything) for rule in rules])
        return check(raw, UPDATES)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_rules_and_rows_that_are_left_out_would_have_found_nothing(seed):
    generator = Generator(seed, ["x"])
    sheets = generator.sheets()
    assume(sheets["patients"])
    chosen = generator.random.sample(sorted(SHEETS), generator.random.randint(1, 3))
    with transaction.atomic():
        import_sheets(as_raw(sheets), by="test", source="command")
        given_sheets = {name: [dict(row) for row in sheets[name]] for name in chosen if sheets[name]}
        assume(given_sheets)
        for name, rows in given_sheets.items():
            for row in rows:
                for column in SHEETS[name].columns:
                    if column.name != "patient_id" and generator.random.random() < 0.1:
                        row[column.name] = generator.cell(column)
        raw = as_raw(given_sheets)
        spared, everything = check(raw, UPDATES), as_if_nothing_was_spared(raw)
        assert spared.errors == everything.errors
        assert set(spared.warnings) <= set(everything.warnings)
        assert spared.plan.digest == everything.plan.digest
        transaction.set_rollback(True)


@pytest.mark.django_db
class TestInserter:
    def insert(self, inserter, patient, *names):
        columns = {"patient_id": [patient.pk] * len(names), "name": names, "role": ["other"] * len(names)}
        inserter.insert(Medication, columns)

    def test_whoever_asks_sees_what_was_given(self):
        patient = make_patient(make_clinic())
        with acting(by="test", source="import"), Inserter() as inserter:
            self.insert(inserter, patient, "a", "b")
            self.insert(inserter, patient, "c")
            assert [row.name for row in Medication.objects.order_by("pk")] == ["a", "b", "c"]
            self.insert(inserter, patient, "d")
        assert Medication.objects.count() == 4
        assert Change.objects.filter(table_name=Medication._meta.db_table).count() == 4

    def test_what_is_to_come_then_finds_the_rows_that_were_given(self):
        if connection.vendor != "postgresql":
            return
        patient = make_patient(make_clinic())
        with acting(by="test", source="import"), Inserter() as inserter:
            self.insert(inserter, patient, "a")
            inserter.then("UPDATE lesions_medication SET dose = 'first'")
            self.insert(inserter, patient, "b")
        doses = Medication.objects.order_by("pk").values_list("name", "dose")
        assert list(doses) == [("a", "first"), ("b", "")]

    def test_a_row_that_refers_to_none_is_refused_when_it_comes_and_deferring_comes_back(self):
        if connection.vendor != "postgresql":
            return  # SQLite looks in the end.
        patient = make_patient(make_clinic())
        nobody = Medication(patient_id=patient.pk + 1, name="b", role="other")

        def write():
            with acting(by="test", source="import"), Inserter() as inserter:
                inserter.insert(
                    Medication, {"patient_id": [nobody.patient_id], "name": ["a"], "role": ["other"]}
                )
                Patient.objects.count()
                raise AssertionError("It was not said.")

        with pytest.raises(DatabaseError):
            write()
        with acting(by="test", source="import"):
            with Inserter() as inserter:
                self.insert(inserter, patient, "a")
            nobody.save()
            Medication.objects.filter(pk=nobody.pk).update(patient=patient)
        assert Medication.objects.count() == 2

    def test_what_is_asked_beside_waits_for_nothing_that_was_given(self):
        patient = make_patient(make_clinic())
        with acting(by="test", source="import"), Inserter() as inserter:
            self.insert(inserter, patient, "a")
            with inserter.beside():
                beside = Medication.objects.count()
            self.insert(inserter, patient, "b")
            assert [row.name for row in Medication.objects.order_by("pk")] == ["a", "b"]
        assert beside == (0 if connection.vendor == "postgresql" else 1)

    def test_a_refusal_comes_out_after_what_was_asked_beside(self):
        patient = make_patient(make_clinic())

        def write():
            with acting(by="test", source="import"), Inserter() as inserter:
                inserter.insert(Medication, {"patient_id": [patient.pk], "name": ["b"], "role": ["?"]})
                with inserter.beside():
                    Patient.objects.count()
                self.insert(inserter, patient, "a")

        with pytest.raises(DatabaseError):
            write()
        assert not Medication.objects.exists()

    @pytest.mark.parametrize("asks", [False, True])
    def test_a_refusal_comes_out_of_what_is_asked_next_or_in_the_end(self, asks):
        patient = make_patient(make_clinic())

        def write():
            with acting(by="test", source="import"), Inserter() as inserter:
                self.insert(inserter, patient, "a")
                inserter.insert(Medication, {"patient_id": [patient.pk], "name": ["b"], "role": ["?"]})
                if asks:
                    Medication.objects.count()
                    raise AssertionError("It was not said.")

        with pytest.raises(DatabaseError):
            write()
        assert not Medication.objects.exists()
