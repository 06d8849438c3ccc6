"""Each page of each role, on three widths, light and dark: no error, no barrier, nothing that sticks out.

From a role's first page every link is followed until one page of each kind was seen. Which kinds
a role meets is written out here, so that a page that loses its last link is missed.
"""

import os
from collections.abc import Callable, Collection
from datetime import date

import pytest
from django.urls import get_resolver
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.sessions_app.datasheet_files import as_zip
from tests.tools.browser import WITHOUT_A_PAGE, assert_accessible, page_at, sign_in
from tests.tools.server import Server

WIDTHS = {"desk": 1280, "tablet": 820, "telephone": 390}
HEIGHT = 900
EVERYWHERE = frozenset((place, theme) for place in WIDTHS for theme in ("light", "dark"))
"""Where axe looks: colours differ by theme, and what is shown by width."""
SEEN_BEFORE = frozenset({("desk", "light")})
"""Where it looks at a kind of page that another role has met, and on PostgreSQL: it needs most of the time."""
ON_POSTGRESQL = "TEST_DATABASE_URL" in os.environ
"""Where the pages are the same as on SQLite."""

NOT_FOLLOWED = WITHOUT_A_PAGE | {
    "login",
    # Opened by a button of the sheet, or by a code; they have tests of their own.
    "score",
    "score_invite",
    # Shown once, to whom sent the form.
    "user_password",
}
OF_EVERYBODY = {"password", "rights"}
OF_READERS = {
    "body_map",
    "patients",
    "patient",
    "patient_history",
    "record_history",
    "session",
    "swim_lanes",
    "side_effect",
    "side_effect_report",
    "side_effect_summary",
    "alerts",
    "protocols",
    "protocol",
}
OF_CORRECTIONS = {
    "lesion_edit",
    "lesion_order",
    "medication_edit",
    "patient_edit",
    "prior_treatment_edit",
    "series_edit",
}
OF_THE_CLINIC = (
    OF_READERS
    | OF_CORRECTIONS
    | {
        "today",
        "calls",
        "holidays",
        "lots",
        "draft",
        "enrol",
        "enrol_decide",
        "lesion_new",
        "medication_new",
        "patient_identity",
        "patient_withdraw",
        "lesion_photographs",
        "photograph_new",
        "photograph_ruler",
        "prior_treatment_new",
        "series_new",
        "side_effect_edit",
        "side_effect_new",
    }
)
OF_AN_IMPORT = {"import_preview", "import_row"}
OF_RECALLED_LOTS = {"lot", "lot_strike_out"}
OF_AN_EXPORT = {"export"}
PAGES = {
    "clinician": OF_THE_CLINIC | {"patients_struck_out", "report", "report_rows", "strike_out"},
    "nurse": OF_THE_CLINIC,
    "investigator": OF_READERS | {"report", "report_rows", "exports"},
    "observer": {"reading_room"},
    "datamanager": OF_READERS
    | OF_CORRECTIONS
    | {
        "patients_struck_out",
        "report",
        "report_rows",
        "strike_out",
        "exchange",
        "exports",
        "allocation",
        "allocation_open",
        "lots",
    },
    "administrator": {"users", "user", "user_new", "clinics", "clinic", "clinic_new", "holidays"}
    | {"alerts", "protocols", "protocol", "protocol_new_version"},
}
ALSO = ("DEMO-01", "DEMO-02", "DEMO-03", "DEMO-05", "COI-1")
"""Patients of whom something is recorded, or still to be decided, that the first one does not show."""


def look_at(page: Page, accessible_at: Collection[tuple[str, str]] = EVERYWHERE) -> None:
    """Look at the page that is shown, on every width and in both themes."""
    assert page.title().strip()
    assert page.locator("h1").count() == 1, f"{page.url} has not one heading"
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("theme => document.documentElement.dataset.bsTheme === theme", arg=theme)
        for place, width in reversed(WIDTHS.items()):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{page.url} is {over} pixels too wide at {width}"
            if (place, theme) in accessible_at:
                assert_accessible(page)


