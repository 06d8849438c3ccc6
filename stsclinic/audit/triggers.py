"""The triggers that write history, on SQLite and PostgreSQL, generated from the models.

They hold on every write path: form, import, command, bulk and SQL by hand. A write without
`acting` is refused, a deletion is refused, and the trail itself can only grow.
"""

from django.apps import apps
from django.db import connections

from stsclinic.audit import acting

NO_ACTOR = "A clinical row was written without saying who acts."
NEVER_DELETED = "Nothing clinical is ever deleted; strike it out with a reason."
APPEND_ONLY = "The trail can only grow."

FORMER_FUNCTIONS = ("stsclinic_history_insert", "stsclinic_history_update", "stsclinic_history_delete")


def prepare_connection(sender, connection, **_):
    """Teach a new SQLite connection to answer who is acting."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("stsclinic_acting", 0, acting.current)


def remove_before_migrate(sender, using, plan, **_):
    """Take SQLite's triggers away while migrations run; `install_after_migrate` makes them anew.

    SQLite alters a table by making it anew under its old name, and refuses that while a trigger of
    another table names it. Should a migration fail halfway, the start is refused (stsclinic/start.py)
    until `migrate` has been through.
    """
    connection = connections[using]
    if connection.vendor != "sqlite" or not plan:
        return
    with connection.cursor() as cursor:
        for _table, name in _triggers(cursor, "sqlite"):
            cursor.execute(f'DROP TRIGGER "{name}"')


def tables_without_history(connection) -> list[str]:
    """The audited tables that lack a trigger: their changes would leave no history."""
    with connection.cursor() as cursor:
        there = _triggers(cursor, connection.vendor)
    prefix = "{table}_" if connection.vendor == "sqlite" else ""
    return [
        table
        for table in (model._meta.db_table for model in audited_models())
        if not {(table, f"{prefix.format(table=table)}history_{event}") for event in ("insert", "update")}
        <= there
    ]


def _triggers(cursor, vendor: str) -> set[tuple[str, str]]:
    """The (table, name) pairs of the triggers that the database has."""
    cursor.execute(
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        if vendor == "sqlite"
        else "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)"
    )
    return set(cursor.fetchall())


def install_after_migrate(sender, using, **_):
    """Make the triggers of one app's tables anew, as the models now are."""
    from stsclinic.audit.models import Audited, Change, Event

    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if Change._meta.db_table not in tables:
        return
    with connection.cursor() as cursor:
        for model in apps.get_app_config(sender.label).get_models():
            if model._meta.db_table not in tables:
                continue
            if issubclass(model, Audited):
                statements = _history(connection, model)
            elif model in (Change, Event):
                statements = _append_only(connection, model)
            else:
                continue
            for statement in statements:
                cursor.execute(statement)
        if connection.vendor == "postgresql":
            _drop_former_functions(cursor)


def _drop_former_functions(cursor) -> None:
    """Three functions wrote the history of all tables, until each table had its own. One that a trigger still calls
    stays until that is made anew, too.
    """
    for name in FORMER_FUNCTIONS:
        cursor.execute(
            f"DO $$ BEGIN DROP FUNCTION IF EXISTS {name}(); "
            "EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$"
        )


def audited_models() -> list:
    """Every model whose changes leave history."""
    from stsclinic.audit.models import Audited

    return [model for model in apps.get_models() if issubclass(model, Audited)]


def _history(connection, model) -> list[str]:
    make = _postgresql_history if connection.vendor == "postgresql" else _sqlite_history
    return make(connection, model)


def _append_only(connection, model) -> list[str]:
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        return [
            _postgresql_refusal("stsclinic_refuse_append_only", APPEND_ONLY),
            f'DROP TRIGGER IF EXISTS append_only ON "{table}"',
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION stsclinic_refuse_append_only()",
            *_postgresql_no_truncation(table, "stsclinic_refuse_append_only"),
        ]
    return [
        statement
        for event in ("UPDATE", "DELETE")
        for statement in (
            f'DROP TRIGGER IF EXISTS "{table}_no_{event.lower()}"',
            f'CREATE TRIGGER "{table}_no_{event.lower()}" BEFORE {event} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
        )
    ]


def _columns(model) -> list[str]:
    return [field.column for field in model._meta.concrete_fields if field.name not in model.unwritten_fields]


