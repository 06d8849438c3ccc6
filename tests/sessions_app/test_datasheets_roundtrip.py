"""Export, import into an empty database, export again: the same bytes, on both databases."""

import csv
import io
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesions.models import Lesion, Patient
from sessions_app.datasheets import exporting
from sessions_app.datasheets.checking import check
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import (
    NoRoomInWorkbook,
    Scope,
    sheet_rows,
    write_folder,
    write_workbook,
)
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path, read_upload
from sessions_app.models import Protocol, Series, SessionDraft, TreatmentSession
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out
from stsclinic.clinics.models import Clinic
from stsclinic.demo.clinics import CASES
from stsclinic.demo.loading import CASE_FOLDER
from tests.builders import make_user
from tests.sessions_app.datasheet_files import (
    V1,
    as_csv,
    as_raw,
    exported,
    files_of,
    read_folder,
    sound,
    write_files,
)
from tests.sessions_app.generated_sheets import ODD_TEXTS, TEXTS, Generator

pytestmark = pytest.mark.django_db


def workbook_bytes(scope=exporting.EVERYTHING):
    stream = io.BytesIO()
    write_workbook(stream, scope)
    return stream.getvalue()


@pytest.mark.parametrize("case", CASES)
def test_a_case_comes_back_with_the_same_bytes(case, tmp_path):
    first = exported(read_folder(CASE_FOLDER / case), tmp_path / "first")
    assert exported(read_folder(tmp_path / "first"), tmp_path / "second") == first
    for name, data in first.items():
        assert not data.startswith(b"\xef\xbb\xbf")
        assert data.endswith(b"\r\n"), name
        assert data.count(b"\n") == data.count(b"\r\n"), name


@pytest.mark.parametrize("case", CASES)
def test_nothing_of_a_case_is_lost(case, tmp_path):
    """Every cell of the published sheets is in the export, in canonical form."""
    files = exported(read_folder(CASE_FOLDER / case), tmp_path / "out")
    for name, sheet in SHEETS.items():
        source = (CASE_FOLDER / case / f"{name}.csv").read_text(encoding="utf-8")
        keys = [column.name for column in sheet.keys]
        out = {tuple(row[key] for key in keys): row for row in rows_of(files[f"{name}.csv"])}
        given_rows = rows_of(source.encode())
        assert len(out) == len(given_rows)
        for row in given_rows:
            found = out[tuple(row.get(key, "") for key in keys)]
            for column, text in row.items():
                assert found[column] == canonical(sheet.column(column), text), (name, column)


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def canonical(column, text):
    if column.kind == "decimal" and "." in text:
        return text.rstrip("0").rstrip(".")
    return text


@pytest.mark.parametrize("case", CASES)
def test_a_case_comes_back_from_a_workbook(case, tmp_path):
    """Byte-equal as a workbook too, and as CSV after the workbook."""
    books = []
    raw = read_folder(CASE_FOLDER / case)
    for number in range(2):
        with transaction.atomic():
            import_sheets(raw, by="test", source="import")
            books.append(workbook_bytes())
            (tmp_path / str(number)).mkdir()
            write_folder(tmp_path / str(number))
            transaction.set_rollback(True)
        raw = read_upload(io.BytesIO(books[-1]), "case.xlsx")
        assert not raw.errors
    assert books[0] == books[1]
    assert files_of(tmp_path / "0") == files_of(tmp_path / "1")


def test_the_order_is_that_of_the_keys_numbers_as_numbers():
    sheets = sound()
    patient = sheets["patients"][0]
    ids = ["b", "C", "a10", "a2", "Z", "a-1", "a_1", "a.1"]
    sheets["patients"] += [{**patient, "patient_id": study_id} for study_id in ids]
    visit = {**V1, "kind": "assessment", "held_on": "2024-02-01"}
    sheets["sessions"] += [{**visit, "session_no": str(number)} for number in range(11, 2, -1)]
    import_sheets(as_raw(sheets), by="test", source="import")
    patients = [row[0] for row in sheet_rows(SHEETS["patients"], Scope())]
    assert patients == sorted([*ids, "P-1", "P-2", "P-3"])
    numbers = [row[2] for row in sheet_rows(SHEETS["sessions"], Scope()) if row[0] == "P-1"]
    assert numbers == [str(number) for number in range(1, 12)]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_a_text(text, tmp_path):
    sheets = sound()
    sheets["sessions"][0]["note"] = text
    sheets["injections"][0]["lot_number"] = text.replace("\n", " ")
    import_sheets(as_raw(sheets), by="test", source="import")
    assert TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=1).note == text
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes()))
    note = next(cell for cell in book["sessions"][2] if cell.value == text)
    assert note.data_type == "s"
    raw = read_upload(io.BytesIO(workbook_bytes()), "a.xlsx")
    assert next(raw.sheets["sessions"].rows)[1]["note"] == text
    write_folder(tmp_path)
    assert next(read_folder(tmp_path).sheets["sessions"].rows)[1]["note"] == text


