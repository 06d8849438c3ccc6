"""The requirement files: a reason beside each package, exact versions with hashes, one database driver."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
WISHES = ["requirements.in", "tests/requirements.in"]
LOCKED = ["requirements.txt", "tests/requirements.txt"]


def name_of(requirement: str) -> str:
    """The normalised name of a package: `whitenoise[brotli]~=6.0` is `whitenoise`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~!; \\]", requirement)[0]).lower()


def wishes(file: str) -> list[str]:
    lines = (ROOT / file).read_text().splitlines()
    return [name_of(line) for line in lines if line and not line.startswith(("#", "-"))]


def locked(file: str) -> dict[str, list[str]]:
    """Each locked requirement `name==version` with its hashes."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / file).read_text().splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            found[line.removesuffix(" \\")] = current = []
        elif line.strip().startswith("--hash="):
            current.append(line)
    return found


@pytest.mark.parametrize("file", WISHES)
def test_each_package_has_its_reason(file: str):
    before = ""
    for line in (ROOT / file).read_text().splitlines():
        if line and not line.startswith(("#", "-")):
            assert before.startswith("# "), f"{line} has no reason above it"
            assert len(before) > 20, f"the reason of {line} says too little"
        before = line


@pytest.mark.parametrize("file", LOCKED)
def test_each_version_is_exact_and_hashed(file: str):
    requirements = locked(file)
    assert len(requirements) > 15
    for requirement, hashes in requirements.items():
        assert re.fullmatch(r"[a-z0-9.\[\]_-]+==[a-z0-9.]+( ; .+)?", requirement)
        assert hashes, f"{requirement} has no hash"


@pytest.mark.parametrize("file", LOCKED)
def test_no_source_of_packages_is_named(file: str):
    text = (ROOT / file).read_text()
    for word in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host"):
        assert word not in text


@pytest.mark.parametrize(("wish", "lock"), list(zip(WISHES, LOCKED, strict=True)))
def test_what_is_asked_for_is_locked(wish: str, lock: str):
    assert set(wishes(wish)) <= {name_of(requirement) for requirement in locked(lock)}


def test_both_sets_agree():
    runtime = {name_of(requirement): requirement for requirement in locked(LOCKED[0])}
    for requirement in locked(LOCKED[1]):
        assert runtime.get(name_of(requirement), requirement) == requirement


def test_what_only_tests_need_is_not_in_the_runtime_set():
    assert not set(wishes(WISHES[1])) & {name_of(requirement) for requirement in locked(LOCKED[0])}


def test_no_second_driver_replaces_psycopg2():
    """Django prefers psycopg 3 silently wherever it is installed."""
    installed = {name_of(found.metadata["Name"]) for found in importlib.metadata.distributions()}
    assert "psycopg2-binary" in installed
    assert not installed & {"psycopg", "psycopg-binary", "psycopg-c", "psycopg2"}


def test_no_package_asks_another_for_an_extra():
    """An older pip compares `name[extra]` with no locked `name`: it meets a newer release and stops at its hash."""
    locked_names = {name_of(requirement) for file in LOCKED for requirement in locked(file)}
    asked = {
        f"{distribution.metadata['Name']} asks for {requirement}"
        for distribution in importlib.metadata.distributions()
        if name_of(distribution.metadata["Name"]) in locked_names
        for requirement in map(Requirement, distribution.requires or [])
        if requirement.extras and (requirement.marker is None or requirement.marker.evaluate({"extra": ""}))
    }
    assert not asked
