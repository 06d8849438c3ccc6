"""Scores over the treatments, the change of each series, sizes before and after, and each subject's line.

Source of the form: report 000, figure 1 (means over the treatments).
"""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10

from stsclinic.charts import ticks
from stsclinic.drawing import Figure, Text, circle, line, rectangle
from stsclinic.reporting.figures.plot import Plot, known
from stsclinic.reporting.scores import SCALES
from stsclinic.reporting.tables import Table

WIDTH = 640
PANELS = ((46, 306), (366, 626))
MOST_LINES = 2000
"""Different lines drawn; further ones would not be told apart."""
START, END = 0.1, 0.94
"""Where the line of a subject's lesion begins and ends, of the width of its plot."""
NAME = 11
"""The height of a subject's name."""
MOST_NAMES = 16
"""Subjects whose names have room beside the ends of their lines. Of more, the table tells who is who."""


def scores_figure(tables: Mapping[str, Table]) -> Figure | None:
    """Each series a thin line, the mean with its interval over them."""
    means = tables.get("scores")
    if means is None or not means.rows:
        return None
    times = list(dict.fromkeys(row["time"] for row in means.as_dicts()))
    lines = tables.get("score_lines")
    plots = []
    for (scale, name), (left, right), style in zip(SCALES.items(), PANELS, ("1", "2"), strict=True):
        plot = Plot(left=left, right=right, top=34, bottom=226, x=(0.6, len(times) + 0.4), y=(1, 10))
        plot.heading(name)
        plot.grid([(value, str(value)) for value in (1, 2, 4, 6, 8, 10)])
        plot.x_labels(_spaced(times))
        plot.x_title("Before treatment")
        if lines is not None:
            plot.draw(_thin_lines(plot, lines, scale, times), "thin")
        rows = [row for row in means.as_dicts() if row["score"] == scale]
        points: list[tuple[float, float] | None] = []
        for place, row in enumerate(rows, 1):
            mean, low, high = (known(row[key]) for key in ("mean", "ci95_low", "ci95_high"))
            if mean is None:
                points.append(None)
                continue
            x, y = plot.at_x(place), plot.at_y(mean)
            # The last treatment is not one more step: it is any of those before it.
            if row["time"] != "last":
                points.append((x, y))
            if low is not None and high is not None:
                top, bottom = plot.at_y(min(high, 10)), plot.at_y(max(low, 1))
                plot.draw(
                    f"{line([(x, top), (x, bottom)])}{line([(x - 4, top), (x + 4, top)])}"
                    f"{line([(x - 4, bottom), (x + 4, bottom)])}",
                    "whisker",
                )
        plot.draw(line(points), f"line-{style}")
        for place, row in enumerate(rows, 1):
            mean = known(row["mean"])
            if mean is not None:
                words = f"{name}, {row['time'].removeprefix('before_')}: {mean:.2f}"
                plot.draw(circle(plot.at_x(place), plot.at_y(mean), 3.4), f"mark-{style}", words)
        plots.append(plot)
    return _figure(
        "scores",
        "Scores before each treatment",
        "PtGA and PhGA of the analysed series before each treatment and before the last, with the mean and its "
        f"95% interval; higher is worse. {_told_means(means)}",
        270,
        plots,
        ("scores", "score_lines"),
        "Each series a thin line; mean with its 95% interval. The last treatment is any of those before it.",
    )


def _told_means(means: Table) -> str:
    firsts = [row for row in means.as_dicts() if row["time"] in ("before_1", "last")]
    return " ".join(
        f"Mean {SCALES[row['score']]} {'before the first treatment' if row['time'] == 'before_1' else 'before the last'}: "
        f"{known(row['mean']):.1f}."
        for row in firsts
        if known(row["mean"]) is not None
    )


