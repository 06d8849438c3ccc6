"""Signing in, users, clinics and rights."""

from django.urls import path

from stsclinic.clinics import holidays, views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="login"),
    path("sign-out/", views.sign_out, name="logout"),
    path("keep-alive/", views.keep_alive, name="keep_alive"),
    path("signed-in/", views.signed_in, name="signed_in"),
    path("password/", views.password, name="password"),
    path("rights/", views.rights, name="rights"),
    path("users/", views.users, name="users"),
    path("users/new/", views.user_new, name="user_new"),
    path("users/<int:pk>/", views.user, name="user"),
    path("users/<int:pk>/password/", views.user_password, name="user_password"),
    path("clinics/", views.clinics, name="clinics"),
    path("clinics/new/", views.clinic_new, name="clinic_new"),
    path("clinics/<int:pk>/", views.clinic, name="clinic"),
    path("holidays/", holidays.holidays, name="holidays"),
    path("holidays/<int:pk>/remove/", holidays.holiday_remove, name="holiday_remove"),
]
