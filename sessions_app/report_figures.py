"""The report's figures, drawn from its tables: mean scores over the treatments, and remission as bars."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from stsclinic.charts import Column as ChartColumn
from stsclinic.charts import Line, LineChart, line_chart
from stsclinic.charts import Table as ChartTable
from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.reporting.scores import SCALES
from stsclinic.reporting.tables import Table, cell_text

SCALE_ENDS = (1, 10)
"""PtGA and PhGA."""

WIDTH, LABEL_END, BAR_START, BAR_END = 640, 178, 188, 560
"""Of the bars, in SVG units: the drawing, where the words end, and where the longest bar may reach."""
ROW, HEAD = 30, 34
"""Heights in SVG units."""


@dataclass(frozen=True)
class Bar:
    """One bar: its words, its count, and its place in SVG units."""

    label: str
    count: int
    share: str
    top: int
    middle: int
    width: int
    count_x: int


@dataclass(frozen=True)
class BarGroup:
    """The bars of one horizon under their heading."""

    label: str
    at: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Bars:
    """A bar figure ready to draw."""

    title: str
    description: str
    groups: tuple[BarGroup, ...]
    height: int
    width: int = WIDTH
    label_end: int = LABEL_END
    bar_start: int = BAR_START
    bar_height: int = ROW - 10


def score_chart(scores: Table) -> LineChart | None:
    """Mean PtGA and PhGA before each treatment and before the last, from the table `scores`."""
    index = {column.code: number for number, column in enumerate(scores.columns)}
    by_score = {
        scale: {row[index["time"]]: row for row in scores.rows if row[index["score"]] == scale}
        for scale in SCALES
    }
    times = list(dict.fromkeys(row[index["time"]] for row in scores.rows))
    if not times:
        return None

    def shown(row: Sequence[Any] | None, code: str) -> str:
        return cell_text(scores.columns[index[code]], row[index[code]] if row else None)

    def mean(scale: str, time: str) -> float | None:
        row = by_score[scale].get(time)
        return float(shown(row, "mean")) if row and row[index["mean"]] is not None else None

    chart = line_chart(
        [
            Line(name, [(x, mean(scale, time)) for x, time in enumerate(times, 1)])
            for scale, name in SCALES.items()
        ],
        title="Mean score before each treatment",
        x_label="Before treatment",
        y_label="Mean score, 1-10",
        description="Mean PtGA and PhGA of the analysed series; higher is worse.",
        y_range=SCALE_ENDS,
        x_words={x: time.removeprefix("before_") for x, time in enumerate(times, 1)},
        chart_id="chart-scores",
    )
    columns = [ChartColumn("Before treatment", "", "text")]
    for name in SCALES.values():
        columns += [ChartColumn(f"{name}, mean", "", "number"), ChartColumn(f"{name}, n", "", "count")]
    rows = tuple(
        (
            time.removeprefix("before_"),
            *(shown(by_score[scale].get(time), code) for scale in SCALES for code in ("mean", "n")),
        )
        for time in times
    )
    return replace(chart, table=ChartTable(chart.title, tuple(columns), rows))


def remission_bars(remission: Table) -> Bars | None:
    """Patients by outcome at each horizon, from the table `remission`. None without an analysed patient."""
    codes = [column.code for column in remission.columns]
    found = {
        row[codes.index("horizon")]: dict(zip(codes, row, strict=True))
        for row in remission.rows
        if row[codes.index("of")] == "by_patient"
    }
    total = max(sum(counts[outcome] for outcome in OUTCOME) for counts in found.values())
    if not total:
        return None
    groups, at = [], 0
    for horizon, counts in found.items():
        heading, at = at + 20, at + HEAD
        bars = []
        for outcome, label in OUTCOME.items():
            width = round((BAR_END - BAR_START) * counts[outcome] / total)
            share = f"{100 * counts[outcome] / total:.0f} %"
            bars.append(
                Bar(label, counts[outcome], share, at, at + (ROW - 10) // 2, width, BAR_START + width + 8)
            )
            at += ROW
        groups.append(BarGroup(HORIZON[horizon], heading, tuple(bars)))
        at += 8
    return Bars(
        title="Patients by remission",
        description=f"The outcome of {total} analysed patients, at follow-up and at the end of treatment.",
        groups=tuple(groups),
        height=at,
    )
