"""What was injected: volumes, mg, syringes and concentrations by session, body site and outcome."""

import statistics
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from stsclinic.clinical.dosing import dose_mg, syringes
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.remission import OUTCOME
from stsclinic.clinical.terms import BODY_SITE
from stsclinic.reporting.records import InfusionRecord
from stsclinic.reporting.rows import InjectionOf, SessionOf, behind
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Sum, Table

GROUPED_BY = {
    "all": "All injections",
    "session": "Treatment of the series",
    "site": "Body site",
    "outcome": "Outcome of the lesion",
    "concentration": "Concentration",
}
MOST_SESSIONS = 8
"""Treatments of a series that have their own row; later ones share one."""

FOOTNOTES = (
    "Doses count every injection of the selection. mg are of sodium thiosulfate as labelled; saline adds none. "
    "Syringes are of 1 ml; one holds one solution and is not kept for the next session. Mean mg per session is "
    "over the sessions with such an injection.",
    "By outcome: injections into lesions of analysed series, by the lesion's outcome at the chosen horizon; "
    "other injections stand under “Series not analysed”.",
)
CLOSED_FOOTNOTE = (
    "Where an allocation is closed, agent and concentration are left out, so mg and syringes are not told for "
    "groups that hold such an injection."
)
INFUSION_FOOTNOTE = "Infusions: the dose into a vein, in g, and its duration."


def dose_tables(report: Report) -> list[Table]:
    injections = [
        InjectionOf(course, session, injection)
        for _, courses in report.chosen.patients
        for course in courses
        for session in course.sessions
        for injection in session.injections
    ]
    found = [_doses(report, injections)]
    infused = [
        (SessionOf(course, session), session.infusion)
        for _, courses in report.chosen.patients
        for course in courses
        for session in course.sessions
        if session.infusion
    ]
    if infused:
        found.append(_infusions(infused))
    return found


def _doses(report: Report, injections: Sequence[InjectionOf]) -> Table:
    rows = Rows(
        (
            Column("by", "By", "code", labels=GROUPED_BY),
            Column("group", "Group"),
            Column("injections", "Injections", "count"),
            Column("sessions", "Sessions", "count"),
            Column("patients", "Patients", "count"),
            Column("volume_ml", "Volume", "number", "ml", 2),
            Column("median_volume_ml", "Median volume", "number", "ml", 2),
            Column("dose_mg", "Dose", "number", "mg", 0),
            Column("mean_dose_mg", "Mean dose per session", "number", "mg", 1),
            Column("syringes", "1 ml syringes", "whole"),
            Column("concentrations", "Concentrations (mg/ml)"),
        )
    )
    total = _add(rows, "all", "", injections)
    for by, groups in (
        ("session", _by_session(injections)),
        ("site", _by_site(injections)),
        ("outcome", _by_outcome(report, injections)),
        ("concentration", _by_concentration(injections)),
    ):
        numbers = [_add(rows, by, label, group) for label, group in groups if group]
        rows.sums.append(Sum([(number, "injections") for number in numbers], (total, "injections")))
    footnotes = (*FOOTNOTES, *((CLOSED_FOOTNOTE,) if report.has_concealed else ()))
    return rows.table("doses", "Doses injected", "doses", footnotes)


def _add(rows: Rows, by: str, label: str, injections: Sequence[InjectionOf]) -> int:
    sessions: dict[tuple, SessionOf] = {}
    volumes: dict[tuple, dict[tuple, Decimal]] = {}
    patients = {}
    dose, closed = Decimal(0), False
    concentrations = set()
    for one in injections:
        series, injection = one.course.series, one.injection
        key = series.patient_id, series.series_no, one.session.session_no
        sessions.setdefault(key, SessionOf(one.course, one.session))
        patients[series.patient_id] = one.course.patient
        solution = injection.agent, injection.concentration_mg_ml
        held = volumes.setdefault(key, {})
        held[solution] = held.get(solution, Decimal(0)) + injection.volume_ml
        closed = closed or not injection.agent
        if injection.concentration_mg_ml is not None and injection.agent != "saline":
            dose += dose_mg(injection.concentration_mg_ml, injection.volume_ml)
            concentrations.add(injection.concentration_mg_ml)
    amounts = [one.injection.volume_ml for one in injections]
    return rows.add(
        (
            by,
            label,
            len(injections),
            len(sessions),
            len(patients),
            float(sum(amounts, Decimal(0))) if amounts else None,
            float(statistics.median(amounts)) if amounts else None,
            None if closed or not injections else float(dose),
            None if closed or not injections else float(dose / len(sessions)),
            None
            if closed or not injections
            else sum(syringes(volume) for held in volumes.values() for volume in held.values()),
            ", ".join(show_decimal(one) for one in sorted(concentrations)),
        ),
        behind("injections", injections),
        by={
            "sessions": behind("sessions", list(sessions.values())),
            "patients": behind("patients", list(patients.values())),
        },
    )


