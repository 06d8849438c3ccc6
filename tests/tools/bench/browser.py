"""One who is signed in and asks the application for pages, without a network between."""

from collections.abc import Callable
from html.parser import HTMLParser
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.middleware.csrf import _get_new_csrf_string
from django.test import RequestFactory

from stsclinic.clinics.models import User

FORM = "application/x-www-form-urlencoded"


class Browser:
    """The cookies of a signed-in user; each request goes through the WSGI application as gunicorn's would."""

    def __init__(self, user: User):
        from stsclinic.wsgi import application

        self._application: Any = application
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        self._token = _get_new_csrf_string()
        self._requests = RequestFactory(
            headers={
                "host": "127.0.0.1",
                "cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key};"
                f" {settings.CSRF_COOKIE_NAME}={self._token}",
            }
        )

    def asking(
        self,
        path: str,
        typed: dict[str, str] | None = None,
        expected: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Callable[[], str]:
        """A request made ready: called, it is sent and gives the page. With `typed` it is a form that is posted.

        Raises (the call):
            RuntimeError: another status than `expected` came back.
        """
        body = b""
        request = self._requests.get(path, headers=headers)
        if typed is not None:
            body = urlencode({"csrfmiddlewaretoken": self._token, **typed}).encode()
            request = self._requests.post(path, body, content_type=FORM, headers=headers)
        environ = request.environ

        def send() -> str:
            said: list[str] = []
            answer = self._application(
                {**environ, "wsgi.input": BytesIO(body)}, lambda line, *_rest: said.append(line)
            )
            try:
                page = b"".join(answer).decode()
            finally:
                answer.close()
            if not said[0].startswith(str(expected)):
                raise RuntimeError(f"{path} answered {said[0]} instead of {expected}:\n{page[:4000]}")
            return page

        return send


class _Fields(HTMLParser):
    """Reads what a browser would send of the form with this id."""

    def __init__(self, form: str):
        super().__init__()
        self._form = form
        self._inside = False
        self._name = ""
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._inside = given.get("id") == self._form
        if not self._inside:
            return
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.values[name] = given.get("value", "on")
        elif tag in ("select", "textarea"):
            self._name = name
            self.values[name] = ""
        elif tag == "option" and "selected" in given:
            self.values[self._name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def fields_of(page: str, form: str) -> dict[str, str]:
    """What a browser would send of the form with the id `form`, before anything is typed."""
    parser = _Fields(form)
    parser.feed(page)
    return parser.values
