"""How often did each alert speak, was it acknowledged, and what happened after?

The recorded sessions are played through the same rules that speak before the needle, so that the page
and the session sheet cannot differ. Nothing is stored but the acknowledgements. What stops a session or
asks for a fact is left out: no session is completed with it, and what is recorded today of a pregnancy
tells nothing of the day of the session. A fixed number of queries; of the sessions asked for, the latest
ones, at most MOST_SESSIONS.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from lesions.models import Patient
from sessions_app.concealed import Concealed, concealed_for
from sessions_app.datasheets.columns import SHEETS, Sheet
from sessions_app.models import AlertAcknowledgement, Protocol, TreatmentSession
from sessions_app.replay import Spoken, Values, play
from stsclinic.access import clinics_where
from stsclinic.clinical.alerts import MAY_BETRAY_ALLOCATION, AlertHelp, alert_help
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.terms import SIDE_EFFECT_TERM

MOST_SESSIONS = 2000
AFTER_DAYS = 14
"""A side effect that began so many days after the session, or earlier, counts as after it."""
SHOWN_NOTES = 5
"""Of each alert, unless one is chosen: of that all."""

COUNTED: tuple[AlertHelp, ...] = tuple(
    line for line in alert_help() if line.level in ("acknowledge", "inform")
)
"""The alerts with which a session may be completed."""

SHEETS_PLAYED = (
    "patients",
    "medications",
    "lesions",
    "series",
    "sessions",
    "session_lesions",
    "injections",
    "infusions",
    "side_effects",
)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a person wrote when acknowledging an alert."""

    study_id: str
    session_pk: int
    held_on: date
    facts: str
    note: str
    by: str
    after: str
    """The side effects that came after, such as `Skin blistering, 24-Oct-2020`; may be empty."""


@dataclass(kw_only=True)
class AlertLine:
    """One alert."""

    help: AlertHelp
    spoke: int = 0
    """How often; of two lesions in one session, twice."""
    patients: set[str] = field(default_factory=set)
    acknowledged: int = 0
    followed: int = 0
    """How many of `spoke` had a side effect after, at the lesion where the alert named one."""
    after: Counter = field(default_factory=Counter)
    """How often each term came after."""
    notes: list[Note] = field(default_factory=list)

    @property
    def after_words(self) -> str:
        """`Skin blistering 2, pain 1`."""
        return ", ".join(f"{SIDE_EFFECT_TERM[term]} {count}" for term, count in self.after.most_common(4))

    @property
    def followed_words(self) -> str:
        """`3 of 12`; empty where it never spoke."""
        return f"{self.followed} of {self.spoke}" if self.spoke else ""


@dataclass(frozen=True, kw_only=True)
class AlertHistory:
    """The page's facts."""

    since: date | None
    """The first day that counts; None: as far back as there are sessions."""
    until: date | None
    sessions: int
    lines: list[AlertLine]
    quiet_sessions: int
    """Sessions with an injection or infusion of which no alert of the page spoke."""
    quiet_followed: int
    is_cut: bool
    """Whether there were more sessions than are played."""
    leaves_out: bool
    """Whether alerts that may tell an arm are left out, since a trial is closed to the reader."""

    @property
    def quiet_words(self) -> str:
        """`3 of 12`."""
        return f"{self.quiet_followed} of {self.quiet_sessions}"


