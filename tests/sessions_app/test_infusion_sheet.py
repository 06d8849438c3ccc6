"""The sheet of an infusion: the infusion first, the lesions folded, steps in order, and only what the protocol gives."""

import datetime
import re

import pytest
from django.urls import reverse

from sessions_app.drafts import open_draft
from sessions_app.models import Protocol
from stsclinic.audit.acting import acting
from tests.builders import (
    make_assessment,
    make_clinic,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db


def sheet(client, protocol: str, kind: str = "treatment", **limits) -> str:
    clinic = make_clinic()
    patient, user = make_patient(clinic), make_user("clinician", clinic)
    if limits:
        with acting(by="test", source="command"):
            Protocol.objects.filter(code=protocol).update(**limits)
    series = make_series(patient, [make_lesion(patient), make_lesion(patient)], protocol=protocol)
    make_assessment(make_session(series, datetime.date(2026, 1, 5)), series.series_lesions.first().lesion)
    client.force_login(user)
    draft = open_draft(series=series, kind=kind, by=user)
    return client.get(reverse("draft", args=[draft.pk])).content.decode()


@pytest.mark.parametrize(
    ("protocol", "kind", "steps"),
    [
        ("iv", "treatment", ["step-before", "step-infusion", "step-lesions", "step-after"]),
        ("weekly4", "treatment", ["step-before", "step-common", "step-lesions", "step-after"]),
        ("weekly4", "follow_up", ["step-before", "step-lesions", "step-after"]),
        ("iv", "assessment", ["step-before", "step-lesions", "step-after"]),
    ],
)
def test_the_steps_are_numbered_as_they_come(client, protocol, kind, steps):
    page = sheet(client, protocol, kind)
    found = re.findall(r'<h2 id="(step-[a-z]+)"[^>]*><span class="sheet-step">(\d)</span>', page)
    assert [number for _step, number in found] == [str(number + 1) for number in range(len(steps))]
    assert [step for step, _number in found][1:] == steps[1:]


def test_the_lesions_of_an_infusion_are_folded_and_of_an_injection_are_not(client):
    assert re.search(r"<details[^>]*data-lesions>", sheet(client, "iv"))
    assert "data-lesions" not in sheet(client, "weekly4")


def test_the_protocol_s_infusion_is_told(client):
    assert "Protocol iv: usually 12.5 g in 30 min, at most 25 g in 60 min." in sheet(client, "iv")


def test_a_protocol_that_gives_no_infusion_is_told_without_one(client):
    none = dict.fromkeys(("usual_infusion_g", "usual_infusion_min", "max_infusion_g", "max_infusion_min"))
    page = sheet(client, "iv", **none)
    assert "None" not in page and "Protocol iv:" not in page
