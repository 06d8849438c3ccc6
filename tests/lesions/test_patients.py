"""Patients, identities, lesions, medications and earlier treatments through their pages."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from lesions.models import Lesion, Medication, Patient, PatientIdentity, PriorTreatment
from lesions.services import change_patient, identity_as_seen, write_identity
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from tests.builders import make_clinic, make_lesion, make_patient, make_user

pytestmark = pytest.mark.django_db

PATIENT = {
    "study_id": "AAR-100",
    "sex": "female",
    "birth_year": "1960",
    "diagnosis": "overlap",
    "overlap_with": ["ssc", "sle"],
    "raynaud": "unknown",
    "sts_hypersensitivity": "no",
    "pregnant": "",
    "breast_feeding": "yes",
    "lesion_count": "200",
    "lesion_count_is_minimum": "yes",
    "disease_status": "stable",
    "race": "",
    "ethnicity": "Danish",
    "offered_on": "2026-01-01",
}
IDENTITY = {
    "name": "Åse Østergård",
    "date_of_birth": "1960-02-29",
    "national_number": "290260-1234",
    "telephone": "+45 12 34 56 78",
}
LESION = {
    "lesion_id": "L01",
    "body_site": "thumb",
    "laterality": "left",
    "site_detail": "pulp",
    "lesion_type": "nodule",
    "subtype": "dystrophic",
    "onset_on": "2018-06",
    "pain_vas": "5,5",
    "dysfunction": "yes",
}
MEDICATION = {
    "name": "bosentan",
    "role": "vasodilator",
    "dose": "125 mg",
    "started_on": "2018",
    "stopped_on": "",
}
PRIOR = {
    "treatment": "diltiazem",
    "lesion": "",
    "started_on": "2016-03",
    "stopped_on": "2017",
    "response": "none",
}


@pytest.fixture
def clinic():
    return make_clinic("aarhus")


@pytest.fixture
def owner(client, clinic):
    user = make_user("clinician", clinic)
    client.force_login(user)
    return user


@pytest.fixture
def patient(clinic):
    return make_patient(clinic, study_id="AAR-001")


def errors(response) -> str:
    assert response.status_code == 200
    return " ".join(str(error) for found in response.context["form"].errors.values() for error in found)


# Enrolling -------------------------------------------------------------------------------------------


def test_a_patient_is_enrolled_as_typed_with_the_identity_apart(client, owner, clinic):
    response = client.post(reverse("enrol"), PATIENT | IDENTITY | {"clinic": clinic.pk})
    patient = Patient.objects.get(study_id="AAR-100")
    assert response.url == reverse("enrol_decide", args=[patient.pk])
    assert (patient.clinic, patient.sex, patient.birth_year) == (clinic, "female", 1960)
    assert (patient.diagnosis, patient.overlap_with, patient.raynaud) == ("overlap", "ssc;sle", "unknown")
    assert (patient.sts_hypersensitivity, patient.pregnant, patient.breast_feeding) == (False, None, True)
    assert (patient.lesion_count, patient.lesion_count_is_minimum) == (200, True)
    assert (patient.ethnicity, patient.offered_on) == ("Danish", datetime.date(2026, 1, 1))
    identity = patient.identity
    assert identity.name == "Åse Østergård"
    assert identity.date_of_birth == datetime.date(1960, 2, 29)
    assert Change.objects.get(table_name="lesions_patient", row_id=patient.pk).actor == owner.username


def test_an_id_in_other_capitals_is_taken_on_the_page_and_in_the_database(client, owner, clinic, patient):
    make_patient(clinic, study_id="Aud-1")
    sent = PATIENT | {"clinic": clinic.pk, "study_id": "aUD-1"}
    taken = "This ID is taken: it differs from a patient&#x27;s ID in capitals only."
    assert taken in client.post(reverse("enrol"), sent).content.decode()
    assert not Patient.objects.filter(study_id="aUD-1").exists()
    edit = reverse("patient_edit", args=[patient.pk])
    assert taken in client.post(edit, PATIENT | {"study_id": "AUD-1", "version": "1"}).content.decode()
    renamed = client.post(edit, PATIENT | {"study_id": patient.study_id.lower(), "version": "1"})
    assert renamed.status_code == 302, "one's own ID may change its capitals"
    with pytest.raises(IntegrityError), transaction.atomic():
        make_patient(clinic, study_id="AUD-1")


def test_without_any_identity_none_is_written(client, owner, clinic):
    client.post(reverse("enrol"), PATIENT | {"clinic": clinic.pk})
    assert Patient.objects.filter(study_id="AAR-100").exists()
    assert not PatientIdentity.objects.exists()


def test_the_year_of_birth_follows_the_date_of_birth(client, owner, clinic):
    client.post(reverse("enrol"), PATIENT | IDENTITY | {"clinic": clinic.pk, "birth_year": ""})
    assert Patient.objects.get(study_id="AAR-100").birth_year == 1960


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"study_id": "AAR 100"}, "Letters, digits"),
        ({"study_id": ""}, "required"),
        ({"study_id": "AAR-001"}, "already exists"),
        ({"sex": "woman"}, "Select a valid choice"),
        ({"birth_year": "1.000,5"}, "one decimal mark"),
        ({"birth_year": "1960.5"}, "whole number"),
        ({"birth_year": "1870"}, "from 1880"),
        ({"birth_year": "1961"}, "does not agree with the date of birth"),
        ({"birth_year": "2090"}, "in the future"),
        ({"lesion_count": "1.000,5"}, "one decimal mark"),
        ({"lesion_count": ""}, "how many were counted"),
        ({"overlap_with": ["ssc"]}, "two or more"),
        ({"overlap_with": ["ssc", "gout"]}, "Select a valid choice"),
        ({"diagnosis": "lcssc"}, "Only the diagnosis overlap"),
        ({"offered_on": "2199-01-01"}, "years 1880 to 2100"),
        ({"offered_on": "2099-01-01"}, "in the future"),
        ({"offered_on": "05/01/2026"}, "year-month-day"),
        ({"offered_on": "1950-01-01"}, "before the birth"),
        ({"date_of_birth": "2099-01-01"}, "in the future"),
        ({"name": "x" * 201}, "at most 200"),
    ],
)
def test_a_refusal_stands_beside_the_field_and_loses_nothing(client, owner, clinic, patient, typed, sentence):
    data = PATIENT | IDENTITY | {"clinic": clinic.pk} | typed
    response = client.post(reverse("enrol"), data)
    assert sentence in errors(response)
    assert Patient.objects.count() == 1
    assert not PatientIdentity.objects.exists()
    page = response.content.decode()
    assert "Please correct this first" in page
    assert f'value="{IDENTITY["national_number"]}"' in page
    assert 'value="ssc"' in page


def test_nobody_enrols_into_another_clinic(client, owner):
    other = make_clinic("other")
    response = client.post(reverse("enrol"), PATIENT | {"clinic": other.pk})
    assert "valid choice" in errors(response)
    assert not Patient.objects.exists()


@pytest.mark.parametrize("role", ["investigator", "data_manager", "observer", "administrator"])
def test_others_do_not_enrol(client, clinic, role):
    client.force_login(make_user(role, clinic))
    assert client.get(reverse("enrol")).status_code == 404
    assert client.post(reverse("enrol"), PATIENT | {"clinic": clinic.pk}).status_code == 404


# Who gets where ----------------------------------------------------------------------------------------


def edit_pages(patient):
    lesion = make_lesion(patient)
    medication = Medication(patient=patient, name="iloprost", role="vasodilator")
    prior = PriorTreatment(patient=patient, treatment="surgery")
    with acting(by="test", source="command"):
        medication.save()
        prior.save()
    return {
        "patient_edit": patient.pk,
        "patient_identity": patient.pk,
        "lesion_new": patient.pk,
        "lesion_edit": lesion.pk,
        "medication_new": patient.pk,
        "medication_edit": medication.pk,
        "prior_treatment_new": patient.pk,
        "prior_treatment_edit": prior.pk,
    }


def test_a_colleague_gets_every_page_and_an_outsider_none(client, clinic, patient):
    pages = edit_pages(patient)
    before = Change.objects.count()
    client.force_login(make_user("nurse", clinic))
    for name, pk in pages.items():
        response = client.get(reverse(name, args=[pk]))
        assert response.status_code == 200, name
        assert "AAR-001" in response.content.decode(), name
    for stranger in (make_user("clinician", make_clinic()), make_user("investigator", clinic)):
        client.force_login(stranger)
        changes = Change.objects.count()
        for name, pk in pages.items():
            assert client.get(reverse(name, args=[pk])).status_code == 404, name
            everything = PATIENT | IDENTITY | LESION | MEDICATION | PRIOR | {"version": "1"}
            assert client.post(reverse(name, args=[pk]), everything).status_code == 404, name
        assert Change.objects.count() == changes
    assert Change.objects.count() > before


def test_reading_the_pages_changes_nothing(client, owner, patient):
    pages = edit_pages(patient)
    before = Change.objects.count()
    for name, pk in pages.items():
        client.get(reverse(name, args=[pk]))
    assert Change.objects.count() == before


def test_no_title_holds_a_name(client, owner, patient):
    write_identity(
        patient=patient, values={"name": "Inger Holm"}, seen=identity_as_seen(PatientIdentity()), by="x"
    )
    page = client.get(reverse("patient_identity", args=[patient.pk])).content.decode()
    title = page.split("<title>")[1].split("</title>")[0]
    assert "Inger" not in title
    assert "AAR-001" in title


# Correcting --------------------------------------------------------------------------------------------


def test_a_patient_is_corrected_with_a_reason_in_the_history(client, owner, patient):
    data = PATIENT | {"study_id": "AAR-001", "version": "1", "reason": "Misread"}
    assert client.post(reverse("patient_edit", args=[patient.pk]), data).status_code == 302
    patient.refresh_from_db()
    assert (patient.birth_year, patient.version, patient.consented_on) == (1960, 2, datetime.date(2026, 1, 2))


def test_the_conflict_shows_both_values_and_saves_on_the_second_try(client, owner, patient):
    url = reverse("patient_edit", args=[patient.pk])
    values = {"ethnicity": "Faroese"}
    change_patient(patient=patient, values=values, seen_version=1, by="colleague")
    data = PATIENT | {"study_id": "AAR-001", "version": "1"}
    response = client.post(url, data)
    page = response.content.decode()
    assert "Somebody else changed this" in page
    assert {(row.label, row.typed, row.recorded) for row in response.context["differences"]} >= {
        ("Ethnicity", "Danish", "Faroese"),
        ("Year of birth", "1960", "1970"),
    }
    patient.refresh_from_db()
    assert (patient.ethnicity, patient.birth_year) == ("Faroese", 1970)
    assert 'name="version" value="2"' in page
    assert client.post(url, data | {"version": "2"}).status_code == 302
    patient.refresh_from_db()
    assert (patient.ethnicity, patient.birth_year) == ("Danish", 1960)


@pytest.mark.parametrize("version", ["", "x", "0", "-1", "99999999999999999999"])
def test_a_wrong_version_is_refused(client, owner, patient, version):
    data = PATIENT | {"study_id": "AAR-001", "version": version}
    assert errors(client.post(reverse("patient_edit", args=[patient.pk]), data))
    assert Patient.objects.get().version == 1


def test_the_identity_is_written_and_the_year_of_birth_follows(client, owner, patient):
    url = reverse("patient_identity", args=[patient.pk])
    assert client.post(url, IDENTITY | {"seen": identity_as_seen(PatientIdentity())}).status_code == 302
    patient.refresh_from_db()
    assert (patient.identity.name, patient.birth_year) == ("Åse Østergård", 1960)
    change = Change.objects.filter(table_name="lesions_patient").latest("id")
    assert [row and row["birth_year"] for row in (change.old, change.new)] == [1970, 1960]


def test_two_people_on_one_identity(client, owner, patient):
    url = reverse("patient_identity", args=[patient.pk])
    seen = client.get(url).context["form"]["seen"].value()
    write_identity(patient=patient, values={"name": "Inger Holm"}, seen=seen, by="colleague")
    response = client.post(url, IDENTITY | {"seen": seen})
    assert ("Name", "Åse Østergård", "Inger Holm") in {
        (row.label, row.typed, row.recorded) for row in response.context["differences"]
    }
    assert PatientIdentity.objects.get().name == "Inger Holm"
    again = response.context["form"]["seen"].value()
    assert client.post(url, IDENTITY | {"seen": again}).status_code == 302
    assert PatientIdentity.objects.get().name == "Åse Østergård"


# Lesions, medications, earlier treatments ----------------------------------------------------------------


def test_a_lesion_is_recorded_as_typed(client, owner, patient):
    response = client.get(reverse("lesion_new", args=[patient.pk]))
    assert response.context["form"]["lesion_id"].value() == "L01"
    client.post(reverse("lesion_new", args=[patient.pk]), LESION)
    lesion = Lesion.objects.get()
    assert (lesion.patient, lesion.site_words) == (patient, "Left thumb, pulp")
    assert (lesion.onset_on, str(lesion.pain_vas), lesion.dysfunction) == ("2018-06", "5.5", True)
    assert client.get(reverse("lesion_new", args=[patient.pk])).context["form"]["lesion_id"].value() == "L02"


def test_save_and_add_another(client, owner, patient):
    url = reverse("lesion_new", args=[patient.pk])
    assert client.post(url, LESION | {"another": "yes"}).url == url
    assert client.post(url, LESION | {"lesion_id": "L02"}).url == reverse("series_new", args=[patient.pk])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"pain_vas": "1.000,5"}, "one decimal mark"),
        ({"pain_vas": "5,55"}, "at most 1 decimal"),
        ({"pain_vas": "11"}, "from 0 to 10"),
        ({"pain_vas": "-1"}, "from 0 to 10"),
        ({"pain_vas": "٥"}, "Enter a number"),
        ({"pain_vas": "1e1"}, "Enter a number"),
        ({"body_site": ""}, "required"),
        ({"body_site": "nose"}, "valid choice"),
        ({"onset_on": "2018-13"}, "no such date"),
        ({"onset_on": "2018-6"}, "2018-06"),
        ({"onset_on": "0001"}, "1880"),
        ({"onset_on": "2099"}, "in the future"),
        ({"lesion_id": "a b"}, "Letters, digits"),
        ({"site_detail": "a\x00b"}, "Null characters"),
    ],
)
def test_what_a_lesion_refuses(client, owner, patient, typed, sentence):
    response = client.post(reverse("lesion_new", args=[patient.pk]), LESION | typed)
    assert sentence in errors(response)
    assert not Lesion.objects.exists()


def test_the_same_lesion_sent_twice_is_recorded_once(client, owner, patient):
    client.post(reverse("lesion_new", args=[patient.pk]), LESION)
    response = client.post(reverse("lesion_new", args=[patient.pk]), LESION)
    assert "already" in errors(response) or "violated" in errors(response)
    assert Lesion.objects.count() == 1


def test_a_medication_is_stopped_by_one_field(client, owner, patient):
    client.post(reverse("medication_new", args=[patient.pk]), MEDICATION)
    medication = Medication.objects.get()
    url = reverse("medication_edit", args=[medication.pk])
    assert client.post(url, MEDICATION | {"version": "1", "stopped_on": "2026-02"}).status_code == 302
    medication.refresh_from_db()
    assert (medication.started_on, medication.stopped_on, medication.version) == ("2018", "2026-02", 2)


@pytest.mark.parametrize(
    ("started", "stopped", "is_refused"),
    [
        ("2018", "2017", True),
        ("2018-06", "2018", False),
        ("2018", "2018-01", False),
        ("2018-06-14", "2018-06-13", True),
    ],
)
def test_an_end_before_the_start_is_refused(client, owner, patient, started, stopped, is_refused):
    data = MEDICATION | {"started_on": started, "stopped_on": stopped}
    client.post(reverse("medication_new", args=[patient.pk]), data)
    assert Medication.objects.exists() is not is_refused


def test_an_earlier_treatment_of_another_patients_lesion_is_refused(client, owner, clinic, patient):
    foreign = make_lesion(make_patient(clinic))
    url = reverse("prior_treatment_new", args=[patient.pk])
    assert "valid choice" in errors(client.post(url, PRIOR | {"lesion": foreign.pk}))
    own = make_lesion(patient)
    assert client.post(url, PRIOR | {"lesion": own.pk}).status_code == 302
    assert PriorTreatment.objects.get().lesion == own


def test_the_conflict_of_a_lesion(client, owner, patient):
    lesion = make_lesion(patient, "L01")
    url = reverse("lesion_edit", args=[lesion.pk])
    assert client.post(url, LESION | {"version": "1", "pain_vas": "3"}).status_code == 302
    response = client.post(url, LESION | {"version": "1", "pain_vas": "4"})
    assert ("Average pain at enrolment", "4", "3") in {
        (row.label, row.typed, row.recorded) for row in response.context["differences"]
    }
    lesion.refresh_from_db()
    assert str(lesion.pain_vas) == "3.0"
