"""Table 1: who was analysed, all together and by remission."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from stsclinic.clinical.dates import PartialDate, age_by_year
from stsclinic.clinical.remission import HORIZON, OUTCOME, baseline_and_end
from stsclinic.clinical.terms import (
    BODY_SITE,
    DIAGNOSIS,
    LESION_TYPE,
    MEDICATION_ROLE,
    RESPONSE,
    SEX,
    YES_NO,
)
from stsclinic.reporting.outcomes import PatientOutcome
from stsclinic.reporting.rows import Behind, LesionOf, behind
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Share, Spread, Sum, Table

FOOTNOTES = (
    "Characteristics: numbers are n (%) of the patients or lesions with that fact recorded, or median "
    "(quartiles). Remission is that of the patient at the chosen horizon.",
    "Age at the first treatment by the year of birth. Duration: from the earliest recorded onset of a lesion "
    "to the first treatment, since the onset of the disease itself is not recorded; a year or a month counts "
    "from its middle.",
    "Lesions are those of the analysed series; size is longest × widest at the first treatment-session "
    "assessment as present. Lesions of a patient: as counted at enrolment, treated or not.",
    "Earlier treatments: recorded at any time, by the best response among them. Medication: taken at the "
    "first analysed treatment; one without dates counts as taken.",
)

Codes = Iterable[str]
Known = Callable[[Sequence[PatientOutcome]], Sequence[tuple[float, Any]]]

BEST_RESPONSE = ("complete", "partial", "none", "unknown", "")


def characteristics_table(report: Report) -> Table:
    return _Characteristics(report).table()


class _Characteristics:
    """Collects the rows; each cell knows its patients or lesions."""

    def __init__(self, report: Report):
        horizon = report.selection.horizon
        self.words = HORIZON[horizon].lower()
        self.groups: dict[str, list[PatientOutcome]] = {"overall": list(report.patients)} | {
            outcome: [one for one in report.patients if one.outcomes[horizon] == outcome]
            for outcome in OUTCOME
        }
        self.patients = {code: [one.patient for one in group] for code, group in self.groups.items()}
        self.lesions = {code: _lesions_of(group) for code, group in self.groups.items()}
        self.labels = {"overall": "Overall", **OUTCOME}
        self.rows = Rows(
            (
                Column("characteristic", "Characteristic"),
                Column("value", "Value"),
                *(Column(code, label, "figure") for code, label in self.labels.items()),
            )
        )

    def table(self) -> Table:
        patients = self._totals("Patients", "patients", self.patients)
        self._spread("Age at first treatment", "years", self._ages)
        self._patients_by("Sex", SEX, lambda one: [one.patient.sex], patients)
        self._patients_by("Diagnosis", DIAGNOSIS, lambda one: [one.patient.diagnosis], patients)
        self._spread("Duration since the first lesion", "years", self._durations)
        self._spread("Lesions of the patient", "", self._lesion_counts)
        lesions = self._totals("Lesions treated", "lesions", self.lesions)
        self._lesions_by("Type of lesion", LESION_TYPE, "lesion_type", lesions)
        self._lesions_by("Body site", BODY_SITE, "body_site", lesions)
        self._spread("Size, longest × widest", "mm²", self._sizes, level="lesions")
        self._patients_by(
            "Ulcer at baseline", YES_NO, lambda one: ["yes" if one.had_ulcer else "no"], patients
        )
        responses = {code: RESPONSE.get(code, "Not recorded") for code in BEST_RESPONSE}
        self._patients_by(
            "Earlier treatment, best response",
            responses | {"no": "No earlier one"},
            lambda one: [_best_response(one)],
            patients,
        )
        # Somebody may take drugs of several roles, so these do not add up.
        self._patients_by("Medication", MEDICATION_ROLE | {"": "None recorded"}, _roles_taken)
        title = f"Characteristics of the analysed patients, by remission ({self.words})"
        return self.rows.table("characteristics", title, "patients", FOOTNOTES)

    def _totals(self, name: str, level: str, members: Mapping[str, Sequence[Any]]) -> int:
        number = self.rows.add(
            (name, "n", *(len(one) for one in members.values())),
            by={code: behind(level, one) for code, one in members.items()},
        )
        self._row_adds_up(number)
        return number

    def _row_adds_up(self, number: int) -> None:
        self.rows.sums.append(Sum([(number, outcome) for outcome in OUTCOME], (number, "overall")))

    def _shares(
        self,
        name: str,
        level: str,
        labels: Mapping[str, str],
        members: Mapping[str, Sequence[Any]],
        codes: Callable[[str], Iterable[Codes]],
    ) -> list[int]:
        """One row for each code that occurs. `codes` gives those of each member of a group, in their order."""
        buckets: dict[str, dict[str, list[Any]]] = {}
        for group, ones in members.items():
            buckets[group] = {code: [] for code in labels}
            for one, found in zip(ones, codes(group), strict=True):
                for code in found:
                    buckets[group][code].append(one)
        numbers = []
        for code, label in labels.items():
            if buckets["overall"][code]:
                values = [Share(len(buckets[group][code]), len(members[group])) for group in members]
                by = {group: behind(level, buckets[group][code]) for group in members}
                numbers.append(self.rows.add((name, label, *values), by=by))
                self._row_adds_up(numbers[-1])
        return numbers

    def _columns_add_up(self, numbers: Sequence[int], total: int) -> None:
        for code in self.groups:
            self.rows.sums.append(Sum([(number, code) for number in numbers], (total, code)))

    def _patients_by(
        self,
        name: str,
        labels: Mapping[str, str],
        codes_of: Callable[[PatientOutcome], Codes],
        total: int | None = None,
    ) -> None:
        numbers = self._shares(
            name, "patients", labels, self.patients, lambda group: map(codes_of, self.groups[group])
        )
        if total is not None:
            self._columns_add_up(numbers, total)

    def _lesions_by(self, name: str, labels: Mapping[str, str], field: str, total: int) -> None:
        def code_of(one: LesionOf) -> Codes:
            place = one.course.patient.lesions.get(one.lesion_id)
            return (getattr(place, field) if place else "",)

        numbers = self._shares(
            name,
            "lesions",
            {**labels, "": "Not recorded"},
            self.lesions,
            lambda group: map(code_of, self.lesions[group]),
        )
        self._columns_add_up(numbers, total)

    def _spread(self, name: str, unit: str, values_of: Known, level: str = "patients") -> None:
        """Median and quartiles of what is known, with how many that are."""
        cells: list[Spread | None] = []
        by: dict[str, Behind] = {}
        for code, group in self.groups.items():
            known = values_of(group)
            cells.append(_spread([value for value, _ in known]))
            by[code] = behind(level, [one for _, one in known])
        if cells[0] is None:
            return
        self.rows.add((name, f"median (quartiles), {unit}" if unit else "median (quartiles)", *cells), by=by)
        self._row_adds_up(
            self.rows.add((name, "known of", *(cell.n if cell else 0 for cell in cells)), by=by)
        )

    def _ages(self, group: Sequence[PatientOutcome]) -> list[tuple[float, Any]]:
        return [
            (float(age_by_year(one.patient.birth_year, _first_treatment(one))), one.patient)
            for one in group
            if one.patient.birth_year is not None and one.patient.birth_year <= _first_treatment(one).year
        ]

    def _durations(self, group: Sequence[PatientOutcome]) -> list[tuple[float, Any]]:
        return [(years, one.patient) for one in group if (years := _duration_years(one)) is not None]

    def _lesion_counts(self, group: Sequence[PatientOutcome]) -> list[tuple[float, Any]]:
        return [
            (float(one.patient.lesion_count), one.patient)
            for one in group
            if one.patient.lesion_count is not None
        ]

    def _sizes(self, group: Sequence[PatientOutcome]) -> list[tuple[float, Any]]:
        return [(float(size), one) for one in _lesions_of(group) if (size := _baseline_mm2(one)) is not None]


def _lesions_of(group: Iterable[PatientOutcome]) -> list[LesionOf]:
    return [lesion for one in group for series in one.series for lesion in series.lesions]


def _first_treatment(one: PatientOutcome) -> date:
    return min(series.course.first_treatment_on for series in one.series)


def _duration_years(one: PatientOutcome) -> float | None:
    """Years from the earliest recorded onset of a lesion, in the middle of what is known of it."""
    known = [PartialDate.parse(lesion.onset_on) for lesion in one.patient.lesions.values() if lesion.onset_on]
    if not known:
        return None
    middles = [onset.earliest + (onset.latest - onset.earliest) / 2 for onset in known]
    days = (_first_treatment(one) - min(middles)).days
    return days / 365.25 if days >= 0 else None


def _best_response(one: PatientOutcome) -> str:
    tried = {record.response for record in one.patient.prior_treatments}
    return next((response for response in BEST_RESPONSE if response in tried), "no")


def _roles_taken(one: PatientOutcome) -> Codes:
    """The roles of the drugs that were, or may have been, taken on the day of the first treatment."""
    day = _first_treatment(one)
    taken = {
        record.role
        for record in one.patient.medications
        if (not record.started_on or PartialDate.parse(record.started_on).earliest <= day)
        and (not record.stopped_on or PartialDate.parse(record.stopped_on).latest >= day)
    }
    return taken or ("",)


def _baseline_mm2(one: LesionOf) -> Decimal | None:
    seen = [
        session.assessments[one.lesion_id]
        for session in one.course.treatments
        if one.lesion_id in session.assessments
    ]
    baseline, _end = baseline_and_end(seen)
    if baseline is None or baseline.longest_mm is None or baseline.widest_mm is None:
        return None
    return baseline.longest_mm * baseline.widest_mm


def _spread(values: Sequence[float]) -> Spread | None:
    """Median and quartiles (inclusive method: of one value, itself)."""
    if not values:
        return None
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high, len(values))
