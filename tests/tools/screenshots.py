"""Pictures of every page in docs/screenshots/, from a demonstration clinic of its own.

`make screenshots` calls it. The pictures are made by this command alone, never by hand, so that they
show what the program shows. Each has few colours: they are carried by everybody who clones the project.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.tools.browser import sign_in
from tests.tools.machine import CHROMIUM_FLAGS, chromium, provide
from tests.tools.server import Server, running_server

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
DESK, TABLET, TELEPHONE = 1280, 820, 390
HEIGHT = 900
LONGEST = 2600
"""Pixels of a long page that are kept: what follows looks like what is there."""
COLOURS = 64


def _nothing(page: Page) -> None:
    """The page as it is."""


@dataclass(frozen=True)
class Picture:
    """One picture: its name, whose page it is, the way there, and what is done before it is taken."""

    name: str
    user: str
    way: Callable[[Page], None]
    then: Callable[[Page], None] = _nothing
    width: int = DESK
    theme: str = "light"


def at(address: str) -> Callable[[Page], None]:
    """The way to an address."""

    def way(page: Page) -> None:
        page.goto(address, wait_until="load")

    return way


def patient(study_id: str) -> Callable[[Page], None]:
    """The way to a patient's page."""

    def way(page: Page) -> None:
        page.goto("/patients/", wait_until="load")
        page.get_by_role("searchbox").fill(study_id)
        expect(page.locator("#found tbody tr")).to_have_count(1)
        page.locator("#found").get_by_role("link", name=study_id, exact=True).click()
        page.wait_for_url("**/patients/*/")

    return way


def link(way: Callable[[Page], None], address: str, within: str = "main") -> Callable[[Page], None]:
    """On from a page by the first link `within` a part of it whose address holds `address`.

    A `^` before the address: it begins with it.
    """
    match = f"^='{address[1:]}'" if address.startswith("^") else f"*='{address}'"

    def further(page: Page) -> None:
        way(page)
        found = page.locator(f"{within} a[href{match}]").first.get_attribute("href")
        page.goto(found or "", wait_until="load")

    return further


def button(way: Callable[[Page], None], name: str) -> Callable[[Page], None]:
    """On from a page by a button."""

    def further(page: Page) -> None:
        way(page)
        page.get_by_role("button", name=name).first.click()
        page.wait_for_load_state("load")

    return further


def sheet(name: str) -> Callable[[Page], None]:
    """The sheet of a visit that is due: opened, or gone on with where it was opened for a picture before."""

    def way(page: Page) -> None:
        page.goto("/today/", wait_until="load")
        study_id = name.rpartition(" ")[2]
        record = page.get_by_role("button", name=f"Record {name}")
        record.or_(page.get_by_role("link", name=f"Go on with the draft of {study_id}")).first.click()
        page.locator("[data-sheet]").wait_for()

    return way


def _half_written(page: Page) -> None:
    """A sheet with what was seen, injected and scored of its first two lesions."""
    page.get_by_label("PtGA, 1 to 10").fill("7")
    page.get_by_label("Lot number").first.fill("STS-2409")
    for number, (part, volume) in enumerate(
        zip(page.locator("[data-lesion]").all(), ("0,55", "0,3"), strict=False)
    ):
        part.get_by_label("Longest").fill(str(14 - 3 * number))
        part.get_by_label("Widest").fill(str(9 - 2 * number))
        part.get_by_role("group", name="Ulcer").get_by_text("No", exact=True).click()
        part.get_by_label("Injected").fill(volume)
        part.get_by_label("Pain 0-10").fill(str(5 - number))


def _refused(page: Page) -> None:
    """A sheet that was sent with a number that has two readings."""
    _half_written(page)
    page.locator("[data-lesion]").nth(1).get_by_label("Injected").fill("1.000,5")
    page.get_by_role("button", name="Complete the session").click()
    page.locator("[data-error-summary]").wait_for()


def _alerts(page: Page) -> None:
    """A sheet that was sent and waits for what its alerts ask."""
    _half_written(page)
    page.get_by_role("button", name="Complete the session").click()
    page.locator("#check").wait_for()


