from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SessionsAppConfig(AppConfig):
    """What was planned, done and seen."""

    name = "sessions_app"

    def ready(self):
        from sessions_app import frozen

        post_migrate.connect(frozen.install_after_migrate, sender=self)
