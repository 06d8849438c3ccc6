"""The whole clinic day against the real server, from the enrolment to the same report elsewhere.

Everything happens in a clinic of its own: a clinician by keyboard alone, a nurse, an investigator
and a data manager. The days lie in the past, a week and then thirteen weeks apart.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.people import Person, come_in, hire, make_clinic
from tests.tools.postgresql import fresh_database
from tests.tools.server import Server, environment, manage

CLINIC, PATIENT = "day", "DAY-01"
FIRST = date.today() - timedelta(days=120)
SECOND = FIRST + timedelta(days=7)
FOLLOW_UP = SECOND + timedelta(days=91)
LESIONS = {"L01": ("Index finger", "Left"), "L02": ("Elbow", "Right"), "L03": ("Knee", "Right")}


@pytest.fixture
def empty_database(tmp_path: Path, worker_id: str) -> Iterator[dict[str, str]]:
    """The surroundings of the application elsewhere: a database with nothing but the shipped protocols."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    with ExitStack() as stack:
        own = stack.enter_context(fresh_database(url, f"elsewhere_{worker_id}_{os.getpid()}")) if url else ""
        surroundings = environment(tmp_path, own)
        manage(surroundings, "migrate", "--verbosity", "0")
        yield surroundings


def shown(day: date) -> str:
    """A date as every page shows it."""
    return day.strftime("%d-%b-%Y")


def menu(page: Page, name: str) -> Locator:
    """One entry of the menu."""
    return page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True)


def lesion(page: Page, lesion_id: str) -> Locator:
    """One lesion's part of the sheet."""
    return page.locator("[data-lesion]", has=page.locator("legend strong", has_text=lesion_id))


@pytest.mark.console_allowed("status of 422")  # The sheet that waits for a note is answered with it.
def test_a_day_of_the_clinic(
    server: Server, new_context: Callable[..., BrowserContext], tmp_path: Path, empty_database: dict[str, str]
):
    make_clinic(server, CLINIC)
    clinician = come_in(new_context, *hire(server, CLINIC, "clinician"))
    given_a_patient_who_was_enrolled_by_keyboard_alone(clinician)
    and_consented_with_every_criterion_answered(clinician)
    and_three_lesions_were_described(clinician)
    and_a_series_of_these_lesions_was_begun(clinician)
    when_the_clinician_records_the_first_session_by_keyboard_alone(clinician)
    then_the_session_holds_the_three_injections(clinician)

    nurse = come_in(new_context, *hire(server, CLINIC, "nurse"))
    when_the_nurse_records_a_side_effect(nurse)
    and_the_second_session_with_one_lesion_gone_and_the_series_stopped(nurse)
    and_the_follow_up(nurse)
    then_the_patient_page_tells_the_course(nurse)

    investigator = come_in(new_context, *hire(server, CLINIC, "investigator"))
    then_the_report_shows_the_series_with_its_remission_and_reasons(investigator)

    data_manager = come_in(new_context, *hire(server, CLINIC, "data_manager"))
    sheets = when_the_data_manager_exports_the_clinic(data_manager, tmp_path)
    then_the_same_report_comes_out_of_an_empty_database(server, empty_database, sheets)


def given_a_patient_who_was_enrolled_by_keyboard_alone(clinician: Person):
    page, keys = clinician.page, clinician.keys
    keys.push(menu(page, "Patients"))
    keys.push(page.get_by_role("link", name="Enrol a patient").first)
    keys.enter(page.get_by_label("Study ID"), PATIENT)
    keys.choose(page.get_by_label("Sex"), "Female")
    keys.enter(page.get_by_label("Year of birth"), "1961")
    keys.choose(page.get_by_label("Diagnosis"), "Limited cutaneous systemic sclerosis")
    keys.choose(page.get_by_label("Raynaud's phenomenon"), "Yes")
    keys.choose(page.get_by_label("Hypersensitive to sodium thiosulfate"), "No")
    keys.choose(page.get_by_label("Pregnant"), "No")
    keys.choose(page.get_by_label("Breast-feeding"), "No")
    keys.enter_date(page.get_by_label("Offered on"), FIRST - timedelta(days=5))
    keys.enter(page.get_by_role("main").get_by_label("Name"), "Ane Prøve")
    keys.push(page.get_by_role("button", name="Save and go on to the criteria"))
    expect(page.get_by_text(f"Patient {PATIENT} is recorded.")).to_be_visible()


def and_consented_with_every_criterion_answered(clinician: Person):
    page, keys = clinician.page, clinician.keys
    expect(page.get_by_role("heading", name="Eligibility and consent")).to_be_visible()
    keys.pick(
        page.get_by_role("group", name="The patient understands that the treatment is experimental"), "Yes"
    )
    keys.pick(page.get_by_role("group", name="Outcome"), "Consented")
    keys.enter_date(page.get_by_label("Consented on"), FIRST - timedelta(days=2))
    keys.push(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("The consent is recorded.")).to_be_visible()


