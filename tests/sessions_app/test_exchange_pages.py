"""Import in the browser: all or nothing, only one's own clinics, and every error at once."""

import csv
import io
import os
import re
import time
import zipfile

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from lesions.models import Patient
from sessions_app import exchange, import_page
from sessions_app.datasheets import marked as marked_copies
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import write_workbook
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.problems import ImportRefused, Problem
from sessions_app.models import TreatmentSession
from sessions_app.views import imports as views
from stsclinic.audit.models import Change, Event
from stsclinic.audit.services import change
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


def upload(web, data: bytes, name: str = "sheets.zip"):
    return web.post(reverse("import_sheets"), {"file": SimpleUploadedFile(name, data)})


def previewed(web, data: bytes, name: str = "sheets.zip"):
    """The preview of an upload, which could be read."""
    response = upload(web, data, name)
    assert response.status_code == 302, words_of(response.content.decode())
    return web.get(response["Location"])


def token_of(response) -> str:
    return str(response.context["waiting"].token)


def confirm(web, response, **typed):
    """Confirm what a preview shows."""
    data = {"digest": response.context["preview"]["digest"], "reason": "The yearly correction"} | typed
    return web.post(reverse("import_confirm", args=[token_of(response)]), data, follow=True)


def imported(web, data: bytes, name: str = "sheets.zip") -> str:
    return confirm(web, previewed(web, data, name)).content.decode()


def nothing_was_written() -> bool:
    return not Patient.everything.exists() and not Event.objects.filter(kind="imported").exists()


