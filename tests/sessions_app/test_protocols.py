"""Protocols: shown whole, copied, versioned, and never edited once a series has used them."""

from dataclasses import asdict, replace

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from sessions_app import protocols as rules
from sessions_app.models import Protocol
from sessions_app.protocols import (
    NAMES,
    READ_BY,
    SECTIONS,
    WORDS,
    alerts_reading,
    in_words,
    protocols_seen,
    refuse_contradictions,
    sections_of,
)
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.clinical.alerts import ALERTS
from stsclinic.clinical.protocols import PLACEBO3, SHIPPED, WEEKLY4
from stsclinic.clinical.terms import SUBTYPE
from tests.builders import make_clinic, make_lesion, make_patient, make_series
from tests.web.access_world import make_person, save


@pytest.fixture
def clinic(db):
    return make_clinic("aarhus")


@pytest.fixture
def web(client, clinic):
    client.force_login(make_person("boss", "administrator", clinic))
    return client


def shipped(code: str) -> Protocol:
    return Protocol.objects.get(code=code, clinic=None)


def as_shown(web, url: str) -> dict:
    """What a browser would send back of a protocol's form."""
    shown = {bound.name: bound.value() for bound in web.get(url).context["form"]}
    return {name: value for name, value in shown.items() if value not in (None, False, [])}


def own(clinic, code: str = "own", version: int = 1, begins_from: str = "weekly4", **values) -> Protocol:
    """A protocol of the clinic's own."""
    row = shipped(begins_from)
    row.pk, row.clinic, row.code, row.version, row._state.adding = None, clinic, code, version, True
    for name, value in values.items():
        setattr(row, name, value)
    return save(row)


# What stands on a page


def test_every_field_of_a_definition_is_in_one_section_and_has_words():
    listed = [name for names in SECTIONS.values() for name in names]
    assert len(listed) == len(set(listed))
    assert {*listed, "code", "version"} == set(NAMES)
    assert set(WORDS) == set(listed)


def test_the_alerts_that_read_a_field_are_alerts_and_the_field_is_one():
    codes = {entry.code for entry in ALERTS}
    assert {code for read in READ_BY.values() for code in read} <= codes
    assert set(READ_BY) <= set(NAMES)


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda definition: definition.code)
def test_every_number_of_a_shipped_protocol_stands_in_its_sections(definition):
    lines = {line.name: line for lines in sections_of(definition).values() for line in lines}
    for name, value in asdict(definition).items():
        if name in lines:
            assert lines[name].value == in_words(name, value)
            assert lines[name].value


def test_words_of_values():
    assert in_words("max_volume_ml_per_lesion", PLACEBO3.max_volume_ml_per_lesion) == "0.4"
    assert in_words("max_volume_ml_per_lesion", None) == "None given"
    assert in_words("needs_approval_above_usual", True) == "Yes"
    assert in_words("subtypes", ()) == "Any"
    assert in_words("subtypes", ("idiopathic", "dystrophic")) == "Idiopathic, Dystrophic"
    assert in_words("follow_up_from", "") == "None given"
    assert in_words("follow_up_from", "last_treatment") == "last treatment"


def test_alerts_reading_a_protocol():
    assert {alert["code"] for alert in alerts_reading(WEEKLY4)} == {
        "too_young", "birth_year_not_recorded", "concentration_needs_approval", "too_early", "too_late",
        "more_than_planned", "missing_follow_up", "ptga_worse",
    }  # fmt: skip
    assert {alert["code"] for alert in alerts_reading(PLACEBO3)} == {
        "too_young", "birth_year_not_recorded", "breast_feeding", "breast_feeding_not_recorded",
        "above_maximum", "too_early", "too_late", "more_than_planned", "missing_follow_up", "ptga_worse",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("interval_min_days", {"too_early"}),
        ("max_infusion_g", {"above_maximum"}),
        ("excludes_breast_feeding", {"breast_feeding", "breast_feeding_not_recorded"}),
    ],
)
def test_a_field_says_which_alerts_read_it(field, codes):
    assert set(READ_BY[field]) == codes


def test_the_page_shows_one_version_whole(web, clinic):
    page = web.get(reverse("protocol", args=[shipped("placebo3").pk])).content.decode()
    for words in (
        "0.4",
        "ml/cm²",
        "Blinded against saline",
        "The patient is not a prisoner.",
        "JAAD Int",
        "above_maximum",
    ):
        assert words in page
    assert "Make a copy for your clinic" in page
    assert "No series of your clinics uses this version." in page


