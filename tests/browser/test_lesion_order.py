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
    assert page.url.partition("#")[0] == sheet.partition("#")[0]
    page.get_by_role("link", name="Order", exact=True).click()

    nurse.keys.push(page.get_by_role("button", name="Move L01 down"))
    expect(page.locator(".order-item").nth(2)).to_contain_text("L01")
    assert shown(page) == ["L03", "L02", "L01"]

    page.get_by_role("link", name="Back to the sheet").click()
    headings = page.locator(".sheet-lesions").inner_text()
    assert headings.index("L03") < headings.index("L02") < headings.index("L01")


def test_a_list_longer_than_the_window_scrolls_along_while_an_entry_is_held(
    server: Server, new_context: Callable[..., BrowserContext], tmp_path
):
    lesions = tuple(f"L{number:02}" for number in range(1, 23))
    server.manage(
        "import_sheets", str(write_patient(tmp_path, clinic=CLINIC, study_id="ORDER-2", lesions=lesions))
    )
    page = come_in(
        lambda: new_context(viewport={"width": 820, "height": 500}), *hire(server, CLINIC, "clinician")
    ).page
    page.goto("/today/")
    page.get_by_role("button", name="Record treatment of ORDER-2").click()
    page.get_by_role("link", name="Order", exact=True).click()
    grip = page.locator("[data-order-grip]").first
    grip.scroll_into_view_if_needed()
    held = grip.bounding_box()
    assert min(held["width"], held["height"]) >= 44
    page.mouse.move(held["x"] + 20, held["y"] + 20)
    page.mouse.down()
    page.mouse.move(held["x"] + 20, 490, steps=4)
    expect(page.locator(".order-item strong").last).to_have_text("L01")
    page.mouse.up()
    assert shown(page) == [*lesions[1:], "L01"]
