"""The report's page and files: the same numbers everywhere, and only of one's own clinics."""

import csv
import io
import json
import platform
import re
import zipfile
from datetime import date
from html import unescape
from importlib.metadata import version
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lesions.models import Patient
from sessions_app import report_page
from sessions_app.allocation import open_allocation
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from sessions_app.formula_safe import formula_safe
from sessions_app.models import Protocol
from sessions_app.protocols import PLAN_NAMES, copy_protocol
from stsclinic import __version__
from stsclinic.audit.models import Change, Event
from stsclinic.clinics.models import Clinic
from stsclinic.reporting.disclosure import FOOTNOTE as CLOSED_FOOTNOTE
from stsclinic.reporting.figures import lanes
from stsclinic.reporting.tables import NOTHING
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

CASES = Path(settings.BASE_DIR, "stsclinic", "demo", "cases")
CONTROLLED = {"controlled_arms", "controlled_subjects", "controlled_tests"}


def load(case: str) -> Clinic:
    import_sheets(read_path(CASES / case), by="test", source="command")
    return Clinic.objects.get(code=case)


def reader(client, clinic: Clinic, role: str = "investigator"):
    client.force_login(make_user(role, clinic))
    return client


def page(client, **query) -> str:
    response = client.get(reverse("report"), query)
    assert response.status_code == 200
    return response.content.decode()


def download(client, file_format: str, **query) -> bytes:
    response = client.get(reverse("report_download", args=[file_format]), query)
    assert response.status_code == 200
    return response.content


def csv_tables(client, **query) -> dict[str, list[list[str]]]:
    """The rows under the headings, by table."""
    with zipfile.ZipFile(io.BytesIO(download(client, "csv", **query))) as archive:
        return {
            name.removesuffix(".csv"): list(
                csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline=""))
            )[1:]
            for name in archive.namelist()
        }


def workbook(client, **query):
    return openpyxl.load_workbook(io.BytesIO(download(client, "xlsx", **query)))


def as_shown(cell) -> str:
    """A cell of the workbook as a spreadsheet shows it."""
    value, form = cell.value, cell.number_format
    if value is None:
        return ""
    if form == "dd-mmm-yyyy":
        return value.strftime("%d-%b-%Y")
    if isinstance(value, str):
        return value
    if form.startswith("[<"):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return f"{value:.{len(form.partition('.')[2])}f}"


def whole_table(client, code: str, total: int) -> list[list[str]]:
    """All rows of a table, over all of its parts."""
    rows = []
    for start in range(0, max(total, 1), report_page.ROWS_SHOWN):
        rows += rows_of(page(client, **{f"{code}_from": start}), f"table-{code}")
    return rows


