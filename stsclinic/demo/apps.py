from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demonstration clinic, loaded by a command only."""

    name = "stsclinic.demo"
    label = "demo"