Groups = Iterable[tuple[str, Sequence[InjectionOf]]]


def _grouped(injections: Sequence[InjectionOf], key_of: Any) -> dict[Any, list[InjectionOf]]:
    found: dict[Any, list[InjectionOf]] = {}
    for one in injections:
        found.setdefault(key_of(one), []).append(one)
    return found


def _by_session(injections: Sequence[InjectionOf]) -> Groups:
    """By the number of the treatment within its series; 0 where it was given at another visit."""
    place: dict[int, int] = {}

    def number(one: InjectionOf) -> int:
        if id(one.session) not in place:
            for position, session in enumerate(one.course.sessions):
                place[id(session)] = 0
                if session.kind == "treatment":
                    place[id(session)] = 1 + sum(
                        earlier.kind == "treatment" for earlier in one.course.sessions[:position]
                    )
        return min(place[id(one.session)], MOST_SESSIONS + 1)

    found = _grouped(injections, number)
    for key in sorted(found, key=lambda key: key or MOST_SESSIONS + 2):
        label = f"Treatment {key}" if key <= MOST_SESSIONS else f"Treatment {MOST_SESSIONS + 1} and later"
        yield label if key else "Another visit", found[key]


def _by_site(injections: Sequence[InjectionOf]) -> Groups:
    found = _grouped(injections, lambda one: site_of(one))
    for site, label in (*BODY_SITE.items(), ("", "Not recorded")):
        yield label, found.get(site, [])


def site_of(one: InjectionOf) -> str:
    place = one.course.patient.lesions.get(one.injection.lesion_id)
    return place.body_site if place else ""


def _by_outcome(report: Report, injections: Sequence[InjectionOf]) -> Groups:
    horizon = report.selection.horizon
    outcomes = {
        (one.course.series.patient_id, one.course.series.series_no, lesion.lesion_id): lesion.by_horizon[
            horizon
        ].outcome
        for one in report.series
        for lesion in one.lesions
    }
    found = _grouped(
        injections,
        lambda one: outcomes.get(
            (one.course.series.patient_id, one.course.series.series_no, one.injection.lesion_id), ""
        ),
    )
    for outcome, label in (*OUTCOME.items(), ("", "Series not analysed")):
        yield label, found.get(outcome, [])


def _by_concentration(injections: Sequence[InjectionOf]) -> Groups:
    found = _grouped(injections, concentration_label)
    yield from sorted(found.items(), key=lambda pair: (not pair[0][0].isdigit(), len(pair[0]), pair[0]))


def concentration_label(one: InjectionOf) -> str:
    """`150 mg/ml`, the agent where it has none, or that the allocation is closed."""
    injection = one.injection
    if not injection.agent:
        return "Allocation closed"
    if injection.concentration_mg_ml is None or injection.agent == "saline":
        return "Saline"
    return f"{show_decimal(injection.concentration_mg_ml)} mg/ml"


def _infusions(infused: Sequence[tuple[SessionOf, InfusionRecord]]) -> Table:
    rows = Rows(
        (
            Column("dose_g", "Dose", "number", "g", 1),
            Column("duration_min", "Duration", "number", "min", 0),
            Column("infusions", "Infusions", "count"),
            Column("patients", "Patients", "count"),
            Column("total_g", "Total", "number", "g", 1),
        )
    )
    groups: dict[tuple, list[SessionOf]] = {}
    for session, infusion in infused:
        groups.setdefault((infusion.dose_g, infusion.duration_min), []).append(session)
    for (dose, minutes), sessions in sorted(groups.items()):
        patients = {one.course.series.patient_id: one.course.patient for one in sessions}
        rows.add(
            (float(dose), minutes, len(sessions), len(patients), float(dose * len(sessions))),
            behind("sessions", sessions),
            by={"patients": behind("patients", list(patients.values()))},
        )
    return rows.table("infusions", "Infusions", "doses", (INFUSION_FOOTNOTE,))
