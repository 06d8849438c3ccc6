"""Which alerts would have spoken, had the program been there? Data sheets, played day by day.

Each session is asked about as it was before the needle, with what was known on its day: earlier
sessions, side effects that had begun and were not of this session, ends and stops that had come. A
medication's stop counts from its date on, one that is known in part from the first day it may be.
What must be acknowledged is taken as acknowledged, so `no_vasodilator` speaks once per series.

What asks for a fact is not told, for finished sheets cannot answer. `replay` tells what stops or must
be acknowledged, from a folder, without a database, under the shipped protocols; `play` tells what
informs too, of any rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.reading import read_path
from sessions_app.datasheets.values import parse_value
from stsclinic.clinical.alerts import alerts_of
from stsclinic.clinical.dates import PartialDate
from stsclinic.clinical.facts import (
    EarlierSeries,
    Facts,
    InjectionFacts,
    MedicationFacts,
    PatientFacts,
    PreviousInfusion,
    PreviousInjection,
    PreviousVisit,
    SeriesFacts,
    SessionFacts,
    SideEffectFacts,
    SizeFacts,
)
from stsclinic.clinical.protocols import SHIPPED, ProtocolDefinition
from stsclinic.clinical.tolerance import with_grades

_PROTOCOLS = {definition.code: definition for definition in SHIPPED}

_SESSION = ("series_no", "session_no")

Values = dict[str, Any]
"""One row of a sheet: its typed values by column."""

Sheets = Mapping[str, list[Values]]
Key = tuple[Any, ...]
ProtocolOf = Callable[[Values], ProtocolDefinition]


class SheetsRefused(Exception):
    """The sheets cannot be read, or hold a protocol that is not shipped."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """One alert that would have spoken at one session."""

    patient_id: str
    held_on: date
    series_no: int
    session_no: int
    code: str
    level: str
    reason: str
    lesion_id: str = ""
    betrays_allocation: bool = False

    @property
    def line(self) -> str:
        """As one line: the six values separated by tabs, the date in ISO 8601."""
        words = " ".join(self.reason.split())
        return "\t".join(
            (
                self.patient_id,
                self.held_on.isoformat(),
                str(self.series_no),
                str(self.session_no),
                self.code,
                words,
            )
        )


def replay(folder: Path) -> list[Spoken]:
    """All alerts of a folder of data sheets under the shipped protocols.

    Raises:
        SheetsRefused: the sheets cannot be read, or a protocol is not shipped.
    """
    spoken = play(_read(folder), lambda series: _PROTOCOLS[series["protocol"]])
    return [alert for alert in spoken if alert.level != "inform"]


def play(sheets: Sheets, protocol_of: ProtocolOf) -> list[Spoken]:
    """All alerts of these sheets, by patient_id, then in the order of the days.

    Args:
        sheets: the typed rows of each sheet by its name; all eleven names are there.
        protocol_of: the protocol of a row of the sheet `series`.
    """
    found: list[Spoken] = []
    by_patient = {name: _grouped(rows, "patient_id") for name, rows in sheets.items()}
    for (patient_id,), (patient,) in sorted(by_patient["patients"].items()):
        own = {name: rows[patient_id,] for name, rows in by_patient.items()}
        found += _spoken(
            _Course(
                patient=patient,
                medications=own["medications"],
                lesions={row["lesion_id"]: row for row in own["lesions"]},
                series={row["series_no"]: row for row in own["series"]},
                protocols={row["series_no"]: protocol_of(row) for row in own["series"]},
                sessions=own["sessions"],
                session_lesions=_grouped(own["session_lesions"], *_SESSION),
                injections=_grouped(own["injections"], *_SESSION),
                infusions=_grouped(own["infusions"], *_SESSION),
                side_effects=own["side_effects"],
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class _Course:
    """Everything of one patient; what belongs to sessions by their keys."""

    patient: Values
    medications: list[Values]
    lesions: dict[str, Values]
    series: dict[int, Values]
    protocols: dict[int, ProtocolDefinition]
    sessions: list[Values]
    session_lesions: Mapping[Key, list[Values]]
    injections: Mapping[Key, list[Values]]
    infusions: Mapping[Key, list[Values]]
    side_effects: list[Values]


def _grouped(rows: list[Values], *columns: str) -> Mapping[Key, list[Values]]:
    """The rows by the values of these columns; nothing where there is none."""
    found: dict[Key, list[Values]] = defaultdict(list)
    for row in rows:
        found[tuple(row[column] for column in columns)].append(row)
    return found


def _read(folder: Path) -> dict[str, list[Values]]:
    """Every sheet's rows as typed values."""
    raw = read_path(folder)
    if raw.errors:
        raise SheetsRefused("; ".join(error.sentence for error in raw.errors))
    read: dict[str, list[Values]] = {name: [] for name in SHEETS}
    for name, sheet in raw.sheets.items():
        for _number, texts in sheet.rows:
            read[name].append(
                {
                    column.name: parse_value(column, texts.get(column.name) or "")
                    for column in SHEETS[name].columns
                }
            )
    unknown = {row["protocol"] for row in read["series"]} - set(_PROTOCOLS)
    if unknown:
        raise SheetsRefused(f"No protocol is shipped of the code {', '.join(sorted(unknown))}.")
    return read


