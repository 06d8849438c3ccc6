"""The same site on both hands, different values: each stands with its own side, on every page and in every file.

Users of comparable systems have found the sides exchanged in print.
"""

import csv
import io
import json
import re
import zipfile
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.dataout.bundle import write_bundle
from sessions_app.dataout.manifest import Made
from sessions_app.dataout.plan import Plan
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_upload
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)
from tests.web.rendered import rows_of, tables_of, words_of

pytestmark = pytest.mark.django_db

# The right hand comes first, so that an order by ID, by key and by side are three different orders.
HANDS = {
    "L01": {
        "laterality": "right",
        "pain": "8",
        "sizes": ("47", "37", "45", "35"),
        "volume": "0.47",
        "needle_pain": "7",
    },
    "L02": {
        "laterality": "left",
        "pain": "3",
        "sizes": ("31", "21", "29", "19"),
        "volume": "0.31",
        "needle_pain": "2",
    },
}
SIDE = {"right": "Right", "left": "Left"}
TIPS = [
    ("palms", 48, "right"),
    ("palms", 312, "left"),
    ("hand_backs", 48, "left"),
    ("hand_backs", 312, "right"),
]
"""The tips of the index fingers as they are drawn: with the palms to the front, and from behind."""


def own(lesion_id: str) -> set[str]:
    """The texts that stand with this hand only."""
    hand = HANDS[lesion_id]
    longest, widest, longest_end, widest_end = hand["sizes"]
    return {SIDE[hand["laterality"]], longest, widest, longest_end, widest_end, hand["volume"]}


def other(lesion_id: str) -> str:
    return next(one for one in HANDS if one != lesion_id)


@pytest.fixture
def clinic():
    return make_clinic("north")


@pytest.fixture
def patient(clinic):
    """Two treatments of the back of both hands; the left one is given first where order could matter."""
    patient = make_patient(clinic, study_id="SIDES")
    lesions = {
        lesion_id: make_lesion(
            patient, lesion_id, body_site="hand_dorsum", laterality=hand["laterality"], pain_vas=hand["pain"]
        )
        for lesion_id, hand in HANDS.items()
    }
    series = make_series(
        patient,
        reversed(list(lesions.values())),
        status="stopped",
        stop_reason="sufficient_partial_remission",
    )
    for visit, (day, score) in enumerate([(5, 8), (12, 4)]):
        session = make_session(series, date(2026, 1, day), ptga=score, phga=score)
        for lesion_id in reversed(HANDS):
            hand = HANDS[lesion_id]
            longest, widest = hand["sizes"][2 * visit : 2 * visit + 2]
            make_assessment(session, lesions[lesion_id], longest_mm=longest, widest_mm=widest)
            make_injection(
                session, lesions[lesion_id], volume_ml=hand["volume"], pain_vas=hand["needle_pain"]
            )
    return patient


def signed_in(role: str, clinic) -> Client:
    client = Client()
    client.force_login(make_user(role, clinic))
    return client


def html_of(client: Client, name: str, *args) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return response.content.decode()


def rows_about(html: str, lesion_id: str) -> list[list[str]]:
    """Every row of every table that begins with this lesion."""
    return [
        row for table in tables_of(html) for row in table.rows if row and row[0].split(" ")[0] == lesion_id
    ]


def assert_with_its_own_side(rows: list[list[str]], lesion_id: str, *values: str) -> None:
    """Each row names the lesion's side and holds nothing of the other hand; together they hold the values."""
    found = set()
    for row in rows:
        words = set(re.split(r"[\s×(),;]+", " ".join(row)))
        assert SIDE[HANDS[lesion_id]["laterality"]] in words, row
        assert not own(other(lesion_id)) & words, row
        found |= words
    assert rows
    assert found >= set(values), rows


@pytest.mark.parametrize("lesion_id", HANDS)
@pytest.mark.parametrize("role", ["clinician", "nurse", "investigator", "data_manager"])
def test_on_the_patients_page_and_its_print(clinic, patient, role, lesion_id):
    html = html_of(signed_in(role, clinic), "patient", patient.pk)
    hand = HANDS[lesion_id]
    assert_with_its_own_side(rows_about(html, lesion_id), lesion_id, *hand["sizes"], hand["pain"])


@pytest.mark.parametrize("lesion_id", HANDS)
@pytest.mark.parametrize("visit", [0, 1])
def test_on_the_page_of_a_session_and_its_print(clinic, patient, visit, lesion_id):
    session = patient.series.get().sessions.order_by("session_no")[visit]
    html = html_of(signed_in("clinician", clinic), "session", session.pk)
    hand = HANDS[lesion_id]
    sizes = hand["sizes"][2 * visit : 2 * visit + 2]
    values = (*sizes, hand["volume"], hand["needle_pain"])
    assert_with_its_own_side(rows_about(html, lesion_id), lesion_id, *values)


