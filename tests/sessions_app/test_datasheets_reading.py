"""Folders, zips and workbooks, sound and hostile."""

import csv
import datetime
import io
import json
import os
import subprocess
import sys
import zipfile
from unittest.mock import patch

import openpyxl
import pytest
from django.conf import settings
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.datasheets import csv_sheets
from sessions_app.datasheets import raw as raw_sheets
from sessions_app.datasheets.reading import MOST_MEMBERS, read_path, read_upload
from tests.sessions_app import hostile_files
from tests.sessions_app.datasheet_files import as_files, as_zip, sound, write_files

MOST_MIB = 300
"""Memory that reading a hostile file may take, with the program around it."""


def sentences(raw):
    return "\n".join(str(error) for error in raw.errors)


def read_csv(tmp_path, data, name="patients.csv"):
    return read_path(write_files(tmp_path / "in", {name: data}))


def workbook(cells, title="patients"):
    """A workbook of one sheet; cells by row."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in cells:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return stream


HEADER = "patient_id,clinic,sex,diagnosis\r\n"
ROW = "P-1,north,female,dm\r\n"
WRONG_FILES = {
    "latin-1": ((HEADER + "P-1,n\xf8rth,female,dm\r\n").encode("latin-1"), "not in UTF-8: see line 2"),
    "utf-16": ((HEADER + ROW).encode("utf-16"), "UTF-16"),
    "utf-16 without a mark": ((HEADER + ROW).encode("utf-16-le"), "UTF-16"),
    "tabs": ((HEADER + ROW).replace(",", "\t").encode(), "separated by tabs"),
    "nothing": (b"", "The file is empty"),
    "a BOM alone": (b"\xef\xbb\xbf\r\n", "The file is empty"),
    "an empty first row": (b",,\r\nP-1,north,female\r\n", "names no columns"),
    "a column unknown": (HEADER.replace("sex", "Sex").encode() + ROW.encode(), "Did you mean sex?"),
    "a column twice": (HEADER.replace("sex", "clinic").encode() + ROW.encode(), "there twice"),
    "a column missing": (b"patient_id,clinic,sex\r\nP-1,north,female\r\n", "diagnosis: This required column"),
    "a row too short": (HEADER.encode() + b"P-1,north\r\n", "row 2: The row has 2 cells"),
    "a row too long": (HEADER.encode() + b"P-1,north,female,dm,more\r\n", '"more": The row has 5 cells'),
    "a quote left open": (HEADER.encode() + b'P-1,"north,female,dm\r\n', "cannot be read as CSV"),
}


@pytest.mark.parametrize("what", WRONG_FILES)
def test_a_wrong_file_is_refused_with_a_sentence(tmp_path, what):
    data, sentence = WRONG_FILES[what]
    assert sentence in sentences(read_csv(tmp_path, data))


def test_a_column_that_is_nearly_known_is_suggested_without_the_list_of_all(tmp_path):
    (error,) = [
        one
        for one in read_csv(tmp_path / "near", HEADER.replace("sex", "Sex").encode() + ROW.encode()).errors
        if one.column == "Sex"
    ]
    assert error.valid == "Did you mean sex?"
    (error,) = read_csv(
        tmp_path / "far", (HEADER.strip() + ",shoes\r\n" + ROW.strip() + ",42\r\n").encode()
    ).errors
    assert error.valid.startswith("Valid are patient_id, clinic, ")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_bom_and_line_ends_are_tolerated(tmp_path, start, end):
    raw = read_csv(tmp_path, (start + HEADER + "\r\n,,,\r\n" + ROW).replace("\r\n", end).encode())
    assert not raw.errors
    row = {"patient_id": "P-1", "clinic": "north", "sex": "female", "diagnosis": "dm"}
    # Empty rows are passed over, and counted.
    assert list(raw.sheets["patients"].rows) == [(4, row)]


class TestSemicolons:
    """What Danish Excel saves: semicolons, and a comma in decimals."""

    HEADER = "patient_id;series_no;session_no;lesion_id;agent;volume_ml;concentration_mg_ml\r\n"

    def read(self, tmp_path, volume, start="\ufeff"):
        data = f"{start}{self.HEADER}P-1;1;1;L1;sts;{volume};150\r\n".encode()
        raw = read_csv(tmp_path, data, "injections.csv")
        return raw, next(raw.sheets["injections"].rows)[1]["volume_ml"]

    @pytest.mark.parametrize(
        ("typed", "volume"), [("0,55", "0.55"), ("0.55", "0.55"), ("3", "3"), ("0,250", "0.25"), (" ", " ")]
    )
    def test_are_read_with_their_decimals(self, tmp_path, typed, volume):
        raw, read = self.read(tmp_path, typed)
        assert not raw.errors
        assert read == volume

    @pytest.mark.parametrize(
        ("typed", "words"),
        [("1.000,5", "one decimal mark"), ("x", "Enter a number"), ("1,2,3", "one decimal mark")],
    )
    def test_what_is_no_number_is_refused(self, tmp_path, typed, words):
        raw, read = self.read(tmp_path, typed)
        (error,) = raw.errors
        assert (error.place, error.value) == ("injections, row 2, volume_ml", typed)
        assert words in error.sentence
        assert "with a point" in error.valid
        assert read is None

    def test_two_readings_are_refused(self, tmp_path):
        data = b"patient_id;series_no;session_no;dose_g;duration_min\r\nP-1;1;1;1,000;30\r\n"
        (error,) = read_csv(tmp_path, data, "infusions.csv").errors
        assert "1,000 could be 1 or 1000" in error.sentence

    def test_a_comma_in_a_sheet_of_commas_is_none(self, tmp_path):
        data = self.HEADER.replace(";", ",").encode() + b'P-1,1,1,L1,sts,"0,55",150\r\n'
        raw = read_csv(tmp_path, data, "injections.csv")
        assert next(raw.sheets["injections"].rows)[1]["volume_ml"] == "0,55"


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('aø;"\r\n😀,'), max_size=5), min_size=2, max_size=3), max_size=8
    ),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.integers(1, 9),
)
def test_lines_are_the_same_wherever_a_block_ends(rows, end, block):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=end).writerows(rows)
    data = stream.getvalue().encode()
    with patch.object(csv_sheets, "BLOCK", block):
        lines = list(csv_sheets._Lines(io.BytesIO(data)))
    assert lines == list(io.StringIO(stream.getvalue(), newline=""))


def test_an_unknown_sheet_is_named(tmp_path):
    assert "There is no sheet 'patient'" in sentences(read_csv(tmp_path, b"a\r\n", "patient.csv"))


def test_what_is_no_csv_is_said_not_to_be_read(tmp_path):
    raw = read_path(write_files(tmp_path / "in", {**as_files(sound()), "README.md": b"", ".hidden": b""}))
    assert [str(warning) for warning in raw.warnings] == ["README.md is no CSV file and was not read."]


def test_an_empty_folder_and_a_missing_one(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "No data sheet was found" in sentences(read_path(tmp_path / "empty"))
    assert "There is no file or folder" in sentences(read_path(tmp_path / "missing"))


def test_a_zip_holds_the_same_as_its_folder(tmp_path):
    files = as_files(sound())
    flat = read_upload(as_zip(files), "a.zip")
    nested = read_upload(as_zip({f"case/{name}": data for name, data in files.items()}), "a.zip")
    folder = read_path(write_files(tmp_path / "in", files))
    assert flat.sheets == nested.sheets == folder.sheets
    assert not flat.errors + nested.errors + folder.errors


@pytest.mark.parametrize(
    "name", ["../patients.csv", "/patients.csv", "a/../../patients.csv", "c:\\patients.csv"]
)
def test_a_path_that_leads_out_of_the_zip_is_refused(name):
    raw = read_upload(as_zip({name: b"x"}), "a.zip")
    assert "leads out of it" in sentences(raw)
    assert not raw.sheets


def test_files_in_several_folders_are_refused():
    raw = read_upload(as_zip({"a/patients.csv": b"x", "b/patients.csv": b"x"}), "a.zip")
    assert "several folders" in sentences(raw)


def test_the_same_sheet_twice_is_refused():
    raw = read_upload(as_zip({"patients.csv": HEADER.encode(), "patients.CSV": HEADER.encode()}), "a.zip")
    assert "there twice" in sentences(raw)


@pytest.mark.parametrize(("megabytes", "is_too_large"), [(200, False), (300, True)])
def test_a_zip_has_room_for_a_million_injections_and_what_belongs_to_them(megabytes, is_too_large):
    """With all columns filled they are some 90 MB, their assessments 55 and the sessions 7."""
    claimed = hostile_files.claiming(as_zip({"patients.csv": HEADER.encode()}).getvalue(), megabytes * 10**6)
    assert ("is larger than" in sentences(read_upload(io.BytesIO(claimed), "a.zip"))) is is_too_large


@override_settings(DATA_SHEETS_MAX_UNPACKED_BYTES=100_000)
def test_a_bomb_is_refused_before_it_is_unpacked():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", b"0" * 10_000_000)
    assert "once unpacked" in sentences(read_upload(stream, "a.zip"))


@override_settings(DATA_SHEETS_MAX_UNPACKED_BYTES=100_000)
def test_a_bomb_that_lies_about_its_size_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", b"0" * 10_000_000)
    size = (10_000_000).to_bytes(4, "little")
    lying = io.BytesIO(stream.getvalue().replace(size, (10).to_bytes(4, "little")))
    raw = read_upload(lying, "a.zip")
    assert raw.errors
    assert not any(list(sheet.rows) for sheet in raw.sheets.values())


def test_too_many_parts_and_too_large_a_file_are_refused():
    files = {f"{number}.csv": b"" for number in range(MOST_MEMBERS + 1)}
    assert "parts" in sentences(read_upload(as_zip(files), "a.zip"))
    with override_settings(DATA_SHEETS_MAX_BYTES=10):
        assert "larger than" in sentences(read_upload(as_zip({"patients.csv": b"x"}), "a.zip"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"patient_id,clinic\r\n", "neither a zip nor a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "old or an encrypted workbook"),
        (b"PK\x03\x04" + b"\0" * 50, "neither a zip nor a workbook"),
    ],
)
def test_what_is_no_zip_is_refused(data, sentence):
    assert sentence in sentences(read_upload(io.BytesIO(data), "a.zip"))


def test_an_encrypted_zip_is_refused():
    stream = as_zip({"patients.csv": b"x"})
    data = bytearray(stream.getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in sentences(read_upload(io.BytesIO(bytes(data)), "a.zip"))


COLUMNS = ["patient_id", "clinic", "sex", "diagnosis", "birth_year", "offered_on", "race"]


def test_the_cells_of_a_workbook_are_read_as_what_they_are():
    day = datetime.datetime(2024, 1, 2)
    raw = read_upload(workbook([COLUMNS, ["001", "north", "female", "dm", 1980, day, 12.5]]), "a.xlsx")
    assert not raw.errors
    values = ["001", "north", "female", "dm", "1980", "2024-01-02", "12.5"]
    assert list(raw.sheets["patients"].rows) == [(2, dict(zip(COLUMNS, values, strict=True)))]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("=1+1", "This is a formula."),
        (True, "truth value"),
        (datetime.datetime(2024, 1, 2), "holds this as a date"),
        (datetime.datetime(2024, 1, 2, 13, 30), "time of day"),
        (datetime.time(13, 30), "time of day"),
        ("#N/A", "error of the workbook"),
    ],
)
def test_a_cell_that_is_no_plain_value_is_refused(cell, sentence):
    raw = read_upload(workbook([COLUMNS, ["P-1", "north", "female", "dm", None, None, cell]]), "a.xlsx")
    (error,) = raw.errors
    assert error.place == "patients, row 2, race"
    assert sentence in error.sentence
    assert list(raw.sheets["patients"].rows)[0][1]["race"] is None


def test_an_unknown_worksheet_is_named():
    assert "There is no sheet 'Sheet1'" in sentences(read_upload(workbook([["a"]], "Sheet1"), "a.xlsx"))


def test_a_damaged_workbook_is_refused():
    files = {"xl/workbook.xml": b"<workbook", "[Content_Types].xml": b"<Types/>"}
    assert "cannot be read as a workbook" in sentences(read_upload(as_zip(files), "a.xlsx"))


@pytest.fixture(scope="module")
def read_under_limits(tmp_path_factory):
    """Every hostile file, read in a process that has little memory: what came of each."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (make, _sentence) in hostile_files.files().items():
        (folder / name).write_bytes(make())
    ended = subprocess.run(
        [sys.executable, "-m", "tests.tools.reading_limited", str(folder)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"STSCLINIC_DATA": str(tmp_path_factory.mktemp("data"))},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return {found["name"]: found for found in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("name", hostile_files.files())
def test_a_hostile_file_gets_a_sentence_and_little_memory(read_under_limits, name):
    found = read_under_limits[name]
    sentence = hostile_files.files()[name][1]
    assert any(sentence in one for one in found["sentences"]), found
    assert found["mib"] < MOST_MIB


def test_a_file_that_is_wrong_throughout_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_sheets, "MOST_ERRORS", 3)
    raw = read_csv(tmp_path, (HEADER + "x\r\n" * 10).encode())
    assert len(raw.errors) == 4
    assert "the rest was not looked at" in raw.errors[-1].sentence


def test_empty_rows_are_passed_over_up_to_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_sheets, "MOST_EMPTY_ROWS", 3)
    assert not read_csv(tmp_path, (HEADER + ",,,\r\n" * 3 + ROW).encode()).errors
    (error,) = read_path(
        write_files(tmp_path / "more", {"patients.csv": (HEADER + ROW + ",,,\r\n" * 4 + ROW).encode()})
    ).errors
    assert error.place == "patients, row 3"


def test_a_sheet_of_too_many_columns_is_refused_once(tmp_path):
    data = ",".join(f"c{number}" for number in range(400)).encode() + b"\r\n"
    (error,) = read_csv(tmp_path, data).errors
    assert "names 400 columns" in error.sentence


@pytest.mark.parametrize("cell", [45_000, 45_000.5])
def test_a_number_of_excel_is_no_date(cell):
    raw = read_upload(workbook([COLUMNS, ["P-1", "north", "female", "dm", None, cell, None]]), "a.xlsx")
    assert next(raw.sheets["patients"].rows)[1]["offered_on"] == str(cell)


def test_a_file_with_one_nul_byte_is_utf_8_and_its_cell_is_said_to_be_wrong(tmp_path):
    raw = read_csv(tmp_path, (HEADER + ROW.replace("north", "no\x00rth")).encode())
    assert not raw.errors
    assert list(raw.sheets["patients"].rows)[0][1]["clinic"] == "no\x00rth"
