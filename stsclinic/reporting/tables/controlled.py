"""Controlled protocols: the arms, each subject, Table III as the paper prints it, and the paired tests."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from stsclinic.clinical.terms import ARM, BODY_SITE, LATERALITY
from stsclinic.reporting import controlled
from stsclinic.reporting.controlled import Controlled, ControlledLesion, as_float, pairs_of
from stsclinic.reporting.records import AssessmentRecord
from stsclinic.reporting.rows import Behind, LesionIn, SessionOf, Value, behind
from stsclinic.reporting.scores import Exact, describe, mean_interval, paired_t
from stsclinic.reporting.statistics.sign_flip import MOST_EXACT, sign_flip_p
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Table

COMPARED = {
    "size_baseline": "Size at baseline",
    "size_end": "Size at the end",
    "size_change_percent": "Change in size",
}

PAIRED = {
    "size_baseline": "Size at baseline (cm²)",
    "size_end": "Size at the end (cm²)",
    "size_change_percent": "Change in size (%)",
    "pga_change": "Change in PGA",
    "observer_pga_change": "Change in observer's PGA",
    "mean_pain": "Mean injection pain, VAS",
}

MEASURES = {
    "size_baseline": "Size at baseline (cm²)",
    "size_end": "Size at the end (cm²)",
    "size_change_percent": "Change in size (%)",
    "pga_baseline": "PGA at baseline",
    "pga_end": "PGA at the end",
    "observer_pga_baseline": "Observer's PGA at baseline",
    "observer_pga_end": "Observer's PGA at the end",
    "mean_pain": "Mean injection pain of the lesion, VAS",
}
MEANS_FOOTNOTE = (
    "Means over the lesions of an arm that have the value, with 95% intervals by Student's t; none with fewer than "
    "two or without variance. Pain is first averaged over the injections of each lesion, since those are not "
    "independent; the mean over all injections stands in the table of means."
)
TABLE_III_FOOTNOTE = (
    "Size reported as overall percentage change from baseline to the end. PGA: physician's global assessment, "
    "0 clear to 4 severe. As table III of report 001."
)
PERMUTATION_FOOTNOTE = (
    "Paired tests: active minus control, over the subjects that have both. Sign-flip p: the share of all ways "
    f"to exchange the arms within subjects that give a difference as large; exact up to {MOST_EXACT} subjects, "
    "above that of 100,000 drawn with a fixed seed. With n subjects it cannot be below 2 / 2ⁿ."
)


def controlled_tables(report: Report) -> list[Table]:
    found = report.controlled
    if found is None:
        return []
    return [
        _arms(found),
        _means(found),
        _tests(found),
        _paired(found),
        _table_iii(found),
        _subjects(found),
    ]


def _arm_column() -> Column:
    return Column("arm", "Arm", "code", labels=ARM, betrays_allocation=True)


def _arms(found: Controlled) -> Table:
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
    rows = Rows(columns)
    for arm, means in found.arms.items():
        lesions = [one for one in found.lesions if one.arm == arm]
        rows.add(
            tuple(arm if column.code == "arm" else means[column.code] for column in columns),
            _lesions_behind(lesions),
            by={column.code: _lesions_behind(lesions, column) for column in columns[2:]},
        )
    title = "Arms of the controlled protocol: means"
    return rows.table("controlled_arms", title, "controlled", controlled.FOOTNOTES)


def _subjects(found: Controlled) -> Table:
    columns = (
        Column("patient_id", "Subject"),
        Column("series_no", "Series", "whole"),
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
    return Table(
        "controlled_subjects",
        title,
        columns,
        rows,
        controlled.FOOTNOTES[:2],
        section="controlled",
        behind=lambda row, column: _assessed(found.lesions[row], column),
        is_individual=True,
    )


def _tests(found: Controlled) -> Table:
    columns = (
        Column("compared", "Compared", "code", labels=COMPARED),
        Column("t", "t", "number", decimals=2, betrays_allocation=True),
        Column("df", "df", "whole", betrays_allocation=True),
        Column("p", "p", "p", betrays_allocation=True),
    )
    none = {"t": None, "df": None, "p": None}
    rows = Rows(columns)
    for name in COMPARED:
        values = (name, *((found.tests[name] or none)[key] for key in none))
        rows.add(values, _pairs_behind(found, name))
    title = "Between the arms: paired t-test, active minus control"
    return rows.table("controlled_tests", title, "controlled", controlled.FOOTNOTES[2:3])


def _paired(found: Controlled) -> Table:
    """The difference between the arms with t and, beside it, the exact p of exchanging them."""
    rows = Rows(
        (
            Column("compared", "Compared", "code", labels=PAIRED),
            Column("n", "Subjects", "count", betrays_allocation=True),
            _mean("mean_difference", "Mean difference", "", 2),
            _mean("ci95_low", "95% CI from", "", 2),
            _mean("ci95_high", "95% CI to", "", 2),
            Column("t", "t", "number", decimals=2, betrays_allocation=True),
            Column("df", "df", "whole", betrays_allocation=True),
            Column("p_t", "p (t)", "p", betrays_allocation=True),
            Column("p_sign_flip", "p (sign-flip)", "p", betrays_allocation=True),
        )
    )
    for name in PAIRED:
        differences = [difference for _, _, difference in pairs_of(found.lesions, name)]
        test = paired_t([float(one) for one in differences]) if len(set(differences)) > 1 else {}
        mean = float(sum(differences, Fraction(0)) / len(differences)) if differences else None
        rows.add(
            (
                name,
                len(differences),
                mean,
                *_interval(differences),
                test.get("t"),
                test.get("df"),
                test.get("p"),
                sign_flip_p(differences),
            ),
            _pairs_behind(found, name),
        )
    title = "Between the arms: t and the sign-flip permutation test"
    return rows.table("controlled_paired", title, "controlled", (PERMUTATION_FOOTNOTE,))


def _interval(values: Sequence[Fraction | int]) -> tuple[float | None, float | None]:
    """The 95% interval of a mean, by Student's t."""
    told = describe(Exact.of(values))
    mean = None if told["mean"] is None else float(told["mean"])
    return mean_interval(told["n"], mean, told["sd"]) or (None, None)