class TestTheSameEverywhere:
    def test_every_cell_of_the_page_stands_in_both_files(self, client):
        reader(client, load("aarhus"))
        by_code, book, html = csv_tables(client), workbook(client), page(client)
        shown = {table.table_id.removeprefix("table-") for table in tables_of(html)}
        assert (
            shown | {"about", "characteristics_numbers", "methods", "notes"}
            == set(by_code)
            == set(book.sheetnames)
        )
        assert len(by_code["lesions"]) == 241 > report_page.ROWS_SHOWN
        for code in shown:
            on_page = whole_table(client, code, len(by_code[code])) if by_code[code] else []
            on_page = [["" if cell == NOTHING else cell for cell in row] for row in on_page]
            in_book = [[as_shown(cell) for cell in row] for row in book[code].iter_rows(min_row=2)]
            assert on_page == by_code[code], code
            assert in_book == by_code[code], code

    def test_the_methods_name_every_version(self, client):
        clinic = load("hershey")
        reader(client, clinic)
        words = words_of(page(client))
        for what in ("numpy", "scipy", "typst"):
            assert f" {version(what)}" in words
        for told in (
            f"stsclinic {__version__}",
            f"Python {platform.python_version()}",
            "biweekly (version 1)",
        ):
            assert told in words
        assert "\n".join(row[1] for row in csv_tables(client)["methods"]).count("(version 1)") == 1

    def test_json_is_the_object_of_the_command_and_agrees_with_the_page(self, client):
        reader(client, load("aarhus"))
        found = json.loads(download(client, "json"))
        expected = json.loads((Path(settings.BASE_DIR) / "tests/reporting/expected/aarhus.json").read_text())
        assert list(found) == ["about", *expected]
        assert found["about"]["Program"] == f"stsclinic {__version__}"
        assert found["cohort"] == expected["cohort"]
        assert found["remission"] == expected["remission"]
        html = page(client)
        scores = [(scale, one) for scale in ("ptga", "phga") for one in found["scores"][scale]]
        for (scale, one), row in zip(scores, rows_of(html, "table-scores"), strict=True):
            numbers = [str(one["n"]), f"{one['mean']:.1f}", f"{one['sd']:.2f}", f"{one['median']:.1f}"]
            assert row[0].lower() == scale
            assert row[2:6] == numbers
        changes = [one for scale in ("ptga", "phga") for one in found["change"][scale]]
        for one, row in zip(changes, rows_of(html, "table-change"), strict=True):
            low, high = one["ci95"]
            assert row[4:10] == [
                f"{one['mean_decrease']:.1f}",
                f"{one['sd']:.2f}",
                f"{one['median_decrease']:.1f}",
                f"{low:.1f}",
                f"{high:.1f}",
                f"{one['t']:.2f}",
            ]

    def test_the_published_figures_stand_on_the_page(self, client):
        """Olesen and Fage, Aarhus case series: "Results"."""
        reader(client, load("aarhus"))
        html = page(client)
        cohort = dict(rows_of(html, "table-cohort"))
        assert cohort["Patients offered treatment"] == "43"
        assert cohort["Patients treated"] == "38"
        assert cohort["Treatment sessions"] == "463"
        assert cohort["Fewest lesions injected in a session"] == "1"
        assert cohort["Most lesions injected in a session"] == "22"
        assert cohort["Series analysed"] == "36"
        assert cohort["Patients analysed"] == "29"
        assert rows_of(html, "table-analysed_by_sex") == [["Female", "26"], ["Male", "3"]]
        means = {tuple(row[:2]): row[3] for row in rows_of(html, "table-scores")}
        assert means["PtGA", "Before treatment 1"] == "6.4"
        assert means["PhGA", "Before treatment 1"] == "6.1"
        changes = {(row[0], row[2]): (row[4], row[12]) for row in rows_of(html, "table-change")}
        assert changes["PtGA", "Before treatment 2"] == ("2.3", "< 0.001")
        assert changes["PhGA", "Before treatment 2"] == ("1.4", "< 0.001")
        assert changes["PtGA", "Before the last"] == ("2.7", "< 0.001")
        assert changes["PhGA", "Before the last"] == ("2.5", "< 0.001")
        remission = {tuple(row[:2]): row[2:5] for row in rows_of(html, "table-remission")}
        assert remission["Follow-up", "Patients"] == ["13", "13", "3"]
        assert [row[1] for row in rows_of(html, "table-ulcers")] == ["11", "11"]

    def test_every_series_has_its_classification_and_its_reason_in_words(self, client):
        reader(client, load("aarhus"))
        series = rows_of(page(client), "table-series")
        assert len(series) == 120
        assert series[0][12:] == [
            "Partial remission",
            "L01 (PtGA 9 → 5, 3 × 3 → 1 × 1 mm, ulcer healed)",
            "Complete remission",
            "L01 (gone, 3 × 3 mm at baseline)",
        ]
        left_out = rows_of(page(client), "table-left_out")
        assert len(left_out) == 84
        assert all(row[5] and row[6] not in ("", NOTHING) for row in left_out)

    def test_the_page_says_what_it_shows_and_the_files_too(self, client):
        reader(client, load("hershey"))
        query = {"protocol": "biweekly", "treated_from": "2020-01-01", "treated_to": "2020-12-31"}
        about = dict(csv_tables(client, **query)["about"])
        assert about["Clinics"] == "hershey"
        assert about["Protocol"] == "biweekly"
        assert about["First treatment"] == "01-Jan-2020 to 31-Dec-2020"
        assert about["Program"] == f"stsclinic {__version__}"
        words = words_of(page(client, **query))
        for what in ("Clinics", "Protocol", "Diagnosis", "First treatment", "Patients", "Program"):
            assert f"{what} {about[what]}" in words
        assert workbook(client, **query)["about"]["B2"].value == "hershey"

    def test_every_note_of_a_table_stands_below_and_in_the_files(self, client):
        reader(client, load("orlando"), "data_manager")
        html, notes = page(client), csv_tables(client)["notes"]
        words = words_of(html)
        assert len(notes) > 10
        assert all(note in words for _table, note in notes)
        assert 'href="#note-1"' in html and 'id="note-1"' in html


