"""Two on one sheet, a network that goes and comes, a session that ends: what was typed is there, and said to be."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.people import come_in, hire, make_clinic, write_patients
from tests.tools.browser import assert_accessible
from tests.tools.server import Server

CLINIC = "never-lost"
SAVED = re.compile(r"^Saved \d\d:\d\d:\d\d\.$")
PATIENTS = [f"LOST-{number}" for number in range(1, 16)]


@dataclass
class Team:
    """A clinician and a nurse, and a patient of theirs who waits for the first session."""

    patient: str
    passwords: dict[str, tuple[str, str]]
    new_context: Callable[..., BrowserContext]

    def someone(self, role: str, **options) -> Page:
        """One of the two, signed in, with the sheet of the patient's session open."""
        page = come_in(lambda: self.new_context(**options), *self.passwords[role]).page
        self.open_sheet(page)
        return page

    def open_sheet(self, page: Page) -> None:
        """Go to the patient's sheet from the list of what is due."""
        page.goto("/today/", wait_until="load")
        record = page.get_by_role("button", name=f"Record treatment of {self.patient}")
        go_on = page.get_by_role("link", name=f"Go on with the draft of {self.patient}")
        record.or_(go_on).click()
        expect(page.locator("[data-sheet]")).to_be_visible()
        # With its scripts: what cuts the network next must not keep them away.
        page.wait_for_load_state("load")

    def sign_in_over(self, page: Page, role: str, password: str = "") -> None:
        """Type the password into the dialogue that covers the page."""
        page.get_by_label("Password").fill(password or self.passwords[role][1])
        page.get_by_role("button", name="Sign in and go on").click()


@pytest.fixture(scope="module")
def passwords(server: Server, tmp_path_factory) -> dict[str, tuple[str, str]]:
    """The clinic of this file with its patients, and the user names and passwords of those who work there."""
    make_clinic(server, CLINIC)
    folder = tmp_path_factory.mktemp("never-lost")
    server.manage(
        "import_sheets", write_patients(folder, clinic=CLINIC, study_ids=PATIENTS, lesions=("L01",))
    )
    return {role: hire(server, CLINIC, role) for role in ("clinician", "nurse")}


@pytest.fixture(scope="module")
def waiting() -> list[str]:
    """The patients whom no test has taken yet: a new one for each, since nothing clinical is ever deleted."""
    return list(PATIENTS)


@pytest.fixture
def team(passwords, waiting: list[str], new_context: Callable[..., BrowserContext]) -> Team:
    """The two, and the next patient."""
    return Team(waiting.pop(), passwords, new_context)


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[data-sheet] [name={name}]")


def status(page: Page) -> Locator:
    return page.locator("[data-saved]")


def company(page: Page) -> Locator:
    return page.locator("[data-company]")


def clash(page: Page) -> Locator:
    return page.get_by_role("group", name="Two texts for")


