"""The commands of manage.py as an operator runs them: their streams, their exit codes, a data folder alone."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from stsclinic.demo.loading import CASE_FOLDER
from tests.sessions_app.datasheet_files import as_files, files_of, sound, write_files
from tests.tools.server import ROOT

EXPECTED = ROOT / "tests" / "reporting" / "expected"


class Operator:
    """Runs manage.py with a data folder and nothing else in the surroundings."""

    def __init__(self, data: Path):
        self.data = data

    def run(self, *arguments, typed=""):
        """Run a command; give the finished process, its streams as text."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "STSCLINIC_DATA": str(self.data)},
            input=typed,
            capture_output=True,
            text=True,
        )

    def good(self, *arguments, typed=""):
        """Run a command that must succeed; give its standard output."""
        done = self.run(*arguments, typed=typed)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def refused(self, *arguments, typed=""):
        """Run a command that must be refused with 1; give its standard error."""
        done = self.run(*arguments, typed=typed)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        assert done.stdout == ""
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def empty_data(tmp_path_factory):
    """A data folder whose database was migrated, to be copied."""
    folder = tmp_path_factory.mktemp("data")
    Operator(folder).good("migrate", "--verbosity", "0")
    return folder


@pytest.fixture
def operator(empty_data, tmp_path):
    return Operator(shutil.copytree(empty_data, tmp_path / "data"))


@pytest.fixture(scope="module")
def aarhus(empty_data, tmp_path_factory):
    """A database that holds the case of Aarhus; nobody writes to it."""
    operator = Operator(shutil.copytree(empty_data, tmp_path_factory.mktemp("aarhus") / "data"))
    said = operator.good("import_sheets", CASE_FOLDER / "aarhus")
    assert "patients 43" in said
    return operator


def test_sheets_go_round_through_a_folder_and_a_workbook(aarhus, empty_data, tmp_path):
    aarhus.good("export_sheets", tmp_path / "first")
    aarhus.good("export_sheets", tmp_path / "first.xlsx")
    for number, path in enumerate(("first", "first.xlsx")):
        empty = Operator(shutil.copytree(empty_data, tmp_path / f"empty{number}"))
        empty.good("import_sheets", tmp_path / path)
        empty.good("export_sheets", tmp_path / f"second{number}")
        assert files_of(tmp_path / f"second{number}") == files_of(tmp_path / "first")
        empty.good("export_sheets", tmp_path / f"second{number}.xlsx")
        again = (tmp_path / f"second{number}.xlsx").read_bytes()
        assert again == (tmp_path / "first.xlsx").read_bytes()


