"""Patients described: identity, lesions, medications, earlier treatments."""

from django.urls import path

from lesions.views import patient, records

urlpatterns = [
    path("patients/<int:pk>/edit/", patient.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/identity/", patient.patient_identity, name="patient_identity"),
    path("patients/<int:pk>/lesions/new/", records.lesion_new, name="lesion_new"),
    path("lesions/<int:pk>/edit/", records.lesion_edit, name="lesion_edit"),
    path("lesions/<int:pk>/put-back/", records.lesion_put_back, name="lesion_put_back"),
    path("patients/<int:pk>/medications/new/", records.medication_new, name="medication_new"),
    path("medications/<int:pk>/edit/", records.medication_edit, name="medication_edit"),
    path("patients/<int:pk>/prior-treatments/new/", records.prior_treatment_new, name="prior_treatment_new"),
    path("prior-treatments/<int:pk>/edit/", records.prior_treatment_edit, name="prior_treatment_edit"),
]
