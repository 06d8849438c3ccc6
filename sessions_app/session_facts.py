"""The facts that the alerts are asked about, loaded for one session of one series."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from lesions.at_hand import at_hand
from lesions.facts import patient_facts
from lesions.models import Lesion, Patient
from sessions_app.concealed import Concealed
from sessions_app.entries import SessionEntry
from sessions_app.last_time import Course, GivenBefore, VisitBefore, course_of
from sessions_app.lesion_order import lesions_in_order
from sessions_app.models import (
    AlertAcknowledgement,
    Assessment,
    Infusion,
    RecalledLot,
    Series,
    SeriesLesion,
    SideEffect,
    TreatmentSession,
)
from stsclinic.clinical import facts as clinical
from stsclinic.clinical.dates import PartialDate
from stsclinic.clinical.facts import (
    EarlierSeries,
    Facts,
    InjectionFacts,
    MedicationFacts,
    PreviousInfusion,
    PreviousInjection,
    PreviousVisit,
    SeriesFacts,
    SessionFacts,
    SideEffectFacts,
    SizeFacts,
)
from stsclinic.clinical.tolerance import with_grades
from stsclinic.statement import Given, statement


def facts_of(
    series: Series,
    entry: SessionEntry,
    *,
    leaving_out: TreatmentSession | None = None,
    treated: Sequence[SeriesLesion] | None = None,
    course: Course | None = None,
) -> Facts:
    """Everything that the alerts of this entry are a function of. A fixed number of queries.

    Args:
        leaving_out: the session that the entry is, where it is logged already: it is not before itself.
        treated: the lesions of the series, where they are loaded.
        course: what was recorded of them before, where it is loaded, without the session that is left out.
    """
    patient = series.patient
    treated = lesions_in_order(series) if treated is None else treated
    arms = {row.lesion_id: row.arm for row in treated}
    lesions = {row.lesion_id: row.lesion for row in treated}
    # A session that is logged may hold a lesion that its series treats no more.
    asked = {row.lesion for row in entry.assessments} | {row.lesion for row in entry.injections}
    lesions |= Lesion.everything.in_bulk(asked - set(lesions))
    own = leaving_out.pk if leaving_out else 0
    if course is None:
        course = course_of(series, lesions, concealed=Concealed(frozenset()), corrects=leaving_out)
    of_series = [visit for visit in course.visits if visit.series == series.pk]
    visits = _visits(of_series, _sizes(lesions, course))
    treated_on = sorted(visit.held_on for visit in visits if visit.kind == "treatment")
    earlier = [held_on for held_on in treated_on if held_on <= entry.held_on]
    return Facts(
        protocol=series.protocol.definition,
        session=SessionFacts(
            held_on=entry.held_on,
            kind=entry.kind,
            injections=tuple(_injection(series, row, lesions[row.lesion], arms) for row in entry.injections),
            vial_lots=tuple(row.lot_number for row in entry.vials or ()),
            infusion_g=entry.infusion.dose_g if entry.infusion else None,
            ptga=entry.ptga,
            sizes=tuple(
                SizeFacts(
                    lesion_id=lesions[row.lesion].lesion_id,
                    longest_mm=row.longest_mm,
                    widest_mm=row.widest_mm,
                )
                for row in entry.assessments
            ),
        ),
        patient=patient_facts(patient),
        series=SeriesFacts(
            high_concentration_approved_on=series.high_concentration_approved_on,
            no_vasodilator_acknowledged=any(
                session != own for session in _no_vasodilator().rows(series=series.pk)
            ),
            first_treatment_on=treated_on[0] if treated_on else None,
            previous_treatment_on=earlier[-1] if earlier else None,
        ),
        medications=tuple(
            MedicationFacts(
                name=row.name,
                role=row.role,
                started_on=_partial(row.started_on),
                stopped_on=_partial(row.stopped_on),
            )
            for row in at_hand(patient).medications
        ),
        previous_injections=tuple(
            PreviousInjection(
                lesion_id=lesions[row.lesion].lesion_id,
                given_on=before.held_on,
                concentration_mg_ml=before.concentration_mg_ml,
                salt_form=before.salt_form,
            )
            for row in entry.injections
            for before in course.injections.get(row.lesion, ())
            if _may_be_told(before, series)
        ),
        previous_infusions=_infusions(series, own) if series.protocol.route == "infusion" else (),
        side_effects=tuple(
            SideEffectFacts(
                term=row.term,
                onset_on=row.onset_on,
                lesion_id=row.lesion.lesion_id if row.lesion else "",
                resolved_on=row.resolved_on,
                outcome=row.outcome,
            )
            for row in at_hand(patient).side_effects
            if row.session_id != own
        ),
        previous_visits=tuple(visit for visit in visits if visit.held_on <= entry.held_on),
        earlier_series=_earlier_series(series, course),
        recalled_lots=_recalled_lots(patient) if _has_lots(entry) else (),
    )


@statement
def _no_vasodilator() -> QuerySet[Any]:
    """The sessions of a series at which somebody noted that there is no vasodilator."""
    noted = AlertAcknowledgement.objects.filter(
        session__series=Given("series"), session__struck_out_at=None, code="no_vasodilator"
    )
    return noted.order_by().values_list("session", flat=True)


def _may_be_told(before: GivenBefore, series: Series) -> bool:
    """Whether an alert of this series may speak of an earlier injection.

    Not of one of another series whose allocation is closed: the alert, and the note kept with it,
    would tell which lesion got the drug. This holds whoever asks, since the note is read by all.
    """
    return before.series == series.pk or not before.is_closed


def _sizes(lesions: Mapping[int, Lesion], course: Course) -> dict[int, list[SizeFacts]]:
    """What was measured of these lesions, {session: sizes}."""
    sizes = defaultdict(list)
    for pk, seen in course.assessments.items():
        for row in seen:
            sizes[row.session].append(
                SizeFacts(lesion_id=lesions[pk].lesion_id, longest_mm=row.longest_mm, widest_mm=row.widest_mm)
            )
    return sizes


def _visits(visits: Iterable[VisitBefore], sizes: Mapping[int, list[SizeFacts]]) -> tuple[PreviousVisit, ...]:
    """Sessions in their order, with what was measured."""
    return tuple(
        PreviousVisit(
            held_on=visit.held_on, kind=visit.kind, ptga=visit.ptga, sizes=tuple(sizes.get(visit.pk, ()))
        )
        for visit in visits
    )


def _has_lots(entry: SessionEntry) -> bool:
    return bool(entry.vials) or any(row.lot_number for row in entry.injections)


def _recalled_lots(patient: Patient) -> tuple[clinical.RecalledLot, ...]:
    lots = RecalledLot.objects.filter(clinic=patient.clinic_id).order_by("lot_number")
    return tuple(
        clinical.RecalledLot(lot_number=lot_number, recalled_on=recalled_on, reason=reason)
        for lot_number, recalled_on, reason in lots.values_list("lot_number", "recalled_on", "reason")
    )


def _earlier_series(series: Series, course: Course) -> EarlierSeries | None:
    """The patient's series of the number before this one that is not struck out."""
    if series.series_no == 1:
        return None
    row = (
        Series.objects.filter(patient_id=series.patient_id, series_no__lt=series.series_no)
        .select_related("protocol")
        .order_by("series_no")
        .last()
    )
    if row is None:
        return None
    held = [visit for visit in course.visits if visit.series == row.pk]
    measured = defaultdict(list)
    for session_id, lesion_id, longest_mm, widest_mm in (
        Assessment.objects.filter(session__in=[visit.pk for visit in held])
        .order_by()
        .values_list("session_id", "lesion__lesion_id", "longest_mm", "widest_mm")
    ):
        measured[session_id].append(
            SizeFacts(lesion_id=lesion_id, longest_mm=longest_mm, widest_mm=widest_mm)
        )
    return EarlierSeries(
        series_no=row.series_no,
        protocol=row.protocol.definition,
        sessions=_visits(held, measured),
        stop_reason=row.stop_reason,
    )