def follow(page: Page, role: str, seen: set[str]) -> None:
    """Look at the page that is shown, and at one page of each kind that was not seen before."""
    name = page_at(page.evaluate("location.pathname"))
    seen.add(name)
    waiting: list[tuple[str, str]] = []
    while True:
        is_first = role == next((other for other in PAGES if name in PAGES[other]), role)
        look_at(page, EVERYWHERE if is_first and not ON_POSTGRESQL else SEEN_BEFORE)
        for address in page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))"):
            found = page_at(address)
            if found and found not in seen | NOT_FOLLOWED:
                seen.add(found)
                waiting.append((found, address))
        if not waiting:
            return
        origin = page.url
        name, address = waiting.pop(0)
        answer = page.goto(address, wait_until="load")
        assert answer and answer.status == 200, (
            f"{address} answers otherwise than with a page (from {origin})"
        )


def click(page: Page, place: Locator) -> None:
    """Click, and wait for the page that it leads to."""
    with page.expect_navigation(wait_until="load"):
        place.click()


def open_patient(page: Page, study_id: str) -> None:
    """Find a patient as people do."""
    page.goto("/patients/", wait_until="load")
    page.get_by_role("searchbox").fill(study_id)
    expect(page.locator("#found tbody tr")).to_have_count(1)
    click(page, page.locator("#found").get_by_role("link", name=study_id, exact=True))


@pytest.mark.parametrize("role", PAGES)
def test_each_page_of_a_role(server: Server, new_context: Callable[..., BrowserContext], role: str):
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, role)
    seen: set[str] = set()
    follow(page, role, seen)
    if "patients" in PAGES[role]:
        for study_id in ALSO:
            open_patient(page, study_id)
            follow(page, role, seen)
    assert seen == PAGES[role] | OF_EVERYBODY


def test_the_sheets_that_no_link_opens(server: Server, new_context: Callable[..., BrowserContext]):
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, "clinician")
    # Of a blinded comparison, of an infusion, and of a follow-up.
    for name in ("Record treatment of DEMO-07", "Record follow-up of DEMO-04"):
        page.goto("/today/", wait_until="load")
        click(page, page.get_by_role("button", name=name))
        look_at(page)
    open_patient(page, "KAN-1")
    click(page, page.get_by_role("button", name="Record treatment"))
    look_at(page)
    open_patient(page, "DEMO-01")
    click(page, page.locator("main a[href^='/sessions/']").first)
    click(page, page.get_by_role("button", name="Correct"))
    look_at(page)


def test_the_pages_of_a_recalled_lot(server: Server, new_context: Callable[..., BrowserContext]):
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, "nurse")
    page.goto("/lots/", wait_until="load")
    page.get_by_label("Clinic").select_option(label="Demonstration clinic, invented patients")
    page.get_by_label("Lot number").fill("EVERY-1")
    page.get_by_label("Recalled on").fill(date.today().isoformat())
    click(page, page.get_by_role("button", name="Enter as recalled"))
    expect(page.get_by_text("Lot EVERY-1 is entered as recalled.")).to_be_visible()
    look_at(page)
    click(page, page.get_by_role("link", name="Strike out"))
    look_at(page)


def test_the_pages_of_an_import(server: Server, new_context: Callable[..., BrowserContext]):
    """A data manager chooses a file, follows an error to its row, corrects the file, and imports it."""
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, "datamanager")
    columns, row = "patient_id,clinic,sex,diagnosis,ethnicity", "AAR-001,aarhus,female,lcssc,"
    for text in (f"{columns}\r\n{row.replace('female', 'femal')}Inuit\r\n", f"{columns}\r\n{row}Inuit\r\n"):
        page.goto("/exchange/", wait_until="load")
        content = as_zip({"patients.csv": text.encode()}).getvalue()
        chosen: FilePayload = {"name": "corrected.zip", "mimeType": "application/zip", "buffer": content}
        page.get_by_label("File", exact=True).first.set_input_files(chosen)
        click(page, page.get_by_role("button", name="Preview the import"))
        look_at(page)
        if "femal," in text:
            click(page, page.get_by_role("link", name="patients, row 2, sex"))
            look_at(page)
    expect(page.locator("#changes tbody tr").filter(has_text="ethnicity")).to_contain_text("Inuit")
    page.get_by_label("Reason for the import").fill("Asked for at the follow-up")
    click(page, page.get_by_role("button", name="Import 0 new and"))
    expect(page.get_by_text("Imported: 0 rows new, 1 row changed.")).to_be_visible()


