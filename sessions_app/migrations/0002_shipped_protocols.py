"""The five shipped protocols exist after migration."""

from dataclasses import asdict

from django.db import migrations

from stsclinic.audit.acting import acting
from stsclinic.clinical.protocols import SHIPPED


def ship(apps, schema_editor):
    Protocol = apps.get_model("sessions_app", "Protocol")
    with acting(by="stsclinic", source="migration"):
        for definition in SHIPPED:
            values = asdict(definition)
            values |= {
                name: list(values[name]) for name in ("subtypes", "other_criteria", "expected_terms")
            }
            # A column that comes later gets its value in the migration that adds it.
            there = {field.name for field in Protocol._meta.get_fields()}
            Protocol.objects.create(**{name: value for name, value in values.items() if name in there})


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial"), ("audit", "0001_initial")]

    # Backwards nothing is taken away: the table goes with 0001, and a used protocol never goes alone.
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
