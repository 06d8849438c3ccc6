"""Import and export in the browser: all or nothing, only one's own clinics, and every error at once."""

import csv
import io
import zipfile
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from lesions.models import Patient
from sessions_app import exchange
from sessions_app.datasheets.exporting import NoRoomInWorkbook
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.problems import ImportRefused, Problem
from sessions_app.models import TreatmentSession
from sessions_app.views import exchange as views
from stsclinic.audit.models import Change, Event
from stsclinic.clinics.models import Clinic, Membership
from tests.builders import _save, make_clinic, make_patient, make_user
from tests.sessions_app.datasheet_files import as_files, as_raw, as_zip, sound
from tests.web.rendered import rows_of, tables_of, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def north():
    return make_clinic("north")


@pytest.fixture
def south():
    return make_clinic("south")


@pytest.fixture
def dana(north):
    return make_user("data_manager", north, "dana")


@pytest.fixture
def web(client, dana):
    client.force_login(dana)
    return client


def may_exchange(user, clinic):
    _save(Membership(user=user, clinic=clinic, role="data_manager"))


def of_north() -> dict:
    """The sound registry without the patient of the other clinic."""
    return {sheet: [row for row in rows if row["patient_id"] != "P-2"] for sheet, rows in sound().items()}


def zipped(sheets: dict) -> bytes:
    return as_zip(as_files(sheets)).getvalue()


def send(web, data: bytes, button: str = "import", name: str = "sheets.zip"):
    response = web.post(reverse("import_sheets"), {"file": SimpleUploadedFile(name, data), button: "1"})
    assert response.status_code == 200
    return response


def answer(web, data: bytes, button: str = "import", name: str = "sheets.zip") -> str:
    return send(web, data, button, name).content.decode()


def export(web, **typed):
    data = {"clinics": ["north"], "file_format": "zip", "reason": "The yearly report"} | typed
    return web.post(reverse("export_sheets"), data)


def nothing_was_written() -> bool:
    return not Patient.everything.exists() and not Event.objects.filter(kind="imported").exists()