def test_what_a_page_let_in_is_exported_so_that_it_can_be_read_back(tmp_path):
    """Line ends of a browser, and control characters that no sheet takes."""
    import_sheets(as_raw(sound()), by="test", source="import")
    with acting(by="test", source="page"):
        TreatmentSession.objects.filter(series__patient__study_id="P-1", session_no=1).update(
            note="a\r\nb\x0bc\x01\x7f"
        )
    write_folder(tmp_path)
    assert next(read_folder(tmp_path).sheets["sessions"].rows)[1]["note"] == "a\nb\nc"
    raw = read_upload(io.BytesIO(workbook_bytes()), "a.xlsx")
    assert next(raw.sheets["sessions"].rows)[1]["note"] == "a\nb\nc"


def test_a_text_too_long_for_a_cell_stops_the_workbook():
    sheets = sound()
    sheets["sessions"][0]["note"] = "x" * 40_000
    import_sheets(as_raw(sheets), by="test", source="import")
    with pytest.raises(NoRoomInWorkbook, match="CSV"):
        workbook_bytes()


class TestScope:
    """What goes into the sheets of one reader."""

    @pytest.fixture(autouse=True)
    def registry(self):
        sheets = sound()
        sheets["injections"][1] |= {"salt_form": "pentahydrate", "lot_number": "LOT-7"}
        import_sheets(as_raw(sheets), by="test", source="import")

    def rows(self, name, **scope):
        names = [column.name for column in SHEETS[name].columns]
        return [dict(zip(names, row, strict=True)) for row in sheet_rows(SHEETS[name], Scope(**scope))]

    def test_only_the_clinics_asked_for(self):
        south = [Clinic.objects.get(code="south").pk]
        for name in SHEETS:
            found = {row["patient_id"] for row in self.rows(name, clinic_ids=south)}
            assert found <= {"P-2"}, name
        assert self.rows("patients", clinic_ids=[]) == []
        assert len(self.rows("injections", clinic_ids=south)) == 2

    def test_a_closed_allocation_is_left_out_and_nothing_else(self):
        hidden = ["agent", "concentration_mg_ml", "salt_form", "lot_number"]
        shown = self.rows("injections")
        closed = self.rows("injections", closed={("south", "placebo3")})
        assert closed[0] == shown[0]
        for before, after in zip(shown[1:], closed[1:], strict=True):
            assert [after[name] for name in hidden] == [""] * 4
            kept = {name for name in before if name not in hidden}
            assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert [row["arm"] for row in self.rows("series_lesions")] == ["", "active", "control"]
        assert [row["arm"] for row in self.rows("series_lesions", closed={("south", "placebo3")})] == [
            "",
            "",
            "",
        ]

    def test_a_pair_closes_its_own_clinic_and_protocol_alone(self):
        for pair in [("north", "placebo3"), ("south", "weekly4")]:
            assert self.rows("injections", closed={pair}) == self.rows("injections")

    def test_no_workbook_betrays_it(self):
        stream = io.BytesIO()
        write_workbook(stream, Scope(closed={("south", "placebo3")}))
        with zipfile.ZipFile(stream) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
        for word in (b"saline", b"control", b"LOT-7", b"pentahydrate"):
            assert word not in content

    def test_each_sheet_is_one_query(self):
        with CaptureQueriesContext(connection) as queries:
            for sheet in SHEETS.values():
                list(sheet_rows(sheet, Scope()))
        assert len(queries) == len(SHEETS)


