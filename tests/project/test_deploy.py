"""Production settings are as strict as Django's own list asks, and the start refuses a database that loses."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from stsclinic.audit import triggers
from stsclinic.start import DURABILITY_SETTINGS, refuse_unsafe_database
from tests.tools.postgresql import throwaway_server

ROOT = Path(__file__).resolve().parents[2]


def run(data: Path, *command: str, **variables: str) -> subprocess.CompletedProcess:
    """Run Python in the project with these environment variables and no others of the application."""
    names = ("DEBUG", "HTTPS", "ALLOWED_HOSTS", "SECRET_KEY", "DATABASE_URL", "TRUSTED_ORIGINS", "TIME_ZONE")
    # conftest.py sets it for the browser's tests; the deployment check rightly minds it.
    names += ("DJANGO_ALLOW_ASYNC_UNSAFE",)
    surroundings = {name: value for name, value in os.environ.items() if name not in names}
    surroundings |= {"STSCLINIC_DATA": str(data), "DJANGO_SETTINGS_MODULE": "stsclinic.settings"} | variables
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )


PRODUCTION = {
    "HTTPS": "true",
    "ALLOWED_HOSTS": "clinic.example.org",
    "TRUSTED_ORIGINS": "https://clinic.example.org",
    "SECRET_KEY": "4f1k9zqv7w2m8c3x6b5n0pLrTyUiOaSdFgHjKlZxCvBnMqWe",
}
PRODUCTION["SECRET_KEY"] += "RtYu"


def test_the_deployment_check_has_nothing_to_say(tmp_path):
    answer = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert answer.returncode == 0, answer.stderr
    assert "no issues" in answer.stdout + answer.stderr


def test_the_check_would_speak(tmp_path):
    answer = run(
        tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **(PRODUCTION | {"DEBUG": "1"})
    )
    assert answer.returncode == 1
    assert "security.W018" in answer.stderr


def test_behind_https_cookies_are_bound_and_plain_http_is_led_to_https(tmp_path):
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "plain = Client(headers={'host': 'clinic.example.org'}).get('/')\n"
        "print(plain.status_code, plain['Location'])\n"
        "page = Client(headers={'host': 'clinic.example.org', 'x-forwarded-proto': 'https'}).get('/sign-in/')\n"
        "cookie = page.cookies['__Host-csrf']\n"
        "print(page.status_code, bool(cookie['secure']), bool(cookie['httponly']), cookie['path'], repr(cookie['domain']))\n"
        "print(page['Strict-Transport-Security'])\n"
        "print(Client(headers={'host': 'evil.example', 'x-forwarded-proto': 'https'}).get('/sign-in/').status_code)\n"
    )
    assert run(tmp_path, "manage.py", "migrate", "--verbosity", "0", **PRODUCTION).returncode == 0
    collected = run(tmp_path, "manage.py", "collectstatic", "--noinput", "--verbosity", "0", **PRODUCTION)
    assert collected.returncode == 0, collected.stderr
    answer = run(tmp_path, "-c", script, **PRODUCTION)
    assert answer.stdout.splitlines() == [
        "301 https://clinic.example.org/",
        "200 True True / ''",
        "max-age=31536000; includeSubDomains; preload",
        "400",
    ], answer.stderr


@pytest.mark.django_db
def test_a_migrated_database_is_safe():
    refuse_unsafe_database(connection)


@pytest.mark.django_db
def test_a_database_without_its_triggers_is_refused():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER lesions_patient_history_update")
        else:
            cursor.execute("DROP TRIGGER history_update ON lesions_patient")
    with pytest.raises(
        ImproperlyConfigured, match=r"keeps no history of lesions_patient\. Run: python manage.py migrate"
    ):
        refuse_unsafe_database(connection)


def test_the_server_does_not_start_before_the_database_is_migrated(tmp_path):
    answer = run(tmp_path, "-c", "import stsclinic.wsgi")
    assert answer.returncode == 1
    assert "Run: python manage.py migrate" in answer.stderr
    assert run(tmp_path, "manage.py", "migrate", "--verbosity", "0").returncode == 0
    answer = run(tmp_path, "-c", "import stsclinic.wsgi")
    assert answer.returncode == 0, answer.stderr


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a server of this module's own, which it may set badly."""
    with throwaway_server() as url:
        yield url


def set_server(url: str, statement: str) -> None:
    """Change the server's settings, and wait until a new connection sees them."""
    folder = url.partition("@/")[2].rpartition("/")[0]
    opened = psycopg2.connect(host=f"/{folder}", user="stsclinic", dbname="postgres")
    try:
        opened.autocommit = True
        opened.cursor().execute(statement)
        opened.cursor().execute("SELECT pg_reload_conf()")
        opened.cursor().execute("SELECT pg_sleep(0.5)")
    finally:
        opened.close()


@pytest.mark.parametrize("setting", DURABILITY_SETTINGS)
def test_the_start_refuses_a_server_that_may_lose_what_was_saved(postgresql, tmp_path, setting):
    assert run(tmp_path, "manage.py", "migrate", "--verbosity", "0", DATABASE_URL=postgresql).returncode == 0
    assert run(tmp_path, "-c", "import stsclinic.wsgi", DATABASE_URL=postgresql).returncode == 0
    set_server(postgresql, f"ALTER SYSTEM SET {setting} = off")
    try:
        answer = run(tmp_path, "-c", "import stsclinic.wsgi", DATABASE_URL=postgresql)
    finally:
        set_server(postgresql, f"ALTER SYSTEM RESET {setting}")
    assert answer.returncode == 1
    assert f"PostgreSQL runs with {setting} off" in answer.stderr


def test_a_table_can_be_made_anew_by_a_migration(tmp_path):
    """SQLite refuses that while a trigger of another table names it: the trail, or the series of a protocol."""
    script = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.db import connection\n"
        "from django.apps import apps\n"
        "from stsclinic.audit.triggers import remove_before_migrate, tables_without_history\n"
        "call_command('migrate', verbosity=0)\n"
        "remove_before_migrate(None, using='default', plan=['something'])\n"
        "for name in ('audit.Change', 'sessions_app.Series', 'lesions.Patient'):\n"
        "    with connection.schema_editor() as editor:\n"
        "        editor._remake_table(apps.get_model(name))\n"
        "print(len(tables_without_history(connection)) > 5)\n"
        "call_command('migrate', verbosity=0)\n"
        "print(tables_without_history(connection))\n"
    )
    answer = run(tmp_path, "-c", script)
    assert answer.stdout.splitlines() == ["True", "[]"], answer.stderr


def test_triggers_stay_while_there_is_nothing_to_migrate(tmp_path):
    script = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.db import connection\n"
        "from stsclinic.audit import triggers\n"
        "call_command('migrate', verbosity=0)\n"
        "triggers.install_after_migrate = None\n"
        "triggers.remove_before_migrate(None, using='default', plan=[])\n"
        "print(triggers.tables_without_history(connection))\n"
    )
    assert run(tmp_path, "-c", script).stdout.strip() == "[]"


def test_every_audited_table_is_watched():
    assert len(triggers.audited_models()) > 15
