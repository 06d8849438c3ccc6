"""A protocol's version that a series has used is never edited: the database itself refuses it.

On SQLite and PostgreSQL, on every write path, and also once the series is struck out.
"""

from django.db import connections

FROZEN = "A series has used this version of the protocol. It is never edited; make a new version."

_USED = "EXISTS (SELECT 1 FROM sessions_app_series s WHERE s.protocol_id = OLD.id)"

_STATEMENTS = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS sessions_app_protocol_frozen",
        f"CREATE TRIGGER sessions_app_protocol_frozen BEFORE UPDATE ON sessions_app_protocol WHEN {_USED} "
        f"BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END",
    ),
    "postgresql": (
        f"CREATE OR REPLACE FUNCTION stsclinic_refuse_frozen_protocol() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {_USED} THEN RAISE EXCEPTION '{FROZEN}' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END IF; RETURN NEW; END $$",
        "DROP TRIGGER IF EXISTS frozen ON sessions_app_protocol",
        "CREATE TRIGGER frozen BEFORE UPDATE ON sessions_app_protocol "
        "FOR EACH ROW EXECUTE FUNCTION stsclinic_refuse_frozen_protocol()",
    ),
}


def install_after_migrate(sender, using, **_):
    """Make the trigger anew, once both tables are there."""
    connection = connections[using]
    if {"sessions_app_protocol", "sessions_app_series"} <= set(connection.introspection.table_names()):
        with connection.cursor() as cursor:
            for statement in _STATEMENTS[connection.vendor]:
                cursor.execute(statement)