class TestWhatDoesNotCount:
    """Drafts and struck-out rows are in no sheet, and what remains can be read back."""

    @pytest.fixture(autouse=True)
    def registry(self):
        import_sheets(as_raw(sound()), by="test", source="import")

    def out(self, tmp_path):
        write_folder(tmp_path)
        raw = read_folder(tmp_path)
        with transaction.atomic():
            for patient in Patient.objects.all():
                strike_out(patient, by="test", reason="to make room")
            errors = [error for error in check(raw).errors if error.sentence != "This ID is taken."]
            transaction.set_rollback(True)
        assert errors == []
        return {name: [row for _number, row in raw.sheets[name].rows] for name in SHEETS}

    def test_a_draft(self, tmp_path):
        before = files_of_now(tmp_path / "before")
        series = Series.objects.get(patient__study_id="P-1")
        user = make_user("nurse", series.patient.clinic)
        SessionDraft.objects.create(series=series, kind="treatment", opened_by=user)
        assert files_of_now(tmp_path / "after") == before

    def test_a_patient(self, tmp_path):
        strike_out(Patient.objects.get(study_id="P-1"), by="test", reason="a mistake")
        sheets = self.out(tmp_path)
        assert {row["patient_id"] for rows in sheets.values() for row in rows} == {"P-2", "P-3"}

    def test_a_lesion(self, tmp_path):
        strike_out(Lesion.objects.get(patient__study_id="P-1", lesion_id="L1"), by="test", reason="a mistake")
        sheets = self.out(tmp_path)
        of_patient = {name: [r for r in rows if r["patient_id"] == "P-1"] for name, rows in sheets.items()}
        for name in ("series_lesions", "session_lesions", "injections", "prior_treatments"):
            assert of_patient[name] == [], name
        assert [row["lesion_id"] for row in of_patient["side_effects"]] == [""]
        assert [row["lesion_id"] for row in of_patient["lesions"]] == ["L2"]

    def test_a_series(self, tmp_path):
        strike_out(Series.objects.get(patient__study_id="P-1"), by="test", reason="a mistake")
        sheets = self.out(tmp_path)
        assert not [
            r for name in ("sessions", "injections") for r in sheets[name] if r["patient_id"] == "P-1"
        ]
        (effect,) = sheets["side_effects"]
        assert (effect["series_no"], effect["session_no"]) == ("", "")

    def test_a_session(self, tmp_path):
        session = TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=1)
        later = TreatmentSession.objects.get(series__patient__study_id="P-1", session_no=2)
        with acting(by="test", source="page", reason="a mistake"):
            session.session_no, session.struck_out_at = None, session.completed_at
            session.save()
            later.session_no = 1
            later.save()
        sheets = self.out(tmp_path)
        mine = [row for row in sheets["sessions"] if row["patient_id"] == "P-1"]
        assert [(row["session_no"], row["held_on"]) for row in mine] == [("1", "2024-01-09")]
        (effect,) = sheets["side_effects"]
        assert (effect["series_no"], effect["session_no"]) == ("1", "")


def files_of_now(folder):
    folder.mkdir()
    write_folder(folder)
    return files_of(folder)


def test_an_empty_registry_has_every_sheet_with_its_columns(tmp_path):
    files = files_of_now(tmp_path / "out")
    assert files["series_lesions.csv"] == b"patient_id,series_no,lesion_id,arm\r\n"
    assert sorted(files) == sorted(f"{name}.csv" for name in SHEETS)
    assert import_sheets(read_path(tmp_path / "out"), by="test", source="command").counts["patients"] == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), texts=st.lists(ODD_TEXTS, max_size=6))
def test_any_registry_comes_back_with_the_same_bytes(seed, texts):
    sheets = Generator(seed, texts).sheets()
    raw = as_raw(sheets) if any(sheets.values()) else None
    if raw is None:
        return
    assert not raw.errors
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = exported(raw, folder / "first")
        for sheet, rows in sheets.items():
            assert len(rows_of(first[f"{sheet}.csv"])) == len(rows)
        assert exported(read_folder(folder / "first"), folder / "second") == first
        with transaction.atomic():
            import_sheets(raw, by="test", source="import")
            book = workbook_bytes()
            transaction.set_rollback(True)
        assert exported(read_upload(io.BytesIO(book), "a.xlsx"), folder / "third") == first


def test_the_generator_meets_every_column_of_every_sheet():
    """Otherwise the property above would say less than it seems to."""
    met = set()
    for seed in range(40):
        for name, rows in Generator(seed, ["x"]).sheets().items():
            met |= {(name, column) for row in rows for column, text in row.items() if text}
    every = {(name, column.name) for name, sheet in SHEETS.items() for column in sheet.columns}
    assert every - met <= {
        ("prior_treatments", "lesion_id"), ("side_effects", "session_no"), ("side_effects", "lesion_id"),
    }  # fmt: skip


def test_protocols_are_not_among_the_sheets(tmp_path):
    before = Protocol.objects.count()
    exported(as_raw(sound()), tmp_path / "out")
    assert Protocol.objects.count() == before


def test_a_sheet_may_have_its_columns_in_any_order(tmp_path):
    sheets = sound()
    files = {}
    for name, rows in sheets.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))[::-1]
        files[f"{name}.csv"] = as_csv(name, rows, columns).encode()
        assert files[f"{name}.csv"] != as_csv(name, rows).encode()
    turned = read_folder(write_files(tmp_path / "turned", files))
    assert exported(turned, tmp_path / "a") == exported(as_raw(sheets), tmp_path / "b")
