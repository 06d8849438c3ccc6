"""What does the register hold of these patients? Its rows as the sheets would show them.

Source: the data sheet format: drafts and struck-out rows are in no sheet.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from django.apps import apps
from django.db.models import CharField, QuerySet

from lesions.models import Patient
from sessions_app.datasheets.book import Held
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.datasheets.exporting import column_value, kept_rows
from sessions_app.datasheets.values import empty_value
from stsclinic.fields import SmallLetters
from stsclinic.statement import Given, statement

CHUNK = 100
"""Patients of whom a statement asks at once."""

_ID = CharField()
_PLACES = [Given(f"patient_{number}", _ID) for number in range(CHUNK)]


def patients_of(study_ids: Iterable[str]) -> dict[str, Patient]:
    """The patients of these study IDs, whatever their capitals, struck-out ones included, with their clinics."""
    small = {study_id.lower() for study_id in study_ids}
    return {patient.study_id: patient for asked in _asked(small) for patient in _patients().rows(**asked)}


@statement
def _patients() -> QuerySet[Patient]:
    everybody = Patient.everything.annotate(plain=SmallLetters("study_id")).select_related("clinic")
    return everybody.filter(plain__in=_PLACES)


def held_rows(
    sheet: Sheet, study_ids: Iterable[str], having: Mapping[str, Any] | None = None
) -> Iterator[Held]:
    """The rows of one sheet that count, of these patients, and have these values.

    The register is asked at once; what it answers is made into rows as they are taken.
    """
    made = _held(sheet.name, tuple((having or {}).items()))
    answers = [made.rows(**asked) for asked in _asked(study_ids)]
    return _as_held(sheet, chain.from_iterable(answers), has_protocol=sheet.name == "series")


@statement
def _held(name: str, having: tuple[tuple[str, Any], ...]) -> QuerySet:
    """Of the rows: id, version, columns, and a series' protocol."""
    sheet = SHEETS[name]
    values = {f"sheet_{column.name}": column_value(sheet, column) for column in sheet.columns}
    protocol = ["protocol_id"] if name == "series" else []
    found = kept_rows(sheet).filter(**{f"{sheet.columns[0].field}__in": _PLACES}, **dict(having))
    return found.annotate(**values).order_by("pk").values_list("pk", "version", *values, *protocol)


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
    names = [column.name for column in sheet.columns]
    for asked in _asked(study_ids):
        for at, *row in _struck_out(sheet.name).rows(**asked):
            yield dict(zip(names, row, strict=True)), at


@statement
def _struck_out(name: str) -> QuerySet:
    """Of the rows: when they were struck out, and the columns."""
    sheet = SHEETS[name]
    kept = {f"{path}struck_out_at": None for path in sheet.kept_paths if path}
    of_patients = {f"{sheet.columns[0].field}__in": _PLACES}
    found = (
        apps.get_model(sheet.model)._base_manager.filter(**of_patients, **kept).exclude(struck_out_at=None)
    )
    return found.values_list("struck_out_at", *(column.field for column in sheet.columns))


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


def _asked(study_ids: Iterable[str]) -> Iterator[dict[str, str]]:
    """The study IDs for the places of statements, which are all filled: at last with the last one, again and again."""
    wanted = list(study_ids)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        chunk += chunk[-1:] * (CHUNK - len(chunk))
        yield {place.name: study_id for place, study_id in zip(_PLACES, chunk, strict=True)}