def _spaced(times: Sequence[str]) -> list[tuple[float, str]]:
    """The numbers of the treatments, as many as fit, and the last."""
    step = max(1, -(-len(times) // 12))
    return [
        (place, time.removeprefix("before_"))
        for place, time in enumerate(times, 1)
        if time == "last" or (place - 1) % step == 0
    ]


def _thin_lines(plot: Plot, lines: Table, scale: str, times: Sequence[str]) -> str:
    found: dict[str, None] = {}
    for row in lines.as_dicts():
        if row["score"] != scale:
            continue
        points = [
            (plot.at_x(place), plot.at_y(row[time])) if row.get(time) is not None else None
            for place, time in enumerate(times, 1)
            if time != "last"
        ]
        found[line(points)] = None
        if len(found) == MOST_LINES:
            break
    return "".join(found)


def waterfall_figure(tables: Mapping[str, Table]) -> Figure | None:
    """The change of each series from the first to the last treatment, from worst to best."""
    lines = tables.get("score_lines")
    if lines is None or not lines.rows:
        return None
    plots, told = [], []
    for (scale, name), (left, right), style in zip(SCALES.items(), PANELS, ("1", "2"), strict=True):
        changes = sorted(
            (
                row["change"]
                for row in lines.as_dicts()
                if row["score"] == scale and row["change"] is not None
            ),
            reverse=True,
        )
        worst, best = max([1, *changes]), min([-1, *changes])
        step = ticks(best, worst)[1] - ticks(best, worst)[0]
        # Both ends stand on a line of the grid, so that the longest bars can be read off too.
        y = (floor(best / step) * step, ceil(worst / step) * step)
        plot = Plot(left=left, right=right, top=34, bottom=206, x=(0, max(1, len(changes))), y=y)
        plot.heading(f"Change of {name}, first to last treatment")
        plot.grid()
        width = plot.at_x(1) - plot.at_x(0)
        bars = []
        for place, change in enumerate(changes):
            top, bottom = plot.at_y(max(0, change)), plot.at_y(min(0, change))
            bars.append(rectangle(plot.at_x(place) + width * 0.1, top, width * 0.8, max(bottom - top, 0.8)))
        plot.draw("".join(bars), f"bar-{style}")
        plot.draw(line([(plot.left, plot.at_y(0)), (plot.right, plot.at_y(0))]), "axis")
        plot.x_title(f"{len(changes)} series, each a bar; below 0 is better", 18)
        plots.append(plot)
        better, same = sum(one < 0 for one in changes), sum(one == 0 for one in changes)
        told.append(
            f"{name}: of {len(changes)} series {better} better, {same} unchanged, "
            f"{len(changes) - better - same} worse."
        )
    return _figure("waterfall", "Change of each series", " ".join(told), 236, plots, ("score_lines",), "")


def sizes_figure(tables: Mapping[str, Table]) -> Figure | None:
    """Each lesion's size before and after, on a log scale; gone ones end at the foot."""
    sizes = tables.get("sizes")
    if sizes is None or not sizes.rows:
        return None
    rows = sizes.as_dicts()
    present = [value for row in rows for value in (row["size_baseline"], row["size_end"]) if value]
    low, high = floor(log10(min(present))), floor(log10(max(present))) + 1
    foot = low - 0.7
    plot = Plot(left=86, right=440, top=34, bottom=270, x=(0, 1), y=(foot, high))
    plot.grid(
        [
            (foot, "Gone"),
            *((power, f"{10**power:,} mm²".replace(",", "\u202f")) for power in range(low, high + 1)),
        ]
    )
    plot.texts += [
        _label(plot, 0.08, "Before"),
        _label(plot, 0.92, "After"),
    ]
    found: dict[str, None] = {}
    for row in rows[: MOST_LINES * 4]:
        after = log10(row["size_end"]) if row["size_end"] else foot
        found[
            line(
                [
                    (plot.at_x(0.08), plot.at_y(log10(row["size_baseline"]))),
                    (plot.at_x(0.92), plot.at_y(after)),
                ]
            )
        ] = None
    plot.draw("".join(list(found)[:MOST_LINES]), "thin")
    smaller = sum(row["size_end"] < row["size_baseline"] for row in rows)
    gone = sum(row["size_end"] == 0 for row in rows)
    told = f"Of {len(rows)} lesions with a size before and after, {smaller} became smaller, of which {gone} are gone."
    return _figure(
        "sizes",
        sizes.title,
        f"{told} Log scale.",
        302,
        [plot],
        ("sizes",),
        "Each lesion a line, longest × widest, log scale; a lesion that is gone ends at the foot.",
        width=480,
    )


def _label(plot: Plot, x: float, words: str) -> Text:
    return Text(plot.at_x(x), plot.bottom + 18, words, "text", "middle")


def _apart(heights: Sequence[float], top: float) -> list[float]:
    """Where names stand that would stand on one another, sorted from above: moved up, then down again from the top."""
    found: list[float] = []
    for y in reversed(heights):
        found.append(min(y, found[-1] - NAME) if found else y)
    found.reverse()
    for place, y in enumerate(found):
        found[place] = max(y, found[place - 1] + NAME if place else top)
    return found


def subjects_figure(tables: Mapping[str, Table]) -> Figure | None:
    """Controlled protocols: the size of each subject's lesions, active and control, before and after."""
    subjects = tables.get("controlled_subjects")
    if subjects is None or not subjects.rows:
        return None
    rows = [
        row
        for row in subjects.as_dicts()
        if row["size_cm2_baseline"] is not None and row["size_cm2_end"] is not None
    ]
    highest = max([0.01, *(row["size_cm2_baseline"] for row in rows), *(row["size_cm2_end"] for row in rows)])
    plots, told = [], []
    for arm, words, (left, right), style in (
        ("active", "Active", PANELS[0], "1"),
        ("control", "Control", PANELS[1], "2"),
    ):
        # The grid ends before the names, which would be hard to read on its lines.
        plot = Plot(left=left, right=right - 46, top=34, bottom=226, x=(0, 1), y=(0, highest * 1.05))
        plot.heading(f"{words}: size, cm²")
        plot.grid()
        plot.texts += [_label(plot, START, "Baseline"), _label(plot, END, "End")]
        ends: list[tuple[float, str]] = []
        for row in (one for one in rows if one["arm"] == arm):
            before, after = plot.at_y(row["size_cm2_baseline"]), plot.at_y(row["size_cm2_end"])
            x, end = plot.at_x(START), plot.at_x(END)
            plot.draw(line([(x, before), (end, after)]), f"line-{style}", row["patient_id"])
            plot.draw(circle(x, before, 3) + circle(end, after, 3), f"mark-{style}")
            ends.append((after, row["patient_id"]))
            told.append(
                f"{row['patient_id']}, {arm}: {row['size_cm2_baseline']:.2f} to {row['size_cm2_end']:.2f} cm²."
            )
        if len(ends) <= MOST_NAMES:
            ends.sort()
            for y, (_, name) in zip(_apart([y for y, _ in ends], plot.top), ends, strict=True):
                plot.texts.append(Text(plot.right + 6, y + 3.5, name, "small"))
        plots.append(plot)
    return _figure(
        "subjects",
        "Each subject's lesions before and after",
        " ".join(told),
        256,
        plots,
        ("controlled_subjects",),
        "Each subject has a line in both arms.",
    )


def _figure(
    code: str,
    title: str,
    description: str,
    height: int,
    plots: Sequence[Plot],
    tables: Sequence[str],
    note: str,
    width: int = WIDTH,
) -> Figure:
    return Figure(
        code=code,
        title=title,
        description=description,
        width=width,
        height=height,
        paths=[one for plot in plots for one in plot.paths],
        texts=[one for plot in plots for one in plot.texts],
        tables=tables,
        note=note,
    )
