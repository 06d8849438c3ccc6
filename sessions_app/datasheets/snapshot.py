"""Several queries that all see one moment of the database, without holding up those who write."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def snapshot() -> Iterator[None]:
    """Read one moment. Within another transaction or snapshot, that one decides what is seen."""
    if connection.in_atomic_block or (connection.vendor == "sqlite" and _has_begun()):
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        # Django begins every transaction on SQLite as a writer; a plain BEGIN reads in WAL beside them.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _has_begun() -> bool:
    """Whether SQLite is within the BEGIN above, which Django does not know of."""
    connection.ensure_connection()
    return connection.connection.in_transaction
