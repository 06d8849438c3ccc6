"""Fixtures and rules for all tests. Tests that use the database are marked `database` by themselves."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from playwright.sync_api import BrowserContext, Error, expect

from tests.tools.machine import CHROMIUM_FLAGS, chromium
from tests.tools.postgresql import fresh_database
from tests.tools.server import Server, running_server

# Playwright's event loop stays in the main thread for as long as its browser lives. Django would then
# refuse the database to every later test of the same process, though nothing there is asynchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A slow machine, not a wrong page, is what five seconds would find.
expect.set_options(timeout=20_000)

_NOTHING_IS_SKIPPED = os.environ.get("CI", "").lower() in {"1", "true"}
# In continuous integration the examples are the same in each run: what it says is about the change, not luck.
settings.register_profile("ci", derandomize=True, suppress_health_check=[HealthCheck.too_slow])
if _NOTHING_IS_SKIPPED:
    settings.load_profile("ci")

_DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "server", "mortal"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often the scripted visit of test_cuts.py is cut: 20 times, or what `make soak` asks for."""
    parser.addoption("--cuts", type=int, default=20, help="how often test_cuts.py cuts a visit (20)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database, before `-m database` chooses."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        cls = getattr(item, "cls", None)
        is_database_case = isinstance(cls, type) and issubclass(cls, TransactionTestCase)
        if fixtures & _DATABASE_FIXTURES or item.get_closest_marker("django_db") or is_database_case:
            item.add_marker(pytest.mark.database)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With CI=true a skipped test is a failed one; an expected failure is none."""
    report = yield
    if _NOTHING_IS_SKIPPED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI=true: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """With CI=true a file that skips itself as a whole is a failed one too."""
    report = yield
    if _NOTHING_IS_SKIPPED and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, and CI=true: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """The application on data of its own, with the demonstration loaded; one for each worker.

    Its data last for the whole run: a test makes what it changes, or looks for what it knows.
    """
    data: Path = tmp_path_factory.mktemp("server")
    url = os.environ.get("TEST_DATABASE_URL", "")
    if not url:
        with running_server(data) as running:
            yield running
        return
    with (
        fresh_database(url, f"browser_{worker_id}_{os.getpid()}") as own,
        running_server(data, own) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """Debian's Chromium instead of playwright's own, which it would have to download."""
    return {**browser_type_launch_args, "executable_path": chromium(), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    """What an address that begins with / is taken from."""
    return server.url


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    """A browser of someone in Denmark, whatever the machine is set to."""
    return {**browser_context_args, "locale": "en-GB", "timezone_id": "Europe/Copenhagen"}


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], request: pytest.FixtureRequest
) -> Iterator[Callable]:
    """Contexts whose every page is listened to: an error in the console fails the test in the end."""
    allowed = [re.compile(marker.args[0]) for marker in request.node.iter_markers("console_allowed")]
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def note(text: str) -> None:
        if not any(pattern.search(text) for pattern in allowed):
            problems.append(text)

    def listened_to(**options) -> BrowserContext:
        context = new_context(**options)
        context.on(
            "console", lambda m: note(f"{m.text} ({m.location['url']})") if m.type == "error" else None
        )
        context.on("weberror", lambda error: note(f"uncaught: {error.error}"))
        contexts.append(context)
        return context

    yield listened_to
    for page in (page for context in contexts for page in context.pages):
        try:
            # One more word with each page brings in what it has said until now.
            page.evaluate("0")
        except Error:
            continue
    assert not problems, "The browser's console holds errors:\n" + "\n".join(problems)
