"""The session sheet sent after a colleague completed it, sent twice, added up while typing, and refused."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.people import come_in, hire, make_clinic, write_patient
from tests.tools.browser import assert_accessible
from tests.tools.server import Server

CLINIC = "two-people"
LESIONS = ("L01", "L02", "L03")
_number = count(1)


@dataclass
class Team:
    """A clinician and a nurse, and a patient of theirs who waits for the first session."""

    patient: str
    passwords: dict[str, tuple[str, str]]
    new_context: Callable[..., BrowserContext]

    def someone(self, role: str) -> Page:
        """One of the two, signed in, with the sheet of the patient's session open."""
        page = come_in(self.new_context, *self.passwords[role]).page
        page.goto("/today/", wait_until="load")
        record = page.get_by_role("button", name=f"Record treatment of {self.patient}")
        go_on = page.get_by_role("link", name=f"Go on with the draft of {self.patient}")
        record.or_(go_on).click()
        expect(page.locator("[data-sheet]")).to_be_visible()
        return page

    def logged_sessions(self, page: Page) -> int:
        """How many sessions the patient's page leads to."""
        page.goto("/patients/")
        page.locator("main").get_by_role("link", name=self.patient, exact=True).first.click()
        expect(page.get_by_role("heading", name=self.patient)).to_be_visible()
        links = page.locator("main a[href^='/sessions/']")
        return len(set(links.evaluate_all("all => all.map(link => link.getAttribute('href'))")))


@pytest.fixture(scope="module")
def passwords(server: Server) -> dict[str, tuple[str, str]]:
    """The clinic of this file, with the user names and passwords of those who work there."""
    make_clinic(server, CLINIC)
    return {role: hire(server, CLINIC, role) for role in ("clinician", "nurse")}


@pytest.fixture
def team(server: Server, passwords, new_context: Callable[..., BrowserContext], tmp_path: Path) -> Team:
    """A new patient for each test, since nothing clinical is ever deleted."""
    patient = f"TWO-{next(_number)}"
    server.manage("import_sheets", write_patient(tmp_path, clinic=CLINIC, study_id=patient, lesions=LESIONS))
    return Team(patient, passwords, new_context)


def ptga(page: Page) -> Locator:
    return page.get_by_label("PtGA, 1 to 10")


def phga(page: Page) -> Locator:
    return page.get_by_label("PhGA, 1 to 10")


def note(page: Page) -> Locator:
    return page.get_by_label("Note", exact=True)


def lesion(page: Page, lesion_id: str) -> Locator:
    return page.locator("[data-lesion]", has=page.locator("legend strong", has_text=lesion_id))


def saved(page: Page) -> Locator:
    return page.locator("[data-saved]")


def complete(page: Page) -> None:
    page.get_by_role("button", name="Complete the session").click()


def fill_sheet(page: Page) -> None:
    """What the protocol asks for, of all three lesions."""
    ptga(page).fill("7")
    for lesion_id in LESIONS:
        part = lesion(page, lesion_id)
        part.get_by_label("Longest").fill("12")
        part.get_by_label("Widest").fill("8")
        part.get_by_role("group", name="Ulcer").get_by_text("No", exact=True).click()
        part.get_by_label("Injected").fill("0,5")
    phga(page).fill("6")


@pytest.mark.console_allowed("status of 409")  # The page that shows both side by side.
def test_what_is_sent_after_a_colleague_completed_is_shown_beside_it(team: Team):
    clinician, nurse = team.someone("clinician"), team.someone("nurse")
    fill_sheet(clinician)
    complete(clinician)
    expect(clinician.get_by_text("Treatment 1 is logged.")).to_be_visible()
    note(nurse).fill("the patient felt dizzy")
    expect(saved(nurse)).to_contain_text("completed this sheet")
    nurse.get_by_role("button", name="Save unfinished").click()
    expect(nurse.get_by_role("heading", name="This sheet was closed")).to_be_visible()
    expect(nurse.get_by_role("row", name="Note")).to_contain_text("the patient felt dizzy")
    assert_accessible(nurse)
    assert team.logged_sessions(nurse) == 1


def test_a_double_click_and_the_way_back_log_one_session(team: Team):
    page = team.someone("clinician")
    fill_sheet(page)
    page.get_by_role("button", name="Complete the session").dblclick()
    expect(page.get_by_text("Lesions injected")).to_be_visible()
    page.go_back()
    again = page.get_by_role("button", name="Complete the session")
    if again.count():
        again.click()
    assert team.logged_sessions(page) == 1


def test_the_totals_while_typing_are_those_of_the_server(team: Team):
    page = team.someone("clinician")
    fill_sheet(page)
    page.get_by_label("Concentration").first.fill("149,5")
    first, second, third = (lesion(page, lesion_id) for lesion_id in LESIONS)
    first.get_by_label("Injected").fill("0,55")
    second.get_by_label("Injected").fill("0.55")
    third.get_by_label("Injected").fill("0,125")
    third.get_by_text("Other than for all lesions").click()
    third.get_by_label("Salt form").select_option("anhydrous")
    expect(first.locator("[data-dose]")).to_have_text("= 82.225 mg")
    expect(second.locator("[data-dose]")).to_have_text("= 82.225 mg")
    while_typing = {
        label: page.locator(f"[data-total-{name}]").inner_text()
        for label, name in (("Volume", "ml"), ("Sodium thiosulfate", "mg"), ("1 ml syringes", "syringes"))
    }
    assert while_typing == {"Volume": "1.225", "Sodium thiosulfate": "183.1375", "1 ml syringes": "3"}
    complete(page)
    for label, value in while_typing.items():
        term = page.locator("main dt").get_by_text(label, exact=True)
        expect(term.locator("xpath=following-sibling::dd[1]")).to_contain_text(value)


@pytest.mark.console_allowed("status of 422")
def test_a_number_with_two_readings_is_refused_and_nothing_is_lost(team: Team):
    page = team.someone("nurse")
    fill_sheet(page)
    note(page).fill("gloves: size 8")
    volume = lesion(page, "L02").get_by_label("Injected")
    volume.fill("1.000,5")
    complete(page)
    expect(volume).to_have_attribute("aria-invalid", "true")
    beside = page.locator(f"#{volume.get_attribute('aria-describedby')}")
    expect(beside).to_be_visible()
    link = page.locator("[data-error-summary] a")
    expect(link).to_have_count(1)
    expect(link).to_contain_text(beside.inner_text())
    expect(page.locator("[data-error-summary]")).to_be_focused()
    link.click()
    expect(volume).to_be_focused()
    assert_accessible(page)
    for field, value in (
        (volume, "1.000,5"),
        (note(page), "gloves: size 8"),
        (ptga(page), "7"),
        (phga(page), "6"),
    ):
        expect(field).to_have_value(value)
    for lesion_id in LESIONS:
        expect(lesion(page, lesion_id).get_by_label("Longest")).to_have_value("12")
        expect(lesion(page, lesion_id).get_by_role("radio", name="No", exact=True).first).to_be_checked()
    volume.fill("1,5")
    complete(page)
    expect(page.get_by_text("Treatment 1 is logged.")).to_be_visible()
    assert team.logged_sessions(page) == 1