def and_three_lesions_were_described(clinician: Person):
    page, keys = clinician.page, clinician.keys
    for lesion_id, (site, side) in LESIONS.items():
        keys.enter(page.get_by_label("Lesion ID"), lesion_id)
        keys.choose(page.get_by_label("Body site"), site)
        keys.choose(page.get_by_label("Side", exact=True), side)
        keys.choose(page.get_by_label("Type", exact=True), "Nodule")
        keys.enter(page.get_by_label("Average pain at enrolment"), "6,5")
        is_last = lesion_id == list(LESIONS)[-1]
        keys.push(page.get_by_role("button", name="Save" if is_last else "Save and add another", exact=True))
        expect(page.get_by_text(f"Lesion {lesion_id} is recorded.")).to_be_visible()


def and_a_series_of_these_lesions_was_begun(clinician: Person):
    page, keys = clinician.page, clinician.keys
    keys.choose(page.get_by_label("Protocol"), "Weekly, four treatments (weekly4, version 1)")
    keys.enter_date(page.get_by_label("Starts on"), FIRST)
    for lesion_id in LESIONS:
        keys.tick(page.get_by_label(lesion_id))
    keys.push(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_role("heading", name=PATIENT)).to_be_visible()


def when_the_clinician_records_the_first_session_by_keyboard_alone(clinician: Person):
    page, keys = clinician.page, clinician.keys
    keys.push(menu(page, "Today"))
    keys.push(page.get_by_role("button", name=f"Record treatment of {PATIENT}"))
    keys.enter_date(page.get_by_label("Date of the visit"), FIRST)
    keys.enter(page.get_by_label("PtGA, 1 to 10"), "8")
    keys.choose(page.get_by_label("Where the needle goes").first, "Base")
    keys.enter(page.get_by_label("Lot number").first, "LOT-7")
    for lesion_id, (longest, widest, volume, pain) in {
        "L01": ("12", "8", "0,55", "4"),
        "L02": ("20.5", "10", "0.3", "5,5"),
        "L03": ("6", "6", "1", "3"),
    }.items():
        part = lesion(page, lesion_id)
        keys.enter(part.get_by_label("Longest"), longest)
        keys.enter(part.get_by_label("Widest"), widest)
        keys.pick(part.get_by_role("group", name="Ulcer"), "No")
        keys.pick(part.get_by_role("group", name="Inflammation"), "Yes" if lesion_id == "L02" else "No")
        keys.enter(part.get_by_label("Injected"), volume)
        keys.enter(part.get_by_label("Pain 0-10"), pain)
    keys.enter(page.get_by_label("PhGA, 1 to 10"), "7")
    expect(page.locator("[data-total-ml]")).to_have_text("1.85")
    expect(page.locator("[data-total-mg]")).to_have_text("277.5")
    keys.push(page.get_by_role("button", name="Complete the session"))
    expect(page.get_by_text("no vasodilator is known to be taken")).to_be_visible()
    keys.enter(page.get_by_label("Acknowledged, with this note"), "Told to keep the hands warm")
    keys.push(page.get_by_role("button", name="Complete the session"))


def then_the_session_holds_the_three_injections(clinician: Person):
    page = clinician.page
    expect(page.get_by_text("Treatment 1 is logged.")).to_be_visible()
    main = page.locator("main")
    for label, value in (("Volume", "1.85 ml"), ("Sodium thiosulfate", "277.5 mg"), ("1 ml syringes", "2")):
        term = main.locator("dt").get_by_text(label, exact=True)
        expect(term.locator("xpath=following-sibling::dd[1]")).to_have_text(value)
    for text in (*LESIONS, "Left index finger", "20.5 × 10", "Told to keep the hands warm"):
        expect(main.get_by_text(text).first).to_be_visible()


def when_the_nurse_records_a_side_effect(nurse: Person):
    page = nurse.page
    open_sheet(page, "treatment")
    page.get_by_label("Date of the visit").fill(SECOND.isoformat())
    page.get_by_role("button", name="Save and record a side effect").click()
    page.locator("a.term-name", has_text="Injection site pain").click()
    page.get_by_label("L01").check()
    began = page.get_by_role("group", name="Began, days after the session")
    began.get_by_label("On the date").check()
    began.locator("input[type=date]").fill(FIRST.isoformat())
    page.get_by_role("group", name="Ended, days after it began").get_by_label("The same day").check()
    page.get_by_text("What was done, outcome and more").click()
    page.get_by_label("Lasted").fill("90")
    page.get_by_label("Outcome").select_option("recovered")
    page.get_by_role("button", name="No to the rest, and save").click()
    expect(page.get_by_text("Injection site pain was recorded.")).to_be_visible()


