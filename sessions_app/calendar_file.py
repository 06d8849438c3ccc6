"""The call list as a calendar: all-day entries with study ID and reason, and nothing of who a patient is.

Source: RFC 5545 (iCalendar): CRLF, lines of at most 75 octets, text with `\\`, `;`, `,` and line ends
escaped, DTEND of an all-day entry the day after.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from stsclinic.clinical.calls import Call

LONGEST_LINE = 75
"""Octets, without the line end."""


def calendar_of(calls: Iterable[Call], written_at: datetime) -> str:
    """The whole file as text with CRLF line ends.

    Args:
        calls: each becomes one entry on its `due_on`.
        written_at: an instant with a time zone.
    """
    stamp = written_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//stsclinic//calls//EN", "CALSCALE:GREGORIAN"]
    for call in calls:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid_of(call)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{call.due_on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{call.due_on + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{escaped(f'Ring {call.patient}: {call.reason}')}",
            "TRANSP:TRANSPARENT",
            "CLASS:CONFIDENTIAL",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def uid_of(call: Call) -> str:
    """Stable for the call, so that a calendar replaces it; tells no key of the database."""
    return f"{sha256(f'{call.patient} {call.key}'.encode()).hexdigest()[:32]}@stsclinic"


def escaped(text: str) -> str:
    """A text value."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return text


def folded(line: str) -> str:
    """A line in pieces of at most 75 octets, each further one after CRLF and a space; no sign is torn."""
    pieces, piece, room = [], "", LONGEST_LINE
    for sign in line:
        width = len(sign.encode())
        if width > room:
            pieces.append(piece)
            # The space that begins a further line counts.
            piece, room = "", LONGEST_LINE - 1
        piece += sign
        room -= width
    return "\r\n ".join([*pieces, piece])
