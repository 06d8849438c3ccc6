from django.db import migrations

import stsclinic.fields
from stsclinic.alter_codes import AlterRule


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0012_call_answers"),
    ]

    operations = [
        AlterRule(
            model_name="assessment",
            name=name,
            field=stsclinic.fields.MeasureField(
                above_low=True, blank=True, high="2000", low="0", null=True, places=2
            ),
        )
        for name in ("longest_mm", "widest_mm")
    ]
