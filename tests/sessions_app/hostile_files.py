"""Files that would harm a careless reader of data sheets, or that it would misread, and what is said of each."""

import io
import zipfile
from collections.abc import Callable

import openpyxl

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEADER = ["patient_id", "clinic", "sex", "diagnosis"]
ROW = ["P-1", "north", "female", "dm"]
PATIENTS = ",".join(HEADER) + "\r\n"

_FILES: dict[str, tuple[Callable[[], bytes], str]] = {}


def files() -> dict[str, tuple[Callable[[], bytes], str]]:
    """By name: what makes the file, and words of the sentence that it gets."""
    return dict(_FILES)


def _hostile(name: str, sentence: str):
    def note(make: Callable[[], bytes]) -> Callable[[], bytes]:
        _FILES[name] = (make, sentence)
        return make

    return note


def zipped(parts: dict[str, bytes]) -> bytes:
    """A packed zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def workbook_parts(titles: tuple[str, ...] = ("patients",)) -> dict[str, bytes]:
    """The parts of a sound workbook whose sheets hold one patient each."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number in range(len(titles)):
        sheet = book.create_sheet(f"sheet{number}")
        sheet.append(HEADER)
        sheet.append(ROW)
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for number, title in enumerate(titles):
        old, new = f'name="sheet{number}"', f'name="{title}"'
        parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(old.encode(), new.encode())
    return parts


def workbook(**changed: bytes) -> bytes:
    """A workbook with other XML: sheet, strings, styles, book."""
    parts = workbook_parts()
    names = {
        "sheet": "xl/worksheets/sheet1.xml",
        "strings": "xl/sharedStrings.xml",
        "styles": "xl/styles.xml",
        "book": "xl/workbook.xml",
    }
    return zipped(parts | {names[what]: data for what, data in changed.items()})


def _row(number: int, cells: list[str]) -> bytes:
    texts = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in cells)
    return f'<row r="{number}">{texts}</row>'.encode()


def sheet(rows: bytes) -> bytes:
    """The XML of a worksheet with these rows under the header."""
    head = f'<worksheet xmlns="{NAMESPACE}"><sheetData>'.encode()
    return head + _row(1, HEADER) + rows + b"</sheetData></worksheet>"


@_hostile("bomb.zip", "is larger than")
def bomb() -> bytes:
    return zipped({"patients.csv": b"0" * 300_000_000})


@_hostile("packed.zip", "is packed to less than")
def packed() -> bytes:
    return zipped({"patients.csv": b"," * 49_000_000})


@_hostile("claims a gigabyte.zip", "is larger than")
def claims_a_gigabyte() -> bytes:
    return claiming(zipped({"patients.csv": PATIENTS.encode() * 200}), 1_000_000_000)


@_hostile("claims a gigabyte.xlsx", "is larger than")
def claims_a_gigabyte_workbook() -> bytes:
    return claiming(zipped(workbook_parts()), 1_000_000_000)


def claiming(data: bytes, size: int) -> bytes:
    """The zip with the first size of its directory changed to this many bytes."""
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + size.to_bytes(4, "little") + data[at + 4 :]


@_hostile("a bomb in a workbook.xlsx", "is larger than")
def bomb_in_a_workbook() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in workbook_parts().items():
            if not name.endswith("sheet1.xml"):
                archive.writestr(name, data)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(420):
                part.write(b" " * 1_000_000)
    return stream.getvalue()


@_hostile("a million empty rows.xlsx", "patients: More than 10000 empty rows stand below")
def a_million_empty_rows() -> bytes:
    return workbook(
        sheet=sheet(_row(2, ROW) + b"".join(b'<row r="%d"/>' % number for number in range(3, 1_048_577)))
    )


@_hostile("a million formatted rows.xlsx", "patients: More than 10000 empty rows stand below")
def a_million_formatted_rows() -> bytes:
    empty = (b'<row r="%d" spans="1:4"><c r="A%d" s="0"/></row>' % (n, n) for n in range(3, 1_048_577))
    return workbook(sheet=sheet(_row(2, ROW) + b"".join(empty)))


@_hostile("a row far below.xlsx", "More than 10000 empty rows follow row 2")
def a_row_far_below() -> bytes:
    return workbook(sheet=sheet(_row(2, ROW) + _row(1_048_576, ROW)))


@_hostile("a million empty rows.zip", "More than 10000 empty rows follow row 2")
def a_million_empty_rows_of_csv() -> bytes:
    return zipped(
        {"patients.csv": (PATIENTS + ",".join(ROW) + "\r\n" + ",,,\r\n" * 1_048_576).encode()[:1_000_000]}
    )


@_hostile("a row without end.xlsx", "is too complex")
def a_row_without_end() -> bytes:
    return workbook(sheet=sheet(b'<row r="2">' + b"".join(b'<c s="%d"/>' % n for n in range(1_000_000))))


@_hostile("a million texts.xlsx", "is too complex")
def a_million_texts() -> bytes:
    texts = b"".join(b"<si><t>%d</t></si>" % number for number in range(1_000_000))
    return workbook(strings=f'<sst xmlns="{NAMESPACE}">'.encode() + texts + b"</sst>")


@_hostile("a million styles.xlsx", "is too complex")
def a_million_styles() -> bytes:
    fonts = b"".join(b'<font><sz val="%d"/></font>' % number for number in range(1_000_000))
    return workbook(
        styles=f'<styleSheet xmlns="{NAMESPACE}"><fonts>'.encode() + fonts + b"</fonts></styleSheet>"
    )


