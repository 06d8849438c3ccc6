"""List the users and their roles."""

from typing import Any

from stsclinic.clinics.models import User
from stsclinic.operator_command import OperatorCommand


class Command(OperatorCommand):
    """One line for each user."""

    help = "List every user, whether they may sign in, and their roles as ROLE@CLINIC, one line each."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list."""
        for user in User.objects.prefetch_related("memberships__clinic").order_by("username"):
            roles = sorted(f"{held.role}@{held.clinic.code}" for held in user.memberships.all())
            state = "active" if user.is_active else "inactive"
            self.stdout.write("\t".join((user.username, state, " ".join(roles))))
