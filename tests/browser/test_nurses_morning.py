"""A nurse's morning on a telephone, by keyboard alone: from the call list to a side effect that is over.

The session lies a week back. Whatever weekday it is, one call about it is due then: the one after 7 days,
or, while the clinic is closed, still the one after 48 hours; and the next visit is due as well.
"""

import csv
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.keyboard import Keyboard
from tests.browser.people import Person, hire, make_clinic
from tests.tools.browser import assert_accessible, sign_in
from tests.tools.server import Server

TELEPHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
ZONE = ZoneInfo("Europe/Copenhagen")
DAYS_AGO = 7
INFECTION = "Injection site infection"


def today() -> date:
    """The clinic's own date."""
    return datetime.now(ZONE).date()


def shown(day: date) -> str:
    """A date as every page shows it."""
    return day.strftime("%d-%b-%Y")


def test_a_nurses_morning(server: Server, new_context: Callable[..., BrowserContext], tmp_path: Path):
    run = uuid4().hex[:6]
    clinic, patient, other = f"morning-{run}", f"RING-{run}", f"OPEN-{run}"
    make_clinic(server, clinic)
    server.manage("import_sheets", write_treated_patient(tmp_path / "one", clinic=clinic, study_id=patient))
    server.manage(
        "import_sheets",
        write_treated_patient(tmp_path / "two", clinic=clinic, study_id=other, with_infection=True),
    )

    nurse = given_a_nurse_who_signs_in(new_context, *hire(server, clinic, "nurse"))
    when_nobody_answers_the_call_stays(nurse, patient)
    and_the_second_ring_brings_a_side_effect(nurse, patient)
    then_its_grade_is_found_by_plain_questions(nurse)
    and_whether_it_is_serious_is_asked_and_answered(nurse)
    and_the_sponsors_clock_runs_on_the_first_page_too(nurse, patient)
    and_it_runs_until_the_sponsor_is_told(nurse)
    and_the_call_has_left_the_list(nurse, patient)

    when_the_next_visit_asks_about_it_first(nurse, patient)
    and_it_is_recorded_as_over(nurse)
    then_it_is_open_nowhere(nurse, patient)

    when_an_open_side_effect_is_passed_over_the_answer_is_refused(nurse, other)
    and_with_its_answer_the_call_is_done(nurse, other)
    and_a_slip_is_taken_back(nurse, other)