class TestWhoSees:
    def test_patients_of_other_clinics_are_never_counted(self, client):
        load("hershey")
        reader(client, load("orlando"))
        assert dict(rows_of(page(client), "table-cohort"))["Patients offered treatment"] == "5"
        for file_format in ("csv", "xlsx", "json"):
            assert b"PSU-" not in download(client, file_format)
        assert json.loads(download(client, "json"))["cohort"]["patients_offered"] == 5
        assert all("PSU-" not in cell for rows in csv_tables(client).values() for row in rows for cell in row)
        assert "PSU-" not in page(client)

    def test_the_name_of_another_clinic_is_not_in_the_list(self, client):
        load("hershey")
        reader(client, load("orlando"))
        html = page(client, clinic="hershey")
        assert "“hershey” is not in this list" in words_of(html)
        assert not tables_of(html)
        assert client.get(reverse("report_download", args=["csv"]), {"clinic": "hershey"}).status_code == 400

    def test_the_protocols_of_other_clinics_are_not_offered(self, client):
        shipped = Protocol.objects.get(code="weekly4")
        values = {name: getattr(shipped.definition, name) for name in PLAN_NAMES}
        copy_protocol(clinic=make_clinic("south"), code="south4", values=values, by="test", source="command")
        reader(client, make_clinic("north"))
        assert "south4" not in page(client)
        assert "weekly4" in page(client)

    def test_a_nurse_sees_no_report(self, client):
        reader(client, make_clinic(), "nurse")
        assert client.get(reverse("report")).status_code == 404
        assert client.get(reverse("report_download", args=["json"])).status_code == 404

    def test_study_ids_lead_to_patients_and_to_no_name(self, client):
        clinic = make_clinic()
        patient = make_patient(clinic, study_id="N-1")
        make_series(patient, [make_lesion(patient)])
        reader(client, clinic)
        assert f'<a href="{reverse("patient", args=[patient.pk])}">N-1</a>' in page(client)

    def test_each_download_is_logged_with_its_selection(self, client):
        reader(client, load("orlando"))
        page(client)
        assert not Event.objects.filter(kind="report_downloaded").exists()
        download(client, "xlsx", diagnosis="dm", treated_from="2019-01-01")
        event = Event.objects.get(kind="report_downloaded")
        assert event.actor.startswith("investigator")
        assert event.detail == "xlsx: diagnosis dm; from 2019-01-01"
        download(client, "json")
        assert Event.objects.filter(kind="report_downloaded").first().detail == "json: everything"

    def test_a_file_has_a_neutral_name(self, client):
        reader(client, make_clinic())
        response = client.get(reverse("report_download", args=["csv"]))
        today = date.today().isoformat()
        assert response["Content-Disposition"] == f'attachment; filename="stsclinic-report-{today}.zip"'
        assert "no-store" in response["Cache-Control"]

    def test_another_format_is_not_there(self, client):
        reader(client, make_clinic())
        assert client.get(reverse("report_download", args=["docx"])).status_code == 404


