"""Every URL declares its right, and the middleware refuses one that does not."""

import pytest
from django.http import Http404, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from stsclinic.access import RIGHTS, ROLES, AccessMiddleware, clinics_where, may, public, require
from stsclinic.clinics.models import Membership
from tests.builders import make_clinic
from tests.web.access_world import make_person, save


def patterns(resolver=None) -> list[URLPattern]:
    """Every address of the project."""
    found = []
    for entry in (resolver or get_resolver("stsclinic.urls")).url_patterns:
        found += patterns(entry) if isinstance(entry, URLResolver) else [entry]
    return found


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
def test_every_url_has_a_name_and_declares_its_right(pattern):
    assert pattern.name
    assert getattr(pattern.callback, "right", None) in {*RIGHTS, "public"}


def test_only_these_are_open_to_the_signed_out():
    assert {p.name for p in patterns() if p.callback.right == "public"} == {
        "home",
        "login",
        "logout",
        "score",
        "signed_in",
    }


def test_no_name_is_given_twice():
    names = [pattern.name for pattern in patterns()]
    assert len(names) == len(set(names))


def undeclared(request):
    return HttpResponse("open door")


@pytest.mark.parametrize("debug", [True, False])
def test_a_view_that_declares_nothing_is_refused_to_everybody(settings, debug):
    settings.DEBUG = debug
    middleware = AccessMiddleware(lambda request: HttpResponse())
    with pytest.raises(Http404):
        middleware.process_view(None, undeclared, (), {})
    assert middleware.process_view(None, require("see_report")(undeclared), (), {}) is None
    assert middleware.process_view(None, public(lambda request: HttpResponse()), (), {}) is None
    assert "stsclinic.access.AccessMiddleware" in settings.MIDDLEWARE


def test_a_right_that_does_not_exist_cannot_be_required():
    with pytest.raises(KeyError):
        require("see_everything")


@pytest.mark.django_db
def test_a_right_holds_in_the_clinic_of_the_role_only():
    own, other = make_clinic(), make_clinic()
    nurse = make_person("nina", "nurse", own)
    save(Membership(user=nurse, clinic=other, role="investigator"))
    assert clinics_where(nurse, "see_identity") == {own.pk}
    assert clinics_where(nurse, "see_patients") == {own.pk, other.pk}
    assert may(nurse, "see_identity", own.pk)
    assert not may(nurse, "see_identity", other.pk)
    assert not may(nurse, "see_allocation")


@pytest.mark.django_db
def test_one_who_is_deactivated_has_no_right():
    clinic = make_clinic()
    nurse = make_person("nina", "nurse", clinic)
    nurse.is_active = False
    assert clinics_where(nurse, "see_patients") == frozenset()
    assert not may(nurse, "be_signed_in")


@pytest.mark.django_db
def test_the_rights_page_shows_the_table_and_marks_the_readers_own_roles(client):
    nurse = make_person("nina", "nurse", make_clinic())
    client.force_login(nurse)
    page = client.get(reverse("rights")).content.decode()
    for right in RIGHTS.values():
        assert right.words.replace("'", "&#x27;") in page
    assert page.count("Your role") == 1
    assert page.count("<strong>Yes</strong>") == sum("nurse" in right.roles for right in RIGHTS.values())
    assert len(ROLES) == 6
