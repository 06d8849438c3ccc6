"""Alerts on the open sheet, by keyboard alone: said before a volume is typed, noted there, kept, and asked once."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.big_visit import open_sheet
from tests.browser.keyboard import Keyboard
from tests.browser.people import come_in, hire, make_clinic
from tests.tools.browser import assert_accessible
from tests.tools.server import Server

CLINIC, PATIENT = "needle", "NEEDLE-1"
LAST = date.today() - timedelta(days=7)
STOPPED = date.today() - timedelta(days=90)


@pytest.mark.console_allowed(r"422 \(Unprocessable Entity\)")
def test_the_alert_stands_before_the_needle(
    server: Server, new_context: Callable[..., BrowserContext], tmp_path: Path
):
    make_clinic(server, CLINIC)
    server.manage("import_sheets", write_patient_at_risk(tmp_path))
    page = come_in(new_context, *hire(server, CLINIC, "clinician")).page
    open_sheet(page, PATIENT)
    keys = Keyboard(page)

    the_stop_is_said_at_once_and_its_note_survives_a_reload(page, keys)
    another_concentration_speaks_while_it_is_typed(page, keys)
    other_facts_ask_again_and_show_what_was_noted(page, keys)
    what_only_informs_is_said_too(page, keys)
    the_session_is_logged_with_both_notes(page, keys)


def write_patient_at_risk(folder: Path) -> Path:
    """Raynaud's phenomenon, bosentan stopped 90 days ago, a thumb and an elbow injected a week ago."""
    key = {"patient_id": PATIENT}
    one = key | {"series_no": "1"}
    visit = one | {"session_no": "1"}
    places = {"L01": "thumb", "L02": "elbow"}
    what = {"lesion_type": "nodule", "subtype": "dystrophic", "pain_vas": "6"}
    seen = {"status": "present", "longest_mm": "12", "widest_mm": "8", "ulcer": "no", "inflammation": "no"}
    given = {"agent": "sts", "concentration_mg_ml": "100", "volume_ml": "0.25", "technique": "base"}
    for sheet, rows in {
        "patients": [
            key
            | {
                "clinic": CLINIC,
                "sex": "male",
                "birth_year": "1961",
                "diagnosis": "lcssc",
                "raynaud": "yes",
                "sts_hypersensitivity": "no",
                "offered_on": STOPPED.isoformat(),
                "consented_on": STOPPED.isoformat(),
            }
        ],
        "medications": [key | {"name": "bosentan", "role": "vasodilator", "stopped_on": STOPPED.isoformat()}],
        "lesions": [key | what | {"lesion_id": name, "body_site": site} for name, site in places.items()],
        "series": [one | {"protocol": "weekly4", "started_on": LAST.isoformat(), "status": "active"}],
        "series_lesions": [one | {"lesion_id": name} for name in places],
        "sessions": [visit | {"kind": "treatment", "held_on": LAST.isoformat(), "ptga": "4", "phga": "4"}],
        "session_lesions": [visit | seen | {"lesion_id": name} for name in places],
        "injections": [visit | given | {"lesion_id": name} for name in places],
    }.items():
        with (folder / f"{sheet}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def card(page: Page, title: str) -> Locator:
    return page.locator("[data-alert]").filter(has=page.get_by_role("heading", name=title))


def note(page: Page, title: str) -> Locator:
    return card(page, title).get_by_role("textbox")


def saved(page: Page) -> None:
    """Wait until nothing is left to be saved."""
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")


def the_stop_is_said_at_once_and_its_note_survives_a_reload(page: Page, keys: Keyboard) -> None:
    stopped = card(page, "A vasodilator was stopped")
    expect(stopped).to_contain_text(f"bosentan was stopped on {STOPPED:%d-%b-%Y}")
    expect(stopped).to_contain_text("Source: Coimbra")
    assert all(not box.input_value() for box in page.locator("[data-cell=volume]").all())
    expect(note(page, "A vasodilator was stopped")).to_be_focused()
    page.keyboard.type("Asked; warm hands")
    saved(page)
    page.reload()
    expect(note(page, "A vasodilator was stopped")).to_have_value("Asked; warm hands")
    assert_accessible(page)


def another_concentration_speaks_while_it_is_typed(page: Page, keys: Keyboard) -> None:
    expect(card(page, "The concentration is higher")).to_have_count(0)
    concentration = page.locator("[name=all-concentration_mg_ml]")
    keys.enter(concentration, "150")
    expect(card(page, "The concentration is higher")).to_contain_text("150 mg/ml")
    expect(concentration).to_be_focused()
    expect(concentration).to_have_value("150")
    expect(note(page, "A vasodilator was stopped")).to_have_value("Asked; warm hands")
    expect(page.locator("[data-sheet-spoken]")).to_contain_text("The concentration is higher than last time.")
    expect(page.get_by_role("link", name="Alerts: 2 need a note")).to_be_visible()


def other_facts_ask_again_and_show_what_was_noted(page: Page, keys: Keyboard) -> None:
    higher = note(page, "The concentration is higher")
    keys.enter(higher, "Agreed with the patient")
    concentration = page.locator("[name=all-concentration_mg_ml]")
    keys.enter(concentration, "140")
    expect(card(page, "The concentration is higher")).to_contain_text("140 mg/ml")
    expect(card(page, "The concentration is higher")).to_have_count(1)
    expect(higher).to_have_value("")
    expect(card(page, "The concentration is higher")).to_contain_text("Agreed with the patient")
    keys.go_to(page.get_by_role("button", name="Note it again"))
    keys.press("Enter")
    expect(higher).to_have_value("Agreed with the patient")
    expect(higher).to_be_focused()


def what_only_informs_is_said_too(page: Page, keys: Keyboard) -> None:
    keys.enter(page.locator("[name=ptga]"), "9")
    expect(card(page, "PtGA is worse")).to_contain_text("it was 4 (worse by 5)")
    expect(card(page, "PtGA is worse").get_by_role("textbox")).to_have_count(0)


def the_session_is_logged_with_both_notes(page: Page, keys: Keyboard) -> None:
    shown = [one.get_attribute("data-alert") for one in page.locator("[data-alert]").all()]
    assert len(shown) == len(set(shown)) == 3
    for place in ("L01", "L02"):
        keys.enter(page.locator(f'[data-lesion="{place}"] [data-cell="volume"]'), "0.2")
    saved(page)
    keys.push(page.get_by_role("button", name="Complete the session"))
    expect(page.locator("[data-error-summary]")).to_contain_text("The protocol asks for more")
    expect(page.locator("[data-error-summary]")).not_to_contain_text("Write a note")
    keys.tick(page.get_by_label("Complete without these"))
    keys.push(page.get_by_role("button", name="Complete the session"))
    acknowledged = page.get_by_role("region", name="Acknowledged")
    expect(acknowledged).to_contain_text("Asked; warm hands")
    expect(acknowledged).to_contain_text("Agreed with the patient")
    expect(page.get_by_role("region", name="To know of this session")).to_contain_text("PtGA is worse")
