"""Remission by lesion, series and patient, with intervals; the time until a lesion is gone; ulcers."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from stsclinic.clinical.remission import FOOTNOTES as REMISSION_FOOTNOTES
from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.reporting import gone, outcomes
from stsclinic.reporting.gone import Followed, followed_lesions
from stsclinic.reporting.lesions import OUTCOMES, count_outcomes, outcome_numbers
from stsclinic.reporting.outcomes import PatientOutcome
from stsclinic.reporting.rows import Behind
from stsclinic.reporting.statistics.bootstrap import Interval, share_intervals
from stsclinic.reporting.statistics.survival import Step, time_to_gone
from stsclinic.reporting.statistics.wilson import wilson_interval
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Sum, Table
from stsclinic.reporting.tables.words import (
    LEVELS,
    WILSON_FOOTNOTE,
    interval_columns,
    share_columns,
    share_values,
)

ULCERS = {
    "patients_with_ulcer": "Patients with an ulcer at baseline",
    "patients_all_healed": "Patients with all ulcers healed",
}
METHOD = {"wilson": "Wilson", "bootstrap": "Bootstrap over patients"}
ANY = "any"
LEVEL_ROWS = {"by_lesion": "lesions", "by_series": "series", "by_patient": "patients"}

INTERVAL_FOOTNOTE = (
    "The 95% interval by patient is Wilson's; by series and lesion it is a bootstrap over patients (percentiles "
    "of 4000 draws, fixed seed), since those of one patient are not independent; it is not given where none or all have the outcome. Those not evaluable count in "
    "the denominator."
)
AFTER_FOOTNOTE = (
    "No share is given after the last day on which a lesion was followed, unless all are gone: what was not gone by "
    "then may have gone later."
)

INSIDE = {outcome: (outcome,) for outcome in OUTCOME} | {ANY: ("complete", "partial")}
"""The outcomes that a share counts."""

DAYS_OF_RISK = 28
"""How far apart the numbers at risk are told, in days."""


def remission_tables(report: Report) -> list[Table]:
    followed = followed_lesions(report)
    steps = time_to_gone(followed.patient, followed.days, followed.is_gone)
    return [
        _remission(report),
        _intervals(report),
        _gone_summary(report, followed, steps),
        _at_risk(followed, steps),
        _steps(report, followed, steps),
        _ulcers(report),
    ]


def _with_outcome(report: Report, horizon: str, level: str, *outcomes: str) -> Behind:
    def find() -> list:
        if level == "by_patient":
            return [one.patient for one in report.patients if one.outcomes[horizon] in outcomes]
        if level == "by_series":
            return [one.course for one in report.series if one.outcomes[horizon] in outcomes]
        return [
            lesion for one in report.series for lesion in one.lesions if lesion.outcomes[horizon] in outcomes
        ]

    return Behind(LEVEL_ROWS[level], find)


def _remission(report: Report) -> Table:
    rows = Rows(
        (
            Column("horizon", "Horizon", "code", labels=HORIZON),
            Column("of", "Of", "code", labels=LEVELS),
            *(Column(outcome, label, "count") for outcome, label in OUTCOME.items()),
        )
    )
    for horizon in reversed(HORIZON):
        for level in LEVELS:
            counts = report.remission[horizon][level]
            number = rows.add(
                (horizon, level, *(counts[outcome] for outcome in OUTCOME)),
                by={outcome: _with_outcome(report, horizon, level, outcome) for outcome in OUTCOME},
            )
            rows.sums.append(Sum([(number, outcome) for outcome in OUTCOME]))
    return rows.table("remission", "Remission", "remission", REMISSION_FOOTNOTES)


def _intervals(report: Report) -> Table:
    rows = Rows(
        (
            Column("horizon", "Horizon", "code", labels=HORIZON),
            Column("of", "Of", "code", labels=LEVELS),
            Column("outcome", "Outcome", "code", labels=OUTCOME | {ANY: "Complete or partial"}),
            Column("n", "n", "count"),
            Column("total", "Of", "count"),
            Column("percent", "Share", "number", "%", 1, computed_from=("n", "total")),
            *interval_columns(1, "%", ("n", "total")),
            Column("method", "Interval", "code", labels=METHOD),
        )
    )
    bootstrapped = _bootstrapped(report)
    for horizon in reversed(HORIZON):
        for level in LEVELS:
            counts = report.remission[horizon][level]
            total = sum(counts.values())
            numbers = {}
            for outcome, inside in INSIDE.items():
                count = sum(counts[one] for one in inside)
                if level == "by_patient":
                    found = wilson_interval(count, total)
                else:
                    found = bootstrapped[horizon, level][outcome]
                low, high = (None, None) if found is None else (100 * end for end in found)
                method = "wilson" if level == "by_patient" else "bootstrap"
                share = 100 * count / total if total else None
                numbers[outcome] = rows.add(
                    (horizon, level, outcome, count, total, share, low, high, method),
                    _with_outcome(report, horizon, level, *inside),
                    by={"total": _with_outcome(report, horizon, level, *OUTCOME)},
                )
            parts = [(numbers["complete"], "n"), (numbers["partial"], "n")]
            rows.sums.append(Sum(parts, (numbers[ANY], "n")))
            rows.sums.append(Sum([(numbers[one], "n") for one in OUTCOME], (numbers[ANY], "total")))
    return rows.table(
        "remission_intervals", "Remission with 95% intervals", "remission", (INTERVAL_FOOTNOTE,)
    )


def _bootstrapped(report: Report) -> dict[tuple[str, str], dict[str, Interval]]:
    """The intervals of the shares in INSIDE by horizon and level, of series and lesions."""
    import numpy as np

    each = np.arange(len(report.patients))
    patient_of = np.repeat(each, [len(one.series) for one in report.patients])
    tables = {}
    for horizon in HORIZON:
        tables[horizon, "by_lesion"] = report.lesions.counts(horizon, patient_of, len(each))
        outcome = outcome_numbers(one.outcomes[horizon] for one in report.series)
        tables[horizon, "by_series"] = count_outcomes(patient_of, outcome, len(each))
    inside = {name: [OUTCOMES.index(one) for one in those] for name, those in INSIDE.items()}
    return dict(zip(tables, share_intervals([*tables.values()], inside), strict=True))


def _steps(report: Report, followed: Followed, steps: Sequence[Step]) -> Table:
    rows = Rows(
        (
            Column("days", "Days", "whole"),
            Column("at_risk", "At risk", "count"),
            Column("gone", "Gone", "count"),
            Column("censored", "Censored", "count"),
            Column("percent_gone", "Gone by then", "number", "%", 1),
            *interval_columns(1, "%"),
        )
    )
    for step in steps:
        rows.add(
            (
                step.days,
                step.at_risk,
                step.gone,
                step.censored,
                100 * step.share_gone,
                *_ends(step),
            ),
            at_risk(followed, step.days),
            by={
                "gone": _ended(followed, is_gone=True, first=step.days, last=step.days),
                "censored": _ended(followed, is_gone=False, first=step.days, last=step.days),
            },
        )
    title = f"Time from a lesion's first injection to gone ({_horizon_words(report)}): each day with a change"
    return rows.table("time_to_gone", title, "remission", gone.FOOTNOTES, is_individual=True)


def _at_risk(followed: Followed, steps: Sequence[Step]) -> Table:
    """Every four weeks: how many are at risk, gone and censored by then, and the share gone."""
    import numpy as np

    rows = Rows(
        (
            Column("days", "Days", "whole"),
            Column("at_risk", "At risk", "count"),
            Column("gone", "Gone by then", "count"),
            Column("censored", "Censored by then", "count"),
            Column("percent_gone", "Share gone", "number", "%", 1),
            *interval_columns(1, "%"),
        )
    )
    days, gone_days = np.sort(followed.days), np.sort(followed.days[followed.is_gone])
    step_days = [step.days for step in steps]

    last = int(days.max(initial=-DAYS_OF_RISK))
    for day in range(0, last + DAYS_OF_RISK, DAYS_OF_RISK):
        gone_by_then = bisect_right(gone_days, day)
        position = bisect_right(step_days, day)
        step = steps[position - 1] if position else None
        share = 100 * step.share_gone if step else 0.0
        is_told = day <= last or share == 100
        rows.add(
            (
                day,
                len(days) - bisect_left(days, day),
                gone_by_then,
                bisect_right(days, day) - gone_by_then,
                *((share, *_ends(step)) if is_told else (None, None, None)),
            ),
            _ended(followed, is_gone=True, last=day),
            by={"at_risk": at_risk(followed, day), "censored": _ended(followed, is_gone=False, last=day)},
        )
    title = f"Numbers at risk every {DAYS_OF_RISK} days"
    return rows.table("at_risk", title, "remission", (*gone.FOOTNOTES, AFTER_FOOTNOTE), is_individual=True)


def at_risk(followed: Followed, day: int) -> Behind:
    """The lesions that are not yet gone and still followed just before a day."""
    return followed.behind(lambda: followed.days >= day)


def _ended(followed: Followed, *, is_gone: bool, last: int, first: int = 0) -> Behind:
    """The lesions that were gone, or last seen, from a day to another."""
    days = followed.days
    return followed.behind(lambda: (first <= days) & (days <= last) & (followed.is_gone == is_gone))


def _gone_summary(report: Report, followed: Followed, steps: Sequence[Step]) -> Table:
    def first_half(share_of: Callable[[Step], float | None]) -> int | None:
        return next((step.days for step in steps if (share_of(step) or 0) >= 0.5), None)

    # Where the ends of the curve's interval pass one half (Brookmeyer and Crowley).
    median = (
        first_half(lambda step: step.share_gone),
        first_half(lambda step: step.high),
        first_half(lambda step: step.low),
    )
    rows = Rows(
        (
            Column("lesions", "Lesions followed", "count"),
            Column("gone", "Gone", "count"),
            Column("censored", "Censored", "count"),
            Column("median_days", "Median time to gone", "number", "days", 0),
            *interval_columns(0, "days"),
        )
    )
    is_gone = followed.is_gone
    number = rows.add(
        (len(is_gone), int(is_gone.sum()), int((~is_gone).sum()), *median),
        at_risk(followed, 0),
        by={"gone": followed.behind(lambda: is_gone), "censored": followed.behind(lambda: ~is_gone)},
    )
    rows.sums.append(Sum([(number, "gone"), (number, "censored")], (number, "lesions")))
    title = f"Time from a lesion's first injection to gone ({_horizon_words(report)})"
    return rows.table("gone_summary", title, "remission", gone.FOOTNOTES)


def _ends(step: Step | None) -> tuple[float | None, float | None]:
    if step is None or step.low is None or step.high is None:
        return None, None
    return 100 * step.low, 100 * step.high


def _horizon_words(report: Report) -> str:
    return HORIZON[report.selection.horizon].lower()


def _ulcers(report: Report) -> Table:
    """How many had an ulcer, of those analysed, and how many of these had all healed."""

    def patients(is_in: Callable[[PatientOutcome], bool]) -> Behind:
        return Behind("patients", lambda: [one.patient for one in report.patients if is_in(one)])

    rows = Rows(
        (
            Column("figure", "Figure", "code", labels=ULCERS),
            Column("value", "Patients", "count"),
            *share_columns("value"),
        )
    )
    had, healed = report.ulcers["patients_with_ulcer"], report.ulcers["patients_all_healed"]
    with_ulcer = patients(lambda one: one.had_ulcer)
    for figure, inside, of, inside_behind, of_behind in (
        ("patients_with_ulcer", had, len(report.patients), with_ulcer, patients(lambda one: True)),
        ("patients_all_healed", healed, had, patients(lambda one: one.all_ulcers_healed), with_ulcer),
    ):
        rows.add((figure, inside, *share_values(inside, of)), inside_behind, by={"of": of_behind})
    return rows.table("ulcers", "Ulcers", "remission", (*outcomes.FOOTNOTES, WILSON_FOOTNOTE))
