"""The demonstration clinic: what it shows, that it loads once, and never beside real data."""

import io
import stat
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from lesions.models import Patient, PatientIdentity
from sessions_app.allocation import closed_for, is_open
from sessions_app.datasheets.checking import check
from sessions_app.models import AllocationOpening, Photograph, Series, SessionDraft, SideEffect
from sessions_app.registry import load_registry
from stsclinic.audit.models import Change
from stsclinic.clinical.schedule import SessionHeld, next_due
from stsclinic.clinics.models import Clinic, Membership, User
from stsclinic.demo.clinics import CLINICS, INVENTED
from stsclinic.demo.invented import invented_sheets
from stsclinic.demo.pictures import CAPTION, PX_PER_MM
from stsclinic.demo.users import USERS
from tests.builders import make_clinic, make_patient, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings, tmp_path, monkeypatch):
    """A data folder of its own, and no password from the surroundings."""
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    # Argon2 is slow on purpose, and not what is tested here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DATA_DIR = tmp_path
    settings.DEMO_MARK = tmp_path / "demonstration"
    return tmp_path


def load():
    """Run the command; give what it printed."""
    out = io.StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


def password_in(text):
    return text.partition("password:")[2].split()[0]


def test_it_says_who_may_sign_in(data):
    said = load()
    for username in USERS:
        assert username in said
    assert "in the demonstration only" in said
    for user in User.objects.all():
        assert user.check_password(password_in(said))
    assert stat.S_IMODE((data / "demo_password").stat().st_mode) == 0o600
    assert django_settings.DEMO_MARK.exists()


def test_each_user_has_the_one_role_in_every_clinic():
    load()
    held = {
        (m.user.username, m.clinic.code, m.role) for m in Membership.objects.select_related("user", "clinic")
    }
    assert held == {(name, clinic, role) for name, role in USERS.items() for clinic in CLINICS}
    zones = dict(Clinic.objects.values_list("code", "time_zone"))
    assert zones["orlando"] == "America/New_York"
    assert zones["kansas"] == "America/Chicago"


def test_a_second_run_says_the_same_and_changes_nothing():
    said = load()
    patient = Patient.objects.get(study_id="DEMO-01")
    changes = Change.objects.count()
    hashes = list(User.objects.order_by("pk").values_list("password", flat=True))
    assert load() == said
    assert Change.objects.count() == changes
    assert list(User.objects.order_by("pk").values_list("password", flat=True)) == hashes
    assert Patient.objects.get(study_id="DEMO-01").version == patient.version


def test_a_given_password_is_set_and_kept(monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", "first")
    assert password_in(load()) == "first"
    monkeypatch.setenv("DEMO_PASSWORD", "second")
    assert password_in(load()) == "second"
    assert all(user.check_password("second") for user in User.objects.all())
    monkeypatch.delenv("DEMO_PASSWORD")
    assert password_in(load()) == "second"


@pytest.mark.parametrize("real", ["patient", "user", "clinic"])
def test_it_never_loads_beside_real_data(real, data):
    clinic = make_clinic()
    if real == "patient":
        make_patient(clinic)
    elif real == "user":
        make_user("nurse", clinic)
    with pytest.raises(CommandError, match="data of its own"):
        load()
    assert not (data / "demonstration").exists()
    assert not Clinic.objects.filter(code="aarhus").exists()


def test_a_mark_alone_makes_no_demonstration_of_real_data():
    django_settings.DEMO_MARK.touch()
    make_patient(make_clinic())
    with pytest.raises(CommandError, match="data of its own"):
        load()


def test_the_published_cases_are_there_and_orlando_is_open():
    load()
    counts = {code: Patient.objects.filter(clinic__code=code).count() for code in CLINICS}
    assert counts == {"aarhus": 43, "orlando": 5, "hershey": 1, "coimbra": 1, "kansas": 1, INVENTED: 10}
    opening = AllocationOpening.objects.get()
    assert opening.reason
    assert is_open(Series.objects.filter(patient__clinic__code="orlando")[0])
    investigator = User.objects.get(username="investigator")
    assert closed_for(investigator) >= {(INVENTED, "placebo3")}
    assert ("orlando", "placebo3") not in closed_for(investigator)


def test_only_invented_patients_have_a_name_and_it_says_so():
    load()
    identities = PatientIdentity.objects.select_related("patient__clinic")
    assert {one.patient.clinic.code for one in identities} == {INVENTED}
    assert all(one.name.startswith("Invented Patient ") for one in identities)
    assert all(one.patient.study_id.startswith("DEMO-") for one in identities)
    assert identities.count() == 10


def test_there_is_something_to_do_today():
    load()
    today = date.today()
    states = {}
    for series in Series.objects.filter(patient__clinic__code=INVENTED).select_related("protocol", "patient"):
        held = [SessionHeld(kind=one.kind, held_on=one.held_on) for one in series.sessions.all()]
        due = next_due(
            series.protocol.definition,
            held,
            series.status,
            today,
            started_on=series.started_on,
            stop_reason=series.stop_reason,
        )
        states[series.patient.study_id] = (due.kind, due.state) if due else None
    assert states["DEMO-01"] == ("treatment", "due")
    assert states["DEMO-03"] == ("treatment", "overdue")
    assert states["DEMO-04"] == ("follow_up", "due")
    draft = SessionDraft.objects.get(state="open")
    assert draft.series.patient.study_id == "DEMO-02"
    assert dict(draft.fields.values_list("name", "value"))["all-concentration_mg_ml"] == "250"
    assert SideEffect.objects.filter(term="injection_site_infection", resolved_on=None).exists()


@pytest.mark.parametrize("day", [date(2024, 2, 29), date(2025, 3, 31), date(2026, 12, 31)])
def test_the_invented_patients_are_sound_on_any_day(day):
    sheets = invented_sheets(day)
    assert check(sheets).errors == []
    latest = max(row["held_on"] for _number, row in sheets.sheets["sessions"].rows)
    assert date.fromisoformat(latest) <= day - timedelta(days=1)


def test_the_invented_patients_change_no_published_figure():
    load()
    aarhus = load_registry([Clinic.objects.get(code="aarhus").pk])
    assert len(aarhus.patients) == 43


def test_the_drawn_pictures_say_that_they_are_drawn_and_show_no_blinded_lesion():
    load()
    rows = Photograph.objects.select_related("lesion__patient", "session__series__protocol")
    found = [(row.lesion.patient.study_id, row.taken_on == row.session.held_on) for row in rows]
    assert set(found) == {("DEMO-02", True), ("DEMO-04", True)}
    assert not [row for row in rows if row.session.series.protocol.is_controlled]
    assert [row.scale is None for row in rows if row.lesion.patient.study_id == "DEMO-04"] == [
        False,
        False,
        False,
        True,
    ]
    assert CAPTION == "drawn, not a patient"


def test_a_drawn_picture_is_true_to_its_marker():
    """The ruler must not mislead in the demonstration: what is drawn 12 mm long measures 12 mm."""
    load()
    row = Photograph.objects.filter(lesion__patient__study_id="DEMO-04").order_by("taken_on")[0]
    assert row.scale.mm(row.scale.px(Decimal(12))) == 12
    assert abs(row.scale.px(Decimal(1)) - PX_PER_MM) < Decimal("0.05")
