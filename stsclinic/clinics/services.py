"""How clinics, users and their roles come to change. A user is deactivated, never deleted."""

import secrets
from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from stsclinic.access import ROLES, clinics_where
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord, change, note_event, write_new
from stsclinic.clinical.calls import USUALLY_CLOSED
from stsclinic.clinics.models import Clinic, Membership, User
from stsclinic.clinics.selectors import manages_wholly

READABLE_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper."""

USER_FIELDS = ("first_name", "last_name", "email", "is_active")
CLINIC_FIELDS = ("name", "time_zone", "country", "closed_weekdays")

Roles = frozenset[tuple[int, str]]
"""Roles as (clinic id, role) pairs."""


def made_up_password() -> str:
    """A password that can be read aloud: four groups of five characters, 99 bits."""
    return "-".join("".join(secrets.choice(READABLE_CHARACTERS) for _ in range(5)) for _ in range(4))


def roles_of(user: User, clinics) -> Roles:
    """The user's roles in these clinics (ids)."""
    return frozenset(user.memberships.filter(clinic__in=clinics).values_list("clinic_id", "role"))


def create_user(
    *,
    username: str,
    roles: Roles,
    by: str,
    password: str = "",
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    source: str = "page",
) -> tuple[User, str]:
    """Make a user with roles. Without a password one is made up.

    Returns:
        The user, and the password, to be shown once and kept nowhere.

    Raises:
        ValidationError: the name is taken or not valid, the password is weak, or there is no role.
    """
    if not roles:
        raise ValidationError("Give at least one role: without one, nobody could manage this user.")
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": "This user name is taken."})
    user = User(username=username, first_name=first_name, last_name=last_name, email=email)
    if password:
        validate_password(password, user)
    password = password or made_up_password()
    user.set_password(password)
    with acting(by=by, source=source):
        write_new(user, by=by, source=source)
        for clinic_id, role in sorted(roles):
            write_new(Membership(user=user, clinic_id=clinic_id, role=role), by=by, source=source)
    return user, password


def change_user(
    user: User,
    *,
    values: dict,
    roles: Roles,
    seen: tuple[dict, Roles],
    administrator: User,
    source: str = "page",
) -> User:
    """Change a user's own fields (USER_FIELDS), and the roles in the administrator's clinics.

    Args:
        values: the wanted fields; empty where the administrator manages only some of the user's clinics.
        roles: the wanted roles in the clinics where `administrator` is one; others stay as they are.
        seen: the fields and roles that the administrator saw.

    Raises:
        StaleRecord: somebody changed the user in between; nothing was written.
        ValidationError: the change is refused; nothing was written.
    """
    by = administrator.username
    clinics = clinics_where(administrator, "manage_users")
    if any(clinic_id not in clinics or role not in ROLES for clinic_id, role in roles):
        raise ValidationError("These roles are not yours to give.")
    with acting(by=by, source=source):
        # All changes of roles wait for each other: two administrators must not take each other's
        # role at the same moment and leave a clinic without any.
        list(Clinic.objects.select_for_update().filter(pk__in=clinics).order_by("pk"))
        now = User.objects.select_for_update().get(pk=user.pk)
        held = roles_of(now, clinics)
        if seen != (fields_of(now, values), held):
            raise StaleRecord(now)
        if values and not manages_wholly(administrator, now):
            raise ValidationError("This user also works in a clinic where you are no administrator.")
        _refuse_lost_administrator(now, administrator, values, held - roles)
        for clinic_id, role in sorted(roles - held):
            write_new(Membership(user=now, clinic_id=clinic_id, role=role), by=by, source=source)
        for clinic_id, role in sorted(held - roles):
            now.memberships.get(clinic_id=clinic_id, role=role).delete()
        if not now.memberships.exists():
            raise ValidationError(
                "A user keeps at least one role. One who left is kept from signing in instead."
            )
        return change(now, values, by=by, seen_version=None, source=source)


def fields_of(user: User, names) -> dict:
    """The values of these fields of a user."""
    return {name: getattr(user, name) for name in names}


def _refuse_lost_administrator(user: User, administrator: User, values: dict, removed: Roles) -> None:
    if user == administrator and values.get("is_active") is False:
        raise ValidationError("You cannot keep yourself from signing in.")
    for clinic_id, role in removed:
        if role != "administrator" or user != administrator:
            continue
        others = Membership.objects.filter(clinic=clinic_id, role=role, user__is_active=True).exclude(
            user=user
        )
        if not others.exists():
            raise ValidationError(
                "You cannot take away your own role of administrator: this clinic has no other."
            )
        if user.memberships.filter(role=role).count() <= len([r for _c, r in removed if r == role]):
            raise ValidationError("You cannot take away your own last role of administrator.")


def set_new_password(user: User, *, administrator: User) -> str:
    """Give a user a made-up password, which ends the user's sessions. Shown once, kept nowhere.

    Raises:
        ValidationError: the user also works where `administrator` is none.
    """
    if not manages_wholly(administrator, user):
        raise ValidationError("This user also works in a clinic where you are no administrator.")
    password = made_up_password()
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        note_event("password_set", by=administrator.username, detail=user.username)
    return password


@transaction.atomic
def create_clinic(
    *,
    code: str,
    name: str,
    time_zone: str,
    administrator: User,
    country: str = "",
    closed_weekdays: Sequence[int] = USUALLY_CLOSED,
    source: str = "page",
) -> Clinic:
    """Make a clinic. Who makes it is its first administrator, since nobody else could manage it.

    Raises:
        ValidationError: the code is taken or a value is not valid.
    """
    by = administrator.username
    clinic = write_new(
        Clinic(
            code=code,
            name=name,
            time_zone=time_zone,
            country=country,
            closed_weekdays=list(closed_weekdays),
        ),
        by=by,
        source=source,
    )
    write_new(Membership(user=administrator, clinic=clinic, role="administrator"), by=by, source=source)
    return clinic


def change_clinic(clinic: Clinic, *, values: dict, seen: dict, by: str, source: str = "page") -> Clinic:
    """Change a clinic's name, time zone, country and closed weekdays (CLINIC_FIELDS). Its code is never renamed.

    Raises:
        StaleRecord: somebody changed it in between; nothing was written.
        ValidationError: a value is not valid.
    """
    with acting(by=by, source=source):
        now = Clinic.objects.select_for_update().get(pk=clinic.pk)
        if seen != {name: getattr(now, name) for name in CLINIC_FIELDS}:
            raise StaleRecord(now)
        return change(now, values, by=by, seen_version=None, source=source)
