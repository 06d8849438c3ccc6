"""The session sheet by keyboard: what each key does, and how many a visit of 22 lesions takes."""

import random
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from sessions_app.sheet import parse_concentration, parse_drawn, parse_measure, parse_volume
from sessions_app.sheet_arithmetic import protocol_volume
from stsclinic.clinical.dosing import area_cm2, mg_per_cm2, volume_by_area
from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.numbers import NumberError, show_decimal
from tests.browser.big_visit import LAST, Counted, last_size, open_sheet, write_big_patient
from tests.browser.people import come_in, hire, make_clinic
from tests.browser.plain_formset import page_of
from tests.tools.server import Server

CLINIC = "by-keys"
MOST = 45
NUMBER = 22
_number = count(1)


@pytest.fixture(scope="module")
def clinician(server: Server) -> tuple[str, str]:
    make_clinic(server, CLINIC)
    return hire(server, CLINIC, "clinician")


@pytest.fixture
def sheet(server: Server, clinician, new_context: Callable[..., BrowserContext], tmp_path: Path):
    """Open the sheet of a new patient with so many lesions."""

    def opened(lesions: int) -> Page:
        patient = f"KEYS-{next(_number)}"
        folder = write_big_patient(tmp_path / patient, clinic=CLINIC, study_id=patient, lesions=lesions)
        server.manage("import_sheets", folder)
        page = come_in(new_context, *clinician).page
        open_sheet(page, patient)
        return page

    return opened


def lesion(page: Page, lesion_id: str) -> Locator:
    return page.locator(f'[data-lesion="{lesion_id}"]')


def cell(page: Page, lesion_id: str, name: str) -> Locator:
    return lesion(page, lesion_id).locator(f'[data-cell="{name}"]')


def open_sheet_again(page: Page) -> None:
    """From a session that was just logged to the sheet of another on the same day."""
    page.locator(".patient-id a").click()
    page.get_by_role("button", name="Record treatment of series 1").click()
    expect(page.locator("[data-sheet]")).to_be_visible()


def stored(page: Page) -> dict[str, str]:
    """What the server holds of the sheet once everything is saved."""
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    return page.evaluate("JSON.parse(document.querySelector('[data-loaded]').value)")


def seen_on(page: Page) -> Locator:
    return page.get_by_role("group", name="Lesions seen").get_by_role("row")


def given_on(page: Page) -> Locator:
    return page.get_by_role("group", name="Injections").get_by_role("row")


def by_sheet(page: Page, *, types_volumes: bool) -> int:
    """Half as last time, half measured anew, all injected; the count of keys."""
    keys = Counted(page)
    keys.press("n")
    keys.score("7")
    keys.press("Enter")  # past the lot number, which is left empty
    for place in range(NUMBER):
        if place % 2 == 0:
            if place == 0 or not types_volumes:
                keys.press("l")
            continue
        keys.measure(f"{18 + place},5x9")
        if types_volumes:
            keys.press("Enter")
            keys.measure("0,3")
            # The next one was looked at too: as last time.
            keys.press("a" if place < NUMBER - 1 else "Enter")
        else:
            keys.press("l")
    keys.score("6")
    keys.press("Control+Enter")
    return keys.number


def by_formset(page: Page) -> int:
    """The same session in a plain formset; the count of keys."""
    page.set_content(page_of(NUMBER))
    keys = Counted(page)
    filled = {"asked": ["N"], "ptga": ["7"], "phga": ["6"], "ulcer": ["N"], "inflammation": ["N"]}
    expect(page.locator("[name$=longest_mm]")).to_have_count(NUMBER)
    keys.press("Tab")
    while (name := page.evaluate("document.activeElement.name")) is not None and name != "":
        field = name.rpartition("-")[2]
        place = int(name.split("-")[1]) if name.startswith("form-") else 0
        if field in filled:
            keys.press(*filled[field])
        elif field in ("longest_mm", "widest_mm"):
            longest, widest = last_size(place) if place % 2 == 0 else (f"{18 + place},5", 9)
            keys.measure(str(longest if field == "longest_mm" else widest))
        elif field == "volume_ml":
            keys.measure("0,25")
        keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Save"
    keys.press("Enter")
    return keys.number


