"""The headline, and how sure it is: the same four numbers under other choices, side by side."""

from collections.abc import Iterable, Mapping
from typing import Any

from stsclinic.clinical.remission import HORIZON
from stsclinic.reporting.headline import (
    CHOICE,
    FOOTNOTES,
    MEASURE,
    SCALES_OF_HEADLINE,
    Estimate,
    Headline,
    under_other_choices,
)
from stsclinic.reporting.rows import LEVEL
from stsclinic.reporting.selection import UNIT
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Table
from stsclinic.reporting.tables.words import interval_columns

METHOD = {
    "t": "Student's t",
    "wilson": "Wilson",
    "bootstrap": "Bootstrap over patients",
    "wald": "Wald",
}

DECIMALS = 1
"""Of points and percents alike, as in the tables of the scores: the same number reads the same wherever it stands."""


def summary_tables(report: Report) -> list[Table]:
    """None without an analysed series: there is nothing to sum up."""
    if not report.series:
        return []
    chosen = report.selection
    found = under_other_choices(report.judged, chosen.horizon, chosen.unit)
    return [_headline(report, found["as_reported"]), *_how_sure(found)]


def _headline(report: Report, headline: Headline) -> Table:
    rows = Rows(
        (
            Column("measure", "Result", "code", labels=MEASURE),
            Column("unit", "Of", "code", labels=LEVEL),
            Column("n", "n", "count"),
            Column("points", "Points", "number", decimals=DECIMALS, computed_from=("n",)),
            Column("percent", "Share", "number", "%", DECIMALS, computed_from=("n",)),
            *interval_columns(DECIMALS, computed_from=("n",)),
            Column("p", "p", "p", computed_from=("n",)),
            Column("method", "Interval", "code", labels=METHOD),
        )
    )
    chosen = report.selection
    for measure, found in headline.items():
        if found is None:
            continue
        is_score = measure in SCALES_OF_HEADLINE
        value, low, high = _scaled(found, 1 if is_score else 100)
        points, percent = (value, None) if is_score else (None, value)
        rows.add(
            (measure, found.unit, found.n, points, percent, low, high, found.p, found.method),
            found.rows,
            by={"n": found.counted},
        )
    title = f"Headline: {UNIT[chosen.unit].lower()}, {HORIZON[chosen.horizon].lower()}"
    return rows.table("headline", title, "summary", FOOTNOTES[:2])


def _how_sure(found: Mapping[str, Headline]) -> Iterable[Table]:
    for code, title, measures in (
        ("how_sure_scores", "How sure: decrease of the scores under other choices", ("ptga", "phga")),
        ("how_sure_remission", "How sure: remission under other choices", ("complete", "any")),
    ):
        is_score = code == "how_sure_scores"
        rows = Rows(_choice_columns(is_score))
        for measure in measures:
            for choice in CHOICE:
                estimate = found[choice][measure]
                if estimate is None:
                    continue
                values: list[Any] = [measure, choice, estimate.unit, estimate.n]
                values += _scaled(estimate, 1 if is_score else 100)
                values += [estimate.p] if is_score else []
                values.append(estimate.problem or METHOD[estimate.method])
                rows.add(values, estimate.rows, by={"n": estimate.counted})
        yield rows.table(code, title, "summary", FOOTNOTES)


def _choice_columns(is_score: bool) -> Iterable[Column]:
    unit, needs = "" if is_score else "%", ("n",)
    yield Column("measure", "Result", "code", labels=MEASURE)
    yield Column("choice", "Choice", "code", labels=CHOICE)
    yield Column("unit", "Of", "code", labels=LEVEL)
    yield Column("n", "n", "count")
    yield Column("value", "Points" if is_score else "Share", "number", unit, DECIMALS, computed_from=needs)
    yield from interval_columns(DECIMALS, unit, needs)
    if is_score:
        yield Column("p", "p", "p", computed_from=needs)
    yield Column("method", "Interval")


def _scaled(found: Estimate, by: int) -> tuple[float | None, float | None, float | None]:
    values = (None if one is None else by * one for one in (found.value, found.low, found.high))
    value, low, high = values
    return value, low, high