class TestExport:
    def test_gives_the_sheets_of_one_clinic_as_they_were_imported(self, web, south):
        import_sheets(as_raw(sound()), by="test", source="command")
        response = export(web)
        today = date.today().isoformat()
        assert response["Content-Disposition"] == f'attachment; filename="stsclinic-sheets-{today}.zip"'
        assert response["Content-Type"] == "application/zip"
        content = b"".join(response.streaming_content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            patients = list(csv.DictReader(io.StringIO(archive.read("patients.csv").decode())))
            everything = b"".join(archive.read(name) for name in archive.namelist())
        assert [row["patient_id"] for row in patients] == ["P-1", "P-3"]
        assert b"P-2" not in everything

    def test_what_left_comes_back_into_an_empty_database(self, web, dana):
        import_sheets(as_raw(of_north()), by="test", source="command")
        before = b"".join(export(web).streaming_content)
        with zipfile.ZipFile(io.BytesIO(before)) as archive:
            files = {name: archive.read(name).replace(b"P-", b"Q-") for name in archive.namelist()}
        assert "Imported" in words_of(answer(web, as_zip(files).getvalue()))
        after = b"".join(export(web).streaming_content)
        with zipfile.ZipFile(io.BytesIO(after)) as archive:
            for name, data in files.items():
                rows, found = data.split(b"\r\n"), archive.read(name).split(b"\r\n")
                assert rows[0] == found[0]
                assert set(rows) <= set(found)

    def test_a_workbook_holds_the_same_sheets(self, web):
        import_sheets(as_raw(of_north()), by="test", source="command")
        response = export(web, file_format="xlsx")
        assert response["Content-Disposition"].endswith('.xlsx"')
        book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
        assert [row[0].value for row in book["patients"].iter_rows(min_row=2)] == ["P-1", "P-3"]
        assert len(book.sheetnames) == 11

    def test_is_logged_with_its_reason(self, web):
        export(web, reason="  For the ethics committee\r\nof 2026  ")
        event = Event.objects.get(kind="exported")
        assert (event.actor, event.detail) == (
            "dana",
            "zip: north; reason: For the ethics committee\nof 2026",
        )

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"reason": ""}, "Say for whom and for what the data leave."),
            ({"reason": "   "}, "Say for whom and for what the data leave."),
            ({"reason": "x" * 501}, "at most 500 characters"),
            ({"clinics": []}, "Choose at least one clinic."),
            ({"clinics": ["south"]}, "“south” is not in this list"),
            ({"clinics": ["north", "south"]}, "“south” is not in this list"),
            ({"file_format": "sav"}, "sav is not one of the available choices"),
        ],
    )
    def test_a_wrong_form_comes_back_with_what_was_typed(self, web, south, typed, sentence):
        response = export(web, **typed)
        assert response.status_code == 200
        html = response.content.decode()
        assert sentence in words_of(html)
        assert "The yearly report" in html or "reason" in typed
        assert not Event.objects.filter(kind="exported").exists()

    def test_a_clinic_where_one_has_another_role_is_not_offered(self, web, dana, south):
        _save(Membership(user=dana, clinic=south, role="clinician"))
        html = web.get(reverse("exchange")).content.decode()
        assert 'value="north"' in html
        assert 'value="south"' not in html
        assert "“south” is not in this list" in words_of(export(web, clinics=["south"]).content.decode())

    def test_what_betrays_a_closed_allocation_is_left_out(self, web, dana, south, monkeypatch):
        import_sheets(as_raw(sound()), by="test", source="command")
        may_exchange(dana, south)

        def sheets():
            content = b"".join(export(web, clinics=["south"]).streaming_content)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return archive.read("series_lesions.csv") + archive.read("injections.csv")

        assert b"active" in sheets() and b"saline" in sheets()
        monkeypatch.setattr(exchange, "closed_for", lambda user: {("south", "placebo3")})
        assert b"active" not in sheets() and b"saline" not in sheets()

    def test_a_workbook_without_room_is_told_beside_the_field_and_not_logged(self, web, monkeypatch):
        def full(stream, scope):
            raise NoRoomInWorkbook("sessions, row 1048577: a worksheet has at most 1048576 rows.")

        words, content_type, _write = exchange.FORMATS["xlsx"]
        monkeypatch.setitem(exchange.FORMATS, "xlsx", (words, content_type, full))
        response = export(web, file_format="xlsx")
        assert "a worksheet has at most 1048576 rows" in words_of(response.content.decode())
        assert not Event.objects.filter(kind="exported").exists()

    def test_the_page_names_what_leaves(self, web):
        words = words_of(web.get(reverse("exchange")).content.decode())
        assert "pseudonymous, not anonymous" in words
        for sheet, column in exchange.free_text_columns():
            assert f"{sheet}: {column}" in words
        assert len(exchange.free_text_columns()) > 3


