"""Make a user from the command line."""

import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from stsclinic.access import ROLES
from stsclinic.clinics.operator import ACTOR, Refused, roles_in_clinics
from stsclinic.clinics.services import create_user
from stsclinic.operator_command import OperatorCommand


class Command(OperatorCommand):
    """A password is never an argument, since other users of the machine see those."""

    help = (
        "Make a user who has ROLE in CLINIC; both may be given several times, and the user then has "
        "each role in each clinic. The password is made up and printed, or read from standard input "
        "with --password-stdin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read USERNAME, --role, --clinic, --first-name, --last-name, --email, --password-stdin."""
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument(
            "--role", action="append", required=True, metavar="ROLE", help=f"one of {', '.join(ROLES)}"
        )
        parser.add_argument("--clinic", action="append", required=True, metavar="CLINIC", help="its code")
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")
        parser.add_argument("--email", default="")
        parser.add_argument("--password-stdin", action="store_true", help="read the password's one line")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        """Make the user.

        Raises:
            CommandError: a role or clinic is not known, the name is taken, or the password is weak.
        """
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else ""
        if options["password_stdin"] and not password:
            raise CommandError("There is no password on standard input.")
        try:
            _user, used = create_user(
                username=username,
                roles=roles_in_clinics(options["role"], options["clinic"]),
                by=ACTOR,
                password=password,
                first_name=options["first_name"],
                last_name=options["last_name"],
                email=options["email"],
                source="command",
            )
        except Refused as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Made the user {username}.")
        if not password:
            self.stdout.write(f"Password, shown this once: {used}")
