"""Rows by the thousand, and databases beside the first one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import islice
from pathlib import Path
from shutil import copyfile
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from stsclinic.audit.triggers import install_after_migrate, remove_before_migrate

CHUNK = 20_000


def fill(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows, given as {column: value} with the same columns in each; the other columns have their defaults.

    Every constraint holds, as for any other insert. Rows that others refer to are given with their ids.
    """
    rows = iter(rows)
    first = next(rows)
    fixed = {
        field.attname: field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.attname not in first and not field.primary_key
    }
    names = [*first, *fixed]
    columns = ", ".join(f'"{name}"' for name in names)
    table = model._meta.db_table
    values = ([*row.values(), *fixed.values()] for row in _again(first, rows))
    while chunk := list(islice(values, CHUNK)):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                text = StringIO("".join("\t".join(map(_as_text, row)) + "\n" for row in chunk))
                cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', text)
            else:
                places = ", ".join("%s" for _ in names)
                cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', chunk)


def _again(first: dict, rest: Iterator[dict]) -> Iterator[dict]:
    yield first
    yield from rest


def _as_text(value: Any) -> str:
    """A value as COPY reads it. None of ours holds a tab, a backslash or a line's end."""
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return r"\\x" + value.hex()
    return str(getattr(value, "adapted", value))


@contextmanager
def without_history() -> Iterator[None]:
    """Rows of the block leave no history, which nothing that is measured on them reads.

    In the end the triggers stand again, and the database has counted its rows as PostgreSQL does by itself.
    """
    models = [model for model in apps.get_models() if hasattr(model, "may_be_removed")]
    is_postgresql = connection.vendor == "postgresql"
    if not is_postgresql:
        remove_before_migrate(None, "default", plan=True)
    else:
        _each("ALTER TABLE {} DISABLE TRIGGER USER", models)
    yield
    if not is_postgresql:
        for app in apps.get_app_configs():
            install_after_migrate(app, "default")
    else:
        _each("ALTER TABLE {} ENABLE TRIGGER USER", models)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)
        let_it_count()


def let_it_count() -> None:
    """Let PostgreSQL count its rows now, as it does by itself within a minute: it plans its statements by that."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _each(statement: str, models: list) -> None:
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(statement.format(f'"{model._meta.db_table}"'))


def copy_of_database(name: str) -> BaseDatabaseWrapper:
    """A database that stands as the present one does; gone with the server, or with the data folder."""
    known = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{known}"')
    else:
        name = str(Path(known).with_name(f"{name}.sqlite3"))
        copyfile(known, name)
    copy = connections.create_connection("default")
    copy.settings_dict = {**copy.settings_dict, "NAME": name}
    return copy


@contextmanager
def on(database: BaseDatabaseWrapper) -> Iterator[None]:
    """What the application does within the block, it does on this database."""
    before = connections["default"]
    connections["default"] = database
    try:
        yield
    finally:
        connections["default"] = before
