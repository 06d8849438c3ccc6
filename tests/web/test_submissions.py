"""No form of the project is left out of the submissions, and no other page that takes a POST breaks."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from django import forms
from django.db import transaction
from django.test import Client
from hypothesis import strategies as st

import lesions
import sessions_app
import stsclinic
from lesions.forms.base import RecordForm
from lesions.forms.patient import IdentityFields
from sessions_app.forms.selection import SelectionForm
from sessions_app.forms.series import ApprovalFields
from sessions_app.forms.side_effects import SideEffectForm
from stsclinic.clinics.forms import RolesMixin
from tests.sessions_app import test_side_effects
from tests.web import test_submissions_sheet
from tests.web.access_world import make_side
from tests.web.submissions import ANY_TEXT, CODES, FORMS_TRIED, NASTY, many
from tests.web.test_access_table import TABLE, address

PARTS_OF_FORMS = {RecordForm, RolesMixin, IdentityFields, ApprovalFields, SelectionForm}
"""Never shown by themselves."""

TRIED_BY_THEMSELVES = {
    SideEffectForm: test_side_effects.test_500_careless_submissions,
    "the session sheet": test_submissions_sheet.test_session_sheets,
    "the infusion sheet": test_submissions_sheet.test_infusion_sheets,
}
"""What has rules of its own for what is sound, and so a test of its own."""


def forms_of_the_project() -> set[type[forms.BaseForm]]:
    """Every form class that is defined in a module of the project."""
    found = set()
    for package in (lesions, sessions_app, stsclinic):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            names = vars(importlib.import_module(module.name)).values()
            found |= {
                thing
                for thing in names
                if inspect.isclass(thing)
                and issubclass(thing, forms.BaseForm)
                and thing.__module__.split(".")[0] == package.__name__
            }
    return found


@pytest.mark.django_db
def test_every_form_is_tried():
    for path in Path(__file__).parent.glob("test_submissions_*.py"):
        importlib.import_module(f"tests.web.{path.stem}")
    tried = FORMS_TRIED | {form for form in TRIED_BY_THEMSELVES if isinstance(form, type)}
    assert forms_of_the_project() - PARTS_OF_FORMS == tried & forms_of_the_project()


NAMES = st.sampled_from(
    (
        "version", "seen", "reason", "state", "loaded", "action", "draft", "next", "session", "series", "term",
        "lesion", "lesions", "key", "note", "answer", "kind", "undo", "roles_1", "ptga", "held_on", "lesion-1-gone",
    )
)  # fmt: skip


@pytest.mark.django_db
def test_no_page_breaks_by_what_is_sent_to_it():
    side = make_side("own", users=True)
    rows = [
        (row, list(side.users.values())[column])
        for row in TABLE
        if row.name != "logout"
        for column, answer in enumerate(row.own_post.split()[:-1])
        if answer not in ("404", "405")
    ]

    @many(None, st.tuples(st.sampled_from(rows), st.dictionaries(NAMES, NASTY | ANY_TEXT | CODES)))
    def send(to_whom):
        (row, user), sent = to_whom
        client = Client()
        client.force_login(user)
        with transaction.atomic():
            assert client.post(address(row, side), sent).status_code < 500
            transaction.set_rollback(True)

    send()
