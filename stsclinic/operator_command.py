"""What every command of the operator needs: a database that is ready."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class OperatorCommand(BaseCommand):
    """A command that works with an empty data folder: an empty database is migrated first.

    One that was migrated by an older version is left alone, since it may need a backup first.
    """

    def execute(self, *args: Any, **options: Any) -> Any:
        """Prepare the database, then run the command.

        Raises:
            CommandError: the database is of an older version.
        """
        if not connection.introspection.table_names():
            call_command("migrate", verbosity=0, interactive=False)
        else:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise CommandError(
                    "The database is of an older version. Make a backup, then run: manage.py migrate"
                )
        return super().execute(*args, **options)
