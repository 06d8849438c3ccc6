"""The flow as boxes: stages below one another, and beside them who left, and why."""

from collections.abc import Mapping, Sequence

from stsclinic.drawing import Figure, Path, Text, line, rectangle
from stsclinic.reporting.tables import Table, cell_text

WIDTH = 640
BOX, SIDE, SIDE_X = 300, 280, 350
LINE, PAD, GAP = 15, 8, 22
BRANCHES = {"lesions": "Lesions", "active": "Active lesion", "control": "Control lesion"}
BESIDE = ("excluded", "waiting", "left", "continuing")
"""Rows of the within-person flow that stand beside a stage, and are none of its own."""


class _Drawing:
    """Collects boxes and the arrows between them."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.texts: list[Text] = []

    def box(self, x: float, top: float, width: float, lines: Sequence[str], *, centred: bool = True) -> float:
        """A box with its first line strong where it is centred; the y of its foot is returned."""
        height = PAD * 2 + LINE * len(lines)
        self.paths.append(Path(rectangle(x, top, width, height), "box"))
        for number, words in enumerate(lines):
            y = top + PAD + 11 + LINE * number
            if centred:
                style = "text" if number else "strong"
                self.texts.append(Text(x + width / 2, y, words, style, "middle"))
            else:
                self.texts.append(Text(x + PAD, y, words))
        return top + height

    def down(self, x: float, top: float, bottom: float) -> None:
        self.paths.append(Path(line([(x, top), (x, bottom - 5)]), "arrow"))
        self.paths.append(Path(f"M{x:.0f} {bottom:.1f}l-3.5 -7h7z", "arrow-head"))

    def aside(self, x: float, y: float) -> None:
        """From a line downwards to the box beside it."""
        self.paths.append(Path(line([(x, y), (SIDE_X - 5, y)]), "arrow"))
        self.paths.append(Path(f"M{SIDE_X} {y:.1f}l-7 -3.5v7z", "arrow-head"))

    def gap(self, foot: float, beside: Sequence[str]) -> float:
        """The way to the next box, with a box beside it; where that box begins is returned."""
        height = PAD * 2 + LINE * len(beside) if beside else 0
        gap = max(GAP, height + 2 * PAD)
        if beside:
            top = foot + (gap - height) / 2
            self.box(SIDE_X, top, SIDE, beside, centred=False)
            self.aside(2 + BOX / 2, top + height / 2)
        return foot + gap


def flow_figure(tables: Mapping[str, Table]) -> Figure | None:
    found = tables.get("flow")
    if found is None or not found.rows or not _first_count(found):
        return None
    stages: list[tuple[list[str], list[str]]] = []
    for row in _texts(found):
        counts = ", ".join(_counted(row[one], one) for one in ("patients", "series") if one in row)
        if "leaving" in row:
            stages[-1][1].append(f"{row['leaving']}: {row.get('patients') or row['series'] + ' series'}")
        else:
            stages.append(([row["stage"], counts], []))
    drawing, top = _Drawing(), 4.0
    for place, (lines, beside) in enumerate(stages):
        foot = drawing.box(2, top, BOX, lines)
        if place + 1 == len(stages):
            break
        top = drawing.gap(foot, beside)
        drawing.down(2 + BOX / 2, foot, top)
    told = "; ".join(
        f"{lines[0]}: {lines[1]}{', then left: ' + ', '.join(beside) if beside else ''}"
        for lines, beside in stages
    )
    return _figure("flow", found, told, foot, drawing)


def within_figure(tables: Mapping[str, Table]) -> Figure | None:
    """Subjects to the assignment, then a branch for each arm (one alone while the allocation is closed)."""
    found = tables.get("flow_within")
    if found is None or not found.rows or not _first_count(found):
        return None
    rows = _texts(found)
    of = {row["stage_code"]: row for row in rows if row["stage_code"] not in BESIDE}
    beside = {
        stage: [_beside(row, "subjects") for row in rows if row["stage_code"] in codes]
        for stage, codes in (("assessed", ("excluded",)), ("assigned", ("waiting",)))
    }
    drawing, top = _Drawing(), 4.0
    for stage in ("assessed", "assigned"):
        lines = [of[stage]["stage"], _counted(of[stage]["subjects"], "subjects")]
        foot = drawing.box(2, top, BOX, lines)
        top = drawing.gap(foot, beside[stage])
        if stage == "assessed":
            drawing.down(2 + BOX / 2, foot, top)
    drawing.paths.append(Path(line([(2 + BOX / 2, foot), (2 + BOX / 2, top)]), "arrow"))
    arms: list[str] = [arm for arm in ("active", "control") if arm in of["treated"]]
    arms = arms or ["lesions"]
    branches = [(2 + place * (WIDTH - BOX - 4), arm) for place, arm in enumerate(arms)]
    if len(arms) > 1:
        drawing.paths.append(Path(line([(2 + BOX / 2, top), (WIDTH - 2 - BOX / 2, top)]), "arrow"))
    bottom = top
    for x, arm in branches:
        middle, foot = x + BOX / 2, top
        gone = [_beside(row, arm) for row in rows if row["stage_code"] in ("left", "continuing")]
        gone = ["Not analysed", *gone] if gone else []
        for lines in (
            [BRANCHES[arm], f"{of['treated']['stage']}: {of['treated'][arm]}"],
            gone,
            [of["analysed"]["stage"], of["analysed"][arm]],
        ):
            if lines:
                drawing.down(middle, foot, foot + GAP)
                foot = drawing.box(x, foot + GAP, BOX, lines)
        bottom = max(bottom, foot)
    told = "; ".join(
        f"{row['stage']}{' (' + row['leaving'].lower() + ')' if 'leaving' in row else ''}: "
        + ", ".join(
            _counted(row[one], words)
            for one, words in (
                ("subjects", "subjects"),
                ("lesions", "lesions"),
                ("active", "active"),
                ("control", "control"),
            )
            if one in row
        )
        for row in rows
    )
    return _figure("flow-within", found, told, bottom, drawing)


def _counted(number: str, many: str) -> str:
    """`1 patient`, `2 patients`, `1 series`."""
    return f"{number} {many.removesuffix('s') if number == '1' and many != 'series' else many}"


def _beside(row: Mapping[str, str], column: str) -> str:
    return f"{row.get('leaving') or row['stage']}: {row[column]}"


def _texts(found: Table) -> list[dict[str, str]]:
    """The rows in words, without what is empty; the stage also by its code."""
    rows = []
    for row in found.as_dicts():
        texts = {
            column.code: cell_text(column, row[column.code])
            for column in found.columns
            if row[column.code] not in (None, "")
        }
        rows.append(texts | {"stage_code": row["stage"]})
    return rows


def _figure(code: str, found: Table, told: str, bottom: float, drawing: _Drawing) -> Figure:
    return Figure(
        code=code,
        title=found.title,
        description=f"{told}.",
        width=WIDTH,
        height=int(bottom + 6),
        paths=drawing.paths,
        texts=drawing.texts,
        tables=(found.code,),
    )


def _first_count(found: Table) -> bool:
    value = next(
        value for column, value in zip(found.columns, found.rows[0], strict=True) if column.kind == "count"
    )
    return value != 0
