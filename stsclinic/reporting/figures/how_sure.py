"""The headline under other choices, below one another: does the result depend on a choice?"""

from collections.abc import Mapping

from stsclinic.charts import ticks
from stsclinic.drawing import Figure, Path, Text, line, rectangle
from stsclinic.reporting.figures.plot import known
from stsclinic.reporting.headline import CHOICE, MEASURE
from stsclinic.reporting.tables import Table, cell_text

WIDTH, LEFT = 640, 178
PANELS = ((LEFT, 378), (410, 610))
ROW, HEAD, FOOT = 20, 24, 34
MARK = 3.2
SHORT = {
    "as_reported": "As reported",
    "first_series": "First series of each patient",
    "averaged": "Mean of each patient",
    "mixed": "Mixed model",
    "carried_forward": "Last observation carried on",
    "all_series": "Every series with two scores",
}


def how_sure_figure(tables: Mapping[str, Table]) -> Figure | None:
    """A row for each choice, a panel for each number of the headline; the line goes through what is reported."""
    found = [tables[code] for code in ("how_sure_scores", "how_sure_remission") if code in tables]
    paths: list[Path] = []
    texts: list[Text] = []
    told: list[str] = []
    top = 0.0
    for table in found:
        rows = [row for row in table.as_dicts() if known(row["value"]) is not None]
        measures = [one for one in MEASURE if any(row["measure"] == one for row in rows)]
        choices = [one for one in CHOICE if any(row["choice"] == one for row in rows)]
        if not rows:
            continue
        for place, choice in enumerate(choices):
            texts.append(Text(LEFT - 8, top + HEAD + ROW * (place + 0.5) + 4, SHORT[choice], "text", "end"))
        ends = [known(row[code]) for row in rows for code in ("value", "ci95_low", "ci95_high")]
        scale = _scale([0.0, *(one for one in ends if one is not None)])
        for measure, (left, right) in zip(measures, PANELS, strict=False):
            of = {row["choice"]: row for row in rows if row["measure"] == measure}
            _panel(paths, texts, top, left, right, scale, choices, of)
            unit = " (%)" if table.code == "how_sure_remission" else " (points)"
            texts.append(Text(left, top + 14, f"{MEASURE[measure]}{unit}", "strong"))
        told += [_words(table, row) for row in rows]
        top += HEAD + ROW * len(choices) + FOOT
    if not told:
        return None
    return Figure(
        code="how-sure",
        title="How sure: the headline under other choices",
        description=" ".join(told),
        width=WIDTH,
        height=int(top),
        paths=paths,
        texts=texts,
        tables=tuple(table.code for table in found),
        note="Square: the number; line: its 95% interval. The broken line goes through what is reported.",
    )


def _scale(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low, high if high > low else low + 1


def _panel(
    paths: list[Path],
    texts: list[Text],
    top: float,
    left: float,
    right: float,
    scale: tuple[float, float],
    choices: list[str],
    rows: Mapping[str, dict],
) -> None:
    low, high = scale

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    first, last = top + HEAD, top + HEAD + ROW * len(choices)
    for value in ticks(low, high):
        paths.append(Path(line([(at(value), first), (at(value), last)]), "grid"))
        texts.append(Text(at(value), last + 14, f"{value:g}", "small", "middle"))
    paths.append(Path(line([(left, last), (right, last)]), "axis"))
    reported = known(rows["as_reported"]["value"]) if "as_reported" in rows else None
    if reported is not None:
        paths.append(Path(line([(at(reported), first), (at(reported), last)]), "reference"))
    for place, choice in enumerate(choices):
        if row := rows.get(choice):
            y = first + ROW * (place + 0.5)
            middle, start, end = (known(row[code]) for code in ("value", "ci95_low", "ci95_high"))
            if start is not None and end is not None:
                paths.append(Path(line([(at(start), y), (at(end), y)]), "whisker"))
            if middle is not None:
                square = rectangle(at(middle) - MARK, y - MARK, 2 * MARK, 2 * MARK)
                paths.append(Path(square, "bar-1"))


def _words(table: Table, row: dict) -> str:
    columns = {column.code: column for column in table.columns}
    value, low, high = (cell_text(columns[code], row[code]) for code in ("value", "ci95_low", "ci95_high"))
    unit = " %" if columns["value"].unit else ""
    interval = f" ({low} to {high})" if known(row["ci95_low"]) is not None else ""
    return f"{MEASURE[row['measure']]}, {CHOICE[row['choice']].lower()}: {value}{unit}{interval}."
