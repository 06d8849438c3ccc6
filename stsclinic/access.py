"""Who may do what: the one table of rights and roles. The guard, the menu and the help page read it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.db.models import QuerySet
from django.http import Http404
from django.utils.cache import patch_cache_control

from stsclinic.statement import Given, statement

ROLES = {
    "clinician": "Clinician",
    "nurse": "Nurse",
    "investigator": "Investigator",
    "observer": "Observer",
    "data_manager": "Data manager",
    "administrator": "Administrator",
}

ROLE_MEANING = {
    "clinician": "Enrols, examines, injects, scores.",
    "nurse": "Asks for side effects, prepares and records sessions, calls patients.",
    "investigator": "Reads whole clinics without names, and the report, and exports data without names.",
    "observer": "Scores only what is given to be scored.",
    "data_manager": "Imports, exports and corrects data without names, and holds the allocation.",
    "administrator": "Manages users, clinics and protocols. Sees no patients.",
}


@dataclass(frozen=True)
class Right:
    """One thing that a role may do, and the roles that may."""

    words: str
    roles: frozenset[str]


def _right(words: str, *roles: str) -> Right:
    return Right(words, frozenset(roles))


EVERY_ROLE = tuple(ROLES)

BE_SIGNED_IN = "be_signed_in"
"""The one right that a person has in no clinic: whoever signed in may see this page, even before a role is given."""

RIGHTS = {
    BE_SIGNED_IN: _right("See one's own first page, password and this list of rights", *EVERY_ROLE),
    "see_today": _right("See what is due today", "clinician", "nurse"),
    "make_calls": _right("See whom to ring, and note what came of it", "clinician", "nurse"),
    "see_patients": _right(
        "See patients by study ID, with their clinical data",
        "clinician",
        "nurse",
        "investigator",
        "data_manager",
    ),
    "see_identity": _right("See names, dates of birth, national numbers, telephones", "clinician", "nurse"),
    "enrol": _right(
        "Enrol and withdraw patients, keep lesions, medications and series", "clinician", "nurse"
    ),
    "change_records": _right(
        "Change what is recorded of patients, lesions, medications and series",
        "clinician",
        "nurse",
        "data_manager",
    ),
    "record_session": _right("Record sessions, side effects and photographs", "clinician", "nurse"),
    "see_photographs": _right("See photographs of lesions", "clinician", "nurse"),
    "correct": _right("Correct and strike out what was recorded, with a reason", "clinician", "data_manager"),
    "see_history": _right(
        "See who changed what, when and why", "clinician", "nurse", "investigator", "data_manager"
    ),
    "see_alert_history": _right(
        "See how often each alert spoke, and what happened after",
        "clinician",
        "nurse",
        "investigator",
        "data_manager",
        "administrator",
    ),
    "recall_lots": _right("Enter recalled lots, and see who got them", "clinician", "nurse", "data_manager"),
    "see_report": _right("See and download the report", "clinician", "investigator", "data_manager"),
    "export_data": _right("Export data without names, notes and real dates", "investigator", "data_manager"),
    "exchange_data": _right("Import data sheets, and export notes and real dates too", "data_manager"),
    "see_allocation": _right("See and open the allocation of a controlled protocol", "data_manager"),
    "score_as_observer": _right("Score photographs as independent observer", "observer"),
    "see_protocols": _right(
        "See the protocols", "clinician", "nurse", "investigator", "data_manager", "administrator"
    ),
    "manage_protocols": _right("Make new versions of protocols", "administrator"),
    "keep_holidays": _right(
        "Enter the days on which a clinic is closed", "clinician", "nurse", "administrator"
    ),
    "manage_users": _right("Manage users and their roles", "administrator"),
    "manage_clinics": _right("Manage clinics", "administrator"),
}


def roles_by_clinic(user) -> dict[int, set[str]]:
    """The user's roles as {clinic id: {role}}, read once per request."""
    if not user.is_authenticated or not user.is_active:
        return {}
    if not hasattr(user, "_roles_by_clinic"):
        found: dict[int, set[str]] = {}
        for clinic_id, role in _memberships().rows(user=user.pk):
            found.setdefault(clinic_id, set()).add(role)
        user._roles_by_clinic = found
    return user._roles_by_clinic


@statement
def _memberships() -> QuerySet:
    # Imported here: its module needs ROLES from this one.
    from stsclinic.clinics.models import Membership

    return Membership.objects.filter(user=Given("user")).order_by().values_list("clinic_id", "role")


def clinics_where(user, right: str) -> frozenset[int]:
    """The ids of the clinics in which the user has `right`.

    Raises:
        KeyError: no such right.
    """
    allowed = RIGHTS[right].roles
    held = roles_by_clinic(user)
    return frozenset(clinic for clinic in held if not allowed.isdisjoint(held[clinic]))


def may(user, right: str, clinic_id: int | None = None) -> bool:
    """Whether the user has `right` in this clinic, or in any when none is given."""
    if right == BE_SIGNED_IN and clinic_id is None:
        return user.is_authenticated and user.is_active
    clinics = clinics_where(user, right)
    return clinic_id in clinics if clinic_id is not None else bool(clinics)


class NotAllowed(Exception):
    """Who asked for something that takes time has lost a right that it needs."""


def require(right: str) -> Callable:
    """Declare the right that a view needs. The middleware and the wrapper hold it.

    Signed out: on to the sign-in. Without the right in any clinic: 404. Which rows the user may
    see is decided by the selector that loads them.
    """
    RIGHTS[right]

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not request.user.is_authenticated:
                # Imported here: it needs the user model, which needs ROLES from this module.
                from django.contrib.auth.views import redirect_to_login

                return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
            if not may(request.user, right):
                raise Http404
            return view(request, *args, **kwargs)

        guarded.right = right  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable) -> Callable:
    """Declare that a view is open to the signed-out."""
    view.right = "public"  # type: ignore[attr-defined]
    return view


class AccessMiddleware:
    """Refuse every view that declares no right: forgetting one must not open a door.

    What only the signed-in may see is kept by no browser and no proxy, unless the view says otherwise.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            patch_cache_control(response, no_store=True, private=True)
        return response

    def process_view(self, request, view, args, kwargs):
        if not hasattr(view, "right"):
            raise Http404
