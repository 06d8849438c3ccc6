"""Set the demonstration's data aside, so that the next start makes them anew."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

SET_ASIDE = "set-aside"


class Command(BaseCommand):
    """Moves and never deletes: what someone entered into the demonstration can be fetched back."""

    help = (
        "Set the demonstration's database, photographs and key aside, in a folder of the data folder, "
        "so that the next load_demo starts afresh. Refused where no demonstration was loaded, and on "
        "PostgreSQL. End the server first."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Move everything in the data folder but what was set aside before.

        Raises:
            CommandError: these are not a demonstration's data, or they lie in PostgreSQL.
        """
        data: Path = settings.DATA_DIR
        if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
            raise CommandError("DATABASE_URL chooses a database server: drop and make its database there.")
        found = [path for path in sorted(data.iterdir()) if path.name != SET_ASIDE]
        if not settings.DEMO_MARK.exists():
            raise CommandError(f"{data} holds no demonstration; nothing was changed.")
        target = data / SET_ASIDE / timezone.now().strftime("%Y%m%dT%H%M%S.%fZ")
        target.mkdir(parents=True, mode=0o700)
        for path in found:
            path.rename(target / path.name)
        self.stdout.write(f"The demonstration's data are now in {target}. make run starts afresh.")
