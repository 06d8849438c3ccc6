"""Work on one export that was asked for on the page. The web server starts this by itself."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sessions_app.export_jobs import work


class Command(BaseCommand):
    """Works on a waiting job; on any other it does nothing."""

    help = (
        "Work on the export of this number, as the page Export asks it; started by the server, not by people."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the job's number."""
        parser.add_argument("job", type=int)

    def handle(self, *args: Any, job: int, **options: Any) -> None:
        """Do the work; how it went stands in the database."""
        work(job)