def test_the_pages_of_an_export(server: Server, new_context: Callable[..., BrowserContext]):
    """An investigator asks for one, waits for it, and comes back to it from the list."""
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, "investigator")
    page.goto("/exports/", wait_until="load")
    click(page, page.get_by_role("button", name="Export", exact=True))
    expect(page.get_by_role("heading", name="Ready")).to_be_visible(timeout=90_000)
    look_at(page)
    page.goto("/exports/", wait_until="load")
    look_at(page)
    click(page, page.locator("#export-mine + ul").get_by_role("link").first)
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()


ASK_FOR_A_REPORT = """
from datetime import timedelta
from django.utils import timezone
from sessions_app.export_jobs import ask_report
from sessions_app.models import ExportJob
from sessions_app.report_asked import Asked, chosen_from, filter_of
from stsclinic.clinics.models import User
user = User.objects.get(username="investigator")
asked = Asked(what={what!r}, names={names!r}, query="unit=lesion")
form, clinics = filter_of(user, asked.given)
assert form.is_valid()
chosen = chosen_from(user, asked, form, clinics)
print("job", {job}.pk)
"""
"""As a page of so many series asks it that the demonstration has them not."""
BEGIN_IT = "ask_report(chosen, by=user)"
NEVER_ENDING = (
    "ExportJob.objects.create(made_by=user, kind='report', chosen=chosen, state='running', work_done=3,"
    " work_in_all=10, heartbeat_at=timezone.now() + timedelta(hours=1))"
)


def ask_for_a_report(page: Page, server: Server, job: str, what: str, *names: str) -> None:
    """Show the page of a report that is made apart."""
    asked = ASK_FOR_A_REPORT.format(job=job, what=what, names=names)
    number = server.manage("shell", "-c", asked).stdout.split()[-1]
    page.goto(f"/exports/{number}/", wait_until="load")


def test_the_pages_of_a_report_that_is_made_apart(server: Server, new_context: Callable[..., BrowserContext]):
    """An investigator waits for a file of it, and for its page, which opens by itself."""
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, "investigator")
    ask_for_a_report(page, server, BEGIN_IT, "file", "csv")
    expect(page.get_by_role("heading", name="Ready")).to_be_visible(timeout=90_000)
    look_at(page)
    with page.expect_download() as download:
        page.locator("#export-state a[download]").click()
    assert download.value.suggested_filename.endswith(".zip")
    ask_for_a_report(page, server, BEGIN_IT, "page")
    page.wait_for_url("**/report/?unit=lesion", timeout=90_000)
    expect(page.get_by_role("heading", name="What this report shows")).to_be_visible()


def test_who_waits_keeps_the_place_of_the_keyboard(
    server: Server, new_context: Callable[..., BrowserContext]
):
    """The page tells anew each second how far the work is; the button that ends it stays where the finger is."""
    page = new_context(viewport={"width": WIDTHS["desk"], "height": HEIGHT}).new_page()
    sign_in(page, "investigator")
    ask_for_a_report(page, server, NEVER_ENDING, "page")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "30")
    look_at(page)
    page.get_by_role("button", name="Cancel").focus()
    page.evaluate("document.getElementById('export-state').dataset.told = 'once'")
    expect(page.locator("#export-state[data-told]")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Being cancelled")).to_be_disabled()


def test_every_page_is_met_by_somebody():
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    beside = OF_RECALLED_LOTS | OF_AN_IMPORT | OF_AN_EXPORT
    assert set.union(*PAGES.values(), OF_EVERYBODY, beside, NOT_FOLLOWED) == known


@pytest.mark.console_allowed("status of 404")
def test_the_pages_of_the_signed_out(server: Server, new_context: Callable[..., BrowserContext]):
    page = new_context().new_page()
    for address in ("/", "/nothing-here/"):
        page.goto(address, wait_until="load")
        look_at(page)
    sign_in(page, "observer")
    click(page, page.get_by_role("button", name="Sign out"))
    look_at(page)