class TestAllocation:
    def everything(self, client) -> str:
        files = str(csv_tables(client)) + download(client, "json").decode()
        book = workbook(client)
        cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
        return page(client) + files + " ".join(cells)

    def test_arms_of_a_closed_protocol_are_left_out_and_the_page_says_so(self, client):
        reader(client, load("orlando"))
        everything = self.everything(client)
        for word in ("Active (sodium", "Control (saline", "controlled_arms", "Arms of the"):
            assert word not in everything
        assert CLOSED_FOOTNOTE in words_of(page(client))
        assert json.loads(download(client, "json"))["controlled"] is None
        assert CONTROLLED.isdisjoint(csv_tables(client))
        assert dict(csv_tables(client)["about"])["Allocation"] == CLOSED_FOOTNOTE

    def test_the_data_manager_sees_them(self, client):
        reader(client, load("orlando"), "data_manager")
        assert set(csv_tables(client)) >= CONTROLLED
        assert CLOSED_FOOTNOTE not in words_of(page(client))

    def test_an_opened_one_is_seen_by_all_who_see_the_report(self, client):
        clinic = load("orlando")
        open_allocation(clinic=clinic, protocol_code="placebo3", patient=None, reason="The end.", by="dana")
        reader(client, clinic)
        subjects = rows_of(page(client), "table-controlled_subjects")
        changes = {(row[0], row[3][:6]): row[7] for row in subjects}
        # Report 001, table III.
        assert [changes[f"UCF-{n}", "Active"] for n in (1, 2, 3, 4)] == ["-100.0", "0.0", "0.0", "0.0"]
        assert [changes[f"UCF-{n}", "Contro"] for n in (1, 2, 3, 4)] == ["-43.8", "100.0", "0.0", "0.0"]
        assert CLOSED_FOOTNOTE not in words_of(page(client))

    def test_an_emergency_opening_of_one_patient_opens_no_report(self, client):
        clinic = load("orlando")
        patient = Patient.objects.get(study_id="UCF-1")
        open_allocation(clinic=clinic, protocol_code="placebo3", patient=patient, reason="Bleeds.", by="dana")
        reader(client, clinic)
        assert CONTROLLED.isdisjoint(csv_tables(client))


class TestTheStateOfTheData:
    """The same data give the same report, whatever happens elsewhere."""

    def about(self, client, **query):
        return dict(csv_tables(client, **query)["about"])["Data"]

    def test_a_change_in_another_clinic_is_none_of_ours(self, client):
        ours = load("hershey")
        reader(client, ours)
        before, files = self.about(client), download(client, "json", stated="2026-11-20")
        assert before.endswith("; 1 patient, 1 series, 4 sessions, 15 injections, 4 side effects")
        other = load("orlando")
        assert self.about(client) == before
        assert download(client, "json", stated="2026-11-20") == files
        make_series(make_patient(other))
        assert self.about(client) == before

    def test_a_change_of_ours_is_told(self, client):
        ours = load("hershey")
        load("orlando")
        reader(client, ours)
        before = self.about(client)
        make_patient(ours)
        after = self.about(client)
        assert after != before
        last = Change.objects.filter(table_name=Patient._meta.db_table).latest("pk").pk
        assert after.startswith(f"Change number {last};")


def test_a_spreadsheet_that_wants_semicolons_gets_them(client):
    reader(client, load("aarhus"))
    with zipfile.ZipFile(io.BytesIO(download(client, "csv-comma"))) as archive:
        text = archive.read("change.csv").decode()
    assert text.startswith("\ufeffScore;From;To;n;Mean decrease;")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]
    plain = csv_tables(client)["change"]
    assert rows == [[cell.replace(".", ",") for cell in row] for row in plain]
    assert rows[0][4] == "2,3"


