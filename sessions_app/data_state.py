"""What were the data that a report is computed from? The number of the last change of a row that it may look at.

A change in another clinic is none of theirs: the same data give the same number.
"""

from collections.abc import Collection

from django.db.models import Max

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

CLINIC_OF = {
    Patient: "clinic",
    Lesion: "patient__clinic",
    Medication: "patient__clinic",
    PriorTreatment: "patient__clinic",
    SideEffect: "patient__clinic",
    Series: "patient__clinic",
    SeriesLesion: "series__patient__clinic",
    TreatmentSession: "series__patient__clinic",
    Assessment: "session__series__patient__clinic",
    Injection: "session__series__patient__clinic",
    Infusion: "session__series__patient__clinic",
}
"""The way from each row that a report reads to its clinic. Rows that are struck out are changes, too."""


def last_change(clinic_ids: Collection[int]) -> int:
    """The number of the last change of these clinics' rows; 0 without any. One query for all clinics."""
    changes = Change.objects.order_by()
    if Clinic.objects.exclude(pk__in=clinic_ids).exists():
        found = [
            changes.filter(
                table_name=model._meta.db_table,
                row_id__in=model._base_manager.filter(**{f"{path}__in": clinic_ids}).values("pk"),
            ).aggregate(last=Max("pk"))["last"]
            for model, path in CLINIC_OF.items()
        ]
    else:
        tables = [model._meta.db_table for model in CLINIC_OF]
        found = [changes.filter(table_name__in=tables).aggregate(last=Max("pk"))["last"]]
    return max((one for one in found if one), default=0)
