"""What must be true of the database before the server starts: it keeps what it was told, with its history."""

from django.core.exceptions import ImproperlyConfigured

from stsclinic.audit.triggers import tables_without_history

DURABILITY_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings of PostgreSQL that, when off, lose or corrupt what was saved when the power fails."""


def refuse_unsafe_database(connection) -> None:
    """Refuse a database that could lose an acknowledged save, or a change's history.

    Raises:
        ImproperlyConfigured: the sentence says what to change.
    """
    if connection.vendor == "postgresql":
        _refuse_settings_that_lose(connection)
    bare = tables_without_history(connection)
    if bare:
        raise ImproperlyConfigured(
            f"The database keeps no history of {', '.join(bare)}. Run: python manage.py migrate"
        )


def _refuse_settings_that_lose(connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off' ORDER BY name",
            [list(DURABILITY_SETTINGS)],
        )
        off = [name for (name,) in cursor.fetchall()]
    if off:
        raise ImproperlyConfigured(
            f"PostgreSQL runs with {' and '.join(off)} off, and could lose what was saved. "
            f"Set it to on in postgresql.conf, then start again."
        )
