from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    """The append-only trail, kept by the database itself."""

    name = "stsclinic.audit"
    label = "audit"

    def ready(self):
        from stsclinic.audit import triggers

        # Django's own hooks: the triggers belong to the tables as migrated, and SQLite has to be
        # told, for each connection, who is acting.
        connection_created.connect(triggers.prepare_connection)
        pre_migrate.connect(triggers.remove_before_migrate)
        post_migrate.connect(triggers.install_after_migrate)
