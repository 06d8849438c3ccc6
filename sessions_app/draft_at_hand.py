"""The draft in which somebody types: found, held and allowed in one statement.

It is asked with each field that is typed, and to make the statement of models takes longer than to answer it.
So it is written by hand here, and loads only what a save asks for. The rule is that of
sessions_app.selectors.drafts_to_write.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection
from django.db.models import BigIntegerField, Model

from lesions.models import Patient
from sessions_app.models import Protocol, Series, SessionDraft
from stsclinic.access import may
from stsclinic.clinics.models import Clinic, User

Row = TypeVar("Row", bound=Model)

_STATEMENT = """
    SELECT draft.*, series.patient_id, series.protocol_id, patient.clinic_id, clinic.time_zone,
           protocol.code, protocol.route, protocol.is_controlled, protocol.uses_ptga_phga, protocol.uses_pga,
           (SELECT {together} FROM sessions_app_serieslesion AS treated
            WHERE treated.series_id = series.id AND treated.struck_out_at IS NULL) AS lesion_keys
    FROM sessions_app_sessiondraft AS draft
    JOIN sessions_app_series AS series ON series.id = draft.series_id
    JOIN lesions_patient AS patient ON patient.id = series.patient_id
    JOIN clinics_clinic AS clinic ON clinic.id = patient.clinic_id
    JOIN sessions_app_protocol AS protocol ON protocol.id = series.protocol_id
    WHERE draft.id = %s AND series.struck_out_at IS NULL AND patient.struck_out_at IS NULL
    {held}
"""
_WORDS = {
    "postgresql": {"together": "string_agg(treated.lesion_id::text, ' ')", "held": "FOR UPDATE OF draft"},
    # A transaction of ours holds the whole file of SQLite from its beginning.
    "sqlite": {"together": "group_concat(treated.lesion_id, ' ')", "held": ""},
}
_PROTOCOL = ("code", "route", "is_controlled", "uses_ptga_phga", "uses_pga")


@dataclass(frozen=True)
class DraftAtHand:
    """A draft that is held against others until the transaction ends.

    Of its series, patient, clinic and protocol only that is loaded which a save asks for.
    """

    draft: SessionDraft
    lesion_keys: tuple[int, ...]
    """The primary keys of the lesions that its series treats."""


def draft_at_hand(user: User, pk: int) -> DraftAtHand | None:
    """Hold the draft with this key; None where there is none that the user may write."""
    if pk > BigIntegerField.MAX_BIGINT:
        return None
    for draft in SessionDraft.objects.raw(_STATEMENT.format(**_WORDS[connection.vendor]), [pk]):
        found = vars(draft)
        if not may(user, "correct" if draft.corrects_id else "record_session", found["clinic_id"]):
            return None
        draft.series = _part(
            Series, found, id="series_id", patient_id="patient_id", protocol_id="protocol_id"
        )
        patient = draft.series.patient = _part(Patient, found, id="patient_id", clinic_id="clinic_id")
        patient.clinic = _part(Clinic, found, id="clinic_id", time_zone="time_zone")
        draft.series.protocol = _part(Protocol, found, id="protocol_id", **{name: name for name in _PROTOCOL})
        return DraftAtHand(draft, tuple(map(int, (found["lesion_keys"] or "").split())))
    return None


def _part(model: type[Row], found: dict[str, Any], **columns: str) -> Row:
    """A row of which these columns are loaded, {column: its name in what was found}; others once they are asked for."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in columns]
    return model.from_db(connection.alias, names, [found[columns[name]] for name in names])
