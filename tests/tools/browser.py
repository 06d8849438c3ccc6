"""Steps that every browser test shares: sign in, and check a page for barriers."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.tools.server import PASSWORD

GRAVE = {"serious", "critical"}


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
