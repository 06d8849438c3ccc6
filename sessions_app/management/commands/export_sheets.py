"""Export data sheets from the command line. Nothing is left out."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import NoRoomInWorkbook, write_folder, write_workbook
from stsclinic.audit.services import note_event
from stsclinic.operator_command import OperatorCommand

ACTOR = "export_sheets"
_OURS = frozenset(f"{name}.csv" for name in SHEETS)


class Command(OperatorCommand):
    """The operator exports all clinics, with allocations; names are in no sheet."""

    help = (
        "Export all data sheets to PATH: a workbook when it ends in .xlsx, otherwise a folder of CSV "
        "files. Without names, with the allocations of controlled protocols. A folder may be new, "
        "empty, or hold an earlier export, which is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read PATH."""
        parser.add_argument("path", metavar="PATH", help="a folder, or a file that ends in .xlsx")

    def handle(self, *args: Any, path: str, **options: Any) -> None:
        """Write the files.

        Raises:
            CommandError: the path holds something else, or cannot be written.
        """
        target = Path(path)
        try:
            counts = self._workbook(target) if target.suffix.lower() == ".xlsx" else self._folder(target)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror or error}.") from error
        except NoRoomInWorkbook as error:
            raise CommandError(str(error)) from error
        note_event("exported", by=ACTOR, detail="all clinics")
        rows = ", ".join(f"{name} {count}" for name, count in counts.items())
        self.stdout.write(f"Exported to {target}: {rows}.")

    def _workbook(self, target: Path) -> dict[str, int]:
        if target.is_dir():
            raise CommandError(f"{target} is a folder.")
        part = target.with_name(f".{target.name}.part")
        try:
            with open(part, "wb", opener=_private) as stream:
                counts = write_workbook(stream)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return counts

    def _folder(self, target: Path) -> dict[str, int]:
        if target.exists() and not target.is_dir():
            raise CommandError(f"{target} is a file. Valid is a folder, or a file that ends in .xlsx.")
        if target.is_dir():
            others = sorted(path.name for path in target.iterdir() if path.name not in _OURS)
            if others:
                raise CommandError(
                    f"{target} holds {others[0]}, which is no data sheet. Valid is a new or an empty folder."
                )
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        return write_folder(target)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
