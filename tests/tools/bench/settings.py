"""The application's own settings with one address more, and with the databases of lists.py beside its own."""

from stsclinic.settings import *  # noqa: F403

ROOT_URLCONF = "tests.tools.bench.urls"
