"""The order of a series' lesions: from the sheet by a link, by dragging, and by keyboard alone."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.people import come_in, hire, make_clinic, write_patient
from tests.tools.server import Server

CLINIC = "order"


def shown(page: Page) -> list[str]:
    return page.locator(".order-item strong").all_inner_texts()


def test_lesions_are_ordered_by_dragging_and_by_keyboard(
    server: Server, new_context: Callable[..., BrowserContext], tmp_path
):
    make_clinic(server, CLINIC)
    server.manage(
        "import_sheets",
        str(write_patient(tmp_path, clinic=CLINIC, study_id="ORDER-1", lesions=("L01", "L02", "L03"))),
    )
    nurse = come_in(new_context, *hire(server, CLINIC, "nurse"))
    page = nurse.page
    page.goto("/today/")
    page.get_by_role("button", name="Record treatment of ORDER-1").click()
    sheet = page.url
    page.get_by_role("link", name="Order", exact=True).click()
    assert shown(page) == ["L01", "L02", "L03"]

    grip, first = page.locator("[data-order-grip]").nth(2), page.locator(".order-item").nth(0)
    held, above = grip.bounding_box(), first.bounding_box()
    page.mouse.move(held["x"] + 5, held["y"] + 5)
    page.mouse.down()
    page.mouse.move(held["x"] + 5, above["y"] + 2, steps=8)
    page.mouse.up()
    assert shown(page) == ["L03", "L01", "L02"]
    expect(page.get_by_role("status")).to_contain_text("L03 is moved")
    page.get_by_role("button", name="Save this order").click()
    expect(page.get_by_text("The order is kept")).to_be_visible()

    nurse.keys.push(page.get_by_role("button", name="Move L01 down"))
    expect(page.locator(".order-item").nth(2)).to_contain_text("L01")
    assert shown(page) == ["L03", "L02", "L01"]

    page.goto(sheet)
    headings = page.locator(".sheet-lesions").inner_text()
    assert headings.index("L03") < headings.index("L02") < headings.index("L01")
