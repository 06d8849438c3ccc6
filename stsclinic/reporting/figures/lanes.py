"""Treatments and side effects of each patient who had one, in lanes under one axis of days."""

from collections.abc import Mapping

from stsclinic.drawing import Figure, Part, Text, circle, line, rectangle, triangle
from stsclinic.drawing import Path as DrawnPath
from stsclinic.reporting.tables import Table
from stsclinic.reporting.words import count_words

WIDTH, LEFT, RIGHT = 640, 96, 610
"""The last day stands in the middle of its words, so there is room beside the lanes."""
TOP, LANE = 26, 18
MOST_LANES = 40


def lanes_figure(tables: Mapping[str, Table], first: int = 0) -> Figure | None:
    """Up to 40 patients, from the part that holds number `first` on, counted from 0; the table holds all."""
    found = tables.get("side_effect_course")
    if found is None or not found.rows:
        return None
    lanes: dict[str, list[dict]] = {}
    for row in found.as_dicts():
        for day in row["days"].split(", "):
            lanes.setdefault(row["patient_id"], []).append(row | {"day": int(day)})
    start = first // MOST_LANES * MOST_LANES if first < len(lanes) else 0
    part = Part(start, MOST_LANES, len(lanes)) if len(lanes) > MOST_LANES else None
    shown = dict(list(lanes.items())[start : start + MOST_LANES])
    earliest = min(row["day"] for rows in shown.values() for row in rows)
    last = max([28, *(row["day"] for rows in shown.values() for row in rows)])
    low = min(earliest, 0)

    def at(day: int) -> float:
        return LEFT + (day - low) / (last - low) * (RIGHT - LEFT)

    bottom = TOP + LANE * len(shown)
    paths: list[DrawnPath] = []
    texts: list[Text] = []
    step = next(step for step in (28, 91, 182, 365, 730, 1825, 36500) if (last - low) / step <= 8)
    for day in range(0, last + 1, step):
        paths.append(DrawnPath(line([(at(day), TOP - 6), (at(day), bottom)]), "grid"))
        texts.append(Text(at(day), TOP - 11, f"Day {day}" if day else "0", "small", "middle"))
    for place, (patient, rows) in enumerate(shown.items()):
        y = TOP + LANE * place + LANE / 2
        paths.append(DrawnPath(line([(LEFT, y), (RIGHT, y)]), "grid"))
        texts.append(Text(LEFT - 8, y + 3.5, patient, "small", "end"))
        treated = "".join(
            rectangle(at(row["day"]) - 0.6, y, 1.2, 7) for row in rows if row["what"] == "treatment"
        )
        # Side effects stand above the line and treatments below, so that neither hides the other.
        mild = "".join(circle(at(row["day"]), y - 4, 3) for row in rows if (row["grade"] or 0) in (1, 2))
        grave = "".join(triangle(at(row["day"]), y - 4, 3.4) for row in rows if (row["grade"] or 0) > 2)
        for d, style in ((treated, "bar-1"), (mild, "mark-2"), (grave, "bar-2")):
            if d:
                paths.append(DrawnPath(d, style))
    events = sum(row["what"] == "side_effect" for rows in lanes.values() for row in rows)
    more = f" Drawn are patients {part.words}, by ID; the CSV and XLSX files have all." if part else ""
    return Figure(
        code="side-effects",
        title="Treatments and side effects of each patient who had one",
        description=f"{count_words(events, 'side effect')} of {count_words(len(lanes), 'patient')} beside their "
        f"treatments, in days from the first treatment.{more}",
        width=WIDTH,
        height=bottom + 8,
        paths=paths,
        texts=texts,
        tables=("side_effect_course",),
        note="Only patients with a side effect. Stroke: treatment. Circle: side effect of grade 1 or 2; triangle: "
        f"grade 3 or more.{more}",
        part=part,
    )
