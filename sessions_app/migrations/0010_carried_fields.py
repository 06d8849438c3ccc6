from django.db import migrations, models


def mark_open_sheets(apps, schema_editor):
    """What a sheet was opened with and nobody saved since was carried, but for a new one's day and person."""
    fields = apps.get_model("sessions_app", "DraftField").objects.filter(version=0)
    fields.exclude(draft__corrects=None, name__in=["held_on", "performed_by"]).update(is_carried=True)


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0009_order_of_lesions"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftfield",
            name="is_carried",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark_open_sheets, migrations.RunPython.noop),
    ]