class TestPreview:
    def test_writes_nothing_and_says_what_would_come(self, web):
        html = previewed(web, zipped(of_north())).content.decode()
        assert "Nothing is written yet" in words_of(html)
        counts = {row[0]: row[1:] for row in rows_of(html, "counts")}
        assert counts["Patients"] == ["2", "2", "0", "0", "0"]
        assert counts["Sessions"] == ["3", "3", "0", "0", "0"]
        assert ["patients, row 2", "P-1"] in rows_of(html, "created")
        assert nothing_was_written()

    def test_lists_every_error_at_once_and_offers_no_import(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = "femal"
        sheets["sessions"][1]["ptga"] = "11"
        sheets["injections"][0]["volume_ml"] = "0,5"
        response = previewed(web, zipped(sheets))
        html = response.content.decode()
        assert "3 errors; nothing can be imported" in words_of(html)
        errors = rows_of(html, "errors")
        assert [row[:2] for row in errors] == [
            ["patients, row 2, sex", "femal"],
            ["sessions, row 3, ptga", "11"],
            ["injections, row 2, volume_ml", "0,5"],
        ]
        assert all(row[2] for row in errors)
        assert "female" in errors[0][3]
        assert "import_confirm" not in html and "/confirm/" not in html
        confirm(web, response)
        assert nothing_was_written()

    def test_one_error_is_one(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = ""
        assert "1 error; nothing can be imported" in words_of(previewed(web, zipped(sheets)).content.decode())

    def test_warnings_are_listed_and_let_through(self, web):
        sheets = of_north()
        sheets["session_lesions"][0]["widest_mm"] = "13"
        response = previewed(web, zipped(sheets))
        rows = rows_of(response.content.decode(), "warnings")
        assert rows[0][:2] == ["session_lesions, row 2, widest_mm", "13"]
        confirm(web, response)
        assert Patient.objects.count() == 2

    def test_a_long_list_is_cut_on_the_page_and_whole_in_the_files(self, web, monkeypatch):
        monkeypatch.setattr(import_page, "SHOWN", 2)
        sheets = of_north()
        for number, row in enumerate(sheets["sessions"]):
            row["held_on"] = f"=1+{number}"
        sheets["session_lesions"][0]["widest_mm"] = "13"
        response = previewed(web, zipped(sheets))
        html = response.content.decode()
        assert len(rows_of(html, "errors")) == 2
        assert "3 errors" in words_of(html)
        assert "and 1 more" in words_of(html)
        listed = web.get(reverse("import_problems", args=[token_of(response)]))
        assert listed["Content-Disposition"].startswith('attachment; filename="stsclinic-problems-')
        rows = list(csv.reader(io.StringIO(listed.content.decode(), newline="")))
        assert tuple(rows[0]) == marked_copies.HEADINGS
        assert [row[:5] for row in rows[1:4]] == [
            ["error", "sessions", str(number + 2), "held_on", f"'=1+{number}"] for number in range(3)
        ]
        assert rows[4][0] == "warning"
        assert len(marked(web, response)["what was found"]["A"]) > 4
        assert nothing_was_written()

    def test_an_error_leads_to_its_row(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = "femal"
        response = previewed(web, zipped(sheets))
        address = reverse("import_row", args=[token_of(response), "patients", 2])
        assert f'href="{address}"' in response.content.decode()
        html = web.get(address).content.decode()
        assert "sex “femal”: This code is not known. Valid is one of female" in words_of(html)
        rows = dict(row[:2] for row in rows_of(html, "row"))
        assert (rows["sex"], rows["patient_id"]) == ("femal", "P-1")

    def test_a_row_shows_what_the_register_has(self, web):
        import_sheets(as_raw(of_north()), by="test", source="command")
        sheets = of_north()
        sheets["patients"][0] |= {"sex": "femal", "diagnosis": "dm"}
        token = token_of(previewed(web, zipped(sheets)))
        html = web.get(reverse("import_row", args=[token, "patients", 2])).content.decode()
        found = {row[0]: row[1:3] for row in rows_of(html, "row")}
        assert found["sex"] == ["femal", "female"]
        assert found["diagnosis"] == ["dm", "lcssc"]
        assert found["clinic"] == ["north", "the same"]

    def test_days_are_read_one_way_whatever_the_file_writes(self, web):
        import_sheets(as_raw(of_north()), by="test", source="command")
        sheets = of_north()
        sheets["sessions"][1]["held_on"] = "2024-01-11"
        sheets["lesions"][0]["onset_on"] = "2019-06"
        response = previewed(web, zipped(sheets))
        found = {row[0]: row[2:] for row in rows_of(response.content.decode(), "changes")}
        assert found["sessions, row 3, held_on"] == ["09-Jan-2024", "11-Jan-2024"]
        assert found["lesions, row 2, onset_on"][1] == "Jun-2019"
        html = web.get(reverse("import_row", args=[token_of(response), "sessions", 3])).content.decode()
        row = {cells[0]: cells[1:3] for cells in rows_of(html, "row")}
        assert row["held_on"] == ["2024-01-11", "09-Jan-2024"]

    @pytest.mark.parametrize(("sheet", "row"), [("patients", 99), ("nothing", 2)])
    def test_a_row_that_is_not_there_is_not_found(self, web, sheet, row):
        token = token_of(previewed(web, zipped(of_north())))
        assert web.get(reverse("import_row", args=[token, sheet, row])).status_code == 404

    def test_a_patient_of_another_clinic_is_refused(self, web, south):
        row = rows_of(previewed(web, zipped(sound())).content.decode(), "errors")[0]
        assert row[:2] == ["patients, row 3, clinic", "south"]
        assert "You cannot import into a clinic of this code." in row[2]
        assert "north" in row[3]

    def test_a_clinic_that_is_not_there_is_not_made(self, web):
        sheets = of_north()
        for row in sheets["patients"]:
            row["clinic"] = "moon"
        confirm(web, previewed(web, zipped(sheets)))
        assert nothing_was_written()
        assert not Clinic.objects.filter(code="moon").exists()

    def test_what_a_file_holds_is_shown_as_text(self, web):
        sheets = of_north()
        sheets["patients"][0]["sex"] = "<script>alert(1)</script>"
        html = previewed(web, zipped(sheets), name="<b>.zip").content.decode()
        assert "<script>alert" not in html and "<b>.zip" not in html
        assert "<script>alert(1)</script>" in rows_of(html, "errors")[0][1]

    def test_a_study_id_of_another_clinic_is_taken_and_nothing_of_it_is_shown(self, web, south):
        make_patient(south, study_id="P-1", birth_year=1950)
        html = previewed(web, zipped(of_north())).content.decode()
        assert rows_of(html, "errors")[0][:3] == ["patients, row 2, patient_id", "P-1", "This ID is taken."]
        assert "1950" not in words_of(html) and "south" not in words_of(html)

    def test_a_closed_allocation_is_not_shown_by_what_would_change(self, web, dana, south, monkeypatch):
        import_sheets(as_raw(sound()), by="test", source="command")
        may_exchange(dana, south)
        monkeypatch.setattr(exchange, "closed_for", lambda user: {("south", "placebo3")})
        sheets = sound()
        sheets["series_lesions"][1]["arm"] = "control"
        html = previewed(web, zipped(sheets)).content.decode()
        assert "The allocation of protocol placebo3 is closed to you" in words_of(html)
        assert not [table for table in tables_of(html) if table.table_id == "changes"]


def marked(web, response):
    """The marked copy of a preview."""
    answer = web.get(reverse("import_marked", args=[token_of(response)]))
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


class TestMarkedCopy:
    @pytest.fixture
    def wrong(self):
        sheets = of_north()
        sheets["patients"][0]["sex"] = "=femal"
        sheets["session_lesions"][0]["widest_mm"] = "13"
        return sheets

    def workbook(self, sheets):
        """The sheets as a person's own workbook, with a formula and a width."""
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            columns = list(dict.fromkeys(column for row in rows for column in row))
            sheet.append(columns)
            for row in rows:
                sheet.append([row.get(column) for column in columns])
        book["patients"].column_dimensions["A"].width = 33
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()

    @pytest.mark.parametrize("kind", ["zip", "xlsx"])
    def test_has_the_wrong_cells_filled_and_commented(self, web, wrong, kind):
        data = self.workbook(wrong) if kind == "xlsx" else zipped(wrong)
        book = marked(web, previewed(web, data, f"registry.{kind}"))
        cell = book["patients"]["C2"]
        assert (cell.value, cell.data_type) == ("=femal", "s")
        assert cell.fill.fgColor.rgb == "FFF4B6B0"
        assert ("This is a formula." if kind == "xlsx" else "Valid is one of female") in cell.comment.text
        unusual = next(cell for cell in book["session_lesions"][2] if cell.value == "13")
        assert unusual.fill.fgColor.rgb == "FFFFE699"
        assert book["patients"]["A2"].fill.fill_type is None and book["patients"]["A2"].comment is None
        found = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(min_row=2)]
        assert found[0][:5] == ["error", "patients", 2, "sex", "'=femal"]
        assert book.worksheets[0]["C2"].hyperlink.location == "'patients'!C2"
        if kind == "xlsx":
            assert book["patients"].column_dimensions["A"].width == 33

    def test_holds_no_formula(self, web, wrong):
        answer = web.get(
            reverse("import_marked", args=[token_of(previewed(web, self.workbook(wrong), "a.xlsx"))])
        )
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
            for name in archive.namelist():
                assert b"<f>" not in archive.read(name), name

    def test_can_be_corrected_and_sent_again(self, web, wrong):
        book = marked(web, previewed(web, self.workbook(wrong), "a.xlsx"))
        book["patients"]["C2"].value = "female"
        stream = io.BytesIO()
        book.save(stream)
        assert "Imported" in words_of(imported(web, stream.getvalue(), "a.xlsx"))
        assert Patient.objects.count() == 2

    def test_shows_what_would_change_beside_the_registers_value(self, web):
        import_sheets(as_raw(of_north()), by="test", source="command")
        sheets = of_north()
        sheets["sessions"][0]["ptga"] = "9"
        book = marked(web, previewed(web, zipped(sheets)))
        cell = next(cell for cell in book["sessions"][2] if cell.value == "9")
        assert "The register has: 7" in cell.comment.text

    @pytest.mark.parametrize("limit", ["LARGEST", "MOST_CELLS"])
    def test_of_too_large_a_file_is_not_made(self, web, wrong, monkeypatch, limit):
        monkeypatch.setattr(marked_copies, limit, 10)
        response = previewed(web, zipped(wrong))
        answer = web.get(reverse("import_marked", args=[token_of(response)]), follow=True)
        assert "too large for a marked copy" in words_of(answer.content.decode())


class TestImport:
    def test_writes_all_and_says_what(self, web):
        words = words_of(imported(web, zipped(of_north())))
        count = sum(len(rows) for rows in of_north().values())
        assert f"Imported: {count} rows new, 0 rows changed." in words
        assert set(Patient.objects.values_list("study_id", flat=True)) == {"P-1", "P-3"}
        event = Event.objects.get(kind="imported")
        assert event.actor == "dana"
        assert "patients 2" in event.detail
        made = Change.objects.filter(actor="dana")
        assert set(made.values_list("source", "reason")) == {("import", "The yearly correction")}

    def test_reads_a_workbook(self, web):
        import_sheets(as_raw(of_north()), by="test", source="command")
        content = io.BytesIO()
        write_workbook(content)
        book = openpyxl.load_workbook(content)
        for sheet in book:
            for row in sheet.iter_rows(min_row=2, max_col=1):
                row[0].value = row[0].value.replace("P-", "Q-")
        stream = io.BytesIO()
        book.save(stream)
        assert "Imported" in words_of(imported(web, stream.getvalue(), name="registry.xlsx"))
        assert Patient.objects.filter(study_id__startswith="Q-").count() == 2

    def test_a_corrected_file_changes_what_changed_with_history_and_the_reason(self, web):
        imported(web, zipped(of_north()))
        sheets = of_north()
        sheets["sessions"][0]["ptga"] = "9"
        response = previewed(web, zipped(sheets))
        html = response.content.decode()
        assert rows_of(html, "changes") == [["sessions, row 2, ptga", "P-1, 1, 1", "7", "9"]]
        before = Change.objects.count()
        assert "0 rows new, 1 row changed" in words_of(
            confirm(web, response, reason="Read wrongly").content.decode()
        )
        change = Change.objects.get(action="changed")
        assert Change.objects.count() == before + 1
        assert (change.actor, change.source, change.reason) == ("dana", "import", "Read wrongly")
        assert (change.old["ptga"], change.new["ptga"]) == (7, 9)
        assert "reason: Read wrongly" in Event.objects.filter(kind="imported").first().detail

    def test_the_same_file_again_has_nothing_to_import(self, web):
        imported(web, zipped(of_north()))
        html = previewed(web, zipped(of_north())).content.decode()
        assert "Nothing to import" in words_of(html)
        assert "/confirm/" not in html

    def test_a_reason_is_asked(self, web):
        html = confirm(web, previewed(web, zipped(of_north())), reason=" ").content.decode()
        assert "Say why this is imported." in words_of(html)
        assert nothing_was_written()

    @pytest.mark.parametrize("digest", ["", "0" * 64])
    def test_without_the_preview_nothing_is_imported(self, web, digest):
        confirm(web, previewed(web, zipped(of_north())), digest=digest)
        assert nothing_was_written()

    def test_what_changed_since_the_preview_is_shown_anew(self, web):
        imported(web, zipped(of_north()))
        sheets = of_north()
        sheets["sessions"][0]["ptga"] = "9"
        response = previewed(web, zipped(sheets))
        session = TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=1)
        change(session, {"ptga": 8}, by="nurse", seen_version=session.version)
        html = confirm(web, response).content.decode()
        assert "The register changed since you saw the preview." in words_of(html)
        assert rows_of(html, "changes") == [["sessions, row 2, ptga", "P-1, 1, 1", "8", "9"]]
        session.refresh_from_db()
        assert session.ptga == 8
        token = html.partition("/confirm/")[0].rpartition("/")[2]
        digest = re.search('name="digest" value="([0-9a-f]{64})"', html)[1]
        web.post(reverse("import_confirm", args=[token]), {"digest": digest, "reason": "Still"})
        session.refresh_from_db()
        assert session.ptga == 9

    def test_what_the_database_refuses_in_the_end_is_told(self, web, monkeypatch):
        def refused(user, raw, **_):
            raise ImportRefused([Problem(sentence="Something changed since they were checked.")])

        monkeypatch.setattr(views, "import_for", refused)
        html = imported(web, zipped(of_north()))
        assert "Something changed since they were checked." in words_of(html)
        assert nothing_was_written()


class TestWaiting:
    """The upload between preview and import."""

    def files(self):
        return list(settings.WAITING_UPLOADS.iterdir())

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, settings):
        settings.WAITING_UPLOADS = tmp_path / "uploads"

    def test_is_readable_by_the_program_alone(self, web):
        previewed(web, zipped(of_north()))
        assert settings.WAITING_UPLOADS.stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in self.files()] == [0o600, 0o600]

    def test_is_deleted_once_imported_and_not_imported_twice(self, web):
        response = previewed(web, zipped(of_north()))
        confirm(web, response)
        assert self.files() == []
        assert "no longer kept" in words_of(confirm(web, response).content.decode())
        assert Event.objects.filter(kind="imported").count() == 1

    def test_can_be_deleted(self, web):
        response = previewed(web, zipped(of_north()))
        web.post(reverse("import_discard", args=[token_of(response)]))
        assert self.files() == []
        assert nothing_was_written()

    def sent_before(self, minutes):
        at = time.time() - 60 * minutes
        for path in self.files():
            os.utime(path, (at, at))

    def test_is_deleted_after_an_hour(self, web):
        response = previewed(web, zipped(of_north()))
        self.sent_before(minutes=59)
        assert web.get(reverse("import_preview", args=[token_of(response)])).status_code == 200
        self.sent_before(minutes=61)
        html = web.get(reverse("import_preview", args=[token_of(response)]), follow=True).content.decode()
        assert "no longer kept" in words_of(html)
        assert self.files() == []

    def test_is_its_senders_alone(self, web, client, north):
        response = previewed(web, zipped(of_north()))
        client.force_login(make_user("data_manager", north, "dora"))
        for name in ("import_preview", "import_marked", "import_problems"):
            html = client.get(reverse(name, args=[token_of(response)]), follow=True).content.decode()
            assert "no longer kept" in words_of(html)
        client.post(reverse("import_discard", args=[token_of(response)]))
        assert len(self.files()) == 2
        confirm(client, response)
        assert nothing_was_written()

    def test_is_what_was_sent(self, web):
        response = previewed(web, zipped(of_north()))
        path = next(path for path in self.files() if path.suffix == ".sheets")
        path.write_bytes(zipped(sound()))
        assert "no longer kept" in words_of(confirm(web, response).content.decode())
        assert nothing_was_written()

    def test_a_file_that_cannot_be_read_is_not_kept(self, web):
        upload(web, b"nothing")
        assert not settings.WAITING_UPLOADS.exists()


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
def test_a_hostile_file_gets_a_sentence_beside_the_field(web, settings, data, sentence):
    settings.DATA_SHEETS_MAX_BYTES = settings.DATA_SHEETS_MAX_UNPACKED_BYTES = 1024 * 1024
    html = upload(web, data).content.decode()
    assert sentence in words_of(html)
    assert 'href="#id_import_file"' in html
    assert not tables_of(html)
    assert nothing_was_written()