def _spoken(course: _Course) -> Iterator[Spoken]:
    acknowledged: set[int] = set()
    in_order = sorted(course.sessions, key=lambda row: (row["held_on"], row["series_no"], row["session_no"]))
    for number, session in enumerate(in_order):
        series_no = session["series_no"]
        facts = _facts(course, in_order[:number], session, series_no in acknowledged)
        for alert in alerts_of(facts):
            if alert.level == "ask":
                continue
            if alert.code == "no_vasodilator":
                acknowledged.add(series_no)
            yield Spoken(
                patient_id=session["patient_id"],
                held_on=session["held_on"],
                series_no=series_no,
                session_no=session["session_no"],
                code=alert.code,
                level=alert.level,
                reason=alert.reason,
                lesion_id=alert.lesion_id,
                betrays_allocation=alert.betrays_allocation,
            )


def _facts(course: _Course, before: list[Values], session: Values, is_acknowledged: bool) -> Facts:
    """What was known at a session, before the needle; `before` are the sessions held earlier."""
    on, series = session["held_on"], course.series[session["series_no"]]
    held = {_key(row): row["held_on"] for row in before}
    visits = _visits(course, before)
    treated = [visit.held_on for visit in visits[series["series_no"]] if visit.kind == "treatment"]
    effects = [row for row in course.side_effects if _is_known(row, held, on)]
    return Facts(
        protocol=course.protocols[series["series_no"]],
        session=SessionFacts(
            held_on=on,
            kind=session["kind"],
            injections=tuple(_injection(course, row) for row in course.injections[_key(session)]),
            infusion_g=next((row["dose_g"] for row in course.infusions[_key(session)]), None),
            ptga=session["ptga"],
            sizes=_sizes(course, session),
        ),
        patient=_patient(course.patient, on),
        series=SeriesFacts(
            high_concentration_approved_on=series["high_concentration_approved_on"],
            no_vasodilator_acknowledged=is_acknowledged,
            first_treatment_on=treated[0] if treated else None,
            previous_treatment_on=treated[-1] if treated else None,
        ),
        medications=tuple(_medications(course, on)),
        previous_injections=tuple(
            PreviousInjection(
                lesion_id=row["lesion_id"],
                given_on=held_on,
                concentration_mg_ml=row["concentration_mg_ml"],
                salt_form=row["salt_form"],
            )
            for key, held_on in held.items()
            for row in course.injections[key]
        ),
        previous_infusions=with_grades(
            [
                PreviousInfusion(given_on=held_on, dose_g=row["dose_g"], session=key)
                for key, held_on in held.items()
                for row in course.infusions[key]
                if row["series_no"] == series["series_no"]
            ],
            [
                (_key(row) if row["session_no"] else None, row["onset_on"], row["grade"])
                for row in effects
                if row["series_no"] in (series["series_no"], None)
            ],
        ),
        side_effects=tuple(_side_effect(row, on) for row in effects),
        previous_visits=tuple(visits[series["series_no"]]),
        earlier_series=_earlier_series(course, visits, series, on),
    )