def test_every_csv_begins_with_the_mark_by_which_excel_knows_utf_8(client):
    reader(client, load("hershey"))
    with zipfile.ZipFile(io.BytesIO(download(client, "csv"))) as archive:
        assert all(archive.read(name).startswith(b"\xef\xbb\xbf") for name in archive.namelist())


def test_table_1_leaves_as_numbers_too(client):
    """`27 (90 %)` is a text; beside it stands what a statistics program can read."""
    reader(client, load("aarhus"))
    rows = csv_tables(client)["characteristics_numbers"]
    assert ["Sex", "Female", "Overall", "26", "29", "89.7", "", "", ""] in rows
    book = workbook(client)["characteristics_numbers"]
    (female,) = [row for row in book.iter_rows(values_only=True) if row[1:3] == ("Female", "Overall")]
    assert female[3:6] == (26, 29, 89.7)


def test_a_picture_says_what_it_is_of(client):
    reader(client, load("hershey"))
    svg = client.get(
        reverse("report_figure", args=["flow", "svg"]), {"stated": "2026-11-20"}
    ).content.decode()
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
    assert "Clinics: " in words
    assert "Date: 20-Nov-2026; Data: Change number " in words
    assert f"Program: stsclinic {__version__}." in words


def test_what_is_chosen_stands_beside_the_word_selection(client):
    reader(client, load("hershey"))
    assert "Selection Diagnosis: Dermatomyositis " in words_of(page(client, diagnosis="dm"))
    assert "Selection everything" in words_of(page(client))
    # A comma is a decimal mark here as elsewhere.
    assert "Selection Concentration: 37.5 mg/ml " in words_of(page(client, concentration="37,5"))
    # What the headline is said to count is chosen too.
    chosen = {"clinic": "hershey", "body_site": ["elbow", "knee"], "concentration": "150", "unit": "lesion"}
    assert (
        "Selection Clinics: hershey; Body site: Elbow, Knee; Concentration: 150 mg/ml; Headline: Lesions, follow-up "
    ) in words_of(page(client, **chosen))


@pytest.mark.parametrize("day", ["0001-01-01", "1900-01-01", "1979-12-31", "2108-01-01", "9999-12-31"])
@pytest.mark.parametrize("file_format", ["csv", "xlsx", "pdf", "tables"])
def test_any_day_can_be_stated(client, file_format, day):
    reader(client, load("hershey"))
    assert len(download(client, file_format, stated=day)) > 1000


