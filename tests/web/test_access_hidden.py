"""A field that names another clinic's row: refused or ignored, and nothing of that clinic is touched.

Each form is filled so that it would be accepted; then each of its fields in turn names the other clinic's
rows, as somebody could who writes the request by hand.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from sessions_app.models import AllocationOpening, DraftField, SessionDraft
from stsclinic.audit.models import Change
from stsclinic.clinics.models import Membership
from tests.builders import make_lesion, make_patient, make_series
from tests.web.access_world import Side, make_side

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Form:
    """A page with a form, who may send it, and what it must hold beside what the page already shows."""

    name: str
    role: str
    row: str = ""
    filled: dict = field(default_factory=dict)
    more: tuple[str, ...] = ()
    """Further fields that the address or a script may add."""


FORMS = (
    Form(
        "enrol",
        "nurse",
        filled={"study_id": "NEW-1", "sex": "female", "diagnosis": "lcssc", "offered_on": "2026-01-01"},
        more=("patient",),
    ),
    Form("enrol_decide", "nurse", "undecided", {"outcome": "declined"}, ("patient", "clinic")),
    Form(
        "patient_withdraw",
        "nurse",
        "patient",
        {"withdrawn_on": "2026-02-01"},
        ("patient", "clinic", "series"),
    ),
    Form(
        "patient_edit",
        "nurse",
        "patient",
        {"race": "asked", "reason": "typed wrongly"},
        ("clinic", "patient"),
    ),
    Form(
        "patient_identity",
        "nurse",
        "patient",
        {"telephone": "12", "reason": "typed wrongly"},
        ("clinic", "patient"),
    ),
    Form(
        "lesion_new",
        "nurse",
        "patient",
        {"lesion_id": "L99", "body_site": "elbow", "laterality": "left", "lesion_type": "nodule"},
        ("patient", "clinic"),
    ),
    Form("lesion_edit", "nurse", "lesion", {"site_detail": "tip", "reason": "typed wrongly"}, ("patient",)),
    Form("medication_new", "nurse", "patient", {"name": "iloprost", "role": "vasodilator"}, ("patient",)),
    Form("medication_edit", "nurse", "medication", {"dose": "5 mg", "reason": "typed wrongly"}, ("patient",)),
    Form("prior_treatment_new", "nurse", "patient", {"treatment": "laser"}, ("patient",)),
    Form(
        "prior_treatment_edit",
        "nurse",
        "prior_treatment",
        {"treatment": "laser", "reason": "typo"},
        ("patient",),
    ),
    Form(
        "series_new",
        "nurse",
        "free",
        {"protocol": "weekly4", "status": "active", "started_on": "2026-01-05"},
        ("patient", "clinic"),
    ),
    Form("series_edit", "nurse", "series", {"status": "completed", "reason": "typed wrongly"}, ("patient",)),
    Form(
        "side_effect_new",
        "nurse",
        "patient",
        {"term": "headache", "no_to_rest": "1", "ctcae_version": "5.0", "onset_on": "2026-01-07"},
        ("patient", "series", "session", "lesion", "draft"),
    ),
    Form(
        "side_effect_edit",
        "nurse",
        "side_effect",
        {"term_detail": "brown", "reason": "typed wrongly"},
        ("patient", "session"),
    ),
    Form("strike_out", "clinician", "side_effect", {"reason": "typed twice"}, ("patient", "record")),
    Form("draft", "nurse", "draft", {}, ("draft", "series", "session", "lesion", "patient")),
    Form("user", "administrator", "colleague", {"first_name": "Nina"}, ("user", "clinic")),
    Form("user_new", "administrator", "", {"username": "newcomer"}, ("user", "clinic")),
    Form("clinic", "administrator", "clinic", {"name": "New name"}, ("clinic", "pk")),
    Form(
        "protocol_new_version",
        "administrator",
        "protocol",
        {"name": "Second"},
        ("clinic", "protocol", "code"),
    ),
    Form(
        "allocation_open",
        "data_manager",
        "",
        {"scope": "patient", "reason": "an emergency"},
        ("clinic", "protocol", "patient"),
    ),
)


class Fields(HTMLParser):
    """What a browser would send of the forms of a page that are sent by POST, and their choices."""

    def __init__(self):
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.choices: dict[str, list[str]] = {}
        self.hidden: set[str] = set()
        self.is_post, self.select, self.textarea = False, "", ""

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        name = a.get("name") or ""
        if tag == "form":
            self.is_post = a.get("method", "").lower() == "post" and not a.get("action", "").endswith(
                ("out/", "discard/", "password/")
            )
        elif not self.is_post:
            return
        elif tag == "select":
            self.select = name
            self.values.setdefault(name, [])
        elif tag == "option" and self.select:
            self.choices.setdefault(self.select, []).append(a.get("value", ""))
            if "selected" in a:
                self.values[self.select].append(a.get("value", ""))
        elif tag == "textarea":
            self.textarea = name
            self.values.setdefault(name, [""])
        elif tag == "input" and name and a.get("type") not in ("file", "submit"):
            if a.get("type") == "hidden" and name not in ("csrfmiddlewaretoken", "version", "seen"):
                self.hidden.add(name)
            if a.get("type") in ("checkbox", "radio"):
                self.choices.setdefault(name, []).append(a.get("value", "on"))
                if "checked" not in a:
                    return
            self.values.setdefault(name, []).append(
                a.get("value") or ("on" if a.get("type") == "checkbox" else "")
            )

    def handle_data(self, data):
        if self.textarea:
            self.values[self.textarea] = [self.values[self.textarea][0] + data.lstrip("\n")]

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = ""
        if tag == "textarea":
            self.textarea = ""
        if tag == "form":
            self.is_post = False


@pytest.fixture
def sides() -> tuple[Side, Side]:
    """The reader's clinic and another; the keys of the second are far from those of the first."""
    own = make_side("own", users=True)
    own.undecided = make_patient(own.clinic, consented_on=None)
    own.free = make_patient(own.clinic)
    own.free_lesion = make_lesion(own.free)
    trial = make_patient(own.clinic, study_id="own-trial")
    make_series(trial, [(make_lesion(trial), "active"), (make_lesion(trial), "control")], "placebo3")
    for number in range(4):
        make_side(f"between{number}", users=False)
    other = make_side("other", users=False)
    trial = make_patient(other.clinic, study_id="other-trial")
    make_series(trial, [(make_lesion(trial), "active"), (make_lesion(trial), "control")], "placebo3")
    return own, other