def _key(row: Values) -> Key:
    """The session within the patient."""
    return tuple(row[column] for column in _SESSION)


def _is_known(effect: Values, held: dict[Key, date], on: date) -> bool:
    """Whether a side effect had begun, and is not of this or a later session."""
    is_of_earlier = effect["session_no"] is None or _key(effect) in held
    return effect["onset_on"] <= on and is_of_earlier


def _side_effect(row: Values, on: date) -> SideEffectFacts:
    """As it stood on that day: an end that had not come is not known, nor an outcome that came with it."""
    ended_later = row["resolved_on"] is not None and row["resolved_on"] > on
    return SideEffectFacts(
        term=row["term"],
        onset_on=row["onset_on"],
        lesion_id=row["lesion_id"],
        resolved_on=None if ended_later else row["resolved_on"],
        outcome="" if ended_later else row["outcome"],
    )


def _medications(course: _Course, on: date) -> Iterator[MedicationFacts]:
    for row in course.medications:
        started, stopped = (
            PartialDate.parse(row[name]) if row[name] else None for name in ("started_on", "stopped_on")
        )
        if started is not None and started.earliest > on:
            continue
        if stopped is not None and stopped.earliest > on:
            stopped = None
        yield MedicationFacts(name=row["name"], role=row["role"], started_on=started, stopped_on=stopped)


def _patient(row: Values, on: date) -> PatientFacts:
    withdrawn_on = row["withdrawn_on"]
    return PatientFacts(
        sex=row["sex"],
        birth_year=row["birth_year"],
        hypersensitivity=_yes_no(row["sts_hypersensitivity"]),
        pregnant=_yes_no(row["pregnant"]),
        breast_feeding=_yes_no(row["breast_feeding"]),
        raynaud=row["raynaud"],
        consented_on=row["consented_on"],
        withdrawn_on=withdrawn_on if withdrawn_on is not None and withdrawn_on <= on else None,
        lesion_count=row["lesion_count"],
        lesion_count_is_minimum=bool(row["lesion_count_is_minimum"]),
    )


def _yes_no(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]


def _injection(course: _Course, row: Values) -> InjectionFacts:
    lesion = course.lesions[row["lesion_id"]]
    return InjectionFacts(
        lesion_id=row["lesion_id"],
        body_site=lesion["body_site"],
        laterality=lesion["laterality"],
        agent=row["agent"],
        concentration_mg_ml=row["concentration_mg_ml"],
        volume_ml=row["volume_ml"],
        salt_form=row["salt_form"],
        lot_number=row["lot_number"],
    )


def _sizes(course: _Course, session: Values) -> tuple[SizeFacts, ...]:
    return tuple(
        SizeFacts(lesion_id=row["lesion_id"], longest_mm=row["longest_mm"], widest_mm=row["widest_mm"])
        for row in course.session_lesions[_key(session)]
    )


def _visits(course: _Course, before: list[Values]) -> dict[int, list[PreviousVisit]]:
    """The earlier sessions by series."""
    found: dict[int, list[PreviousVisit]] = defaultdict(list)
    for row in before:
        found[row["series_no"]].append(
            PreviousVisit(
                held_on=row["held_on"], kind=row["kind"], ptga=row["ptga"], sizes=_sizes(course, row)
            )
        )
    return found


def _earlier_series(
    course: _Course, visits: dict[int, list[PreviousVisit]], series: Values, on: date
) -> EarlierSeries | None:
    numbers = [
        number
        for number, row in course.series.items()
        if number < series["series_no"] and row["started_on"] <= on
    ]
    if not numbers:
        return None
    row = course.series[max(numbers)]
    return EarlierSeries(
        series_no=row["series_no"],
        protocol=course.protocols[row["series_no"]],
        sessions=tuple(visits[row["series_no"]]),
        stop_reason=row["stop_reason"],
    )