@dataclass(frozen=True, kw_only=True)
class Period:
    """The days of the sessions that count; None: no bound."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    @cached_property
    def condition(self) -> Q:
        """The same, for sessions in the database."""
        found = Q() if self.first is None else Q(held_on__gte=self.first)
        return found if self.last is None else found & Q(held_on__lte=self.last)


def alert_history(
    user, period: Period = Period(), *, clinic: int | None = None, alert: str = ""
) -> AlertHistory:
    """The alerts of the clinics where `user` has the right `see_alert_history`, or of one of these.

    Args:
        period: the days of the sessions that count.
        clinic: the id of a clinic; another's counts nothing.
        alert: the code of the alert of which all notes are wanted.
    """
    clinics = clinics_where(user, "see_alert_history")
    if clinic is not None:
        clinics &= {clinic}
    period, is_cut = _within_bounds(clinics, period)
    concealed = concealed_for(user)
    sheets, protocols = _load(clinics, period)
    hidden = _patients_with_hidden_series(sheets, concealed)
    lines = {line.code: AlertLine(help=line) for line in COUNTED}
    spoken = [
        one
        for one in play(sheets, lambda series: protocols[series["protocol_id"]])
        if one.code in lines
        and one.held_on in period
        and not (one.betrays_allocation and one.patient_id in hidden)
    ]
    effects = _effects(sheets)
    for one in spoken:
        line = lines[one.code]
        line.spoke += 1
        line.patients.add(one.patient_id)
        terms = {row["term"] for row in _after(one.patient_id, one.held_on, one.lesion_id, effects)}
        line.followed += bool(terms)
        line.after.update(terms)
    reading = clinics_where(user, "see_patients")
    for row in _acknowledgements(clinics, period, concealed, lines):
        line = lines[row.code]
        line.acknowledged += 1
        is_wanted = row.code == alert or (not alert and len(line.notes) < SHOWN_NOTES)
        if is_wanted and row.session.series.patient.clinic_id in reading:
            line.notes.append(_note(row, effects))
    quiet, sessions = _quiet(sheets, spoken, period)
    return AlertHistory(
        since=period.first,
        until=period.last,
        sessions=sessions,
        lines=list(lines.values()),
        quiet_sessions=len(quiet),
        quiet_followed=sum(bool(_after(patient, on, "", effects)) for patient, on in quiet),
        is_cut=is_cut,
        leaves_out=bool(hidden),
    )


def _within_bounds(clinics: Iterable[int], period: Period) -> tuple[Period, bool]:
    """The period with MOST_SESSIONS at most, in whole days; whether that is shorter than what was asked for."""
    beyond = list(
        _sessions(clinics)
        .filter(period.condition)
        .order_by("-held_on", "-pk")
        .values_list("held_on", flat=True)[MOST_SESSIONS : MOST_SESSIONS + 1]
    )
    return (
        (Period(first=beyond[0] + timedelta(days=1), last=period.last), True) if beyond else (period, False)
    )


def _sessions(clinics: Iterable[int]) -> QuerySet[TreatmentSession]:
    return TreatmentSession.objects.filter(
        series__patient__clinic__in=clinics,
        series__struck_out_at=None,
        series__patient__struck_out_at=None,
    )


def _load(clinics: Iterable[int], period: Period) -> tuple[dict[str, list[Values]], dict[int, Any]]:
    """All rows of the patients who had a session in the period, and the protocols by key."""
    patients = Patient.objects.filter(
        pk__in=_sessions(clinics).filter(period.condition).values("series__patient")
    ).values("pk")
    sheets: dict[str, list[Values]] = {name: [] for name in SHEETS}
    for name in SHEETS_PLAYED:
        sheets[name] = list(_rows(SHEETS[name], patients))
    return sheets, {row.pk: row.definition for row in Protocol.objects.all()}


def _rows(sheet: Sheet, patients: QuerySet) -> Iterable[Values]:
    path = sheet.clinic_path.removesuffix("clinic").removesuffix("__") or "pk"
    conditions = Q(**{f"{path}__in": patients})
    for kept in sheet.kept_paths:
        conditions &= Q(**{f"{kept}struck_out_at": None})
    fields = {column.name: column.field for column in sheet.columns}
    if sheet.name == "series":
        fields |= {
            "protocol_id": "protocol_id",
            "is_controlled": "protocol__is_controlled",
            "patient_pk": "patient_id",
            "clinic_pk": "patient__clinic_id",
        }
    rows = apps.get_model(sheet.model)._base_manager.filter(conditions).order_by("pk")
    for values in rows.values_list(*fields.values()):
        yield dict(zip(fields, values, strict=True))


def _patients_with_hidden_series(sheets: dict[str, list[Values]], concealed: Concealed) -> set[str]:
    """Study IDs of patients with a series whose allocation is closed to the reader.

    Their other series are left out too: an alert there may compare with what the trial injected.
    """
    return {
        row["patient_id"]
        for row in sheets["series"]
        if concealed.hides(
            clinic_id=row["clinic_pk"],
            patient_id=row["patient_pk"],
            protocol_code=row["protocol"],
            is_controlled=row["is_controlled"],
        )
    }


def _effects(sheets: dict[str, list[Values]]) -> dict[str, list[Values]]:
    found: dict[str, list[Values]] = defaultdict(list)
    for row in sheets["side_effects"]:
        found[row["patient_id"]].append(row)
    return found


def _after(patient_id: str, on: date, lesion_id: str, effects: dict[str, list[Values]]) -> list[Values]:
    """The side effects that began within AFTER_DAYS: of the lesion where one is named, or of the whole patient."""
    return [
        row
        for row in effects.get(patient_id, ())
        if 0 <= (row["onset_on"] - on).days <= AFTER_DAYS
        and (not lesion_id or row["lesion_id"] in (lesion_id, None, ""))
    ]


def _quiet(
    sheets: dict[str, list[Values]], spoken: list[Spoken], period: Period
) -> tuple[list[tuple[str, date]], int]:
    """(study ID, day) of the treatments in the period at which nothing spoke, and how many sessions there are."""
    loud = {(one.patient_id, one.series_no, one.session_no) for one in spoken}
    held = [row for row in sheets["sessions"] if row["held_on"] in period]
    return [
        (row["patient_id"], row["held_on"])
        for row in held
        if row["kind"] == "treatment" and (row["patient_id"], row["series_no"], row["session_no"]) not in loud
    ], len(held)


def _acknowledgements(
    clinics: Iterable[int], period: Period, concealed: Concealed, codes: Iterable[str]
) -> Iterable[AlertAcknowledgement]:
    """The acknowledgements that the reader may know of, the latest first."""
    rows = (
        AlertAcknowledgement.objects.filter(
            session__in=_sessions(clinics).filter(period.condition), code__in=codes
        )
        .select_related("session__series__patient", "session__series__protocol", "lesion")
        .order_by("-session__held_on", "-pk")
    )
    for row in rows:
        series = row.session.series
        is_hidden = row.code in MAY_BETRAY_ALLOCATION and concealed.hides(
            clinic_id=series.patient.clinic_id,
            patient_id=series.patient_id,
            protocol_code=series.protocol.code,
            is_controlled=series.protocol.is_controlled,
        )
        if not is_hidden:
            yield row


def _note(row: AlertAcknowledgement, effects: dict[str, list[Values]]) -> Note:
    study_id, held_on = row.session.series.patient.study_id, row.session.held_on
    after = _after(study_id, held_on, row.lesion.lesion_id if row.lesion else "", effects)
    return Note(
        study_id=study_id,
        session_pk=row.session_id,
        held_on=held_on,
        facts=row.facts,
        note=row.note,
        by=row.by,
        after=", ".join(
            f"{SIDE_EFFECT_TERM[effect['term']]}, {show_date(effect['onset_on'])}" for effect in after
        ),
    )
