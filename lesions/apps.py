from django.apps import AppConfig


class LesionsConfig(AppConfig):
    """Who is treated, and what."""

    name = "lesions"