class TestImport:
    def test_writes_all_and_says_what(self, web):
        html = answer(web, zipped(of_north()))
        assert "Imported" in words_of(html)
        made = dict(rows_of(html, "made"))
        assert made["Patients"] == "2"
        assert made["Sessions"] == "3"
        assert set(Patient.objects.values_list("study_id", flat=True)) == {"P-1", "P-3"}
        assert f'href="{reverse("patients")}"' in html.split('class="stack import-result"')[1]
        event = Event.objects.get(kind="imported")
        assert event.actor == "dana"
        assert "patients 2" in event.detail
        assert set(Change.objects.filter(actor="dana").values_list("source", flat=True)) == {"import"}

    def test_reads_a_workbook(self, web):
        import_sheets(as_raw(of_north()), by="test", source="command")
        content = b"".join(export(web, file_format="xlsx").streaming_content)
        book = openpyxl.load_workbook(io.BytesIO(content))
        for sheet in book:
            for row in sheet.iter_rows(min_row=2, max_col=1):
                row[0].value = row[0].value.replace("P-", "Q-")
        stream = io.BytesIO()
        book.save(stream)
        assert "Imported" in words_of(answer(web, stream.getvalue(), name="registry.xlsx"))
        assert Patient.objects.filter(study_id__startswith="Q-").count() == 2

    def test_lists_every_error_at_once_and_writes_nothing(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = "femal"
        sheets["sessions"][1]["ptga"] = "11"
        sheets["injections"][0]["volume_ml"] = "0,5"
        html = answer(web, zipped(sheets))
        assert "3 errors; nothing was imported" in words_of(html)
        errors = rows_of(html, "errors")
        assert [row[:4] for row in errors] == [
            ["patients", "2", "sex", "femal"],
            ["sessions", "3", "ptga", "11"],
            ["injections", "2", "volume_ml", "0,5"],
        ]
        assert all(row[4] for row in errors)
        assert "female" in errors[0][5]
        assert nothing_was_written()

    def test_one_error_is_one(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = ""
        assert "1 error; nothing was imported" in words_of(answer(web, zipped(sheets)))

    def test_warnings_are_listed_and_let_through(self, web):
        sheets = of_north()
        sheets["session_lesions"][0]["widest_mm"] = "13"
        html = answer(web, zipped(sheets))
        assert "1 warning" in words_of(html)
        assert rows_of(html, "warnings")[0][:4] == ["session_lesions", "2", "widest_mm", "13"]
        assert Patient.objects.count() == 2

    def test_a_check_writes_nothing(self, web):
        html = answer(web, zipped(of_north()), "check")
        assert "Nothing was written: this was only a check" in words_of(html)
        assert dict(rows_of(html, "made"))["Patients"] == "2"
        assert nothing_was_written()

    def test_without_a_button_it_only_checks(self, web):
        assert "only a check" in words_of(answer(web, zipped(of_north()), "something"))
        assert nothing_was_written()

    def test_a_long_list_is_cut_on_the_page_and_whole_in_the_file(self, web, monkeypatch):
        monkeypatch.setattr(views, "SHOWN_PROBLEMS", 2)
        sheets = of_north()
        for number, row in enumerate(sheets["sessions"]):
            row["held_on"] = f"=1+{number}"
        sheets["session_lesions"][0]["widest_mm"] = "13"
        html = answer(web, zipped(sheets))
        assert len(rows_of(html, "errors")) == 2
        assert "3 errors" in words_of(html)
        assert "and 1 more" in words_of(html)
        response = send(web, zipped(sheets), "problems")
        assert response["Content-Disposition"].startswith('attachment; filename="stsclinic-problems-')
        rows = list(csv.reader(io.StringIO(response.content.decode(), newline="")))
        assert tuple(rows[0]) == exchange.PROBLEM_HEADINGS
        assert [row[:5] for row in rows[1:4]] == [
            ["error", "sessions", str(number + 2), "held_on", f"'=1+{number}"] for number in range(3)
        ]
        assert rows[4][0] == "warning"
        assert nothing_was_written()

    def test_a_patient_of_another_clinic_is_refused(self, web, south):
        html = answer(web, zipped(sound()))
        row = rows_of(html, "errors")[0]
        assert row[:4] == ["patients", "3", "clinic", "south"]
        assert "You cannot import into a clinic of this code." in row[4]
        assert "north" in row[5]
        assert nothing_was_written()

    def test_a_clinic_that_is_not_there_is_not_made(self, web):
        sheets = of_north()
        for row in sheets["patients"]:
            row["clinic"] = "moon"
        answer(web, zipped(sheets))
        assert nothing_was_written()
        assert not Clinic.objects.filter(code="moon").exists()

    def test_a_taken_study_id_is_refused_and_changes_nothing(self, web, north):
        patient = make_patient(north, study_id="P-1", birth_year=1950)
        html = answer(web, zipped(of_north()))
        assert rows_of(html, "errors")[0][:5] == ["patients", "2", "patient_id", "P-1", "This ID is taken."]
        assert list(Patient.objects.all()) == [patient]
        assert not TreatmentSession.objects.exists()

    def test_sending_it_twice_imports_it_once(self, web):
        answer(web, zipped(of_north()))
        assert "This ID is taken." in words_of(answer(web, zipped(of_north())))
        assert Patient.objects.count() == 2

    def test_what_the_database_refuses_in_the_end_is_told(self, web, monkeypatch):
        def refused(user, raw):
            raise ImportRefused([Problem(sentence="Something changed since they were checked.")])

        monkeypatch.setattr(views, "import_for", refused)
        html = answer(web, zipped(of_north()))
        assert rows_of(html, "errors")[0][0] == "The file"
        assert "Something changed since they were checked." in words_of(html)

    def test_what_a_file_holds_is_shown_as_text(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = "<script>alert(1)</script>"
        html = answer(web, zipped(sheets))
        assert "<script>alert" not in html
        assert "<script>alert(1)</script>" in rows_of(html, "errors")[0][3]


def bomb() -> bytes:
    """A small zip that says it is larger than anything that is read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", b"0" * 3_000_000)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"patient_id,clinic\r\n", "is neither a zip nor a workbook"),
        (b"PK\x03\x04 and then nothing", "is neither a zip nor a workbook"),
        (zipped(of_north())[:-40], "is neither a zip nor a workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "is an old or an encrypted workbook"),
        (as_zip({}).getvalue(), "No data sheet was found"),
        (as_zip({"../patients.csv": b"patient_id"}).getvalue(), "which leads out of it"),
        (as_zip({f"{n}.csv": b"" for n in range(300)}).getvalue(), "has 300 parts"),
        (bomb(), "larger than"),
        (b"PK\x03\x04" + b"x" * 2_000_000, "is larger than 1 MB"),
    ],
    ids=["empty", "csv", "head", "cut", "old", "nothing", "path", "parts", "bomb", "large"],
)
@pytest.mark.parametrize("button", ["import", "check", "problems"])
def test_a_hostile_file_gets_a_sentence_beside_the_field(web, settings, data, sentence, button):
    settings.DATA_SHEETS_MAX_BYTES = 1024 * 1024
    html = answer(web, data, button)
    assert sentence in words_of(html)
    assert 'href="#id_import_file"' in html
    assert not tables_of(html)
    assert nothing_was_written()


def test_without_a_file_it_is_asked_for(web):
    html = web.post(reverse("import_sheets"), {"import": "1"}).content.decode()
    assert "Choose a zip or a workbook." in words_of(html)
    html = web.post(reverse("import_sheets"), {"import": "1", "file": "sheets.zip"}).content.decode()
    assert "Choose a zip or a workbook." in words_of(html)


def test_a_sheet_that_is_not_known_is_named(web):
    files = as_files(of_north()) | {"patient.csv": b"patient_id\r\n"}
    row = rows_of(answer(web, as_zip(files).getvalue()), "errors")[0]
    assert row[0] == "patient"
    assert "Did you mean patients?" in row[5]


def test_the_empty_workbook_names_every_sheet(web):
    response = web.get(reverse("sheets_template"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert len(book.sheetnames) == 11
    assert book["patients"]["A1"].comment.text


@pytest.mark.parametrize("role", ["clinician", "nurse", "investigator", "observer", "administrator"])
def test_only_the_data_manager_exchanges_data(client, north, role):
    client.force_login(make_user(role, north))
    assert client.get(reverse("exchange")).status_code == 404
    assert client.get(reverse("sheets_template")).status_code == 404
    assert export(client).status_code == 404
    data = {"file": SimpleUploadedFile("s.zip", zipped(of_north())), "import": "1"}
    assert client.post(reverse("import_sheets"), data).status_code == 404
    assert nothing_was_written()
