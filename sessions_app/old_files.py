"""Exports older than a day and uploads older than an hour go while the server runs, and when it starts again."""

import logging
import threading
import time
from datetime import timedelta

from django.db import connection

from sessions_app import export_jobs, waiting_uploads

EVERY = timedelta(minutes=10)
"""So much longer than promised may a file stay."""

log = logging.getLogger(__name__)


def remove_old_files() -> None:
    """Remove what was kept long enough. What cannot be removed now is logged, and tried again next time."""
    for remove in (waiting_uploads.forget_old, export_jobs.remove_old):
        try:
            remove()
        except Exception:
            log.exception("Old files could not be removed.")
    connection.close()


def keep_removing() -> None:
    """Remove old files at once and every ten minutes, beside the work of this process, until it ends."""

    def run() -> None:
        while True:
            remove_old_files()
            time.sleep(EVERY.total_seconds())

    threading.Thread(target=run, name="old files", daemon=True).start()
