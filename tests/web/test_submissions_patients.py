"""Careless and hostile submissions to the forms of patients, lesions and series (tests.web.submissions)."""

import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.urls import reverse
from hypothesis import strategies as st

from lesions.bodymap import agrees
from lesions.forms.patient import EnrolForm, IdentityForm, PatientForm
from lesions.forms.records import LesionForm, MedicationForm, PriorTreatmentForm
from lesions.models import Lesion, Medication, Patient, PatientIdentity, PriorTreatment
from lesions.services import identity_as_seen
from sessions_app.forms.enrolment import DecideForm, WithdrawForm
from sessions_app.forms.history import StrikeOutForm
from sessions_app.forms.patient_list import FindForm
from sessions_app.forms.series import NewSeriesForm, SeriesForm
from sessions_app.models import Series, SeriesLesion
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.clinical import terms
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_user
from tests.web.submissions import (
    ANY_TEXT,
    CODES,
    NASTY,
    PAST,
    WORDS,
    YES_NO,
    Tried,
    a_code,
    many,
    maybe,
    partial_dates,
    spoiled,
    typed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client):
    """A clinic, a clinician who is signed in, and a patient with two lesions."""
    clinic = make_clinic("here")
    client.force_login(make_user("clinician", clinic))
    patient = make_patient(clinic, study_id="HERE-1", offered_on=None)
    lesions = [make_lesion(patient), make_lesion(patient)]
    return SimpleNamespace(clinic=clinic, patient=patient, lesions=lesions, tried=Tried(client))


PATIENT = {
    "study_id": CODES,
    "sex": a_code(terms.SEX),
    "birth_year": maybe(st.integers(1900, 1989).map(str)),
    "race": maybe(WORDS),
    "ethnicity": maybe(WORDS),
    "diagnosis": a_code(terms.DIAGNOSIS),
    "overlap_with": st.sampled_from(([], [], [], ["ssc", "dm"], ["sjogren", "ra", "ssc"], ["pm"])),
    "disease_status": maybe(a_code(terms.DISEASE_STATUS)),
    "raynaud": maybe(a_code(terms.YES_NO_UNKNOWN)),
    "lesion_count": st.integers(0, 999).map(str),
    "lesion_count_is_minimum": a_code(YES_NO),
    "sts_hypersensitivity": a_code(YES_NO),
    "pregnant": a_code(YES_NO),
    "breast_feeding": a_code(YES_NO),
    "offered_on": maybe(PAST),
}


def same_patient(patient: Patient, data: dict) -> None:
    for name in ("study_id", "sex", "race", "ethnicity", "diagnosis", "disease_status", "raynaud"):
        assert getattr(patient, name) == typed(data, name), name
    chosen = data.get("overlap_with", [])
    chosen = [chosen] if isinstance(chosen, str) else chosen
    assert patient.overlap_with == ";".join(code for code in terms.OVERLAP_WITH if code in chosen)
    for name in ("sts_hypersensitivity", "pregnant", "breast_feeding", "lesion_count_is_minimum"):
        assert getattr(patient, name) is YES_NO[typed(data, name)], name
    count, offered = typed(data, "lesion_count"), typed(data, "offered_on")
    assert patient.lesion_count == (int(count) if count else None)
    assert str(patient.offered_on or "") == offered


@many(EnrolForm, st.data())
def _enrol(here, data):
    born = data.draw(maybe(st.dates(datetime.date(1900, 1, 1), datetime.date(1989, 12, 31)).map(str)))
    valid = PATIENT | {
        "clinic": st.just(str(here.clinic.pk)),
        "birth_year": st.just("") if born else PATIENT["birth_year"],
        "name": maybe(WORDS),
        "date_of_birth": st.just(born),
        "national_number": maybe(WORDS),
        "telephone": maybe(WORDS),
    }
    sent = data.draw(spoiled(valid))

    def check():
        patient = Patient.objects.get(study_id=typed(sent, "study_id"))
        same_patient(patient, sent)
        assert patient.clinic == here.clinic
        identity = PatientIdentity.objects.filter(patient=patient).first() or PatientIdentity()
        for name in ("name", "national_number", "telephone"):
            assert getattr(identity, name) == typed(sent, name), name
        assert str(identity.date_of_birth or "") == typed(sent, "date_of_birth")
        year = typed(sent, "birth_year") or typed(sent, "date_of_birth")[:4]
        assert str(patient.birth_year or "") == year

    here.tried.post(reverse("enrol"), sent, check)