def _means(found: Controlled) -> Table:
    """The means of the arms once more, each with how many lesions it is of and its interval."""
    rows = Rows(
        (
            Column("measure", "Measure", "code", labels=MEASURES),
            _arm_column(),
            Column("n", "Lesions", "count", betrays_allocation=True),
            _mean("mean", "Mean", "", 2),
            _mean("ci95_low", "95% CI from", "", 2),
            _mean("ci95_high", "95% CI to", "", 2),
        )
    )
    for name, label in MEASURES.items():
        for arm in found.arms:
            lesions = [one for one in found.lesions if one.arm == arm and getattr(one, name) is not None]
            values = [Fraction(getattr(one, name)) for one in lesions]
            mean = float(sum(values, Fraction(0)) / len(values)) if values else None
            column = Column(name, label, "number", decimals=2)
            rows.add((name, arm, len(values), mean, *_interval(values)), _lesions_behind(lesions, column))
    title = "Arms of the controlled protocol: means with their intervals"
    return rows.table("controlled_means", title, "controlled", (MEANS_FOOTNOTE,))


def _pairs_behind(found: Controlled, name: str) -> Behind:
    """The subjects, by their series."""
    return Behind("series", lambda: [active.course for active, _, _ in pairs_of(found.lesions, name)])


MEASURED = {"size_cm2_baseline": "size_baseline", "size_cm2_end": "size_end", "pain": "mean_pain"}
"""What of a lesion a column tells, where it has another name there."""


def _lesions_behind(lesions: Sequence[ControlledLesion], column: Column | None = None) -> Behind:
    """The lesions, with the value whose mean the column tells."""
    rows = [LesionIn(one.course, one.lesion_id) for one in lesions]
    if column is None:
        return behind("lesions", rows)
    name = MEASURED.get(column.code, column.code)
    of = {id(row): getattr(one, name) for row, one in zip(rows, lesions, strict=True)}
    label, decimals = f"{column.label}, of the lesion", column.decimals or 0
    return behind("lesions", rows, Value(label, lambda row: of[id(row)], column.unit, decimals))


