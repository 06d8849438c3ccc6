"""A wrong value of an environment variable stops the start with a sentence that says what is valid."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from stsclinic import environment

ROOT = Path(__file__).resolve().parents[2]

DEFAULTS = {
    "debug": False,
    "https": False,
    "idle_minutes": 15,
    "time_zone": "UTC",
    "allowed_hosts": ["127.0.0.1", "localhost", "[::1]"],
    "trusted_origins": [],
}

NAMES = (
    "ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "HTTPS", "IDLE_MINUTES", "SECRET_KEY", "STSCLINIC_DATA",
    "TIME_ZONE", "TRUSTED_ORIGINS",
)  # fmt: skip


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """Nothing set but a data folder of its own."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STSCLINIC_DATA", str(tmp_path / "data"))


WRONG = [
    ("DEBUG", "maybe", "Valid are true and false"),
    ("DEBUG", "2", "Valid are true and false"),
    ("HTTPS", "https", "Valid are true and false"),
    ("IDLE_MINUTES", "0", "a whole number from 1 to 480"),
    ("IDLE_MINUTES", "481", "a whole number from 1 to 480"),
    ("IDLE_MINUTES", "-5", "a whole number from 1 to 480"),
    ("IDLE_MINUTES", "7.5", "a whole number from 1 to 480"),
    ("IDLE_MINUTES", "١٥", "a whole number from 1 to 480"),
    ("IDLE_MINUTES", "fifteen", "a whole number from 1 to 480"),
    ("TIME_ZONE", "Copenhagen", "such as Europe/Copenhagen"),
    ("TIME_ZONE", "../etc/passwd", "such as Europe/Copenhagen"),
    ("TIME_ZONE", "Europe", "such as Europe/Copenhagen"),
    ("SECRET_KEY", "short", "50 characters or more"),
    ("SECRET_KEY", "x" * 60, "50 characters or more"),
    ("DATABASE_URL", "mysql://user:word@host/name", "Valid is postgres://"),
    ("DATABASE_URL", "postgres://", "Valid is postgres://"),
    ("DATABASE_URL", "stsclinic", "Valid is postgres://"),
    ("DATABASE_URL", "postgres://user:word@host:port/name", "Valid is postgres://"),
    ("ALLOWED_HOSTS", "*", "host names such as clinic.example.org"),
    ("ALLOWED_HOSTS", "https://clinic.example.org", "host names such as clinic.example.org"),
    ("ALLOWED_HOSTS", "clinic.example.org:8000", "host names such as clinic.example.org"),
    ("ALLOWED_HOSTS", "clinic.example.org other.example.org", "host names such as clinic.example.org"),
    ("TRUSTED_ORIGINS", "clinic.example.org", "addresses such as https://clinic.example.org"),
    ("TRUSTED_ORIGINS", "https://clinic.example.org/path", "addresses such as https://clinic.example.org"),
    ("TRUSTED_ORIGINS", "ftp://clinic.example.org", "addresses such as https://clinic.example.org"),
]


@pytest.mark.parametrize(("name", "value", "valid"), WRONG)
def test_a_wrong_value_is_refused_with_what_is_valid(monkeypatch, name, value, valid):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read()
    sentence = str(caught.value)
    assert name in sentence
    assert valid in sentence


def test_every_variable_has_a_wrong_value_in_this_table():
    assert {name for name, _, _ in WRONG} | {"STSCLINIC_DATA"} == set(NAMES)
    source = Path(environment.__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in NAMES)


def test_no_secret_stands_in_a_refusal(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://user:very-secret@host/name")
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read()
    assert "very-secret" not in str(caught.value)
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("SECRET_KEY", "not-long-enough")
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read()
    assert "not-long-enough" not in str(caught.value)


def test_a_data_folder_that_is_a_file_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("STSCLINIC_DATA", str(folder))
        with pytest.raises(ImproperlyConfigured, match="Valid is a folder that this program may write"):
            environment.read()


def test_without_any_variable_the_defaults_hold():
    read = environment.read()
    assert {name: getattr(read, name) for name in DEFAULTS} == DEFAULTS
    assert read.database == {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(read.data / "stsclinic.sqlite3"),
    }


def test_right_values_are_read(monkeypatch):
    for name, value in {
        "DEBUG": "Yes",
        "HTTPS": " true ",
        "IDLE_MINUTES": "480",
        "TIME_ZONE": "Europe/Lisbon",
        "ALLOWED_HOSTS": "clinic.example.org, .example.com,[::1],10.0.0.7",
        "TRUSTED_ORIGINS": "https://clinic.example.org,http://localhost:8443,https://*.example.com",
        "DATABASE_URL": "postgres://user:word@127.0.0.1:5432/name",
        "SECRET_KEY": "0123456789" * 5,
    }.items():
        monkeypatch.setenv(name, value)
    read = environment.read()
    assert (read.debug, read.https, read.idle_minutes, read.time_zone) == (True, True, 480, "Europe/Lisbon")
    assert read.allowed_hosts == ["clinic.example.org", ".example.com", "[::1]", "10.0.0.7"]
    assert read.trusted_origins[1:] == ["http://localhost:8443", "https://*.example.com"]
    assert read.database["ENGINE"].endswith("postgresql")
    assert read.database["NAME"] == "name"


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it():
    first, second = environment.read(), environment.read()
    file = first.data / "secret_key"
    assert first.secret_key == second.secret_key == file.read_text()
    assert len(first.secret_key) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.data.stat().st_mode) == 0o700
    assert sorted(path.name for path in first.data.iterdir()) == ["secret_key", "stsclinic.sqlite3"]


def test_only_its_owner_reads_the_database_in_a_folder_that_was_made_by_hand(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    file = environment.read().data / "stsclinic.sqlite3"
    assert (file.parent, stat.S_IMODE(file.stat().st_mode)) == (folder, 0o600)
    file.write_bytes(b"kept")
    environment.read()
    assert file.read_bytes() == b"kept"


def test_an_empty_key_file_is_refused(tmp_path):
    environment.read()
    (tmp_path / "data" / "secret_key").write_text("")
    with pytest.raises(ImproperlyConfigured, match="holds no secret key"):
        environment.read()


def test_the_command_line_says_one_sentence_and_no_traceback(tmp_path):
    answer = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env=os.environ
        | {
            "IDLE_MINUTES": "never",
            "STSCLINIC_DATA": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "stsclinic.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        "stsclinic cannot start. IDLE_MINUTES is 'never'. Valid is a whole number from 1 to 480."
    )


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("4", "4")])
def test_numpy_adds_up_in_one_part_unless_somebody_said_otherwise(monkeypatch, given, used):
    monkeypatch.delenv(environment.OPENBLAS, raising=False)
    if given:
        monkeypatch.setenv(environment.OPENBLAS, given)
    environment.read()
    assert os.environ[environment.OPENBLAS] == used


def test_settings_are_read_before_numpy_is():
    """It looks at its variable once, when it is imported."""
    told = "import sys; import stsclinic.settings; print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