def dialogue(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_each_sees_what_the_other_types_and_who_is_there(team: Team):
    nurse, clinician = team.someone("nurse"), team.someone("clinician")
    expect(company(clinician)).to_have_text(f"nurse.{CLINIC} is on this sheet too.")
    expect(company(nurse)).to_have_text(f"clinician.{CLINIC} is on this sheet too.")
    field(nurse, "ptga").press_sequentially("7")
    expect(status(nurse)).to_have_text(SAVED)
    expect(field(clinician, "ptga")).to_have_value("7")
    expect(clinician.get_by_text(f"Now by nurse.{CLINIC}")).to_be_visible()
    expect(clinician.get_by_role("status").filter(has_text="changed PtGA")).to_have_count(1)
    assert_accessible(clinician)
    expect(clinician.get_by_text(f"Now by nurse.{CLINIC}")).to_have_count(0, timeout=15_000)
    nurse.close()
    expect(company(clinician)).to_be_hidden(timeout=40_000)
    field(clinician, "phga").press_sequentially("5")
    expect(status(clinician)).to_have_text(SAVED)
    clinician.reload()
    expect(field(clinician, "ptga")).to_have_value("7")
    expect(field(clinician, "phga")).to_have_value("5")


@pytest.mark.console_allowed("ERR_INTERNET_DISCONNECTED")
@pytest.mark.parametrize("chosen", ["mine", "theirs"])
def test_both_texts_of_a_field_are_shown_and_one_is_chosen(team: Team, chosen: str):
    nurse, clinician = team.someone("nurse"), team.someone("clinician")
    clinician.context.set_offline(True)
    field(clinician, "ptga").fill("12")
    field(nurse, "ptga").fill("14")
    expect(status(nurse)).to_have_text(SAVED)
    clinician.context.set_offline(False)
    expect(clash(clinician)).to_contain_text("14")
    expect(clash(clinician)).to_contain_text("12")
    expect(status(clinician)).to_contain_text("but not PtGA")
    assert_accessible(clinician)
    # It is not sent before one is chosen, and nothing else waits for it.
    field(clinician, "note").fill("typed besides")
    clinician.get_by_role("button", name="Complete the session").click()
    expect(field(clinician, "ptga")).to_be_focused()
    expect(field(nurse, "note")).to_have_value("typed besides")
    expect(field(nurse, "ptga")).to_have_value("14")
    name = "Keep mine: 12" if chosen == "mine" else f"Take theirs, by nurse.{CLINIC}: 14"
    clash(clinician).get_by_role("button", name=name).click()
    expect(clash(clinician)).to_have_count(0)
    expect(status(clinician)).to_have_text(SAVED)
    stands = "12" if chosen == "mine" else "14"
    for page in (clinician, nurse):
        expect(field(page, "ptga")).to_have_value(stands)
    nurse.reload()
    expect(field(nurse, "ptga")).to_have_value(stands)


def test_without_a_script_both_texts_are_shown_too(team: Team):
    nurse = team.someone("nurse")
    plain = team.someone("clinician", java_script_enabled=False)
    field(nurse, "note").fill("typed by the nurse")
    expect(status(nurse)).to_have_text(SAVED)
    field(plain, "note").fill("typed by the clinician")
    plain.get_by_role("button", name="Save unfinished").click()
    summary = plain.locator("[data-error-summary]")
    expect(summary).to_contain_text("typed by the nurse")
    expect(field(plain, "note")).to_have_value("typed by the clinician")
    plain.get_by_role("button", name="Save unfinished").click()
    expect(summary).to_have_count(0)
    expect(field(nurse, "note")).to_have_value("typed by the clinician")


@pytest.mark.console_allowed("ERR_INTERNET_DISCONNECTED")
def test_typing_goes_on_without_a_network_and_leaving_warns(team: Team):
    page = team.someone("nurse")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.context.set_offline(True)
    field(page, "note").press_sequentially("typed without a network")
    expect(status(page)).to_contain_text("no connection. Go on typing")
    assert_accessible(page)
    page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"] and not page.is_closed()
    page.get_by_role("button", name="Save unfinished").click()
    expect(field(page, "note")).to_have_value("typed without a network")
    page.context.set_offline(False)
    expect(status(page)).to_have_text(SAVED)
    page.reload()
    expect(field(page, "note")).to_have_value("typed without a network")
    assert asked == ["beforeunload"]


@pytest.mark.console_allowed("status of 500")
def test_a_server_in_trouble_is_told_and_tried_again(team: Team):
    page = team.someone("nurse")
    page.route("**/save/", lambda route: route.fulfill(status=500, body="Error"))
    field(page, "note").press_sequentially("kept")
    expect(status(page)).to_contain_text("the server had an error")
    page.unroute("**/save/")
    expect(status(page)).to_have_text(SAVED)


def test_nothing_typed_stands_in_the_browsers_storage(team: Team):
    page = team.someone("nurse")
    field(page, "note").press_sequentially("a word like no other")
    expect(status(page)).to_have_text(SAVED)
    kept = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])"
    )
    assert "no other" not in kept
    assert (
        page.evaluate("async () => (await indexedDB.databases()).length + (await caches.keys()).length") == 0
    )


