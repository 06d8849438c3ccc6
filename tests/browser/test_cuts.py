"""A visit that is cut at random moments: server killed, connection dropped, tab closed, signed out.

Each cut comes within two seconds of a key. What is lost is at most what was typed in the last five seconds
while connected; nothing that was shown as saved; and never half a session. `make soak` cuts more often.
"""

import json
import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.people import hire, make_clinic, write_patients
from tests.tools.browser import sign_in
from tests.tools.postgresql import fresh_database
from tests.tools.server import MortalServer

SEED = 20261121
SESSION_COOKIE = re.compile("session")
CLINIC = "cuts"
LESIONS = ("L01", "L02", "L03")
CUTS_OF_A_VISIT = 5
"""Four while it is typed, and one while the session is completed."""
MAY_BE_LOST = 5.0
"""Seconds of typing before a cut."""
AFTER_A_KEY = 2.0
"""Seconds within which each cut follows a key."""
PATIENCE = 30_000
"""Milliseconds until what was typed must be there again, on a busy machine."""
WORDS = "the patient felt a short burn at each lesion"
KINDS = (
    "server killed",
    "server killed, tab closed",
    "connection dropped",
    "connection dropped, tab closed",
    "tab closed",
    "signed out",
    "session expired",
)
SIGNED_OUT = KINDS[-2:]
"""By another tab, or because the time of the session was over: the browser then sends no session any more."""

WATCH_THE_LINE = """
document.addEventListener("DOMContentLoaded", () => {
  const line = document.querySelector("[data-saved]");
  if (!line) return;
  new MutationObserver(() => {
    const text = line.textContent;
    if (!text.startsWith("Saved") || text.includes("but not")) return;
    shownAsSaved(JSON.stringify(Object.fromEntries(new FormData(document.querySelector("[data-sheet]")))));
  }).observe(line, { childList: true, characterData: true, subtree: true });
});
"""

NO_DRAFTS = """
const ask = window.fetch;
window.fetch = (url, ...rest) => String(url).endsWith("/save/") ? Promise.reject(new TypeError("off")) : ask(url, ...rest);
"""
"""Switches the saving of drafts off, also the last one of a page that is left, which no route of the browser meets."""


@dataclass
class Typing:
    """What was typed in each field: the moment of each key with the text after it, and what was shown as saved."""

    keys: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    shown_as_saved: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, text: str) -> None:
        """One key was pressed."""
        self.keys.setdefault(name, []).append((time.monotonic(), text))

    def lost(self, kept: dict[str, str], *, connected_until: float) -> list[str]:
        """What is missing of that which may not be, in words.

        Args:
            kept: what the server has, by field.
            connected_until: when the connection ended, on the clock of the keys.
        """
        found = []
        for name, keys in self.keys.items():
            texts = ["", *(text for _, text in keys)]
            there = texts.index(kept.get(name, "")) if kept.get(name, "") in texts else -1
            due = sum(moment <= connected_until - MAY_BE_LOST for moment, _ in keys)
            if there < due:
                found.append(f"{name}: {texts[due]!r} was typed long before, {kept.get(name, '')!r} is kept")
            shown = self.shown_as_saved.get(name, "")
            if shown in texts and there < texts.index(shown):
                found.append(f"{name}: {shown!r} was shown as saved, {kept.get(name, '')!r} is kept")
        return found

    @property
    def last(self) -> dict[str, str]:
        """What stands in each field after the last key."""
        return {name: keys[-1][1] for name, keys in self.keys.items()}


@dataclass
class Ground:
    """The server, the person, and the patients whom no visit has taken yet."""

    server: MortalServer
    user: str
    password: str
    patients: list[str]


