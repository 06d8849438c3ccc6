"""A log that never holds what was typed: where it went wrong, never with which value."""

import logging
import traceback


class QuietFormatter(logging.Formatter):
    """Formats an exception as its type and the places it passed, without its message.

    A database's message quotes the row it refused, which may hold a patient's name.
    """

    def formatException(self, ei):
        kind, _error, trace = ei
        lines = [f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(trace)]
        return "\n".join([kind.__name__, *lines])
