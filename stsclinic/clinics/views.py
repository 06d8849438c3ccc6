"""Signing in and out, the list of rights, users and clinics."""

from axes.handlers.proxy import AxesProxyHandler
from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stsclinic.access import RIGHTS, ROLE_MEANING, ROLES, clinics_where, public, require, roles_by_clinic
from stsclinic.audit.services import StaleRecord, note_event
from stsclinic.clinics.forms import ClinicForm, NewUserForm, OwnPasswordForm, UserForm
from stsclinic.clinics.selectors import USERS_PER_PAGE, clinics_managed, manages_wholly, users_managed
from stsclinic.clinics.services import (
    change_clinic,
    change_user,
    create_clinic,
    create_user,
    set_new_password,
)
from stsclinic.clinics.sign_in import known_user_name, no_sign_of_life
from stsclinic.menu import first_page

page = require_http_methods(["GET", "HEAD", "POST"])


@public
@require_safe
def home(request):
    """On to the sign-in, or to the first page of the role."""
    return redirect(first_page(request.user) if request.user.is_authenticated else "login")


class SignInView(LoginView):
    """The one sign-in form. Each attempt is noted, without the password and without an unknown name."""

    redirect_authenticated_user = True

    def post(self, request, *args, **kwargs):
        name = request.POST.get("username", "")
        if AxesProxyHandler.is_locked(request, {"username": name}):
            # Nothing is tried and nothing noted while it is paused: the trail must not be filled from outside.
            request.axes_locked_out = True
            request.axes_credentials = {"username": name}
            return HttpResponse(status=429)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form):
        answer = super().form_valid(form)
        note_event("signed_in", by=self.request.user.username)
        return answer

    def form_invalid(self, form):
        name = known_user_name(self.request.POST.get("username", ""))
        note_event(
            "sign_in_failed", by=name, detail="" if name else "Nobody has the user name that was typed."
        )
        return super().form_invalid(form)


class SignOutView(LogoutView):
    """Sign out, by POST, and say so."""

    template_name = "registration/logged_out.html"

    def post(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            note_event("signed_out", by=request.user.username)
        return super().post(request, *args, **kwargs)


class PasswordView(PasswordChangeView):
    """One's own password; other sessions of the same person end."""

    form_class = OwnPasswordForm
    template_name = "clinics/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form):
        note_event("password_changed", by=self.request.user.username)
        messages.success(self.request, "Your password is changed. Your other sessions were ended.")
        return super().form_valid(form)


sign_in = public(SignInView.as_view())
sign_out = public(SignOutView.as_view())
password = require("be_signed_in")(PasswordView.as_view())


@require("be_signed_in")
@require_POST
def keep_alive(request):
    """The person is still there: the session's idle time begins anew, since every request saves it."""
    return HttpResponse(status=204)


@no_sign_of_life
@public
@require_safe
def signed_in(request):
    """Who is signed in in this browser, and the token of their forms: what a covered page asks before it goes on."""
    answer = JsonResponse(
        {"person": request.user.pk, "name": request.user.get_username(), "token": get_token(request)}
    )
    patch_cache_control(answer, no_store=True, private=True)
    return answer


@require("be_signed_in")
@require_safe
def rights(request):
    """Who may do what: the table that the guard reads."""
    held = {role for roles in roles_by_clinic(request.user).values() for role in roles}
    table = [
        {
            "words": right.words,
            "cells": [
                {"role": words, "may": role in right.roles, "own": role in held}
                for role, words in ROLES.items()
            ],
        }
        for right in RIGHTS.values()
    ]
    roles = [
        {"code": role, "words": words, "meaning": ROLE_MEANING[role], "own": role in held}
        for role, words in ROLES.items()
    ]
    return render(request, "clinics/rights.html", {"roles": roles, "table": table})


def _shown_again(form, fresh) -> list[dict]:
    """What differs between what was typed and what a colleague saved; the form then counts as having seen it."""
    form.data = form.data.copy()
    form.data["seen"] = fresh["seen"].initial
    return [
        {
            "label": field.label,
            "theirs": _in_words(field.field, field.initial),
            "yours": _in_words(field.field, typed),
        }
        for field in fresh
        if field.name in form.cleaned_data
        and not field.is_hidden
        and _in_words(field.field, typed := form.cleaned_data[field.name])
        != _in_words(field.field, field.initial)
    ]


def _in_words(field, value) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (list, tuple)):
        return ", ".join(words for code, words in field.choices if code in value) or "None"
    return value or "Empty"


