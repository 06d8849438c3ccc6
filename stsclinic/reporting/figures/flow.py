"""The flow as boxes: stages below one another, and beside them who left, and why."""

from collections.abc import Mapping, Sequence

from stsclinic.drawing import Figure, Path, Text, line, rectangle
from stsclinic.reporting.tables import Table, cell_text

WIDTH = 640
BOX, SIDE, SIDE_X = 300, 280, 350
LINE, PAD, GAP = 15, 8, 22


def flow_figure(tables: Mapping[str, Table]) -> Figure | None:
    return _drawn(tables, "flow", "flow", {"patients": "patients", "series": "series"})


def within_figure(tables: Mapping[str, Table]) -> Figure | None:
    counted = {
        "subjects": "subjects",
        "lesions": "lesions",
        "active": "active lesions",
        "control": "control lesions",
    }
    return _drawn(tables, "flow_within", "flow-within", counted)


def _drawn(tables: Mapping[str, Table], table: str, code: str, counted: Mapping[str, str]) -> Figure | None:
    """A stage is a row without a reason; the rows with one that follow it stand beside it."""
    found = tables.get(table)
    if found is None or not found.rows or not _first_count(found):
        return None
    stages: list[tuple[str, list[str]]] = []
    is_within = table == "flow_within"
    for row in found.as_dicts():
        texts = {column.code: cell_text(column, row[column.code]) for column in found.columns}
        numbers = ", ".join(
            f"{words}: {texts[column]}" if is_within else f"{texts[column]} {words}"
            for column, words in counted.items()
            if column in row and row[column] is not None
        )
        if row["leaving"]:
            if is_within:
                numbers = f"{texts['subjects']}"
            stages[-1][1].append(f"{texts['leaving']}: {numbers.split(' ')[0]}")
        else:
            stages.append((texts["stage"], [numbers]))
    paths: list[Path] = []
    texts_drawn: list[Text] = []
    top = 4.0
    for position, (stage, lines) in enumerate(stages):
        counts, left = lines[0], lines[1:]
        parts = _wrapped(counts)
        height = PAD * 2 + LINE * (1 + len(parts))
        paths.append(Path(rectangle(2, top, BOX, height), "box"))
        texts_drawn.append(Text(2 + BOX / 2, top + PAD + 11, stage, "strong", "middle"))
        for number, part in enumerate(parts, 1):
            texts_drawn.append(Text(2 + BOX / 2, top + PAD + 11 + LINE * number, part, "text", "middle"))
        bottom = top + height
        beside = PAD * 2 + LINE * len(left) if left else 0
        gap = max(GAP, beside + 2 * PAD)
        if left:
            side_top = bottom + (gap - beside) / 2
            paths.append(Path(rectangle(SIDE_X, side_top, SIDE, beside), "box"))
            for number, words in enumerate(left):
                texts_drawn.append(Text(SIDE_X + PAD, side_top + PAD + 11 + LINE * number, words))
            middle = side_top + beside / 2
            paths.append(Path(line([(2 + BOX / 2, middle), (SIDE_X - 5, middle)]), "arrow"))
            paths.append(Path(f"M{SIDE_X} {middle:.1f}l-7 -3.5v7z", "arrow-head"))
        if position + 1 < len(stages):
            paths.append(Path(line([(2 + BOX / 2, bottom), (2 + BOX / 2, bottom + gap - 5)]), "arrow"))
            paths.append(Path(f"M{2 + BOX / 2:.0f} {bottom + gap:.1f}l-3.5 -7h7z", "arrow-head"))
            top = bottom + gap
        else:
            top = bottom
    told = "; ".join(
        f"{stage}: {', then left: '.join([lines[0], ', '.join(lines[1:])]) if lines[1:] else lines[0]}"
        for stage, lines in stages
    )
    return Figure(
        code=code,
        title=found.title,
        description=f"{told}.",
        width=WIDTH,
        height=int(top + 6),
        paths=paths,
        texts=texts_drawn,
        tables=(table,),
    )


def _first_count(found: Table) -> bool:
    value = next(
        value for column, value in zip(found.columns, found.rows[0], strict=True) if column.kind == "count"
    )
    return value != 0


def _wrapped(words: str, most: int = 44) -> Sequence[str]:
    """At the commas, where one line would be too long."""
    lines = [""]
    for part in words.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if len(longer) <= most:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines
