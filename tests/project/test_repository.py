"""What lies in the repository: no path of a machine, no registry's host, no secret, whole vendored libraries."""

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from stsclinic.clinics.management.commands.create_user import Command as CreateUser

ROOT = Path(__file__).resolve().parents[2]
TEXT = {
    ".py",
    ".md",
    ".html",
    ".txt",
    ".in",
    ".toml",
    ".js",
    ".css",
    ".csv",
    ".json",
    ".svg",
    ".yml",
    ".example",
    "",
}

OUTSIDE = {
    "a folder beside the project": r"\.\./shared|(?<![\w-])shared/(?:spec|cases|seeds)",
    "a path of one machine": r"(?<![\w.$:/-])/(?:work|root|opt|home/[a-z]+)/",
    "a registry's host": r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org|jsdelivr|unpkg\.com|cdnjs",
}
SECRET = r"-----BEGIN [A-Z ]*PRIVATE KEY|SECRET_KEY\s*=\s*['\"][^'\"]{20,}"


def files() -> list[Path]:
    """The files that git knows or would take, as text; the vendored libraries are read by a test of theirs."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    found = [ROOT / name for name in listed if name and not name.startswith("static/vendor/")]
    return [path for path in found if path.is_file() and path.suffix in TEXT and path != Path(__file__)]


@pytest.mark.parametrize("what", OUTSIDE)
def test_nothing_outside_is_named(what: str):
    pattern = re.compile(OUTSIDE[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found, f"{what} is named:\n" + "\n".join(found)


def test_no_secret_is_kept():
    found = [str(path) for path in files() if re.search(SECRET, path.read_text(encoding="utf-8"))]
    assert not found


def test_no_data_is_kept():
    """Databases, keys and photographs belong into STSCLINIC_DATA, which git ignores."""
    command = ["git", "ls-files", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    assert not [
        name for name in names if name.startswith("var/") or name.endswith((".sqlite3", ".db", "secret_key"))
    ]
    ignored = subprocess.run(["git", "check-ignore", "-q", "var/stsclinic.sqlite3"], cwd=ROOT)
    assert ignored.returncode == 0


def test_each_vendored_library_is_whole():
    libraries = [folder for folder in (ROOT / "static" / "vendor").iterdir() if folder.is_dir()]
    assert {"bootstrap", "htmx"} <= {folder.name for folder in libraries}
    for folder in libraries:
        assert (folder / "LICENSE").stat().st_size > 200, f"{folder.name} has no licence"
        for path in folder.rglob("*.*"):
            # The manifest storage would look for the map that the line names, and refuse to start.
            assert "sourceMappingURL" not in path.read_text(encoding="utf-8"), path


def test_the_licence_is_there():
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_the_continuous_integration_calls_both_commands():
    script = ROOT / ".ci" / "run"
    assert stat.S_IMODE(os.stat(script).st_mode) & 0o111
    text = script.read_text()
    assert text.index("make --no-print-directory lint") < text.index("make --no-print-directory test")


def variables() -> set[str]:
    """The environment variables that the application reads, from the one module that reads them."""
    source = (ROOT / "stsclinic" / "environment.py").read_text()
    return set(re.findall(r'(?:environ\.get|_[a-z_]+)\(\s*"([A-Z_]+)"', source))


def test_each_variable_of_the_application_is_in_the_example():
    """One list of the variables for whoever runs it: .env.example and the README name each."""
    read = variables()
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z_]+)=", example, flags=re.MULTILINE))
    assert "DATABASE_URL" in read
    assert read | {"DEMO_PASSWORD"} == named


def test_the_surroundings_are_read_in_one_place():
    allowed = {"stsclinic/environment.py", "stsclinic/wsgi.py", "manage.py"}
    reading = re.compile(r"os\.(environ|getenv)|from os import environ")
    code = [
        path for folder in ("stsclinic", "lesions", "sessions_app") for path in (ROOT / folder).rglob("*.py")
    ]
    found = {str(path.relative_to(ROOT)) for path in code if reading.search(path.read_text(encoding="utf-8"))}
    # load_demo reads the demonstration's password, which no running server needs.
    assert found - allowed <= {"stsclinic/demo/management/commands/load_demo.py"}


def test_the_tests_are_deaf_to_each_variable():
    """tests/settings.py removes each of them, so that no surroundings decide how a test ends."""
    from tests import settings

    assert variables() - {"STSCLINIC_DATA"} <= set(settings._OF_THE_APPLICATION)


def test_templates_hold_no_script_and_no_style_of_their_own():
    """The content security policy would refuse both, and the page would be without them."""
    inline = re.compile(
        r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\bsrc=)[^>]*>", re.I
    )
    found = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for match in inline.finditer(path.read_text(encoding="utf-8")):
            tag = match.group()
            is_data = tag.lower().startswith("<script") and "application/json" in tag
            if not is_data:
                found.append(f"{path.relative_to(ROOT)}: {tag.strip()}")
    assert not found


def test_the_readme_makes_the_first_clinic_and_its_administrator():
    """The two commands, as they stand there, between migrating and serving."""
    lines = (ROOT / "README.md").read_text().splitlines()
    made = [
        shlex.split(line)[2:] for line in lines if re.match(r"\.venv/bin/python manage\.py create_", line)
    ]
    (clinic, code, *_named), (user, name, *options) = made
    assert (clinic, user) == ("create_clinic", "create_user")
    parsed = CreateUser().create_parser("manage.py", user).parse_args([name, *options])
    assert (parsed.role, parsed.clinic) == (["administrator"], [code])
