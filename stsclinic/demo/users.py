"""The users of the demonstration, and their one password. They exist in the demonstration only."""

import os
from collections.abc import Iterable
from pathlib import Path

from stsclinic.audit.acting import acting
from stsclinic.clinics.models import Clinic, Membership, User
from stsclinic.clinics.services import made_up_password

USERS = {
    "clinician": "clinician",
    "nurse": "nurse",
    "investigator": "investigator",
    "observer": "observer",
    "datamanager": "data_manager",
    "administrator": "administrator",
}
"""User name: role, held in every clinic of the demonstration."""


def make_users(clinics: Iterable[Clinic], password: str, *, by: str) -> list[User]:
    """Make all of them, each with the one role in all clinics."""
    clinics = list(clinics)
    made = []
    with acting(by=by, source="command"):
        for username, role in USERS.items():
            user = User(username=username, first_name="Demonstration", last_name=username)
            user.set_password(password)
            user.save()
            Membership.objects.bulk_create(
                Membership(user=user, clinic=clinic, role=role) for clinic in clinics
            )
            made.append(user)
    return made


def give_password(password: str, *, by: str) -> None:
    """Give the users of the demonstration another password."""
    with acting(by=by, source="command"):
        for user in User.objects.filter(username__in=USERS):
            user.set_password(password)
            user.save(update_fields=["password"])


def choose_password(file: Path, given: str) -> tuple[str, bool]:
    """The password to use: the given one, else the one kept in `file`, else one made up.

    Returns:
        The password, and whether it is another than the one kept.
    """
    before = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    password = given or before or made_up_password()
    return password, password != before


def keep_password(file: Path, password: str) -> None:
    """Keep the password for the next run, readable by the owner alone."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(password)
