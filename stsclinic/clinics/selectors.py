"""Which clinics and users an administrator may see and manage: loaded and authorised at once."""

from django.db.models import Prefetch, QuerySet

from stsclinic.access import clinics_where
from stsclinic.clinics.models import Clinic, Membership, User

USERS_PER_PAGE = 100


def clinics_managed(user: User) -> QuerySet[Clinic]:
    """The clinics whose data `user` may edit."""
    return Clinic.objects.filter(pk__in=clinics_where(user, "manage_clinics"))


def users_managed(user: User) -> QuerySet[User]:
    """The users with a role in a clinic where `user` is administrator, with their roles there."""
    clinics = clinics_where(user, "manage_users")
    return User.objects.filter(
        pk__in=Membership.objects.filter(clinic__in=clinics).values("user")
    ).prefetch_related(
        Prefetch(
            "memberships",
            Membership.objects.filter(clinic__in=clinics)
            .select_related("clinic")
            .order_by("clinic__code", "role"),
            to_attr="roles_here",
        )
    )


def manages_wholly(user: User, other: User) -> bool:
    """Whether every clinic of `other` is one where `user` is administrator.

    Only then may `user` set the password, the name and whether `other` may sign in: the
    administrator of one clinic must not reach into another through a person who works in both.
    """
    return not other.memberships.exclude(clinic__in=clinics_where(user, "manage_users")).exists()
