"""Finding patients: by study ID and name, by filters, page by page, for those who may."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lesions.models import PatientIdentity, beginnings
from sessions_app import patient_list
from sessions_app.patient_list import Wanted, find_patients
from stsclinic.audit.acting import acting
from stsclinic.clinics.models import Membership
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_session, make_user

pytestmark = pytest.mark.django_db


def named(patient, name):
    with acting(by="test", source="command"):
        PatientIdentity.objects.create(patient=patient, name=name)
    return patient


@pytest.fixture
def clinic():
    return make_clinic("aarhus")


@pytest.fixture
def clinician(clinic):
    return make_user("clinician", clinic)


def ids(user, **wanted):
    return [row.study_id for row in find_patients(user, Wanted(**wanted)).rows]


def test_by_study_id_and_by_name(clinic, clinician):
    named(make_patient(clinic, study_id="AAR-001"), "Åse Østergård")
    named(make_patient(clinic, study_id="AAR-002"), "Inger Holm")
    assert ids(clinician, text="aar-00") == ["AAR-001", "AAR-002"]
    assert ids(clinician, text="AAR-002") == ["AAR-002"]
    assert ids(clinician, text="ØSTER") == ["AAR-001"]
    assert ids(clinician, text="holm") == ["AAR-002"]
    assert ids(clinician, text="i") == ["AAR-002"]
    assert ids(clinician, text="h") == ["AAR-002"]
    assert ids(clinician, text="inger ho") == ["AAR-002"]
    assert ids(clinician, text="nger") == []
    assert ids(clinician, text="%") == []
    assert ids(clinician, text="_") == []


@pytest.mark.parametrize("text", ["aud", "AUD", "Aud", "aUd", "aud-1", "AUD-1", "Aud-1"])
def test_a_study_id_is_found_whatever_its_capitals(clinic, clinician, text):
    for study_id in ("Aud-1", "aUD-10", "AUD-11", "BUD-1"):
        make_patient(clinic, study_id=study_id)
    assert ids(clinician, text=text) == ["Aud-1", "aUD-10", "AUD-11"]


def test_what_is_found_by_a_text_goes_on_page_by_page_whatever_the_capitals(clinic, clinician, monkeypatch):
    monkeypatch.setattr(patient_list, "PAGE", 2)
    there = ["aud-1", "AUD-2", "Aud-3", "aud-4", "AUD-5"]
    for study_id in there:
        make_patient(clinic, study_id=study_id)
    page, found = find_patients(clinician, Wanted(text="aud")), []
    while True:
        found += [row.study_id for row in page.rows]
        if not page.next:
            break
        page = find_patients(clinician, Wanted(text="aud", after=page.next))
    assert found == there
    back = find_patients(clinician, Wanted(text="aud", before=page.previous))
    assert [row.study_id for row in back.rows] == there[2:4]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(text="p-0399"), "study_id_once_in_any_capitals"),
        (Wanted(text="quist"), "names_by_beginning"),
        (Wanted(diagnosis="mctd"), "patients_by_diagnosis"),
        (Wanted(status="withdrawn"), "patients_withdrawn"),
    ],
)
def test_what_few_have_is_looked_up_in_its_own_index(clinic, clinician, wanted, index):
    """With counted rows and without: SQLite counts none by itself."""
    for number in range(400):
        rare = {"diagnosis": "mctd", "withdrawn_on": datetime.date(2026, 1, 5)} if number == 7 else {}
        named(
            make_patient(clinic, study_id=f"P-{number:04}", **rare),
            "Ragnhild Quistgaard" if rare else f"Inger {number}",
        )
    with CaptureQueriesContext(connection) as captured:
        find_patients(clinician, wanted)
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    for is_counted in (False, True) if connection.vendor == "sqlite" else (True,):
        with connection.cursor() as cursor:
            if is_counted:
                cursor.execute("ANALYZE")
            plans = []
            for sql in asked:
                cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + sql)
                plans.append(str(cursor.fetchall()))
        assert any(index in plan for plan in plans), "\n".join(plans)


def test_a_series_is_asked_of_each_patient_by_the_patient(clinic, clinician, monkeypatch):
    monkeypatch.setattr(patient_list, "FEW", 2)
    for number in range(60):
        make_series(make_patient(clinic, study_id=f"P-{number:04}"), protocol="weekly4")
    with CaptureQueriesContext(connection) as captured:
        find_patients(clinician, Wanted(protocol="weekly4"))
    (asked,) = [query["sql"] for query in captured if "EXISTS" in query["sql"]]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
            plan = str(cursor.fetchall())
        assert "(patient_id=?)" in plan
        assert "protocol_id=?" not in plan


def test_names_are_found_and_shown_only_where_they_may_be(client, clinic):
    named(make_patient(clinic, study_id="AAR-001"), "Inger Holm")
    other = make_clinic("other")
    named(make_patient(other, study_id="OTH-001"), "Inger Lund")
    user = make_user("nurse", clinic)
    with acting(by="test", source="command"):
        Membership.objects.create(user=user, clinic=other, role="investigator")
    assert ids(user) == ["AAR-001", "OTH-001"]
    assert ids(user, text="inger") == ["AAR-001"]
    client.force_login(user)
    page = client.post(reverse("patients"), {"text": ""}).content.decode()
    assert "Inger Holm" in page
    assert "Inger Lund" not in page
    client.force_login(make_user("investigator", clinic))
    page = client.post(reverse("patients"), {"text": "inger"}).content.decode()
    assert "Inger" not in page.replace('value="inger"', "")
    assert "AAR-001" not in page


def test_another_clinics_patients_are_not_there(client, clinic, clinician):
    make_patient(make_clinic("other"), study_id="OTH-001")
    client.force_login(clinician)
    for data in ({}, {"text": "OTH"}):
        assert "OTH-001" not in client.post(reverse("patients"), data).content.decode()


def test_the_filters(clinic, clinician):
    day = datetime.date(2026, 1, 1)
    make_patient(clinic, study_id="P1-offered", consented_on=None)
    make_patient(clinic, study_id="P2-declined", consented_on=None, not_enrolled_reason="declined")
    make_patient(clinic, study_id="P3-consented", diagnosis="dm")
    withdrawn = make_patient(clinic, study_id="P4-withdrawn", withdrawn_on=day)
    treated = make_patient(clinic, study_id="P5-treated")
    finished = make_patient(clinic, study_id="P6-finished")
    make_series(withdrawn)
    make_series(treated, protocol="biweekly")
    make_series(finished, status="completed")
    assert ids(clinician, status="offered") == ["P1-offered"]
    assert ids(clinician, status="not_enrolled") == ["P2-declined"]
    assert ids(clinician, status="consented") == ["P3-consented", "P6-finished"]
    assert ids(clinician, status="withdrawn") == ["P4-withdrawn"]
    assert ids(clinician, status="in_series") == ["P5-treated"]
    assert ids(clinician, diagnosis="dm") == ["P3-consented"]
    assert ids(clinician, protocol="biweekly") == ["P5-treated"]
    assert ids(clinician, clinic=clinic.pk, protocol="iv") == []
    shown = {row.study_id: row.status for row in find_patients(clinician, Wanted()).rows}
    for status in patient_list.STATUS:
        assert [study_id for study_id, code in shown.items() if code == status] == ids(
            clinician, status=status
        )


def test_what_a_row_shows(clinic, clinician):
    patient = make_patient(clinic, study_id="AAR-001", birth_year=datetime.date.today().year - 50)
    series = make_series(patient, [make_lesion(patient)])
    make_session(series, datetime.date(2026, 1, 5))
    make_session(series, datetime.date(2026, 1, 12))
    (row,) = find_patients(clinician, Wanted()).rows
    assert (row.sex, row.age, row.diagnosis) == ("Female", "50", "Limited cutaneous systemic sclerosis")
    assert row.series == "Weekly, four treatments, series 1"
    assert row.last_session_on == datetime.date(2026, 1, 12)


def test_pages_go_forth_and_back(client, clinic, clinician, monkeypatch):
    monkeypatch.setattr(patient_list, "PAGE", 3)
    for number in range(8):
        make_patient(clinic, study_id=f"AAR-{number}")
    pages, after = [], ""
    while True:
        page = find_patients(clinician, Wanted(after=after))
        pages.append([row.study_id for row in page.rows])
        if not page.next:
            break
        after = page.next
    assert pages == [["AAR-0", "AAR-1", "AAR-2"], ["AAR-3", "AAR-4", "AAR-5"], ["AAR-6", "AAR-7"]]
    back = find_patients(clinician, Wanted(before=page.previous))
    assert [row.study_id for row in back.rows] == pages[1]
    first = find_patients(clinician, Wanted(before=back.previous))
    assert [row.study_id for row in first.rows] == pages[0]
    assert first.previous == ""
    assert first.next == "AAR-2"
    client.force_login(clinician)
    shown = client.post(reverse("patients"), {"after": "AAR-2"}).content.decode()
    assert "AAR-3" in shown
    assert 'name="after" value="AAR-5"' in shown


def test_the_number_of_queries_does_not_grow(client, clinic, clinician):
    client.force_login(clinician)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.post(reverse("patients"), {"text": "AAR"})
        return len(captured)

    for number in range(2):
        make_series(named(make_patient(clinic, study_id=f"AAR-{number:02}"), "A B"))
    few = queries()
    for number in range(2, 30):
        make_series(named(make_patient(clinic, study_id=f"AAR-{number:02}"), "A B"))
    assert queries() == few


def test_the_empty_list_says_what_to_do_next(client, clinic, clinician):
    client.force_login(clinician)
    page = client.get(reverse("patients")).content.decode()
    assert "There is no patient yet" in page
    assert reverse("enrol") in page
    assert "No patient is found" in client.post(reverse("patients"), {"text": "x"}).content.decode()
    client.force_login(make_user("investigator", clinic))
    assert reverse("enrol") not in client.get(reverse("patients")).content.decode()


def test_a_part_for_htmx(client, clinic, clinician):
    make_patient(clinic, study_id="AAR-001")
    client.force_login(clinician)
    part = client.post(reverse("patients"), {"text": "aar"}, headers={"HX-Request": "true"}).content.decode()
    assert "AAR-001" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    "data", [{"clinic": "x"}, {"clinic": "999"}, {"status": "ill"}, {"text": "x" * 999}, {"text": "\x00"}]
)
def test_a_careless_search_is_no_error(client, clinic, clinician, data):
    client.force_login(clinician)
    assert client.post(reverse("patients"), data).status_code == 200


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("", set()),
        ("Holm", {"holm"}),
        ("Anne-Marie Ø", {"anne-marie ø", "marie ø", "ø"}),
        ("  d'Aosta ", {"d'aosta ", "aosta "}),
        ("李小龍", {"李小龍"}),
    ],
)
def test_a_name_is_found_from_each_of_its_words(name, texts):
    assert {text.decode() for text in beginnings(name)} == texts


def test_a_changed_name_is_found_no_more(clinic, clinician):
    patient = named(make_patient(clinic, study_id="AAR-001"), "Inger Holm")
    with acting(by="test", source="command"):
        patient.identity.name = "Inger Lund"
        patient.identity.save()
    assert ids(clinician, text="holm") == []
    assert ids(clinician, text="lund") == ["AAR-001"]


@pytest.mark.parametrize(("few", "is_told"), [(2, True), (3, False), (4, False)])
def test_it_is_told_that_more_have_such_a_name(client, clinic, clinician, monkeypatch, few, is_told):
    monkeypatch.setattr(patient_list, "FEW", few)
    for number, name in enumerate(("Inger Dahl", "Inger Holm", "Inger Lund")):
        named(make_patient(clinic, study_id=f"P-{number}"), name)
    client.force_login(clinician)
    page = client.post(reverse("patients"), {"text": "inger"}).content.decode()
    told = f"More than {few} patients have a name that begins so."
    assert (told in page) is is_told
    assert page.count('<th scope="row"') == min(few, 3)
    assert "More than" not in client.post(reverse("patients"), {"text": "p-"}).content.decode()


@pytest.mark.parametrize("few", [0, 500])
def test_many_are_found_as_few_are(clinic, clinician, monkeypatch, few):
    """Beyond FEW the patients of a protocol are asked one by one: the same are found."""
    monkeypatch.setattr(patient_list, "FEW", few)
    for number, protocol in enumerate(("weekly4", "biweekly", "weekly4")):
        make_series(make_patient(clinic, study_id=f"P{number}"), protocol=protocol)
    make_patient(clinic, study_id="P3")
    assert ids(clinician, protocol="weekly4") == ["P0", "P2"]
    assert ids(clinician, status="in_series") == ["P0", "P1", "P2"]
    assert ids(clinician, status="consented") == ["P3"]
