"""What does the register hold of these patients? Its rows as the sheets would show them.

Source: the data sheet format: drafts and struck-out rows are in no sheet.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from django.apps import apps

from lesions.models import Patient
from sessions_app.datasheets.book import Held
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.exporting import column_value, kept_rows
from sessions_app.datasheets.values import empty_value
from stsclinic.fields import SmallLetters

CHUNK = 500


def patients_of(study_ids: Iterable[str]) -> dict[str, Patient]:
    """The patients of these study IDs, whatever their capitals, struck-out ones included, with their clinics."""
    found: dict[str, Patient] = {}
    everybody = Patient.everything.annotate(plain=SmallLetters("study_id")).select_related("clinic")
    for chunk in chunks({study_id.lower() for study_id in study_ids}):
        for patient in everybody.filter(plain__in=chunk):
            found[patient.study_id] = patient
    return found


def held_rows(
    sheet: Sheet, study_ids: Iterable[str], having: Mapping[str, Any] | None = None
) -> Iterator[Held]:
    """The rows of one sheet that count, of these patients, and have these values.

    The register is asked at once; what it answers is made into rows as they are taken.
    """
    values = {f"sheet_{column.name}": column_value(sheet, column) for column in sheet.columns}
    protocol = ["protocol_id"] if sheet.name == "series" else []
    patient = sheet.columns[0].field
    answers = []
    for chunk in chunks(study_ids):
        found = kept_rows(sheet).filter(**{f"{patient}__in": chunk}, **(having or {}))
        found = found.annotate(**values).order_by("pk")
        answers.append(list(found.values_list("pk", "version", *values, *protocol)))
    return _as_held(sheet, chain.from_iterable(answers), has_protocol=bool(protocol))


def _as_held(sheet: Sheet, rows: Iterable[tuple], *, has_protocol: bool) -> Iterator[Held]:
    names = [column.name for column in sheet.columns]
    # A text is never null; only what another row is called may be, where there is no other row.
    may_be_null = [
        column.name
        for column in sheet.columns
        if column.is_reference and not column.required and empty_value(column) == ""
    ]
    for pk, version, *row in rows:
        held = dict(zip(names, row, strict=False))
        for name in may_be_null:
            if held[name] is None:
                held[name] = ""
        yield Held(pk, version, held, row[-1] if has_protocol else 0)


def struck_out_rows(sheet: Sheet, study_ids: Iterable[str]) -> Iterator[tuple[dict, datetime]]:
    """The rows of one sheet that were struck out, though what they belong to was not, with when."""
    columns = sheet.columns
    patient = columns[0].field
    kept = {f"{path}struck_out_at": None for path in sheet.kept_paths if path}
    model = apps.get_model(sheet.model)
    for chunk in chunks(study_ids):
        found = model._base_manager.filter(**{f"{patient}__in": chunk}, **kept).exclude(struck_out_at=None)
        for row in found.values_list("struck_out_at", *(column.field for column in columns)):
            yield dict(zip((column.name for column in columns), row[1:], strict=True)), row[0]


def held_by_sheet(
    study_ids: Iterable[str], wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, Iterator[Held]]:
    """The rows that count of these patients, of the wanted sheets: all rows, or those with such values."""
    patients = list(study_ids)
    return {name: held_rows(SHEETS[name], patients, wanted[name]) for name in SHEETS if name in wanted}


def other_patients(clinics: Iterable[str], study_ids: Iterable[str]) -> list[str]:
    """The study IDs of these clinics that are not among the given ones, in order."""
    given = set(study_ids)
    found = Patient.objects.filter(clinic__code__in=list(clinics)).values_list("study_id", flat=True)
    return sorted(study_id for study_id in found if study_id not in given)


def chunks(study_ids: Iterable[str]) -> Iterator[list[str]]:
    """The study IDs in lists that a query can take."""
    wanted = list(study_ids)
    return (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))
