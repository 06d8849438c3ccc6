"""Pictures of every page in docs/screenshots/, from a demonstration clinic of its own.

`make screenshots` calls it. The pictures are made by this command alone, never by hand, so that they
show what the program shows. Each has few colours: they are carried by everybody who clones the project.
"""

import io
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import django
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from tests.browser.big_visit import write_big_patient
from tests.tools.browser import page_at, sign_in
from tests.tools.machine import CHROMIUM_FLAGS, chromium, provide
from tests.tools.server import Server, running_server

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
DESK, TABLET, TELEPHONE = 1280, 820, 390
HEIGHT = 900
LONGEST = 2600
"""Pixels of a long page that are kept: what follows looks like what is there."""
COLOURS = 64
LOT = "STS-2409"
"""The lot number of the demonstration's weekly treatments."""


def _nothing(page: Page) -> None:
    """The page as it is."""


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the page's name in the URLs ("" for none), who looks, the way there, what is done then."""

    name: str
    page: str
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
    page.get_by_label("Lot number").first.fill(LOT)
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


def _exported(page: Page) -> None:
    """An export that is asked for and was made."""
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("heading", name="Ready").wait_for(timeout=120_000)


def _uploaded(page: Page) -> None:
    """The preview of an import with one thing that is new to the register, and one that is wrong."""
    sheet = "patient_id,clinic,sex,diagnosis,ethnicity\r\nAAR-001,aarhus,female,lcssc,Inuit\r\nAAR-002,aarhus,femal,lcssc,\r\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as folder:
        folder.writestr("patients.csv", sheet)
    corrected: FilePayload = {
        "name": "sheets.zip",
        "mimeType": "application/zip",
        "buffer": content.getvalue(),
    }
    page.get_by_label("File", exact=True).first.set_input_files(corrected)
    page.get_by_role("button", name="Preview the import").click()
    page.wait_for_url("**/exchange/import/*/")


def _to_the_wrong_row(page: Page) -> None:
    """From the preview on to the row of the file in which a value is wrong."""
    _uploaded(page)
    page.get_by_role("link", name="patients, row 3, sex").click()
    page.wait_for_url("**/patients/3/**")


def _recalled(page: Page) -> None:
    """A lot that is entered as recalled, with those who got it."""
    page.get_by_label("Clinic").select_option(label="Demonstration clinic, invented patients")
    page.get_by_label("Lot number").fill(LOT)
    page.get_by_label("Recalled on").fill(date.today().isoformat())
    page.get_by_role("button", name="Enter as recalled").click()
    page.wait_for_url("**/lots/*/")


def _to_strike_out(page: Page) -> None:
    """From a lot on to striking out that it was recalled."""
    page.get_by_role("link", name="Strike out").click()
    page.wait_for_url("**/strike-out/")


def _new_password(page: Page) -> None:
    """The password that was made for somebody, shown once."""
    page.get_by_role("button", name="Make a new password").click()
    page.wait_for_url("**/password/")


def _code(page: Page) -> None:
    """From a sheet to the code by which the patient scores."""
    page.get_by_role("button", name="Let the patient score").click()
    page.get_by_role("button", name="Show a code").click()
    page.locator(".invite-code").wait_for()


def _handed_over(page: Page) -> None:
    """The tablet in the patient's hands, at the question."""
    page.get_by_role("button", name="Let the patient score").click()
    page.get_by_role("button", name="Hand over this tablet").click()
    page.wait_for_url("**/score/**")
    page.get_by_role("link", name="English").click()
    page.locator(".own-numbers").first.wait_for()


def _in_error(page: Page) -> None:
    """A sheet whose second half of a size cannot be read, sent to be completed."""
    _first_lesions(page)
    page.locator('[data-cell="volume"]').last.fill("1.000,5")
    page.get_by_role("button", name="Complete the session").click()
    page.locator("[data-error-summary]").wait_for()


