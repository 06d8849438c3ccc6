"""Load the demonstration clinic, once, and say who may sign in."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from stsclinic.demo.loading import ACTOR, holds_data, is_loaded, load
from stsclinic.demo.users import USERS, choose_password, give_password, keep_password


class Command(BaseCommand):
    """A second run loads nothing again, changes nothing that was entered, and says the same."""

    help = (
        "Load the demonstration: the five published cases, a few invented patients dated from today, "
        "and six users with one password (DEMO_PASSWORD, else made up and kept in the data folder). "
        "Refused where the database holds anything else."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is not there, and print the users.

        Raises:
            CommandError: the database holds data that are no demonstration's.
        """
        loaded = is_loaded()
        if not loaded and holds_data():
            raise CommandError("This database holds data of its own. Valid is an empty one.")
        # The mark goes first: data that no page calls a demonstration must never be there.
        settings.DEMO_MARK.touch(mode=0o600)
        file = settings.DATA_DIR / "demo_password"
        password, is_new = choose_password(file, os.environ.get("DEMO_PASSWORD", "").strip())
        if not loaded:
            load(password)
        elif is_new:
            give_password(password, by=ACTOR)
        keep_password(file, password)
        self.stdout.write("The demonstration is loaded. These users exist in the demonstration only:")
        self.stdout.write(f"  users:    {' '.join(USERS)}")
        self.stdout.write(f"  password: {password}")
