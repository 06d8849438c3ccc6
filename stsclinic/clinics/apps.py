from django.apps import AppConfig


class ClinicsConfig(AppConfig):
    """Clinics, their users and what each user is there."""

    name = "stsclinic.clinics"
    label = "clinics"
