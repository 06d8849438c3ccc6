"""Three functions of PostgreSQL wrote the history of all tables, until each table had its own."""

from django.db import migrations

FUNCTIONS = ("stsclinic_history_insert", "stsclinic_history_update", "stsclinic_history_delete")


def drop_functions(_apps, schema_editor):
    """Where triggers still call one, it stays: without it there would be no history until new triggers are made."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in FUNCTIONS:
        schema_editor.execute(
            f"DO $$ BEGIN DROP FUNCTION IF EXISTS {name}(); "
            "EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_change_of_row"),
    ]

    operations = [
        migrations.RunPython(drop_functions, migrations.RunPython.noop),
    ]
