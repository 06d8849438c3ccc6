"""People of a clinic of their own, each with a browser and a password."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page

from tests.browser.keyboard import Keyboard
from tests.tools.browser import sign_in
from tests.tools.server import Server


@dataclass(frozen=True)
class Person:
    """Someone signed in: the page, and the keyboard in front of it."""

    page: Page
    keys: Keyboard


def make_clinic(server: Server, code: str) -> None:
    """A clinic without a patient."""
    server.manage("create_clinic", code, "--name", f"Clinic {code}", "--time-zone", "Europe/Copenhagen")


def come_in(server: Server, new_context: Callable[..., BrowserContext], clinic: str, role: str) -> Person:
    """A new user who has `role` in `clinic` alone, at a browser, signed in."""
    user = f"{role}.{clinic}"
    printed = server.manage("create_user", user, "--role", role, "--clinic", clinic).stdout
    password = printed.rpartition("Password, shown this once: ")[2].strip()
    page = new_context().new_page()
    sign_in(page, user, password)
    return Person(page=page, keys=Keyboard(page))
