"""Who is acting, from where and why. No clinical row is written without it.

The database's triggers write the history; what they cannot know is the person. `acting`
tells them, for one transaction.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.validators import ProhibitNullCharactersValidator
from django.db import connection, transaction

SOURCES = {"page": "Page", "import": "Import", "command": "Command", "migration": "Migration"}

_current: ContextVar[str | None] = ContextVar("acting", default=None)


def current() -> str | None:
    """The acting person of this context as JSON text, or None. SQLite's triggers call this."""
    return _current.get()


@contextmanager
def acting(*, by: str, source: str, reason: str = "") -> Iterator[None]:
    """One transaction in which `by` (a user name, or a command's name) acts.

    Args:
        by: the user name that history shows.
        source: a code of SOURCES.
        reason: why, where a reason is asked.

    Raises:
        ValidationError: the reason holds a NUL character, which PostgreSQL does not keep.
    """
    ProhibitNullCharactersValidator()(reason)
    if source not in SOURCES:
        raise ValueError(f"{source!r} is no source of a change; valid are {', '.join(SOURCES)}.")
    if not by:
        raise ValueError("A change needs the person who makes it.")
    before = _current.get()
    token = _current.set(json.dumps({"actor": by, "source": source, "reason": reason}))
    try:
        with transaction.atomic():
            _tell(_current.get())
            yield
            _tell(before)
    finally:
        _current.reset(token)


def _tell(text: str | None) -> None:
    """Hand the context to PostgreSQL for the rest of this transaction; SQLite asks `current` itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('stsclinic.acting', %s, true)", [text or ""])
