"""Import data sheets from the command line: all of them, or nothing."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sessions_app.datasheets.checking import Allowed, Checked, check
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
        "standard error. What is unusual is listed and imported. With --update, patients who are there "
        "are changed to what the sheets say; rows and columns that the sheets do not have stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read PATH and --check."""
        parser.add_argument("path", metavar="PATH", help="a folder, a .zip or an .xlsx")
        parser.add_argument("--check", action="store_true", help="only check; write nothing")
        parser.add_argument("--update", action="store_true", help="change patients who are there")
        parser.add_argument("--reason", default="", help="why they are changed; history keeps it")

    def handle(self, *args: Any, path: str, update: bool, reason: str, **options: Any) -> None:
        """Import, or refuse with all errors.

        Raises:
            CommandError: there are errors, or no reason for an update; nothing was written.
        """
        if update and not options["check"] and not reason.strip():
            raise CommandError("An update needs --reason: say why the patients are changed.")
        raw = read_path(path)
        if raw.is_empty and not raw.errors:
            self.stdout.write("The sheets hold no row: there is nothing to import.")
            return
        allowed = Allowed(updates=update)
        try:
            if options["check"]:
                checked = check(raw, allowed)
                if checked.errors:
                    raise ImportRefused(checked.errors)
            else:
                checked = import_sheets(
                    raw, by=ACTOR, source="command", allowed=allowed, reason=reason.strip()
                )
        except ImportRefused as refusal:
            for error in refusal.errors:
                self.stderr.write(str(error))
            count = len(refusal.errors)
            raise CommandError(
                f"{count} error{'' if count == 1 else 's'}; nothing was imported."
            ) from refusal
        for warning in checked.warnings:
            self.stdout.write(f"Warning: {warning}")
        if update:
            self._tell_changes(checked)
        counts = ", ".join(f"{name} {count}" for name, count in checked.counts.items())
        self.stdout.write(f"{'Checked' if options['check'] else 'Imported'}: {counts}.")

    def _tell_changes(self, checked: Checked) -> None:
        plan = checked.plan
        for change in plan.changes:
            place = f"{change.row.sheet.name}, {change.row.key_text}, {change.column.name}"
            self.stdout.write(f'Changed: {place}: "{change.old}" to "{change.new}"')
        for row in plan.not_in_file:
            self.stdout.write(f"Not in the file, and left as it is: {row.sheet.name}, {row.key_text}")
        others = len(plan.other_patients)
        self.stdout.write(
            f"{len(plan.created)} rows are new, {len(plan.changed)} changed, {len(plan.not_in_file)} not in the"
            f" file; {others} other patients of these clinics stay as they are."
        )
