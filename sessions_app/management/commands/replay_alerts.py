"""The alerts of the published cases, from the command line."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.replay import SheetsRefused, replay

CASE_FOLDER = Path(settings.BASE_DIR) / "stsclinic" / "demo" / "cases"


class Command(BaseCommand):
    """Play the five published cases day by day. It needs no database and changes nothing."""

    help = (
        "Play the published cases day by day and print one line per alert that would have spoken: "
        "patient_id, date, series_no, session_no, code and reason, separated by tabs. What stops and "
        "what must be acknowledged is printed; what asks for a missing fact, or only informs, is not."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Read --case."""
        parser.add_argument("--case", metavar="NAME", help=f"only this case: {', '.join(case_names())}")

    def handle(self, *args: Any, case: str | None, **options: Any) -> None:
        """Print the lines.

        Raises:
            CommandError: there is no such case, or its sheets cannot be read.
        """
        names = case_names()
        if case is not None and case not in names:
            raise CommandError(f"There is no case {case!r}. Valid are: {', '.join(names)}.")
        for name in [case] if case is not None else names:
            try:
                spoken = replay(CASE_FOLDER / name)
            except SheetsRefused as error:
                raise CommandError(f"The case {name} cannot be played. {error}") from error
            for alert in spoken:
                self.stdout.write(alert.line)


def case_names() -> list[str]:
    """The cases that are there."""
    return sorted(path.name for path in CASE_FOLDER.iterdir() if path.is_dir())
