"""Data sheets for tests: a small sound registry, and ways to write it as CSV, zip and workbook."""

import csv
import io
import zipfile
from pathlib import Path

from django.db import transaction

from sessions_app.datasheets import importing
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import EVERYTHING, Scope, write_folder
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import RawSheets, read_path, read_upload

P1 = {"patient_id": "P-1"}
P2 = {"patient_id": "P-2"}
V1 = {**P1, "series_no": "1"}
V2 = {**P2, "series_no": "1"}


def sound() -> dict[str, list[dict[str, str]]]:
    """P-1 under weekly4 with two sessions, P-2 under placebo3, P-3 under iv. Nothing wrong or unusual."""
    patient = {"clinic": "north", "sex": "female", "diagnosis": "lcssc", "consented_on": "2024-01-01"}
    seen = {"status": "present", "longest_mm": "12", "widest_mm": "8", "ulcer": "no"}
    sts = {"agent": "sts", "concentration_mg_ml": "150", "volume_ml": "0.5"}
    return {
        "patients": [
            {**P1, **patient},
            {**P2, **patient, "clinic": "south"},
            {"patient_id": "P-3", **patient},
        ],
        "medications": [{**P1, "name": "bosentan", "role": "vasodilator", "started_on": "2019"}],
        "prior_treatments": [{**P1, "lesion_id": "L1", "treatment": "surgery", "started_on": "2018-06"}],
        "lesions": [
            {**P1, "lesion_id": "L1", "body_site": "elbow", "lesion_type": "nodule", "subtype": "dystrophic"},
            {**P1, "lesion_id": "L2", "body_site": "knee", "lesion_type": "papule", "subtype": "dystrophic"},
            {**P2, "lesion_id": "L1", "body_site": "elbow", "lesion_type": "nodule", "subtype": "dystrophic"},
            {**P2, "lesion_id": "L2", "body_site": "elbow", "lesion_type": "nodule", "subtype": "dystrophic"},
        ],
        "series": [
            {**V1, "protocol": "weekly4", "started_on": "2024-01-02", "status": "active"},
            {**V2, "protocol": "placebo3", "started_on": "2024-01-02", "status": "active"},
            {
                "patient_id": "P-3",
                "series_no": "1",
                "protocol": "iv",
                "started_on": "2024-01-02",
                "status": "active",
            },
        ],
        "series_lesions": [
            {**V1, "lesion_id": "L1"},
            {**V2, "lesion_id": "L1", "arm": "active"},
            {**V2, "lesion_id": "L2", "arm": "control"},
        ],
        "sessions": [
            {**V1, "session_no": "1", "kind": "treatment", "held_on": "2024-01-02", "ptga": "7", "phga": "6"},
            {**V1, "session_no": "2", "kind": "treatment", "held_on": "2024-01-09", "ptga": "5", "phga": "5"},
            {**V2, "session_no": "1", "kind": "treatment", "held_on": "2024-01-02"},
            {
                "patient_id": "P-3",
                "series_no": "1",
                "session_no": "1",
                "kind": "treatment",
                "held_on": "2024-01-02",
            },
        ],
        "session_lesions": [
            {**V1, "session_no": "1", "lesion_id": "L1", **seen},
            {**V1, "session_no": "2", "lesion_id": "L1", "status": "gone"},
            {**V2, "session_no": "1", "lesion_id": "L1", **seen, "pga": "4", "observer_pga": "3"},
        ],
        "injections": [
            {**V1, "session_no": "1", "lesion_id": "L1", **sts},
            {
                **V2,
                "session_no": "1",
                "lesion_id": "L1",
                **sts,
                "concentration_mg_ml": "40",
                "volume_ml": "0.1",
            },
            {**V2, "session_no": "1", "lesion_id": "L2", "agent": "saline", "volume_ml": "0.1"},
        ],
        "infusions": [
            {"patient_id": "P-3", "series_no": "1", "session_no": "1", "dose_g": "12.5", "duration_min": "30"}
        ],
        "side_effects": [
            {
                **V1,
                "session_no": "1",
                "lesion_id": "L1",
                "term": "nausea",
                "grade": "1",
                "onset_on": "2024-01-02",
            }
        ],
    }


def as_csv(sheet: str, rows: list[dict[str, str]], columns: list[str] | None = None) -> str:
    """The rows as CSV; only the columns that a row names, unless they are given."""
    columns = columns or [
        column.name for column in SHEETS[sheet].columns if any(column.name in row for row in rows)
    ]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def as_files(sheets: dict[str, list[dict[str, str]]]) -> dict[str, bytes]:
    """One CSV file for each sheet that has rows."""
    return {f"{name}.csv": as_csv(name, rows).encode() for name, rows in sheets.items() if rows}


def as_zip(files: dict[str, bytes]) -> io.BytesIO:
    """The files as a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    stream.seek(0)
    return stream


def as_raw(sheets: dict[str, list[dict[str, str]]]) -> RawSheets:
    """The sheets as read."""
    return read_upload(as_zip(as_files(sheets)), "sheets.zip")


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a new folder."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


class _Undone(Exception):
    pass


def exported(raw: RawSheets, folder: Path, scope: Scope = EVERYTHING) -> dict[str, bytes]:
    """Import into the database, export, and undo both: the files that were written."""
    folder.mkdir(parents=True)
    try:
        with transaction.atomic():
            import_sheets(raw, by="test", source="import")
            write_folder(folder, scope)
            raise _Undone
    except _Undone:
        return files_of(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def read_folder(folder: Path) -> RawSheets:
    """The folder as read, which must be sound."""
    raw = read_path(folder)
    assert not raw.errors, raw.errors
    return raw


def meanwhile(monkeypatch, happens):
    """Let something happen between the check of an import and its writing."""
    write = importing.write_block

    def late(*given):
        happens()
        write(*given)

    monkeypatch.setattr(importing, "write_block", late)
