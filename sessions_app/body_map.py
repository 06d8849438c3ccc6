"""A patient's lesions on the body as they were on the day of one visit, and the visits to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lesions import bodymap
from lesions.models import Lesion, Patient
from sessions_app.models import Assessment, Injection, TreatmentSession
from stsclinic.clinical.numbers import show_decimal


@dataclass(frozen=True, kw_only=True)
class SeenLesion:
    """A lesion as it was known on that day."""

    lesion: Lesion
    seen: Assessment | None
    """What was seen last, on that day or before."""
    measured: Assessment | None
    """When it was measured last, on that day or before."""
    was_treated: bool
    """Whether it was injected on that very day."""

    @property
    def state(self) -> str:
        """`gone`, `ulcer` or `present`."""
        if self.seen is None:
            return "present"
        return "gone" if self.seen.status == "gone" else "ulcer" if self.seen.ulcer else "present"

    @property
    def size(self) -> str:
        """The last measures, `12 × 8`, in mm; empty when there are none, or the lesion is gone."""
        if self.measured is None or self.state == "gone":
            return ""
        sides = (self.measured.longest_mm, self.measured.widest_mm)
        return " × ".join("?" if side is None else show_decimal(side) for side in sides)


@dataclass(frozen=True, kw_only=True)
class BodyMap:
    """The map of one day. `days` are those of all visits, the first first; `number` is the chosen one, from 1."""

    days: Sequence[date]
    number: int
    rows: Sequence[SeenLesion]
    outline: bodymap.Outline

    @property
    def on(self) -> date | None:
        """The day that is shown; None before the first visit."""
        return self.days[self.number - 1] if self.days else None


def body_map(patient: Patient, visit: int | None = None) -> BodyMap:
    """The map on the day of a visit, counted from 1; without one, or beyond the last, of the last visit.

    A fixed number of queries. Whether a lesion was injected tells nothing of its arm: both arms are.
    """
    kept = {"series__patient": patient, "series__struck_out_at": None}
    days = sorted(set(TreatmentSession.objects.filter(**kept).values_list("held_on", flat=True)))
    number = min(max(visit or len(days), 1), max(len(days), 1))
    on = days[number - 1] if days else None
    seen: dict[int, Assessment] = {}
    measured: dict[int, Assessment] = {}
    treated: set[int] = set()
    if on is not None:
        of_patient = {f"session__{name}": value for name, value in kept.items()} | {
            "session__struck_out_at": None
        }
        for row in (
            Assessment.objects.filter(**of_patient, session__held_on__lte=on)
            .select_related("session")
            .order_by("session__held_on", "session__series__series_no", "session__session_no")
        ):
            seen[row.lesion_id] = row
            if row.longest_mm is not None or row.widest_mm is not None:
                measured[row.lesion_id] = row
        given = Injection.objects.filter(**of_patient, session__held_on=on)
        treated = set(given.values_list("lesion_id", flat=True))
    rows = [
        SeenLesion(
            lesion=lesion,
            seen=seen.get(lesion.pk),
            measured=measured.get(lesion.pk),
            was_treated=lesion.pk in treated,
        )
        for lesion in Lesion.objects.filter(patient=patient)
    ]
    outline = bodymap.outline([_marked(row) for row in rows], every_view=True)
    return BodyMap(days=days, number=number, rows=rows, outline=outline)


def _marked(row: SeenLesion) -> bodymap.MarkedLesion:
    words = [f"{row.size} mm" if row.size else "", "treated that day" if row.was_treated else ""]
    return bodymap.MarkedLesion(
        label=row.lesion.lesion_id,
        body_site=row.lesion.body_site,
        laterality=row.lesion.laterality,
        url=f"#lesion-{row.lesion.pk}",
        text=", ".join(word for word in words if word),
        state=row.state,
        longest_mm=row.measured.longest_mm if row.measured and row.state != "gone" else None,
        was_treated=row.was_treated,
        put_at=row.lesion.put_at,
        pk=row.lesion.pk,
    )