def test_the_list_counts_the_series_of_ones_own_clinics(web, clinic):
    for place, count in ((clinic, 2), (make_clinic("lund"), 3)):
        for _ in range(count):
            patient = make_patient(place)
            make_series(patient, [make_lesion(patient)])
    rows = {row.code: row.series_count for row in web.get(reverse("protocols")).context["rows"]}
    assert rows == {"biweekly": 0, "iv": 0, "longterm": 0, "placebo3": 0, "weekly4": 2}
    assert (
        "2 series of your clinics use this version; it is never edited."
        in web.get(reverse("protocol", args=[shipped("weekly4").pk])).content.decode()
    )


def test_the_number_of_queries_does_not_grow_with_the_protocols(web, clinic, django_assert_num_queries):
    web.get(reverse("protocols"))
    with CaptureQueriesContext(connection) as few:
        web.get(reverse("protocols"))
    for number in range(20):
        own(clinic, f"own{number}")
    with django_assert_num_queries(len(few)):
        web.get(reverse("protocols"))


def test_another_clinics_protocol_is_not_seen(web, clinic):
    theirs = own(make_clinic("lund"))
    assert web.get(reverse("protocol", args=[theirs.pk])).status_code == 404
    assert web.get(reverse("protocol_new_version", args=[theirs.pk])).status_code == 404
    assert "Lund" not in web.get(reverse("protocols")).content.decode()


# Making them


def test_a_shipped_protocol_is_copied_under_a_code_of_the_clinics_own(web, clinic):
    begins_from = shipped("weekly4")
    url = reverse("protocol_new_version", args=[begins_from.pk])
    assert (
        web.post(url, as_shown(web, url) | {"code": "aarhus-weekly", "interval_max_days": "21"}).status_code
        == 302
    )
    made = Protocol.objects.get(code="aarhus-weekly")
    assert (made.clinic, made.version, made.interval_max_days) == (clinic, 1, 21)
    same = {"code": "", "version": 1, "interval_max_days": 0}
    assert replace(made.definition, **same) == replace(begins_from.definition, **same)
    assert Protocol.objects.filter(code="weekly4").count() == 1
    change = Change.objects.get(table_name="sessions_app_protocol", row_id=made.pk)
    assert (change.action, change.actor, change.source) == ("created", "boss", "page")


@pytest.mark.parametrize("code", [definition.code for definition in SHIPPED])
def test_every_shipped_protocol_can_be_copied_as_it_is(web, clinic, code):
    url = reverse("protocol_new_version", args=[shipped(code).pk])
    assert web.post(url, as_shown(web, url) | {"code": f"own-{code}"}).status_code == 302
    made, begins_from = Protocol.objects.get(code=f"own-{code}").definition, shipped(code).definition
    assert replace(made, code="") == replace(begins_from, code="")


def test_the_next_version_of_ones_own(web, clinic):
    first = own(clinic)
    url = reverse("protocol_new_version", args=[first.pk])
    typed = as_shown(web, url) | {"name": "Better", "min_age": "21"}
    assert web.post(url, typed).status_code == 302
    assert web.post(url, typed | {"name": "Best"}).status_code == 302
    rows = list(Protocol.objects.filter(code="own").values_list("version", "name", "min_age", "clinic__code"))
    assert rows == [(1, first.name, 18, "aarhus"), (2, "Better", 21, "aarhus"), (3, "Best", 21, "aarhus")]


def test_route_and_arms_are_the_same_in_all_versions(web, clinic):
    first = own(clinic, begins_from="placebo3")
    url = reverse("protocol_new_version", args=[first.pk])
    assert web.post(url, as_shown(web, url) | {"is_controlled": "", "route": "infusion"}).status_code == 302
    made = Protocol.objects.get(code="own", version=2)
    assert made.is_controlled
    assert made.route == "injection"


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"code": "weekly4"}, "code", "This code is taken"),
        ({"code": "theirs"}, "code", "This code is taken"),
        ({"code": "Not a slug"}, "code", "Small letters"),
        ({"name": ""}, "name", "This field is required"),
        ({"interval_min_days": "32"}, "interval_max_days", "must not be less than 32"),
        ({"max_age": "17"}, "max_age", "must not be less than 18"),
        ({"usual_concentration_mg_ml": "1.000,5"}, "usual_concentration_mg_ml", "Use one decimal mark"),
        ({"usual_concentration_mg_ml": ""}, "usual_concentration_mg_ml", "above which concentration"),
        ({"follow_up_from": ""}, "follow_up_from", "from which treatment"),
        ({"planned_treatments": "0"}, "planned_treatments", "from 1 to 1000"),
        ({"planned_treatments": "4.5"}, "planned_treatments", "whole number"),
        ({"min_pain_vas": "10.1"}, "min_pain_vas", "from 0 to 10"),
        ({"subtypes": ["imagined"]}, "subtypes", "not one of the available choices"),
        ({"other_criteria": "Twice.\nTwice."}, "other_criteria", "stands there twice"),
        ({"other_criteria": "x" * 301}, "other_criteria", "at most 300"),
        ({"uses_observer_pga": "on"}, "uses_pga", "choose both"),
    ],
)
def test_what_cannot_hold_is_refused_beside_the_field_and_nothing_is_lost(
    web, clinic, typed, field, sentence
):
    own(make_clinic("lund"), "theirs")
    url = reverse("protocol_new_version", args=[shipped("weekly4").pk])
    count = Protocol.objects.count()
    answer = web.post(url, as_shown(web, url) | {"code": "fresh", "source": "Kept as typed"} | typed)
    assert answer.status_code == 200
    assert sentence in " ".join(answer.context["form"].errors[field])
    page = answer.content.decode()
    assert "data-error-summary" in page
    assert "Kept as typed" in page
    assert Protocol.objects.count() == count


