"""Table 1: who was analysed, all together and by remission."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from operator import attrgetter
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
from stsclinic.reporting.injected import Injected
from stsclinic.reporting.lesions import OUTCOMES, outcome_numbers
from stsclinic.reporting.outcomes import LesionsOf, PatientOutcome, size_mm2
from stsclinic.reporting.records import PatientRecord
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


def characteristics_table(report: Report, injected: Injected) -> Table:
    return _Characteristics(report, injected).table()


class _Fact:
    """Something known of each of many: a value, of which many have an equal one.

    Args:
        different: the values; None: not known.
        number: the place of each one's value.
    """

    def __init__(self, different: Sequence[Any], number: Numbers):
        self.different, self.number = different, number

    @classmethod
    def of(cls, values: Iterable[Any]) -> "_Fact":
        import numpy as np

        values = list(values)
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        number = np.fromiter(map(places.__getitem__, values), dtype=np.int64, count=len(values))
        return cls(list(places), number)

    def values(self) -> list[Any]:
        """The value of each."""
        return [self.different[number] for number in self.number.tolist()]

    def where(self, wanted: Callable[[Any], bool]) -> Numbers:
        """True or false for each."""
        import numpy as np

        return np.array([wanted(value) for value in self.different], dtype=bool)[self.number]


class _Level:
    """The patients or the lesions, each with the outcome of its patient: a place in OUTCOMES."""

    def __init__(self, name: str, rows: Sequence[Any], outcome: Numbers):
        import numpy as np

        self.name, self.rows, self.outcome = name, rows, outcome
        counts = np.bincount(outcome, minlength=len(OUTCOMES)).tolist()
        self.groups = {"overall": len(rows), **dict(zip(OUTCOMES, counts, strict=True))}
        """How many there are, by group."""

    def those(self, group: str, inside: Numbers) -> Numbers:
        """Which of a group are inside."""
        return inside if group == "overall" else inside & (self.outcome == OUTCOMES.index(group))

    def behind(self, group: str, is_in: Callable[[], Numbers], value: Value | None = None) -> Behind:
        """Those of a group that are in."""
        return Behind(
            self.name,
            lambda: [self.rows[place] for place in self.those(group, is_in()).nonzero()[0].tolist()],
            value,
        )


class _Characteristics:
    """Collects the rows; each cell knows its patients or lesions."""

    def __init__(self, report: Report, injected: Injected):
        import numpy as np

        horizon = report.selection.horizon
        self.words = HORIZON[horizon].lower()
        self.report, self.injected, self.judged = report, injected, report.patients
        self.days = _first_days(report)
        outcome = outcome_numbers(one.outcomes[horizon] for one in self.judged)
        self.patients = _Level("patients", [one.patient for one in self.judged], outcome)
        patient_of = np.repeat(np.arange(len(self.judged)), [len(one.series) for one in self.judged])
        of_lesion = outcome[patient_of[report.lesions.series]]
        self.lesions = _Level("lesions", LesionsOf(report.series), of_lesion)
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
        self._spread("Age at first treatment", "years", self.patients, self._on_first_day(age_on))
        self._shares("Sex", SEX, self.patients, self._of_patients(lambda one: (one.sex,)), patients)
        diagnoses = self._of_patients(lambda one: (one.diagnosis,))
        self._shares("Diagnosis", DIAGNOSIS, self.patients, diagnoses, patients)
        durations = self._on_first_day(lambda one, day: years_since_onset(one.lesions.values(), day))
        self._spread("Duration since the first lesion", "years", self.patients, durations)
        numbers = self._of_patients(lambda one: one.lesion_count)
        self._spread("Lesions of the patient", "", self.patients, numbers)
        self._lesion_rows()
        ulcers = _Fact.of(("yes" if one.had_ulcer else "no",) for one in self.judged)
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
        roles = self._on_first_day(_roles_taken)
        self._shares("Medication", MEDICATION_ROLE | {"": "None recorded"}, self.patients, roles)
        title = f"Characteristics of the analysed patients, by remission ({self.words})"
        return self.rows.table("characteristics", title, "patients", FOOTNOTES)

    def _of_patients(self, fact: Callable[[PatientRecord], Any]) -> _Fact:
        return _Fact.of(fact(one.patient) for one in self.judged)

    def _on_first_day(self, fact: Callable[[PatientRecord, date], Any]) -> _Fact:
        return _Fact.of(map(fact, self.patients.rows, self.days))

    def _lesion_rows(self) -> None:
        total = self._totals("Lesions treated", self.lesions)
        lesions, lesion = (
            self.injected.lesions,
            self.injected.lesions_of(one.course for one in self.report.series),
        )
        for name, labels, code_of in (
            ("Type of lesion", LESION_TYPE, attrgetter("lesion_type")),
            ("Subtype", SUBTYPE, attrgetter("subtype")),
            ("Body site", BODY_SITE, attrgetter("body_site")),
        ):
            fact = _Fact([(code_of(one) if one else "",) for one in lesions], lesion)
            self._shares(name, {**labels, "": "Not recorded"}, self.lesions, fact, total)
        judged = self.report.lesions
        # One without a baseline has the last of them.
        sizes = _Fact([*map(size_mm2, judged.kinds), None], judged.at("end_of_treatment").baseline)
        self._spread("Size, longest × widest", "mm²", self.lesions, sizes)

    def _totals(self, name: str, level: _Level) -> int:
        every = _Fact([True], level.outcome * 0)
        by = {group: level.behind(group, lambda: every.where(bool)) for group in level.groups}
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
        codes: _Fact,
        total: int | None = None,
    ) -> None:
        """One row for each code that occurs; where each member has one, they add up to the row `total`.

        Args:
            codes: those of each member of the level.
        """
        import numpy as np

        cell = codes.number * len(OUTCOMES) + level.outcome
        counts = np.bincount(cell, minlength=len(codes.different) * len(OUTCOMES)).reshape(-1, len(OUTCOMES))
        counted: dict[str, Numbers] = {}
        for its_codes, its_counts in zip(codes.different, counts, strict=True):
            for code in its_codes if its_counts.any() else ():
                counted[code] = counted.get(code, 0) + its_counts

        def has(code: str) -> Callable[[], Numbers]:
            return lambda: codes.where(lambda its_codes: code in its_codes)

        numbers = []
        for code, label in labels.items():
            if code in counted:
                found = [int(counted[code].sum()), *counted[code].tolist()]
                values = [Share(*one) for one in zip(found, level.groups.values(), strict=True)]
                by = {group: level.behind(group, has(code)) for group in level.groups}
                numbers.append(self.rows.add((name, label, *values), by=by))
                self._row_adds_up(numbers[-1])
        if total is not None:
            for group in level.groups:
                self.rows.sums.append(Sum([(number, group) for number in numbers], (total, group)))

    def _spread(self, name: str, unit: str, level: _Level, fact: _Fact) -> None:
        """Median and quartiles of what is known of the members of a level, with how many that are."""
        import numpy as np

        values = np.array(fact.different, dtype=float)[fact.number]
        there = ~np.isnan(values)
        if not there.any():
            return
        cells = [_spread(values[level.those(group, there)]) for group in level.groups]
        of_row = cache(lambda: dict(zip(map(id, level.rows), fact.values(), strict=True)))
        shown = Value(name, lambda row: of_row()[id(row)], unit, 1)

        def is_known() -> Numbers:
            return fact.where(lambda value: value is not None)

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
    days = _first_days(report)
    for kind, names_of in (("earlier", _names_tried), ("medication", names_taken_on)):
        found: dict[str, list[PatientOutcome]] = {}
        for one, day in zip(report.patients, days, strict=True):
            for name in names_of(one.patient, day):
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


def _names_tried(one: PatientRecord, _: date) -> set[str]:
    return {plain_name(record.treatment) for record in one.prior_treatments if record.treatment}


def _first_days(report: Report) -> list[date]:
    """The day of the first treatment in an analysed series, of each analysed patient."""
    import numpy as np

    place = np.fromiter((one.course.place for one in report.series), dtype=np.int64)
    counts = np.array([len(one.series) for one in report.patients], dtype=np.int64)
    days = np.array(report.chosen.visits.treatment_days[0], dtype=np.int64)[place]
    first = np.minimum.reduceat(days, np.cumsum(counts) - counts) if len(days) else days
    return list(map(date.fromordinal, first.tolist()))


def _best_response(one: PatientRecord) -> str:
    tried = {record.response for record in one.prior_treatments}
    return next((response for response in BEST_RESPONSE if response in tried), "no")


def _roles_taken(one: PatientRecord, day: date) -> Codes:
    return tuple({record.role for record in taken_on(one, day)}) or ("",)


def _spread(values: Numbers) -> Spread | None:
    """Median and quartiles (inclusive method: of one value, itself)."""
    if not len(values):
        return None
    import numpy as np

    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return Spread(middle, low, high, len(values))
