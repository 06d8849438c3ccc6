"""The body map in a browser: lesions are put, named and moved by pointer, by touch and by keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.people import Person, come_in, hire, make_clinic, write_patient
from tests.tools.browser import assert_accessible
from tests.tools.server import Server

CLINIC = "bodymap"


@pytest.fixture(scope="module")
def clinic(server: Server) -> tuple[str, str]:
    make_clinic(server, CLINIC)
    return hire(server, CLINIC, "nurse")


@pytest.fixture
def at_the_map(server: Server, clinic, new_context, tmp_path) -> Callable[[str], Person]:
    """A nurse at the body map of a new patient whose one lesion, L01, is on an elbow without a side."""

    def come(study_id: str) -> Person:
        folder = write_patient(tmp_path, clinic=CLINIC, study_id=study_id, lesions=("L01",))
        server.manage("import_sheets", str(folder))
        nurse = come_in(new_context, *clinic)
        nurse.page.goto(f"/patients/?q={study_id}")
        nurse.page.get_by_role("link", name=study_id).first.click()
        nurse.page.get_by_role("link", name="Body map over time").click()
        return nurse

    return come


def drawing(page: Page, code: str) -> Locator:
    return page.locator(f"svg[data-figure={code}]")


def on_screen(page: Page, code: str, x: float, y: float) -> tuple[float, float]:
    """Where a point of a drawing is in the window, scrolled into view."""
    drawing(page, code).scroll_into_view_if_needed()
    return tuple(
        drawing(page, code).evaluate(
            "(svg, [x, y]) => { const p = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [p.x, p.y]; }",
            [x, y],
        )
    )


def fields(page: Page) -> dict[str, str]:
    return {
        name: page.locator(f"[name={name}]").input_value()
        for name in ("put_at", "body_site", "laterality", "site_detail")
    }


def marker(page: Page, label: str) -> Locator:
    return page.locator(f".body-marker[aria-label^='{label}:']:not(.is-away)")


@pytest.mark.parametrize(("x", "side"), [(48, "right"), (312, "left")])
def test_a_new_lesion_is_begun_by_pointing_and_then_dragged(at_the_map, x, side):
    page = at_the_map(f"MAP-{side}").page
    page.mouse.click(*on_screen(page, "palms", x, 200))
    expect(page.locator("[data-place-said]")).to_have_text(
        f"New lesion: {side.capitalize()} index finger, distal phalanx, palmar"
    )
    assert_accessible(page)
    page.get_by_role("button", name="Add a lesion here").click()
    named = fields(page)
    assert (named["body_site"], named["laterality"]) == ("index_finger", side)
    assert named["site_detail"] == "distal phalanx, palmar"
    page.get_by_label("Type", exact=True).select_option("nodule")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Body map over time").click()
    expect(marker(page, "L02")).to_have_attribute("aria-label", f"L02: {side.capitalize()} index finger")

    page.mouse.move(*on_screen(page, "palms", x, 200))
    page.mouse.down()
    page.mouse.move(*on_screen(page, "palms", x, 180), steps=4)
    page.mouse.move(*on_screen(page, "palms", 360 - x, 150), steps=8)
    page.mouse.up()
    other = "left" if side == "right" else "right"
    expect(page.locator("[data-place-said]")).to_have_text(
        f"L02: {other.capitalize()} index finger, proximal phalanx, palmar"
    )
    page.get_by_role("button", name="Go back").click()
    expect(page.locator("[data-place-bar]")).to_be_hidden()
    expect(marker(page, "L02")).to_have_attribute("aria-label", f"L02: {side.capitalize()} index finger")

    page.mouse.move(*on_screen(page, "palms", x, 200))
    page.mouse.down()
    page.mouse.move(*on_screen(page, "palms", 360 - x, 150), steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Keep L02 here").click()
    named = fields(page)
    assert (named["laterality"], named["site_detail"]) == (other, "proximal phalanx, palmar")
    page.get_by_label("Reason for the change").fill("The other hand.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Lesion L02 is saved.")).to_be_visible()
    row = page.get_by_role("row", name="L02").first
    expect(row).to_contain_text(f"{other.capitalize()} index finger, proximal phalanx, palmar")
    expect(page.get_by_text("Lesion L02 was moved.")).to_contain_text(
        f"From: {side.capitalize()} index finger, distal phalanx, palmar."
    )
    assert_accessible(page)
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_text("Lesion L02 is put back.")).to_be_visible()
    expect(row).to_contain_text(f"{side.capitalize()} index finger, distal phalanx, palmar")


def test_all_of_it_by_keyboard(at_the_map):
    nurse = at_the_map("MAP-KEYS")
    page, keys = nurse.page, nurse.keys
    keys.go_to(page.get_by_role("button", name="Add a lesion on the map"))
    keys.press("Enter")
    moving = page.locator(".body-marker.is-moved")
    expect(moving).to_be_focused()
    expect(moving).to_have_attribute("aria-label", "New lesion: Right palm")
    keys.press("PageDown")
    expect(moving).to_have_attribute("aria-label", "New lesion: Left back of hand")
    expect(moving).to_be_focused()
    keys.press("PageUp", *["Shift+ArrowDown"] * 8)
    expect(moving).to_have_attribute(
        "aria-label", "New lesion: Right middle finger, proximal phalanx, palmar"
    )
    keys.press("Enter")
    assert fields(page)["body_site"] == "middle_finger"
    keys.choose(page.get_by_label("Type", exact=True), "Nodule")
    keys.push(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Lesion L02 is recorded.")).to_be_visible()

    page.get_by_role("link", name="Body map over time").click()
    keys.go_to(marker(page, "L02"))
    keys.press("Shift+ArrowDown", "Escape")
    expect(page.locator("[data-place-bar]")).to_be_hidden()
    expect(marker(page, "L02")).to_be_focused()
    keys.press(*["Shift+ArrowDown"] * 4, "Enter")
    assert fields(page)["site_detail"] == "middle phalanx, palmar"

    chosen = page.locator(".body-marker.is-moved")
    keys.go_to(chosen)
    before = fields(page)
    keys.press(*["ArrowDown"] * 18)
    assert fields(page)["site_detail"] == "distal phalanx, palmar"
    keys.press("Escape")
    assert fields(page) == before
    keys.press("Enter")
    expect(page.get_by_text("Lesion L02 is saved.")).to_be_visible()
    moved = page.locator("[data-put-back]").get_by_role("status")
    proximal, middle = (f"Right middle finger, {part} phalanx, palmar" for part in ("proximal", "middle"))
    expect(moved).to_have_text(f"Lesion L02 was moved. From: {proximal}. To: {middle}.")
    expect(page.get_by_role("row", name="L02").first).to_contain_text("middle phalanx, palmar")

    keys.go_to(marker(page, "L02"))
    keys.press("Shift+ArrowUp", "Control+z")
    expect(page.locator("[data-place-bar]")).to_be_hidden()
    expect(moved).to_contain_text(f"To: {middle}.")
    keys.press("Control+z")
    expect(page.get_by_text("Lesion L02 is put back.")).to_be_visible()
    expect(moved).to_have_text(f"Lesion L02 was moved. From: {middle}. To: {proximal}.")
    expect(page.get_by_role("row", name="L02").first).to_contain_text("proximal phalanx, palmar")


def test_on_the_form_a_point_names_the_lesion_but_what_was_typed_of_it_stays(at_the_map):
    page = at_the_map("MAP-FORM").page
    page.get_by_role("link", name="L01", exact=True).click()
    page.get_by_label("Detail of the site").fill("two nodules")
    page.mouse.click(*on_screen(page, "hand_backs", 48, 200))
    named = fields(page)
    assert (named["body_site"], named["laterality"]) == ("index_finger", "left")
    assert named["site_detail"] == "two nodules"
    page.get_by_label("Detail of the site").fill("")
    page.mouse.click(*on_screen(page, "front", 180, 120))
    assert fields(page)["laterality"] == "midline"
    page.mouse.click(*on_screen(page, "soles", 135, 190))
    named = fields(page)
    assert (named["body_site"], named["laterality"]) == ("toe", "left")
    assert named["site_detail"] == "big toe, distal phalanx, plantar"
    page.mouse.click(*on_screen(page, "back", 113, 191))
    assert (fields(page)["body_site"], fields(page)["site_detail"]) == ("elbow", "")
    page.get_by_label("Place on the body map").select_option(label="Right thumb, distal phalanx, palmar")
    expect(marker(page, "L01")).to_have_attribute("aria-label", "L01: Right thumb, distal phalanx, palmar")
    assert (fields(page)["body_site"], fields(page)["laterality"]) == ("thumb", "right")
    assert_accessible(page)


def test_the_parts_that_the_page_names_are_those_that_the_program_names(at_the_map):
    """The browser and the server ask the same drawings: one point in each unit square of hands and feet."""
    from lesions.figures import FIGURES

    page = at_the_map("MAP-SAME").page
    for code, figure in FIGURES.items():
        points = [(x + 0.37, y + 0.41) for x in range(0, 360, 9) for y in range(0, int(figure.height), 9)]
        named = drawing(page, code).evaluate(
            """(svg, points) => points.map(([x, y]) => {
              const point = svg.createSVGPoint(); point.x = x; point.y = y;
              return [...svg.querySelectorAll(".body-area")].reverse()
                .find((area) => area.isPointInFill(point))?.dataset.words ?? "";
            })""",
            points,
        )
        expected = [area.words if (area := figure.area_at(*point)) else "" for point in points]
        differing = sum(one != other for one, other in zip(named, expected, strict=True))
        assert differing == 0, code


def test_by_touch(server: Server, clinic, at_the_map, new_context: Callable[..., BrowserContext]):
    nurse = at_the_map("MAP-TOUCH")
    address = nurse.page.url
    tablet = new_context(has_touch=True, viewport={"width": 820, "height": 1180})
    tablet.add_cookies(nurse.page.context.cookies())
    page = tablet.new_page()
    page.goto(address)
    page.touchscreen.tap(*on_screen(page, "hand_backs", 312, 200))
    page.get_by_role("button", name="Add a lesion here").tap()
    assert (fields(page)["body_site"], fields(page)["laterality"]) == ("index_finger", "right")
