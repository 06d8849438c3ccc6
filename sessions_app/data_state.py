"""What were the data that a report is computed from? The number of the last change of a row that it may look at.

A change in another clinic is none of theirs: the same data give the same number.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Max, Model, QuerySet

from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.models import (
    Assessment,
    Infusion,
    Injection,
    Series,
    SeriesLesion,
    SideEffect,
    TreatmentSession,
)
from stsclinic.audit.models import Change
from stsclinic.clinics.models import Clinic

CLINIC_OF: dict[type[Model], str] = {
    Injection: "session__series__patient__clinic",
    Assessment: "session__series__patient__clinic",
    Infusion: "session__series__patient__clinic",
    TreatmentSession: "series__patient__clinic",
    SeriesLesion: "series__patient__clinic",
    Series: "patient__clinic",
    SideEffect: "patient__clinic",
    Lesion: "patient__clinic",
    Medication: "patient__clinic",
    PriorTreatment: "patient__clinic",
    Patient: "clinic",
}
"""The way from each row that a report reads to its clinic. Rows that are struck out are changes, too."""

MODELS = {model._meta.db_table: model for model in CLINIC_OF}
"""By the name of the table, which a change tells."""

NEWEST = (1_000, 20_000)
"""How many of the newest changes are looked through, each row by its key, before all are: theirs are nearly always
among them."""


def last_change(clinic_ids: Collection[int]) -> int:
    """The number of the last change of these clinics' rows; 0 without any. Three queries where theirs is the newest."""
    changes = Change.objects.filter(table_name__in=MODELS).order_by("-pk")
    if not Clinic.objects.exclude(pk__in=clinic_ids).exists():
        return changes.values_list("pk", flat=True).first() or 0
    passed = 0
    for reach in NEWEST:
        if last := _last_among(changes[passed:reach], clinic_ids):
            return last
        passed = reach
    last = 0
    for model in CLINIC_OF:
        theirs = _rows_of(model, clinic_ids).values("pk")
        # What is older than one of theirs need not be looked at.
        newer = Change.objects.filter(table_name=model._meta.db_table, row_id__in=theirs, pk__gt=last)
        last = newer.aggregate(last=Max("pk"))["last"] or last
    return last


def _last_among(changes: QuerySet[Change], clinic_ids: Collection[int]) -> int:
    """The first of these changes, newest first, whose row is of one of the clinics; 0 if none is."""
    by_table: dict[str, list[tuple[int, int]]] = {}
    for number, table, row_id in changes.values_list("pk", "table_name", "row_id"):
        by_table.setdefault(table, []).append((number, row_id))
    last = 0
    for table, found in by_table.items():
        newer = [(number, row_id) for number, row_id in found if number > last]
        rows = _rows_of(MODELS[table], clinic_ids).filter(pk__in={row_id for _number, row_id in newer})
        theirs = set(rows.values_list("pk", flat=True)) if newer else set()
        last = next((number for number, row_id in newer if row_id in theirs), last)
    return last


def _rows_of(model: type[Model], clinic_ids: Collection[int]) -> QuerySet[Any]:
    return model._base_manager.filter(**{f"{CLINIC_OF[model]}__in": clinic_ids})
