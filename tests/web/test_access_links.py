"""No page links its reader to a 404: every page that a role can reach is read, and its links are followed."""

import datetime
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from sessions_app.models import Protocol
from stsclinic.access import ROLES
from tests.builders import make_assessment, make_lesion, make_patient, make_series, make_session
from tests.web.access_world import Side, make_side, save

pytestmark = pytest.mark.django_db

MOST_PAGES = 400


class Links(HTMLParser):
    """The addresses that a page leads to, and those that its forms send to."""

    def __init__(self):
        super().__init__()
        self.links: set[str] = set()
        self.forms: set[tuple[str, str]] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])
        if tag == "img" and values.get("src"):
            self.links.add(values["src"])
        if tag == "form":
            self.forms.add((values.get("method", "get").lower(), values.get("action", "")))
        for name, value in values.items():
            if name in ("hx-get", "hx-post", "formaction") or name.endswith("-url"):
                self.forms.add(("post" if name != "hx-get" else "get", value or ""))


@pytest.fixture
def side() -> Side:
    """A clinic whose patient also has a trial's series, a stopped series, and a struck-out lesion."""
    side = make_side("own", users=True)
    second, third = make_lesion(side.patient), make_lesion(side.patient)
    trial = make_series(side.patient, [(second, "active"), (third, "control")], "placebo3")
    make_assessment(make_session(trial, datetime.date(2026, 2, 2)), second, pga=2)
    make_series(side.patient, [second], status="stopped", stop_reason="patient_choice")
    make_patient(side.clinic, consented_on=None)
    make_patient(side.clinic, withdrawn_on=datetime.date(2026, 3, 1))
    gone = Protocol.objects.get(pk=side.protocol.pk)
    gone.pk, gone.version, gone._state.adding = None, 2, True
    save(gone)
    make_side("other", users=False)
    return side


@pytest.mark.parametrize("role", ROLES)
def test_whoever_follows_every_link_meets_no_404(role, side):
    client = Client(raise_request_exception=False)
    client.force_login(side.users[role])
    waiting, seen, problems = ["/"], set(), []
    kinds: dict[str, int] = {}
    found_on: dict[str, str] = {}
    while waiting and len(seen) < MOST_PAGES:
        where = waiting.pop(0)
        if where in seen:
            continue
        seen.add(where)
        answer = client.get(where)
        if answer.status_code in (301, 302):
            waiting.append(urljoin(where, answer.headers["Location"]))
            continue
        if answer.status_code != 200:
            problems.append(f"{where}, linked on {found_on.get(where)}, answers {answer.status_code}")
            continue
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        page = Links()
        page.feed(answer.content.decode())
        for link in page.links:
            target = urljoin(where, link)
            if urlsplit(target).netloc or target.startswith(("/static/", "tel:")):
                continue
            target = target.partition("#")[0]
            name = resolve(urlsplit(target).path).url_name
            # Of lists that page without end, some pages of each kind are enough.
            if target not in seen and kinds.setdefault(name, 0) < 40:
                kinds[name] += 1
                waiting.append(target)
                found_on.setdefault(target, where)
        for method, action in page.forms:
            target = urljoin(where, action)
            if client.options(target).status_code == 404 or (
                method == "get" and client.get(target).status_code != 200
            ):
                problems.append(f"a form on {where} sends to {target}")
    assert not problems
    assert len(seen) > 3
    assert len(seen) < MOST_PAGES


def test_every_entry_of_the_menu_leads_somewhere(side):
    for user in side.users.values():
        client = Client()
        client.force_login(user)
        page = client.get("/", follow=True)
        for item in page.context["menu"]:
            assert client.get(item.url).status_code == 200, (user, item)


def test_the_crawl_would_find_a_dead_link(side):
    page = Links()
    page.feed(
        '<a href="/patients/">x</a><form method="post" action="/a/"><img src="/b/"><div data-save-url="/c/">'
    )
    assert page.links == {"/patients/", "/b/"}
    assert page.forms == {("post", "/a/"), ("post", "/c/")}
