"""The facts that the alerts are asked about, loaded for one session of one series."""

from collections import defaultdict

from django.db.models import Q

from lesions.facts import patient_facts
from lesions.models import Lesion, Medication
from sessions_app.entries import SessionEntry
from sessions_app.models import (
    AlertAcknowledgement,
    AllocationOpening,
    Assessment,
    Infusion,
    Injection,
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


def facts_of(series: Series, entry: SessionEntry, *, leaving_out: TreatmentSession | None = None) -> Facts:
    """Everything that the alerts of this entry are a function of. A fixed number of queries.

    Args:
        leaving_out: the session that the entry is, where it is logged already: it is not before itself.
    """
    patient = series.patient
    lesions = {row.pk: row for row in Lesion.objects.filter(patient=patient)}
    arms = dict(SeriesLesion.objects.filter(series=series).values_list("lesion_id", "arm"))
    own = leaving_out.pk if leaving_out else 0
    visits = _visits(series, own)
    treated = sorted(visit.held_on for visit in visits if visit.kind == "treatment")
    before = [held_on for held_on in treated if held_on <= entry.held_on]
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
            no_vasodilator_acknowledged=AlertAcknowledgement.objects.filter(
                session__series=series, session__struck_out_at=None, code="no_vasodilator"
            )
            .exclude(session=own)
            .exists(),
            first_treatment_on=treated[0] if treated else None,
            previous_treatment_on=before[-1] if before else None,
        ),
        medications=tuple(
            MedicationFacts(
                name=row.name,
                role=row.role,
                started_on=_partial(row.started_on),
                stopped_on=_partial(row.stopped_on),
            )
            for row in Medication.objects.filter(patient=patient)
        ),
        previous_injections=tuple(
            PreviousInjection(
                lesion_id=lesion_id, given_on=held_on, concentration_mg_ml=concentration, salt_form=salt_form
            )
            for lesion_id, held_on, concentration, salt_form in Injection.objects.filter(
                _tells_its_concentration(series),
                session__series__patient=patient,
                session__struck_out_at=None,
                session__series__struck_out_at=None,
                lesion__in=[row.lesion for row in entry.injections],
            )
            .exclude(session=own)
            .order_by("session__held_on", "session__session_no")
            .values_list("lesion__lesion_id", "session__held_on", "concentration_mg_ml", "salt_form")
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
            for row in SideEffect.objects.filter(patient=patient).select_related("lesion")
            if row.session_id != own
        ),
        previous_visits=tuple(visit for visit in visits if visit.held_on <= entry.held_on),
        earlier_series=_earlier_series(series),
        recalled_lots=tuple(
            clinical.RecalledLot(lot_number=row.lot_number, recalled_on=row.recalled_on, reason=row.reason)
            for row in RecalledLot.objects.filter(clinic_id=patient.clinic_id)
        ),
    )


def _tells_its_concentration(series: Series) -> Q:
    """Injections that an alert of this series may speak of.

    Not those of another series whose allocation is closed: the alert, and the note kept with it,
    would tell which lesion got the drug. This holds whoever asks, since the note is read by all.
    """
    opened = AllocationOpening.objects.filter(
        Q(patient=None) | Q(patient=series.patient_id), clinic=series.patient.clinic_id
    ).values("protocol_code")
    return (
        Q(session__series=series)
        | Q(session__series__protocol__is_controlled=False)
        | Q(session__series__protocol__code__in=opened)
    )


def _visits(series: Series, leaving_out: int = 0) -> tuple[PreviousVisit, ...]:
    """All sessions of a series but one in their order, with what was measured."""
    sizes = defaultdict(list)
    for session_id, lesion_id, longest_mm, widest_mm in Assessment.objects.filter(
        session__series=series, session__struck_out_at=None
    ).values_list("session_id", "lesion__lesion_id", "longest_mm", "widest_mm"):
        sizes[session_id].append(SizeFacts(lesion_id=lesion_id, longest_mm=longest_mm, widest_mm=widest_mm))
    rows = (
        TreatmentSession.objects.filter(series=series)
        .exclude(pk=leaving_out)
        .order_by("held_on", "session_no")
    )
    return tuple(
        PreviousVisit(held_on=held_on, kind=kind, ptga=ptga, sizes=tuple(sizes[pk]))
        for pk, held_on, kind, ptga in rows.values_list("pk", "held_on", "kind", "ptga")
    )


def _earlier_series(series: Series) -> EarlierSeries | None:
    """The patient's series of the number before this one that is not struck out."""
    row = (
        Series.objects.filter(patient_id=series.patient_id, series_no__lt=series.series_no)
        .select_related("protocol")
        .order_by("series_no")
        .last()
    )
    if row is None:
        return None
    return EarlierSeries(
        series_no=row.series_no,
        protocol=row.protocol.definition,
        sessions=_visits(row),
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
