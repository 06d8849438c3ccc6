"""What an export holds, by whom and when it was made, and how to know that nothing was changed since."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sessions_app.dataout.codebook import about
from sessions_app.dataout.plan import Plan
from sessions_app.selections import selection_as_json
from stsclinic import __version__

_READ_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Made:
    """Who made an export, when (with a zone), and why where a reason was given."""

    by: str
    at: datetime
    reason: str = ""


def manifest(
    folder: Path, files: Sequence[Path], rows: Mapping[str, int], plan: Plan, made: Made
) -> dict[str, Any]:
    """The manifest as one object; `files` are those of the folder, `rows` the rows of each sheet."""
    return {
        "program": "stsclinic",
        "version": __version__,
        "made_at": made.at.isoformat(timespec="seconds"),
        "made_by": made.by,
        "reason": made.reason,
        "deidentified": plan.is_deidentified,
        "dates": "as recorded" if plan.with_dates else "shifted",
        "free_text": "as recorded" if plan.with_text else "left out",
        "ids": "random" if plan.new_ids else "study IDs",
        "selection": {
            "clinics": sorted(plan.clinics),
            **_chosen(plan),
        },
        "allocation_left_out": [list(pair) for pair in sorted(plan.closed) if pair[0] in plan.clinics],
        "csv": {"separator": ";" if plan.danish else ",", "decimal_mark": "," if plan.danish else "."},
        "about": about(plan),
        "sheets": {
            name: {"rows": rows[name], "columns": [column.name for column in sheet.columns]}
            for name, sheet in plan.sheets.items()
        },
        "files": [
            {
                "path": path.relative_to(folder).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path),
            }
            for path in files
        ],
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The manifest for people."""
    chosen = found["selection"]
    lines = [
        f"Data of {found['program']} {found['version']}",
        "",
        f"Made      {found['made_at']} by {found['made_by']}",
        *([f"Reason    {' '.join(found['reason'].split())}"] if found["reason"] else []),
        f"Dates     {found['dates']}",
        f"Free text {found['free_text']}",
        f"IDs       {found['ids']}",
        f"Clinics   {', '.join(chosen['clinics'])}",
        "",
        *found["about"],
        "",
        "Rows",
        *(f"  {name:<20}{sheet['rows']:>10}" for name, sheet in found["sheets"].items()),
        "",
        "Files (SHA-256)",
        *(f"  {one['sha256']}  {one['path']} ({one['bytes']} bytes)" for one in found["files"]),
        "",
    ]
    return "\n".join(lines)


def write_manifest(folder: Path, found: Mapping[str, Any]) -> None:
    """Write manifest.json and manifest.txt."""
    (folder / "manifest.json").write_text(
        json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (folder / "manifest.txt").write_text(as_text(found), encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The digest of a file, read in parts."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while data := stream.read(_READ_AT_ONCE):
            digest.update(data)
    return digest.hexdigest()


def _chosen(plan: Plan) -> dict[str, Any]:
    """The selection, but no day of it beside shifted days: a short period would tell how far they were shifted."""
    chosen = selection_as_json(plan.selection)
    if not plan.with_dates:
        days = ("first_treatment_from", "first_treatment_to")
        chosen |= {name: "a day that was chosen" for name in days if chosen[name]}
    return chosen