def write_treated_patient(folder: Path, *, clinic: str, study_id: str, with_infection: bool = False) -> Path:
    """Data sheets with one patient, of whose elbows both were injected a week ago, and one perhaps infected."""
    folder.mkdir(exist_ok=True)
    held_on = (today() - timedelta(days=DAYS_AGO)).isoformat()
    key = {"patient_id": study_id}
    one = key | {"series_no": "1"}
    visit = one | {"session_no": "1"}
    patient = {
        "clinic": clinic,
        "sex": "female",
        "birth_year": "1961",
        "diagnosis": "lcssc",
        "raynaud": "no",
        "sts_hypersensitivity": "no",
        "pregnant": "no",
        "breast_feeding": "no",
        "offered_on": held_on,
        "consented_on": held_on,
    }
    what = {"body_site": "elbow", "lesion_type": "nodule", "subtype": "dystrophic", "pain_vas": "6"}
    seen = {"status": "present", "longest_mm": "12", "widest_mm": "8", "ulcer": "no", "inflammation": "no"}
    given = {"agent": "sts", "concentration_mg_ml": "150", "volume_ml": "0.5", "technique": "base"}
    lesions = {"L01": "left", "L02": "right"}
    infection = visit | {"lesion_id": "L02", "term": "injection_site_infection", "grade": "2"}
    for sheet, rows in {
        "side_effects": [infection | {"onset_on": held_on}] if with_infection else [],
        "patients": [key | patient],
        "lesions": [key | what | {"lesion_id": name, "laterality": side} for name, side in lesions.items()],
        "series": [one | {"protocol": "weekly4", "started_on": held_on, "status": "active"}],
        "series_lesions": [one | {"lesion_id": name} for name in lesions],
        "sessions": [visit | {"kind": "treatment", "held_on": held_on, "ptga": "7", "phga": "6"}],
        "session_lesions": [visit | {"lesion_id": name} | seen for name in lesions],
        "injections": [visit | {"lesion_id": name} | given for name in lesions],
    }.items():
        if not rows:
            continue
        with (folder / f"{sheet}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def given_a_nurse_who_signs_in(
    new_context: Callable[..., BrowserContext], user: str, password: str
) -> Person:
    page = new_context(viewport=TELEPHONE).new_page()
    keys = Keyboard(page)
    page.goto("/", wait_until="load")
    keys.enter(page.get_by_label("User name"), user)
    keys.enter(page.get_by_label("Password", exact=True), password)
    keys.push(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
    return Person(page=page, keys=keys)


def call_of(page: Page, patient: str) -> Locator:
    """The patient's place on the call list."""
    return page.get_by_role("article").filter(has=page.get_by_role("link", name=patient, exact=True))


def open_from_menu(nurse: Person, entry: str) -> None:
    """Go to a page by the menu, which is closed on a telephone."""
    nurse.keys.go_to(nurse.page.get_by_role("button", name="Menu"))
    nurse.keys.press("Enter")
    nurse.keys.push(
        nurse.page.get_by_role("navigation", name="Main").get_by_role("link", name=entry, exact=True)
    )
    fits(nurse.page)


def enter_time(nurse: Person, place: Locator, at: datetime) -> None:
    """Type hours and minutes in a browser's time box, which asks by 24 hours or by twice 12."""
    nurse.keys.go_to(place)
    for order in ("%H%M", "%I%M%p"):
        nurse.page.keyboard.type(at.strftime(order))
        if place.input_value() == f"{at:%H:%M}":
            return
        nurse.keys.press("ArrowLeft", "ArrowLeft")
    raise AssertionError(f"The time box does not take {at:%H:%M}: it says {place.input_value()}")


def fits(page: Page) -> None:
    """Nothing sticks out on either side."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0, f"{page.url} is {over} pixels too wide"


def when_nobody_answers_the_call_stays(nurse: Person, patient: str):
    page, call = nurse.page, call_of(nurse.page, patient)
    expect(call).to_contain_text(f"after the session of {shown(today() - timedelta(days=DAYS_AGO))}.")
    expect(call).not_to_contain_text("without an answer")
    fits(page)
    nurse.keys.push(call.get_by_role("button", name="No answer"))
    expect(page.get_by_text("The call stays on the list.")).to_be_visible()
    expect(call).to_contain_text("1 try without an answer:")


def and_the_second_ring_brings_a_side_effect(nurse: Person, patient: str):
    page, keys = nurse.page, nurse.keys
    keys.push(call_of(page, patient).get_by_role("button", name="Something new"))
    expect(page.get_by_role("heading", name="Ask about side effects")).to_be_visible()
    expect(page.get_by_text(f"{DAYS_AGO} days after session 1")).to_be_visible()
    fits(page)
    keys.push(page.get_by_role("main").get_by_role("link", name=re.compile(f"^{INFECTION}(?!,)")))
    expect(page.get_by_role("heading", name=INFECTION)).to_be_visible()
    fits(page)


def then_its_grade_is_found_by_plain_questions(nurse: Person):
    page, keys = nurse.page, nurse.keys
    keys.tick(page.get_by_role("group", name="Which lesions?").get_by_label("L01"))
    # Past "On the date", whose box beside it must not take the arrows away.
    keys.pick(page.get_by_role("group", name="Began, days after the session"), "4 days later")
    keys.pick(page.get_by_role("group", name="Did it need antibiotic tablets?"), "Yes")
    expect(page.get_by_text("At least grade 2, moderate")).to_be_visible()
    keys.pick(page.get_by_role("group", name="Was a stay in hospital needed"), "Yes")
    expect(page.get_by_text("At least grade 3, severe")).to_be_visible()


def and_whether_it_is_serious_is_asked_and_answered(nurse: Person):
    page, keys = nurse.page, nurse.keys
    expect(page.get_by_role("combobox", name="Serious?")).to_have_value("yes")
    expect(page.get_by_label("Hospitalisation, or a longer one")).to_be_checked()
    keys.push(page.get_by_role("button", name="No to the rest, and save"))
    expect(page.get_by_text(f"{INFECTION} was recorded.")).to_be_visible()
    expect(page.get_by_role("heading", name=INFECTION)).to_be_visible()
    recorded = page.get_by_role("region", name="Recorded")
    for words in ("L01 Left elbow", "4 days after the session", "3 (CTCAE v5.0)"):
        expect(recorded).to_contain_text(words)
    answered = recorded.get_by_role("listitem").filter(has_text="Was life in danger")
    expect(answered).to_contain_text("No")


def and_the_sponsors_clock_runs_on_the_first_page_too(nurse: Person, patient: str):
    page = nurse.page
    for entry in ("Today", "Calls"):
        open_from_menu(nurse, entry)
        waiting = page.get_by_role("region", name="Tell the sponsor").get_by_role("listitem")
        expect(waiting).to_have_count(1)
        expect(waiting).to_contain_text(re.compile(r"Tell the sponsor: (24 h 0|23 h \d+) min left"))
        fits(page)
        assert_accessible(page)
    nurse.keys.push(waiting.get_by_role("link", name=f"{patient}: {INFECTION}"))


def and_it_runs_until_the_sponsor_is_told(nurse: Person):
    page, keys = nurse.page, nurse.keys
    clock = page.get_by_role("region", name="Serious: the sponsor is told within 24 hours")
    expect(clock).to_contain_text(re.compile(r"Tell the sponsor: (24 h 0|23 h \d+) min left"))
    expect(clock).to_contain_text(f"Due by {shown(today() + timedelta(days=1))}")
    expect(clock).to_contain_text("Hospitalisation")
    fits(page)
    assert_accessible(page)
    at = datetime.now(ZONE)
    keys.enter(clock.get_by_label("Who was told"), "Dr Berg, by telephone")
    keys.enter_date(clock.get_by_label("Told on"), at.date())
    enter_time(nurse, clock.get_by_label("Told at"), at)
    keys.push(clock.get_by_role("button", name="Keep that the sponsor was told"))
    expect(clock).to_contain_text("Sponsor told within 24 hours")
    expect(clock).to_contain_text(f"Told on {shown(at.date())} at {at:%H:%M}: Dr Berg, by telephone")
    expect(clock.get_by_role("button")).to_have_count(0)


def and_the_call_has_left_the_list(nurse: Person, patient: str):
    page = nurse.page
    open_from_menu(nurse, "Calls")
    expect(call_of(page, patient)).to_have_count(0)
    expect(page.get_by_role("region", name="Tell the sponsor")).to_have_count(0)
    nurse.keys.go_to(page.locator("summary").filter(has_text="Rung today (2)"))
    nurse.keys.press("Enter")
    rung = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=patient, exact=True))
    expect(rung.filter(has_text="Asked, something new")).to_be_visible()
    expect(rung.filter(has_text="No answer")).to_be_visible()


def when_the_next_visit_asks_about_it_first(nurse: Person, patient: str):
    page, keys = nurse.page, nurse.keys
    open_from_menu(nurse, "Today")
    grave = page.get_by_role("region", name="Serious or grave").get_by_role("listitem")
    expect(grave.filter(has_text=patient)).to_contain_text(f"{INFECTION}, grade 3, L01 Left elbow")
    keys.push(page.get_by_role("button", name=f"Record treatment of {patient}"))
    since = page.get_by_role("region", name="Since the last visit")
    event = since.get_by_role("listitem").filter(has_text=INFECTION)
    expect(event).to_contain_text("still there")
    expect(event).to_contain_text("grade 3, L01 left elbow")
    fits(page)
    keys.push(page.get_by_role("button", name="Save and record a side effect"))
    expect(page.locator("main h2").first).to_have_text("Still open: how is it now?")
    event = page.get_by_role("region", name="Still open").get_by_role("listitem")
    expect(event).to_have_count(1)
    for words in (f"{INFECTION}, L01 Left elbow", "Serious", "Grade 3"):
        expect(event).to_contain_text(words)
    fits(page)


def and_it_is_recorded_as_over(nurse: Person):
    page, keys = nurse.page, nurse.keys
    keys.push(page.get_by_role("button", name="Over", exact=True))
    expect(page.get_by_text(f"{INFECTION}: over is kept.")).to_be_visible()
    expect(page.get_by_role("heading", name="Ask about side effects")).to_be_visible()
    expect(page.get_by_role("region", name="Still open")).to_have_count(0)
    expect(page.locator("main h2").first).to_have_text("Anything since then?")


def then_it_is_open_nowhere(nurse: Person, patient: str):
    page, keys = nurse.page, nurse.keys
    keys.push(page.get_by_role("main").get_by_role("link", name="Go back"))
    event = page.get_by_role("region", name="Since the last visit").get_by_role("listitem")
    event = event.filter(has_text=INFECTION)
    expect(event).to_contain_text(f"to {shown(today())}")
    expect(event).not_to_contain_text("still there")
    keys.push(event.get_by_role("link", name=INFECTION))
    main = page.get_by_role("main")
    expect(main).not_to_contain_text("Still there")
    expect(main).not_to_contain_text("How is it now?")
    course = page.get_by_role("region", name="Course")
    for words in ("Began", "Recovered", "Ended", shown(today())):
        expect(course).to_contain_text(words)
    expect(page.get_by_text("Sponsor told within 24 hours")).to_be_visible()
    open_from_menu(nurse, "Calls")
    expect(call_of(page, patient)).to_have_count(0)


def when_an_open_side_effect_is_passed_over_the_answer_is_refused(nurse: Person, other: str):
    page, keys, call = nurse.page, nurse.keys, call_of(nurse.page, other)
    event = call.get_by_role("group").first
    expect(event).to_contain_text(f"{INFECTION}, grade 2, L02 Right elbow")
    expect(event).to_contain_text("Not asked about since")
    keys.go_to(call.locator("summary"))
    keys.press("Enter")
    keys.enter(call.get_by_label(f"Note on {other}"), "Less red")
    keys.push(call.get_by_role("button", name="Nothing new"))
    expect(page.get_by_role("alert")).to_contain_text(f"{other}: nothing was noted")
    expect(event).to_contain_text("Say how it is now.")
    expect(call.get_by_label(f"Note on {other}")).to_have_value("Less red")
    fits(page)
    assert_accessible(page)


def and_with_its_answer_the_call_is_done(nurse: Person, other: str):
    page, keys, call = nurse.page, nurse.keys, call_of(nurse.page, other)
    keys.pick(call.get_by_role("group").first, "Better")
    keys.push(call.get_by_role("button", name="Nothing new"))
    expect(page.get_by_text(f"{other}: asked, nothing new.")).to_be_visible()
    expect(call).to_have_count(0)
    expect(page.get_by_text("Nobody else is to be rung today.")).to_be_visible()
    fits(page)


def and_a_slip_is_taken_back(nurse: Person, other: str):
    page, keys, call = nurse.page, nurse.keys, call_of(nurse.page, other)
    rung = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=other, exact=True))
    expect(rung).to_contain_text(f"Asked, nothing new; {INFECTION}: recovering")
    expect(rung).to_contain_text("Less red")
    keys.push(rung.get_by_role("button", name="Take back"))
    expect(page.get_by_text(f"{other}: taken back.")).to_be_visible()
    expect(call).to_contain_text("Not asked about since")


def test_the_pages_of_side_effects_have_no_barriers(
    server: Server, new_context: Callable[..., BrowserContext]
):
    page = new_context(viewport=DESK).new_page()
    sign_in(page, "nurse")
    page.goto("/patients/", wait_until="load")
    page.get_by_role("searchbox").fill("DEMO-03")
    found = page.locator("#found").get_by_role("link", name="DEMO-03", exact=True)
    patient = found.get_attribute("href")
    page.goto(f"{patient}side-effects/new/", wait_until="load")
    event = page.get_by_role("region", name="Still open").get_by_role("link", name=INFECTION)
    pages = {
        "/calls/": "Calls",
        f"{patient}side-effects/new/": "Ask about side effects",
        f"{event.get_attribute('href')}?how=worse": INFECTION,
        f"{patient}side-effects/": "Side effects over time",
        "/today/": "Today",
        "/alerts/": "Alerts",
    }
    for address, heading in pages.items():
        page.goto(address, wait_until="load")
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_function("theme => document.documentElement.dataset.bsTheme === theme", arg=theme)
            for viewport in (DESK, TELEPHONE):
                page.set_viewport_size(viewport)
                fits(page)
                assert_accessible(page)
