"""The project's settings for the tests: data in a folder of their own, and nothing from the surroundings.

TEST_DATABASE_URL chooses the database server; without it the tests run on SQLite.
"""

import atexit
import os
import shutil
import tempfile

_OF_THE_APPLICATION = (
    "DEBUG",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "HTTPS",
    "TRUSTED_ORIGINS",
    "IDLE_MINUTES",
    "TIME_ZONE",
    "DATABASE_URL",
    "DEMO_PASSWORD",
)
for _name in _OF_THE_APPLICATION:
    os.environ.pop(_name, None)
_folder = tempfile.mkdtemp(prefix="stsclinic-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["STSCLINIC_DATA"] = _folder
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from stsclinic.settings import *  # noqa: E402, F403
from stsclinic.settings import DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

STATIC_ROOT.mkdir()
# No test of a page needs the compressed files; the browser's tests have a server that collected them.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in a clinic: SQLite in memory knows neither WAL nor two writers.
    DATABASES["default"]["TEST"] = {"NAME": f"{_folder}/test.sqlite3"}