class TestFilter:
    @pytest.fixture
    def clinic(self, client):
        clinic = make_clinic("north")
        for number, (diagnosis, protocol, held_on) in enumerate(
            [
                ("lcssc", "weekly4", date(2025, 1, 10)),
                ("dm", "weekly4", date(2025, 6, 10)),
                ("dm", "biweekly", date(2026, 1, 10)),
            ]
        ):
            patient = make_patient(clinic, study_id=f"F-{number}", diagnosis=diagnosis)
            make_session(make_series(patient, [make_lesion(patient)], protocol), held_on)
        reader(client, clinic)
        return clinic

    @pytest.mark.parametrize(
        ("query", "ids"),
        [
            ({}, {"F-0", "F-1", "F-2"}),
            ({"clinic": "north"}, {"F-0", "F-1", "F-2"}),
            ({"diagnosis": "dm"}, {"F-1", "F-2"}),
            ({"protocol": "weekly4"}, {"F-0", "F-1"}),
            ({"protocol": "weekly4", "diagnosis": "dm"}, {"F-1"}),
            ({"treated_from": "2025-06-10"}, {"F-1", "F-2"}),
            ({"treated_from": "2025-06-11"}, {"F-2"}),
            ({"treated_to": "2025-06-10"}, {"F-0", "F-1"}),
            ({"treated_from": "2025-01-10", "treated_to": "2025-01-10"}, {"F-0"}),
        ],
    )
    def test_selects_and_the_links_to_the_files_keep_it(self, client, clinic, query, ids):
        html = page(client, **query)
        assert {row[0] for row in rows_of(html, "table-series")} == ids
        assert {row[0] for row in csv_tables(client, **query)["series"]} == ids
        link = reverse("report_download", args=["xlsx"])
        for name, value in query.items():
            assert f"{name}={value}" in html.split(link)[1].split('"')[0]

    @pytest.mark.parametrize(
        ("query", "field", "sentence"),
        [
            ({"treated_from": "2026-13-01"}, "id_treated_from", "Enter a date such as 2026-11-20."),
            ({"treated_to": "yesterday"}, "id_treated_to", "Enter a date such as 2026-11-20."),
            (
                {"treated_from": "2026-02-01", "treated_to": "2026-01-01"},
                "id_treated_to",
                "ends before it begins",
            ),
            ({"protocol": "weekly5"}, "id_protocol", "“weekly5” is not in this list"),
            ({"diagnosis": "<b>"}, "id_diagnosis", "“<b>” is not in this list"),
            ({"clinic": "nowhere\0"}, "id_clinic", "is not in this list"),
        ],
    )
    def test_a_wrong_value_is_told_beside_its_field(self, client, clinic, query, field, sentence):
        html = page(client, **query)
        assert sentence in words_of(html)
        assert f'href="#{field}"' in html
        assert "<b>”" not in html
        assert not tables_of(html)
        before = Event.objects.count()
        assert client.get(reverse("report_download", args=["json"]), query).status_code == 400
        assert Event.objects.count() == before

    def test_a_selection_without_patients_says_what_to_do(self, client, clinic):
        words = words_of(page(client, treated_from="2030-01-01"))
        assert "No patient fits this selection" in words
        assert "Show everything" in words

    def test_a_clinic_without_patients_says_what_to_do(self, client):
        reader(client, make_clinic())
        html = page(client)
        assert "There are no patients yet" in words_of(html)
        assert json.loads(download(client, "json"))["cohort"]["patients_offered"] == 0
        assert workbook(client)["series"].max_row == 1

    def test_without_an_analysed_series_it_says_so_and_draws_only_the_flow(self, client, clinic):
        html = page(client)
        assert "No series of this selection is analysed" in words_of(html)
        assert html.count("<figure") == 1
        assert 'id="figure-flow"' in html
        assert "The arms are compared all the same" not in words_of(html)

    def test_a_trial_without_scores_says_where_its_arms_are_compared(self, client):
        clinic = load("orlando")
        reader(client, clinic)
        assert "The arms are compared all the same" not in words_of(page(client))
        open_allocation(clinic=clinic, protocol_code="placebo3", patient=None, reason="The end.", by="dana")
        html = page(client)
        assert "The arms are compared all the same" in words_of(html)
        assert 'href="#section-controlled"' in html
        assert 'id="section-controlled"' in html

    @pytest.mark.parametrize("start", ["", "-1", "x", "999999999999", "²", "3", "1e3", "٣"])
    def test_a_strange_part_of_a_table_is_its_beginning(self, client, clinic, start):
        assert len(rows_of(page(client, series_from=start), "table-series")) == 3


class TestLongTables:
    def test_parts_follow_one_another_and_keep_the_selection(self, client, monkeypatch):
        monkeypatch.setattr(report_page, "ROWS_SHOWN", 2)
        monkeypatch.setattr(report_page, "LONG", 2)
        clinic = make_clinic("north")
        for number in range(5):
            make_series(make_patient(clinic, study_id=f"P-{number}"))
        reader(client, clinic)
        html = page(client, clinic="north", series_from=2)
        assert [row[0] for row in rows_of(html, "table-series")] == ["P-2", "P-3"]
        assert "Rows 3 to 4 of 5; the files hold all" in words_of(html)
        assert "?clinic=north&amp;series_from=0#table-series" in html
        assert "?clinic=north&amp;series_from=4#table-series" in html
        assert '<details class="report-fold" open>' in html
        assert [row[0] for row in rows_of(page(client, series_from=4), "table-series")] == ["P-4"]
        assert len(csv_tables(client)["series"]) == 5


