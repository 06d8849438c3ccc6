"""Photographs in a browser: the camera and its ghost, two dates under a slider, the ruler, by pointer and keyboard."""

import io
import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image, ImageChops
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.keyboard import Keyboard
from tests.tools.browser import assert_accessible, sign_in
from tests.tools.server import PASSWORD

STUDY_ID = "DEMO-04"
"""The invented patient with four drawn pictures of one lesion, three of them with a marked scale."""


def open_course(page: Page) -> str:
    """The page of the lesion's photographs; its address."""
    page.goto(f"/patients/?q={STUDY_ID}", wait_until="load")
    page.get_by_role("link", name=STUDY_ID, exact=True).first.click()
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("link", name="Compare, measure").first.click()
    return page.url


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    found = new_context(viewport={"width": 1280, "height": 900}).new_page()
    sign_in(found, "clinician")
    return found


def pixels(page: Page, selector: str) -> Image.Image:
    return Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB")


def test_two_dates_under_a_slider_by_keyboard(page: Page):
    open_course(page)
    page.wait_for_load_state("networkidle")
    sizes = [pane.bounding_box() for pane in page.locator(".compare-pane svg").all()]
    assert len(sizes) == 2
    assert sizes[0]["width"] == sizes[1]["width"]
    assert_accessible(page)
    keys = Keyboard(page)
    keys.go_to(page.get_by_role("button", name="Under a slider"))
    keys.press("Enter")
    slider = page.get_by_role("slider", name=re.compile("How much is seen of the left one"))
    field = "[data-compare-field]"
    keys.go_to(slider)
    seen = {}
    for key, share in (("Home", 0), ("End", 100)):
        keys.press(key)
        expect(slider).to_have_value(str(share))
        seen[share] = pixels(page, field)
    keys.press("ArrowLeft")
    expect(slider).to_have_value("99")
    assert ImageChops.difference(seen[0], seen[100]).getbbox(), "the slider changes nothing"
    assert_accessible(page)
    keys.go_to(page.get_by_role("button", name="Side by side"))
    keys.press("Enter")
    expect(slider).to_be_hidden()


def test_without_a_script_two_dates_stand_side_by_side(new_context: Callable[..., BrowserContext]):
    page = new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
    sign_in(page, "nurse")
    open_course(page)
    expect(page.locator(".compare-pane svg")).to_have_count(2)
    expect(page.get_by_role("slider")).to_have_count(0)
    before = page.locator(".compare-pane figcaption").first.inner_text()
    page.locator(".film-frame").nth(1).get_by_role("link", name="Left").click()
    assert page.locator(".compare-pane figcaption").first.inner_text() != before


def test_the_marker_by_keyboard_and_a_length_by_pointer(page: Page):
    course = open_course(page)
    # The last one that was drawn has no marker until somebody marks it.
    unmarked = page.locator(".film-frame > a").nth(3)
    page.goto(unmarked.get_attribute("href") or "", wait_until="load")
    keys = Keyboard(page)
    if page.get_by_role("heading", name="Mark the scale marker").count():
        first = page.get_by_role("button", name=re.compile("^First end of the marker"))
        across = page.get_by_label("First end, from the left")
        keys.go_to(first)
        keys.press("Shift+ArrowLeft", "ArrowLeft", "ArrowDown")
        assert float(across.input_value()) == pytest.approx(17.8)
        assert float(page.get_by_label("First end, from the top").input_value()) == pytest.approx(85.2)
        keys.enter(page.get_by_label("Length of the marker"), "20")
        assert_accessible(page)
        keys.push(page.get_by_role("button", name="Keep the marker"))
    expect(page.get_by_text("The scale marker is kept.")).to_be_visible()
    expect(page.locator(".photo-ruler-words")).to_contain_text("mm")
    # A length between two points, dragged, is told as arithmetic.
    handle = page.get_by_role("button", name=re.compile("^Second point"))
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 30, steps=4)
    page.mouse.up()
    expect(page.locator("#measured")).to_have_text(re.compile(r"px × 20 mm / [\d.]+ px = [\d.]+ mm"))
    assert float(page.get_by_label("Second point, from the left").input_value()) < 70
    assert_accessible(page)
    page.goto(course, wait_until="load")
    expect(page.get_by_text("At one scale, by the marker on each")).to_be_visible()


