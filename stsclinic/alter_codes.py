"""A migration's step that gives a column its new rule: a column of codes, or another with a rule of its own.

Django's own AlterField leaves a rule of ours (`db_check`) as it was on PostgreSQL, and on SQLite where nothing
but the rule changed.
"""

from django.db import migrations


class AlterRule(migrations.AlterField):
    """AlterField of a column whose rule changed; SQLite makes the table anew."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Alter the column, then take the place of its rule."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        connection = schema_editor.connection
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(connection.alias, model):
            return
        field = model._meta.get_field(self.name)
        if connection.vendor == "sqlite":
            schema_editor._remake_table(model, alter_fields=[(field, field)])
            return
        others = {constraint.name for constraint in model._meta.constraints}
        for name in schema_editor._constraint_names(model, [field.column], check=True, exclude=others):
            schema_editor.execute(schema_editor._delete_check_sql(model, name))
            schema_editor.execute(schema_editor._create_check_sql(model, name, field.db_check(connection)))


class AlterCodes(migrations.AlterField):
    """AlterField of a CodeField whose vocabulary changed; backwards it gives the old rule again."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Alter the column, then take the place of its rule."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        connection = schema_editor.connection
        model = to_state.apps.get_model(app_label, self.model_name)
        if connection.vendor != "postgresql" or not self.allow_migrate_model(connection.alias, model):
            return
        field = model._meta.get_field(self.name)
        others = {constraint.name for constraint in model._meta.constraints}
        for name in schema_editor._constraint_names(model, [field.column], check=True, exclude=others):
            schema_editor.execute(schema_editor._delete_check_sql(model, name))
            schema_editor.execute(schema_editor._create_check_sql(model, name, field.db_check(connection)))
