"""What an operator does without a browser: clinics and users by their codes and names."""

from stsclinic.access import ROLES
from stsclinic.audit.acting import acting
from stsclinic.audit.services import write_new
from stsclinic.clinics.models import Clinic, Membership, User
from stsclinic.clinics.services import Roles

ACTOR = "operator"
"""Who acts in the history of what a command changed."""


class Refused(Exception):
    """The operator's wish cannot be met; the message says what is valid."""


def find_user(username: str) -> User:
    """The user of that name.

    Raises:
        Refused: there is none.
    """
    user = User.objects.filter(username=username).first()
    if user is None:
        raise Refused(f"There is no user {username!r}. list_users shows who there is.")
    return user


def roles_in_clinics(roles: list[str], codes: list[str]) -> Roles:
    """Each of the roles in each of the clinics, as (clinic id, role) pairs.

    Raises:
        Refused: a role or a clinic is not known.
    """
    known = dict(Clinic.objects.order_by("code").values_list("code", "pk"))
    for role in roles:
        if role not in ROLES:
            raise Refused(f"There is no role {role!r}. Valid are: {', '.join(ROLES)}.")
    for code in codes:
        if code not in known:
            valid = ", ".join(known) or "none yet; create_clinic makes one"
            raise Refused(f"There is no clinic {code!r}. Valid are: {valid}.")
    return frozenset((known[code], role) for code in codes for role in roles)


def make_clinic(*, code: str, name: str, time_zone: str, country: str = "") -> Clinic:
    """Make a clinic.

    Raises:
        ValidationError: the code is taken or a value is not valid.
    """
    clinic = Clinic(code=code, name=name, time_zone=time_zone, country=country)
    write_new(clinic, by=ACTOR, source="command")
    return clinic


def change_roles(user: User, *, given: Roles, taken: Roles) -> None:
    """Give and take roles.

    Raises:
        Refused: the user would have no role left.
    """
    with acting(by=ACTOR, source="command"):
        held = set(user.memberships.values_list("clinic_id", "role"))
        for clinic_id, role in sorted(given - held):
            write_new(Membership(user=user, clinic_id=clinic_id, role=role), by=ACTOR, source="command")
        for clinic_id, role in sorted(taken & held):
            user.memberships.get(clinic_id=clinic_id, role=role).delete()
        if not user.memberships.exists():
            raise Refused("A user keeps at least one role. One who left is deactivated instead.")
