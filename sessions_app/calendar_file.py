"""The call list as a calendar: all-day entries by study ID. Whoever keeps the calendar learns no reason, since
that would tell of the patient's health; the reason stands on the page.

Source: RFC 5545 (iCalendar): CRLF, lines of at most 75 octets, text with `\\`, `;`, `,` and line ends
escaped, DTEND of an all-day entry the day after.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.utils.crypto import salted_hmac

from stsclinic.clinical.calls import Call

LONGEST_LINE = 75
"""Octets, without the line end."""


def calendar_of(calls: Iterable[Call], written_at: datetime) -> str:
    """The whole file as text with CRLF line ends.

    Args:
        calls: those of one patient on one day become one entry, named after the first of them.
        written_at: an instant with a time zone.
    """
    stamp = written_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//stsclinic//calls//EN", "CALSCALE:GREGORIAN"]
    first: dict[tuple, Call] = {}
    for call in calls:
        first.setdefault((call.due_on, call.patient), call)
    for call in first.values():
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid_of(call)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{call.due_on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{call.due_on + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{escaped(f'Ring {call.patient}')}",
            "TRANSP:TRANSPARENT",
            "CLASS:CONFIDENTIAL",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def uid_of(call: Call) -> str:
    """Stable for the call, so that a calendar replaces it; it cannot be guessed what it stands for."""
    return f"{salted_hmac('stsclinic.calls', f'{call.patient} {call.key}').hexdigest()[:32]}@stsclinic"


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
