"""Signing in and out: throttled, noted, ended."""

import datetime
import re

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from stsclinic.audit.models import Event
from tests.builders import PASSWORD, make_clinic, make_user

pytestmark = pytest.mark.django_db

FIRST_PAGES = {
    "clinician": "today",
    "nurse": "calls",
    "investigator": "patients",
    "observer": "reading_room",
    "data_manager": "patients",
    "administrator": "protocols",
}


@pytest.fixture
def nurse():
    return make_user("nurse", make_clinic(), username="nina")


def try_to_sign_in(client: Client, username: str = "nina", password: str = PASSWORD, **extra):
    return client.post(reverse("login"), {"username": username, "password": password}, **extra)


def events() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("id").values_list("kind", "actor"))


def test_the_root_leads_the_signed_out_to_the_one_form(client):
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [("/sign-in/", 302)]
    page = answer.content.decode()
    assert page.count('type="password"') == 1
    assert 'name="username"' in page
    assert 'name="password"' in page


@pytest.mark.parametrize(("role", "name"), FIRST_PAGES.items())
def test_each_role_begins_at_its_first_page(client, role, name):
    make_user(role, make_clinic(), username="nina")
    answer = try_to_sign_in(client)
    assert answer.headers["Location"] == reverse("home")
    assert client.get("/").headers["Location"] == reverse(name)


def test_one_without_any_role_sees_the_rights_and_can_change_the_password(client):
    make_user("nurse", None, username="nina")
    try_to_sign_in(client)
    assert client.get("/").headers["Location"] == reverse("rights")
    assert client.get(reverse("rights")).status_code == 200
    assert client.get(reverse("password")).status_code == 200
    assert client.get(reverse("patients")).status_code == 404


def test_signing_in_changes_the_session_key_and_is_noted(client, nurse):
    client.get(reverse("login"))
    client.session["planted"] = "by a stranger"
    session = client.session
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    assert try_to_sign_in(client).status_code == 302
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert events() == [("signed_in", "nina")]


