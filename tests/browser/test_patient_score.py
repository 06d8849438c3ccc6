"""The patient's own score in a browser: three languages, by touch and by keyboard, on a telephone and a tablet."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from sessions_app.patient_words import LANGUAGES
from tests.browser.keyboard import Keyboard
from tests.browser.people import come_in, hire, make_clinic, write_patient
from tests.tools.browser import assert_accessible
from tests.tools.server import Server

HUGE = 64
"""Pixels that each target measures at least, both ways."""
ARRIVES_MS = 20_000
"""The pages ask every few seconds; a slow machine has its time."""
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def people(server: Server, tmp_path_factory) -> tuple[str, str]:
    """A clinic with one patient whose first treatment waits, and its nurse."""
    make_clinic(server, "score")
    folder = tmp_path_factory.mktemp("score")
    server.manage(
        "import_sheets", write_patient(folder, clinic="score", study_id="SCORE-1", lesions=("L01", "L02"))
    )
    return hire(server, "score", "nurse")


def open_sheet(page: Page) -> str:
    page.goto("/today/", wait_until="load")
    first = page.get_by_role("button", name="Record treatment of SCORE-1")
    again = page.locator("a[href^='/drafts/']")
    with page.expect_navigation(wait_until="load"):
        first.or_(again).first.click()
    return page.url


def ask(page: Page, way: str) -> None:
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Let the patient score").click()
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=way).click()


def assert_huge(places: Locator) -> None:
    assert places.count()
    for place in places.all():
        box = place.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= HUGE, (place.inner_text(), box)


def on_telephone(new_context: Callable[..., BrowserContext], code: str) -> Page:
    """A telephone that has read the code with its camera."""
    page = new_context(**TELEPHONE).new_page()
    page.goto(f"/score/#{code}")
    page.wait_for_url("**/score/")
    expect(page.get_by_role("link", name="Dansk")).to_be_visible()
    assert code not in page.url
    return page


def test_by_the_patients_telephone_in_three_languages(
    new_context: Callable[..., BrowserContext], people: tuple[str, str]
):
    desk = come_in(new_context, *people).page
    sheet = open_sheet(desk)
    on_the_sheet = desk.context.new_page()
    on_the_sheet.goto(sheet, wait_until="load")
    for number, (language, words) in enumerate(LANGUAGES.items(), start=3):
        desk.goto(sheet, wait_until="load")
        ask(desk, "Show a code")
        expect(
            desk.get_by_role("img", name="Code for the patient's telephone").or_(
                desk.locator(".invite-drawn svg")
            )
        ).to_be_visible()
        code = "".join(desk.locator(".invite-code").inner_text().split())
        phone = on_telephone(new_context, code)
        assert_accessible(phone)
        assert_huge(phone.get_by_role("link"))
        phone.get_by_role("link", name=words.name).tap()
        phone.wait_for_load_state()
        assert phone.locator("html").get_attribute("lang") == language
        expect(phone.get_by_role("heading", level=1)).to_have_text(words.questions["ptga"])
        group = phone.get_by_role("radiogroup", name=words.questions["ptga"])
        assert group.get_by_role("radio").count() == 10
        assert_huge(phone.locator(".own-numbers label"))
        assert_huge(phone.get_by_role("button"))
        assert_accessible(phone)
        group.get_by_role("radio", name=str(number), exact=True).tap()
        phone.get_by_role("button", name=words.go_on).tap()
        expect(phone.get_by_role("status")).to_have_text(str(number))
        assert_accessible(phone)
        # It has arrived, before it is confirmed.
        expect(desk.locator(".invite-state")).to_contain_text(f"{number}, by the patient", timeout=ARRIVES_MS)
        expect(on_the_sheet.get_by_label("PtGA, 1 to 10")).to_have_value(str(number), timeout=ARRIVES_MS)
        # One score stands beside the field, however often the patient changed it.
        expect(on_the_sheet.locator(".by-patient")).to_have_count(1)
        expect(on_the_sheet.locator(".by-patient")).to_contain_text(f"{number}, by the patient, ")
        phone.reload()
        phone.get_by_role("button", name=words.done).tap()
        expect(phone.get_by_role("heading", level=1)).to_have_text(words.thanks)
        assert_accessible(phone)
        expect(desk.locator(".invite-state")).to_contain_text("The patient is done", timeout=ARRIVES_MS)
    desk.goto(sheet, wait_until="load")
    expect(desk.get_by_label("PtGA, 1 to 10")).to_have_value("5")
    expect(desk.locator(".by-patient")).to_contain_text("5, by the patient")
    assert_accessible(desk)


def test_by_keyboard_alone_on_the_tablet_that_was_handed_over(
    new_context: Callable[..., BrowserContext], people: tuple[str, str]
):
    tablet = come_in(new_context, *people).page
    sheet = open_sheet(tablet)
    other_tab = tablet.context.new_page()
    other_tab.goto("/today/", wait_until="load")
    ask(tablet, "Hand over this tablet")
    keys = Keyboard(tablet)
    keys.push(tablet.get_by_role("link", name="Português"))
    words = LANGUAGES["pt"]
    keys.pick(tablet.get_by_role("radiogroup"), "8")
    keys.push(tablet.get_by_role("button", name=words.go_on))
    keys.push(tablet.get_by_role("link", name=words.change))
    keys.go_to(tablet.get_by_role("radio", name="8"))
    keys.press("ArrowRight")
    keys.push(tablet.get_by_role("button", name=words.go_on))
    expect(tablet.get_by_role("status")).to_have_text("9")
    keys.push(tablet.get_by_role("button", name=words.done))
    expect(tablet.get_by_text(words.give_back)).to_be_visible()
    # Neither Back nor another tab nor an address leads to the register.
    for _ in range(8):
        tablet.go_back(wait_until="load")
        expect(tablet.get_by_text("SCORE-1")).to_have_count(0)
    expect(other_tab.locator("dialog[open]")).to_be_visible()
    tablet.goto(sheet, wait_until="load")
    assert "/sign-in/" in tablet.url
    tablet.goto("/score/", wait_until="load")
    tablet.get_by_role("link", name="Staff: sign in").click()
    user, password = people
    tablet.get_by_label("User name").fill(user)
    tablet.locator("input[name=password]").fill(password)
    with tablet.expect_navigation(wait_until="load"):
        tablet.locator("input[name=password]").press("Enter")
    assert tablet.url == sheet
    expect(tablet.get_by_label("PtGA, 1 to 10")).to_have_value("9")


@pytest.mark.console_allowed("status of 404")
def test_a_wrong_code_and_no_script(new_context: Callable[..., BrowserContext]):
    for javascript in (True, False):
        page = new_context(java_script_enabled=javascript).new_page()
        page.goto("/score/#AAAABBBBCCCCDDDDEEEEFFFFGG")
        if not javascript:
            page.get_by_role("textbox").fill("AAAA BBBB CCCC DDDD EEEE FFFF GG")
            page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_contain_text("Bed personalet om en ny.")
        if javascript:
            assert_accessible(page)


@pytest.mark.console_allowed("status of 422")
def test_without_script_the_code_is_typed(
    new_context: Callable[..., BrowserContext], people: tuple[str, str]
):
    desk = come_in(new_context, *people).page
    open_sheet(desk)
    ask(desk, "Show a code")
    phone = new_context(java_script_enabled=False).new_page()
    phone.goto("/score/")
    phone.get_by_role("textbox").fill(desk.locator(".invite-code").inner_text())
    phone.get_by_role("button").click()
    phone.get_by_role("link", name="English").click()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_role("alert")).to_have_text("Please choose a number.")
    phone.get_by_role("radio", name="6", exact=True).click()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_role("button", name="Yes, done").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you")
