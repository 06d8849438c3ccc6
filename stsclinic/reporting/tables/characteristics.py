"""Table 1: who was analysed, all together and by remission."""

import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from stsclinic.clinical.dates import PartialDate, age_by_year
from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.clinical.terms import (
    BODY_SITE,
    DIAGNOSIS,
    LESION_TYPE,
    MEDICATION_ROLE,
    RESPONSE,
    SEX,
    YES_NO,
)
from stsclinic.reporting.outcomes import LesionOutcome, PatientOutcome
from stsclinic.reporting.records import MedicationRecord
from stsclinic.reporting.rows import LesionOf, Value, behind
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

EARLIER = {"earlier": "Earlier treatment", "medication": "Medication at the first treatment"}
EARLIER_FOOTNOTES = (
    "By name: as typed, in small letters and without the dose. Patients; one with several counts in each row.",
)

BEST_RESPONSE = ("complete", "partial", "none", "unknown", "")


def characteristics_table(report: Report) -> Table:
    return _Characteristics(report).table()


class _Level:
    """The patients or the lesions, each with its group: the outcome of its patient."""

    def __init__(self, name: str, asked: Sequence[Any], rows: Sequence[Any], outcomes: Sequence[str]):
        self.name = name
        self.asked = asked
        """What the facts are asked of."""
        self.outcomes = outcomes
        self.groups = {"overall": rows} | {
            outcome: [one for one, of in zip(rows, outcomes, strict=True) if of == outcome]
            for outcome in OUTCOME
        }
        """What stands behind the numbers, by group."""

    def each(self) -> Iterable[tuple[Any, Any, str]]:
        """What is asked, what stands behind the number, and its outcome."""
        return zip(self.asked, self.groups["overall"], self.outcomes, strict=True)


class _Characteristics:
    """Collects the rows; each cell knows its patients or lesions."""

    def __init__(self, report: Report):
        horizon = report.selection.horizon
        self.words = HORIZON[horizon].lower()
        judged = report.patients
        self.patients = _Level(
            "patients", judged, [one.patient for one in judged], [one.outcomes[horizon] for one in judged]
        )
        lesions = [lesion for one in judged for series in one.series for lesion in series.lesions]
        outcomes = [one.outcomes[horizon] for one in judged for series in one.series for _ in series.lesions]
        self.lesions = _Level("lesions", lesions, lesions, outcomes)
        self.labels = {"overall": "Overall", **OUTCOME}
        self.rows = Rows(
            (
                Column("characteristic", "Characteristic"),
                Column("value", "Value"),
                *(Column(code, label, "figure") for code, label in self.labels.items()),
            )
        )

    def table(self) -> Table:
        patients = self._totals("Patients", self.patients)
        self._spread("Age at first treatment", "years", self.patients, _age)
        self._shares("Sex", SEX, self.patients, lambda one: (one.patient.sex,), patients)
        self._shares("Diagnosis", DIAGNOSIS, self.patients, lambda one: (one.patient.diagnosis,), patients)
        self._spread("Duration since the first lesion", "years", self.patients, _duration_years)
        self._spread("Lesions of the patient", "", self.patients, lambda one: one.patient.lesion_count)
        lesions = self._totals("Lesions treated", self.lesions)
        for name, labels, field in (
            ("Type of lesion", LESION_TYPE, "lesion_type"),
            ("Body site", BODY_SITE, "body_site"),
        ):
            self._shares(name, {**labels, "": "Not recorded"}, self.lesions, _place_fact(field), lesions)
        self._spread("Size, longest × widest", "mm²", self.lesions, _baseline_mm2)
        self._shares(
            "Ulcer at baseline",
            YES_NO,
            self.patients,
            lambda one: ("yes" if one.had_ulcer else "no",),
            patients,
        )
        responses = {code: RESPONSE.get(code, "Not recorded") for code in BEST_RESPONSE}
        self._shares(
            "Earlier treatment, best response",
            responses | {"no": "No earlier one"},
            self.patients,
            lambda one: (_best_response(one),),
            patients,
        )
        # Somebody may take drugs of several roles, so these do not add up.
        self._shares("Medication", MEDICATION_ROLE | {"": "None recorded"}, self.patients, _roles_taken)
        title = f"Characteristics of the analysed patients, by remission ({self.words})"
        return self.rows.table("characteristics", title, "patients", FOOTNOTES)

    def _totals(self, name: str, level: _Level) -> int:
        number = self.rows.add(
            (name, "n", *(len(one) for one in level.groups.values())),
            by={code: behind(level.name, one) for code, one in level.groups.items()},
        )
        self._row_adds_up(number)
        return number

    def _row_adds_up(self, number: int) -> None:
        self.rows.sums.append(Sum([(number, outcome) for outcome in OUTCOME], (number, "overall")))

    def _shares(
        self,
        name: str,
        labels: Mapping[str, str],
        level: _Level,
        codes_of: Callable[[Any], Codes],
        total: int | None = None,
    ) -> None:
        """One row for each code that occurs; where each member has one, they add up to the row `total`."""
        buckets: dict[str, dict[str, list[Any]]] = {
            group: {code: [] for code in labels} for group in level.groups
        }
        overall = buckets["overall"]
        for asked, row, outcome in level.each():
            for code in codes_of(asked):
                overall[code].append(row)
                buckets[outcome][code].append(row)
        numbers = []
        for code, label in labels.items():
            if overall[code]:
                values = [Share(len(buckets[group][code]), len(all_)) for group, all_ in level.groups.items()]
                by = {group: behind(level.name, buckets[group][code]) for group in level.groups}
                numbers.append(self.rows.add((name, label, *values), by=by))
                self._row_adds_up(numbers[-1])
        if total is not None:
            for group in level.groups:
                self.rows.sums.append(Sum([(number, group) for number in numbers], (total, group)))

    def _spread(self, name: str, unit: str, level: _Level, value_of: Callable[[Any], float | None]) -> None:
        """Median and quartiles of what is known, with how many that are."""
        values: dict[str, list[float]] = {group: [] for group in level.groups}
        known: dict[str, list[Any]] = {group: [] for group in level.groups}
        for asked, row, outcome in level.each():
            known_value = value_of(asked)
            if known_value is not None:
                for group in ("overall", outcome):
                    values[group].append(known_value)
                    known[group].append(row)
        if not values["overall"]:
            return
        cells = [_spread(one) for one in values.values()]
        counted = {id(row): value for row, value in zip(known["overall"], values["overall"], strict=True)}
        value = Value(name, lambda row: counted[id(row)], unit, 1)
        by = {group: behind(level.name, one, value) for group, one in known.items()}
        self.rows.add((name, f"median (quartiles), {unit}" if unit else "median (quartiles)", *cells), by=by)
        self._row_adds_up(
            self.rows.add((name, "known of", *(cell.n if cell else 0 for cell in cells)), by=by)
        )


