"""The browser's fixtures: an error in a page's console fails the test, a barrier fails the check."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.tools.browser import assert_accessible
from tests.tools.server import Server

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = """
import pytest

def test_quiet(page):
    page.set_content("<p>well</p>")

def test_console(page):
    page.set_content("<script>console.error('broken')</script>")

def test_uncaught(page):
    page.set_content("<script>throw new Error('broken')</script>")

def test_second_context(new_context):
    new_context().new_page().set_content("<script>console.error('broken')</script>")

@pytest.mark.console_allowed("^broken")
def test_expected(page):
    page.set_content("<script>console.error('broken')</script>")
"""


def test_an_error_in_the_console_fails_the_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    pytester.makeini("[pytest]\nmarkers = console_allowed\n")
    pytester.makeconftest("from tests.conftest import browser_type_launch_args, new_context\n")
    pytester.makepyfile(PAGES)
    result = pytester.runpytest_subprocess("-p", "no:xdist", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, errors=3)


def test_a_barrier_is_found(new_context):
    page = new_context().new_page()
    page.set_content("<html lang=en><title>t</title><main><h1>t</h1><input type=text></main></html>")
    with pytest.raises(AssertionError, match="label"):
        assert_accessible(page)
    page.set_content("<html lang=en><title>t</title><main><h1>t</h1><label>n <input></label></main></html>")
    assert_accessible(page)


def test_the_server_sends_compressed_files(page: Page, server: Server):
    page.goto("/", wait_until="load")
    sheet = page.locator("link[rel=stylesheet]").first.get_attribute("href")
    assert sheet is not None
    answer = page.request.get(sheet, headers={"Accept-Encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    answer = page.request.get(sheet, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
