"""Careless and hostile submissions to the forms of users, clinics, closed days, protocols and allocation."""

from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.forms import CheckboxInput
from django.http import QueryDict
from django.urls import reverse
from hypothesis import strategies as st

from sessions_app.forms.allocation import OpeningForm
from sessions_app.forms.protocols import ProtocolForm
from sessions_app.models import AllocationOpening, Protocol
from stsclinic.access import ROLES
from stsclinic.clinical import terms
from stsclinic.clinics.forms import ClinicForm, NewUserForm, OwnPasswordForm, UserForm
from stsclinic.clinics.holidays import HolidayForm
from stsclinic.clinics.models import Clinic, Holiday, Membership, User
from tests.builders import PASSWORD, make_clinic, make_lesion, make_patient, make_series, make_user
from tests.web.access_world import save
from tests.web.submissions import WORDS, Tried, a_code, many, maybe, spoiled, typed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Hashing is slow on purpose, and has tests of its own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


ZONES = ("America/New_York", "Asia/Kathmandu", "Europe/Copenhagen", "UTC")


@pytest.fixture
def here(client, monkeypatch):
    """A clinic, its administrator who is signed in, a colleague, and another clinic."""
    clinic, elsewhere = make_clinic("here"), make_clinic("elsewhere")
    boss = make_user("administrator", clinic, username="boss")
    boss.set_password(PASSWORD)
    boss.save(update_fields=["password"])
    # Six hundred of them would make the pages of a clinic the slowest of all.
    monkeypatch.setattr(ClinicForm.base_fields["time_zone"], "choices", [(zone, zone) for zone in ZONES])
    client.force_login(boss)
    return SimpleNamespace(
        clinic=clinic,
        elsewhere=elsewhere,
        boss=boss,
        colleague=make_user("nurse", clinic, username="nina"),
        tried=Tried(client),
    )