def foreign(other: Side) -> list[str]:
    """How somebody could name the other clinic's rows."""
    rows = {
        "clinic": other.clinic, "patient": other.patient, "lesion": other.lesion, "series": other.series,
        "session": other.session, "draft": other.draft, "side_effect": other.side_effect,
        "protocol": other.protocol, "photograph": other.photograph, "user": other.colleague,
    }  # fmt: skip
    keys = {str(row.pk) for row in rows.values()}
    named = {f"{kind}-{rows[kind].pk}" for kind in ("series", "session")}
    words = {
        other.clinic.code,
        other.patient.study_id,
        "other-trial",
        other.protocol.code,
        str(other.photograph.token),
    }
    return sorted(keys | named | words | {f"{other.clinic.pk} placebo3"})


def choosers(fields: Fields, own: Side) -> set[str]:
    """The fields that offer rows (by key or code) and not the codes of a vocabulary."""
    known = {
        str(row.pk) for row in (own.clinic, own.patient, own.lesion, own.series, own.session, own.free_lesion)
    }
    known |= {f"session-{own.session.pk}", f"series-{own.series.pk}", own.clinic.code, "weekly4"}
    known |= {f"{own.clinic.pk} placebo3"}
    return {
        name
        for name, offered in fields.choices.items()
        if known & set(offered) and not set(offered) <= {"1", "2", "3", "4", "5", ""}
    }


def picture(other: Side) -> list:
    """Everything of the other clinic that a form could have written to."""
    rows = (
        other.clinic, other.patient, other.patient.identity, other.lesion, other.medication,
        other.prior_treatment, other.series, other.session, other.draft, other.correction, other.side_effect,
        other.photograph, other.protocol, other.colleague,
    )  # fmt: skip
    kept = []
    for row in rows:
        fresh = type(row)._base_manager.get(pk=row.pk)
        kept.append((type(row).__name__, model_to_dict(fresh)))
    kept.append(sorted(Membership.objects.filter(clinic=other.clinic).values_list("user", "role")))
    kept.append(AllocationOpening.objects.filter(clinic=other.clinic).count())
    kept.append(SessionDraft.objects.filter(series__patient__clinic=other.clinic).count())
    kept.append(DraftField.objects.filter(draft__series__patient__clinic=other.clinic).count())
    return kept


