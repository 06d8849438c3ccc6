"""The entry for a WSGI server such as gunicorn. It starts on a safe database only."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stsclinic.settings")
application = get_wsgi_application()

from django.db import connection  # noqa: E402

from stsclinic.start import refuse_unsafe_database  # noqa: E402

refuse_unsafe_database(connection)
connection.close()