def test_text_that_a_spreadsheet_would_compute_stays_text(client):
    clinic = make_clinic()
    patient = make_patient(clinic)
    formula = '=HYPERLINK("http://example.org")'
    make_series(patient, [make_lesion(patient, site_detail=formula)])
    reader(client, clinic)
    assert csv_tables(client)["lesions"][0][6] == f"'{formula}"
    cell = workbook(client)["lesions"]["G2"]
    assert (cell.value, cell.data_type) == (formula, "s")
    assert formula.replace('"', "&quot;") in page(client)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"])
def test_a_beginning_of_a_formula_gets_an_apostrophe(text):
    assert formula_safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "1=1", "a", "–", "1 − 2", " x", "'a", "'"])
def test_any_other_text_stays(text):
    assert formula_safe(text) == text


def test_the_number_of_queries_does_not_grow(client):
    def add(clinic, count):
        for _ in range(count):
            patient = make_patient(clinic)
            lesion = make_lesion(patient)
            series = make_series(patient, [lesion])
            for day in (1, 8):
                session = make_session(series, date(2026, 3, day), ptga=5, phga=5)
                make_assessment(session, lesion)
                make_injection(session, lesion)

    clinic = make_clinic()
    reader(client, clinic)
    add(clinic, 1)
    page(client)
    with CaptureQueriesContext(connection) as few:
        page(client)
    add(clinic, 4)
    with CaptureQueriesContext(connection) as more:
        page(client)
    assert len(more) == len(few) <= 30


class TestFigures:
    def test_the_lanes_of_many_patients_are_drawn_in_parts_that_lead_on(self, client, monkeypatch):
        monkeypatch.setattr(lanes, "MOST_LANES", 7)
        reader(client, load("aarhus"))
        html = page(client, diagnosis=["lcssc", "dcssc"])
        course = csv_tables(client, diagnosis=["lcssc", "dcssc"])["side_effect_course"]
        patients = list(dict.fromkeys(row[0] for row in course))
        assert len(patients) % 7 and len(patients) > 14
        drawn: list[str] = []
        for first in range(0, len(patients), 7):
            (figure,) = re.findall(r'<figure[^>]* id="figure-side-effects">.*?</figure>', html, re.DOTALL)
            shown = [one for one in re.findall(r">(AAR-\d+)</text>", figure)]
            drawn += shown
            words = f"{first + 1} to {min(first + 7, len(patients))} of {len(patients)}"
            assert f"Drawn are patients {words}, by ID" in words_of(figure)
            (svg,) = re.findall(r'href="([^"]+svg[^"]*)"', figure)
            assert re.findall(r">(AAR-\d+)</text>", client.get(unescape(svg)).content.decode()) == shown
            following = re.findall(r'rel="next" href="([^"]+)"', figure)
            assert bool(following) == (first + 7 < len(patients))
            assert bool(re.findall(r'rel="prev"', figure)) == bool(first)
            if following:
                assert following[0].endswith("#figure-side-effects")
                html = client.get(unescape(following[0])).content.decode()
        assert drawn == patients

    @pytest.mark.parametrize("text", ["x", "-7", "7000", "٧", "9" * 400])
    def test_a_part_of_the_lanes_that_is_not_there_is_the_first(self, client, monkeypatch, text):
        monkeypatch.setattr(lanes, "MOST_LANES", 7)
        reader(client, load("aarhus"))
        assert "Drawn are patients 1 to 7 of" in words_of(page(client, lanes_from=text))

    def test_each_figure_stands_on_the_page_with_its_words_and_its_tables(self, client):
        reader(client, load("aarhus"))
        html = page(client)
        assert html.count("<figure") == 8
        words = words_of(html)
        assert "13 (44.8 %)" in words
        assert "38 patients, 120 series" in words
        assert "Of 106 lesions followed, 22 were seen gone." in words
        assert html.count("<desc") == 8
        for code in ("flow", "scores", "sizes", "at_risk", "side_effect_course"):
            assert f'href="#part-{code}"' in html
            assert f'id="part-{code}"' in html


