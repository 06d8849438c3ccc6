"""Patients found and described: identity, lesions, medications, earlier treatments."""

from django.urls import path

from stsclinic.placeholder import coming

urlpatterns = [
    path("patients/", coming, name="patients"),
    path("patients/<int:pk>/edit/", coming, name="patient_edit"),
    path("patients/<int:pk>/identity/", coming, name="patient_identity"),
    path("patients/<int:pk>/lesions/new/", coming, name="lesion_new"),
    path("lesions/<int:pk>/edit/", coming, name="lesion_edit"),
    path("patients/<int:pk>/medications/new/", coming, name="medication_new"),
    path("medications/<int:pk>/edit/", coming, name="medication_edit"),
    path("patients/<int:pk>/prior-treatments/new/", coming, name="prior_treatment_new"),
    path("prior-treatments/<int:pk>/edit/", coming, name="prior_treatment_edit"),
]
