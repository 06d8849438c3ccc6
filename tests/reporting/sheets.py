"""Data sheets as plain rows of text, and the registry that they hold. For tests."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

from stsclinic.reporting.records import (
    AssessmentRecord,
    InfusionRecord,
    InjectionRecord,
    LesionRecord,
    MedicationRecord,
    PatientRecord,
    PriorTreatmentRecord,
    Registry,
    SeriesRecord,
    SessionRecord,
    SideEffectRecord,
)

CASES = Path(__file__).resolve().parents[2] / "stsclinic" / "demo" / "cases"

SHEETS = (
    "patients",
    "medications",
    "prior_treatments",
    "lesions",
    "series",
    "series_lesions",
    "sessions",
    "session_lesions",
    "injections",
    "infusions",
    "side_effects",
)

PLANS = {
    "weekly4": (4, False),
    "placebo3": (3, True),
    "biweekly": (4, False),
    "longterm": (None, False),
    "iv": (None, False),
    "single": (1, False),
}
"""Planned treatments, and whether there are arms. `single` is a clinic's own, which plans one treatment."""


def read_case(name):
    """A case as {sheet: [row, ...]}, every value as it stands in the file."""
    sheets = {}
    for sheet in SHEETS:
        with (CASES / name / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
            sheets[sheet] = list(csv.DictReader(file))
    return sheets


def registry_of(sheets):
    """The records of the rows. Absent columns are empty."""
    patients = {}
    for row in sheets["patients"]:
        patients[row["patient_id"]] = PatientRecord(
            patient_id=row["patient_id"],
            clinic=row["clinic"],
            sex=row["sex"],
            diagnosis=row["diagnosis"],
            birth_year=_whole(row.get("birth_year")),
            offered_on=_day(row.get("offered_on")),
            not_enrolled_reason=row.get("not_enrolled_reason", ""),
            consented_on=_day(row.get("consented_on")),
            withdrawn_on=_day(row.get("withdrawn_on")),
            lesion_count=_whole(row.get("lesion_count")),
            disease_status=row.get("disease_status", ""),
            race=row.get("race", ""),
            ethnicity=row.get("ethnicity", ""),
            medications=[],
            prior_treatments=[],
            lesions={},
            series=[],
        )
    for row in sheets["lesions"]:
        patients[row["patient_id"]].lesions[row["lesion_id"]] = LesionRecord(
            row["lesion_id"],
            row["body_site"],
            row.get("laterality", ""),
            row.get("site_detail", ""),
            row.get("lesion_type", ""),
            row.get("subtype", ""),
            row.get("onset_on", ""),
        )
    for row in sorted(
        sheets.get("medications", ()),
        key=lambda one: (one["role"], one["started_on"], one["stopped_on"], one["name"]),
    ):
        patients[row["patient_id"]].medications.append(
            MedicationRecord(row["role"], row["started_on"], row["stopped_on"], row["name"])
        )
    for row in sorted(
        sheets.get("prior_treatments", ()), key=lambda one: (one["response"], one["treatment"])
    ):
        patients[row["patient_id"]].prior_treatments.append(
            PriorTreatmentRecord(row["response"], row["treatment"])
        )
    series, sessions = {}, {}
    for row in sheets["series"]:
        planned, is_controlled = PLANS[row["protocol"]]
        key = row["patient_id"], row["series_no"]
        series[key] = SeriesRecord(
            patient_id=row["patient_id"],
            series_no=int(row["series_no"]),
            protocol=row["protocol"],
            protocol_version=1,
            planned_treatments=planned,
            is_controlled=is_controlled,
            status=row["status"],
            stop_reason=row.get("stop_reason", ""),
            started_on=_day(row["started_on"]),
            lesions={},
            sessions=[],
        )
        patients[row["patient_id"]].series.append(series[key])
    for row in sheets["series_lesions"]:
        series[row["patient_id"], row["series_no"]].lesions[row["lesion_id"]] = row.get("arm", "")
    infusions = {
        _session_key(row): InfusionRecord(Decimal(row["dose_g"]), int(row["duration_min"]))
        for row in sheets["infusions"]
    }
    for row in sheets["sessions"]:
        key = _session_key(row)
        sessions[key] = SessionRecord(
            session_no=int(row["session_no"]),
            kind=row["kind"],
            held_on=_day(row["held_on"]),
            ptga=_whole(row.get("ptga")),
            phga=_whole(row.get("phga")),
            assessments={},
            injections=[],
            infusion=infusions.get(key),
        )
        series[key[:2]].sessions.append(sessions[key])
    for row in sheets["session_lesions"]:
        sessions[_session_key(row)].assessments[row["lesion_id"]] = AssessmentRecord(
            status=row["status"],
            longest_mm=_decimal(row.get("longest_mm")),
            widest_mm=_decimal(row.get("widest_mm")),
            ulcer=_yes_no(row.get("ulcer")),
            inflammation=_yes_no(row.get("inflammation")),
            pga=_whole(row.get("pga")),
            observer_pga=_whole(row.get("observer_pga")),
        )
    for row in sheets["injections"]:
        sessions[_session_key(row)].injections.append(
            InjectionRecord(
                lesion_id=row["lesion_id"],
                agent=row["agent"],
                concentration_mg_ml=_decimal(row.get("concentration_mg_ml")),
                volume_ml=Decimal(row["volume_ml"]),
                pain_vas=_decimal(row.get("pain_vas")),
            )
        )
    return Registry(
        patients=list(patients.values()),
        side_effects=[
            SideEffectRecord(
                patient_id=row["patient_id"],
                series_no=_whole(row.get("series_no")),
                session_no=_whole(row.get("session_no")),
                lesion_id=row.get("lesion_id", ""),
                term=row["term"],
                term_detail=row.get("term_detail", ""),
                grade=int(row["grade"]),
                onset_on=_day(row["onset_on"]),
                serious=_yes_no(row.get("serious")),
            )
            for row in sheets["side_effects"]
        ],
    )


def _session_key(row):
    return row["patient_id"], row["series_no"], row["session_no"]


def _day(text):
    return date.fromisoformat(text) if text else None


def _whole(text):
    return int(text) if text else None


def _decimal(text):
    return Decimal(text) if text else None


def _yes_no(text):
    return {"yes": True, "no": False}.get(text)