def lines(text: str) -> str:
    """Text of several lines, as it is kept."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


NAMES = {
    "first_name": maybe(WORDS),
    "last_name": maybe(WORDS),
    "email": maybe(st.from_regex(r"\A[a-z]{1,8}@[a-z]{1,8}\.dk\Z")),
}
SOME_ROLES = st.lists(st.sampled_from(sorted(ROLES)), min_size=1, max_size=3, unique=True)


def roles_in(user: User, clinic: Clinic) -> set[str]:
    return set(Membership.objects.filter(user=user, clinic=clinic).values_list("role", flat=True))


def as_list(value) -> list:
    return [value] if isinstance(value, str) else value


def same_names(user: User, data: dict) -> None:
    for name in NAMES:
        assert getattr(user, name) == typed(data, name), name


@many(NewUserForm, st.data())
def _user_new(here, data):
    roles = f"roles_{here.clinic.pk}"
    user_name = st.from_regex(r"\A[A-Za-z0-9@.+_-]{3,20}\Z").filter(
        lambda name: name.lower() not in ("boss", "nina")
    )
    foreign = f"roles_{here.elsewhere.pk}"
    sent = data.draw(
        spoiled(NAMES | {"username": user_name, roles: SOME_ROLES, foreign: st.just(["administrator"])})
    )

    def check():
        made = User.objects.get(username=typed(sent, "username"))
        same_names(made, sent)
        assert roles_in(made, here.clinic) == set(as_list(sent[roles]))
        assert not roles_in(made, here.elsewhere)

    here.tried.post(reverse("user_new"), sent, check, is_saved=lambda answer: "password" in answer.context)


@many(UserForm, st.data())
def _user(here, data):
    roles, person = f"roles_{here.clinic.pk}", here.colleague
    shown = UserForm(administrator=here.boss, user=person).initial["seen"]
    valid = NAMES | {
        "is_active": st.sampled_from(("on", "")),
        roles: SOME_ROLES,
        "seen": st.sampled_from((shown, shown, shown, shown, shown.replace("true", "false"))),
    }
    sent = data.draw(spoiled(valid))

    def check():
        now = User.objects.get(pk=person.pk)
        same_names(now, sent)
        ticked = CheckboxInput().value_from_datadict(QueryDict(urlencode(sent, doseq=True)), {}, "is_active")
        assert now.is_active is bool(ticked)
        assert roles_in(now, here.clinic) == set(as_list(sent[roles]))

    here.tried.post(reverse("user", args=[person.pk]), sent, check)


@many(OwnPasswordForm, st.data())
def _password(here, data):
    new = data.draw(st.from_regex(r"\A[a-z]{4,8} [a-z]{4,8} [a-z]{4,8} [0-9]{3}\Z"))
    valid = {
        "old_password": st.just(PASSWORD),
        "new_password1": st.just(new),
        "new_password2": st.just(new),
    }
    sent = data.draw(st.one_of(st.fixed_dictionaries(valid), spoiled(valid)))
    here.tried.client.force_login(here.boss)

    def check():
        assert User.objects.get(pk=here.boss.pk).check_password(sent["new_password1"])

    here.tried.post(reverse("password"), sent, check)
    assert User.objects.get(pk=here.boss.pk).check_password(PASSWORD)


CLINIC = {
    "name": WORDS,
    "time_zone": st.sampled_from(ZONES),
    "country": maybe(WORDS),
    "closed_weekdays": st.lists(st.sampled_from("0123456"), max_size=6, unique=True),
}


TYPED = ("name", "time_zone", "country")


def weekdays(sent) -> list[int]:
    """The closed weekdays that were sent, as they are kept."""
    days = sent.get("closed_weekdays", [])
    return sorted({int(day) for day in (days if isinstance(days, list) else [days])})


SLUGS = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{2,12}\Z")


@many(ClinicForm, spoiled(CLINIC | {"code": SLUGS.filter(lambda code: code not in ("here", "elsewhere"))}))
def _clinic_new(here, sent):
    def check():
        made = Clinic.objects.get(code=typed(sent, "code"))
        assert {name: getattr(made, name) for name in TYPED} == {name: typed(sent, name) for name in TYPED}
        assert made.closed_weekdays == weekdays(sent)
        assert roles_in(here.boss, made) == {"administrator"}

    here.tried.post(reverse("clinic_new"), sent, check)


@many(ClinicForm, st.data())
def _clinic(here, data):
    shown = ClinicForm(clinic=here.clinic).initial["seen"]
    sent = data.draw(spoiled(CLINIC | {"seen": st.just(shown)}))

    def check():
        now = Clinic.objects.get(pk=here.clinic.pk)
        assert {name: getattr(now, name) for name in TYPED} == {name: typed(sent, name) for name in TYPED}
        assert now.closed_weekdays == weekdays(sent)
        assert now.code == "here"

    here.tried.post(reverse("clinic", args=[here.clinic.pk]), sent, check)


@many(HolidayForm, st.data())
def _holiday(here, data):
    valid = {
        "clinic": st.just(str(here.clinic.pk)),
        "first": st.sampled_from(("2026-12-24", "2027-01-01", "2026-05-01")),
        "last": st.sampled_from(("", "2027-01-01", "2027-01-02", "2026-12-26")),
        "name": maybe(WORDS),
    }
    sent = data.draw(spoiled(valid))

    def check():
        days = list(Holiday.objects.order_by("held_on"))
        first, last = typed(sent, "first"), typed(sent, "last") or typed(sent, "first")
        assert (str(days[0].held_on), str(days[-1].held_on)) == (first, last)
        assert len(days) == (days[-1].held_on - days[0].held_on).days + 1
        assert {(day.clinic, day.name) for day in days} == {(here.clinic, typed(sent, "name"))}

    here.tried.post(reverse("holidays"), sent, check)


def as_shown(here, protocol: Protocol) -> dict:
    """What a browser would send back of the form that begins from this protocol."""
    page = here.tried.client.get(reverse("protocol_new_version", args=[protocol.pk]))
    shown = {bound.name: bound.value() for bound in page.context["form"]}
    return {name: value for name, value in shown.items() if value not in (None, False, [])}


PLAN = {
    "name": WORDS,
    "source": WORDS,
    "planned_treatments": maybe(st.integers(1, 50).map(str)),
    "interval_words": maybe(WORDS),
    "usual_concentration_mg_ml": st.sampled_from(("150", "100,5", "12.5")),
    "volume_words": maybe(WORDS),
    "max_volume_ml_per_session": maybe(st.integers(10, 99).map(lambda n: f"{n}{',.'[n % 2]}5")),
    "min_age": maybe(st.integers(0, 20).map(str)),
    "min_lesions": maybe(st.integers(0, 2).map(str)),
    "subtypes": st.lists(a_code(terms.SUBTYPE), max_size=2, unique=True),
    "expected_terms": st.lists(a_code(terms.SIDE_EFFECT_TERM), max_size=3, unique=True),
    "other_criteria": st.lists(WORDS, max_size=3, unique=True).map("\r\n".join),
}


def same_plan(made: Protocol, data: dict) -> None:
    for name in ("name", "source", "interval_words", "volume_words"):
        assert getattr(made, name) == typed(data, name), name
    for name in ("planned_treatments", "usual_concentration_mg_ml", "max_volume_ml_per_session", "min_age"):
        text = typed(data, name).replace(",", ".")
        assert getattr(made, name) == (Decimal(text) if text else None), name
    assert made.min_lesions == int(typed(data, "min_lesions") or 1)
    for name in ("subtypes", "expected_terms"):
        assert set(getattr(made, name)) == set(as_list(data.get(name, []))), name
    assert made.other_criteria == [
        line.strip() for line in lines(typed(data, "other_criteria")).split("\n") if line.strip()
    ]


@many(ProtocolForm, st.data())
def _protocol_copy(here, data):
    code = SLUGS.filter(lambda code: not Protocol.objects.filter(code=code).exists())
    asked = PLAN | {"code": code, "clinic": st.just(str(here.clinic.pk))}
    sent = here.shown | data.draw(spoiled(asked))

    def check():
        made = Protocol.objects.get(code=typed(sent, "code"))
        same_plan(made, sent)
        assert (made.clinic, made.version) == (here.clinic, 1)

    here.tried.post(reverse("protocol_new_version", args=[here.protocol.pk]), sent, check)


@many(ProtocolForm, st.data())
def _protocol_new_version(here, data):
    sent = here.shown | data.draw(spoiled(PLAN))

    def check():
        made = Protocol.objects.get(code=here.protocol.code, version=2)
        same_plan(made, sent)
        assert made.clinic == here.clinic

    here.tried.post(reverse("protocol_new_version", args=[here.protocol.pk]), sent, check)


@many(OpeningForm, st.data())
def _opening(here, data):
    patient = data.draw(st.booleans())
    valid = {
        "of": st.just(f"{here.clinic.pk} placebo3"),
        "scope": st.just("patient" if patient else "clinic"),
        "patient": st.just(here.patient.study_id if patient else ""),
        "reason": WORDS,
    }
    sent = data.draw(spoiled(valid))

    def check():
        opening = AllocationOpening.objects.get()
        assert (opening.clinic, opening.protocol_code) == (here.clinic, "placebo3")
        assert opening.patient == (here.patient if typed(sent, "scope") == "patient" else None)
        assert opening.reason == lines(typed(sent, "reason"))

    here.tried.post(reverse("allocation_open"), sent, check)


@pytest.mark.parametrize(
    "submit",
    [_user_new, _user, _password, _clinic_new, _clinic, _holiday],
    ids=lambda submit: submit.__name__.strip("_"),
)
def test_submissions(here, submit):
    submit(here)
    here.tried.enough()


def test_submissions_protocol_copy(here):
    here.protocol = Protocol.objects.get(code="weekly4")
    here.shown = as_shown(here, here.protocol)
    _protocol_copy(here)
    here.tried.enough()


def test_submissions_protocol_new_version(here):
    row = Protocol.objects.get(code="weekly4")
    row.pk, row.clinic, row.code, row._state.adding = None, here.clinic, "own", True
    here.protocol = save(row)
    here.shown = as_shown(here, here.protocol)
    _protocol_new_version(here)
    here.tried.enough()


def test_submissions_allocation(here):
    here.tried.client.force_login(make_user("data_manager", here.clinic))
    here.patient = make_patient(here.clinic, study_id="HERE-1")
    lesions = [(make_lesion(here.patient), "active"), (make_lesion(here.patient), "control")]
    make_series(here.patient, lesions, "placebo3")
    _opening(here)
    here.tried.enough()