def earlier_table(report: Report) -> Table | None:
    """Which treatments were tried before, and which drugs were taken, by their names; None without any."""
    horizon = report.selection.horizon
    rows = Rows(
        (
            Column("kind", "Kind", "code", labels=EARLIER),
            Column("name", "Name", is_free_text=True),
            Column("overall", "Overall", "count"),
            *(Column(code, label, "count") for code, label in OUTCOME.items()),
        )
    )
    for kind, names_of in (("earlier", _names_tried), ("medication", _names_taken)):
        found: dict[str, list[PatientOutcome]] = {}
        for one in report.patients:
            for name in names_of(one):
                found.setdefault(name, []).append(one)
        for name, people in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            groups = {"overall": people} | {
                code: [one for one in people if one.outcomes[horizon] == code] for code in OUTCOME
            }
            number = rows.add(
                (kind, name, *(len(group) for group in groups.values())),
                by={
                    code: behind("patients", [one.patient for one in group]) for code, group in groups.items()
                },
            )
            rows.add_up_row(number, list(OUTCOME), "overall")
    title = f"Earlier treatments and medication by name, by remission ({HORIZON[horizon].lower()})"
    return rows.table("earlier_treatments", title, "patients", EARLIER_FOOTNOTES) if rows.rows else None


def _names_tried(one: PatientOutcome) -> set[str]:
    return {_plain_name(record.treatment) for record in one.patient.prior_treatments if record.treatment}


def _names_taken(one: PatientOutcome) -> set[str]:
    return {_plain_name(record.name) for record in _taken(one) if record.name}


def _plain_name(text: str) -> str:
    """`Diltiazem 90 mg/day` is diltiazem: small letters, to the first digit."""
    words = re.split(r"\d", text.casefold().replace("_", " "))[0]
    return words.strip(" ,;(") or text.casefold()


def _place_fact(field: str) -> Callable[[LesionOf], Codes]:
    def code_of(one: LesionOf) -> Codes:
        place = one.course.patient.lesions.get(one.lesion_id)
        return (getattr(place, field) if place else "",)

    return code_of


def _age(one: PatientOutcome) -> float | None:
    born, first = one.patient.birth_year, _first_treatment(one)
    return None if born is None or born > first.year else age_by_year(born, first)


def _first_treatment(one: PatientOutcome) -> date:
    return min(series.course.first_treatment_on for series in one.series)


def _duration_years(one: PatientOutcome) -> float | None:
    """Years from the earliest recorded onset of a lesion, in the middle of what is known of it."""
    onsets = {lesion.onset_on for lesion in one.patient.lesions.values() if lesion.onset_on}
    if not onsets:
        return None
    known = [PartialDate.parse(onset) for onset in onsets]
    middles = [onset.earliest + (onset.latest - onset.earliest) / 2 for onset in known]
    days = (_first_treatment(one) - min(middles)).days
    return days / 365.25 if days >= 0 else None


def _best_response(one: PatientOutcome) -> str:
    tried = {record.response for record in one.patient.prior_treatments}
    return next((response for response in BEST_RESPONSE if response in tried), "no")


def _taken(one: PatientOutcome) -> list[MedicationRecord]:
    """The drugs that were, or may have been, taken on the day of the first treatment."""
    day = _first_treatment(one)
    return [
        record
        for record in one.patient.medications
        if (not record.started_on or PartialDate.parse(record.started_on).earliest <= day)
        and (not record.stopped_on or PartialDate.parse(record.stopped_on).latest >= day)
    ]


def _roles_taken(one: PatientOutcome) -> Codes:
    return {record.role for record in _taken(one)} or ("",)


def _baseline_mm2(one: LesionOutcome) -> float | None:
    return one.at_treatments.mm2()[0]


def _spread(values: Sequence[float]) -> Spread | None:
    """Median and quartiles (inclusive method: of one value, itself)."""
    if not values:
        return None
    if len(values) == 1:
        one = float(values[0])
        return Spread(one, one, one, 1)
    low, middle, high = map(float, statistics.quantiles(values, n=4, method="inclusive"))
    return Spread(middle, low, high, len(values))
