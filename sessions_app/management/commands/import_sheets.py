"""Import data sheets from the command line: all of them, or nothing."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sessions_app.datasheets.checking import check
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.problems import ImportRefused
from sessions_app.datasheets.reading import read_path
from stsclinic.operator_command import OperatorCommand

ACTOR = "import_sheets"


class Command(OperatorCommand):
    """The operator imports into any clinic; one that is not there is made."""

    help = (
        "Import data sheets from PATH: a folder of CSV files, a zip of one, or a workbook (.xlsx). "
        "All or nothing: with any error the database stays as it was, and every error is listed on "
        "standard error. What is unusual is listed and imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read PATH and --check."""
        parser.add_argument("path", metavar="PATH", help="a folder, a .zip or an .xlsx")
        parser.add_argument("--check", action="store_true", help="only check; write nothing")

    def handle(self, *args: Any, path: str, **options: Any) -> None:
        """Import, or refuse with all errors.

        Raises:
            CommandError: there are errors; nothing was written.
        """
        raw = read_path(path)
        try:
            if options["check"]:
                checked = check(raw)
                if checked.errors:
                    raise ImportRefused(checked.errors)
            else:
                checked = import_sheets(raw, by=ACTOR, source="command")
        except ImportRefused as refusal:
            for error in refusal.errors:
                self.stderr.write(str(error))
            count = len(refusal.errors)
            raise CommandError(
                f"{count} error{'' if count == 1 else 's'}; nothing was imported."
            ) from refusal
        for warning in checked.warnings:
            self.stdout.write(f"Warning: {warning}")
        counts = ", ".join(f"{name} {count}" for name, count in checked.counts.items())
        self.stdout.write(f"{'Checked' if options['check'] else 'Imported'}: {counts}.")
