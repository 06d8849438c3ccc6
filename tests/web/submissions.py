"""What the tests of careless and hostile submissions share.

For each form: SUBMISSIONS examples, at least VALID of them saved and read back equal; never a 500; a refused
one leaves the database as it was. PostgreSQL gets the same pages again, and fewer of them.
"""

import datetime
import os
from collections.abc import Callable

from django import forms
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stsclinic.audit.models import Change

SUBMISSIONS, VALID = (150, 30) if os.environ.get("TEST_DATABASE_URL") else (500, 100)
MANY = settings(
    max_examples=SUBMISSIONS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)

FORMS_TRIED: set[type[forms.BaseForm]] = set()
"""The forms to which `many` sends submissions, of the test modules that are imported."""


def many(form: type[forms.BaseForm] | None, strategy) -> Callable:
    """Send SUBMISSIONS of `strategy` to pages with this form, or to one that reads its fields by itself."""
    if form is not None:
        FORMS_TRIED.add(form)
    return lambda submit: MANY(given(strategy)(submit))


NASTY = st.sampled_from(
    (
        "",
        " ",
        "\x00",
        "1.000,5",
        "1,000",
        "0,55",
        "-1",
        "1e9",
        "NaN",
        "Infinity",
        "٣",
        "9" * 400,
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "../../etc/passwd",
        "\r\nSet-Cookie: a=b",
        "\u202e",
        "2026-02-30",
        "0000-00-00",
        "99999-01-01",
        "None",
        "null",
        "on",
        "{{ 7 * 7 }}",
        "😀" * 50,
        "=1+1",
    )
)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=30
)
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=80)
CODES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,12}\Z")
PAST = st.dates(datetime.date(1990, 1, 1), datetime.date(2026, 1, 1)).map(str)


def maybe(strategy):
    return st.one_of(st.just(""), strategy)


def a_code(vocabulary):
    return st.sampled_from(sorted(vocabulary))


def partial_dates(low: int, high: int):
    return st.dates(datetime.date(low, 1, 1), datetime.date(high, 12, 31)).flatmap(
        lambda day: st.sampled_from((f"{day:%Y}", f"{day:%Y-%m}", f"{day:%Y-%m-%d}"))
    )


def spoiled(valid: dict):
    """Mostly as it should be; else one to three entries are left out or replaced by anything."""

    @st.composite
    def submission(draw):
        data = draw(st.fixed_dictionaries(valid))
        if draw(st.sampled_from((True, True, False))):
            return data
        for name in draw(st.lists(st.sampled_from(sorted(data)), min_size=1, max_size=3)):
            bad = draw(st.one_of(st.none(), NASTY, ANY_TEXT, st.lists(NASTY, max_size=3)))
            if bad is None:
                data.pop(name, None)
            else:
                data[name] = bad
        return data

    return submission()


FORMS_OF_PAGES = ("form", "undo", "observation", "sponsor", "export_form", "import_form")
SENTENCES_OF_PAGES = ("is_conflict", "theirs", "problems", "problem", "error")
"""Under which names pages show why nothing was saved."""


def says_why(response) -> bool:
    """Whether the page tells why nothing was saved."""
    found = [response.context.get(name) for name in FORMS_OF_PAGES]
    return any(getattr(form, "errors", None) for form in found) or any(
        response.context.get(name) not in (None, "", False) for name in SENTENCES_OF_PAGES
    )


def led_on(response) -> bool:
    """Whether the answer leads on, as most pages do when something was saved."""
    return response.status_code == 302


class Tried:
    """Counts what was saved, undoes each submission, and holds what every form promises."""

    def __init__(self, client):
        self.client, self.saved = client, 0

    def post(self, url: str, data: dict, check: Callable, *, is_saved: Callable = led_on) -> None:
        """Send; when it was saved, `check` compares what is read back. `is_saved` tells by the response."""
        before = Change.objects.count()
        with transaction.atomic():
            response = self.client.post(url, data)
            # 404 is the answer to what the person may not see, such as another clinic's protocol.
            assert response.status_code in (200, 302, 404), response.status_code
            if is_saved(response):
                self.saved += 1
                check()
            else:
                assert Change.objects.count() == before
                assert response.status_code == 404 or says_why(response)
            transaction.set_rollback(True)

    def enough(self) -> None:
        """Hold that enough of what was sent was valid."""
        assert self.saved >= VALID, f"only {self.saved} submissions were valid"


def typed(data: dict, name: str) -> str:
    """What the server reads of a field: the last value, without spaces around it."""
    value = data.get(name, "")
    value = value[-1] if isinstance(value, list) and value else value
    return str(value or "").strip()


def ticked(data: dict, name: str) -> bool:
    """Whether a box is sent as ticked: with any value but none and false, also a blank or a zero, as browsers may."""
    value = data.get(name, "")
    value = value[-1] if isinstance(value, list) and value else value
    return str(value or "").lower() not in ("", "false")


YES_NO = {"yes": True, "no": False, "": None}
