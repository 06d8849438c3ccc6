"""What every page shows: the menu of what this user may do, the session's end, the demonstration's mark."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from stsclinic import __version__
from stsclinic.access import ROLES, may, roles_by_clinic


@dataclass(frozen=True)
class MenuItem:
    """A link of the menu."""

    label: str
    url: str
    is_current: bool


ENTRIES = (
    ("Calls", "calls", "make_calls"),
    ("Today", "today", "see_today"),
    ("Patients", "patients", "see_patients"),
    ("Reading room", "reading_room", "score_as_observer"),
    ("Side effects", "side_effect_summary", "see_patients"),
    ("Alerts", "alerts", "see_alert_history"),
    ("Report", "report", "see_report"),
    ("Export", "exports", "export_data"),
    ("Import", "exchange", "exchange_data"),
    ("Allocation", "allocation", "see_allocation"),
    ("Protocols", "protocols", "see_protocols"),
    ("Users", "users", "manage_users"),
    ("Clinics", "clinics", "manage_clinics"),
    ("Days closed", "holidays", "keep_holidays"),
    ("Rights", "rights", "be_signed_in"),
)
"""Label, URL name and right of each entry, in the order of the day."""

STANDS_UNDER = {"alerts": "see_patients", "holidays": "make_calls"}
"""Entries that another page leads to: they are in the menu only of those without the right to that page."""

FIRST_OF_ROLE = {"clinician": "today", "nurse": "calls", "administrator": "protocols"}
"""Where a role begins that does not begin with the first entry of its menu; of several roles, the first here."""


def first_page(user) -> str:
    """The URL name of the page that a user begins with: that of the role, or the first of the menu."""
    held = {role for roles in roles_by_clinic(user).values() for role in roles}
    own = next((page for role, page in FIRST_OF_ROLE.items() if role in held), "")
    return own or next((name for _label, name, right in ENTRIES if may(user, right)), "rights")


def page_context(request) -> dict:
    """Context of every page: `menu`, `role_words`, `idle_seconds`, `is_demo`, `version`."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"menu": [], "version": __version__, "is_demo": settings.DEMO_MARK.exists()}
    menu = []
    for label, name, right in ENTRIES:
        if may(user, right) and not (name in STANDS_UNDER and may(user, STANDS_UNDER[name])):
            url = reverse(name)
            menu.append(MenuItem(label, url, request.path == url or request.path.startswith(url)))
    roles = sorted({role for held in roles_by_clinic(user).values() for role in held}, key=list(ROLES).index)
    return {
        "menu": menu,
        "role_words": ", ".join(ROLES[role] for role in roles),
        "idle_seconds": settings.SESSION_COOKIE_AGE,
        "is_demo": settings.DEMO_MARK.exists(),
        "version": __version__,
    }
