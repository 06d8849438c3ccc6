"""A throwaway PostgreSQL server: made for one test run, gone with it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from tests.tools.machine import postgresql_programs

USER = "stsclinic"
START_SECONDS = 60


def _owner() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; there it runs as the user that its package made."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [entry.pw_gid]}


@contextmanager
def throwaway_server() -> Iterator[str]:
    """Start a server on a socket in a temporary folder; give the address of its database `stsclinic`.

    It sorts as people do, upper and lower case together, where SQLite sorts by bytes: what relies
    on the database for an order that must be the same everywhere fails here. It writes through to
    the disk as in a clinic, since the application refuses to start on a server that does not.

    Raises:
        RuntimeError: it did not start within a minute.
    """
    programs = postgresql_programs()
    if programs is None:
        raise RuntimeError("No PostgreSQL server is installed.")
    owner = _owner()
    folder = Path(tempfile.mkdtemp(prefix="stsclinic-pg-"))
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    log = folder / "log"
    server = None
    try:
        initdb: list[str | Path] = [
            programs / "initdb",
            "--pgdata",
            folder / "data",
            "--username",
            USER,
            "--auth",
            "trust",
        ]
        initdb += ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US"]
        subprocess.run(initdb, cwd=folder, check=True, stdout=subprocess.DEVNULL, **owner)
        command: list[str | Path] = [
            programs / "postgres",
            "-D",
            folder / "data",
            "-k",
            folder,
            "-c",
            "listen_addresses=",
        ]
        with log.open("wb") as stream:
            server = subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream, **owner)
        _wait_for(server, folder, log)
        _execute(str(folder), "postgres", "CREATE DATABASE stsclinic")
        yield f"postgres://{USER}@/{folder}/stsclinic"
    finally:
        if server is not None and server.poll() is None:
            # SIGTERM would wait for those connected; SIGINT disconnects them.
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _execute(folder: str, database: str, statement: str) -> None:
    """Run a statement that wants no transaction around it, such as CREATE DATABASE."""
    connection = psycopg2.connect(host=folder, user=USER, dbname=database)
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()


def _wait_for(server: subprocess.Popen, folder: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg2.connect(host=str(folder), user=USER, dbname="postgres").close()
            return
        except psycopg2.OperationalError:
            time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")


@contextmanager
def fresh_database(url: str, name: str) -> Iterator[str]:
    """Make the empty database `name` on the server of `url`; give its address; remove it in the end."""
    server, _, existing = url.rpartition("/")
    folder = server.partition("@/")[2]

    _execute(folder, existing, f'CREATE DATABASE "{name}"')
    try:
        yield f"{server}/{name}"
    finally:
        _execute(folder, existing, f'DROP DATABASE "{name}" WITH (FORCE)')