@_hostile("billion laughs.xlsx", "XML entities")
def billion_laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    hostile = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    return workbook(sheet=hostile.encode() + sheet(_row(2, ["&l9;", *ROW[1:]])))


@_hostile("billion laughs in texts.xlsx", "XML entities")
def billion_laughs_in_texts() -> bytes:
    hostile = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">]>'
    return workbook(strings=f'{hostile}<sst xmlns="{NAMESPACE}"><si><t>&a;</t></si></sst>'.encode())


@_hostile("entities in UTF-16.xlsx", "cannot be read as a workbook")
def entities_in_utf16() -> bytes:
    hostile = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "lol">]>'
    return workbook(sheet=(hostile + sheet(_row(2, ["&a;", *ROW[1:]])).decode()).encode("utf-16"))


@_hostile("external entity.xlsx", "XML entities")
def external_entity() -> bytes:
    hostile = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return workbook(sheet=hostile.encode() + sheet(_row(2, ["&a;", *ROW[1:]])))


@_hostile("leads out.zip", "which leads out of it")
def leads_out() -> bytes:
    return zipped({"../patients.csv": PATIENTS.encode()})


@_hostile("leads out.xlsx", "which leads out of it")
def leads_out_workbook() -> bytes:
    return zipped(workbook_parts() | {"xl/../../evil.xml": b"<a/>"})


@_hostile("macros.xlsm", "holds macros")
def macros() -> bytes:
    return zipped(workbook_parts() | {"xl/vbaProject.bin": b"\0" * 100})


@_hostile("hidden macros.xlsx", "holds macros")
def hidden_macros() -> bytes:
    return zipped(workbook_parts() | {"xl/custom/VBAProject.bin": b"\0" * 100})


@_hostile("binary.xlsb", "is a binary workbook")
def binary() -> bytes:
    return zipped({"xl/workbook.bin": b"\0" * 100, "[Content_Types].xml": b"<Types/>"})


@_hostile("open document.ods", "is an OpenDocument")
def open_document() -> bytes:
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"})


@_hostile("a sheet twice.xlsx", "The sheet is there twice")
def a_sheet_twice() -> bytes:
    return zipped(workbook_parts(("patients", "patients")))


@_hostile("a part twice.xlsx", "holds a part twice")
def a_part_twice() -> bytes:
    stream = io.BytesIO(zipped(workbook_parts()))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("xl/worksheets/sheet1.xml ", sheet(b""))
    return stream.getvalue().replace(b"sheet1.xml ", b"sheet1.xml\0")


@_hostile("windows.zip", "not in UTF-8: see line 2, which may mean “P-1,nørth")
def windows() -> bytes:
    return zipped({"patients.csv": (PATIENTS + "P-1,nørth,female,dm\r\n").encode("cp1252")})


@_hostile("windows far below.zip", "not in UTF-8: see line 20002, which may mean “P-1,nørth")
def windows_far_below() -> bytes:
    rows = "".join(f"P{n},north,female,dm\r\n" for n in range(20_000))
    return zipped({"patients.csv": (PATIENTS + rows + "P-1,nørth,female,dm\r\n").encode("cp1252")})


@_hostile("utf-16.zip", "The file is in UTF-16")
def utf16() -> bytes:
    return zipped({"patients.csv": (PATIENTS + "P-1,nørth,female,dm\r\n").encode("utf-16")})


@_hostile("utf-16 without a mark.zip", "The file is in UTF-16")
def utf16_without_a_mark() -> bytes:
    return zipped({"patients.csv": (PATIENTS + "P-1,nørth,female,dm\r\n").encode("utf-16-le")})


@_hostile("a line without end.zip", "has a line of more than")
def a_line_without_end() -> bytes:
    return zipped({"patients.csv": ",".join(str(n) for n in range(1_000_000)).encode()})


@_hostile("a quote without end.zip", "From here on the file cannot be read as CSV")
def a_quote_without_end() -> bytes:
    lines = "".join(f"{n}\r\n" for n in range(1_000_000))
    return zipped({"patients.csv": (PATIENTS + '"' + lines).encode()})


@_hostile("a row over a million lines.zip", "the row is longer than")
def a_row_over_a_million_lines() -> bytes:
    return zipped({"patients.csv": (PATIENTS + "".join(f'"{n}\n",' for n in range(1_000_000))).encode()})


@_hostile("a million mistakes.zip", "cells, but the first row names")
def a_million_mistakes() -> bytes:
    return zipped({"patients.csv": (PATIENTS + "".join(f"{n}\r\n" for n in range(1_000_000))).encode()})


@_hostile("formulas.xlsx", "This is a formula.")
def formulas() -> bytes:
    rows = b"".join(
        b'<row r="%d"><c r="A%d"><f>1+%d</f><v>1</v></c></row>' % (n, n, n) for n in range(2, 5000)
    )
    return workbook(sheet=sheet(rows))


@_hostile("cut.xlsx", "neither a zip nor a workbook")
def cut() -> bytes:
    return zipped(workbook_parts())[:-30]


@_hostile("damaged.xlsx", "cannot be unpacked")
def damaged() -> bytes:
    data = bytearray(zipped(workbook_parts() | {"xl/styles.xml": b"<a>" + b"x" * 50_000}))
    at = data.index(b"xl/worksheets/sheet1.xml") + 60
    data[at : at + 30] = b"\xff" * 30
    return bytes(data)
