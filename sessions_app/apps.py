from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    """What was planned, done and seen."""

    name = "sessions_app"
