"""The clinic's own order of a series' lesions: the same on every sheet, session and print."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from lesions.models import Lesion, Patient
from sessions_app.models import Series, SeriesLesion
from stsclinic.audit.acting import acting
from stsclinic.audit.services import change
from stsclinic.clinical.body_order import body_order
from stsclinic.statement import Given, statement

CHANGED = "The lesions of this series changed since this page was opened. Look at the order again."


def lesions_in_order(series: Series) -> list[SeriesLesion]:
    """The lesions of a series as the clinic ordered them; those that nobody ordered by their ID."""
    return _in_order().rows(series=series.pk)


@statement
def _in_order() -> QuerySet[SeriesLesion]:
    rows = SeriesLesion.objects.filter(series=Given("series")).select_related("lesion")
    return rows.order_by("position", "lesion__lesion_id")


def in_order_of(series: Series, rows: QuerySet) -> QuerySet:
    """Rows with a `lesion`, such as assessments, in the clinic's order of the lesions of their series."""
    own = SeriesLesion.objects.filter(series=series, lesion=OuterRef("lesion")).order_by()
    place = Coalesce(Subquery(own.values("position")[:1]), 0)
    return rows.order_by(place, "lesion__lesion_id")


def next_position(series: Series) -> int:
    """The place of a lesion that is added: the last where the clinic ordered them, else none (0)."""
    last = SeriesLesion.objects.filter(series=series).aggregate(last=Max("position"))["last"]
    return last + 1 if last else 0


def places_as_before(patient: Patient, lesions: Sequence[Lesion]) -> dict[Lesion, int]:
    """The places of the lesions of a new series: as in the patient's newest series that the clinic ordered, then the
    others by their ID. All 0 where none was ordered."""
    ordered = (
        SeriesLesion.objects.filter(
            series__patient=patient, series__struck_out_at=None, lesion__in=lesions, position__gt=0
        )
        .order_by("series__series_no")
        .values_list("series_id", "lesion_id", "position")
    )
    rows = list(ordered)
    if not rows:
        return dict.fromkeys(lesions, 0)
    newest = {lesion: position for series, lesion, position in rows if series == rows[-1][0]}
    found = sorted(lesions, key=lambda one: (one.pk not in newest, newest.get(one.pk, 0), one.lesion_id))
    return {lesion: place for place, lesion in enumerate(found, start=1)}


def by_body_site(rows: Sequence[SeriesLesion]) -> list[int]:
    """The keys of the lesions from head to foot, right before left."""
    found = sorted(
        rows,
        key=lambda row: (body_order(row.lesion.body_site, row.lesion.laterality), row.lesion.lesion_id),
    )
    return [row.lesion_id for row in found]


def moved(order: Sequence[int], lesion: int, by: int) -> list[int]:
    """The order with one lesion (its key) moved up (-1) or down (1); at the end it stays.

    Raises:
        ValidationError: the lesion is not among them.
    """
    if lesion not in order:
        raise ValidationError(CHANGED)
    found = [key for key in order if key != lesion]
    place = min(max(order.index(lesion) + by, 0), len(found))
    return [*found[:place], lesion, *found[place:]]


def order_lesions(*, series: Series, order: Sequence[int], by: str, source: str = "page") -> None:
    """Keep this order of the series' lesions.

    Args:
        order: the keys of all lesions of the series, each once.

    Raises:
        ValidationError: these are not the lesions that the series treats now; nothing was written.
    """
    with acting(by=by, source=source):
        Series.objects.select_for_update().get(pk=series.pk)
        rows = {row.lesion_id: row for row in SeriesLesion.objects.filter(series=series)}
        if sorted(rows) != sorted(order):
            raise ValidationError(CHANGED)
        for position, key in enumerate(order, start=1):
            change(rows[key], {"position": position}, by=by, seen_version=None, source=source)
