"""Users, roles and clinics: made, changed with history, never deleted, and only within one's own clinics."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from stsclinic.audit.models import Change
from stsclinic.audit.services import StaleRecord
from stsclinic.clinics.models import Clinic, Membership, User
from stsclinic.clinics.services import change_user, create_user, fields_of, made_up_password, roles_of
from tests.builders import make_clinic
from tests.web.access_world import make_person, save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clinic():
    return make_clinic("aarhus")


@pytest.fixture
def boss(clinic):
    return make_person("boss", "administrator", clinic)


@pytest.fixture
def nina(clinic):
    return make_person("nina", "nurse", clinic)


@pytest.fixture
def web(client, boss):
    client.force_login(boss)
    return client


def as_shown(web, url: str) -> dict:
    """What a browser would send back of a user's page."""
    form = web.get(url).context["form"]
    shown = {bound.name: bound.value() for bound in form}
    return {name: value for name, value in shown.items() if value not in (None, False, [])}


def history(row) -> list[tuple[str, str, str]]:
    table = type(row)._meta.db_table
    return list(
        Change.objects.filter(table_name=table, row_id=row.pk).values_list("action", "actor", "source")
    )


def test_a_user_is_made_with_a_password_that_is_shown_once(web, clinic, client):
    typed = {"username": "newcomer", "first_name": "New", f"roles_{clinic.pk}": ["nurse", "clinician"]}
    answer = web.post(reverse("user_new"), typed)
    assert answer.status_code == 200
    made = User.objects.get(username="newcomer")
    password = answer.context["password"]
    assert f'<code class="code" data-password>{password}</code>' in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert made.check_password(password)
    assert roles_of(made, [clinic.pk]) == {(clinic.pk, "nurse"), (clinic.pk, "clinician")}
    assert history(made) == [("created", "boss", "page")]
    kept = " ".join(str(change.new) for change in Change.objects.all())
    assert password not in kept
    assert made.password not in kept
    assert password not in web.get(reverse("user", args=[made.pk])).content.decode()
    client.logout()
    assert client.post(reverse("login"), {"username": "newcomer", "password": password}).status_code == 302


def test_made_up_passwords_are_long_and_differ():
    made = {made_up_password() for _ in range(200)}
    assert len(made) == 200
    assert {len(password) for password in made} == {23}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"username": "fresh"}, "Give at least one role"),
        ({"username": "NINA", "roles": ["nurse"]}, "This user name is taken"),
        ({"username": "two words", "roles": ["nurse"]}, "Enter a valid username"),
        ({"username": "", "roles": ["nurse"]}, "This field is required"),
        ({"username": "fresh", "email": "nowhere", "roles": ["nurse"]}, "Enter a valid email"),
        ({"username": "fresh", "roles": ["emperor"]}, "not one of the available choices"),
    ],
)
def test_a_user_that_is_not_right_is_not_made_and_nothing_typed_is_lost(web, clinic, nina, typed, sentence):
    users, memberships = User.objects.count(), Membership.objects.count()
    posted = {f"roles_{clinic.pk}" if name == "roles" else name: value for name, value in typed.items()}
    answer = web.post(reverse("user_new"), posted)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert sentence in page
    assert "data-error-summary" in page
    assert f'value="{typed["username"]}"' in page or not typed["username"]
    assert (User.objects.count(), Membership.objects.count()) == (users, memberships)


def test_roles_are_given_and_taken_with_history(web, clinic, nina):
    url = reverse("user", args=[nina.pk])
    taken = nina.memberships.get()
    typed = as_shown(web, url) | {f"roles_{clinic.pk}": ["clinician"]}
    assert web.post(url, typed).status_code == 302
    assert roles_of(nina, [clinic.pk]) == {(clinic.pk, "clinician")}
    assert history(taken) == [("created", "test", "command"), ("removed", "boss", "page")]
    assert history(nina.memberships.get()) == [("created", "boss", "page")]


def test_a_name_is_changed_with_history(web, nina):
    url = reverse("user", args=[nina.pk])
    assert web.post(url, as_shown(web, url) | {"last_name": "Olesen"}).status_code == 302
    change = Change.objects.filter(table_name="clinics_user", row_id=nina.pk).last()
    assert (change.old["last_name"], change.new["last_name"], change.actor) == ("", "Olesen", "boss")


def test_one_who_left_is_kept_from_signing_in_and_stays_in_the_list(web, nina):
    url = reverse("user", args=[nina.pk])
    typed = as_shown(web, url)
    del typed["is_active"]
    assert web.post(url, typed).status_code == 302
    nina.refresh_from_db()
    assert not nina.is_active
    assert "nina" in web.get(reverse("users")).content.decode()


def test_the_last_role_is_not_taken_away(web, clinic, nina):
    url = reverse("user", args=[nina.pk])
    typed = as_shown(web, url)
    del typed[f"roles_{clinic.pk}"]
    answer = web.post(url, typed)
    assert "A user keeps at least one role" in answer.content.decode()
    assert roles_of(nina, [clinic.pk]) == {(clinic.pk, "nurse")}