class TestRowsBehind:
    def test_a_number_leads_to_its_rows(self, client):
        reader(client, load("aarhus"))
        html = page(client, diagnosis="dcssc")
        where = reverse("report_rows", args=["remission", "2", "complete"])
        assert f'href="{where}?diagnosis=dcssc">4</a>' in html
        response = client.get(where, {"diagnosis": "dcssc"})
        listed = rows_of(response.content.decode(), "table-rows")
        assert len(listed) == 4
        assert "Complete remission: 4" in words_of(response.content.decode())

    def test_a_number_of_one_subject_leads_to_where_it_was_recorded(self, client):
        clinic = load("orlando")
        open_allocation(clinic=clinic, protocol_code="placebo3", patient=None, reason="The end.", by="dana")
        reader(client, clinic)
        row = next(cells for cells in rows_of(page(client), "table-table_iii") if cells[0] == "UCF-2")
        where = reverse("report_rows", args=["table_iii", "1", "control_size_change"])
        assert f'href="{where}">{row[12]}</a>' in page(client)
        listed = rows_of(client.get(where).content.decode(), "table-rows")
        assert [cells[0] for cells in listed] == ["UCF-2", "UCF-2"]
        before, after = (float(cells[3]) for cells in listed)
        assert (row[12], round(100 * (after - before) / before)) == ("100", 100)

    def test_long_lists_have_parts_that_keep_where_they_are(self, client, monkeypatch):
        monkeypatch.setattr(report_page, "ROWS_SHOWN", 20)
        reader(client, load("aarhus"))
        where = reverse("report_rows", args=["cohort", "0", "value"])
        html = client.get(where, {"clinic": "aarhus", "rows_from": "20"}).content.decode()
        assert len(rows_of(html, "table-rows")) == 20
        assert f"{where}?clinic=aarhus&amp;rows_from=40#table-rows" in html

    @pytest.mark.parametrize(
        "args",
        [
            ("nowhere", "0", "value"),
            ("cohort", "99", "value"),
            ("cohort", "0", "nothing"),
            ("cohort", "0", "figure"),
            ("series", "0", "series_no"),
            ("series", "0", "ptga_middle"),
            ("score_lines", "0", "patient_id"),
            ("score_lines", "0", "before_99"),
            ("sizes", "0", "size"),
        ],
    )
    def test_what_has_no_rows_is_not_there(self, client, args):
        reader(client, load("hershey"))
        assert client.get(reverse("report_rows", args=args)).status_code == 404

    def test_a_nurse_sees_none_and_a_wrong_selection_is_told(self, client):
        where = reverse("report_rows", args=["cohort", "0", "value"])
        reader(client, make_clinic("north"))
        assert client.get(where, {"treated_from": "x"}).status_code == 400
        reader(client, make_clinic("south"), "nurse")
        assert client.get(where).status_code == 404

    def test_the_rows_of_a_closed_trial_tell_no_arm(self, client):
        reader(client, load("orlando"))
        for args in (("cohort", "3", "value"), ("doses", "0", "injections"), ("flow_within", "0", "lesions")):
            words = words_of(client.get(reverse("report_rows", args=args)).content.decode())
            assert "Saline" not in words
            assert "Sodium thiosulfate" not in words
            assert "Active" not in words
