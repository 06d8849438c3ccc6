"""Every address of the project. Each view declares the right that it needs."""

from django.urls import include, path

urlpatterns = [
    path("", include("stsclinic.clinics.urls")),
    path("", include("lesions.urls")),
    path("", include("sessions_app.urls")),
]
