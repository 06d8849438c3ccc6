"""A patient with many lesions, all injected a week ago, whose next session is to be recorded; and a counter."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

LAST = date.today() - timedelta(days=7)
SITES = ("index_finger", "middle_finger", "thumb", "elbow", "knee", "toe", "forearm")
UNCOUNTED = set("0123456789.,")


def lesion_ids(number: int) -> list[str]:
    """L01, L02, …"""
    return [f"L{place:02}" for place in range(1, number + 1)]


def last_size(place: int) -> tuple[int, int]:
    """Longest and widest in mm at the last visit, of the lesion at this place (from 0)."""
    return 20 + place, 10


def write_big_patient(folder: Path, *, clinic: str, study_id: str, lesions: int) -> Path:
    """Data sheets with one patient under `weekly4`, all of whose lesions were seen and injected a week ago."""
    folder.mkdir(parents=True, exist_ok=True)
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
        "offered_on": LAST.isoformat(),
        "consented_on": LAST.isoformat(),
    }
    what = {"lesion_type": "nodule", "subtype": "dystrophic", "pain_vas": "6"}
    seen = {"status": "present", "size_source": "measured", "ulcer": "no", "inflammation": "no"}
    given = {"agent": "sts", "concentration_mg_ml": "150", "volume_ml": "0.25", "technique": "base"}
    ids = lesion_ids(lesions)
    sizes = [
        dict(zip(("longest_mm", "widest_mm"), last_size(place), strict=True)) for place in range(lesions)
    ]
    sheets: dict[str, list[dict]] = {
        "patients": [key | patient],
        "lesions": [
            key | what | {"lesion_id": name, "body_site": SITES[place % len(SITES)]}
            for place, name in enumerate(ids)
        ],
        "series": [one | {"protocol": "weekly4", "started_on": LAST.isoformat(), "status": "active"}],
        "series_lesions": [one | {"lesion_id": name} for name in ids],
        "sessions": [visit | {"kind": "treatment", "held_on": LAST.isoformat(), "ptga": "7", "phga": "6"}],
        "session_lesions": [
            visit | seen | size | {"lesion_id": name} for name, size in zip(ids, sizes, strict=True)
        ],
        "injections": [visit | given | {"lesion_id": name} for name in ids],
    }
    for sheet, rows in sheets.items():
        with (folder / f"{sheet}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


@dataclass
class Counted:
    """The keys and taps of one person: everything counts but digits and decimal marks of measured values."""

    page: Page
    number: int = 0

    def press(self, *keys: str) -> None:
        """Press one key after the other; of `Control+Enter` both keys count."""
        for key in keys:
            self.page.keyboard.press(key)
            self.number += len(key.split("+"))

    def measure(self, text: str) -> None:
        """Type a measured value: what is neither a digit nor a decimal mark counts."""
        self.page.keyboard.type(text)
        self.number += sum(sign not in UNCOUNTED for sign in text)

    def score(self, text: str) -> None:
        """Type a score: each of its digits counts."""
        self.press(*text)

    def tap(self, selector: str) -> None:
        """Tap on something, which must be large enough for a finger."""
        place = self.page.locator(selector)
        expect(place).to_have_count(1)
        box = place.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44, f"{selector} is {box}"
        place.tap()
        self.number += 1

    def tap_digits(self, text: str, keys: str) -> None:
        """Tap a measured value on a number pad whose key of a sign is found by `keys`."""
        before = self.number
        for sign in text:
            self.tap(keys.format(sign))
        self.number = before + sum(sign not in UNCOUNTED for sign in text)


def open_sheet(page: Page, study_id: str) -> None:
    """Open the sheet of the patient's next treatment from the list of what is due."""
    page.goto("/today/", wait_until="load")
    record = page.get_by_role("button", name=f"Record treatment of {study_id}")
    go_on = page.get_by_role("link", name=f"Go on with the draft of {study_id}")
    record.or_(go_on).click()
    page.wait_for_load_state("load")
    expect(page.locator("[data-sheet]")).to_be_visible()
