"""The room that a lesion takes on the session sheet: as many in sight as their targets allow, and none squeezed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.big_visit import open_sheet, write_big_patient
from tests.browser.people import hire, make_clinic
from tests.tools.browser import assert_accessible, sign_in
from tests.tools.server import Server

CLINIC = "room"
STUDY_ID = "ROOM-22"
NUMBER = 22


@pytest.fixture(scope="module")
def clinician(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A clinician whose one patient has 22 lesions, all injected a week ago."""
    make_clinic(server, CLINIC)
    folder: Path = tmp_path_factory.mktemp(STUDY_ID)
    server.manage(
        "import_sheets", write_big_patient(folder, clinic=CLINIC, study_id=STUDY_ID, lesions=NUMBER)
    )
    return hire(server, CLINIC, "clinician")


@pytest.mark.parametrize(
    ("width", "height", "has_touch", "least"),
    [(1280, 800, False, 5.2), (1280, 800, True, 3.8), (820, 1180, False, 5), (820, 1180, True, 4.6)],
    ids=["desk", "desk by touch", "tablet by mouse", "tablet"],
)
def test_so_many_of_22_lesions_are_in_sight(
    clinician, new_context: Callable[..., BrowserContext], width, height, has_touch, least
):
    """Between the patient's name and the syringe line; a row as `as last time` offers it."""
    page = new_context(
        viewport={"width": width, "height": height}, has_touch=has_touch, is_mobile=has_touch
    ).new_page()
    sign_in(page, *clinician)
    open_sheet(page, STUDY_ID)
    page.locator("[data-lesion=L09]").scroll_into_view_if_needed()
    banner = page.locator(".patient-id").bounding_box()
    totals = page.locator("[data-totals]").bounding_box()
    assert banner and totals
    rows = [page.locator(f"[data-lesion=L{number:02}]").bounding_box() for number in (9, 10, 11)]
    row = max(box["height"] for box in rows if box)
    in_sight = (totals["y"] - banner["y"] - banner["height"]) / row
    assert in_sight >= least, f"{in_sight:.1f} rows of {row} pixels"


def correction(page: Page) -> None:
    page.goto("/patients/", wait_until="load")
    page.get_by_role("link", name=STUDY_ID).first.click()
    page.locator("main a[href^='/sessions/']").first.click()
    page.get_by_role("button", name="Correct").click()
    expect(page.get_by_role("heading", name="Correct session 1")).to_be_visible()


def test_in_a_correction_what_a_lesion_got_has_a_line_of_its_own(
    clinician, new_context: Callable[..., BrowserContext]
):
    page = new_context(viewport={"width": 1280, "height": 800}).new_page()
    sign_in(page, *clinician)
    correction(page)
    own = page.locator("[data-lesion=L03] .sheet-own")
    words = "Other than for all lesions: agent Sodium thiosulfate, concentration 150 mg/ml, where the needle goes Base"
    expect(own.locator("summary")).to_have_text(words)
    closed = own.bounding_box()
    assert closed and closed["width"] > 1000 and closed["height"] < 45, closed
    own.locator("summary").click()
    fields = [box for field in own.locator(".field").all() if (box := field.bounding_box())]
    assert len(fields) > 3
    assert min(box["width"] for box in fields) >= 150
    assert len({box["y"] for box in fields}) <= 2, "they stand in one line or two"
    assert_accessible(page)