def and_the_second_session_with_one_lesion_gone_and_the_series_stopped(nurse: Person):
    page = nurse.page
    expect(page.get_by_label("Date of the visit")).to_have_value(SECOND.isoformat())
    page.get_by_role("group", name="Side effects since the last visit").get_by_text("Asked, recorded").click()
    page.get_by_label("PtGA, 1 to 10").fill("4")
    finger, elbow, knee = (lesion(page, lesion_id) for lesion_id in LESIONS)
    expect(finger).to_contain_text(f"Last, {shown(FIRST)}: 12 × 8 mm, no ulcer")
    finger.get_by_label("Gone").check()
    elbow.get_by_label("Longest").fill("6")
    elbow.get_by_label("Widest").fill("5")
    elbow.get_by_role("group", name="Ulcer").get_by_text("No", exact=True).click()
    elbow.get_by_label("Injected").fill("0,2")
    elbow.get_by_label("Pain 0-10").fill("2")
    knee.get_by_label("As last time").check()
    page.get_by_label("PhGA, 1 to 10").fill("3")
    page.get_by_label("The series").select_option("stopped")
    page.get_by_label("Stopped because of").select_option("complete_remission")
    page.get_by_role("button", name="Complete the session").click()
    expect(page.get_by_text("Treatment 2 is logged.")).to_be_visible()


def and_the_follow_up(nurse: Person):
    page = nurse.page
    open_sheet(page, "follow-up")
    page.get_by_label("Date of the visit").fill(FOLLOW_UP.isoformat())
    page.get_by_role("group", name="Side effects since the last visit").get_by_text("Asked, nothing").click()
    page.get_by_label("PtGA, 1 to 10").fill("3")
    lesion(page, "L01").get_by_label("Gone").check()
    for lesion_id, size in (("L02", "5"), ("L03", "6")):
        part = lesion(page, lesion_id)
        part.get_by_label("Longest").fill(size)
        part.get_by_label("Widest").fill(size)
        part.get_by_role("group", name="Ulcer").get_by_text("No", exact=True).click()
    page.get_by_label("PhGA, 1 to 10").fill("3")
    page.get_by_role("button", name="Complete the session").click()
    expect(page.get_by_text("Follow-up 3 is logged.")).to_be_visible()


def open_sheet(page: Page, kind: str) -> None:
    """Open the sheet of the next visit from the list of what is due."""
    page.goto("/today/")
    page.get_by_role("button", name=f"Record {kind} of {PATIENT}").click()


def then_the_patient_page_tells_the_course(nurse: Person):
    page = nurse.page
    page.goto("/today/")
    expect(page.get_by_role("button", name=PATIENT)).to_have_count(0)
    page.goto("/patients/")
    page.locator("main").get_by_role("link", name=PATIENT).first.click()
    main = page.locator("main")
    for text in ("Ane Prøve", "Complete remission", "Injection site pain", shown(FIRST), shown(FOLLOW_UP)):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(main).to_contain_text("Left index finger")


def then_the_report_shows_the_series_with_its_remission_and_reasons(investigator: Person):
    page = investigator.page
    menu(page, "Report").click()
    expect(page.get_by_role("heading", name="Report").first).to_be_visible()
    report = page.locator("main")
    for words in (PATIENT, "PtGA 8 → 3", "20.5 × 10 → 5 × 5 mm", "score improved only"):
        expect(report).to_contain_text(words)
    expect(report).not_to_contain_text("Ane Prøve")
    downloaded = page.request.get("/report/download/json/")
    remission = downloaded.json()["remission"]["follow_up"]
    assert remission["by_lesion"] == {"complete": 1, "partial": 1, "none": 1, "not_evaluable": 0}
    assert remission["by_series"]["complete"] == remission["by_patient"]["complete"] == 1


def when_the_data_manager_exports_the_clinic(data_manager: Person, folder: Path) -> Path:
    page = data_manager.page
    menu(page, "Export").click()
    page.get_by_label("Days and years of birth as recorded").check()
    page.get_by_label("Notes and all other free text").check()
    page.get_by_label("Reason").fill("To count the series elsewhere")
    page.get_by_role("button", name="Export").click()
    # A process of its own makes it, and the page says when it is there.
    expect(page.get_by_role("heading", name="Ready")).to_be_visible(timeout=90_000)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="sheets.zip").click()
    target = folder / "sheets.zip"
    waiting.value.save_as(target)
    return target


def then_the_same_report_comes_out_of_an_empty_database(
    server: Server, empty_database: dict[str, str], sheets: Path
):
    manage(empty_database, "import_sheets", sheets)
    here = json.loads(server.manage("series_report", "--json", "--clinic", CLINIC).stdout)
    there = json.loads(manage(empty_database, "series_report", "--json").stdout)
    assert here["cohort"]["treatment_sessions"] == 2
    assert here["cohort"]["injections"] == 4
    assert here["remission"]["follow_up"]["by_series"]["complete"] == 1
    assert there == here