@require("manage_users")
@require_safe
def users(request):
    """The users of one's own clinics, a hundred a page, by user name."""
    found = users_managed(request.user)
    after = request.GET.get("after", "").replace("\0", "")
    rows = list(found.filter(username__gt=after).order_by("username")[: USERS_PER_PAGE + 1])
    for row in rows:
        row.role_words = [f"{m.get_role_display()}, {m.clinic.name}" for m in row.roles_here]
    return render(
        request,
        "clinics/users.html",
        {"rows": rows[:USERS_PER_PAGE], "is_first": not after, "has_next": len(rows) > USERS_PER_PAGE},
    )


@require("manage_users")
@page
def user_new(request):
    """Make a user. The made-up password stands on the answer to this one request and nowhere else."""
    form = NewUserForm(request.POST if request.method == "POST" else None, administrator=request.user)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("username", "first_name", "last_name", "email")}
        try:
            made, one_time = create_user(**values, roles=form.roles, by=request.user.username)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return render(
                request, "clinics/user_password.html", {"person": made, "password": one_time, "is_new": True}
            )
    return render(request, "clinics/user_new.html", {"form": form})


@require("manage_users")
@page
def user(request, pk):
    """A user of one's own clinics: name, roles, and whether the user may sign in."""
    person = get_object_or_404(users_managed(request.user), pk=pk)
    form = UserForm(
        request.POST if request.method == "POST" else None, administrator=request.user, user=person
    )
    theirs = None
    if request.method == "POST" and form.is_valid():
        try:
            change_user(
                person,
                values=form.values,
                roles=form.roles,
                seen=form.cleaned_data["seen"],
                administrator=request.user,
            )
        except StaleRecord:
            theirs = _shown_again(form, UserForm(administrator=request.user, user=person))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{person.username} is saved.")
            return redirect("users")
    return render(
        request,
        "clinics/user.html",
        {
            "form": form,
            "person": person,
            "theirs": theirs,
            "is_wholly_managed": manages_wholly(request.user, person),
            "other_clinics": person.memberships.exclude(
                clinic__in=clinics_where(request.user, "manage_users")
            ).exists(),
        },
    )


@require("manage_users")
@require_POST
def user_password(request, pk):
    """Give a user a new made-up password, shown on this answer alone."""
    person = get_object_or_404(users_managed(request.user), pk=pk)
    if person == request.user:
        return redirect("password")
    try:
        one_time = set_new_password(person, administrator=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("user", pk=pk)
    return render(
        request, "clinics/user_password.html", {"person": person, "password": one_time, "is_new": False}
    )


@require("manage_clinics")
@require_safe
def clinics(request):
    """The clinics where one is administrator."""
    return render(request, "clinics/clinics.html", {"rows": clinics_managed(request.user)})


@require("manage_clinics")
@page
def clinic_new(request):
    """Make a clinic, and be its first administrator."""
    form = ClinicForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_clinic(code=form.cleaned_data["code"], **form.values, administrator=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{made.name} is made, and you are its administrator.")
            return redirect("clinics")
    return render(request, "clinics/clinic_form.html", {"form": form})


@require("manage_clinics")
@page
def clinic(request, pk):
    """A clinic's name, time zone, country and closed weekdays."""
    found = get_object_or_404(clinics_managed(request.user), pk=pk)
    form = ClinicForm(request.POST if request.method == "POST" else None, clinic=found)
    theirs = None
    if request.method == "POST" and form.is_valid():
        seen, _roles = form.cleaned_data["seen"]
        try:
            change_clinic(found, values=form.values, seen=seen, by=request.user.username)
        except StaleRecord as stale:
            theirs = _shown_again(form, ClinicForm(clinic=stale.theirs))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{found.name} is saved.")
            return redirect("clinics")
    return render(request, "clinics/clinic_form.html", {"form": form, "clinic": found, "theirs": theirs})
