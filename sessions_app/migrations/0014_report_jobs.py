"""A job may be a large report. Who goes back keeps only the exports, which alone were known then."""

from django.db import migrations

import stsclinic.fields


def remove_reports(apps, _schema_editor):
    apps.get_model("sessions_app", "ExportJob").objects.filter(kind="report").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0013_largest_lesion"),
    ]

    operations = [
        migrations.AddField(
            model_name="exportjob",
            name="kind",
            field=stsclinic.fields.CodeField(
                choices=[("data", "Export"), ("report", "Report")], default="data", max_length=40
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, remove_reports),
    ]
