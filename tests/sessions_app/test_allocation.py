"""The allocation of a controlled protocol: closed until it is opened, with a reason, for ever."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.allocation import allocation_visible, closed_for, open_allocation
from sessions_app.allocation_list import allocations
from sessions_app.models import AllocationOpening, Protocol
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change, Event
from tests.builders import make_clinic, make_lesion, make_patient, make_series
from tests.web.access_world import make_person, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def orlando():
    return make_clinic("orlando")


@pytest.fixture
def lund():
    return make_clinic("lund")


@pytest.fixture
def dana(orlando):
    return make_person("dana", "data_manager", orlando)


@pytest.fixture
def web(client, dana):
    client.force_login(dana)
    return client


def trial(clinic, study_id: str):
    """A patient with two lesions, one in each arm."""
    patient = make_patient(clinic, study_id=study_id)
    return make_series(
        patient, [(make_lesion(patient), "active"), (make_lesion(patient), "control")], "placebo3"
    )


def typed(clinic, **values) -> dict:
    return {"of": f"{clinic.pk} placebo3", "scope": "clinic", "reason": "The trial has ended."} | values


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("clinician", False),
        ("nurse", False),
        ("investigator", False),
        ("observer", False),
        ("data_manager", True),
        ("administrator", False),
    ],
)
def test_while_it_is_closed_the_data_manager_alone_sees_it(orlando, lund, role, sees):
    series, reader = trial(orlando, "O-1"), make_person("reader", role, orlando)
    assert allocation_visible(reader, series) is sees
    assert not allocation_visible(make_person("stranger", role, lund), series)
    assert (("orlando", "placebo3") in closed_for(reader)) is not sees
    assert allocation_visible(reader, make_series(series.patient, protocol="weekly4"))


def test_the_page_says_what_is_closed_and_counts_its_series(web, orlando, lund):
    trial(orlando, "O-1")
    trial(lund, "L-1")
    answer = web.get(reverse("allocation"))
    assert [(row.clinic.code, row.code, row.series_count, row.is_open) for row in answer.context["rows"]] == [
        ("orlando", "placebo3", 1, False)
    ]
    page = answer.content.decode()
    assert "Nothing was opened" in page
    assert "Lund" not in page


def test_opening_the_clinic_shows_it_to_all_its_readers_and_stays_for_ever(web, orlando, lund):
    series, elsewhere = trial(orlando, "O-1"), trial(lund, "L-1")
    reader, stranger = make_person("reader", "clinician", orlando), make_person("stranger", "clinician", lund)
    answer = web.post(reverse("allocation_open"), typed(orlando), follow=True)
    assert answer.redirect_chain == [("/allocation/", 302)]
    page = answer.content.decode()
    assert "The trial has ended." in page
    assert "dana" in page
    assert allocation_visible(reader, series)
    assert not allocation_visible(stranger, elsewhere)
    opening = AllocationOpening.objects.get()
    assert (opening.clinic, opening.patient, opening.opened_by) == (orlando, None, "dana")
    change = Change.objects.get(table_name="sessions_app_allocationopening")
    assert (change.actor, change.reason) == ("dana", "The trial has ended.")
    assert Event.objects.get(kind="allocation_opened").actor == "dana"
    with pytest.raises(DatabaseError), acting(by="test", source="command"), transaction.atomic():
        AllocationOpening.objects.all()._raw_delete("default")


def test_one_patient_in_an_emergency(web, orlando):
    first, second = trial(orlando, "O-1"), trial(orlando, "O-2")
    reader = make_person("reader", "nurse", orlando)
    form = typed(orlando, scope="patient", patient="O-1", reason="Anaphylaxis.")
    assert web.post(reverse("allocation_open"), form).status_code == 302
    assert allocation_visible(reader, first)
    assert not allocation_visible(reader, second)
    assert ("orlando", "placebo3") in closed_for(reader)
    page = web.get(reverse("allocation"))
    assert "Patient O-1" in page.content.decode()
    assert [row.is_open for row in page.context["rows"]] == [False]
    assert Event.objects.get(kind="allocation_opened").patient_pk == first.patient_id
    answer = web.post(reverse("allocation_open"), form)
    assert "is open already" in answer.content.decode()
    assert AllocationOpening.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"scope": ""}, "scope"),
        ({"scope": "world"}, "scope"),
        ({"of": ""}, "of"),
        ({"of": "1 weekly4"}, "of"),
        ({"scope": "patient"}, "patient"),
        ({"scope": "patient", "patient": "nobody"}, "patient"),
        ({"scope": "patient", "patient": "L-1"}, "patient"),
        ({"scope": "patient", "patient": "O-9"}, "patient"),
        ({"patient": "O-1"}, "patient"),
    ],
)
def test_what_is_not_right_opens_nothing(web, orlando, lund, values, field):
    trial(orlando, "O-1")
    trial(lund, "L-1")
    make_patient(orlando, study_id="O-9")
    answer = web.post(reverse("allocation_open"), typed(orlando) | values)
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {field}
    assert not AllocationOpening.objects.exists()
    assert not Event.objects.filter(kind="allocation_opened").exists()


def test_another_clinics_is_not_theirs_to_open(web, lund):
    trial(lund, "L-1")
    answer = web.post(reverse("allocation_open"), typed(lund))
    assert set(answer.context["form"].errors) == {"of"}
    assert not AllocationOpening.objects.exists()


def test_what_is_open_is_not_offered_again(web, orlando):
    web.post(reverse("allocation_open"), typed(orlando))
    assert "Nothing is closed" in web.get(reverse("allocation_open")).content.decode()
    assert web.post(reverse("allocation_open"), typed(orlando)).status_code == 200
    assert AllocationOpening.objects.count() == 1


def test_looking_at_the_pages_opens_nothing(web, orlando):
    trial(orlando, "O-1")
    web.get(reverse("allocation"))
    web.get(reverse("allocation_open"))
    assert not AllocationOpening.objects.exists()


def test_a_reason_is_asked_for_by_the_service_and_the_database(orlando):
    with pytest.raises(ValidationError):
        open_allocation(clinic=orlando, protocol_code="placebo3", patient=None, reason=" ", by="dana")
    with pytest.raises(DatabaseError), transaction.atomic():
        save(AllocationOpening(clinic=orlando, protocol_code="placebo3", reason="", opened_by="dana"))


def test_a_controlled_protocol_of_another_clinic_is_not_listed(dana, orlando, lund):
    row = Protocol.objects.get(code="placebo3")
    row.pk, row.clinic, row.code, row._state.adding = None, lund, "lund-trial", True
    save(row)
    assert [row.code for row in allocations(dana)] == ["placebo3"]
    row.pk, row.clinic, row.code, row._state.adding = None, orlando, "orlando-trial", True
    save(row)
    assert [row.code for row in allocations(dana)] == ["orlando-trial", "placebo3"]


def test_two_versions_of_a_code_are_one_allocation(dana, orlando):
    row = Protocol.objects.get(code="placebo3")
    row.pk, row.version, row._state.adding = None, 2, True
    save(row)
    assert [row.code for row in allocations(dana)] == ["placebo3"]


def test_the_reading_room_says_that_nothing_waits(client, orlando):
    client.force_login(make_person("olga", "observer", orlando))
    assert "Nothing waits for you" in client.get("/", follow=True).content.decode()


def test_the_list_asks_the_same_number_of_questions_however_long(web, orlando, django_assert_num_queries):
    web.get(reverse("allocation"))
    with CaptureQueriesContext(connection) as few:
        web.get(reverse("allocation"))
    for number in range(10):
        series = trial(orlando, f"O-{number}")
        save(
            AllocationOpening(
                clinic=orlando, protocol_code="placebo3", patient=series.patient, reason="x", opened_by="dana"
            )
        )
    with django_assert_num_queries(len(few)):
        web.get(reverse("allocation"))
