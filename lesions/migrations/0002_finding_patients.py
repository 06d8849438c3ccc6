"""Indexes in the order of the patient list, and names by the beginnings of their words instead of a column."""

import django.db.models.deletion
from django.db import migrations, models

from lesions.models import beginnings
from stsclinic.audit.acting import acting


def write_beginnings(apps, _schema_editor):
    identities = apps.get_model('lesions', 'PatientIdentity').objects.values_list('patient_id', 'name')
    NameBeginning = apps.get_model('lesions', 'NameBeginning')
    NameBeginning.objects.bulk_create(
        (
            NameBeginning(patient_id=patient_id, text=text)
            for patient_id, name in identities.iterator()
            for text in sorted(beginnings(name))
        ),
        batch_size=500,
    )


def write_column(apps, _schema_editor):
    with acting(by='migration lesions.0002', source='migration'):
        for identity in apps.get_model('lesions', 'PatientIdentity').objects.exclude(name=''):
            identity.name_search = identity.name.lower()
            identity.save(update_fields=['name_search'])


class Migration(migrations.Migration):

    dependencies = [
        ('lesions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='NameBeginning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.BinaryField()),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lesions.patient')),
            ],
            options={
                'indexes': [models.Index(fields=['text', 'patient'], name='names_by_beginning')],
            },
        ),
        migrations.RunPython(write_beginnings, write_column),
        migrations.RemoveField(
            model_name='patientidentity',
            name='name_search',
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['diagnosis', 'study_id'], name='patients_by_diagnosis'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(condition=models.Q(('consented_on', None), ('not_enrolled_reason', ''), ('withdrawn_on', None)), fields=['study_id'], name='patients_offered'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(condition=models.Q(('withdrawn_on', None), models.Q(('not_enrolled_reason', ''), _negated=True)), fields=['study_id'], name='patients_not_enrolled'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(condition=models.Q(('withdrawn_on__isnull', False)), fields=['study_id'], name='patients_withdrawn'),
        ),
    ]
