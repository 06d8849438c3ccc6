"""A log that never holds what was typed: where it went wrong, never with which value."""

import logging
import traceback


class WithoutSentBack(logging.Filter):
    """Leaves out that a sheet was sent back to be completed (422): an answer to a person, no fault of the server."""

    def filter(self, record):
        return getattr(record, "status_code", None) != 422


class QuietFormatter(logging.Formatter):
    """Formats an exception as its type and the places it passed, without its message.

    A database's message quotes the row it refused, which may hold a patient's name.
    """

    def formatException(self, ei):
        kind, _error, trace = ei
        lines = [f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(trace)]
        return "\n".join([kind.__name__, *lines])