@many(
    PatientForm, spoiled(PATIENT | {"version": st.sampled_from(("1", "1", "1", "2")), "reason": maybe(WORDS)})
)
def _patient_edit(here, sent):
    def check():
        patient = Patient.objects.get(pk=here.patient.pk)
        same_patient(patient, sent)
        assert str(patient.birth_year or "") == typed(sent, "birth_year")

    here.tried.post(reverse("patient_edit", args=[here.patient.pk]), sent, check)


@many(
    IdentityForm,
    spoiled(
        {
            "name": maybe(WORDS),
            "date_of_birth": maybe(PAST),
            "national_number": maybe(WORDS),
            "telephone": maybe(WORDS),
            "seen": st.just(identity_as_seen(PatientIdentity())),
        }
    ),
)
def _identity(here, sent):
    def check():
        identity = PatientIdentity.objects.get(patient=here.patient)
        for name in ("name", "national_number", "telephone"):
            assert getattr(identity, name) == typed(sent, name), name
        assert str(identity.date_of_birth or "") == typed(sent, "date_of_birth")

    here.tried.post(reverse("patient_identity", args=[here.patient.pk]), sent, check)


LESION = {
    "lesion_id": CODES.filter(lambda code: code not in ("L01", "L02")),
    "body_site": a_code(terms.BODY_SITE),
    "laterality": maybe(a_code(terms.LATERALITY)),
    "put_at": st.sampled_from(("", "", "", "palms,48.5,200", "hand_backs,48.5,200", "front,180,120")),
    "site_detail": maybe(WORDS),
    "lesion_type": a_code(terms.LESION_TYPE),
    "subtype": a_code(terms.SUBTYPE),
    "onset_on": maybe(partial_dates(1950, 2025)),
    "pain_vas": maybe(st.integers(0, 100).map(lambda n: f"{n // 10}{',.'[n % 2]}{n % 10}")),
    "dysfunction": a_code(YES_NO),
}


def same_lesion(lesion: Lesion, data: dict) -> None:
    texts = ("lesion_id", "body_site", "laterality", "site_detail", "lesion_type", "subtype", "onset_on")
    for name in texts:
        assert getattr(lesion, name) == typed(data, name), name
    assert str(lesion.put_at or "") == typed(data, "put_at")
    assert lesion.put_at is None or agrees(lesion.put_at, lesion.laterality)
    pain = typed(data, "pain_vas").replace(",", ".")
    assert lesion.pain_vas == (Decimal(pain) if pain else None)
    assert lesion.dysfunction is YES_NO[typed(data, "dysfunction")]


@many(LesionForm, spoiled(LESION))
def _lesion_new(here, sent):
    def check():
        same_lesion(Lesion.objects.get(patient=here.patient, lesion_id=typed(sent, "lesion_id")), sent)

    here.tried.post(reverse("lesion_new", args=[here.patient.pk]), sent, check)


@many(LesionForm, spoiled(LESION | {"version": st.just("1"), "reason": maybe(WORDS)}))
def _lesion_edit(here, sent):
    def check():
        same_lesion(Lesion.objects.get(pk=here.lesions[0].pk), sent)

    here.tried.post(reverse("lesion_edit", args=[here.lesions[0].pk]), sent, check)