def test_nobody_takes_away_the_last_role_of_administrator_of_a_clinic(web, clinic, boss):
    url = reverse("user", args=[boss.pk])
    typed = as_shown(web, url) | {f"roles_{clinic.pk}": ["nurse"]}
    assert "this clinic has no other" in web.post(url, typed).content.decode()
    make_person("second", "administrator", clinic)
    assert "your own last role of administrator" in web.post(url, typed).content.decode()
    assert roles_of(boss, [clinic.pk]) == {(clinic.pk, "administrator")}
    other = make_clinic("lund")
    save(Membership(user=boss, clinic=other, role="administrator"))
    typed = as_shown(web, url) | {f"roles_{clinic.pk}": ["nurse"]}
    assert web.post(url, typed).status_code == 302
    assert roles_of(boss, [clinic.pk, other.pk]) == {(clinic.pk, "nurse"), (other.pk, "administrator")}


def test_nobody_is_the_only_administrator_when_the_other_cannot_sign_in(web, clinic, boss):
    second = make_person("second", "administrator", clinic)
    second.is_active = False
    save(second)
    url = reverse("user", args=[boss.pk])
    typed = as_shown(web, url) | {f"roles_{clinic.pk}": ["nurse"]}
    assert "this clinic has no other" in web.post(url, typed).content.decode()


def test_nobody_shuts_oneself_out(web, boss):
    url = reverse("user", args=[boss.pk])
    typed = as_shown(web, url)
    del typed["is_active"]
    assert "You cannot keep yourself from signing in" in web.post(url, typed).content.decode()


def test_a_colleagues_change_is_shown_with_both_values_and_nothing_is_lost(web, clinic, nina):
    url = reverse("user", args=[nina.pk])
    typed = as_shown(web, url) | {"last_name": "Mine", f"roles_{clinic.pk}": ["clinician", "nurse"]}
    nina.last_name = "Theirs"
    save(nina)
    save(Membership(user=nina, clinic=clinic, role="investigator"))
    answer = web.post(url, typed)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Somebody else changed this" in page
    assert {(row["theirs"], row["yours"]) for row in answer.context["theirs"]} == {
        ("Theirs", "Mine"),
        ("Nurse, Investigator", "Clinician, Nurse"),
    }
    assert 'value="Mine"' in page
    nina.refresh_from_db()
    assert nina.last_name == "Theirs"
    again = typed | {"seen": answer.context["form"]["seen"].value()}
    assert web.post(url, again).status_code == 302
    nina.refresh_from_db()
    assert nina.last_name == "Mine"
    assert roles_of(nina, [clinic.pk]) == {(clinic.pk, "clinician"), (clinic.pk, "nurse")}


@pytest.mark.parametrize("seen", ["", "[]", "{}", "[1, 2]", '[{}, [["x", "nurse"]]]', "\x00", "[" * 5000])
def test_a_hidden_field_that_was_tampered_with_writes_nothing(web, nina, seen):
    url = reverse("user", args=[nina.pk])
    answer = web.post(url, as_shown(web, url) | {"last_name": "X", "seen": seen})
    assert answer.status_code == 200
    nina.refresh_from_db()
    assert nina.last_name == ""


class TestOneWhoWorksInTwoClinics:
    """An administrator of one clinic must not reach into the other through a person of both."""

    @pytest.fixture
    def both(self, nina):
        save(Membership(user=nina, clinic=make_clinic("lund"), role="clinician"))
        return nina

    def test_only_the_roles_at_home_are_shown_and_changed(self, web, clinic, both):
        url = reverse("user", args=[both.pk])
        page = web.get(url).content.decode()
        assert "also works in a clinic where you are no administrator" in page
        assert "Lund" not in page
        typed = as_shown(web, url)
        assert set(typed) == {"seen", f"roles_{clinic.pk}"}
        del typed[f"roles_{clinic.pk}"]
        assert web.post(url, typed | {"last_name": "X", "is_active": ""}).status_code == 302
        both.refresh_from_db()
        assert both.is_active
        assert both.last_name == ""
        assert [row.clinic.code for row in both.memberships.all()] == ["lund"]
        assert web.get(url).status_code == 404, "the user has no role here any more"

    def test_the_password_is_not_theirs_to_set(self, web, both):
        before = both.password
        answer = web.post(reverse("user_password", args=[both.pk]), follow=True)
        assert "also works in a clinic where you are no administrator" in answer.content.decode()
        both.refresh_from_db()
        assert both.password == before

    def test_the_service_refuses_too(self, boss, clinic, both):
        values = {"is_active": False}
        held = roles_of(both, [clinic.pk])
        with pytest.raises(ValidationError, match="also works"):
            change_user(
                both, values=values, roles=held, seen=(fields_of(both, values), held), administrator=boss
            )
        foreign = held | {(Clinic.objects.get(code="lund").pk, "nurse")}
        with pytest.raises(ValidationError, match="not yours to give"):
            change_user(both, values={}, roles=foreign, seen=({}, held), administrator=boss)


