"""Signing in: from where it is counted, under which name a failure is kept, and when a session ends."""

import ipaddress
from collections.abc import Callable
from functools import wraps

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from django.utils.crypto import salted_hmac

from stsclinic.audit.services import note_event
from stsclinic.clinics.models import User

SIGNED_IN_AT = "signed_in_at"
"""Where a session keeps when it began, in seconds since 1970."""


def client_address(request) -> str | None:
    """The address that an attempt comes from, or None where it is not known.

    Behind the proxy it is the last entry of X-Forwarded-For: the one that our own proxy added. Those
    before it are whatever the stranger wrote.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def known_user_name(name: str) -> str:
    """`name` where a user bears it, else an empty text."""
    # PostgreSQL refuses the character 0 in any text.
    return name if "\0" not in name and User.objects.filter(username=name).exists() else ""


def counted_name(request, credentials: dict | None = None) -> str:
    """The name under which failed attempts are counted.

    A name that nobody bears may be a password typed into the wrong field: it is kept as a digest only.
    """
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    return known_user_name(name) or "unknown " + salted_hmac("stsclinic.sign-in", name).hexdigest()[:32]


class SignInThrottle(AxesDatabaseHandler):
    """Pauses a name at an address after a few failures, and an address after many, whatever the names.

    The second stops whoever tries one likely password on every colleague in turn.
    """

    def get_failures(self, request, credentials: dict | None = None) -> int:
        """The failures that count against the limit of a name, or that limit where the address is paused."""
        address = client_address(request)
        if address is not None:
            since = timezone.now() - settings.AXES_COOLOFF_TIME
            recent = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)
            failures = recent.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
            if failures >= settings.SIGN_IN_FAILURES_PER_ADDRESS:
                return settings.AXES_FAILURE_LIMIT
        return super().get_failures(request, credentials)


class SessionEndMiddleware:
    """End a session a working day after it began, however busy it was; the idle end is the cookie's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            began = request.session.setdefault(SIGNED_IN_AT, now)
            if now - began >= settings.SESSION_LONGEST.total_seconds():
                note_event(
                    "signed_out", by=request.user.username, detail="The longest time of a session was over."
                )
                logout(request)
        return self.get_response(request)


def no_sign_of_life(view: Callable) -> Callable:
    """Declare that a page asks for this view by itself: it does not put off the end of an idle session."""

    @wraps(view)
    def asked_by_itself(request, *args, **kwargs):
        request.is_no_sign_of_life = True
        return view(request, *args, **kwargs)

    return asked_by_itself


def renew(request) -> None:
    """Let the idle time of the session begin anew in the transaction of the caller, which then is the only one.

    Raises:
        SessionInterrupted: the session was ended meanwhile; the transaction must not stand.
    """
    if request.session.modified:
        return
    ends_at = request.session.get_expiry_date()
    # By hand: it is asked with each field that somebody types on a sheet, see sessions_app.draft_saving.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_session SET expire_date = %s WHERE session_key = %s",
            [connection.ops.adapt_datetimefield_value(ends_at), request.session.session_key],
        )
        is_there = cursor.rowcount
    if not is_there:
        raise SessionInterrupted("The session was ended while the request was answered.")
    request.is_session_renewed = True


class IdleSessionMiddleware(SessionMiddleware):
    """Saves the session with each request, so that its idle time begins anew.

    But for `no_sign_of_life`, and after `renew`.
    """

    def process_response(self, request, response):
        is_left_alone = getattr(request, "is_no_sign_of_life", False) or getattr(
            request, "is_session_renewed", False
        )
        if is_left_alone and not request.session.modified:
            return response
        return super().process_response(request, response)
