"""The headline, and how sure it is: the same four numbers under other choices, side by side."""

from collections.abc import Iterable
from typing import Any

from stsclinic.clinical.remission import HORIZON
from stsclinic.reporting.headline import (
    CHOICE,
    FOOTNOTES,
    MEASURE,
    SCALES_OF_HEADLINE,
    Estimate,
    headline,
    under_other_choices,
)
from stsclinic.reporting.rows import LEVEL, Behind
from stsclinic.reporting.selection import UNIT
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Rows, Table
from stsclinic.reporting.tables.words import interval_columns

METHOD = {
    "t": "Student's t",
    "wilson": "Wilson",
    "bootstrap": "Bootstrap over patients",
    "": "",
}


def summary_tables(report: Report) -> list[Table]:
    return [_headline(report), *_how_sure(report)]


def _headline(report: Report) -> Table:
    rows = Rows(
        (
            Column("measure", "Result", "code", labels=MEASURE),
            Column("unit", "Of", "code", labels=LEVEL),
            Column("n", "n", "count"),
            Column("points", "Points", "number", decimals=2),
            Column("percent", "Share", "number", "%", 1),
            *interval_columns(2),
            Column("p", "p", "p"),
            Column("method", "Interval", "code", labels=METHOD),
        )
    )
    chosen = report.selection
    for measure, found in headline(report.series, chosen.horizon, chosen.unit).items():
        if found is None:
            continue
        is_score = measure in SCALES_OF_HEADLINE
        value, low, high = _scaled(found, 1 if is_score else 100)
        rows.add(
            (
                measure,
                found.unit,
                found.n,
                value if is_score else None,
                None if is_score else value,
                low,
                high,
                found.p,
                "t" if is_score else "wilson" if found.unit == "patients" else "bootstrap",
            ),
            found.rows,
            by={"n": found.counted},
        )
    title = f"Headline: {UNIT[chosen.unit].lower()}, {HORIZON[chosen.horizon].lower()}"
    return rows.table("headline", title, "summary", FOOTNOTES[:2])


def _how_sure(report: Report) -> Iterable[Table]:
    chosen = report.selection
    found = under_other_choices(
        report.series,
        report.left_out,
        [courses for _, courses in report.chosen.patients],
        chosen.horizon,
        chosen.unit,
    )
    for code, title, measures in (
        ("how_sure_scores", "How sure: decrease of the scores under other choices", ("ptga", "phga")),
        ("how_sure_remission", "How sure: remission under other choices", ("complete", "any")),
    ):
        is_score = code == "how_sure_scores"
        rows = Rows(_choice_columns(measures, is_score))
        for choice in CHOICE:
            estimates = [found[choice][measure] for measure in measures]
            if all(estimate is None for estimate in estimates):
                continue
            values: list[Any] = [choice]
            by: dict[str, Behind] = {}
            for measure, estimate in zip(measures, estimates, strict=True):
                assert estimate is not None
                values += [estimate.n, *_scaled(estimate, 1 if is_score else 100)]
                values += [estimate.p] if is_score else []
                columns = [column.code for column in rows.columns if column.code.startswith(f"{measure}_")]
                by |= dict.fromkeys(columns, estimate.rows) | {f"{measure}_n": estimate.counted}
            problems = dict.fromkeys(one.problem for one in estimates if one and one.problem)
            values.append(" ".join(problems))
            rows.add(values, by=by)
        yield rows.table(code, title, "summary", FOOTNOTES)


def _choice_columns(measures: Iterable[str], is_score: bool) -> Iterable[Column]:
    words = {"ptga": "PtGA", "phga": "PhGA", "complete": "Complete", "any": "Complete or partial"}
    unit, decimals = ("", 2) if is_score else ("%", 1)
    yield Column("choice", "Choice", "code", labels=CHOICE)
    for measure in measures:
        name = words[measure]
        yield Column(f"{measure}_n", f"{name}: n", "count")
        yield Column(f"{measure}_value", "mean decrease" if is_score else "share", "number", unit, decimals)
        yield Column(f"{measure}_low", "95% CI from", "number", unit, decimals)
        yield Column(f"{measure}_high", "95% CI to", "number", unit, decimals)
        if is_score:
            yield Column(f"{measure}_p", "p", "p")
    yield Column("problem", "Remark")


def _scaled(found: Estimate, by: int) -> tuple[float | None, float | None, float | None]:
    values = (None if one is None else by * one for one in (found.value, found.low, found.high))
    value, low, high = values
    return value, low, high
