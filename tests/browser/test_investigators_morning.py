"""An investigator's morning: choose in the report, read, click a number, take it away; correct a workbook, import it."""

import csv
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.people import come_in, hire, make_clinic, write_patients
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


CLINIC = "morning"
PATIENTS = ("MORN-1", "MORN-2")


def test_export_a_workbook_correct_it_and_see_what_changed(
    server: Server, new_context: Callable[..., BrowserContext], tmp_path: Path
):
    make_clinic(server, CLINIC)
    server.manage("import_sheets", write_two_sessions(tmp_path / "sheets"))
    page = come_in(new_context, *hire(server, CLINIC, "data_manager")).page
    exported = given_the_export_of_a_workbook(page, tmp_path)
    wrong = when_two_cells_are_mistyped(exported)
    then_the_preview_names_them_and_offers_no_import(page, wrong)
    marked = then_the_marked_copy_has_them_filled_with_a_comment(page, tmp_path)
    corrected = when_the_marked_copy_is_corrected(marked)
    then_the_preview_shows_what_would_change(page, corrected)
    when_it_is_imported_with_a_reason(page)
    then_the_history_has_both_values_the_person_and_the_reason(page)
    then_the_report_counts_the_corrected_score(page)


def write_two_sessions(folder: Path) -> Path:
    """Two patients under `weekly4` with a first treatment today."""
    folder.mkdir()
    write_patients(folder, clinic=CLINIC, study_ids=PATIENTS, lesions=("L1",))
    visit = {"series_no": "1", "session_no": "1", "kind": "treatment", "held_on": date.today().isoformat()}
    rows = [{"patient_id": one, **visit, "ptga": "7", "phga": "6"} for one in PATIENTS]
    with (folder / "sessions.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def given_the_export_of_a_workbook(page: Page, folder: Path) -> Path:
    page.goto("/report/", wait_until="load")
    page.get_by_role("link", name="the data of this selection").click()
    page.get_by_label("Days and years of birth as recorded").check()
    page.get_by_label("Notes and all other free text, and who did what").check()
    page.get_by_label("Reason").fill("To correct what was mistyped")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("heading", name="Ready")).to_be_visible(timeout=60_000)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="sheets.xlsx").click()
    return kept(waiting.value, folder / "exported.xlsx")


def kept(download, path: Path) -> Path:
    download.save_as(path)
    return path


def cell_of(sheet: Worksheet, study_id: str, column: str):
    """The cell of the one row of a patient."""
    names = [cell.value for cell in sheet[1]]
    (row,) = [row for row in sheet.iter_rows(min_row=2) if row[names.index("patient_id")].value == study_id]
    return row[names.index(column)]


def when_two_cells_are_mistyped(path: Path) -> Path:
    book = openpyxl.load_workbook(path)
    cell_of(book["sessions"], "MORN-1", "ptga").value = 77
    cell_of(book["patients"], "MORN-2", "sex").value = "femal"
    book.save(wrong := path.with_name("wrong.xlsx"))
    return wrong


def upload(page: Page, path: Path) -> None:
    page.goto("/exchange/", wait_until="load")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Preview the import").click()
    page.wait_for_url("**/exchange/import/*/")


def rows_of(page: Page, table: str) -> Locator:
    return page.locator(f"#{table} tbody tr")


def then_the_preview_names_them_and_offers_no_import(page: Page, wrong: Path):
    upload(page, wrong)
    expect(page.get_by_role("main")).to_contain_text("2 errors; nothing can be imported")
    expect(rows_of(page, "errors")).to_have_count(2)
    expect(rows_of(page, "errors").filter(has_text="sessions")).to_contain_text(
        "Valid is a whole number from 1 to 10"
    )
    expect(rows_of(page, "errors").filter(has_text="patients")).to_contain_text("femal")
    expect(page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)


def then_the_marked_copy_has_them_filled_with_a_comment(page: Page, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Marked copy (XLSX)").click()
    path = kept(waiting.value, folder / "marked.xlsx")
    book = openpyxl.load_workbook(path)
    for sheet, study_id, column in (("sessions", "MORN-1", "ptga"), ("patients", "MORN-2", "sex")):
        cell = cell_of(book[sheet], study_id, column)
        assert cell.comment and "Valid is" in cell.comment.text
        assert cell.fill.fgColor.rgb != cell_of(book[sheet], study_id, "patient_id").fill.fgColor.rgb
    assert [cell.value for cell in book["what was found"]["A"]].count("error") == 2
    return path


def when_the_marked_copy_is_corrected(path: Path) -> Path:
    book = openpyxl.load_workbook(path)
    cell_of(book["sessions"], "MORN-1", "ptga").value = 8
    cell_of(book["patients"], "MORN-2", "sex").value = "female"
    book.save(corrected := path.with_name("corrected.xlsx"))
    return corrected


def then_the_preview_shows_what_would_change(page: Page, corrected: Path):
    upload(page, corrected)
    (row,) = rows_of(page, "changes").all()
    assert [cell.inner_text() for cell in row.locator("th, td").all()][1:] == ["MORN-1, 1, 1", "7", "8"]
    expect(page.locator("#errors")).to_have_count(0)


def when_it_is_imported_with_a_reason(page: Page):
    button = page.get_by_role("button", name="Import 0 new and 1 changed row")
    button.click()
    expect(page.get_by_text("Say why this is imported.").first).to_be_visible()
    page.get_by_label("Reason for the import").fill("The paper sheet says 8")
    button.click()
    expect(page.get_by_role("status").filter(has_text="Imported")).to_contain_text(
        "0 rows new, 1 row changed"
    )


def then_the_history_has_both_values_the_person_and_the_reason(page: Page):
    page.goto("/patients/", wait_until="load")
    page.get_by_role("link", name="MORN-1").click()
    page.get_by_role("link", name="History").first.click()
    newest = page.get_by_role("main").locator("tbody tr").first
    for words in ("data_manager.morning", "Import", "PtGA", "The paper sheet says 8"):
        expect(newest).to_contain_text(words)
    assert re.search(r"7\s*→\s*(to)?\s*8", newest.inner_text())


def then_the_report_counts_the_corrected_score(page: Page):
    page.goto("/report/", wait_until="load")
    expect(page.locator("#table-series tbody tr").filter(has_text="MORN-1")).to_contain_text("8")