@many(
    MedicationForm,
    spoiled(
        {
            "name": WORDS,
            "role": a_code(terms.MEDICATION_ROLE),
            "dose": maybe(WORDS),
            "started_on": maybe(partial_dates(1990, 2010)),
            "stopped_on": maybe(partial_dates(2005, 2025)),
        }
    ),
)
def _medication(here, sent):
    def check():
        medication = Medication.objects.get(patient=here.patient)
        for name in ("name", "role", "dose", "started_on", "stopped_on"):
            assert getattr(medication, name) == typed(sent, name), name

    here.tried.post(reverse("medication_new", args=[here.patient.pk]), sent, check)


@many(PriorTreatmentForm, st.data())
def _prior_treatment(here, data):
    valid = {
        "treatment": WORDS,
        "lesion": st.sampled_from(["", *(str(lesion.pk) for lesion in here.lesions)]),
        "started_on": maybe(partial_dates(1990, 2005)),
        "stopped_on": maybe(partial_dates(2006, 2025)),
        "response": maybe(a_code(terms.RESPONSE)),
    }
    sent = data.draw(spoiled(valid))

    def check():
        prior = PriorTreatment.objects.get(patient=here.patient)
        for name in ("treatment", "started_on", "stopped_on", "response"):
            assert getattr(prior, name) == typed(sent, name), name
        assert str(prior.lesion_id or "") == typed(sent, "lesion")

    here.tried.post(reverse("prior_treatment_new", args=[here.patient.pk]), sent, check)


@many(
    DecideForm,
    spoiled(
        {
            "protocol": st.just("weekly4"),
            "version": st.just("1"),
            "outcome": st.sampled_from(("consented", "declined", "moved", "other", "undecided")),
            "consented_on": PAST,
            "answer_1": st.sampled_from(("yes", "yes", "no", "")),
            "reason": maybe(WORDS),
        }
    ),
)
def _decide(here, sent):
    def check():
        patient = Patient.objects.get(pk=here.patient.pk)
        outcome = typed(sent, "outcome")
        consented = typed(sent, "consented_on") if outcome == "consented" else ""
        assert str(patient.consented_on or "") == consented
        assert patient.not_enrolled_reason == (outcome if outcome in terms.NOT_ENROLLED_REASON else "")
        answer = {"yes": True, "no": False}.get(typed(sent, "answer_1"))
        judged = patient.criteria_met.get("weekly4", {})
        assert list(judged.values()) == ([] if answer is None else [answer])

    here.tried.post(reverse("enrol_decide", args=[here.patient.pk]), sent, check)


@many(
    WithdrawForm,
    spoiled(
        {
            "version": st.just("1"),
            "withdrawn_on": st.dates(datetime.date(2026, 1, 2), datetime.date(2026, 2, 1)).map(str),
            "withdrawal_reason": maybe(WORDS),
        }
    ),
)
def _withdraw(here, sent):
    def check():
        patient = Patient.objects.get(pk=here.patient.pk)
        assert str(patient.withdrawn_on) == typed(sent, "withdrawn_on")
        reason = typed(sent, "withdrawal_reason").replace("\r\n", "\n").replace("\r", "\n")
        assert patient.withdrawal_reason == reason

    here.tried.post(reverse("patient_withdraw", args=[here.patient.pk]), sent, check)


