"""Data sheets as a person exchanges them: only of and into the clinics where the person has the right."""

from collections.abc import Collection, Sequence
from typing import BinaryIO

from sessions_app.allocation import closed_for
from sessions_app.dataout.plan import Plan
from sessions_app.datasheets.checking import Allowed, Checked, check
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import Scope, write_workbook, write_zip
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.problems import Problem
from sessions_app.datasheets.raw import RawSheets
from sessions_app.formula_safe import formula_safe
from stsclinic.access import clinics_where
from stsclinic.audit.services import note_event
from stsclinic.clinics.models import Clinic, User

RIGHT = "exchange_data"

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

FORMATS = {
    "zip": ("CSV files in a zip", "application/zip", write_zip),
    "xlsx": ("One workbook (XLSX)", XLSX_TYPE, write_workbook),
}
"""By the ending of the file's name: its words, its type, and what writes it."""

PROBLEM_HEADINGS = ("Kind", "Sheet", "Row", "Column", "Value", "What is wrong", "What is valid")


def exchange_clinics(user: User) -> list[Clinic]:
    """The clinics of which `user` may export data sheets, and into which `user` may import them."""
    return list(Clinic.objects.filter(pk__in=clinics_where(user, RIGHT)))


def free_text_columns() -> list[tuple[str, str]]:
    """The (sheet, column) labels that hold what people typed, and so may hold more than they should."""
    return [
        (sheet.label, column.label)
        for sheet in SHEETS.values()
        for column in sheet.columns
        if column.is_free_text
    ]


def export_for(
    user: User, *, clinics: Collection[Clinic], file_format: str, reason: str, stream: BinaryIO
) -> dict[str, int]:
    """Write the sheets of these clinics into `stream`, log it, and give the rows of each sheet.

    What betrays an allocation that is closed to `user` is left out.

    Raises:
        NoRoomInWorkbook: a workbook cannot hold it; nothing is logged.
    """
    scope = Scope(clinic_ids=[one.pk for one in clinics], closed=closed_for(user))
    _words, _type, write = FORMATS[file_format]
    counts = write(stream, scope)
    codes = ", ".join(sorted(one.code for one in clinics))
    note_event("exported", by=user.username, detail=f"{file_format}: {codes}; reason: {reason}")
    return counts


def may_export_as_recorded(user: User, clinics: Collection[str]) -> bool:
    """Whether `user` may let dates and notes of all these clinics (by code) leave."""
    return set(clinics) <= {one.code for one in exchange_clinics(user)}


def export_words(plan: Plan) -> str:
    """What leaves, for the log: formats, clinics, selection and form, without the reason."""
    selection = plan.selection
    parts = {
        "formats": plan.formats,
        "clinics": plan.clinics,
        "protocols": selection.protocols,
        "diagnoses": selection.diagnoses,
        "first treatment from": [selection.first_treatment_from] if selection.first_treatment_from else (),
        "to": [selection.first_treatment_to] if selection.first_treatment_to else (),
        "as recorded": [*["dates"] * plan.with_dates, *["free text"] * plan.with_text],
        "replaced": ["IDs"] * plan.new_ids,
    }
    told = [f"{name} {', '.join(sorted(map(str, values)))}" for name, values in parts.items() if values]
    return "; ".join(told + ["de-identified"] * plan.is_deidentified)


def allowed_to(user: User) -> Allowed:
    """What an import by `user` may do: change and add patients in one's own clinics."""
    return Allowed(
        clinics=[one.code for one in exchange_clinics(user)], updates=True, closed=closed_for(user)
    )


def check_for(user: User, raw: RawSheets) -> Checked:
    """Check sheets as an import by `user` would, and write nothing."""
    return check(raw, allowed_to(user))


def import_for(user: User, raw: RawSheets, *, digest: str, reason: str) -> Checked:
    """Import sheets into the clinics of `user`: all of them, or nothing.

    Args:
        digest: of the plan that the user has seen. Where it is another one now, nothing is written.
        reason: why; history keeps it at every row.

    Raises:
        ImportRefused: there are errors, or the database changed while it was written.
    """
    return import_sheets(
        raw,
        by=user.username,
        source="import",
        allowed=allowed_to(user),
        reason=reason,
        agrees=lambda checked: not checked.errors and checked.plan.digest == digest,
    )


def problem_rows(errors: Sequence[Problem], warnings: Sequence[Problem]) -> list[tuple[str, ...]]:
    """Errors and warnings as rows of text under PROBLEM_HEADINGS, safe to open in a spreadsheet."""
    return [
        (
            kind,
            formula_safe(one.sheet),
            "" if one.row is None else str(one.row),
            formula_safe(one.column),
            formula_safe(one.value),
            formula_safe(one.sentence),
            formula_safe(one.valid),
        )
        for kind, problems in (("error", errors), ("warning", warnings))
        for one in problems
    ]