def test_a_new_password_ends_the_users_sessions(web, nina, client):
    from django.test import Client

    theirs = Client()
    theirs.force_login(nina)
    assert theirs.get(reverse("password")).status_code == 200
    answer = web.post(reverse("user_password", args=[nina.pk]))
    nina.refresh_from_db()
    assert nina.check_password(answer.context["password"])
    assert theirs.get(reverse("password")).status_code == 302


def test_users_are_never_deleted(nina):
    from django.db import IntegrityError, transaction

    from stsclinic.audit.acting import acting

    with pytest.raises(IntegrityError), acting(by="test", source="command"), transaction.atomic():
        User.objects.filter(pk=nina.pk).delete()


def test_a_service_refuses_a_user_without_a_role_and_a_weak_password(clinic):
    with pytest.raises(ValidationError, match="at least one role"):
        create_user(username="x", roles=frozenset(), by="test")
    with pytest.raises(ValidationError, match="too short"):
        create_user(username="x", roles=frozenset({(clinic.pk, "nurse")}), password="short", by="test")
    assert not User.objects.filter(username="x").exists()


def test_the_list_pages_by_name_with_a_fixed_number_of_queries(web, clinic, django_assert_max_num_queries):
    for number in range(120):
        make_person(f"user{number:03}", "nurse", clinic)
    with django_assert_max_num_queries(12):
        first = web.get(reverse("users"))
    names = [row.username for row in first.context["rows"]]
    assert len(names) == 100
    second = web.get(reverse("users"), {"after": names[-1]})
    assert len(names) + len(second.context["rows"]) == User.objects.count()
    assert set(names).isdisjoint(row.username for row in second.context["rows"])
    assert "No users from here on" in web.get(reverse("users"), {"after": "zzz"}).content.decode()


def test_a_clinic_is_made_by_its_first_administrator(web, boss):
    typed = {"code": "lund", "name": "Lund", "time_zone": "Europe/Stockholm"}
    assert web.post(reverse("clinic_new"), typed).status_code == 302
    made = Clinic.objects.get(code="lund")
    assert roles_of(boss, [made.pk]) == {(made.pk, "administrator")}
    assert web.get(reverse("clinic", args=[made.pk])).status_code == 200


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"code": "aarhus"}, "already exists"),
        ({"code": "Not A Slug"}, "Small letters"),
        ({"time_zone": "Mars/Base"}, "not one of the available choices"),
        ({"name": ""}, "This field is required"),
        ({"closed_weekdays": [*"0123456"]}, "open on at least one day of the week"),
        ({"closed_weekdays": ["7"]}, "not one of the available choices"),
    ],
)
def test_a_clinic_that_is_not_right_is_not_made(web, clinic, typed, sentence):
    right = {"code": "lund", "name": "Lund", "time_zone": "Europe/Stockholm"}
    answer = web.post(reverse("clinic_new"), right | typed)
    assert sentence in answer.content.decode()
    assert Clinic.objects.count() == 1


def test_a_clinic_is_renamed_but_keeps_its_code(web, clinic):
    url = reverse("clinic", args=[clinic.pk])
    assert web.post(url, as_shown(web, url) | {"name": "Aarhus N", "code": "other"}).status_code == 302
    clinic.refresh_from_db()
    assert (clinic.name, clinic.code) == ("Aarhus N", "aarhus")
    assert history(clinic)[-1] == ("changed", "boss", "page")


def test_a_clinic_says_on_which_weekdays_it_is_closed(web, clinic):
    url = reverse("clinic", args=[clinic.pk])
    assert clinic.closed_weekdays == [5, 6]
    assert web.post(url, as_shown(web, url) | {"closed_weekdays": ["6", "2"]}).status_code == 302
    clinic.refresh_from_db()
    assert clinic.closed_weekdays == [2, 6]
    assert web.get(url).context["form"]["closed_weekdays"].value() == [2, 6]
    typed = as_shown(web, url) | {"closed_weekdays": []}
    clinic.closed_weekdays = [4]
    save(clinic)
    answer = web.post(url, typed)
    assert [(row["theirs"], row["yours"]) for row in answer.context["theirs"]] == [("Friday", "None")]


@pytest.mark.parametrize("days", [[7], [-1], ["5"], [True], "56", [*range(7)], [0.5]])
def test_what_is_no_list_of_weekdays_is_refused(clinic, days):
    clinic.closed_weekdays = days
    with pytest.raises(ValidationError):
        clinic.full_clean()


def test_two_who_change_a_clinic_see_each_other(web, clinic):
    url = reverse("clinic", args=[clinic.pk])
    typed = as_shown(web, url) | {"name": "Mine"}
    clinic.name = "Theirs"
    save(clinic)
    answer = web.post(url, typed)
    assert [(row["theirs"], row["yours"]) for row in answer.context["theirs"]] == [("Theirs", "Mine")]
    assert web.post(url, typed | {"seen": answer.context["form"]["seen"].value()}).status_code == 302


def test_a_stale_change_raises(boss, clinic, nina):
    with pytest.raises(StaleRecord):
        change_user(nina, values={}, roles=frozenset(), seen=({}, frozenset()), administrator=boss)