class Visit:
    """A visit that a person types into the sheet, key by key."""

    def __init__(self, ground: Ground, browser: Browser, seed: int):
        self.ground = ground
        self.rng = random.Random(seed)
        self.typing = Typing()
        self.context: BrowserContext = browser.new_context(base_url=ground.server.url, locale="en-GB")
        self.context.set_default_timeout(PATIENCE)
        self.context.expose_function("shownAsSaved", self._shown)
        self.context.add_init_script(WATCH_THE_LINE)
        self.page: Page = self.context.new_page()
        sign_in(self.page, ground.user, ground.password)
        patient = ground.patients.pop()
        self.page.goto("/today/", wait_until="load")
        self.page.get_by_role("button", name=f"Record treatment of {patient}").click()
        expect(self.page.locator("[data-sheet]")).to_be_visible()
        self.address = self.page.url
        self.warned = False

    def _shown(self, text: str) -> None:
        self.typing.shown_as_saved = json.loads(text)

    def script(self) -> list[tuple[str, str]]:
        """The keys of a whole visit, as (field, character)."""
        names = self.page.eval_on_selector_all(
            "[data-sheet] [name$=-longest_mm]",
            "all => all.map(input => input.name.replace('longest_mm', ''))",
        )
        fields = [("ptga", str(self.rng.randint(2, 9)))]
        for start in names:
            fields.append((f"{start}longest_mm", f"1{self.rng.randint(0, 9)}.{self.rng.randint(1, 9)}"))
            fields.append((f"{start}widest_mm", f"{self.rng.randint(2, 9)}.{self.rng.randint(1, 9)}"))
            fields.append((f"{start}volume_ml", f"0.{self.rng.randint(11, 49)}"))
        fields += [("note", WORDS), ("phga", str(self.rng.randint(2, 9)))]
        return [(name, character) for name, text in fields for character in text]

    def press(self, name: str, character: str) -> None:
        """One key in one field, and the pause before it."""
        self.page.wait_for_timeout(self.rng.choice([20, 40, 60, 80, 120, 400]))
        place = self.page.locator(f"[data-sheet] [name='{name}']")
        place.focus()
        place.press("End")
        self.page.keyboard.press(character)
        self.typing.note(name, place.input_value())

    def kept(self) -> dict[str, str]:
        """What the server has of the sheet now."""
        text = self.context.request.get(self.address).text()
        found = re.search(r'name="loaded" value="([^"]*)"', text)
        assert found, text[:500]
        return json.loads(found[1].replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&"))

    def reopen(self) -> None:
        """The sheet in a new tab, and what is kept goes on from there."""
        self.page = self.context.new_page()
        self.page.goto(self.address, wait_until="load")
        expect(self.page.locator("[data-sheet]")).to_be_visible()

    def compare(self, connected_until: float) -> None:
        """Look for what was lost with a tab; the person types that again, and goes on."""
        kept = self.kept()
        assert not (lost := self.typing.lost(kept, connected_until=connected_until)), lost
        for name, text in self.typing.last.items():
            if kept.get(name, "") != text:
                self.page.locator(f"[data-sheet] [name='{name}']").fill(text)
                self.typing.keys[name] = [(time.monotonic(), text)]

    def expect_everything_kept(self) -> None:
        """The tab is still there: after a while nothing at all is missing."""
        expect(self.page.locator("[data-saved]")).to_have_text(
            re.compile(r"^Saved \d\d:\d\d:\d\d\.$"), timeout=PATIENCE
        )
        self.expect_the_draft_whole()

    def expect_the_draft_whole(self) -> None:
        """The server has each key."""
        kept = self.kept()
        assert {name: kept.get(name, "") for name in self.typing.last} == self.typing.last
        assert not self.typing.lost(kept, connected_until=time.monotonic() + MAY_BE_LOST)

    def close_tab(self) -> None:
        """Close the tab as a person does; what asks first is answered with leaving."""
        page, self.warned = self.page, False

        def leave(dialog) -> None:
            self.warned = dialog.type == "beforeunload"
            dialog.accept()

        page.on("dialog", leave)
        with page.expect_event("close"):
            page.close(run_before_unload=True)

    def go_on(self, keys: Iterator[tuple[str, str]], number: int) -> None:
        """Press so many keys more, where there are."""
        for _ in range(number):
            if key := next(keys, None):
                self.press(*key)


def cut(visit: Visit, kind: str, keys: Iterator[tuple[str, str]]) -> None:
    """One cut, what the person does then, and whether anything is missing."""
    server, rng = visit.ground.server, visit.rng
    visit.page.wait_for_timeout(rng.triangular(0, AFTER_A_KEY, 0.8) * 1000)
    moment = time.monotonic()
    if kind.startswith("server killed"):
        server.kill()
    elif kind.startswith("connection dropped"):
        visit.context.set_offline(True)
    elif kind == "signed out":
        token = visit.page.locator("[data-sheet] [name=csrfmiddlewaretoken]").input_value()
        visit.context.request.post("/sign-out/", form={"csrfmiddlewaretoken": token})
    elif kind == "session expired":
        visit.context.clear_cookies(name=SESSION_COOKIE)
    if kind != "tab closed":
        visit.go_on(keys, rng.randint(1, 6))
    if kind.endswith("tab closed"):
        visit.close_tab()
        assert visit.warned or kind == "tab closed", "Nothing warned of what was not saved"
    if kind.startswith("server killed"):
        server.start()
    visit.context.set_offline(False)
    if kind.endswith("tab closed"):
        visit.reopen()
        visit.compare(moment)
        return
    if kind in SIGNED_OUT:
        visit.page.get_by_label("Password").fill(visit.ground.password)
        visit.page.get_by_role("button", name="Sign in and go on").click()
        expect(visit.page.get_by_role("dialog")).to_have_count(0)
    visit.expect_everything_kept()


def complete_and_cut(visit: Visit) -> None:
    """The server is killed while the session is completed: it is there as a whole, or not at all."""
    for radio in visit.page.locator("[data-sheet] [name$=-ulcer][value=no]").all():
        radio.check(force=True)
    visit.expect_everything_kept()
    visit.page.get_by_role("button", name="Complete the session").click(no_wait_after=True)
    time.sleep(visit.rng.uniform(0, 0.5))
    visit.ground.server.kill()
    visit.ground.server.start()
    page = visit.context.new_page()
    page.goto(visit.address, wait_until="load")
    if "/sessions/" not in page.url:
        visit.page = page
        visit.expect_the_draft_whole()
        with page.expect_navigation(wait_until="load"):
            page.get_by_role("button", name="Complete the session").click()
        assert "/sessions/" in page.url, page.locator("main").inner_text()
    told = page.locator("main").inner_text()
    missing = [text for name, text in visit.typing.last.items() if text not in told]
    assert not missing, f"{missing} are not in the session"
    assert all(lesion in told for lesion in LESIONS)


def rounds(cuts: int) -> list[int]:
    """The numbers of the visits that so many cuts need."""
    return list(range(max(1, cuts // CUTS_OF_A_VISIT)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One visit for each five cuts that were asked for."""
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", rounds(metafunc.config.getoption("cuts")))


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[MortalServer]:
    """A server of this file's own, that is killed again and again."""
    data = tmp_path_factory.mktemp("mortal")
    url = os.environ.get("TEST_DATABASE_URL", "")
    if not url:
        server = MortalServer(data)
        server.start()
        yield server
        server.kill()
        return
    with fresh_database(url, f"cuts_{worker_id}_{os.getpid()}") as own:
        server = MortalServer(data, own)
        server.start()
        yield server
        server.kill()


@pytest.fixture(scope="module")
def ground(
    mortal: MortalServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Ground:
    """A clinic with a patient for each visit."""
    make_clinic(mortal, CLINIC)
    visits = len(rounds(request.config.getoption("cuts"))) + 3
    patients = [f"CUT-{number}" for number in range(visits)]
    folder: Path = tmp_path_factory.mktemp("cuts")
    mortal.manage("import_sheets", write_patients(folder, clinic=CLINIC, study_ids=patients, lesions=LESIONS))
    return Ground(mortal, *hire(mortal, CLINIC, "nurse"), patients)


def kinds_of(number: int) -> list[str]:
    """The kinds of the cuts of a visit, each kind as often as the others over the visits."""
    while_typing = CUTS_OF_A_VISIT - 1
    return [KINDS[(number * while_typing + turn) % len(KINDS)] for turn in range(while_typing)]


def cut_and_complete(visit: Visit, number: int) -> None:
    """A whole visit with its cuts; raises AssertionError where something is lost."""
    script = visit.script()
    keys = iter(script)
    places = sorted(visit.rng.sample(range(6, len(script) - 8), CUTS_OF_A_VISIT - 1))
    done = 0
    for place, kind in zip(places, kinds_of(number), strict=True):
        pressed = sum(len(entries) for entries in visit.typing.keys.values())
        visit.go_on(keys, max(1, place - max(done, pressed)))
        done = place
        cut(visit, kind, keys)
    visit.go_on(keys, len(script))
    complete_and_cut(visit)
    visit.context.close()


def test_a_visit_that_is_cut(ground: Ground, browser: Browser, number: int):
    cut_and_complete(Visit(ground, browser, SEED + number), number)


def test_the_same_visit_fails_without_drafts(ground: Ground, browser: Browser):
    visit = Visit(ground, browser, SEED)
    visit.context.add_init_script(NO_DRAFTS)
    visit.page.reload()
    with pytest.raises(AssertionError):
        cut_and_complete(visit, 0)
    visit.context.close()


def test_without_drafts_the_loss_is_found(ground: Ground, browser: Browser):
    visit = Visit(ground, browser, SEED)
    visit.context.add_init_script(NO_DRAFTS)
    visit.page.reload()
    keys = iter(visit.script())
    until = time.monotonic() + MAY_BE_LOST + 2
    while time.monotonic() < until:
        visit.go_on(keys, 1)
    moment = time.monotonic()
    visit.close_tab()
    visit.reopen()
    assert visit.typing.lost(visit.kept(), connected_until=moment)
    with pytest.raises(AssertionError, match="was typed long before"):
        visit.compare(moment)
    visit.context.close()


def test_what_counts_as_lost():
    typing = Typing(
        keys={"note": [(10.0, "a"), (12.0, "ab"), (19.0, "abc")], "ptga": [(19.5, "7")]},
        shown_as_saved={"note": "a"},
    )
    assert typing.lost({"note": "ab"}, connected_until=20.0) == []
    assert typing.lost({"note": "abc", "ptga": "7"}, connected_until=20.0) == []
    assert len(typing.lost({"note": "a"}, connected_until=20.0)) == 1
    assert len(typing.lost({}, connected_until=20.0)) == 2
    assert len(typing.lost({"note": "something else"}, connected_until=20.0)) == 2
    typing.shown_as_saved = {"note": "abc"}
    assert len(typing.lost({"note": "ab"}, connected_until=20.0)) == 1
