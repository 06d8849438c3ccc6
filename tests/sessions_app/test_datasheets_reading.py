"""Folders, zips and workbooks, sound and hostile."""

import datetime
import io
import zipfile

import openpyxl
import pytest
from django.test import override_settings

from sessions_app.datasheets.reading import MOST_MEMBERS, read_path, read_upload
from tests.sessions_app.datasheet_files import as_files, as_zip, sound, write_files


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
    "semicolons": ((HEADER + ROW).replace(",", ";").encode(), "separated by semicolons"),
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


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_bom_and_line_ends_are_tolerated(tmp_path, start, end):
    raw = read_csv(tmp_path, (start + HEADER + "\r\n,,,\r\n" + ROW).replace("\r\n", end).encode())
    assert not raw.errors
    row = {"patient_id": "P-1", "clinic": "north", "sex": "female", "diagnosis": "dm"}
    # Empty rows are passed over, and counted.
    assert raw.sheets["patients"].rows == [(4, row)]


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


@override_settings(DATA_SHEETS_MAX_BYTES=100_000)
def test_a_bomb_is_refused_before_it_is_unpacked():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", b"0" * 10_000_000)
    assert "once unpacked" in sentences(read_upload(stream, "a.zip"))


@override_settings(DATA_SHEETS_MAX_BYTES=100_000)
def test_a_bomb_that_lies_about_its_size_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", b"0" * 10_000_000)
    size = (10_000_000).to_bytes(4, "little")
    lying = io.BytesIO(stream.getvalue().replace(size, (10).to_bytes(4, "little")))
    raw = read_upload(lying, "a.zip")
    assert raw.errors
    assert not any(sheet.rows for sheet in raw.sheets.values())


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
    assert raw.sheets["patients"].rows == [(2, dict(zip(COLUMNS, values, strict=True)))]


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
    assert raw.sheets["patients"].rows[0][1]["race"] is None


def test_an_unknown_worksheet_is_named():
    assert "There is no sheet 'Sheet1'" in sentences(read_upload(workbook([["a"]], "Sheet1"), "a.xlsx"))


def test_entities_in_a_workbook_are_refused():
    source = zipfile.ZipFile(workbook([COLUMNS, ["P-1", "north", "female", "dm"]]))
    hostile = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    files = {name: source.read(name) for name in source.namelist()}
    for name, data in files.items():
        if name.endswith("sheet1.xml"):
            files[name] = (
                hostile.encode() + data.partition(b"?>")[2]
                if data.startswith(b"<?")
                else hostile.encode() + data
            )
    raw = read_upload(as_zip(files), "a.xlsx")
    assert "cannot be read as a workbook" in sentences(raw)


def test_a_damaged_workbook_is_refused():
    files = {"xl/workbook.xml": b"<workbook", "[Content_Types].xml": b"<Types/>"}
    assert "cannot be read as a workbook" in sentences(read_upload(as_zip(files), "a.xlsx"))