@many(NewSeriesForm, st.data())
def _series_new(here, data):
    protocol = data.draw(st.sampled_from(("weekly4", "placebo3", "biweekly", "longterm", "iv")))
    approval = data.draw(st.booleans())
    valid = {
        "protocol": st.just(protocol),
        "status": st.sampled_from(("planned", "active")),
        "started_on": st.dates(datetime.date(2026, 1, 2), datetime.date(2026, 2, 1)).map(str),
        "lesions": st.just([str(lesion.pk) for lesion in here.lesions]),
        "high_concentration_approved_on": PAST if approval else st.just(""),
        "high_concentration_reason": WORDS if approval else st.just(""),
    }
    sent = data.draw(spoiled(valid))

    def check():
        series = Series.objects.get()
        assert (series.protocol.code, series.status) == (typed(sent, "protocol"), typed(sent, "status"))
        assert str(series.started_on) == typed(sent, "started_on")
        assert str(series.high_concentration_approved_on or "") == typed(
            sent, "high_concentration_approved_on"
        )
        assert series.high_concentration_reason == typed(sent, "high_concentration_reason")
        treated = {str(pk) for pk in series.series_lesions.values_list("lesion", flat=True)}
        assert treated == set(sent.get("lesions", []))
        arms = set(SeriesLesion.objects.values_list("arm", flat=True))
        assert arms <= ({"active", "control"} if series.protocol.is_controlled else {""})

    here.tried.post(reverse("series_new", args=[here.patient.pk]), sent, check)


@many(SeriesForm, st.data())
def _series_edit(here, data):
    status = data.draw(a_code(terms.SERIES_STATUS))
    valid = {
        "version": st.just("1"),
        "status": st.just(status),
        "stop_reason": a_code(terms.STOP_REASON) if status == "stopped" else st.just(""),
        "started_on": st.dates(datetime.date(2026, 1, 2), datetime.date(2026, 2, 1)).map(str),
        "lesions": st.lists(
            st.sampled_from([str(lesion.pk) for lesion in here.lesions]), min_size=1, max_size=2, unique=True
        ),
        "reason": maybe(WORDS),
    }
    sent = data.draw(spoiled(valid))

    def check():
        series = Series.objects.get()
        assert (series.status, series.stop_reason) == (typed(sent, "status"), typed(sent, "stop_reason"))
        assert str(series.started_on) == typed(sent, "started_on")
        treated = {str(pk) for pk in series.series_lesions.values_list("lesion", flat=True)}
        assert treated == set(sent["lesions"])

    here.tried.post(reverse("series_edit", args=[here.series.pk]), sent, check)


@many(StrikeOutForm, spoiled({"reason": WORDS}))
def _strike_out(here, sent):
    def check():
        struck = Lesion.everything.get(pk=here.lesions[1].pk)
        assert struck.struck_out_at
        assert (
            struck.struck_out_reason
            == typed(sent, "reason").replace("\r\n", "\n").replace("\r", "\n").strip()
        )

    here.tried.post(reverse("strike_out", args=["lesion", here.lesions[1].pk]), sent, check)


@pytest.mark.parametrize(
    "submit",
    [
        _enrol,
        _patient_edit,
        _identity,
        _lesion_new,
        _lesion_edit,
        _medication,
        _prior_treatment,
        _withdraw,
        _series_new,
        _strike_out,
    ],
    ids=lambda submit: submit.__name__.strip("_"),
)
def test_submissions(here, submit):
    submit(here)
    here.tried.enough()


def test_submissions_decide(here):
    with acting(by="test", source="command"):
        Patient.objects.filter(pk=here.patient.pk).update(consented_on=None)
    _decide(here)
    here.tried.enough()


def test_submissions_series_edit(here):
    here.series = make_series(here.patient, here.lesions)
    _series_edit(here)
    here.tried.enough()


@many(
    FindForm,
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(NASTY, ANY_TEXT, CODES)
            for name in ("text", "clinic", "diagnosis", "protocol", "status", "after", "before")
        },
    ),
)
def _find(here, sent):
    response = here.tried.client.post(reverse("patients"), sent)
    assert response.status_code == 200
    looked_for = response.context["wanted"]
    if len(typed(sent, "text")) <= 100 and "\x00" not in typed(sent, "text"):
        here.tried.saved += 1
        assert looked_for.text == typed(sent, "text")
    for name in ("clinic", "diagnosis", "protocol", "status"):
        assert str(getattr(looked_for, name) or "") in ("", typed(sent, name))


def test_no_search_is_an_error_or_changes_anything(here):
    before = Change.objects.count()
    _find(here)
    here.tried.enough()
    assert Change.objects.count() == before