def test_twenty_two_lesions_by_keys(sheet, capsys):
    page = sheet(NUMBER)
    pressed = by_sheet(page, types_volumes=False)
    expect(page.get_by_text("Treatment 2 is logged.")).to_be_visible()
    seen = seen_on(page)
    expect(seen).to_have_count(NUMBER + 1)
    expect(seen.filter(has_text="as last time")).to_have_count(NUMBER // 2)
    expect(seen.nth(1)).to_contain_text("20 × 10 as last time")
    expect(seen.nth(2)).to_contain_text("19.5 × 9")
    expect(given_on(page)).to_have_count(NUMBER + 1)
    typed = by_sheet(other := sheet(NUMBER), types_volumes=True)
    expect(other.get_by_text("Treatment 2 is logged.")).to_be_visible()
    expect(seen_on(other).filter(has_text="as last time")).to_have_count(NUMBER // 2)
    expect(given_on(other)).to_have_count(NUMBER + 1)
    expect(given_on(other).filter(has_text="0.3")).to_have_count(NUMBER // 2)
    other.goto("about:blank")
    plain = by_formset(other)
    with capsys.disabled():
        print(f"\n{NUMBER} lesions, half as last time, half measured anew, PtGA and PhGA, by keys: {pressed}")
        print(f"  with a volume typed anew for each of the measured half: {typed}")
        print(f"  the same in a plain Django formset: {plain}")
    assert max(pressed, typed) <= MOST < plain


def test_a_last_value_is_stored_with_enter_alone_and_a_number_replaces_only_its_field(sheet):
    page = sheet(3)
    first = cell(page, "L01", "longest")
    expect(first).to_have_attribute("placeholder", "20")
    expect(lesion(page, "L01")).to_contain_text(f"Last, {LAST:%d-%b-%Y}: 20 × 10 mm, no ulcer")
    first.focus()
    expect(page.locator("[data-total-seen]")).to_have_text("0")
    page.keyboard.press("ArrowDown")
    page.get_by_label("Note", exact=True).fill("seen")
    typed = stored(page)
    assert typed["note"] == "seen"
    assert not any(text for name, text in typed.items() if name.startswith("lesion-"))
    first.focus()
    page.keyboard.press("Enter")
    expect(lesion(page, "L01").get_by_label("As last time")).to_be_checked()
    expect(cell(page, "L01", "volume")).to_be_focused()
    page.keyboard.type("0,2")
    page.keyboard.press("Enter")
    expect(cell(page, "L02", "longest")).to_be_focused()
    page.keyboard.type("18")
    page.keyboard.press("Enter")
    page.keyboard.press("l")
    expect(cell(page, "L02", "volume")).to_have_value("0.25")
    expect(cell(page, "L02", "widest")).to_have_value("")
    expect(lesion(page, "L02")).to_have_class("sheet-lesion is-confirmed")
    expect(cell(page, "L03", "longest")).to_be_focused()
    page.keyboard.type("12×8")
    page.keyboard.press("ArrowRight")
    expect(cell(page, "L03", "longest")).to_have_value("12")
    expect(cell(page, "L03", "widest")).to_have_value("8")
    page.get_by_label("PtGA, 1 to 10").fill("7")
    page.get_by_label("PhGA, 1 to 10").fill("6")
    page.get_by_text("Asked, nothing").click()
    lesion(page, "L03").get_by_role("group", name="Ulcer").get_by_text("No", exact=True).click()
    page.get_by_role("button", name="Complete the session").click()
    expect(page.get_by_text("Treatment 2 is logged.")).to_be_visible()
    rows = page.get_by_role("group", name="Lesions seen").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("20 × 10 as last time")
    expect(rows.nth(2)).to_contain_text("18 × 10")
    expect(rows.nth(2)).not_to_contain_text("as last time")
    expect(rows.nth(3)).to_contain_text("12 × 8")


def test_each_letter_does_what_its_hint_says(sheet):
    page = sheet(4)
    expect(page.locator("[data-keys]")).to_be_visible()
    cell(page, "L01", "longest").focus()
    expect(lesion(page, "L01").locator("label", has_text="Gone").locator("kbd")).to_be_visible()
    page.keyboard.press("g")
    expect(lesion(page, "L01").get_by_label("Gone")).to_be_checked()
    expect(cell(page, "L02", "longest")).to_be_focused()
    ulcer = lesion(page, "L02").get_by_role("group", name="Ulcer")
    for answer in ("Yes", "No"):
        page.keyboard.press("u")
        expect(ulcer.get_by_label(answer)).to_be_checked()
    page.keyboard.press("i")
    expect(lesion(page, "L02").get_by_role("group", name="Inflammation").get_by_label("Yes")).to_be_checked()
    page.keyboard.press("s")
    expect(cell(page, "L03", "longest")).to_be_focused()
    page.keyboard.press("n")
    expect(lesion(page, "L03").get_by_role("group", name="Ulcer").get_by_label("No")).to_be_checked()
    page.keyboard.press("Enter")
    page.keyboard.press("s")
    expect(lesion(page, "L03").get_by_label("As last time")).not_to_be_checked()
    expect(cell(page, "L04", "longest")).to_be_focused()
    page.keyboard.type("gusil12x8")
    expect(cell(page, "L01", "longest")).to_have_value("")
    note = page.get_by_label("Note", exact=True)
    note.focus()
    page.keyboard.type("gone, ulcer, lp")
    expect(note).to_have_value("gone, ulcer, lp")
    lot = page.get_by_label("Lot number").first
    lot.focus()
    page.keyboard.type("gulps")
    expect(lot).to_have_value("gulps")


def test_gone_and_skip_set_aside_what_was_typed_and_bring_it_back(sheet):
    page = sheet(3)
    first, back = lesion(page, "L01"), lesion(page, "L01").get_by_role("button", name="Bring back")
    cell(page, "L01", "volume").fill("0,4")
    cell(page, "L01", "longest").focus()
    page.keyboard.type("12x8")
    page.keyboard.press("u")
    page.keyboard.press("g")
    for name in ("longest", "widest", "volume"):
        expect(cell(page, "L01", name)).to_have_value("")
    expect(back).to_have_text("Bring back 12, 8, 0,4, ulcer yes")
    typed = stored(page)
    assert sorted(text for name, text in typed.items() if name.startswith("lesion-") and text) == ["on"]
    cell(page, "L01", "longest").focus()
    page.keyboard.press("g")
    expect(first.get_by_label("Gone")).not_to_be_checked()
    expect(cell(page, "L01", "longest")).to_have_value("12")
    expect(first.get_by_role("group", name="Ulcer").get_by_label("Yes")).to_be_checked()
    cell(page, "L01", "longest").focus()
    page.keyboard.press("s")
    expect(cell(page, "L02", "longest")).to_be_focused()
    expect(cell(page, "L01", "volume")).to_have_value("")
    expect(page.locator("[data-total-lesions]")).to_have_text("–")
    expect(page.locator("[data-total-seen]")).to_have_text("0")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("s")
    expect(cell(page, "L01", "volume")).to_have_value("0,4")
    expect(back).to_be_hidden()
    # By mouse too, and the button brings back what nothing was typed over.
    first.get_by_label("Gone").check()
    expect(cell(page, "L01", "widest")).to_have_value("")
    first.get_by_label("Gone").uncheck()
    expect(cell(page, "L01", "widest")).to_have_value("8")
    page.keyboard.press("s")
    cell(page, "L01", "volume").fill("0,5")
    back.click()
    expect(cell(page, "L01", "volume")).to_have_value("0,5")
    expect(cell(page, "L01", "longest")).to_have_value("12")


@pytest.mark.console_allowed("status of 422")
def test_a_lesion_that_was_gone_is_still_gone_by_enter(sheet, server):
    page = sheet(2)
    cell(page, "L01", "longest").focus()
    page.keyboard.press("g")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    page.get_by_label("Complete without these").check()
    page.get_by_role("button", name="Complete the session").click()
    expect(page.get_by_text("Treatment 2 is logged.")).to_be_visible()
    open_sheet_again(page)
    expect(lesion(page, "L01")).to_contain_text("gone")
    expect(lesion(page, "L01").locator("label", has_text="Gone, as last time")).to_be_visible()
    page.get_by_label("Note", exact=True).focus()
    page.keyboard.press("Control+Enter")
    expect(
        page.get_by_role("link", name="L01, Index finger, gone last time: how the lesion is")
    ).to_be_visible()
    cell(page, "L01", "longest").focus()
    page.keyboard.press("Enter")
    expect(lesion(page, "L01").get_by_label("Gone, as last time")).to_be_checked()
    expect(cell(page, "L02", "longest")).to_be_focused()


def test_the_words_say_what_is_taken_over_and_a_wider_size_is_told(sheet):
    page = sheet(2)
    row, wider = lesion(page, "L01"), lesion(page, "L01").locator("[data-wider]")
    expect(row.get_by_text("As last time", exact=True)).to_be_visible()
    expect(wider).to_be_hidden()
    cell(page, "L01", "longest").focus()
    page.keyboard.type("8x12")
    expect(row.get_by_text("Rest as last time", exact=True)).to_be_visible()
    expect(wider).to_have_text("Wider than the longest measure, 8 mm.")
    assert stored(page)
    page.reload()
    expect(wider).to_have_text("Wider than the longest measure, 8 mm.")
    cell(page, "L01", "widest").fill("8")
    expect(wider).to_be_hidden()


def test_plus_and_minus_go_from_mark_to_mark_of_the_syringe(sheet):
    page = sheet(1)
    cell(page, "L01", "volume").focus()
    for key, value in (("+", "0.01"), ("+", "0.02"), ("-", "0.01"), ("-", ""), ("-", "")):
        page.keyboard.press(key)
        expect(cell(page, "L01", "volume")).to_have_value(value)
    page.keyboard.type("0,255")
    page.keyboard.press("+")
    expect(cell(page, "L01", "volume")).to_have_value("0.26")


def test_the_script_reads_a_number_as_the_server_does(sheet):
    page = sheet(1)
    chance = random.Random(8)
    texts = [
        "0.0005",
        "150",
        "100",
        "100.001",
        "0,001",
        "1,250",
        "1.000",
        "0,250",
        "12,",
        ",5",
        "1e1",
        "-1",
        " 2 ",
        "",
        "2000",
        "2000.01",
        "0" * 21,
    ]
    texts += ["".join(chance.choice("0123456789.,") for _ in range(chance.randint(1, 6))) for _ in range(400)]
    readers = {
        "measureOf": parse_measure,
        "volumeOf": parse_volume,
        "concentrationOf": parse_concentration,
        "drawnOf": parse_drawn,
    }
    for name, parse in readers.items():
        wanted = []
        for text in texts:
            try:
                wanted.append(float(parse(text)))
            except NumberError:
                wanted.append(None)
        found = page.evaluate(
            "async ([name, texts]) => { const m = await import('/static/js/sheet-numbers.js'); return texts.map(m[name]); }",
            [name, texts],
        )
        wrong = [
            (text, here, there)
            for text, here, there in zip(texts, found, wanted, strict=True)
            if here != there
        ]
        assert not wrong, f"{name}: {wrong[:9]}"
    cell(page, "L01", "volume").fill("0.0005")
    expect(page.locator("[data-total-ml]")).to_have_text("–")
    cell(page, "L01", "volume").fill("150")
    expect(page.locator("[data-total-mg]")).to_have_text("–")


def test_arrows_and_enter_move_as_in_a_spreadsheet_and_escape_discards_nothing(sheet):
    page = sheet(3)
    cell(page, "L01", "widest").focus()
    page.keyboard.type("7")
    page.keyboard.press("ArrowDown")
    expect(cell(page, "L02", "widest")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "L02", "volume")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(cell(page, "L01", "volume")).to_be_focused()
    page.keyboard.type("0,25")
    page.keyboard.press("ArrowLeft")
    expect(cell(page, "L01", "volume")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(cell(page, "L01", "widest")).to_be_focused()
    page.keyboard.press("Escape")
    expect(cell(page, "L01", "widest")).to_have_value("7")
    expect(cell(page, "L01", "volume")).to_have_value("0,25")
    cell(page, "L02", "longest").focus()
    page.keyboard.press("Shift+Enter")
    expect(cell(page, "L01", "longest")).to_be_focused()
    typed = stored(page)
    assert sorted(text for name, text in typed.items() if name.endswith(("widest_mm", "volume_ml"))) == [
        "",
        "",
        "",
        "",
        "0,25",
        "7",
    ]
    page.reload()
    expect(cell(page, "L01", "widest")).to_have_value("7")


@pytest.mark.console_allowed("status of 422")
def test_what_was_drawn_is_injected_or_left_over_while_one_types(sheet):
    page = sheet(3)
    line = page.locator("[data-total-vials]")
    expect(line).to_have_text("none listed")
    page.get_by_label("Lot number", exact=True).first.fill("A-1")
    page.get_by_label("Drawn", exact=True).fill("1")
    for lesion_id, volume in {"L01": "0,4", "L02": "0.35"}.items():
        cell(page, lesion_id, "volume").fill(volume)
    expect(line).to_have_text("A-1: 1 ml drawn = 0.75 ml injected + 0.25 ml left over")
    own = lesion(page, "L03")
    own.get_by_text("Other than for all lesions").click()
    own.get_by_label("Lot number").fill("B2")
    cell(page, "L03", "volume").fill("0,5")
    expect(page.locator("[data-without-vial]")).to_have_text(
        "Injected from no vial that is listed: B2 0.5 ml"
    )
    page.get_by_label("Lot number, vial 2").fill("b 2")
    page.get_by_label("Drawn, vial 2").fill("0,4")
    expect(page.locator("[data-without-vial]")).to_be_hidden()
    expect(line.locator("span").last).to_have_text("b 2: 0.4 ml drawn, 0.1 ml too few")
    page.get_by_label("Lot number", exact=True).first.fill("")
    page.get_by_label("Drawn", exact=True).fill("")
    expect(line.locator("span").last).to_have_text("from none of them: no lot number 0.75 ml")
    page.get_by_label("Lot number", exact=True).first.fill("A-1")
    page.get_by_label("Drawn", exact=True).fill("1")
    while_typing = line.inner_text()
    assert stored(page)
    page.reload()
    expect(line).to_have_text(while_typing.replace("\n", ""))
    page.get_by_role("button", name="Complete the session").click()
    error = page.get_by_text("0.1 ml more was injected from lot b 2 than was drawn.")
    expect(error.last).to_be_visible()


def test_another_day_has_another_last_time_and_says_so(sheet):
    page = sheet(1)
    page.get_by_label("Date of the visit").fill(str(LAST.replace(year=LAST.year - 1)))
    page.get_by_label("Date of the visit").blur()
    page.get_by_role("button", name="Save and show it").click()
    expect(lesion(page, "L01")).to_contain_text("Not seen before")
    expect(cell(page, "L01", "longest")).to_have_attribute("placeholder", "")


def test_the_scripts_arithmetic_is_the_servers(sheet):
    """Two hundred sizes, rates and maxima; and as many doses on an area."""
    page = sheet(1)
    chance = random.Random(5)
    cases, wanted = [], []
    for _ in range(200):
        longest, widest = (Decimal(chance.randint(1, 9999)).scaleb(-chance.randint(0, 2)) for _ in "12")
        rate = Decimal(chance.randint(1, 999)).scaleb(-3)
        most = chance.choice([None, Decimal(chance.randint(1, 5000)).scaleb(-3)])
        volume = volume_by_area(area_cm2(longest, widest), rate, most)
        offer = protocol_volume(area_cm2(longest, widest), rate, most, whose=" (last size)")
        cases.append([float(longest), float(widest), float(rate), None if most is None else float(most)])
        wanted.append([show_decimal(volume.enterable_ml), offer.words if offer else None])
    found = page.evaluate(
        """async (cases) => {
          const { volumeByArea } = await import("/static/js/sheet-numbers.js");
          return cases.map((one) => volumeByArea(...one, " (last size)")).map(({ volume, words, isNothing }) =>
            [volume, isNothing ? null : words]);
        }""",
        cases,
    )
    assert found == wanted
    doses = [
        (Decimal(chance.randint(1, 10**7)).scaleb(-5), Decimal(chance.randint(1, 10**7)).scaleb(-6))
        for _ in range(200)
    ] + [(Decimal("85.25"), Decimal(1)), (Decimal("85.05"), Decimal(1))]
    densities = page.evaluate(
        """async (cases) => {
          const { mgPerCm2 } = await import("/static/js/sheet-numbers.js");
          return cases.map((one) => mgPerCm2(...one));
        }""",
        [[float(mg), float(area)] for mg, area in doses],
    )
    rounded = [
        mg_per_cm2([(InjectionFacts(lesion_id="L", volume_ml=mg, concentration_mg_ml=Decimal(1)), area)])
        for mg, area in doses
    ]
    assert densities == [show_decimal(value) for value in rounded]
