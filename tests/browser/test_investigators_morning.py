"""An investigator's morning with the report: choose, read, click a number, take it away."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.tools.browser import sign_in
from tests.tools.server import Server


def test_choose_read_click_a_number_and_take_it_away(
    server: Server, new_context: Callable[..., BrowserContext]
):
    page = new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    ).new_page()
    sign_in(page, "investigator")
    given_the_report_of_one_clinic(page)
    then_its_headline_stands_there(page)
    when_a_number_is_clicked_its_rows_open(page)
    then_the_way_back_keeps_the_selection(page)
    when_the_methods_are_copied(page)
    then_the_files_hold_the_same_selection(page)


def given_the_report_of_one_clinic(page: Page):
    page.goto("/report/", wait_until="load")
    page.get_by_text("Selection").first.click()
    page.get_by_text("Clinics").first.click()
    page.get_by_label("Aarhus University Hospital").check()
    page.get_by_label("Headline counts").select_option(label="Patients")
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Show", exact=True).click()
    assert "clinic=aarhus" in page.url and "unit=patient" in page.url


def then_its_headline_stands_there(page: Page):
    headline = page.locator("#table-headline")
    expect(headline.get_by_role("row").filter(has_text="Complete remission")).to_contain_text("44.8")
    expect(page.locator("#figure-flow desc")).to_contain_text("Analysed: 29 patients, 36 series")


def when_a_number_is_clicked_its_rows_open(page: Page):
    row = page.locator("#table-remission tbody tr").nth(2)
    expect(row).to_contain_text("Patients")
    with page.expect_navigation(wait_until="load"):
        row.get_by_role("link", name="13").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Complete remission: 13")
    expect(page.locator("#table-rows tbody tr")).to_have_count(13)


def then_the_way_back_keeps_the_selection(page: Page):
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("main").get_by_role("link", name="Report", exact=True).click()
    assert "clinic=aarhus" in page.url and page.url.endswith("#part-remission")


def when_the_methods_are_copied(page: Page):
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-copy]")).to_have_text(["Copied"])


def then_the_files_hold_the_same_selection(page: Page):
    for name, beginning in (("Download PDF", b"%PDF"), ("Download XLSX", b"PK"), ("Download CSV", b"PK")):
        address = page.get_by_role("link", name=name).get_attribute("href") or ""
        assert "clinic=aarhus" in address
        answer = page.request.get(address)
        assert answer.ok and answer.body().startswith(beginning)
