"""The report's PDF and pictures: tagged, the same as the other files, the same bytes, and nothing but text."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
from django.conf import settings
from django.urls import reverse
from PIL import Image

from sessions_app import report_pdf
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from stsclinic.audit.models import Event
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.figures import SECTION_OF
from stsclinic.reporting.tables import SECTION
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_user
from tests.tools.pdf import read_pdf

pytestmark = pytest.mark.django_db

CASES = Path(settings.BASE_DIR, "stsclinic", "demo", "cases")


def load(client, case: str, role: str = "data_manager") -> Clinic:
    import_sheets(read_path(CASES / case), by="test", source="command")
    clinic = Clinic.objects.get(code=case)
    client.force_login(make_user(role, clinic))
    return clinic


def download(client, file_format: str, **query) -> bytes:
    response = client.get(reverse("report_download", args=[file_format]), query)
    assert response.status_code == 200
    return response.content


def csv_tables(client, **query) -> dict[str, list[list[str]]]:
    with zipfile.ZipFile(io.BytesIO(download(client, "csv", **query))) as archive:
        return {
            name.removesuffix(".csv"): list(
                csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline=""))
            )
            for name in archive.namelist()
        }


NOT_PRINTED_AS_TABLES = ("about", "characteristics_numbers", "methods", "notes")


@pytest.mark.parametrize("case", ["aarhus", "orlando", "kansas"])
def test_every_cell_of_every_table_is_that_of_the_csv(client, case):
    load(client, case)
    pdf, in_files = read_pdf(download(client, "pdf")), csv_tables(client)
    printed = {code: rows for code, rows in in_files.items() if code not in NOT_PRINTED_AS_TABLES}
    for code, (heading, *rows) in printed.items():
        shown = [
            [cell.removeprefix("'") if cell[:2] == "'-" else cell or "–" for cell in row] for row in rows
        ]
        assert pdf.holds(heading, shown), code
    assert pdf.tags["Table"] == len(printed)
    assert pdf.tags["TD"] == sum(len(heading) * len(rows) for heading, *rows in printed.values())
    assert pdf.tags["TH"] >= sum(len(heading) for heading, *_ in printed.values())


@pytest.mark.parametrize("case", ["aarhus", "orlando"])
def test_a_short_table_is_not_torn_apart(client, case):
    """With its heading and all of its rows on one page; no page begins with the notes of a table before."""
    load(client, case)
    pdf, torn, whole = read_pdf(download(client, "pdf")), [], 0
    for code, (heading, *rows) in csv_tables(client).items():
        if (
            code in NOT_PRINTED_AS_TABLES
            or len(rows) > 14
            or any(len(cell) > 60 for row in rows for cell in row)
        ):
            continue
        shown = [
            [cell.removeprefix("'") if cell[:2] == "'-" else cell or "–" for cell in row] for row in rows
        ]
        if any(replace(pdf, pages=[page]).holds(heading, shown) for page in pdf.pages):
            whole += 1
        else:
            torn.append(code)
    assert not torn
    assert whole > 10
    assert not any(page.startswith("Notes:") for page in pdf.pages)


def test_another_cell_would_be_noticed(client):
    load(client, "aarhus")
    pdf = read_pdf(download(client, "pdf"))
    heading, *rows = csv_tables(client)["cohort"]
    assert pdf.holds(heading, rows)
    assert not pdf.holds(heading, [*rows[:3], [rows[3][0], "882"], *rows[4:]])
    assert not pdf.holds(heading, rows[::-1])


def test_the_published_figures_stand_in_it(client):
    """Olesen and Fage, Aarhus case series: "Results"."""
    load(client, "aarhus")
    pdf = read_pdf(download(client, "pdf"))
    cohort = [
        ["Patients offered treatment", "43"],
        ["Patients treated", "38"],
        ["Treatment sessions", "463"],
        ["Injections", "883"],
        ["Fewest lesions injected in a session", "1"],
        ["Most lesions injected in a session", "22"],
        ["Series analysed", "36"],
        ["Patients analysed", "29"],
    ]
    assert pdf.holds(["Figure", "Value"], cohort)
    assert pdf.holds(["Sex", "n"], [["Female", "26"], ["Male", "3"]])
    horizons = ["Horizon", "Of", "Complete remission", "Partial remission", "No remission", "Not evaluable"]
    remission = [
        ["Follow-up", "Lesions", "22", "73", "11", "0"],
        ["Follow-up", "Series", "13", "20", "3", "0"],
        ["Follow-up", "Patients", "13", "13", "3", "0"],
        ["End of treatment", "Lesions", "8", "87", "11", "0"],
        ["End of treatment", "Series", "4", "29", "3", "0"],
        ["End of treatment", "Patients", "4", "22", "3", "0"],
    ]
    assert pdf.holds(horizons, remission)


def test_table_iii_is_as_printed_in_the_paper(client):
    """Winter et al., table III, through the CSV and the PDF."""
    load(client, "orlando")
    heading, *rows = csv_tables(client)["table_iii"]
    assert [row[1:] for row in rows] == [
        [
            "Left elbow, inferior aspect",
            "4",
            "0",
            "2",
            "0",
            "-100",
            "Left elbow, superior aspect",
            "4",
            "1",
            "3",
            "1",
            "-44",
        ],
        ["Right upper arm", "4", "4", "3", "2", "0", "Left upper arm", "4", "4", "3", "1", "100"],
        ["Left upper arm", "4", "4", "4", "3", "0", "Right upper arm", "4", "4", "4", "2", "0"],
        ["Left little finger", "4", "4", "3", "3", "0", "Right little finger", "4", "4", "4", "4", "0"],
    ]
    assert read_pdf(download(client, "pdf")).holds(heading, rows)


def test_it_is_tagged_with_headings_and_words_for_each_figure(client):
    """PDF/UA-1 is checked by typst while it writes; here is what a reader finds."""
    load(client, "aarhus")
    content = download(client, "pdf")
    for mark in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang", b"/Outlines", b"pdfuaid"):
        assert mark in content, mark
    pdf = read_pdf(content)
    *here, lists = [title for code, title in SECTION.items() if code != "controlled"]
    assert pdf.headings == ["Contents", *here, "Methods", "References", "Notes", lists]
    assert pdf.tags["Figure"] == 8
    assert content.count(b"/Alt") >= 8
    assert pdf.page_numbers == [(number, len(pdf.pages)) for number in range(1, len(pdf.pages) + 1)]


@pytest.mark.parametrize("file_format", ["pdf", "csv", "xlsx", "tables", "json"])
def test_the_same_data_selection_and_date_give_the_same_bytes(client, file_format):
    load(client, "hershey")
    query = {"stated": "2026-11-20", "horizon": "end_of_treatment"}
    first = download(client, file_format, **query)
    assert download(client, file_format, **query) == first
    assert download(client, file_format, **query | {"stated": "2026-11-19"}) != first


def test_text_is_never_read_as_markup_and_strange_letters_do_not_stop_it(client):
    clinic = make_clinic()
    client.force_login(make_user("investigator", clinic))
    patient = make_patient(clinic)
    hostile = '#panic("x") *b* $1$ [c] <l> @r `k` \\ // 中😀'
    make_series(patient, [make_lesion(patient, site_detail=hostile)])
    pdf = read_pdf(download(client, "pdf"))
    assert '#panic("x")*b*$1$[c]<l>@r`k`\\//??' in "".join(pdf.pages)


def test_a_long_list_is_cut_and_says_so(client, monkeypatch):
    load(client, "hershey")
    monkeypatch.setattr(report_pdf, "ROWS_PRINTED", 2)
    heading, *rows = csv_tables(client)["lesions"]
    pdf = read_pdf(download(client, "pdf"))
    assert "Thefirst2of4rows;theotherfilesholdall." in "".join(pdf.pages)
    assert len(rows) == 4
    assert pdf.holds(heading, [[cell or "–" for cell in row] for row in rows[:2]])
    assert not pdf.holds(heading, [[cell or "–" for cell in row] for row in rows])


class TestPictures:
    def test_every_figure_comes_as_svg_and_as_a_picture_at_300_dpi(self, client):
        load(client, "aarhus")
        for code in SECTION_OF:
            if code in ("flow-within", "subjects"):
                continue
            svg = client.get(reverse("report_figure", args=[code, "svg"]))
            assert svg["Content-Type"] == "image/svg+xml"
            root = ElementTree.fromstring(svg.content)
            assert root.find("{http://www.w3.org/2000/svg}title").text
            assert root.find("{http://www.w3.org/2000/svg}desc").text
            assert "class=" not in svg.content.decode()
            if code not in ("flow", "sizes"):
                continue
            png = client.get(reverse("report_figure", args=[code, "png"]))
            width = float(root.get("width")) * report_pdf.MM_PER_UNIT / 25.4 * 300
            with Image.open(io.BytesIO(png.content)) as picture:
                assert picture.width == pytest.approx(width, abs=2), code
        assert Event.objects.filter(kind="report_downloaded", detail="flow.svg: everything").count() == 1

    @pytest.mark.parametrize("args", [("nothing", "svg"), ("flow", "gif"), ("subjects", "svg")])
    def test_what_is_not_drawn_is_not_there(self, client, args):
        load(client, "hershey")
        assert client.get(reverse("report_figure", args=args)).status_code == 404

    def test_a_closed_trial_has_no_lines_of_its_arms(self, client):
        load(client, "orlando", "investigator")
        assert client.get(reverse("report_figure", args=["subjects", "svg"])).status_code == 404
        assert b"active" not in client.get(reverse("report_figure", args=["flow-within", "svg"])).content


class TestSharing:
    def test_no_person_and_no_small_number_leaves(self, client):
        load(client, "aarhus")
        cells = csv_tables(client, share="1")
        texts = str(cells)
        book = openpyxl.load_workbook(io.BytesIO(download(client, "xlsx", share="1")))
        texts += " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
        pdf = read_pdf(download(client, "pdf", share="1"))
        texts += "".join(pdf.pages)
        assert "AAR-" not in texts
        assert ["Male", "hidden"] in cells["analysed_by_sex"]
        assert "Patientsanalysed29" in texts
        assert "series" not in cells
        assert dict(cells["about"])["Small numbers"].startswith("For sharing")
        assert "Patients" not in dict(cells["about"])

    def test_what_cannot_hide_a_number_is_not_shared(self, client):
        load(client, "hershey")
        assert client.get(reverse("report_download", args=["json"]), {"share": "1"}).status_code == 404

    def test_the_file_and_the_log_say_that_it_is_for_sharing(self, client):
        load(client, "hershey")
        response = client.get(
            reverse("report_download", args=["csv"]), {"share": "1", "stated": "2026-11-20"}
        )
        assert 'filename="stsclinic-report-for-sharing-2026-11-20.zip"' in response["Content-Disposition"]
        assert Event.objects.get(kind="report_downloaded").detail == "csv for sharing: everything"

    def test_the_screen_shows_every_number(self, client):
        load(client, "aarhus")
        html = client.get(reverse("report"), {"share": "1"}).content.decode()
        assert "hidden</a>" not in html


def test_the_tables_as_json_are_the_csv_in_full_precision(client):
    load(client, "orlando")
    found, in_files = json.loads(download(client, "tables")), csv_tables(client)
    assert set(found) == set(in_files)
    numbers = 0
    for code, table in found.items():
        for ours, theirs in zip(table["rows"], in_files[code][1:], strict=True):
            for column, value, text in zip(table["columns"], ours, theirs, strict=True):
                if value is None:
                    assert text == ""
                elif column["kind"] in ("count", "whole"):
                    assert str(value) == text
                elif column["kind"] == "number":
                    assert float(f"{value:.{column['decimals']}f}") == float(text), (code, column["code"])
                    numbers += 1
    assert numbers > 100
