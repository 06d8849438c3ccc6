import stsclinic.clinics.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinics', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinic',
            name='closed_weekdays',
            field=models.JSONField(blank=True, default=stsclinic.clinics.models.usually_closed, validators=[stsclinic.clinics.models.weekdays_open_and_closed]),
        ),
    ]