TODAY, PATIENTS, REPORT = at("/today/"), at("/patients/"), at("/report/")
SHEET = sheet("treatment of DEMO-06")
PICTURES = (
    Picture("sign-in", "", at("/")),
    Picture("today", "clinician", TODAY),
    Picture("today-telephone", "nurse", TODAY, width=TELEPHONE),
    Picture("calls", "nurse", at("/calls/")),
    Picture("alerts", "investigator", at("/alerts/")),
    Picture("lots", "nurse", at("/lots/")),
    Picture("side-effects", "investigator", at("/side-effects/")),
    Picture("patients", "clinician", PATIENTS),
    Picture("patients-telephone", "clinician", PATIENTS, width=TELEPHONE, theme="dark"),
    Picture("patient", "clinician", patient("AAR-022")),
    Picture("patient-dark", "clinician", patient("DEMO-04"), theme="dark"),
    Picture("patient-telephone", "clinician", patient("DEMO-04"), width=TELEPHONE),
    Picture("patient-pseudonymous", "investigator", patient("DEMO-09")),
    Picture("enrol", "clinician", at("/patients/enrol/")),
    Picture("enrol-decide", "clinician", link(patient("DEMO-05"), "/decide/")),
    Picture("withdraw", "clinician", link(patient("DEMO-04"), "/withdraw/")),
    Picture("patient-edit", "clinician", link(patient("DEMO-01"), "/edit/")),
    Picture("identity", "clinician", link(patient("DEMO-01"), "/identity/")),
    Picture("lesion", "clinician", link(patient("DEMO-01"), "/lesions/")),
    Picture("medication", "clinician", link(patient("DEMO-01"), "/medications/")),
    Picture("prior-treatment", "clinician", link(patient("DEMO-01"), "/prior-treatments/new/")),
    Picture("series-new", "clinician", link(patient("DEMO-04"), "/series/new/")),
    Picture("series-edit", "clinician", link(patient("DEMO-01"), "/series/")),
    Picture("session-sheet", "clinician", SHEET, _half_written),
    Picture("session-sheet-refused", "clinician", SHEET, _refused),
    Picture("session-sheet-tablet", "nurse", SHEET, _half_written, width=TABLET),
    Picture("session-sheet-telephone", "nurse", SHEET, _half_written, width=TELEPHONE, theme="dark"),
    Picture("session-sheet-alerts", "clinician", sheet("treatment of DEMO-01"), _alerts),
    Picture("session-sheet-blinded", "nurse", sheet("treatment of DEMO-07")),
    Picture("infusion-sheet", "clinician", sheet("treatment of KAN-1")),
    Picture("follow-up-sheet", "clinician", sheet("follow-up of DEMO-04")),
    Picture("session", "clinician", link(patient("DEMO-01"), "/sessions/")),
    Picture("correction", "clinician", button(link(patient("DEMO-01"), "/sessions/"), "Correct")),
    Picture("photograph-new", "nurse", link(patient("DEMO-01"), "/photographs/new/")),
    Picture("side-effect-new", "nurse", link(patient("DEMO-01"), "/side-effects/new/")),
    Picture("side-effect", "nurse", link(at("/calls/"), "^/side-effects/")),
    Picture("side-effect-edit", "nurse", link(link(at("/calls/"), "^/side-effects/"), "/edit/")),
    Picture("side-effects-over-time", "investigator", link(patient("AAR-013"), "/side-effects/")),
    Picture("history", "clinician", link(patient("DEMO-04"), "/history/")),
    Picture("strike-out", "clinician", link(link(patient("DEMO-01"), "/sessions/"), "/strike-out/")),
    Picture("report", "investigator", REPORT),
    Picture("report-dark", "investigator", REPORT, theme="dark"),
    Picture("report-telephone", "investigator", REPORT, width=TELEPHONE),
    Picture("report-controlled", "investigator", at("/report/?protocol=placebo3&clinic=orlando")),
    Picture("export", "investigator", at("/exports/")),
    Picture("exchange", "datamanager", at("/exchange/")),
    Picture("allocation", "datamanager", at("/allocation/")),
    Picture("allocation-open", "datamanager", link(at("/allocation/"), "/allocation/open/")),
    Picture("reading-room", "observer", at("/reading-room/")),
    Picture("protocols", "administrator", at("/protocols/")),
    Picture("protocol", "administrator", link(at("/protocols/"), "/protocols/")),
    Picture(
        "protocol-new-version", "administrator", link(link(at("/protocols/"), "/protocols/"), "/new-version/")
    ),
    Picture("users", "administrator", at("/users/")),
    Picture("user", "administrator", link(at("/users/"), "/users/", "tbody")),
    Picture("user-new", "administrator", at("/users/new/")),
    Picture("clinics", "administrator", at("/clinics/")),
    Picture("clinic", "administrator", link(at("/clinics/"), "/clinics/", "tbody")),
    Picture("rights", "administrator", at("/rights/")),
    Picture("password", "nurse", at("/password/")),
    Picture("not-found", "nurse", at("/nothing-here/")),
)


@contextmanager
def _page(browser: Browser, server: Server, user: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=server.url,
        locale="en-GB",
        timezone_id="Europe/Copenhagen",
        viewport={"width": DESK, "height": HEIGHT},
        reduced_motion="reduce",
    )
    page = context.new_page()
    if user:
        sign_in(page, user)
    yield page
    context.close()


def take(page: Page, picture: Picture) -> int:
    """Take one picture and write it; give its bytes."""
    page.set_viewport_size({"width": picture.width, "height": HEIGHT})
    page.emulate_media(color_scheme="dark" if picture.theme == "dark" else "light")
    picture.way(page)
    picture.then(page)
    page.evaluate("document.activeElement.blur()")
    # A window as high as the page, so that what sticks to its edges stands at its own place.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": picture.width, "height": min(height, LONGEST)})
    page.evaluate("scrollTo(0, 0)")
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    target = TARGET / f"{picture.name}.png"
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    return target.stat().st_size


def main(names: list[str]) -> None:
    """Take all pictures, or those that are named; what is no longer made is removed."""
    provide()
    TARGET.mkdir(parents=True, exist_ok=True)
    wanted = [picture for picture in PICTURES if not names or picture.name in names]
    total = 0
    with (
        tempfile.TemporaryDirectory(prefix="stsclinic-screenshots-") as data,
        running_server(Path(data)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=[*CHROMIUM_FLAGS, "--lang=en-GB"]
        )
        for user in dict.fromkeys(picture.user for picture in wanted):
            with _page(browser, server, user) as page:
                for picture in wanted:
                    if picture.user == user:
                        size = take(page, picture)
                        total += size
                        print(f"{picture.name}: {size // 1024} kB", flush=True)
        browser.close()
    for old in set(TARGET.glob("*.png")) - {TARGET / f"{picture.name}.png" for picture in PICTURES}:
        old.unlink()
    print(f"{len(wanted)} pictures, {total // 1024} kB, in {TARGET}")


if __name__ == "__main__":
    main(sys.argv[1:])
