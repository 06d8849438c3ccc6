"""People of a clinic of their own, each with a browser and a password."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from tests.browser.keyboard import Keyboard
from tests.tools.browser import sign_in
from tests.tools.server import Server


@dataclass(frozen=True)
class Person:
    """Someone signed in: the page, and the keyboard in front of it."""

    page: Page
    keys: Keyboard


def make_clinic(server: Server, code: str) -> None:
    """A clinic without a patient."""
    server.manage("create_clinic", code, "--name", f"Clinic {code}", "--time-zone", "Europe/Copenhagen")


def hire(server: Server, clinic: str, role: str) -> tuple[str, str]:
    """A new user who has `role` in `clinic` alone: the name and the password."""
    user = f"{role}.{clinic}"
    printed = server.manage("create_user", user, "--role", role, "--clinic", clinic).stdout
    return user, printed.rpartition("Password, shown this once: ")[2].strip()


def come_in(new_context: Callable[..., BrowserContext], user: str, password: str) -> Person:
    """A user at a browser, signed in."""
    page = new_context().new_page()
    sign_in(page, user, password)
    return Person(page=page, keys=Keyboard(page))


def write_patient(folder: Path, *, clinic: str, study_id: str, lesions: tuple[str, ...]) -> Path:
    """Data sheets with one patient whose series under `weekly4` waits for its first session, today."""
    return write_patients(folder, clinic=clinic, study_ids=[study_id], lesions=lesions)


def write_patients(folder: Path, *, clinic: str, study_ids: Sequence[str], lesions: tuple[str, ...]) -> Path:
    """The same of several patients."""
    today = date.today().isoformat()
    keys = [{"patient_id": study_id} for study_id in study_ids]
    patient = {
        "clinic": clinic,
        "sex": "female",
        "birth_year": "1961",
        "diagnosis": "lcssc",
        "raynaud": "no",
        "sts_hypersensitivity": "no",
        "pregnant": "no",
        "breast_feeding": "no",
        "offered_on": today,
        "consented_on": today,
    }
    what = {"body_site": "elbow", "lesion_type": "nodule", "subtype": "dystrophic", "pain_vas": "6"}
    series = {"series_no": "1", "protocol": "weekly4", "started_on": today, "status": "active"}
    treated = {"series_no": "1"}
    for sheet, rows in {
        "patients": [key | patient for key in keys],
        "lesions": [key | what | {"lesion_id": lesion} for key in keys for lesion in lesions],
        "series": [key | series for key in keys],
        "series_lesions": [key | treated | {"lesion_id": lesion} for key in keys for lesion in lesions],
    }.items():
        with (folder / f"{sheet}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder
