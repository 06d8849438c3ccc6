"""Recalled lots: entered for a clinic, who got them, and struck out when it was a mistake.

Where the allocation of a controlled protocol is closed to the reader, nobody of that trial is listed:
that a lesion got the lot would tell its arm.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from sessions_app.concealed import Concealed, concealed_for
from sessions_app.models import Injection, Protocol, RecalledLot, SessionVial
from stsclinic.access import clinics_where
from stsclinic.audit.acting import acting
from stsclinic.audit.services import strike_out, write_new
from stsclinic.clinical.lots import plain_lot
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.models import Clinic

SHOWN_RECIPIENTS = 500
"""Injections on the page of one lot; the rest is counted."""


Use = Injection | SessionVial
"""That something of a lot was injected, or drawn."""


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """One injection of a recalled lot, or one vial of it of which no injection tells the lot."""

    patient_pk: int
    study_id: str
    session_pk: int
    series_no: int
    session_no: int | None
    held_on: date
    lesion_id: str
    """Empty for a vial."""
    where: str
    lot_number: str
    """As it was written down."""


@dataclass(frozen=True, kw_only=True)
class LotRow:
    """A recalled lot, with how many patients and injections had it, as far as the reader may see."""

    lot: RecalledLot
    patients: int
    injections: int
    """And vials of which no injection tells the lot."""


def lots_for(user) -> QuerySet[RecalledLot]:
    """The recalled lots of the clinics where the user has the right, the latest first."""
    return (
        RecalledLot.objects.filter(clinic__in=clinics_where(user, "recall_lots"))
        .select_related("clinic")
        .order_by("-recalled_on", "-pk")
    )


def lot_rows(user) -> list[LotRow]:
    """Every recalled lot with its numbers. A fixed number of queries."""
    lots = list(lots_for(user))
    if not lots:
        return []
    concealed = concealed_for(user)
    given: dict[tuple[int, str], list[int]] = defaultdict(list)
    for use in _uses(lots):
        if not _is_hidden(concealed, use):
            patient = use.session.series.patient
            given[patient.clinic_id, plain_lot(use.lot_number)].append(patient.pk)
    return [
        LotRow(lot=lot, patients=len(set(whose)), injections=len(whose))
        for lot in lots
        for whose in (given[lot.clinic_id, plain_lot(lot.lot_number)],)
    ]


def recipients(user, lot: RecalledLot) -> list[Recipient]:
    """Who got a lot, the latest first, as far as `user` may see."""
    concealed = concealed_for(user)
    rows = [row for row in _uses([lot]) if not _is_hidden(concealed, row)]
    rows.sort(key=lambda row: (row.session.held_on, row.session.pk, row.pk), reverse=True)
    return [
        Recipient(
            patient_pk=row.session.series.patient_id,
            study_id=row.session.series.patient.study_id,
            session_pk=row.session_id,
            series_no=row.session.series.series_no,
            session_no=row.session.session_no,
            held_on=row.session.held_on,
            lesion_id=row.lesion.lesion_id if isinstance(row, Injection) else "",
            where=row.lesion.site_words
            if isinstance(row, Injection)
            else f"{show_decimal(row.drawn_ml)} ml drawn; for which lesions is not recorded",
            lot_number=row.lot_number,
        )
        for row in rows
    ]


def leaves_out(user, clinic_ids: Iterable[int]) -> bool:
    """Whether trials of these clinics are closed to `user`, so that their injections are not listed.

    It does not tell whether any of them had the lot.
    """
    concealed = concealed_for(user)
    codes = set(Protocol.objects.filter(is_controlled=True).values_list("code", flat=True))
    return any(
        concealed.hides(clinic_id=clinic_id, patient_id=0, protocol_code=code, is_controlled=True)
        for clinic_id in clinic_ids
        for code in codes
    )


def enter_lot(
    *,
    clinic: Clinic,
    lot_number: str,
    recalled_on: date,
    reason: str,
    by: str,
    source: str = "page",
) -> RecalledLot:
    """Enter a recalled lot.

    Raises:
        ValidationError: the number is empty or entered already, or the day is in the future.
    """
    problems = {}
    if not plain_lot(lot_number):
        problems["lot_number"] = "Write the lot number with its letters and digits."
    if recalled_on > today_in(clinic):
        problems["recalled_on"] = "The date is in the future."
    if problems:
        raise ValidationError(problems)
    with acting(by=by, source=source):
        Clinic.objects.select_for_update().get(pk=clinic.pk)
        for there in RecalledLot.objects.filter(clinic=clinic):
            if plain_lot(there.lot_number) == plain_lot(lot_number):
                raise ValidationError({"lot_number": f"This lot is entered already, as {there.lot_number}."})
        return write_new(
            RecalledLot(
                clinic=clinic, lot_number=lot_number.strip(), recalled_on=recalled_on, reason=reason.strip()
            ),
            by=by,
            source=source,
        )


def strike_out_lot(lot: RecalledLot, *, by: str, reason: str, source: str = "page") -> None:
    """Strike a recall out that was entered by mistake: no session is warned of it any more.

    Raises:
        ValidationError: no reason was given, or it was struck out before.
    """
    strike_out(lot, by=by, reason=reason, source=source)


def _uses(lots: Sequence[RecalledLot]) -> list[Use]:
    """The kept injections of these lots in their clinics, and the vials of which no injection tells the lot."""
    injections = _of_lots(Injection, lots, "lesion")
    told = {(row.session_id, plain_lot(row.lot_number)) for row in injections}
    vials = [
        row for row in _of_lots(SessionVial, lots) if (row.session_id, plain_lot(row.lot_number)) not in told
    ]
    return [*injections, *vials]


def _of_lots(model, lots: Sequence[RecalledLot], *related: str) -> list:
    """The kept rows of these lots, however the number was written."""
    kept = model.objects.filter(
        session__struck_out_at=None,
        session__series__struck_out_at=None,
        session__series__patient__struck_out_at=None,
        session__series__patient__clinic__in={lot.clinic_id for lot in lots},
    )
    wanted = {plain_lot(lot.lot_number) for lot in lots}
    written = [
        number
        for number in kept.exclude(lot_number="").order_by().values_list("lot_number", flat=True).distinct()
        if plain_lot(number) in wanted
    ]
    return list(
        kept.filter(lot_number__in=written).select_related(
            *related, "session__series__patient", "session__series__protocol"
        )
    )


def _is_hidden(concealed: Concealed, use: Use) -> bool:
    series = use.session.series
    return concealed.hides(
        clinic_id=series.patient.clinic_id,
        patient_id=series.patient_id,
        protocol_code=series.protocol.code,
        is_controlled=series.protocol.is_controlled,
    )
