"""What was injected: volumes, mg, syringes and concentrations by session, body site and outcome."""

from collections.abc import Sequence
from itertools import compress

from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.remission import OUTCOME
from stsclinic.clinical.terms import BODY_SITE
from stsclinic.reporting.injected import Groups, Injected, Part
from stsclinic.reporting.lesions import OUTCOMES
from stsclinic.reporting.records import InfusionRecord
from stsclinic.reporting.rows import SessionOf, behind
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Table

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
    "Where an allocation is closed, agent and concentration are left out: mg, mean mg and syringes are those of "
    "the other injections; how many are left out of them stands beside."
)
INFUSION_FOOTNOTE = "Infusions: the dose into a vein, in g, and its duration."


def dose_tables(report: Report, injected: Injected) -> list[Table]:
    found = [_doses(report, injected)]
    infused = [
        (SessionOf(course, session), session.infusion)
        for course in compress(report.chosen.courses, report.chosen.visits.has_infusion)
        for session in course.sessions
        if session.infusion
    ]
    if infused:
        found.append(_infusions(infused))
    return found


def _doses(report: Report, injected: Injected) -> Table:
    closed = (Column("closed", "Injections of a closed allocation", "count"),) if report.has_concealed else ()
    rows = Rows(
        (
            Column("by", "By", "code", labels=GROUPED_BY),
            Column("group", "Group"),
            Column("injections", "Injections", "count"),
            Column("sessions", "Sessions", "count"),
            Column("patients", "Patients", "count"),
            Column("volume_ml", "Volume", "number", "ml", 3),
            Column("median_volume_ml", "Median volume", "number", "ml", 3),
            Column("dose_mg", "Dose", "number", "mg", 1),
            Column(
                "mean_dose_mg",
                "Mean dose per session",
                "number",
                "mg",
                1,
                computed_from=("dose_mg", "sessions"),
            ),
            Column("syringes", "1 ml syringes", "whole"),
            *closed,
            Column("concentrations", "Concentrations (mg/ml)"),
        )
    )
    total = _add(rows, "all", "", injected.all)
    last = MOST_SESSIONS + 1
    treatments = {number: f"Treatment {number}" for number in range(1, last)}
    for by, labels, groups in (
        (
            "session",
            {**treatments, last: f"Treatment {last} and later", 0: "Another visit"},
            injected.by_treatment(last),
        ),
        ("site", {**BODY_SITE, "": "Not recorded"}, injected.by_site),
        ("outcome", {**OUTCOME, "": "Series not analysed"}, _by_outcome(report, injected)),
        ("concentration", {label: label for label in injected.by_label.names}, injected.by_label),
    ):
        parts = [(label, groups.part(name)) for name, label in labels.items()]
        numbers = [_add(rows, by, label, part) for label, part in parts if part and part.amounts.injections]
        for column in ("injections", "sessions", "patients"):
            rows.add_up(column, numbers, total)
    footnotes = (*FOOTNOTES, *((CLOSED_FOOTNOTE,) if report.has_concealed else ()))
    return rows.table("doses", "Doses injected", "doses", footnotes)


def _by_outcome(report: Report, injected: Injected) -> Groups:
    outcome = report.lesions.at(report.selection.horizon).outcome
    return injected.by_lesion((one.course for one in report.series), outcome, [*OUTCOMES, ""])


def _add(rows: Rows, by: str, label: str, part: Part) -> int:
    found = part.amounts
    with_closed = any(column.code == "closed" for column in rows.columns)
    return rows.add(
        (
            by,
            label,
            found.injections,
            found.sessions,
            found.patients,
            float(found.volume_ml) if found.injections else None,
            None if found.median_volume_ml is None else float(found.median_volume_ml),
            None if found.dose_mg is None else float(found.dose_mg),
            None if found.dose_mg is None else float(found.dose_mg / found.sessions_told),
            found.syringes,
            *((found.closed,) if with_closed else ()),
            ", ".join(show_decimal(one) for one in found.concentrations),
        ),
        part.injections_behind,
        by={
            "sessions": part.sessions_behind,
            "patients": part.patients_behind,
            "closed": part.closed_behind,
        },
    )


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
