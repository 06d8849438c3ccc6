"""Forms of clinics and users. What was seen travels along, so that a colleague's change is noticed."""

import json
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import PasswordChangeForm

from stsclinic.access import ROLES, clinics_where
from stsclinic.clinical.calls import USUALLY_CLOSED
from stsclinic.clinics.models import Clinic, User, slug_code, weekdays_open_and_closed
from stsclinic.clinics.selectors import manages_wholly
from stsclinic.clinics.services import CLINIC_FIELDS, USER_FIELDS, Roles, fields_of, roles_of

TEXT = {"class": "form-control"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LONGEST_SEEN = 50_000
"""Characters; the roles of a person in a thousand clinics are fewer."""


class RolesMixin(forms.Form):
    """A group of checkboxes for each clinic where the administrator is one: `roles_<clinic id>`."""

    def add_role_fields(self, administrator: User, held: Roles) -> None:
        """Add the groups, with what the user holds now."""
        self.clinic_ids = sorted(clinics_where(administrator, "manage_users"))
        for clinic in Clinic.objects.filter(pk__in=self.clinic_ids):
            self.fields[f"roles_{clinic.pk}"] = forms.MultipleChoiceField(
                label=f"Roles in {clinic.name}",
                choices=list(ROLES.items()),
                required=False,
                initial=[role for clinic_id, role in held if clinic_id == clinic.pk],
                widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            )

    @property
    def role_fields(self) -> list:
        """The groups as bound fields."""
        return [self[name] for name in self.fields if name.startswith("roles_")]

    @property
    def roles(self) -> Roles:
        """The roles that were asked for."""
        return frozenset(
            (pk, role) for pk in self.clinic_ids for role in self.cleaned_data.get(f"roles_{pk}", [])
        )


class NewUserForm(RolesMixin):
    """A new user with a first role."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Letters, digits and @ . + - _ only. It stands in the history for ever, so it is never changed.",
        widget=forms.TextInput(
            attrs=TEXT | {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    first_name = forms.CharField(
        label="First name", max_length=150, required=False, widget=forms.TextInput(attrs=TEXT)
    )
    last_name = forms.CharField(
        label="Last name", max_length=150, required=False, widget=forms.TextInput(attrs=TEXT)
    )
    email = forms.EmailField(
        label="E-mail", max_length=254, required=False, widget=forms.EmailInput(attrs=TEXT)
    )

    def __init__(self, *args, administrator: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_role_fields(administrator, frozenset())


class UserForm(RolesMixin):
    """A user's own fields, where the administrator manages all of the user's clinics, and the roles."""

    first_name = forms.CharField(
        label="First name", max_length=150, required=False, widget=forms.TextInput(attrs=TEXT)
    )
    last_name = forms.CharField(
        label="Last name", max_length=150, required=False, widget=forms.TextInput(attrs=TEXT)
    )
    email = forms.EmailField(
        label="E-mail", max_length=254, required=False, widget=forms.EmailInput(attrs=TEXT)
    )
    is_active = forms.BooleanField(
        label="May sign in", required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )
    seen = forms.CharField(max_length=LONGEST_SEEN, widget=forms.HiddenInput)

    def __init__(self, *args, administrator: User, user: User, **kwargs):
        names = USER_FIELDS if manages_wholly(administrator, user) else ()
        held = roles_of(user, clinics_where(administrator, "manage_users"))
        initial = fields_of(user, names) | {"seen": write_seen(fields_of(user, names), held)}
        super().__init__(*args, initial=initial, **kwargs)
        for name in set(USER_FIELDS) - set(names):
            del self.fields[name]
        self.add_role_fields(administrator, held)

    @property
    def own_fields(self) -> list:
        """The bound fields of the person."""
        return [self[name] for name in USER_FIELDS if name in self.fields]

    @property
    def values(self) -> dict:
        """The person's fields as asked for."""
        return {name: self.cleaned_data[name] for name in USER_FIELDS if name in self.fields}

    def clean_seen(self):
        return _read_seen(self.cleaned_data["seen"])


class OwnPasswordForm(PasswordChangeForm):
    """One's own new password."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs |= TEXT

    def save(self, commit=True):
        """Write the password and nothing else: a whole row would undo what an administrator just changed."""
        self.user.set_password(self.cleaned_data["new_password1"])
        self.user.save(update_fields=["password"])
        return self.user


class ClinicForm(forms.Form):
    """A clinic. Its code is asked for once."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        validators=[slug_code],
        help_text="Small letters, digits, - and _. It stands in the data sheets, so it is never changed.",
        widget=forms.TextInput(attrs=TEXT | {"autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs=TEXT))
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=[(zone, zone) for zone in sorted(available_timezones())],
        initial="UTC",
        help_text="The clinic's days begin and end in it.",
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    country = forms.CharField(
        label="Country",
        max_length=60,
        required=False,
        help_text="It stands in the report of a side effect.",
        widget=forms.TextInput(attrs=TEXT | {"autocomplete": "country-name"}),
    )
    closed_weekdays = forms.TypedMultipleChoiceField(
        label="Closed on",
        choices=list(enumerate(WEEKDAYS)),
        coerce=int,
        required=False,
        initial=list(USUALLY_CLOSED),
        help_text="No call is due on these days, nor on the days closed that are entered one by one.",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    seen = forms.CharField(max_length=LONGEST_SEEN, widget=forms.HiddenInput, required=False)

    def __init__(self, *args, clinic: Clinic | None = None, **kwargs):
        if clinic is None:
            super().__init__(*args, **kwargs)
            return
        values = {name: getattr(clinic, name) for name in CLINIC_FIELDS}
        super().__init__(*args, initial=values | {"seen": write_seen(values, frozenset())}, **kwargs)
        del self.fields["code"]

    @property
    def values(self) -> dict:
        """The clinic's fields as asked for."""
        return {name: self.cleaned_data[name] for name in CLINIC_FIELDS}

    def clean_closed_weekdays(self):
        days = sorted(self.cleaned_data["closed_weekdays"])
        weekdays_open_and_closed(days)
        return days

    def clean_seen(self):
        return _read_seen(self.cleaned_data["seen"]) if self.cleaned_data["seen"] else ({}, frozenset())


def write_seen(values: dict, roles: Roles) -> str:
    """What the page showed, as text for a hidden field."""
    return json.dumps([values, sorted(roles)])


def _read_seen(text: str) -> tuple[dict, Roles]:
    try:
        values, roles = json.loads(text)
        return dict(values), frozenset((int(clinic_id), str(role)) for clinic_id, role in roles)
    except (TypeError, ValueError, RecursionError) as error:
        raise forms.ValidationError("The page is out of date. Open it again.") from error
