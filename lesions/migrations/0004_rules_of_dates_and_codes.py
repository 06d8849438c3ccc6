"""A partial date is a date, overlap_with holds codes, and a study ID is found by its beginning in any capitals."""

from django.db import migrations, models

import lesions.models
import stsclinic.fields
from stsclinic.alter_codes import AlterRule

BEGINNINGS = "patients_by_id_beginning"
PARTIAL_DATES = (
    ("lesion", "onset_on"),
    ("medication", "started_on"),
    ("medication", "stopped_on"),
    ("priortreatment", "started_on"),
    ("priortreatment", "stopped_on"),
)


def add_beginnings(_apps, schema_editor):
    """In PostgreSQL an index finds beginnings only where it sorts by characters; SQLite always does."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE INDEX {BEGINNINGS} ON lesions_patient (LOWER(study_id) varchar_pattern_ops)"
        )


def remove_beginnings(_apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX {BEGINNINGS}")


class Migration(migrations.Migration):
    dependencies = [
        ("lesions", "0003_study_id_in_any_capitals"),
    ]

    operations = [
        *(
            AlterRule(model_name=model, name=name, field=stsclinic.fields.PartialDateField())
            for model, name in PARTIAL_DATES
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(overlap_with="")
                | models.Q(overlap_with__regex=lesions.models.OVERLAP_CODES)
                & ~models.Q(overlap_with__regex=lesions.models.ONE_CODE_TWICE),
                name="overlap_of_two_or_more_codes",
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("struck_out_at__isnull", False)), fields=["id"], name="patients_struck_out"
            ),
        ),
        migrations.RunPython(add_beginnings, remove_beginnings),
    ]
