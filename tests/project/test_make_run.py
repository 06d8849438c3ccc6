"""`make run` as a person would: it says where and who, keeps what was entered, and ends at once."""

import contextlib
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.server import PASSWORD, environment, manage

ROOT = Path(__file__).resolve().parents[2]
USERS = ["clinician", "nurse", "investigator", "observer", "datamanager", "administrator"]
ENTER = """
from stsclinic.audit.services import change
from stsclinic.clinics.models import User
change(User.objects.get(username="nurse"), {"first_name": "Entered"}, by="nurse", seen_version=None)
"""
START_SECONDS = 120
# A browser's idle connection may hold the end up for a moment; more would look like a server that hangs.
END_SECONDS = 5


@contextlib.contextmanager
def make_run(data: Path) -> Iterator[tuple[subprocess.Popen, int, str]]:
    """Start it in a process group of its own; give the process, the port and what it said until it was ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # The packages are installed where this test runs: make is told that the mark of it is not to be remade.
    command = ["make", "run", f"PORT={port}", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/installed-run"]
    log = data.parent / f"run-{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(data),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Ready at" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process, port, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_served(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def entered(data: Path) -> list[tuple]:
    """The users as the database holds them: their rows change when someone loads them anew."""
    with contextlib.closing(sqlite3.connect(data / "stsclinic.sqlite3")) as database:
        return database.execute(
            "SELECT username, password, first_name FROM clinics_user ORDER BY username"
        ).fetchall()


def test_it_serves_says_who_may_sign_in_and_ends(tmp_path: Path):
    data = tmp_path / "data"
    with make_run(data) as (process, port, said):
        assert f"http://127.0.0.1:{port}/" in said
        assert PASSWORD in said
        assert "demonstration" in said.partition("[5/5]")[2].partition("\n")[2]
        assert [user for user in USERS if user not in said] == []
        assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
        with socket.create_connection(("127.0.0.1", port)):
            began = time.monotonic()
            # To make alone, as a supervisor does that knows no more than what it started.
            process.terminate()
            process.wait(timeout=END_SECONDS)
        assert time.monotonic() - began < END_SECONDS
        assert not is_served(port)
    manage(environment(data), "shell", "--command", ENTER)
    before = entered(data)
    assert "Entered" in {first_name for _, _, first_name in before}

    with make_run(data) as (process, port, _):
        assert entered(data) == before
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=END_SECONDS)
        assert not is_served(port)


@pytest.mark.parametrize(
    "variable", ["DEBUG", "HTTPS", "IDLE_MINUTES", "TIME_ZONE", "DATABASE_URL", "SECRET_KEY"]
)
def test_a_wrong_value_stops_the_start_with_a_sentence(tmp_path: Path, variable: str):
    surroundings = {**environment(tmp_path), variable: "perhaps"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert variable in last
    assert "Valid" in last