def _injection(series: Series, row, lesion: Lesion, arms: dict[int, str]) -> InjectionFacts:
    agent = row.agent or ("saline" if arms.get(row.lesion) == "control" else "sts")
    concentration = row.concentration_mg_ml
    if not row.agent and agent == "sts":
        concentration = series.protocol.usual_concentration_mg_ml
    return InjectionFacts(
        lesion_id=lesion.lesion_id,
        body_site=lesion.body_site,
        laterality=lesion.laterality,
        agent=agent,
        concentration_mg_ml=concentration,
        volume_ml=row.volume_ml,
        salt_form=row.salt_form,
        lot_number=row.lot_number,
    )


def _infusions(series: Series, leaving_out: int) -> tuple[PreviousInfusion, ...]:
    infusions = (
        Infusion.objects.filter(session__series=series, session__struck_out_at=None)
        .exclude(session=leaving_out)
        .order_by("session__held_on", "session__session_no")
    )
    effects = SideEffect.objects.filter(Q(series=series) | Q(series=None), patient=series.patient_id)
    return with_grades(
        [
            PreviousInfusion(given_on=held_on, dose_g=dose_g, session=session_id)
            for session_id, held_on, dose_g in infusions.values_list(
                "session_id", "session__held_on", "dose_g"
            )
        ],
        effects.order_by().values_list("session_id", "onset_on", "grade"),
    )


def _partial(text: str) -> PartialDate | None:
    return PartialDate.parse(text) if text else None
