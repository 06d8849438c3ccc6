"""Make a clinic from the command line: the first one has no administrator yet who could."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from stsclinic.clinics.operator import make_clinic
from stsclinic.operator_command import OperatorCommand


class Command(OperatorCommand):
    """Its administrator is made with create_user."""

    help = "Make a clinic. Afterwards make its administrator with create_user."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read CODE, --name, --time-zone and --country."""
        parser.add_argument("code", metavar="CODE", help="small letters, digits, - and _")
        parser.add_argument("--name", help="as people read it; the code where none is given")
        parser.add_argument(
            "--time-zone", default=settings.TIME_ZONE, help="such as Europe/Copenhagen (default: %(default)s)"
        )

        parser.add_argument("--country", default="", help="as reports of a side effect name it")

    def handle(
        self, *args: Any, code: str, name: str | None, time_zone: str, country: str, **options: Any
    ) -> None:
        """Make it.

        Raises:
            CommandError: the code is taken or a value is not valid.
        """
        try:
            make_clinic(code=code, name=name or code, time_zone=time_zone, country=country)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Made the clinic {code}.")