@pytest.mark.console_allowed("status of 403")
@pytest.mark.parametrize("ending", ["cookie", "another tab"])
def test_one_signs_in_again_over_the_sheet(team: Team, ending: str):
    page = team.someone("nurse")
    if ending == "cookie":
        field(page, "note").press_sequentially("typed ")
        page.context.clear_cookies()
    else:
        other = page.context.new_page()
        other.goto("/rights/")
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_role("heading", name="You are signed out")).to_be_visible()
        other.close()
    if ending == "cookie":
        page.keyboard.type("after the end")
    expect(dialogue(page).get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(field(page, "ptga")).to_be_hidden()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(dialogue(page)).to_be_visible()
    team.sign_in_over(page, "nurse", "not the password")
    expect(dialogue(page)).to_contain_text("The password is wrong")
    team.sign_in_over(page, "nurse")
    expect(dialogue(page)).to_have_count(0)
    field(page, "ptga").press_sequentially("7")
    expect(status(page)).to_have_text(SAVED)
    page.reload()
    expect(field(page, "ptga")).to_have_value("7")
    expect(field(page, "note")).to_have_value("typed after the end" if ending == "cookie" else "")


@pytest.mark.console_allowed("status of 403|ERR_FAILED")
def test_another_user_cannot_take_the_page_over(team: Team):
    page = team.someone("clinician")
    other = page.context.new_page()
    other.goto("/rights/")
    page.route("**/save/", lambda route: route.abort("failed"))
    field(page, "note").press_sequentially("typed by the clinician")
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("link", name="Sign in again").click()
    user, password = team.passwords["nurse"]
    other.get_by_label("User name").fill(user)
    other.get_by_label("Password").fill(password)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("button", name="Sign out")).to_be_visible()
    page.unroute("**/save/")
    expect(dialogue(page)).to_contain_text(f"This page is clinician.{CLINIC}'s")
    assert_accessible(page)
    dialogue(page).get_by_role("button", name="Look again").click()
    expect(dialogue(page)).to_contain_text(f"{user} is signed in")
    team.open_sheet(other)
    expect(field(other, "note")).to_have_value("")
    other.get_by_role("button", name="Sign out").click()
    expect(dialogue(page).get_by_role("heading", name="You are signed out")).to_be_visible()
    team.sign_in_over(page, "clinician")
    expect(status(page)).to_have_text(SAVED)
    expect(field(page, "note")).to_have_value("typed by the clinician")
    page.reload()
    expect(field(page, "note")).to_have_value("typed by the clinician")


@pytest.mark.console_allowed("status of (403|429)")
def test_too_many_wrong_passwords_pause_the_sign_in_there_too(server: Server, new_context):
    user, password = hire(server, CLINIC, "observer")
    page = come_in(new_context, user, password).page
    page.context.clear_cookies()
    page.evaluate("document.dispatchEvent(new Event('session:ended'))")
    for _ in range(6):
        page.get_by_label("Password").fill("not the password")
        with page.expect_response("**/sign-in/"):
            page.get_by_role("button", name="Sign in and go on").click()
        expect(page.get_by_role("alert").filter(has_text=re.compile("wrong|paused"))).to_be_visible()
    expect(dialogue(page)).to_contain_text("Sign-in is paused")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in and go on").click()
    expect(dialogue(page)).to_contain_text("Sign-in is paused")


def test_the_idle_end_covers_the_page(new_context, team: Team):
    page = team.someone("nurse")
    page.clock.install()
    page.reload()
    page.clock.run_for(14 * 60_000 + 2000)
    expect(dialogue(page)).to_contain_text("You will be signed out in")
    page.clock.run_for(60_000)
    expect(dialogue(page).get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(field(page, "ptga")).to_be_hidden()


def test_a_colleague_goes_on_with_the_draft(team: Team):
    nurse = team.someone("nurse")
    field(nurse, "ptga").press_sequentially("7")
    field(nurse, "note").press_sequentially("half written")
    expect(status(nurse)).to_have_text(SAVED)
    nurse.close()
    clinician = team.someone("clinician")
    expect(field(clinician, "ptga")).to_have_value("7")
    field(clinician, "note").press("End")
    field(clinician, "note").press_sequentially(", gone on with")
    expect(status(clinician)).to_have_text(SAVED)
    clinician.reload()
    expect(field(clinician, "note")).to_have_value("half written, gone on with")
