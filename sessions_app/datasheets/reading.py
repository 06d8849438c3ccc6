"""A folder, a zip or a workbook as rows of text. Nothing is believed yet; what cannot be read is a problem.

A file from outside is hostile until read: its claimed and real sizes, how tightly it is packed and the
number of its parts are limited, and its paths are never used.
"""

import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.conf import settings

from sessions_app.datasheets.csv_sheets import read_csv
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import MOST_ERRORS, SHEET_NAMES, RawSheet, RawSheets, TooManyErrors
from sessions_app.datasheets.workbooks import is_harmless, is_workbook, read_workbook

__all__ = ["RawSheet", "RawSheets", "read_path", "read_upload"]

MOST_MEMBERS = 200
"""Parts that a zip or a workbook may have; eleven sheets need far fewer."""

WORKBOOK_UNPACKED_FACTOR = 8
"""How many times larger a workbook's XML may be than a file may be: Excel packs tightly."""

MOST_PACKED = 100
"""How many times smaller than its content a part may be packed. Data sheets pack to a tenth."""

SMALL = 1024 * 1024
"""Bytes of content up to which a part may be packed as tightly as it likes."""

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read_path(path: Path | str) -> RawSheets:
    """Read a folder of CSV files, a zip of one, or a workbook. Never raises for what the file holds."""
    path = Path(path)
    if path.is_dir():
        return _read(_read_folder, path)
    if not path.is_file():
        raw = RawSheets()
        raw.refuse(f"There is no file or folder {path}.")
        return raw
    with path.open("rb") as file:
        return read_upload(file, path.name)


def read_upload(file: BinaryIO, name: str) -> RawSheets:
    """Read an uploaded zip or workbook. What it is, its content says; `name` stands in messages only."""
    return _read(_read_file, file, name)


def _read(read, *source) -> RawSheets:
    raw = RawSheets()
    try:
        read(raw, *source)
    except TooManyErrors:
        raw.errors.append(
            Problem(sentence=f"There are more than {MOST_ERRORS} errors; the rest was not looked at.")
        )
    return raw


def _read_file(raw: RawSheets, file: BinaryIO, name: str) -> None:
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if size > settings.DATA_SHEETS_MAX_BYTES:
        raw.refuse(f"{name} is larger than {_megabytes(settings.DATA_SHEETS_MAX_BYTES)}.")
    elif not size:
        raw.refuse(f"{name} is empty.")
    elif start == _OLD_EXCEL:
        raw.refuse(f"{name} is an old or an encrypted workbook.", "Save it as .xlsx without a password.")
    else:
        try:
            with zipfile.ZipFile(file) as archive:
                _read_archive(raw, file, name, archive)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError):
            raw.refuse(
                f"{name} is neither a zip nor a workbook.",
                "Valid is a folder of CSV files as a zip, or an .xlsx.",
            )


def _read_archive(raw: RawSheets, file: BinaryIO, name: str, archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    as_workbook = is_workbook(parts)
    of_workbook = settings.DATA_SHEETS_MAX_BYTES * WORKBOOK_UNPACKED_FACTOR
    if not _is_acceptable(
        raw, name, parts, of_workbook if as_workbook else settings.DATA_SHEETS_MAX_UNPACKED_BYTES
    ):
        return
    if not as_workbook:
        _read_zip(raw, archive, parts)
        _note_nothing(raw)
    elif _is_harmless(raw, name, archive):
        file.seek(0)
        read_workbook(raw, file, name)
        _note_nothing(raw)


def _is_harmless(raw: RawSheets, name: str, archive: zipfile.ZipFile) -> bool:
    try:
        return is_harmless(raw, name, archive)
    except Exception as error:  # a damaged part fails in many ways: checksum, method, stream
        raw.refuse(f"{name} cannot be unpacked: {error}.")
        return False


def _note_nothing(raw: RawSheets) -> None:
    if not raw.sheets and not raw.errors:
        raw.refuse(
            "No data sheet was found.", f"Valid are files named as the sheets with .csv. {SHEET_NAMES}"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.0f} MB"


def _read_folder(raw: RawSheets, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() or path.suffix.lower() != ".csv":
            raw.warnings.append(Problem(sentence=f"{path.name} is no CSV file and was not read."))
        elif name := raw.sheet_named(path.name[: -len(".csv")]):
            if path.stat().st_size > settings.DATA_SHEETS_MAX_UNPACKED_BYTES:
                largest = _megabytes(settings.DATA_SHEETS_MAX_UNPACKED_BYTES)
                raw.refuse(f"The file is larger than {largest}.", sheet=name)
                continue
            with path.open("rb") as stream:
                read_csv(raw, name, stream)
    _note_nothing(raw)


def _is_acceptable(raw: RawSheets, name: str, parts: list[zipfile.ZipInfo], largest: int) -> bool:
    """Whether the parts are few, readable, of at most so many bytes, and without tricks in their sizes and paths."""
    if len(parts) > MOST_MEMBERS:
        raw.refuse(f"{name} has {len(parts)} parts.", f"At most {MOST_MEMBERS} are read.")
    elif sum(part.file_size for part in parts) > largest:
        raw.refuse(f"{name} is larger than {_megabytes(largest)} once unpacked.")
    elif any(part.file_size > max(SMALL, part.compress_size * MOST_PACKED) for part in parts):
        raw.refuse(
            f"{name} is packed to less than a {MOST_PACKED}th of its content, as no data sheets are.",
            "Save it anew.",
        )
    for part in parts:
        path = PurePosixPath(part.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in part.filename or ":" in part.filename:
            raw.refuse(f"{name} holds the path {part.filename!r}, which leads out of it.")
        elif part.flag_bits & 0x1:
            raw.refuse(f"{name} is encrypted.", "Save it without a password.")
            break
    return not raw.errors


def _read_zip(raw: RawSheets, archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    files = [
        part
        for part in parts
        if not part.is_dir()
        and not any(step.startswith((".", "__MACOSX")) for step in PurePosixPath(part.filename).parts)
    ]
    if len({PurePosixPath(part.filename).parent for part in files}) > 1:
        raw.refuse("The zip holds files in several folders.", "Valid is one folder of data sheets.")
        return
    for part in files:
        path = PurePosixPath(part.filename)
        if path.suffix.lower() != ".csv":
            raw.warnings.append(Problem(sentence=f"{path.name} is no CSV file and was not read."))
            continue
        name = raw.sheet_named(path.name[: -len(".csv")])
        if not name:
            continue
        try:
            with archive.open(part) as stream:
                # The zip gives no byte more than it claims, and the claims were added up before.
                read_csv(raw, name, stream)
        except TooManyErrors:
            raise
        except Exception as error:  # a damaged part fails in many ways: checksum, method, stream
            raw.refuse(f"{path.name} cannot be unpacked: {error}.", sheet=name)