ASSESSED: Mapping[str, tuple[str, Callable[[AssessmentRecord], float | None], str, int]] = {
    "observer": ("Observer's PGA", lambda seen: seen.observer_pga, "", 0),
    "pga": ("PGA", lambda seen: seen.pga, "", 0),
    "size": ("Size", lambda seen: as_float(controlled.size_cm2(seen)), "cm²", 3),
}
"""What of an assessment a number of one lesion tells, by the first of these words in the column's code."""


def _assessed(lesion: ControlledLesion, column: str) -> Behind | None:
    """The sessions that a number of one lesion is from: that of the baseline, of the end, or both for a change."""
    measure = next((name for name in ASSESSED if name in column), None)
    if measure is None:
        return None
    label, of, unit, decimals = ASSESSED[measure]
    sessions = [lesion.first, lesion.last]
    if not column.endswith(("_change", "_change_cm2", "_change_percent")):
        sessions = sessions[:1] if column.endswith("_baseline") else sessions[1:]
    value = Value(
        f"{label} of {lesion.lesion_id}",
        lambda row: of(row.session.assessments[lesion.lesion_id]),
        unit,
        decimals,
    )
    return behind("sessions", [SessionOf(lesion.course, one) for one in sessions], value)


def _table_iii(found: Controlled) -> Table:
    """One row for each subject: the treated lesion, then the control."""
    columns = [Column("subject", "Subject")]
    for arm, words in (("active", "Treatment lesion"), ("control", "Control lesion")):
        columns += [
            Column(f"{arm}_location", f"{words}: location", betrays_allocation=True),
            _score(f"{arm}_pga_baseline", "PGA score: baseline"),
            _score(f"{arm}_pga_end", "PGA score: end"),
            _score(f"{arm}_observer_baseline", "Independent observer score: baseline"),
            _score(f"{arm}_observer_end", "Independent observer score: end"),
            _mean(f"{arm}_size_change", "Change in size", "%", 0),
        ]
    subjects: dict[tuple[str, int], dict[str, ControlledLesion]] = {}
    for lesion in found.lesions:
        subjects.setdefault((lesion.patient_id, lesion.series_no), {}).setdefault(lesion.arm, lesion)
    rows = []
    for (patient_id, _), arms in subjects.items():
        row: list[Any] = [patient_id]
        for arm in ("active", "control"):
            row += _arm_cells(arms[arm]) if arm in arms else [None] * 6
        rows.append(tuple(row))

    every = list(subjects.values())

    def find(row: int, column: str) -> Behind | None:
        lesion = every[row].get(column.partition("_")[0])
        return None if lesion is None else _assessed(lesion, column)

    return Table(
        "table_iii",
        "Lesion characteristics and response to treatment (sodium thiosulfate) or control (saline) injection",
        tuple(columns),
        rows,
        (TABLE_III_FOOTNOTE,),
        section="controlled",
        behind=find,
        is_individual=True,
    )


def _arm_cells(lesion: ControlledLesion) -> list[Any]:
    return [
        _location(lesion),
        lesion.pga_baseline,
        lesion.pga_end,
        lesion.observer_pga_baseline,
        lesion.observer_pga_end,
        as_float(lesion.size_change_percent),
    ]


def _location(lesion: ControlledLesion) -> str:
    """`Left elbow, inferior aspect`."""
    place = lesion.course.patient.lesions.get(lesion.lesion_id)
    if place is None:
        return lesion.lesion_id
    site = BODY_SITE[place.body_site]
    if place.laterality:
        site = f"{LATERALITY[place.laterality]} {site[0].lower()}{site[1:]}"
    return f"{site}, {place.site_detail}" if place.site_detail else site


def _mean(code: str, label: str, unit: str, decimals: int) -> Column:
    return Column(code, label, "number", unit, decimals, betrays_allocation=True)


def _score(code: str, label: str) -> Column:
    return Column(code, label, "whole", betrays_allocation=True)