def new_picture(name: str, colour: str) -> dict[str, str | bytes]:
    """A file as a person chooses it."""
    written = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(written, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": written.getvalue()}


@pytest.mark.console_allowed(r"ERR_INTERNET_DISCONNECTED|403 \(Forbidden\)")
def test_a_photograph_is_on_the_page_until_it_is_kept(page: Page):
    """Refused for its date, then the network away, then signed out: it is chosen once, and kept once."""
    course = open_course(page)
    count = page.locator(".film-frame").count()
    page.get_by_role("link", name="Add a photograph").click()
    page.wait_for_load_state("load")
    address = page.url
    page.get_by_label("From a file").set_input_files(new_picture("knee.jpg", "tan"))
    taken_on = page.get_by_label("Taken on")
    today = taken_on.input_value()
    taken_on.fill("2099-01-01")
    keep = page.get_by_role("button", name="Keep the photograph")
    said = page.locator("[data-photograph-said]")
    keep.click()
    expect(page.get_by_text("The date is in the future.")).to_be_visible()
    expect(taken_on).to_be_focused()
    assert_accessible(page)

    taken_on.fill(today)
    page.context.set_offline(True)
    keep.click()
    expect(said).to_contain_text("Not kept yet: the server cannot be reached.")
    expect(page.get_by_text("The date is in the future.")).to_have_count(0)
    warned = []
    page.once("dialog", lambda dialog: (warned.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert warned == ["beforeunload"]
    assert page.url == address

    # Signed out by another tab while the network is away.
    page.context.clear_cookies()
    page.context.set_offline(False)
    password = page.locator("[data-idle-dialog] input[type=password]")
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page.get_by_text("The photograph of L01 was kept.")).to_be_visible()
    page.goto(course, wait_until="load")
    expect(page.locator(".film-frame")).to_have_count(count + 1)


def test_without_a_script_a_photograph_is_sent_as_any_form(new_context: Callable[..., BrowserContext]):
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, "nurse")
    open_course(page)
    page.get_by_role("link", name="Add a photograph").click()
    page.get_by_label("From a file").set_input_files(new_picture("toe.jpg", "pink"))
    page.get_by_role("button", name="Keep the photograph").click()
    expect(page.get_by_text("The photograph of L01 was kept.")).to_be_visible()


AT_ONCE = 6
"""Fewer than the server has threads."""


def test_sent_several_times_at_the_very_same_moment_it_is_kept_once(page: Page):
    """Each on a connection of its own, all but the last byte; then the last bytes, one after the other."""
    course = open_course(page)
    count = page.locator(".film-frame").count()
    page.get_by_role("link", name="Add a photograph").click()
    page.wait_for_load_state("load")
    address = urlsplit(page.url)
    names = ("csrfmiddlewaretoken", "taken_on")
    fields = {name: page.locator(f"form[enctype] [name={name}]").input_value() for name in names}
    picture = new_picture("elbow.jpg", "peru")
    file = SimpleUploadedFile(picture["name"], picture["buffer"], picture["mimeType"])
    body = encode_multipart(BOUNDARY, fields | {"photograph": file})
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    lines = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}", f"Cookie: {cookies}"]
    lines += [
        f"Content-Type: {MULTIPART_CONTENT}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    ]
    message = "\r\n".join(lines).encode() + body
    where = (address.hostname, address.port)
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(where)) for _ in range(AT_ONCE)]
        for connection in connections:
            connection.sendall(message[:-1])
        for connection in connections:
            connection.sendall(message[-1:])
        answers = [connection.makefile("rb").read() for connection in connections]
    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 302 Found"] * AT_ONCE
    page.goto(course, wait_until="load")
    expect(page.locator(".film-frame")).to_have_count(count + 1)


def test_the_camera_with_the_last_photograph_as_a_ghost(
    playwright, base_url: str, browser_type_launch_args: dict
):
    """A browser of its own, whose camera is a moving picture."""
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    options = browser_type_launch_args | {"args": [*browser_type_launch_args["args"], *flags]}
    browser = playwright.chromium.launch(**options)
    try:
        page = browser.new_context(base_url=base_url, viewport={"width": 820, "height": 1180}).new_page()
        sign_in(page, "nurse")
        course = open_course(page)
        count = page.locator(".film-frame").count()
        page.get_by_role("link", name="Add a photograph").click()
        page.wait_for_load_state("load")
        page.get_by_role("button", name="Open the camera").click()
        ghost = page.locator("[data-viewfinder-ghost]")
        expect(ghost).to_be_visible()
        expect(page.locator("video")).to_be_visible()
        slider = page.get_by_role("slider", name=re.compile("shines through"))
        for key, opacity in (("Home", "0"), ("End", "1")):
            slider.press(key)
            expect(ghost).to_have_css("opacity", opacity)
        assert_accessible(page)
        page.get_by_role("button", name="Take the photograph").click()
        expect(page.get_by_text("Taken. Keep the photograph, or take it again.")).to_be_visible()
        page.get_by_role("button", name="Take it again").click()
        page.get_by_role("button", name="Take the photograph").click()
        expect(page.get_by_role("img", name="The photograph that was taken or chosen")).to_be_visible()
        page.get_by_role("button", name="Keep the photograph").click()
        expect(page.get_by_text("The photograph of L01 was kept.")).to_be_visible()
        page.goto(course, wait_until="load")
        expect(page.locator(".film-frame")).to_have_count(count + 1)
    finally:
        browser.close()
