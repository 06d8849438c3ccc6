"""Who may import whom: the table, and a reading of every import that holds it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OWN = ("stsclinic", "lesions", "sessions_app", "tests")

# What a package must not import. A longer name goes before a shorter one.
FORBIDDEN = {
    "stsclinic.clinical": {
        "django", "stsclinic.reporting", "stsclinic.clinics", "stsclinic.audit", "stsclinic.access",
        "stsclinic.settings", "stsclinic.environment", "lesions", "sessions_app", "tests", "sqlite3", "psycopg2",
    },
    "stsclinic.reporting": {
        "django", "stsclinic.clinics", "stsclinic.audit", "stsclinic.access", "stsclinic.settings",
        "stsclinic.environment", "lesions", "sessions_app", "tests", "sqlite3", "psycopg2",
    },
    # The demonstration stands on top of both apps; settings, urls and the server name them.
    "stsclinic.demo": {"tests"},
    "stsclinic.settings": {"tests"},
    "stsclinic.urls": {"tests"},
    "stsclinic.server": {"tests"},
    "stsclinic": {"lesions", "sessions_app", "tests"},
    "lesions": {"sessions_app", "tests"},
    "sessions_app": {"tests"},
}  # fmt: skip

PURE = ("stsclinic.clinical", "stsclinic.reporting")
CLOCK_READERS = {"now", "today", "utcnow", "time", "monotonic", "localtime", "gmtime"}


def modules() -> list[tuple[str, Path]]:
    """Every Python module of the application, by its dotted name."""
    found = []
    for package in OWN[:-1]:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.append((name.removesuffix(".__init__"), path))
    return found


MODULES = modules()


def is_under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def imports(name: str, tree: ast.AST, is_package: bool) -> set[str]:
    """The dotted names that a module imports, inside functions too, relative ones made absolute."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = node.level - 1 if is_package else node.level
                parents = name.split(".")[: len(name.split(".")) - up]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    return found


def forbidden_imports(name: str, imported: set[str]) -> set[str]:
    """Those of the imported names that the table forbids to this module."""
    package = next(package for package in FORBIDDEN if is_under(name, package))
    return {target for target in imported for rule in FORBIDDEN[package] if is_under(target, rule)}


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_the_table_is_kept(name: str, path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not forbidden_imports(name, imports(name, tree, path.name == "__init__.py"))


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name, path in MODULES if any(is_under(name, package) for package in PURE)],
)
def test_rules_read_no_clock_and_no_surroundings(name: str, path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    clocks = {call for call in calls if call.split(".")[-1] in CLOCK_READERS}
    surroundings = {call for call in calls if call.startswith(("os.", "random.", "secrets.", "socket."))}
    assert not clocks | surroundings


def test_the_reading_finds_what_it_must():
    source = "from ..reporting import words\ndef f():\n    import django.db\n    from lesions.models import Lesion\n"
    found = imports("stsclinic.clinical.scales", ast.parse(source), is_package=False)
    assert forbidden_imports("stsclinic.clinical.scales", found) == {
        "stsclinic.reporting", "stsclinic.reporting.words", "django.db", "lesions.models", "lesions.models.Lesion",
    }  # fmt: skip
    assert forbidden_imports("lesions.models", {"sessions_app.models", "stsclinic.clinical"}) == {
        "sessions_app.models"
    }
    assert forbidden_imports("stsclinic.access", {"sessions_app.views"}) == {"sessions_app.views"}
    assert len(MODULES) > 20