def test_it_leads_back_to_where_one_was_going_but_never_to_another_site(client, nurse):
    answer = client.get(reverse("today"))
    assert answer.headers["Location"] == "/sign-in/?next=/today/"
    answer = client.post("/sign-in/", {"username": "nina", "password": PASSWORD, "next": "/today/"})
    assert answer.headers["Location"] == "/today/"
    client.logout()
    answer = client.post(
        "/sign-in/", {"username": "nina", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"


def test_a_failure_is_noted_with_a_known_name_only(client, nurse, caplog):
    try_to_sign_in(client, "nina", "wrong words here")
    try_to_sign_in(client, "Secr3t-typed-in-the-wrong-field", "nina")
    noted = list(Event.objects.order_by("id").values_list("kind", "actor", "detail"))
    assert noted == [
        ("sign_in_failed", "nina", ""),
        ("sign_in_failed", "", "Nobody has the user name that was typed."),
    ]
    kept = " ".join(str(row) for row in AccessAttempt.objects.values_list()) + str(noted) + caplog.text
    assert "Secr3t" not in kept
    assert "wrong words here" not in kept


def test_a_failure_says_nothing_of_whether_the_name_is_known(client, nurse):
    def page(username: str) -> str:
        text = try_to_sign_in(client, username, "wrong words here").content.decode()
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text).replace(username, "NAME")

    assert page("nina") == page("nobody")


def test_after_five_failures_even_the_right_password_is_refused_for_ten_minutes(client, nurse):
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        answers = [try_to_sign_in(client, password="wrong words here").status_code for _ in range(5)]
        assert answers == [200, 200, 200, 200, 429]
        answer = try_to_sign_in(client)
        assert answer.status_code == 429
        assert "Sign-in is paused" in answer.content.decode()
        assert len(events()) == 5, "while it is paused, nothing more is noted"
    with time_machine.travel(start + datetime.timedelta(minutes=9, seconds=55), tick=False):
        assert try_to_sign_in(client).status_code == 429
    with time_machine.travel(start + datetime.timedelta(minutes=10, seconds=5), tick=False):
        assert try_to_sign_in(client).status_code == 302


def test_unknown_names_are_throttled_alike(client):
    answers = [try_to_sign_in(client, "nobody", "wrong words here").status_code for _ in range(6)]
    assert answers[-2:] == [429, 429]


def test_a_stranger_at_another_address_locks_nobody_out(client, nurse):
    for _ in range(6):
        try_to_sign_in(Client(), password="wrong words here", REMOTE_ADDR="203.0.113.9")
    assert try_to_sign_in(client).status_code == 302


def test_whoever_tries_one_password_on_many_names_is_stopped_and_nobody_elsewhere_with_them(client, nurse):
    start, spray = timezone.now(), {"password": "a likely password", "REMOTE_ADDR": "203.0.113.9"}
    with time_machine.travel(start, tick=False):
        answers = [try_to_sign_in(Client(), f"name{n // 2}", **spray).status_code for n in range(60)]
        assert answers == [200] * 59 + [429]
        assert try_to_sign_in(Client(), "never-tried", **spray).status_code == 429
        assert try_to_sign_in(Client(), REMOTE_ADDR="203.0.113.9").status_code == 429
        assert try_to_sign_in(client).status_code == 302
    with time_machine.travel(start + datetime.timedelta(minutes=10, seconds=5), tick=False):
        assert try_to_sign_in(Client(), REMOTE_ADDR="203.0.113.9").status_code == 302


def test_a_clinic_behind_one_address_may_mistype_a_good_deal(nurse):
    for number in range(59):
        try_to_sign_in(Client(), f"colleague{number % 30}", "mistyped words")
    assert try_to_sign_in(Client()).status_code == 302


def test_behind_the_proxy_the_address_is_the_one_that_the_proxy_added(client, nurse, settings):
    settings.BEHIND_PROXY = True
    for spoofed in range(6):
        answer = try_to_sign_in(
            Client(), password="wrong words here", HTTP_X_FORWARDED_FOR=f"10.0.0.{spoofed}, 203.0.113.9"
        )
    assert answer.status_code == 429
    assert try_to_sign_in(client, HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.7").status_code == 302


def test_without_a_proxy_the_header_is_not_believed(nurse):
    for spoofed in range(6):
        answer = try_to_sign_in(
            Client(), password="wrong words here", HTTP_X_FORWARDED_FOR=f"10.0.0.{spoofed}"
        )
    assert answer.status_code == 429


@pytest.mark.parametrize("address", ["not an address", "", "unix:", "1.2.3.4:5", "::1%eth0; DROP"])
def test_an_address_that_is_none_breaks_nothing(client, nurse, settings, address):
    settings.BEHIND_PROXY = True
    assert (
        try_to_sign_in(client, password="wrong words here", HTTP_X_FORWARDED_FOR=address).status_code == 200
    )


@pytest.mark.parametrize("username", ["", "a\0b", "ß" * 5000, "' OR 1=1 --"])
def test_odd_names_are_refused_and_break_nothing(client, username):
    assert try_to_sign_in(client, username).status_code == 200


def test_one_who_was_deactivated_cannot_sign_in_and_is_signed_out_at_once(client, nurse):
    from stsclinic.audit.services import change

    try_to_sign_in(client)
    assert client.get(reverse("password")).status_code == 200
    change(nurse, {"is_active": False}, by="test", seen_version=None, source="command")
    assert client.get(reverse("password")).status_code == 302
    assert try_to_sign_in(client).status_code == 200


def test_signing_out_is_a_post_and_is_noted(client, nurse):
    try_to_sign_in(client)
    assert client.get(reverse("logout")).status_code == 405
    assert client.get(reverse("password")).status_code == 200
    answer = client.post(reverse("logout"))
    assert "You are signed out" in answer.content.decode()
    assert client.get(reverse("password")).status_code == 302
    assert events()[-1] == ("signed_out", "nina")
    client.post(reverse("logout"))
    assert len(events()) == 2, "who was signed out already signs out of nothing"


def test_an_idle_session_ends_and_a_sign_of_life_keeps_it(client, nurse, settings):
    start = timezone.now()
    idle = datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    almost = idle - datetime.timedelta(seconds=5)
    with time_machine.travel(start, tick=False):
        try_to_sign_in(client)
    with time_machine.travel(start + almost, tick=False):
        assert client.post(reverse("keep_alive")).status_code == 204
    with time_machine.travel(start + almost * 2, tick=False):
        assert client.get(reverse("password")).status_code == 200
    with time_machine.travel(start + almost * 2 + idle + datetime.timedelta(seconds=1), tick=False):
        assert client.post(reverse("keep_alive")).status_code == 302
        assert client.get(reverse("password")).status_code == 302


def test_a_busy_session_ends_after_twelve_hours(client, nurse):
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        try_to_sign_in(client)
    for minutes in range(0, 12 * 60, 10):
        with time_machine.travel(start + datetime.timedelta(minutes=minutes), tick=False):
            assert client.post(reverse("keep_alive")).status_code == 204
    with time_machine.travel(start + datetime.timedelta(hours=12, seconds=1), tick=False):
        assert client.get(reverse("password")).status_code == 302
        assert events()[-1] == ("signed_out", "nina")


def test_keep_alive_is_no_get(client, nurse):
    try_to_sign_in(client)
    assert client.get(reverse("keep_alive")).status_code == 405


def test_forms_without_their_token_are_refused(nurse):
    strict = Client(enforce_csrf_checks=True)
    assert try_to_sign_in(strict).status_code == 403
    assert strict.post(reverse("logout")).status_code == 403


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(client, nurse):
    other = Client()
    try_to_sign_in(client)
    try_to_sign_in(other)
    new = "another long passphrase"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post(reverse("password"), typed).status_code == 302
    assert client.get(reverse("password")).status_code == 200
    assert other.get(reverse("password")).status_code == 302
    nurse.refresh_from_db()
    assert nurse.check_password(new)


@pytest.mark.parametrize(
    "typed",
    [
        {
            "old_password": "wrong words here",
            "new_password1": "another long phrase",
            "new_password2": "another long phrase",
        },
        {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"},
        {
            "old_password": PASSWORD,
            "new_password1": "another long phrase",
            "new_password2": "yet another phrase",
        },
        {"old_password": PASSWORD, "new_password1": "123456789012", "new_password2": "123456789012"},
    ],
)
def test_a_wrong_or_weak_password_changes_nothing(client, nurse, typed):
    try_to_sign_in(client)
    answer = client.post(reverse("password"), typed)
    assert answer.status_code == 200
    assert "data-error-summary" in answer.content.decode()
    nurse.refresh_from_db()
    assert nurse.check_password(PASSWORD)


def test_passwords_hash_with_argon2(nurse):
    assert nurse.password.startswith("argon2$argon2id$")


def test_what_the_signed_in_see_is_kept_by_no_browser(client, nurse):
    try_to_sign_in(client)
    assert "no-store" in client.get(reverse("rights")).headers["Cache-Control"]


def test_every_page_carries_the_headers_that_protect_it(client, nurse):
    try_to_sign_in(client)
    headers = client.get(reverse("rights")).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
