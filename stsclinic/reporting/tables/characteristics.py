"""Table 1: who was analysed, all together and by remission."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import repeat
from typing import Any

from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.clinical.terms import (
    BODY_SITE,
    DIAGNOSIS,
    LESION_TYPE,
    MEDICATION_ROLE,
    RESPONSE,
    SEX,
    SUBTYPE,
    YES_NO,
)
from stsclinic.reporting.columns import Numbers
from stsclinic.reporting.outcomes import LesionsOf, PatientOutcome, size_mm2
from stsclinic.reporting.rows import Behind, Value, behind
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.facts import age_on, names_taken_on, plain_name, taken_on, years_since_onset
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

Codes = tuple[str, ...]

EARLIER = {"earlier": "Earlier treatment", "medication": "Medication at the first treatment"}
EARLIER_FOOTNOTES = (
    "By name: as typed, in small letters and without the dose. Patients; one with several counts in each row.",
)

BEST_RESPONSE = ("complete", "partial", "none", "unknown", "")


def characteristics_table(report: Report) -> Table:
    return _Characteristics(report).table()


class _Level:
    """The patients or the lesions, each with the outcome of its patient; a fact of them is a column."""

    def __init__(self, name: str, rows: Sequence[Any], outcomes: Sequence[str]):
        self.name, self.rows, self.outcomes = name, rows, outcomes
        counted = Counter(outcomes)
        self.groups = {"overall": len(rows)} | {outcome: counted[outcome] for outcome in OUTCOME}
        """How many there are, by group."""

    def behind(self, group: str, is_in: Callable[[], Iterable[bool]], value: Value | None = None) -> Behind:
        """Those of a group that are in."""
        return Behind(
            self.name,
            lambda: [
                row
                for row, outcome, wanted in zip(self.rows, self.outcomes, is_in(), strict=True)
                if wanted and group in ("overall", outcome)
            ],
            value,
        )


class _Characteristics:
    """Collects the rows; each cell knows its patients or lesions."""

    def __init__(self, report: Report):
        horizon = report.selection.horizon
        self.words = HORIZON[horizon].lower()
        self.report, self.judged = report, report.patients
        outcomes = [one.outcomes[horizon] for one in self.judged]
        self.patients = _Level("patients", [one.patient for one in self.judged], outcomes)
        each_lesion = [
            outcome
            for one, outcome in zip(self.judged, outcomes, strict=True)
            for series in one.series
            for outcome in repeat(outcome, len(series.course.series.lesions))
        ]
        self.lesions = _Level("lesions", LesionsOf(report.series), each_lesion)
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
        self._spread("Age at first treatment", "years", self.patients, self._of_patients(_age))
        self._shares("Sex", SEX, self.patients, self._of_patients(lambda one: (one.patient.sex,)), patients)
        diagnoses = self._of_patients(lambda one: (one.patient.diagnosis,))
        self._shares("Diagnosis", DIAGNOSIS, self.patients, diagnoses, patients)
        durations = self._of_patients(_duration_years)
        self._spread("Duration since the first lesion", "years", self.patients, durations)
        numbers = self._of_patients(lambda one: one.patient.lesion_count)
        self._spread("Lesions of the patient", "", self.patients, numbers)
        self._lesion_rows()
        ulcers = self._of_patients(lambda one: ("yes" if one.had_ulcer else "no",))
        self._shares("Ulcer at baseline", YES_NO, self.patients, ulcers, patients)
        responses = {code: RESPONSE.get(code, "Not recorded") for code in BEST_RESPONSE}
        self._shares(
            "Earlier treatment, best response",
            responses | {"no": "No earlier one"},
            self.patients,
            self._of_patients(lambda one: (_best_response(one),)),
            patients,
        )
        # Somebody may take drugs of several roles, so these do not add up.
        roles = self._of_patients(_roles_taken)
        self._shares("Medication", MEDICATION_ROLE | {"": "None recorded"}, self.patients, roles)
        title = f"Characteristics of the analysed patients, by remission ({self.words})"
        return self.rows.table("characteristics", title, "patients", FOOTNOTES)

    def _of_patients(self, fact: Callable[[PatientOutcome], Any]) -> list[Any]:
        return [fact(one) for one in self.judged]

    def _lesion_rows(self) -> None:
        total = self._totals("Lesions treated", self.lesions)
        places = [
            series.course.patient.lesions.get(lesion_id)
            for series in self.report.series
            for lesion_id in series.course.series.lesions
        ]
        one = cache(lambda code: (code,))
        types = [one(place.lesion_type if place else "") for place in places]
        subtypes = [one(place.subtype if place else "") for place in places]
        sites = [one(place.body_site if place else "") for place in places]
        for name, labels, codes in (
            ("Type of lesion", LESION_TYPE, types),
            ("Subtype", SUBTYPE, subtypes),
            ("Body site", BODY_SITE, sites),
        ):
            self._shares(name, {**labels, "": "Not recorded"}, self.lesions, codes, total)
        judged = self.report.lesions
        size_of = [*map(size_mm2, judged.kinds), None]
        sizes = [size_of[kind] for kind in judged.at["end_of_treatment"].baseline.tolist()]
        self._spread("Size, longest × widest", "mm²", self.lesions, sizes)

    def _totals(self, name: str, level: _Level) -> int:
        by = {group: level.behind(group, lambda: repeat(True, len(level.rows))) for group in level.groups}
        number = self.rows.add((name, "n", *level.groups.values()), by=by)
        self._row_adds_up(number)
        return number

    def _row_adds_up(self, number: int) -> None:
        self.rows.sums.append(Sum([(number, outcome) for outcome in OUTCOME], (number, "overall")))

    def _shares(
        self,
        name: str,
        labels: Mapping[str, str],
        level: _Level,
        codes: Sequence[Codes],
        total: int | None = None,
    ) -> None:
        """One row for each code that occurs; where each member has one, they add up to the row `total`.

        Args:
            codes: those of each member of the level.
        """
        counted: Counter[tuple[str, str]] = Counter()
        for (its_codes, outcome), times in Counter(zip(codes, level.outcomes, strict=True)).items():
            for code in its_codes:
                counted["overall", code] += times
                counted[outcome, code] += times

        def has(code: str) -> Callable[[], Iterable[bool]]:
            return lambda: (code in its_codes for its_codes in codes)

        numbers = []
        for code, label in labels.items():
            if counted["overall", code]:
                values = [Share(counted[group, code], all_) for group, all_ in level.groups.items()]
                by = {group: level.behind(group, has(code)) for group in level.groups}
                numbers.append(self.rows.add((name, label, *values), by=by))
                self._row_adds_up(numbers[-1])
        if total is not None:
            for group in level.groups:
                self.rows.sums.append(Sum([(number, group) for number in numbers], (total, group)))

    def _spread(self, name: str, unit: str, level: _Level, values: Sequence[float | None]) -> None:
        """Median and quartiles of what is known of the members of a level, with how many that are."""
        import numpy as np

        numbers, outcomes = np.array(values, dtype=float), np.array(level.outcomes, dtype=object)
        there = ~np.isnan(numbers)
        if not there.any():
            return
        cells = [
            _spread(numbers[there if group == "overall" else there & (outcomes == group)])
            for group in level.groups
        ]
        of_row = cache(lambda: {id(row): value for row, value in zip(level.rows, values, strict=True)})
        shown = Value(name, lambda row: of_row()[id(row)], unit, 1)

        def is_known() -> Iterable[bool]:
            return (value is not None for value in values)

        by = {group: level.behind(group, is_known, shown) for group in level.groups}
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
    return {plain_name(record.treatment) for record in one.patient.prior_treatments if record.treatment}


def _names_taken(one: PatientOutcome) -> set[str]:
    return names_taken_on(one.patient, _first_treatment(one))


def _age(one: PatientOutcome) -> float | None:
    return age_on(one.patient, _first_treatment(one))


def _first_treatment(one: PatientOutcome) -> date:
    return min(series.course.first_treatment_on for series in one.series)


def _duration_years(one: PatientOutcome) -> float | None:
    return years_since_onset(one.patient.lesions.values(), _first_treatment(one))


def _best_response(one: PatientOutcome) -> str:
    tried = {record.response for record in one.patient.prior_treatments}
    return next((response for response in BEST_RESPONSE if response in tried), "no")


def _roles_taken(one: PatientOutcome) -> Codes:
    return tuple({record.role for record in taken_on(one.patient, _first_treatment(one))}) or ("",)


def _spread(values: Numbers) -> Spread | None:
    """Median and quartiles (inclusive method: of one value, itself)."""
    if not len(values):
        return None
    import numpy as np

    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return Spread(middle, low, high, len(values))
