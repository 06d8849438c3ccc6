import django.db.models.deletion
import stsclinic.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0011_lesion_disguise'),
    ]

    operations = [
        migrations.AddField(
            model_name='callattempt',
            name='answer',
            field=stsclinic.fields.CodeField(blank=True, choices=[('nothing', 'Asked, nothing new'), ('reported', 'Asked, something new'), ('spoke', 'Spoke about the visit')], default='', max_length=40),
        ),
        migrations.AddField(
            model_name='callattempt',
            name='inquiry',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='sessions_app.sideeffectinquiry'),
        ),
        migrations.AddField(
            model_name='callattempt',
            name='observation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='sessions_app.sideeffectobservation'),
        ),
    ]
