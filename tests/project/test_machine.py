"""What the machine lacks is installed where that is possible, or named in one line."""

import subprocess

import pytest

from tests.tools import machine


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine without Chromium, PostgreSQL, a reader of PDF and R; the list fills with the commands that are run on it."""
    commands: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        commands.append(command)
        if command[1] == "install":
            monkeypatch.setattr(machine, "chromium", lambda: "chromium")
            monkeypatch.setattr(machine, "postgresql_programs", lambda: "programs")
            monkeypatch.setattr(machine, "pdf_reader", lambda: "programs")
            monkeypatch.setattr(machine, "r_script", lambda: "programs")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(machine, "chromium", lambda: None)
    monkeypatch.setattr(machine, "postgresql_programs", lambda: None)
    monkeypatch.setattr(machine, "pdf_reader", lambda: None)
    monkeypatch.setattr(machine, "r_script", lambda: None)
    monkeypatch.setattr(machine.subprocess, "run", run)
    monkeypatch.setattr(machine.shutil, "which", lambda name: f"programs/{name}")
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    return commands


def test_root_on_debian_installs_all(bare: list[list[str]]):
    machine.provide()
    assert [command[1] for command in bare] == ["update", "install"]
    assert {"chromium", "postgresql", "poppler-utils", "r-base-core"} <= set(bare[1])


def test_anyone_else_is_told_in_one_line(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit) as refusal:
        machine.provide()
    assert "apt-get install chromium fonts-liberation postgresql poppler-utils r-base-core" in str(
        refusal.value
    )
    assert "\n" not in str(refusal.value)
    assert not bare


def test_an_installation_that_fails_is_told(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine.subprocess, "run", lambda command, **options: bare.append(command))
    with pytest.raises(SystemExit, match="did not succeed"):
        machine.provide()


def test_nothing_is_installed_where_nothing_is_missing(
    bare: list[list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machine, "missing", list)
    machine.provide()
    assert not bare
