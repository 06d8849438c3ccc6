"""Change a user from the command line: roles, a new password, whether the user may sign in."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from stsclinic.audit.acting import acting
from stsclinic.clinics.models import User
from stsclinic.clinics.operator import ACTOR, Refused, change_roles, find_user, roles_in_clinics
from stsclinic.clinics.services import made_up_password
from stsclinic.operator_command import OperatorCommand


class Command(OperatorCommand):
    """For an administrator who cannot sign in, or who is none yet."""

    help = "Give or take roles, make a new password, and keep a user from signing in, or let in again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read USERNAME and what to change."""
        parser.add_argument("username", metavar="USERNAME")
        for name, words in (("--give", "a role in a clinic, such as nurse@aarhus"), ("--take", "taken away")):
            parser.add_argument(name, action="append", default=[], metavar="ROLE@CLINIC", help=words)
        parser.add_argument("--new-password", action="store_true", help="make one up and print it")
        state = parser.add_mutually_exclusive_group()
        state.add_argument("--deactivate", action="store_true", help="keep the user from signing in")
        state.add_argument("--activate", action="store_true", help="let the user sign in again")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        """Change the user, all of it or nothing.

        Raises:
            CommandError: the user, a role or a clinic is not known, or nothing was asked for.
        """
        asked = ("give", "take", "new_password", "deactivate", "activate")
        if not any(options[name] for name in asked):
            raise CommandError("Say what to change; --help lists what can be.")
        try:
            with acting(by=ACTOR, source="command"):
                user = find_user(username)
                given, taken = (_roles(options[name]) for name in ("give", "take"))
                if given or taken:
                    change_roles(user, given=given, taken=taken)
                password = _change(user, options)
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Changed the user {username}.")
        if password:
            self.stdout.write(f"Password, shown this once: {password}")


def _roles(texts: list[str]) -> frozenset[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for text in texts:
        role, _at, clinic = text.partition("@")
        found |= roles_in_clinics([role], [clinic])
    return frozenset(found)


def _change(user: User, options: dict[str, Any]) -> str:
    """Change what is the user's own; give the new password, or nothing."""
    password = made_up_password() if options["new_password"] else ""
    if password:
        user.set_password(password)
    if options["deactivate"] or options["activate"]:
        user.is_active = options["activate"]
    user.save(update_fields=["password", "is_active"])
    return password