def test_numbers_are_read_with_comma_and_point(web, clinic):
    url = reverse("protocol_new_version", args=[shipped("placebo3").pk])
    typed = as_shown(web, url) | {"code": "own", "max_volume_ml_per_lesion": "0,55", "min_lesion_mm": "2.5"}
    assert web.post(url, typed).status_code == 302
    made = Protocol.objects.get(code="own").definition
    assert (str(made.max_volume_ml_per_lesion), str(made.min_lesion_mm)) == ("0.550", "2.5")


def test_a_shipped_one_gets_no_new_version_even_round_the_form(clinic):
    with pytest.raises(ValidationError, match="make a copy"):
        rules.make_new_version(shipped("weekly4"), values={}, by="boss")


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda definition: definition.code)
def test_no_shipped_protocol_contradicts_itself(definition):
    refuse_contradictions(definition)


@given(low=st.integers(0, 400), high=st.integers(0, 400))
def test_a_window_never_ends_before_it_begins(low, high):
    definition = replace(WEEKLY4, interval_min_days=low, interval_max_days=high)
    if low <= high:
        refuse_contradictions(definition)
    else:
        with pytest.raises(ValidationError) as caught:
            refuse_contradictions(definition)
        assert set(caught.value.message_dict) == {"interval_max_days"}


# Never edited


@pytest.fixture
def used(clinic) -> Protocol:
    patient = make_patient(clinic)
    row = own(clinic)
    series = make_series(patient, [make_lesion(patient)])
    series.protocol = row
    save(series)
    return row


def try_to_write(row: Protocol, how: str) -> None:
    with acting(by="test", source="command"), transaction.atomic():
        if how == "save":
            row.name = "Edited"
            row.save()
        elif how == "update":
            Protocol.objects.filter(pk=row.pk).update(max_age=90)
        elif how == "bulk":
            row.subtypes = list(SUBTYPE)
            Protocol.objects.bulk_update([row], ["subtypes"])
        elif how == "sql":
            with connection.cursor() as cursor:
                cursor.execute("UPDATE sessions_app_protocol SET name = 'Edited' WHERE id = %s", [row.pk])
        else:
            row.delete()


@pytest.mark.parametrize("how", ["save", "update", "bulk", "sql", "delete"])
def test_a_used_version_is_never_edited_by_any_way_in(used, how):
    before = Protocol.objects.filter(pk=used.pk).values().get()
    with pytest.raises((DatabaseError, ProtectedError)) as caught:
        try_to_write(Protocol.objects.get(pk=used.pk), how)
    if how != "delete":
        assert "never edited" in str(caught.value)
    assert Protocol.objects.filter(pk=used.pk).values().get() == before


def test_it_stays_so_when_the_series_is_struck_out(used):
    from stsclinic.audit.services import strike_out

    strike_out(used.series.get(), by="test", reason="typed twice")
    with pytest.raises(DatabaseError, match="never edited"):
        try_to_write(Protocol.objects.get(pk=used.pk), "save")


def test_an_unused_version_can_still_be_written(clinic):
    try_to_write(own(clinic), "save")
    assert Protocol.objects.get(code="own").name == "Edited"


def test_a_used_version_gets_a_next_one(web, used):
    url = reverse("protocol_new_version", args=[used.pk])
    assert web.post(url, as_shown(web, url) | {"name": "Next"}).status_code == 302
    assert used.series.get().protocol.version == 1


def test_roles_without_a_clinic_see_no_clinics_own(clinic):
    own(clinic)
    reader = make_person("reader", "investigator", make_clinic("lund"))
    assert {row.code for row in protocols_seen(reader)} == {definition.code for definition in SHIPPED}
