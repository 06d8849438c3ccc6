"""What everything that drives a browser shares: which pages there are, signing in, a check for barriers."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.tools.server import PASSWORD

GRAVE = {"serious", "critical"}

WITHOUT_A_PAGE = {
    # On to the first page, or out.
    "home",
    "logout",
    # Answered with a file, or with nothing to read.
    "keep_alive",
    "signed_in",
    "calls_calendar",
    "report_download",
    "report_figure",
    "sheets_template",
    "import_marked",
    "import_problems",
    "photograph",
    "photograph_thumbnail",
    "export_file",
    # Parts of a page.
    "score_state",
    "draft_alerts",
    # Only sent to.
    "call_note",
    "lesion_put_back",
    "call_take_back",
    "holiday_remove",
    "side_effect_observe",
    "side_effect_sponsor",
    "side_effects_asked",
    "session_open",
    "session_correct",
    "draft_save",
    "draft_watch",
    "draft_discard",
    "draft_reopen",
    "import_sheets",
    "import_confirm",
    "import_discard",
    "export_new",
    "export_cancel",
    "export_again",
}
"""Names of the URLs that show nobody a page of their own."""


def page_at(address: str) -> str:
    """The name of the page at an address; empty for what is none of the application's."""
    try:
        return resolve(urlsplit(address).path).url_name or ""
    except Resolver404:
        return ""


def sign_in(page: Page, user: str, password: str = PASSWORD) -> None:
    """Sign in through the form; the page is then the user's first page.

    Raises:
        AssertionError: the form was shown again.
    """
    page.goto("/", wait_until="load")
    form = page.locator("form", has=page.locator("input[type=password]"))
    form.locator("input[name=username], input[name=login]").fill(user)
    password_field = form.locator("input[name=password]")
    password_field.fill(password)
    with page.expect_navigation(wait_until="load"):
        password_field.press("Enter")
    assert page.locator("main input[type=password]").count() == 0, (
        f"{user} could not sign in: {page.inner_text('main')}"
    )


def assert_accessible(page: Page) -> None:
    """Check the page as it is shown now with axe.

    Raises:
        AssertionError: a violation that axe calls serious or critical; the message names rule and place.
    """
    found = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: "
        + "; ".join(node["html"][:200] for node in rule["nodes"])
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in GRAVE
    ]
    assert not found, f"{page.url} has barriers:\n" + "\n".join(found)
