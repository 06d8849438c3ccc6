"""The one service that writes a session: logged, corrected, struck out. Each in one transaction."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils import timezone

from sessions_app.enrolment import OPEN_SERIES
from sessions_app.entries import EntryRefused, SessionEntry, agent_of_visit, lesion_field, vial_field
from sessions_app.models import (
    AlertAcknowledgement,
    Assessment,
    Infusion,
    Injection,
    Series,
    SeriesLesion,
    SessionVial,
    SideEffectInquiry,
    TreatmentSession,
)
from stsclinic.audit.acting import acting
from stsclinic.audit.services import StaleRecord
from stsclinic.clinical import scales
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.vials import vial_uses
from stsclinic.clinics.clock import today_in


def log_session(
    *, series: Series, entry: SessionEntry, by: str, source: str = "page", reason: str = ""
) -> TreatmentSession:
    """Write a completed session with its assessments and injections, and number it by its date.

    Raises:
        EntryRefused: a rule of check_new_entry is broken; nothing was written.
    """
    with acting(by=by, source=source, reason=reason):
        series = (
            Series.objects.select_for_update(of=("self",))
            .select_related("patient__clinic", "protocol")
            .get(pk=series.pk)
        )
        arms = _arms(series)
        _refuse(check_new_entry(series, entry, arms))
        return write_session(series=series, entry=entry, arms=arms, by=by)


def write_session(
    *, series: Series, entry: SessionEntry, arms: Mapping[int, str], by: str
) -> TreatmentSession:
    """Write what `check_new_entry` found sound, where `by` is acting and holds the series locked.

    Args:
        arms: as `arms_of` gives them.
    """
    number = _number_of_the_last(series, entry.held_on)
    session = TreatmentSession(
        series=series,
        session_no=number,
        completed_at=timezone.now(),
        completed_by=by,
        **_visit(entry),
    )
    # The series is locked and the rules of several columns are in check_entry and in the database.
    session.clean_fields(exclude=["series"])
    session.save(force_insert=True)
    _write_rows(session, entry, arms, series)
    if number is None:
        _renumber(session)
    _acknowledge(session, entry, by)
    if entry.asked:
        SideEffectInquiry.objects.create(
            patient=series.patient,
            series=series,
            session=session,
            asked_on=session.held_on,
            answer=entry.asked,
            by=by,
        )
    _carry_on(series, entry)
    return session


def correct_session(
    *,
    session: TreatmentSession,
    entry: SessionEntry,
    seen_version: int,
    by: str,
    reason: str,
    source: str = "page",
) -> TreatmentSession:
    """Make a completed session what `entry` says; what disappears is struck out, not deleted.

    What no entry of this series may hold, and only an import could bring, stays as it is.

    Raises:
        ValidationError: no reason was given, or the session was struck out.
        StaleRecord: somebody corrected it since the person read it.
        EntryRefused: a rule of check_entry is broken. In each case nothing was written.
    """
    if not reason.strip():
        raise ValidationError("Say why this is corrected.")
    with acting(by=by, source=source, reason=reason.strip()):
        series = (
            Series.objects.select_for_update().select_related("patient", "protocol").get(pk=session.series_id)
        )
        session = TreatmentSession.everything.select_for_update().get(pk=session.pk)
        if session.struck_out_at:
            raise ValidationError("This session was struck out and cannot be corrected.")
        if session.version != seen_version:
            raise StaleRecord(session)
        arms = _arms(series)
        _refuse(check_entry(series, entry, arms))
        moved = session.held_on != entry.held_on
        for name, value in _visit(entry).items():
            setattr(session, name, value)
        session.version += 1
        session.full_clean()
        session.save()
        _write_rows(session, entry, arms, series, left_out=_LeftOut(by, reason.strip()))
        if moved:
            _renumber(session)
        _acknowledge(session, entry, by)
    return session


def strike_out_session(session: TreatmentSession, *, by: str, reason: str, source: str = "page") -> None:
    """Strike a session out; the later sessions of its series move up by one.

    Its assessments, injections, infusion and vials are struck out with it, for the same reason.

    Raises:
        ValidationError: no reason was given, or it was struck out before.
    """
    if not reason.strip():
        raise ValidationError("Say why this is struck out.")
    with acting(by=by, source=source, reason=reason.strip()):
        Series.objects.select_for_update().get(pk=session.series_id)
        session = TreatmentSession.everything.select_for_update().get(pk=session.pk)
        if session.struck_out_at:
            raise ValidationError("This was struck out before.")
        if session.side_effects.exists():
            raise ValidationError(
                "Side effects are recorded for this session. Strike them out, or move them, first."
            )
        session.session_no = None
        session.struck_out_at = timezone.now()
        session.struck_out_by = by
        session.struck_out_reason = reason.strip()
        session.version += 1
        session.save()
        for rows in (session.assessments, session.injections, session.infusions, session.vials):
            rows.update(
                struck_out_at=session.struck_out_at, struck_out_by=by, struck_out_reason=reason.strip()
            )
        _renumber(session)


def check_new_entry(series: Series, entry: SessionEntry, arms: Mapping[int, str]) -> dict[str, str]:
    """As check_entry, and whether the series still takes a new session: it may have ended meanwhile."""
    errors = check_entry(series, entry, arms)
    if entry.kind == "treatment" and series.status not in OPEN_SERIES:
        errors.setdefault(
            "series_status",
            f"This series is {series.get_status_display().lower()} since this sheet was opened. Open it again"
            " to log a treatment in it.",
        )
    return errors


def check_entry(series: Series, entry: SessionEntry, arms: Mapping[int, str]) -> dict[str, str]:
    """What several tables decide: {field of the sheet: sentence}, empty when all is well."""
    protocol, errors = series.protocol, {}
    today = today_in(series.patient.clinic)
    if entry.held_on > today:
        errors["held_on"] = "The date is in the future."
    elif entry.held_on < EARLIEST:
        errors["held_on"] = "The date is before 1990."
    for name in ("ptga", "phga"):
        value = getattr(entry, name)
        if value is None:
            continue
        if not protocol.uses_ptga_phga:
            errors[name] = f"Protocol {protocol.code} does not use {scales.SCALES[name].name}."
        elif not scales.SCALES[name].holds(value):
            errors[name] = scales.SCALES[name].valid
    for seen in entry.assessments:
        errors |= _check_assessment(protocol, seen, arms)
    for given in entry.injections:
        errors |= _check_injection(series, entry, given, arms)
    errors |= _check_vials(entry)
    if entry.infusion and not _has_infusion(series, entry):
        errors["infusion-dose_g"] = "Only a treatment under an infusion protocol has an infusion."
    if (entry.series_status == "stopped") != bool(entry.stop_reason):
        errors["stop_reason"] = "Say why the series is stopped, or that it goes on."
    return errors


def _has_injections(series: Series, entry: SessionEntry) -> bool:
    return entry.kind == "treatment" and series.protocol.route == "injection"


def _has_infusion(series: Series, entry: SessionEntry) -> bool:
    return entry.kind == "treatment" and series.protocol.route == "infusion"


EARLIEST = datetime.date(1990, 1, 1)
"""A session before this is a slip of the keyboard: the treatment was first reported in 2004."""


def _check_assessment(protocol, seen, arms: Mapping[int, str]) -> dict[str, str]:
    errors = {}
    if seen.lesion not in arms:
        errors[lesion_field(seen.lesion, "longest_mm")] = "This series does not treat the lesion."
    if seen.status == "gone" and not (
        seen.longest_mm is seen.widest_mm is seen.ulcer is seen.inflammation is None and not seen.size_source
    ):
        errors[lesion_field(seen.lesion, "gone")] = (
            "A lesion that is gone has no measures, ulcer or inflammation."
        )
    for name, used in (("pga", protocol.uses_pga), ("observer_pga", protocol.uses_observer_pga)):
        value = getattr(seen, name)
        if value is not None and not used:
            errors[lesion_field(seen.lesion, name)] = (
                f"Protocol {protocol.code} does not use {scales.SCALES[name].name}."
            )
    return errors


def _check_injection(series: Series, entry: SessionEntry, given, arms: Mapping[int, str]) -> dict[str, str]:
    spot = lesion_field(given.lesion, "volume_ml")
    if given.lesion not in arms:
        return {spot: "This series does not treat the lesion."}
    if entry.kind != "treatment":
        return {spot: "Only a treatment has injections."}
    if series.protocol.route == "infusion":
        return {spot: "This protocol gives infusions, not injections."}
    if series.protocol.is_controlled and not arms[given.lesion]:
        return {spot: "The lesion has no arm yet. A data manager must allocate it first."}
    agent = given.agent or _agent_of(series, arms[given.lesion])
    if arms[given.lesion] and agent != _agent_of(series, arms[given.lesion]):
        return {lesion_field(given.lesion, "agent"): "The agent is not that of the lesion's arm."}
    if agent == "sts" and given.agent and given.concentration_mg_ml is None:
        return {lesion_field(given.lesion, "concentration_mg_ml"): "Sodium thiosulfate needs its mg/ml."}
    return {}


def _check_vials(entry: SessionEntry) -> dict[str, str]:
    return {
        vial_field(
            use.vial.vial_no, "drawn_ml"
        ): f"{show_decimal(-use.left_over_ml)} ml more was injected from lot"
        f" {use.vial.lot_number} than was drawn."
        for use in vial_uses(*agent_of_visit(entry))
        if use.left_over_ml < 0
    }


def _refuse(errors: dict[str, str]) -> None:
    if errors:
        raise EntryRefused(errors)


def arms_of(treated: Iterable[SeriesLesion]) -> dict[int, str]:
    """The lesions that a series treats, each with its arm or an empty text."""
    return {row.lesion_id: row.arm for row in treated}


def _arms(series: Series) -> dict[int, str]:
    return arms_of(SeriesLesion.objects.filter(series=series).order_by().only("lesion_id", "arm"))


def _agent_of(series: Series, arm: str) -> str:
    return "saline" if series.protocol.is_controlled and arm == "control" else "sts"


def _visit(entry: SessionEntry) -> dict:
    return {
        name: getattr(entry, name) for name in ("kind", "held_on", "ptga", "phga", "performed_by", "note")
    }


class _LeftOut(NamedTuple):
    """Who leaves rows out by a correction, and why."""

    by: str
    reason: str


def _write_rows(
    session: TreatmentSession,
    entry: SessionEntry,
    arms: Mapping[int, str],
    series: Series,
    *,
    left_out: _LeftOut | None = None,
) -> None:
    """Bring the rows of a session to what the entry says: new ones, changed ones, and those left out struck out.

    Args:
        left_out: who corrects and why; None for a new session, which has no rows yet.
    """
    seen = [
        Assessment(
            session=session,
            lesion_id=row.lesion,
            **{
                name: getattr(row, name)
                for name in (
                    "status",
                    "longest_mm",
                    "widest_mm",
                    "size_source",
                    "ulcer",
                    "inflammation",
                    "pga",
                    "observer_pga",
                )
            },
        )
        for row in entry.assessments
    ]
    given = []
    for row in entry.injections:
        agent = row.agent or _agent_of(series, arms[row.lesion])
        concentration = row.concentration_mg_ml
        if not row.agent:
            concentration = series.protocol.usual_concentration_mg_ml if agent == "sts" else None
        given.append(
            Injection(
                session=session,
                lesion_id=row.lesion,
                agent=agent,
                concentration_mg_ml=concentration,
                **{
                    name: getattr(row, name)
                    for name in (
                        "volume_ml",
                        "technique",
                        "anaesthesia",
                        "pain_vas",
                        "salt_form",
                        "lot_number",
                        "needle",
                        "dressing",
                    )
                },
            )
        )
    infused = []
    if entry.infusion:
        infused = [
            Infusion(session=session, dose_g=entry.infusion.dose_g, duration_min=entry.infusion.duration_min)
        ]
    lesions, treats, infuses = frozenset(arms), _has_injections(series, entry), _has_infusion(series, entry)
    _bring_to(Assessment, session, seen, "lesion_id", left_out, lambda row: row.lesion_id in lesions)
    _bring_to(
        Injection, session, given, "lesion_id", left_out, lambda row: treats and row.lesion_id in lesions
    )
    _bring_to(Infusion, session, infused, "session_id", left_out, lambda _row: infuses)
    if entry.vials is not None:
        drawn = [
            SessionVial(
                session=session, vial_no=row.vial_no, lot_number=row.lot_number, drawn_ml=row.drawn_ml
            )
            for row in entry.vials
        ]
        _bring_to(SessionVial, session, drawn, "vial_no", left_out, lambda _row: treats)


def _acknowledge(session: TreatmentSession, entry: SessionEntry, by: str) -> None:
    AlertAcknowledgement.objects.bulk_create(
        AlertAcknowledgement(
            session=session, code=ack.code, lesion_id=ack.lesion, facts=ack.facts, note=ack.note, by=by
        )
        for ack in entry.acknowledgements
    )


_HOUSEKEEPING = {"id", "session", "lesion", "version", "struck_out_at", "struck_out_by", "struck_out_reason"}


def _bring_to(
    model,
    session: TreatmentSession,
    wanted: list,
    key: str,
    left_out: _LeftOut | None,
    could_be_given: Callable[[Any], bool],
) -> None:
    """Write the wanted rows; strike out the others, but for those that the entry could not have given."""
    rows = () if left_out is None else model.objects.filter(session=session)
    there = {getattr(row, key): row for row in rows}
    new = []
    names = [field.name for field in model._meta.concrete_fields if field.name not in _HOUSEKEEPING]
    for row in wanted:
        row.clean_fields(exclude=_HOUSEKEEPING)
        before = there.pop(getattr(row, key), None)
        if before is None:
            new.append(row)
            continue
        changed = [name for name in names if getattr(before, name) != getattr(row, name)]
        if changed:
            for name in changed:
                setattr(before, name, getattr(row, name))
            before.version += 1
            before.save(update_fields=[*changed, "version"])
    model.objects.bulk_create(new)
    gone = [row.pk for row in there.values() if could_be_given(row)]
    if gone and left_out is not None:
        model.objects.filter(pk__in=gone).update(
            struck_out_at=timezone.now(),
            struck_out_by=left_out.by,
            struck_out_reason=f"Left out by a correction: {left_out.reason}",
        )


def _number_of_the_last(series: Series, held_on: datetime.date) -> int | None:
    """The number of a new session, where it comes after all others of the series; else None."""
    there = TreatmentSession.objects.filter(series=series).order_by().values_list("session_no", "held_on")
    numbers = {number for number, _on in there}
    is_last = all(on <= held_on for _number, on in there)
    return len(there) + 1 if is_last and numbers == set(range(1, len(there) + 1)) else None


def _renumber(moved: TreatmentSession) -> None:
    """Number the sessions of a series 1, 2, … by date after one came, went or moved.

    The moved one is parked without a number while the others shift, so that no two ever share one;
    each other session that shifts leaves one entry in its history.
    """
    sessions = TreatmentSession.objects.filter(series=moved.series_id)
    before = {row.pk: row.session_no for row in sessions}
    ordered = sorted(
        sessions, key=lambda row: (row.held_on, row.session_no is None, row.session_no or 0, row.pk)
    )
    wanted = {row.pk: number for number, row in enumerate(ordered, start=1)}
    if wanted == before:
        return
    if before.get(moved.pk) is not None:
        sessions.filter(pk=moved.pk).update(session_no=None)
    others = [pk for pk in wanted if pk != moved.pk and wanted[pk] != before[pk]]
    down = sorted((pk for pk in others if wanted[pk] < (before[pk] or 0)), key=lambda pk: wanted[pk])
    up = sorted((pk for pk in others if wanted[pk] > (before[pk] or 0)), key=lambda pk: -wanted[pk])
    for pk in (*down, *up):
        sessions.filter(pk=pk).update(session_no=wanted[pk])
    if moved.pk in wanted:
        sessions.filter(pk=moved.pk).update(session_no=wanted[moved.pk])
        moved.session_no = wanted[moved.pk]


def _carry_on(series: Series, entry: SessionEntry) -> None:
    """What becomes of the series: as the entry says; a planned one is active after its first session."""
    status = entry.series_status or ("active" if series.status == "planned" else "")
    if not status or (status, entry.stop_reason) == (series.status, series.stop_reason):
        return
    series.status, series.stop_reason = status, entry.stop_reason
    series.version += 1
    series.full_clean()
    series.save(update_fields=["status", "stop_reason", "version"])
