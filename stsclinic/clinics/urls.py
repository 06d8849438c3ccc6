"""Signing in, users, clinics and rights."""

from django.urls import path

from stsclinic.placeholder import coming

urlpatterns = [
    path("", coming, name="home"),
    path("sign-in/", coming, name="login"),
    path("sign-out/", coming, name="logout"),
    path("keep-alive/", coming, name="keep_alive"),
    path("password/", coming, name="password"),
    path("rights/", coming, name="rights"),
    path("users/", coming, name="users"),
    path("users/new/", coming, name="user_new"),
    path("users/<int:pk>/", coming, name="user"),
    path("clinics/", coming, name="clinics"),
    path("clinics/new/", coming, name="clinic_new"),
    path("clinics/<int:pk>/", coming, name="clinic"),
]
