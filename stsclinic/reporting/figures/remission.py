"""Remission of the patients as bars with intervals, and the time until lesions are gone."""

from collections.abc import Mapping

from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.drawing import Figure, Path, Text, line, rectangle, steps
from stsclinic.reporting.figures.plot import Plot, known
from stsclinic.reporting.tables import Table, cell_text

WIDTH = 640
BAR_START, BAR_END = 190, 520
ROW, HEAD = 26, 30


def remission_figure(tables: Mapping[str, Table]) -> Figure | None:
    """Patients by outcome at both horizons, each with its interval."""
    found = tables.get("remission_intervals")
    rows = (
        [
            row
            for row in found.as_dicts()
            if row["of"] == "by_patient" and row["total"] and row["outcome"] in OUTCOME
        ]
        if found
        else []
    )
    if found is None or not rows:
        return None
    columns = {column.code: column for column in found.columns}
    paths: list[Path] = []
    texts: list[Text] = []
    top, told = 0.0, []
    for horizon in dict.fromkeys(row["horizon"] for row in rows):
        texts.append(Text(0, top + 17, HORIZON[horizon], "strong"))
        top += HEAD
        for row in (one for one in rows if one["horizon"] == horizon):
            shown = {
                key: cell_text(columns[key], row[key]) for key in ("n", "percent", "ci95_low", "ci95_high")
            }
            middle = top + ROW / 2 - 2
            texts.append(Text(BAR_START - 10, middle + 4, OUTCOME[row["outcome"]], "text", "end"))
            percent, low, high = (known(row[key]) for key in ("percent", "ci95_low", "ci95_high"))
            end = float(BAR_START)
            if percent is not None:
                end = BAR_START + (BAR_END - BAR_START) * percent / 100
                words = f"{OUTCOME[row['outcome']]}: {shown['n']} ({shown['percent']} %)"
                paths.append(
                    Path(
                        rectangle(BAR_START, top + 3, max(end - BAR_START, 0.5), ROW - 10), "bar-soft", words
                    )
                )
            if low is not None and high is not None:
                x, far = (BAR_START + (BAR_END - BAR_START) * one / 100 for one in (low, high))
                paths.append(
                    Path(
                        f"{line([(x, middle), (far, middle)])}{line([(x, middle - 4), (x, middle + 4)])}"
                        f"{line([(far, middle - 4), (far, middle + 4)])}",
                        "whisker",
                    )
                )
                end = max(end, far)
            label = shown["n"] if percent is None else f"{shown['n']} ({shown['percent']} %)"
            texts.append(Text(end + 8, middle + 4, label))
            told.append(f"{HORIZON[horizon]}, {OUTCOME[row['outcome']].lower()}: {label}.")
            top += ROW
        top += 6
    paths.append(Path(line([(BAR_START, 0), (BAR_START, top - 6)]), "axis"))
    return Figure(
        code="remission",
        title="Patients by remission",
        description=" ".join(told),
        width=WIDTH,
        height=int(top),
        paths=paths,
        texts=texts,
        tables=("remission_intervals",),
        note="Share of the analysed patients with Wilson's 95% interval.",
    )


def gone_figure(tables: Mapping[str, Table]) -> Figure | None:
    """The share of lesions gone by each day, with its interval, and the numbers at risk below."""
    found, at_risk = tables.get("time_to_gone"), tables.get("at_risk")
    if found is None or at_risk is None or not found.rows:
        return None
    rows = found.as_dicts()
    grid = at_risk.as_dicts()
    last = max(grid[-1]["days"], 28)
    plot = Plot(left=70, right=620, top=22, bottom=220, x=(0, last), y=(0, 100))
    plot.heading("Lesions gone")
    plot.grid([(value, f"{value} %") for value in (0, 25, 50, 75, 100)])
    every = max(1, -(-len(grid) // 9))
    shown = grid[::every]
    plot.x_labels([(row["days"], str(row["days"])) for row in shown])
    plot.x_title("Days since the first injection of the lesion")
    _band(plot, rows)
    curve = [(plot.at_x(0), plot.at_y(0))]
    curve += [(plot.at_x(row["days"]), plot.at_y(row["percent_gone"])) for row in rows]
    plot.draw(steps(curve), "line-1")
    censored = "".join(
        line(
            [
                (plot.at_x(row["days"]), plot.at_y(row["percent_gone"]) - 4),
                (plot.at_x(row["days"]), plot.at_y(row["percent_gone"]) + 4),
            ]
        )
        for row in rows
        if row["censored"]
    )
    plot.draw(censored, "whisker")
    plot.texts.append(Text(4, plot.bottom + 52, "At risk", "small"))
    for row in shown:
        plot.texts.append(
            Text(plot.at_x(row["days"]), plot.bottom + 52, str(row["at_risk"]), "small", "middle")
        )
    told = f"Of {rows[0]['at_risk']} lesions followed, {sum(row['gone'] for row in rows)} were seen gone."
    by_then = [
        f"{row['percent_gone']:.0f} % by day {row['days']}"
        for row in shown[1:]
        if row["percent_gone"] is not None
    ]
    return Figure(
        code="time-to-gone",
        title=found.title.partition(":")[0],
        description=f"{told} Estimated share gone: {', '.join(by_then)}." if by_then else told,
        width=WIDTH,
        height=282,
        paths=plot.paths,
        texts=plot.texts,
        tables=("at_risk", "time_to_gone"),
        note="Kaplan-Meier: share of lesions gone, with the 95% interval; ticks: lesions last seen on that day.",
    )


def _band(plot: Plot, rows: list[dict]) -> None:
    ends = [(row["days"], known(row["ci95_low"]) or 0.0, known(row["ci95_high"]) or 0.0) for row in rows]
    if not any(high for _, _, high in ends):
        return
    upper, lower = [(plot.at_x(0), plot.at_y(0))], [(plot.at_x(0), plot.at_y(0))]
    for days, low, high in ends:
        x = plot.at_x(days)
        upper += [(x, upper[-1][1]), (x, plot.at_y(high))]
        lower += [(x, lower[-1][1]), (x, plot.at_y(low))]
    plot.draw(f"{line([*upper, *reversed(lower)])}z", "band")
