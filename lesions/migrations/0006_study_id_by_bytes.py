"""A study ID in any capitals is kept in the order of its bytes: one index answers what begins so, in its order."""

from django.db import migrations, models

import stsclinic.fields

BEGINNINGS = "patients_by_id_beginning"


def remove_beginnings(_apps, schema_editor):
    """In PostgreSQL an index of its own found beginnings until now."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX {BEGINNINGS}")


def add_beginnings(_apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE INDEX {BEGINNINGS} ON lesions_patient (LOWER(study_id) varchar_pattern_ops)"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("lesions", "0005_place_on_the_body_map"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="patient", name="study_id_once_in_any_capitals"),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                stsclinic.fields.SmallLetters("study_id"), name="study_id_once_in_any_capitals"
            ),
        ),
        migrations.RunPython(remove_beginnings, add_beginnings),
    ]