def _sqlite_history(connection, model) -> list[str]:
    table = model._meta.db_table

    def row(side: str) -> str:
        if side == "NULL":
            return side
        return "json_object(" + ", ".join(f"'{c}', {side}.\"{c}\"" for c in _columns(model)) + ")"

    def write(event: str, action: str, old: str, new: str, condition: str = "") -> list[str]:
        name = f"{table}_history_{event.lower()}"
        subject = old if new == "NULL" else new
        return [
            f'DROP TRIGGER IF EXISTS "{name}"',
            f'CREATE TRIGGER "{name}" AFTER {event} ON "{table}" {condition} BEGIN '
            f"SELECT RAISE(ABORT, '{NO_ACTOR}') WHERE stsclinic_acting() IS NULL; "
            'INSERT INTO "audit_change" ("at", "actor", "source", "reason", "table_name", "row_id", '
            '"action", "old", "new") SELECT strftime(\'%Y-%m-%d %H:%M:%f\', \'now\'), '
            "json_extract(a.a, '$.actor'), json_extract(a.a, '$.source'), json_extract(a.a, '$.reason'), "
            f"'{table}', {subject}.\"id\", '{action}', {row(old)}, {row(new)} "
            "FROM (SELECT stsclinic_acting() AS a) AS a; END",
        ]

    changed = " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in _columns(model))
    statements = write("INSERT", "created", "NULL", "NEW")
    statements += write("UPDATE", "changed", "OLD", "NEW", f"WHEN {changed}")
    statements += [f'DROP TRIGGER IF EXISTS "{table}_never_deleted"']
    if model.may_be_removed:
        return statements + write("DELETE", "removed", "OLD", "NULL")
    return statements + [
        f'CREATE TRIGGER "{table}_never_deleted" BEFORE DELETE ON "{table}" '
        f"BEGIN SELECT RAISE(ABORT, '{NEVER_DELETED}'); END"
    ]


def _postgresql_refusal(name: str, sentence: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )


def _postgresql_no_truncation(table: str, refusal: str) -> list[str]:
    """TRUNCATE passes the triggers of rows, so it has one of its own."""
    return [
        f'DROP TRIGGER IF EXISTS never_emptied ON "{table}"',
        f'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON "{table}" '
        f"FOR EACH STATEMENT EXECUTE FUNCTION {refusal}()",
    ]


_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION "{function}"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting jsonb := nullif(current_setting('stsclinic.acting', true), '')::jsonb;
    who text := acting->>'actor';
    via text := acting->>'source';
    why text := acting->>'reason';
BEGIN
    IF acting IS NULL AND EXISTS (SELECT 1 FROM {rows}) THEN
        RAISE EXCEPTION '{no_actor}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO audit_change (at, actor, source, reason, table_name, row_id, action, old, new)
    SELECT clock_timestamp(), who, via, why, '{table}', {row}.id, '{action}', {old}, {new} FROM {rows};
    RETURN NULL;
END $$
"""


def _postgresql_history(connection, model) -> list[str]:
    table = model._meta.db_table
    # JSONB keeps its keys by length, then by bytes: columns in that order need no sorting, row by row.
    columns = ", ".join(f'"{name}"' for name in sorted(_columns(model), key=lambda name: (len(name), name)))
    before, after = (f"(SELECT {columns} FROM {side}_rows) {side[0]}" for side in ("old", "new"))
    events = {
        "insert": ("NEW TABLE AS new_rows", "n", "created", "NULL", "to_jsonb(n)", after),
        "update": (
            "OLD TABLE AS old_rows NEW TABLE AS new_rows",
            "n",
            "changed",
            "to_jsonb(o)",
            "to_jsonb(n)",
            f"{before} JOIN {after} ON o.id = n.id WHERE o IS DISTINCT FROM n",
        ),
        "delete": ("OLD TABLE AS old_rows", "o", "removed", "to_jsonb(o)", "NULL", before),
    }
    statements = []
    for event, (referencing, row, action, old, new, rows) in events.items():
        statements.append(f'DROP TRIGGER IF EXISTS history_{event} ON "{table}"')
        if event == "delete" and not model.may_be_removed:
            continue
        function = f"{table}_history_{event}"
        statements += [
            _POSTGRESQL_FUNCTION.format(
                function=function,
                no_actor=NO_ACTOR,
                table=table,
                row=row,
                action=action,
                old=old,
                new=new,
                rows=rows,
            ),
            f'CREATE TRIGGER history_{event} AFTER {event.upper()} ON "{table}" REFERENCING {referencing} '
            f'FOR EACH STATEMENT EXECUTE FUNCTION "{function}"()',
        ]
    statements.append(f'DROP TRIGGER IF EXISTS never_deleted ON "{table}"')
    if not model.may_be_removed:
        statements.append(_postgresql_refusal("stsclinic_refuse_deletion", NEVER_DELETED))
        statements.append(
            f'CREATE TRIGGER never_deleted BEFORE DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION stsclinic_refuse_deletion()"
        )
        statements += _postgresql_no_truncation(table, "stsclinic_refuse_deletion")
    return statements