def test_without_a_file_it_is_asked_for(web):
    html = web.post(reverse("import_sheets")).content.decode()
    assert "Choose a zip or a workbook." in words_of(html)
    html = web.post(reverse("import_sheets"), {"file": "sheets.zip"}).content.decode()
    assert "Choose a zip or a workbook." in words_of(html)


def test_a_sheet_that_is_not_known_is_named(web):
    files = as_files(of_north()) | {"patient.csv": b"patient_id\r\n"}
    row = rows_of(previewed(web, as_zip(files).getvalue()).content.decode(), "errors")[0]
    assert row[0] == "patient"
    assert row[3] == "Did you mean patients?"


def test_a_file_without_a_row_is_not_imported_as_nothing(web):
    html = upload(
        web, as_zip({"patients.csv": b"patient_id,clinic,sex,diagnosis\r\n"}).getvalue()
    ).content.decode()
    assert "holds no row: there is nothing to import" in words_of(html)


def test_the_template_names_every_sheet(web):
    response = web.get(reverse("sheets_template"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert book.sheetnames[:11] == list(SHEETS)
    assert book["patients"]["A1"].comment.text


@pytest.mark.parametrize("role", ["clinician", "nurse", "investigator", "observer", "administrator"])
def test_only_the_data_manager_exchanges_data(client, north, role):
    client.force_login(make_user(role, north))
    assert client.get(reverse("exchange")).status_code == 404
    assert client.get(reverse("sheets_template")).status_code == 404
    data = {"file": SimpleUploadedFile("s.zip", zipped(of_north()))}
    assert client.post(reverse("import_sheets"), data).status_code == 404
    assert nothing_was_written()
