from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0003_calls_and_observations"),
    ]

    operations = [
        migrations.AddField(
            model_name="sideeffect",
            name="sponsor_told_time",
            field=models.TimeField(blank=True, null=True),
        ),
    ]
