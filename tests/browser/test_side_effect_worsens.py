"""A side effect in two taps, and the same one when it worsens: by touch on a telephone, as a nurse does it."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.people import hire, make_clinic
from tests.browser.test_nurses_morning import (
    DAYS_AGO,
    INFECTION,
    TELEPHONE,
    fits,
    shown,
    today,
    write_treated_patient,
)
from tests.tools.browser import assert_accessible, sign_in
from tests.tools.server import Server

WORDS = "Tell the sponsor"


def test_two_taps_then_worse_then_the_sponsors_clock(
    server: Server, new_context: Callable[..., BrowserContext], tmp_path: Path
):
    run = uuid4().hex[:6]
    clinic, study_id = f"worse-{run}", f"WORSE-{run}"
    make_clinic(server, clinic)
    server.manage("import_sheets", write_treated_patient(tmp_path, clinic=clinic, study_id=study_id))
    page = new_context(viewport=TELEPHONE, has_touch=True).new_page()
    sign_in(page, *hire(server, clinic, "nurse"))
    page.goto("/patients/", wait_until="load")
    page.get_by_role("searchbox").fill(study_id)
    patient = str(page.locator("#found").get_by_role("link", name=study_id, exact=True).get_attribute("href"))

    when_term_and_day_are_one_tap_and_saving_the_second(page, patient)
    then_it_began_on_that_day_with_grade_1(page)
    when_it_is_worse_and_a_slip_is_taken_back(page)
    and_not_serious_is_refused_beside_a_yes(page)
    then_the_clock_runs_wherever_one_looks(page, patient)
    and_the_next_asking_shows_its_course(page, patient)


def save(page: Page) -> None:
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="No to the rest, and save").tap()


def when_term_and_day_are_one_tap_and_saving_the_second(page: Page, patient: str):
    page.goto(f"{patient}side-effects/new/", wait_until="load")
    fits(page)
    assert_accessible(page)
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("link", name=f"{INFECTION}, 4 days later", exact=True).tap()
    fits(page)
    assert_accessible(page)
    # Two lesions were treated: which of them is the one thing that nobody can guess.
    page.get_by_role("group", name="Which lesions?").get_by_label("L01").tap()
    save(page)
    expect(page.get_by_text(f"{INFECTION} was recorded.")).to_be_visible()


def then_it_began_on_that_day_with_grade_1(page: Page):
    effects = page.get_by_role("region", name="Side effects", exact=True).first
    row = effects.get_by_role("row").filter(has_text=INFECTION)
    expect(row).to_contain_text(shown(today() - timedelta(days=DAYS_AGO - 4)))
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    with page.expect_navigation(wait_until="load"):
        row.get_by_role("link", name=INFECTION).tap()


def when_it_is_worse_and_a_slip_is_taken_back(page: Page):
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("link", name="Worse", exact=True).tap()
    danger = page.get_by_role("group", name="Was life in danger")
    serious = page.get_by_role("combobox", name="Serious?")
    danger.get_by_label("Yes").check()
    expect(serious).to_have_value("yes")
    expect(page.get_by_label("Life-threatening")).to_be_checked()
    danger.get_by_label("No").check()
    expect(page.get_by_label("Life-threatening")).not_to_be_checked()
    expect(serious).to_have_value("")
    danger.get_by_label("Yes").check()
    page.get_by_role("group", name="Was a stay in hospital needed").get_by_label("Yes").check()
    expect(page.get_by_label("Hospitalisation, or a longer one")).to_be_checked()
    expect(page.get_by_text("At least grade 4, life-threatening")).to_be_visible()
    fits(page)


def and_not_serious_is_refused_beside_a_yes(page: Page):
    page.get_by_role("combobox", name="Serious?").select_option("no")
    page.get_by_label("Note").fill("taken by ambulance")
    save(page)
    expect(page.get_by_text("that makes it serious").first).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("taken by ambulance")
    fits(page)
    page.get_by_role("combobox", name="Serious?").select_option("yes")
    save(page)
    expect(page.get_by_text(f"{INFECTION}: worse is kept.")).to_be_visible()


def then_the_clock_runs_wherever_one_looks(page: Page, patient: str):
    here = page.url
    for address in (here, patient, "/side-effects/"):
        page.goto(address, wait_until="load")
        expect(page.get_by_role("main").get_by_text(re.compile(WORDS)).first).to_be_visible()
        expect(
            page.get_by_role("main").get_by_text(f"Due by {shown(today() + timedelta(days=1))}")
        ).to_be_visible()
        fits(page)
    waiting = page.get_by_role("region", name="Wait for the sponsor, or for a word")
    expect(waiting.get_by_role("listitem").filter(has_text=f"{INFECTION}")).to_contain_text("Grade 4")
    assert_accessible(page)
    page.goto(f"{patient}side-effects/", wait_until="load")
    drawing = page.locator("[data-scroll-to-end]")
    assert drawing.evaluate("box => box.scrollLeft + box.clientWidth >= box.scrollWidth - 1")
    expect(page.get_by_text("The end of the course is shown")).to_be_visible()
    left = drawing.evaluate("box => box.getBoundingClientRect().left")
    for name in drawing.locator("[data-lane-name]").all():
        assert name.evaluate("name => name.getBoundingClientRect().left") >= left
    fits(page)


def and_the_next_asking_shows_its_course(page: Page, patient: str):
    page.goto(f"{patient}side-effects/new/", wait_until="load")
    event = page.get_by_role("region", name="Still open").get_by_role("listitem").first
    expect(event).to_contain_text("Grade 4")
    event.get_by_text("Course", exact=False).first.tap()
    expect(event.get_by_text("taken by ambulance")).to_be_visible()
    fits(page)
    assert_accessible(page)