def test_a_refused_import_lists_every_error_and_writes_nothing(operator, tmp_path):
    sheets = sound()
    sheets["patients"][0]["sex"] = "f"
    sheets["sessions"][0]["ptga"] = "12"
    said = operator.refused("import_sheets", write_files(tmp_path / "in", as_files(sheets)))
    assert 'patients, row 2, sex "f": ' in said
    assert "female, male, other, unknown" in said
    assert 'sessions, row 2, ptga "12": ' in said
    assert "2 errors; nothing was imported." in said
    with closing(sqlite3.connect(operator.data / "stsclinic.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM lesions_patient").fetchone() == (0,)


def test_an_import_lists_what_is_unusual(operator, tmp_path):
    sheets = sound()
    sheets["injections"][0]["concentration_mg_ml"] = "250"
    folder = write_files(tmp_path / "in", as_files(sheets))
    said = operator.good("import_sheets", "--check", folder)
    assert "Warning: injections, row 2" in said
    assert "Checked: patients 3" in said
    assert "Imported: patients 3" in operator.good("import_sheets", folder)
    assert "This ID is taken." in operator.refused("import_sheets", folder)


def test_paths_that_are_none(operator, tmp_path):
    assert "no file or folder" in operator.refused("import_sheets", tmp_path / "missing")
    (tmp_path / "file.csv").write_text("patient_id\n")
    assert "neither a zip nor a workbook" in operator.refused("import_sheets", tmp_path / "file.csv")
    assert "is a file" in operator.refused("export_sheets", tmp_path / "file.csv")
    (tmp_path / "folder.xlsx").mkdir()
    assert "is a folder" in operator.refused("export_sheets", tmp_path / "folder.xlsx")
    assert "cannot be written" in operator.refused("export_sheets", tmp_path / "no" / "such" / "book.xlsx")


def test_an_export_never_mixes_with_other_files(operator, tmp_path):
    target = tmp_path / "out"
    operator.good("export_sheets", target)
    operator.good("export_sheets", target)
    (target / "notes.txt").write_text("mine")
    assert "notes.txt" in operator.refused("export_sheets", target)
    assert (target / "notes.txt").read_text() == "mine"


def test_an_export_is_for_the_owner_alone(operator, tmp_path):
    operator.good("export_sheets", tmp_path / "out.xlsx")
    assert (tmp_path / "out.xlsx").stat().st_mode & 0o077 == 0
    assert openpyxl.load_workbook(tmp_path / "out.xlsx").sheetnames[0] == "patients"
    operator.good("export_sheets", tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_the_report_is_the_object_and_nothing_else(aarhus):
    said = aarhus.good("series_report", "--json")
    assert json.loads(said) == json.loads((EXPECTED / "aarhus.json").read_text())
    assert aarhus.good("series_report", "--json", "--clinic", "aarhus") == said
    # With a protocol chosen, only patients with such a series count.
    chosen = json.loads(aarhus.good("series_report", "--json", "--protocol", "weekly4"))
    assert chosen["cohort"] == json.loads(said)["cohort"] | {"patients_offered": 38}
    other = json.loads(aarhus.good("series_report", "--json", "--protocol", "iv"))
    assert other["cohort"]["patients_offered"] == 0


def test_the_report_without_json_is_readable(aarhus):
    assert "Patients offered treatment\t43" in aarhus.good("series_report")


def test_unknown_codes_are_refused_with_the_valid_ones(aarhus):
    assert "Valid are: aarhus." in aarhus.refused("series_report", "--json", "--clinic", "nowhere")
    said = aarhus.refused("series_report", "--json", "--protocol", "daily")
    assert "biweekly, iv, longterm, placebo3, weekly4" in said


def test_clinics_and_users_without_a_browser(operator):
    assert "Made the clinic" in operator.good("create_clinic", "north", "--time-zone", "Europe/Oslo")
    assert "already exists" in operator.refused("create_clinic", "north")
    assert "time zone" in operator.refused("create_clinic", "south", "--time-zone", "Mars")
    assert "Small letters" in operator.refused("create_clinic", "South")
    anna = ("create_user", "anna", "--role", "administrator", "--clinic", "north")
    assert "Password, shown this once: " in operator.good(*anna)
    assert "taken" in operator.refused(*anna)
    bo = ("create_user", "bo", "--role", "nurse", "--clinic", "north", "--password-stdin")
    assert "too short" in operator.refused(*bo, typed="short\n")
    assert "no password" in operator.refused(*bo)
    said = operator.good(*bo, typed="a long enough passphrase\n")
    assert "passphrase" not in said
    assert "Valid are: clinician" in operator.refused("create_user", "cy", "--role", "x", "--clinic", "north")
    assert "Valid are: north" in operator.refused("create_user", "cy", "--role", "nurse", "--clinic", "x")
    assert operator.good("list_users") == "anna\tactive\tadministrator@north\nbo\tactive\tnurse@north\n"


def test_a_user_is_changed_or_nothing_is(operator):
    operator.good("create_clinic", "north")
    operator.good("create_user", "bo", "--role", "nurse", "--clinic", "north")
    operator.good("change_user", "bo", "--give", "clinician@north", "--take", "nurse@north", "--deactivate")
    assert operator.good("list_users") == "bo\tinactive\tclinician@north\n"
    assert "at least one role" in operator.refused(
        "change_user", "bo", "--take", "clinician@north", "--activate"
    )
    assert "Say what to change" in operator.refused("change_user", "bo")
    assert "no user" in operator.refused("change_user", "nobody", "--activate")
    assert "no clinic" in operator.refused("change_user", "bo", "--give", "nurse@nowhere")
    assert operator.good("list_users") == "bo\tinactive\tclinician@north\n"
    assert "Password, shown this once: " in operator.good("change_user", "bo", "--activate", "--new-password")
    with closing(sqlite3.connect(operator.data / "stsclinic.sqlite3")) as database:
        rows = database.execute(
            "SELECT old, new FROM audit_change WHERE table_name = 'clinics_user'"
        ).fetchall()
    assert len(rows) == 3
    assert "argon2" not in str(rows)


@pytest.mark.parametrize(
    "command",
    [
        "import_sheets",
        "export_sheets",
        "export_data",
        "series_report",
        "load_demo",
        "create_clinic",
        "create_user",
        "change_user",
        "list_users",
    ],
)
def test_every_command_explains_itself(command, tmp_path):
    said = Operator(tmp_path / "data").good(command, "--help")
    assert len(said.partition("usage:")[2].split()) > 20