def _first_lesions(page: Page) -> None:
    """The first lesion as last time, the second measured anew and wider than long, the third gone."""
    lesions = page.locator("[data-lesion]").all()
    page.locator('[data-cell="longest"]').first.focus()
    page.keyboard.press("l")
    for lesion, (size, volume) in zip(lesions[1:2], (("8x12", "0,3"),), strict=False):
        lesion.get_by_label("Longest").fill(size)
        lesion.get_by_label("Injected").fill(volume)
    for lesion in lesions[2:3]:
        lesion.get_by_label("Gone").check()
    expect(page.locator("[data-saved]")).to_contain_text("Saved")


def _in_conflict(page: Page) -> None:
    """A sheet on which a colleague typed something else in the same field."""
    _first_lesions(page)
    other = page.context.new_page()
    other.goto(page.url, wait_until="load")
    asked = re.compile(r"/drafts/\d+/(save|watch)/")
    page.route(asked, lambda route: route.abort())
    place = '[data-cell="longest"]'
    stands = other.locator(place).last.input_value()
    page.locator(place).last.fill("18" if stands == "19" else "19")
    with other.expect_response("**/save/"):
        other.locator(place).last.fill("23" if stands == "21" else "21")
    page.unroute(asked)
    page.locator(".clash").wait_for()
    other.close()


def _offline(page: Page) -> None:
    """A sheet on which one types on while the network is away."""
    _first_lesions(page)
    page.context.set_offline(True)
    page.get_by_label("Note", exact=True).fill("The network is away.")
    page.locator(".save-trouble").wait_for()


def _with_pad(page: Page) -> None:
    """A sheet with the number pad for fingers open at a volume."""
    page.locator('[data-cell="volume"]').first.dispatch_event("pointerdown", {"pointerType": "touch"})
    page.locator('[data-cell="volume"]').first.focus()
    page.locator("[data-pad]").wait_for()


TODAY, PATIENTS, REPORT = at("/today/"), at("/patients/"), at("/report/")
SHEET = sheet("treatment of DEMO-06")
PHOTOGRAPHS = link(patient("DEMO-04"), "/lesions/", ".photo-strip")
SHEETS = {lesions: f"SHEET-{lesions:02}" for lesions in (1, 5, 22)}
"""Patients with so many lesions, all seen and injected a week ago, whose second session is due."""
WIDTHS = {"": DESK, "-tablet": TABLET, "-telephone": TELEPHONE}
STATES = {"": _first_lesions, "-error": _in_error, "-conflict": _in_conflict, "-offline": _offline}


def _pictures_of_the_sheet() -> Iterator[Picture]:
    for lesions, study_id in SHEETS.items():
        for width, pixels in WIDTHS.items():
            for theme in ("", "-dark"):
                for state, then in STATES.items():
                    # Few lesions show what goes wrong as well as many.
                    if state and lesions != 5:
                        continue
                    name = f"sheet-{lesions}{width}{theme}{state}"
                    way = sheet(f"treatment of {study_id}")
                    yield Picture(
                        name, "draft", "clinician", way, then, width=pixels, theme=theme[1:] or "light"
                    )
    yield Picture(
        "sheet-5-telephone-pad",
        "draft",
        "nurse",
        sheet(f"treatment of {SHEETS[5]}"),
        _with_pad,
        width=TELEPHONE,
    )


