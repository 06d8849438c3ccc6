"""The session sheet by finger on a tablet: its number pad, and how many taps a visit of 22 lesions takes."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.big_visit import Counted, open_sheet, write_big_patient
from tests.browser.people import come_in, hire, make_clinic
from tests.tools.browser import assert_accessible
from tests.tools.server import Server

CLINIC = "by-touch"
MOST = 45
NUMBER = 22
TABLET = {"width": 820, "height": 1180}
TELEPHONE = {"width": 390, "height": 844}
TYPE, KEY = '[data-pad] [data-type="{}"]', '[data-pad] [data-key="{}"]'
_number = count(1)


@pytest.fixture(scope="module")
def nurse(server: Server) -> tuple[str, str]:
    make_clinic(server, CLINIC)
    return hire(server, CLINIC, "nurse")


@pytest.fixture
def sheet(server: Server, nurse, new_context: Callable[..., BrowserContext], tmp_path: Path):
    """Open the sheet of a new patient with so many lesions, on a screen of this size."""

    def opened(lesions: int, viewport: dict) -> Page:
        patient = f"TOUCH-{next(_number)}"
        folder = write_big_patient(tmp_path / patient, clinic=CLINIC, study_id=patient, lesions=lesions)
        server.manage("import_sheets", folder)

        def with_touch(**options) -> BrowserContext:
            return new_context(viewport=viewport, has_touch=True, is_mobile=True, **options)

        page = come_in(with_touch, *nurse).page
        open_sheet(page, patient)
        return page

    return opened


def fits(page: Page) -> None:
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0, f"{over} pixels too wide"


@pytest.mark.parametrize("types_volumes", [False, True], ids=["last time's volumes", "volumes typed anew"])
def test_twenty_two_lesions_by_touch(sheet, capsys, types_volumes):
    page = sheet(NUMBER, TABLET)
    taps = Counted(page)
    taps.tap("[data-asked] label:nth-of-type(2)")
    taps.tap("[name=ptga]")
    taps.tap(TYPE.format(7))
    taps.tap('[data-lesion="L01"] [data-cell="longest"]')
    for place in range(NUMBER):
        if place % 2:
            taps.tap_digits(f"{18 + place},5x9", TYPE)
        elif types_volumes and place:
            continue
        if place % 2 and types_volumes:
            taps.tap(KEY.format("Enter"))
            taps.tap_digits("0,3", TYPE)
            taps.tap(KEY.format("a" if place < NUMBER - 1 else "Enter"))
        else:
            taps.tap(KEY.format("l"))
    expect(page.locator("[name=phga]")).to_be_focused()
    taps.tap(TYPE.format(6))
    taps.tap("button[value=complete]")
    expect(page.get_by_text("Treatment 2 is logged.")).to_be_visible()
    seen = page.get_by_role("group", name="Lesions seen").get_by_role("row")
    expect(seen.filter(has_text="as last time")).to_have_count(NUMBER // 2)
    expect(seen.nth(2)).to_contain_text("19.5 × 9")
    expect(page.get_by_role("group", name="Injections").get_by_role("row")).to_have_count(NUMBER + 1)
    with capsys.disabled():
        print(
            f"\n{NUMBER} lesions, half as last time, half measured anew, PtGA and PhGA, by taps"
            f"{', with a volume typed anew for each of the measured half' if types_volumes else ''}: {taps.number}"
        )
    assert taps.number <= MOST


@pytest.mark.parametrize("viewport", [TABLET, TELEPHONE], ids=["tablet", "telephone"])
def test_the_pad_types_steps_and_goes_away(sheet, viewport):
    page = sheet(2, viewport)
    pad, taps = page.locator("[data-pad]"), Counted(page)
    volume = page.locator('[data-lesion="L01"] [data-cell="volume"]')
    expect(pad).to_be_hidden()
    taps.tap('[data-lesion="L01"] [data-cell="volume"]')
    expect(pad).to_be_visible()
    expect(page.locator("[data-pad-where]")).to_have_text("L01, injected")
    expect(volume).to_have_attribute("inputmode", "none")
    for step, value in (("0.01", "0.01"), ("0.1", "0.1"), ("0.1", "0.2"), ("-0.01", "0.19"), ("-0.1", "0.1")):
        taps.tap(f'[data-pad] [data-step="{step}"]')
        expect(volume).to_have_value(value)
    taps.tap(TYPE.format("Backspace"))
    for sign in "42":
        taps.tap(TYPE.format(sign))
    expect(volume).to_have_value("0.42")
    taps.tap('[data-pad] [data-step="0.01"]')
    expect(volume).to_have_value("0.43")
    fits(page)
    assert_accessible(page)
    taps.tap(KEY.format("Enter"))
    expect(page.locator('[data-lesion="L02"] [data-cell="longest"]')).to_be_focused()
    main = page.locator(KEY.format("Enter"))
    expect(main).to_have_text("As last time")
    taps.tap_digits("12x8", TYPE)
    expect(main).to_have_text("Rest as last time")
    taps.tap(KEY.format("Enter"))
    expect(page.locator('[data-lesion="L02"] [data-confirmed]')).to_be_checked()
    taps.tap("[data-pad] [data-pad-off]")
    expect(pad).to_be_hidden()
    expect(volume).to_have_attribute("inputmode", "decimal")


@pytest.mark.parametrize("viewport", [TABLET, TELEPHONE], ids=["tablet", "telephone"])
def test_everything_on_the_sheet_is_large_enough_for_a_finger(sheet, viewport):
    page = sheet(2, viewport)
    page.get_by_text("Other than for all lesions").first.tap()
    small = page.evaluate(
        """() => [...document.querySelectorAll(
            "[data-sheet] :is(button, select, summary, textarea, input, a), .patient-banner a, .page-head :is(a, summary)")]
          .map((one) => one.matches("[type=checkbox], [type=radio]") ? one.closest("label") : one)
          .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(".visually-hidden"))
          .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
          .map(([html, box]) => `${html}: ${box.width} × ${box.height}`)"""
    )
    assert not small, "\n".join(small)
    fits(page)


@pytest.mark.parametrize(("viewport", "bar", "with_pad"), [(TABLET, 110, 320), (TELEPHONE, 120, 330)])
def test_whose_sheet_it_is_and_what_is_in_the_syringes_stay_in_sight(sheet, viewport, bar, with_pad):
    page = sheet(NUMBER, viewport)
    page.get_by_label("Lot number").first.fill("A-1")
    page.get_by_label("Drawn", exact=True).fill("5")
    page.locator('[data-lesion="L09"] [data-cell="volume"]').fill("0,5")
    page.locator("[data-lesion=L12]").scroll_into_view_if_needed()
    study_id = page.locator(".patient-id")
    expect(study_id).to_be_in_viewport(ratio=1)
    assert study_id.bounding_box()["y"] < 44
    height = "document.querySelector('[data-totals]').offsetHeight"
    shown = ("[data-total-seen]", "[data-total-ml]", "[data-total-mg]", "[data-total-density]", "[data-total-syringes]", "[data-total-vials]", "[data-limit]")  # fmt: skip
    for most in (bar, with_pad):
        for part in shown:
            expect(page.locator(part)).to_be_in_viewport(ratio=1)
        assert page.evaluate(height) <= most
        page.locator('[data-lesion="L09"] [data-cell="volume"]').tap()
        expect(page.locator("[data-pad]")).to_be_visible()
    expect(study_id).to_be_in_viewport(ratio=1)
    expect(page.locator('[data-lesion="L09"] [data-cell="volume"]')).to_be_in_viewport(ratio=1)
    fits(page)
    assert_accessible(page)