COLUMNS = (
    "clinic_id",
    "patient_id",
    "lesion_id",
    "series_id",
    "session_id",
    "draft_id",
    "protocol_id",
    "user_id",
)


def points_at(other: Side, change: Change) -> str:
    """The column of a new row that names a row of the other clinic, or nothing."""
    keys = {
        "clinic_id": other.clinic.pk, "patient_id": other.patient.pk, "lesion_id": other.lesion.pk,
        "series_id": other.series.pk, "session_id": other.session.pk, "draft_id": other.draft.pk,
        "protocol_id": other.protocol.pk, "user_id": other.colleague.pk,
    }  # fmt: skip
    return next((name for name in COLUMNS if (change.new or {}).get(name) == keys[name]), "")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_field_that_names_another_clinics_row_writes_nothing_there(form, sides, settings):
    # Some of these requests make users, and a password's real hash takes longer than all the rest.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    own, other = sides
    client = Client()
    client.force_login(own.users[form.role])
    arguments = {"pk": getattr(own, form.row).pk} if form.row else {}
    if form.name == "strike_out":
        arguments["kind"] = "side_effect"
    where = reverse(form.name, kwargs=arguments)
    page = client.get(where)
    assert page.status_code == 200
    fields = Fields()
    fields.feed(page.content.decode())
    filled = {name: values for name, values in fields.values.items() if name != "csrfmiddlewaretoken"}
    filled |= form.filled
    if form.name == "user_new":
        filled[f"roles_{own.clinic.pk}"] = ["nurse"]
    if form.name == "allocation_open":
        filled |= {"of": f"{own.clinic.pk} placebo3", "patient": "own-trial"}
    if form.name == "series_new":
        filled["lesions"] = [str(own.free_lesion.pk)]
    if form.name == "enrol":
        filled["clinic"] = str(own.clinic.pk)

    before, last = picture(other), Change.objects.order_by("-id").values_list("id", flat=True).first()
    with transaction.atomic():
        answer = client.post(where, filled)
        assert answer.status_code in (200, 302)
        if answer.status_code == 200:
            assert form.name == "user_new", f"the filled form was refused: {answer.context['form'].errors}"
        transaction.set_rollback(True)

    for name in sorted(fields.hidden | choosers(fields, own) | set(form.more)):
        for value in foreign(other):
            with transaction.atomic():
                answer = client.post(where, filled | {name: value})
                assert answer.status_code in (200, 302, 404, 422), (name, value)
                assert picture(other) == before, (name, value)
                for change in Change.objects.filter(id__gt=last):
                    assert not points_at(other, change), (name, value, change.table_name, change.new)
                transaction.set_rollback(True)
    with transaction.atomic():
        client.post(where, filled | {f"roles_{other.clinic.pk}": ["administrator"]})
        assert picture(other) == before
        transaction.set_rollback(True)


def test_a_photograph_of_another_clinic_is_not_found(sides):
    own, other = sides
    client = Client()
    for role in ("clinician", "nurse"):
        client.force_login(own.users[role])
        for name in ("photograph", "photograph_thumbnail"):
            assert client.get(reverse(name, args=[own.photograph.token])).status_code == 200
            assert client.get(reverse(name, args=[other.photograph.token])).status_code == 404


@pytest.mark.parametrize("name", ["draft", "session", "series", "lesion"])
@pytest.mark.parametrize("page", ["side_effect_new", "photograph_new"])
def test_an_address_that_names_another_clinics_row_shows_nothing_of_it(sides, page, name):
    own, other = sides
    client = Client()
    client.force_login(own.users["nurse"])
    row = own.lesion if page == "photograph_new" else own.patient
    answer = client.get(reverse(page, args=[row.pk]), {name: getattr(other, name).pk})
    assert answer.status_code in (200, 404)
    text = answer.content.decode()
    assert "other-001" not in text
    assert f"/drafts/{other.draft.pk}/" not in text