@pytest.mark.parametrize(("figure", "x", "side"), TIPS)
def test_where_a_lesion_is_put_and_on_every_page_after(clinic, patient, figure, x, side):
    """Pointed at, named, saved and shown: one side from the drawing to the print."""
    client = signed_in("clinician", clinic)
    page = reverse("lesion_new", args=[patient.pk])
    begun = client.post(page, {"begin": "yes", "put_at": f"{figure},{x},200"}).context["form"]
    named = {name: begun[name].value() for name in ("body_site", "laterality", "site_detail", "put_at")}
    assert named["laterality"] == side
    sent = {"lesion_id": "L03", "lesion_type": "nodule", "subtype": "dystrophic"} | named
    refused = client.post(page, sent | {"laterality": "left" if side == "right" else "right"})
    assert refused.context["form"].errors.keys() == {"laterality"}
    assert client.post(page, sent).status_code == 302
    lesion = patient.lesions.get(lesion_id="L03")
    assert (lesion.laterality, lesion.put_at.side) == (side, side)
    for name in ("patient", "body_map"):
        outline = re.split(r"<figure ", html_of(client, name, patient.pk))
        (drawing,) = (one for one in outline if 'aria-label="L03: ' in one)
        at = float(re.search(r'aria-label="L03: .*?translate\(([\d.]+) ', drawing, re.DOTALL).group(1))
        words = re.findall(r'<text class="body-side" x="(\d+)"[^>]*>(\w+)</text>', drawing)
        assert dict((int(where) < 180, word) for where, word in words)[at < 180] == SIDE[side]
        assert f'aria-label="L03: {SIDE[side]} index finger' in drawing


@pytest.mark.parametrize("lesion_id", HANDS)
def test_beside_the_fields_of_the_next_sheet(clinic, patient, lesion_id):
    """The last values stand at the lesion whose they are, under its own side."""
    client = signed_in("clinician", clinic)
    series = patient.series.get()
    response = client.post(reverse("session_open", args=[series.pk, "follow_up"]), follow=True)
    fieldsets = response.content.decode().split('<fieldset class="sheet-lesion')[1:]
    (own_fields,) = [words_of(f"<p{one}") for one in fieldsets if f"<strong>{lesion_id}</strong>" in one]
    hand, no_hand = HANDS[lesion_id], HANDS[other(lesion_id)]
    assert own_fields.startswith(f"{lesion_id} {SIDE[hand['laterality']]} ")
    assert f"{hand['sizes'][2]} × {hand['sizes'][3]}" in own_fields
    assert f"{no_hand['sizes'][2]} × {no_hand['sizes'][3]}" not in own_fields


@pytest.mark.parametrize("lesion_id", HANDS)
def test_in_the_report_and_its_files(clinic, patient, lesion_id):
    client = signed_in("investigator", clinic)
    with zipfile.ZipFile(io.BytesIO(client.get(reverse("report_download", args=["csv"])).content)) as archive:
        in_file = list(csv.reader(io.StringIO(archive.read("lesions.csv").decode(), newline="")))[1:]
    for rows in (rows_of(html_of(client, "report"), "table-lesions"), in_file):
        mine = [row for row in rows if row[2] == lesion_id]
        assert_with_its_own_side(mine, lesion_id, *HANDS[lesion_id]["sizes"])
    by_lesion = json.loads(client.get(reverse("report_download", args=["json"])).content)["remission"]
    assert by_lesion["follow_up"]["by_lesion"]["partial"] == 2


@pytest.mark.parametrize("lesion_id", HANDS)
def test_in_the_data_sheets_and_after_they_were_read_again(clinic, patient, lesion_id, tmp_path):
    hand = HANDS[lesion_id]

    def exported(folder) -> dict[str, list[dict[str, str]]]:
        folder.mkdir()
        plan = Plan(clinics=("north",), formats=("csv",), with_dates=True, with_text=True)
        write_bundle(folder, plan, Made("test", timezone.now()))
        with zipfile.ZipFile(folder / "sheets.zip") as archive:
            return {
                name: list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
                for name in archive.namelist()
            }

    first = exported(tmp_path / "first")
    moved = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "first" / "sheets.zip") as old, zipfile.ZipFile(moved, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"SIDES", b"AGAIN"))
    raw = read_upload(moved, "sheets.zip")
    import_sheets(raw, by="test", source="import")
    for patient_id, sheets in (("SIDES", first), ("AGAIN", exported(tmp_path / "again"))):

        def mine(name, sheets=sheets, patient_id=patient_id):
            key = {"patient_id": patient_id, "lesion_id": lesion_id}
            return [row for row in sheets[name] if key.items() <= row.items()]

        (lesion,) = mine("lesions.csv")
        assert (lesion["laterality"], lesion["pain_vas"]) == (hand["laterality"], hand["pain"])
        sizes = [
            size for row in mine("session_lesions.csv") for size in (row["longest_mm"], row["widest_mm"])
        ]
        assert sizes == list(hand["sizes"])
        given = [(row["volume_ml"], row["pain_vas"]) for row in mine("injections.csv")]
        assert given == [(hand["volume"], hand["needle_pain"])] * 2
