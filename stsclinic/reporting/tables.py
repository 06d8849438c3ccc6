"""The report as readable tables, in the order in which it is read.

Page, CSV, XLSX and JSON render these same tables. Rows hold raw values (codes, numbers, dates,
None); a column says how its values read, and cell_text() writes one as people read it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stsclinic.clinical.remission import FOOTNOTES as REMISSION_FOOTNOTES
from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.clinical.terms import ARM, BODY_SITE, DIAGNOSIS, LATERALITY, SEX, SIDE_EFFECT_TERM
from stsclinic.reporting import controlled, outcomes, scores, selection
from stsclinic.reporting.controlled import Controlled, as_float
from stsclinic.reporting.disclosure import FOOTNOTE as CLOSED_FOOTNOTE
from stsclinic.reporting.outcomes import LesionOutcome, SeriesOutcome
from stsclinic.reporting.scores import SCALES
from stsclinic.reporting.selection import LEFT_OUT
from stsclinic.reporting.summary import Report
from stsclinic.reporting.words import day_words

NOTHING = "–"
"""What stands where there is no value."""

LEVELS = {"by_lesion": "Lesions", "by_series": "Series", "by_patient": "Patients"}

COHORT = {
    "patients_offered": "Patients offered treatment",
    "patients_treated": "Patients treated",
    "treatment_sessions": "Treatment sessions",
    "injections": "Injections",
    "lesions_per_session_min": "Fewest lesions injected in a session",
    "lesions_per_session_max": "Most lesions injected in a session",
    "series_analysed": "Series analysed",
    "patients_analysed": "Patients analysed",
}

ULCERS = {
    "patients_with_ulcer": "Patients with an ulcer at baseline",
    "patients_all_healed": "Patients with all ulcers healed",
}

COMPARED = {
    "size_baseline": "Size at baseline",
    "size_end": "Size at the end",
    "size_change_percent": "Change in size",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind`: text, code, count, number, p or date; `decimals` for display only.

    `labels` gives the words for a code; a code without words stands for itself.
    `betrays_allocation` marks what must not be shown while the allocation is closed.
    """

    code: str
    label: str
    kind: str = "text"
    unit: str = ""
    decimals: int | None = None
    labels: Mapping[str, str] | None = None
    betrays_allocation: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values align right."""
        return self.kind in ("count", "number", "p")

    @property
    def heading(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Table:
    """One table. Each row has one raw value for each column."""

    code: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    footnotes: Sequence[str] = ()

    @property
    def betrays_allocation(self) -> bool:
        """Whether any column shows what is hidden while the allocation is closed."""
        return any(column.betrays_allocation for column in self.columns)


def tables(report: Report) -> list[Table]:
    """All tables of a report. What the report does not know (a closed allocation) has no table or column."""
    found = [
        _cohort(report),
        _counts(
            "left_out_counts", "Series left out", "reason", "Reason", LEFT_OUT, report.cohort["left_out"]
        ),
        _counts(
            "analysed_by_sex", "Patients analysed by sex", "sex", "Sex", SEX, report.cohort["analysed_by_sex"]
        ),
        _counts(
            "analysed_by_diagnosis",
            "Patients analysed by diagnosis",
            "diagnosis",
            "Diagnosis",
            DIAGNOSIS,
            report.cohort["analysed_by_diagnosis"],
        ),
        _scores(report),
        _change(report),
        _remission(report),
        _ulcers(report),
        _side_effects(report),
    ]
    if report.controlled:
        found += [
            _controlled_arms(report.controlled),
            _controlled_subjects(report.controlled),
            _controlled_tests(report.controlled),
        ]
    return [*found, _patients(report), _series(report), _lesions(report), _left_out(report)]


def cell_text(column: Column, value: Any) -> str:
    """A raw value as people read it: words for codes, unambiguous dates, rounded numbers."""
    if value is None or value == "":
        return NOTHING
    if column.kind == "code":
        return (column.labels or {}).get(value, str(value))
    if column.kind == "date":
        return day_words(value)
    if column.kind == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    if column.kind == "number" and column.decimals is not None:
        text = f"{value:.{column.decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text
    return str(value)


def _cohort(report: Report) -> Table:
    cohort = dict(report.cohort)
    span = cohort["lesions_per_session"] or {"min": None, "max": None}
    cohort |= {"lesions_per_session_min": span["min"], "lesions_per_session_max": span["max"]}
    concealed = (CLOSED_FOOTNOTE,) if CLOSED_FOOTNOTE in report.footnotes else ()
    return _figures("cohort", "Cohort", COHORT, cohort, (*selection.FOOTNOTES, *concealed))


def _ulcers(report: Report) -> Table:
    return _figures("ulcers", "Ulcers", ULCERS, report.ulcers, outcomes.FOOTNOTES)


def _figures(
    code: str, title: str, labels: Mapping[str, str], values: Mapping[str, Any], footnotes: Sequence[str]
) -> Table:
    columns = (Column("figure", "Figure", "code", labels=labels), Column("value", "Value", "count"))
    return Table(code, title, columns, [(figure, values[figure]) for figure in labels], footnotes)


def _counts(
    code: str, title: str, key: str, label: str, labels: Mapping[str, str], counts: Mapping[str, int]
) -> Table:
    columns = (Column(key, label, "code", labels=labels), Column("n", "n", "count"))
    return Table(code, title, columns, list(counts.items()))


def _scores(report: Report) -> Table:
    columns = (
        Column("score", "Score", "code", labels=SCALES),
        Column("time", "Time", "code", labels=_time_labels(report)),
        Column("n", "n", "count"),
        Column("mean", "Mean", "number", decimals=1),
        Column("sd", "SD", "number", decimals=2),
        Column("median", "Median", "number", decimals=1),
    )
    rows = [
        (scale, one["time"], one["n"], one["mean"], one["sd"], one["median"])
        for scale in SCALES
        for one in report.scores[scale]
    ]
    return Table("scores", "Scores before each treatment", columns, rows, scores.FOOTNOTES[:1])


def _change(report: Report) -> Table:
    times = _time_labels(report)
    columns = (
        Column("score", "Score", "code", labels=SCALES),
        Column("from", "From", "code", labels=times),
        Column("to", "To", "code", labels=times),
        Column("n", "n", "count"),
        Column("mean_decrease", "Mean decrease", "number", decimals=1),
        Column("sd", "SD", "number", decimals=2),
        Column("median_decrease", "Median decrease", "number", decimals=1),
        Column("ci95_low", "95% CI from", "number", decimals=2),
        Column("ci95_high", "95% CI to", "number", decimals=2),
        Column("t", "t", "number", decimals=2),
        Column("df", "df", "count"),
        Column("p_t", "p (t)", "p"),
        Column("p_wilcoxon", "p (Wilcoxon)", "p"),
    )
    rows = []
    for scale in SCALES:
        for one in report.change[scale]:
            low, high = one["ci95"] or (None, None)
            whole = one | {"score": scale, "ci95_low": low, "ci95_high": high}
            rows.append(tuple(whole[column.code] for column in columns))
    return Table("change", "Decrease of the scores", columns, rows, scores.FOOTNOTES[1:])


def _remission(report: Report) -> Table:
    columns = (
        Column("horizon", "Horizon", "code", labels=HORIZON),
        Column("of", "Of", "code", labels=LEVELS),
        *(Column(outcome, label, "count") for outcome, label in OUTCOME.items()),
    )
    rows = [
        (horizon, level, *(report.remission[horizon][level][outcome] for outcome in OUTCOME))
        for horizon in reversed(HORIZON)
        for level in LEVELS
    ]
    return Table("remission", "Remission", columns, rows, REMISSION_FOOTNOTES)


def _side_effects(report: Report) -> Table:
    columns = (
        Column("term", "Side effect", "code", labels=SIDE_EFFECT_TERM),
        Column("events", "Events", "count"),
        Column("patients", "Patients", "count"),
    )
    rows = [(one["term"], one["events"], one["patients"]) for one in report.side_effects]
    return Table("side_effects", "Side effects", columns, rows)


def _arm_column() -> Column:
    return Column("arm", "Arm", "code", labels=ARM, betrays_allocation=True)


def _controlled_arms(found: Controlled) -> Table:
    columns = (
        _arm_column(),
        Column("n", "Lesions", "count", betrays_allocation=True),
        _mean("size_cm2_baseline", "Size at baseline", "cm²", 3),
        _mean("size_cm2_end", "Size at the end", "cm²", 3),
        _mean("size_change_percent", "Change in size", "%", 1),
        _mean("pga_baseline", "PGA at baseline", "", 2),
        _mean("pga_end", "PGA at the end", "", 2),
        _mean("observer_pga_baseline", "Observer's PGA at baseline", "", 2),
        _mean("observer_pga_end", "Observer's PGA at the end", "", 2),
        _mean("pain", "Injection pain, VAS", "", 1),
    )
    rows = [
        tuple(arm if column.code == "arm" else means[column.code] for column in columns)
        for arm, means in found.arms.items()
    ]
    return Table(
        "controlled_arms", "Arms of the controlled protocol: means", columns, rows, controlled.FOOTNOTES
    )


def _controlled_subjects(found: Controlled) -> Table:
    columns = (
        Column("patient_id", "Subject"),
        Column("series_no", "Series", "count"),
        Column("lesion_id", "Lesion"),
        _arm_column(),
        _mean("size_cm2_baseline", "Size at baseline", "cm²", 3),
        _mean("size_cm2_end", "Size at the end", "cm²", 3),
        _mean("size_change_cm2", "Change in size", "cm²", 3),
        _mean("size_change_percent", "Change in size", "%", 1),
        _score("pga_baseline", "PGA at baseline"),
        _score("pga_end", "PGA at the end"),
        _score("pga_change", "Change in PGA"),
        _score("observer_pga_baseline", "Observer's PGA at baseline"),
        _score("observer_pga_end", "Observer's PGA at the end"),
        _score("observer_pga_change", "Change in observer's PGA"),
    )
    rows = [
        (
            lesion.patient_id,
            lesion.series_no,
            lesion.lesion_id,
            lesion.arm,
            as_float(lesion.size_baseline),
            as_float(lesion.size_end),
            as_float(lesion.size_change),
            as_float(lesion.size_change_percent),
            lesion.pga_baseline,
            lesion.pga_end,
            lesion.pga_change,
            lesion.observer_pga_baseline,
            lesion.observer_pga_end,
            lesion.observer_pga_change,
        )
        for lesion in found.lesions
    ]
    title = "Subjects of the controlled protocol"
    return Table("controlled_subjects", title, columns, rows, controlled.FOOTNOTES[:2])


def _controlled_tests(found: Controlled) -> Table:
    columns = (
        Column("compared", "Compared", "code", labels=COMPARED),
        Column("t", "t", "number", decimals=2, betrays_allocation=True),
        Column("df", "df", "count", betrays_allocation=True),
        Column("p", "p", "p", betrays_allocation=True),
    )
    none = {"t": None, "df": None, "p": None}
    rows = [(name, *((found.tests[name] or none)[key] for key in none)) for name in COMPARED]
    title = "Between the arms: paired t-test, active minus control"
    return Table("controlled_tests", title, columns, rows, controlled.FOOTNOTES[2:3])


def _patients(report: Report) -> Table:
    columns = (
        Column("patient_id", "Patient"),
        Column("clinic", "Clinic"),
        Column("sex", "Sex", "code", labels=SEX),
        Column("diagnosis", "Diagnosis", "code", labels=DIAGNOSIS),
        Column("series_analysed", "Series analysed", "count"),
        *_judgement_columns("Decided by"),
    )
    rows = [
        (
            one.patient.patient_id,
            one.patient.clinic,
            one.patient.sex,
            one.patient.diagnosis,
            len(one.series),
            *_judgement_values(one.by_horizon),
        )
        for one in report.patients
    ]
    return Table("patients", "Every analysed patient", columns, rows, REMISSION_FOOTNOTES[3:])


def _series(report: Report) -> Table:
    columns = (
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "count"),
        Column("protocol", "Protocol"),
        _analysed_column(),
        Column("first_treatment_on", "First treatment", "date"),
        Column("last_treatment_on", "Last treatment", "date"),
        Column("treatments", "Treatments", "count"),
        Column("lesions", "Lesions", "count"),
        Column("ptga_first", "PtGA first", "count"),
        Column("ptga_last", "PtGA last", "count"),
        Column("phga_first", "PhGA first", "count"),
        Column("phga_last", "PhGA last", "count"),
        *_judgement_columns("Reason"),
    )
    return Table(
        "series",
        "Every series",
        columns,
        [_series_row(one) for one in _all_series(report)],
        REMISSION_FOOTNOTES,
    )


def _series_row(one: SeriesOutcome) -> tuple[Any, ...]:
    course = one.course
    first, last = (course.treatments[0], course.treatments[-1]) if course.treatments else (None, None)
    return (
        course.series.patient_id,
        course.series.series_no,
        course.series.protocol,
        one.verdict.reason or "analysed",
        first and first.held_on,
        last and last.held_on,
        len(course.treatments),
        len(one.lesions),
        first and first.ptga,
        last and last.ptga,
        first and first.phga,
        last and last.phga,
        *_judgement_values(one.by_horizon),
    )


def _lesions(report: Report) -> Table:
    rows = [(one, lesion) for one in _all_series(report) for lesion in one.lesions]
    columns = [
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "count"),
        Column("lesion_id", "Lesion"),
        _analysed_column(),
        Column("laterality", "Side", "code", labels=LATERALITY),
        Column("body_site", "Body site", "code", labels=BODY_SITE),
        Column("site_detail", "Detail"),
        Column("injections", "Injections", "count"),
        *_judgement_columns("Reason"),
    ]
    with_arm = any(lesion.arm for _, lesion in rows)
    if with_arm:
        columns.append(_arm_column())
    return Table(
        "lesions",
        "Every lesion of every series",
        columns,
        [_lesion_row(one, lesion, with_arm) for one, lesion in rows],
        REMISSION_FOOTNOTES,
    )


def _lesion_row(one: SeriesOutcome, lesion: LesionOutcome, with_arm: bool) -> tuple[Any, ...]:
    place = one.course.patient.lesions.get(lesion.lesion_id)
    return (
        one.course.series.patient_id,
        one.course.series.series_no,
        lesion.lesion_id,
        one.verdict.reason or "analysed",
        place.laterality if place else "",
        place.body_site if place else "",
        place.site_detail if place else "",
        lesion.injections,
        *_judgement_values(lesion.by_horizon),
        *((lesion.arm,) if with_arm else ()),
    )


def _left_out(report: Report) -> Table:
    columns = (
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "count"),
        Column("protocol", "Protocol"),
        Column("first_treatment_on", "First treatment", "date"),
        Column("treatments", "Treatments", "count"),
        Column("reason", "Left out", "code", labels=LEFT_OUT),
        Column("words", "Why"),
    )
    rows = [
        (
            one.course.series.patient_id,
            one.course.series.series_no,
            one.course.series.protocol,
            one.course.first_treatment_on if one.course.treatments else None,
            len(one.course.treatments),
            one.verdict.reason,
            one.verdict.words,
        )
        for one in report.left_out
    ]
    return Table("left_out", "Series left out, and why", columns, rows, selection.FOOTNOTES[1:])


def _all_series(report: Report) -> Sequence[SeriesOutcome]:
    """The analysed ones first: they are what the counts count."""
    return (*report.series, *report.left_out)


def _analysed_column() -> Column:
    return Column("analysed", "Analysed", "code", labels={"analysed": "Analysed", **LEFT_OUT})


def _mean(code: str, label: str, unit: str, decimals: int) -> Column:
    return Column(code, label, "number", unit, decimals, betrays_allocation=True)


def _score(code: str, label: str) -> Column:
    return Column(code, label, "count", betrays_allocation=True)


def _judgement_columns(why: str) -> Iterable[Column]:
    for horizon, label in HORIZON.items():
        yield Column(horizon, label, "code", labels=OUTCOME)
        yield Column(f"{horizon}_reason", f"{why}, {label.lower()}")


def _judgement_values(by_horizon: Mapping[str, Any]) -> Iterable[str]:
    for horizon in HORIZON:
        yield by_horizon[horizon].outcome
        yield by_horizon[horizon].words


def _time_labels(report: Report) -> Mapping[str, str]:
    return {one["time"]: _time_words(one["time"]) for scale in SCALES for one in report.scores[scale]}


def _time_words(time: str) -> str:
    return "Before the last" if time == "last" else f"Before treatment {time.removeprefix('before_')}"