PICTURES = (
    *_pictures_of_the_sheet(),
    Picture("sign-in", "login", "", at("/")),
    Picture("today", "today", "clinician", TODAY),
    Picture("today-telephone", "today", "nurse", TODAY, width=TELEPHONE),
    Picture("calls", "calls", "nurse", at("/calls/")),
    Picture("alerts", "alerts", "investigator", at("/alerts/")),
    Picture("lots", "lots", "nurse", at("/lots/")),
    Picture("lot", "lot", "nurse", at("/lots/"), _recalled),
    Picture(
        "lot-strike-out", "lot_strike_out", "nurse", link(at("/lots/"), "/lots/", "tbody"), _to_strike_out
    ),
    Picture("days-closed", "holidays", "nurse", at("/holidays/")),
    Picture("side-effects", "side_effect_summary", "investigator", at("/side-effects/")),
    Picture("patients", "patients", "clinician", PATIENTS),
    Picture("patients-telephone", "patients", "clinician", PATIENTS, width=TELEPHONE, theme="dark"),
    Picture("patient", "patient", "clinician", patient("AAR-022")),
    Picture("patient-dark", "patient", "clinician", patient("DEMO-04"), theme="dark"),
    Picture("patient-telephone", "patient", "clinician", patient("DEMO-04"), width=TELEPHONE),
    Picture("patient-pseudonymous", "patient", "investigator", patient("DEMO-09")),
    Picture("patients-struck-out", "patients_struck_out", "clinician", at("/patients/struck-out/")),
    Picture("enrol", "enrol", "clinician", at("/patients/enrol/")),
    Picture("enrol-decide", "enrol_decide", "clinician", link(patient("DEMO-05"), "/decide/")),
    Picture("withdraw", "patient_withdraw", "clinician", link(patient("DEMO-04"), "/withdraw/")),
    Picture("patient-edit", "patient_edit", "clinician", link(patient("DEMO-01"), "/edit/")),
    Picture("identity", "patient_identity", "clinician", link(patient("DEMO-01"), "/identity/")),
    Picture("lesion", "lesion_edit", "clinician", link(link(patient("DEMO-04"), "/body-map/"), "/edit/")),
    Picture("lesion-new", "lesion_new", "clinician", link(patient("DEMO-01"), "/lesions/new/")),
    Picture("body-map", "body_map", "clinician", link(patient("DEMO-04"), "/body-map/")),
    Picture("lesion-order", "lesion_order", "clinician", link(SHEET, "/lesion-order/")),
    Picture("medication", "medication_edit", "clinician", link(patient("DEMO-01"), "^/medications/")),
    Picture("medication-new", "medication_new", "clinician", link(patient("DEMO-01"), "/medications/new/")),
    Picture(
        "prior-treatment",
        "prior_treatment_new",
        "clinician",
        link(patient("DEMO-01"), "/prior-treatments/new/"),
    ),
    Picture(
        "prior-treatment-edit",
        "prior_treatment_edit",
        "clinician",
        link(patient("COI-1"), "^/prior-treatments/"),
    ),
    Picture("series-new", "series_new", "clinician", link(patient("DEMO-04"), "/series/new/")),
    Picture("series-edit", "series_edit", "clinician", link(patient("DEMO-01"), "^/series/")),
    Picture("session-sheet", "draft", "clinician", SHEET, _half_written),
    Picture("session-sheet-refused", "draft", "clinician", SHEET, _refused),
    Picture("session-sheet-tablet", "draft", "nurse", SHEET, _half_written, width=TABLET),
    Picture("session-sheet-telephone", "draft", "nurse", SHEET, _half_written, width=TELEPHONE, theme="dark"),
    Picture("session-sheet-alerts", "draft", "clinician", sheet("treatment of DEMO-01"), _alerts),
    Picture("session-sheet-blinded", "draft", "nurse", sheet("treatment of DEMO-07")),
    Picture("infusion-sheet", "draft", "clinician", button(patient("KAN-1"), "Record treatment")),
    Picture("follow-up-sheet", "draft", "clinician", sheet("follow-up of DEMO-04")),
    Picture("session", "session", "clinician", link(patient("DEMO-01"), "/sessions/")),
    Picture("correction", "draft", "clinician", button(link(patient("DEMO-01"), "/sessions/"), "Correct")),
    Picture("photograph-new", "photograph_new", "nurse", link(patient("DEMO-01"), "/photographs/new/")),
    Picture("photographs", "lesion_photographs", "nurse", PHOTOGRAPHS),
    Picture("photograph-ruler", "photograph_ruler", "nurse", link(PHOTOGRAPHS, "/ruler/")),
    Picture("side-effect-new", "side_effect_new", "nurse", link(patient("DEMO-01"), "/side-effects/new/")),
    Picture("side-effect", "side_effect", "nurse", link(at("/calls/"), "^/side-effects/")),
    Picture(
        "side-effect-edit",
        "side_effect_edit",
        "nurse",
        link(link(at("/calls/"), "^/side-effects/"), "/edit/"),
    ),
    Picture(
        "side-effect-report",
        "side_effect_report",
        "nurse",
        link(link(at("/calls/"), "^/side-effects/"), "/report/"),
    ),
    Picture(
        "side-effects-over-time", "swim_lanes", "investigator", link(patient("AAR-013"), "/side-effects/")
    ),
    Picture("history", "patient_history", "clinician", link(patient("DEMO-04"), "/history/")),
    Picture(
        "record-history",
        "record_history",
        "clinician",
        link(link(patient("DEMO-01"), "/sessions/"), "^/history/"),
    ),
    Picture(
        "strike-out", "strike_out", "clinician", link(link(patient("DEMO-01"), "/sessions/"), "/strike-out/")
    ),
    Picture("report", "report", "investigator", REPORT),
    Picture("report-dark", "report", "investigator", REPORT, theme="dark"),
    Picture("report-telephone", "report", "investigator", REPORT, width=TELEPHONE),
    Picture("report-controlled", "report", "investigator", at("/report/?protocol=placebo3&clinic=orlando")),
    Picture("report-rows", "report_rows", "investigator", link(REPORT, "/report/rows/")),
    Picture("export", "exports", "investigator", at("/exports/")),
    Picture("export-made", "export", "investigator", at("/exports/"), _exported),
    Picture("exchange", "exchange", "datamanager", at("/exchange/")),
    Picture("import-preview", "import_preview", "datamanager", at("/exchange/"), _uploaded),
    Picture("import-row", "import_row", "datamanager", at("/exchange/"), _to_the_wrong_row),
    Picture("allocation", "allocation", "datamanager", at("/allocation/")),
    Picture(
        "allocation-open", "allocation_open", "datamanager", link(at("/allocation/"), "/allocation/open/")
    ),
    Picture("reading-room", "reading_room", "observer", at("/reading-room/")),
    Picture("protocols", "protocols", "administrator", at("/protocols/")),
    Picture("protocol", "protocol", "administrator", link(at("/protocols/"), "/protocols/")),
    Picture(
        "protocol-new-version",
        "protocol_new_version",
        "administrator",
        link(link(at("/protocols/"), "/protocols/"), "/new-version/"),
    ),
    Picture("users", "users", "administrator", at("/users/")),
    Picture("user", "user", "administrator", link(at("/users/"), "/users/", "tbody")),
    Picture("user-new", "user_new", "administrator", at("/users/new/")),
    Picture("clinics", "clinics", "administrator", at("/clinics/")),
    Picture("clinic", "clinic", "administrator", link(at("/clinics/"), "/clinics/", "tbody")),
    Picture("clinic-new", "clinic_new", "administrator", at("/clinics/new/")),
    Picture("rights", "rights", "administrator", at("/rights/")),
    Picture("password", "password", "nurse", at("/password/")),
    Picture("not-found", "", "nurse", at("/nothing-here/")),
    Picture(
        "user-password",
        "user_password",
        "administrator",
        link(at("/users/"), "/users/", "tbody tr:last-child"),
        _new_password,
    ),
    Picture("score-code", "score_invite", "clinician", SHEET, _code),
    Picture("score", "score", "clinician", SHEET, _handed_over, width=TABLET),
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
    assert picture.page in ("", page_at(page.url)), f"{picture.name} shows {page.url}"
    if picture.then is not _with_pad:
        page.evaluate("document.activeElement.blur()")
    # A window as high as the page, so that what sticks to its edges stands at its own place.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": picture.width, "height": min(height, LONGEST)})
    page.evaluate("scrollTo(0, 0)")
    if height > LONGEST and page.locator(".clash").count():
        page.locator(".clash").scroll_into_view_if_needed()
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.context.set_offline(False)
    target = TARGET / f"{picture.name}.png"
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    return target.stat().st_size


def main(names: list[str]) -> None:
    """Take all pictures, or those that are named; what is no longer made is removed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    provide()
    TARGET.mkdir(parents=True, exist_ok=True)
    wanted = [picture for picture in PICTURES if not names or picture.name in names]
    total = 0
    with (
        tempfile.TemporaryDirectory(prefix="stsclinic-screenshots-") as data,
        running_server(Path(data)) as server,
        sync_playwright() as playwright,
    ):
        for lesions, study_id in SHEETS.items():
            folder = Path(data) / study_id
            server.manage(
                "import_sheets",
                write_big_patient(folder, clinic="demo", study_id=study_id, lesions=lesions),
            )
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
