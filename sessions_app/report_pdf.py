"""The report as a PDF and its figures as pictures, set by typst with the faces that come with it.

The PDF is tagged (PDF/UA-1), which typst checks while it writes: a figure without words, a heading out of
order or a letter that no face holds would be refused. Everything goes in as data, nothing as markup. No
system font and no clock is used, so the same data, selection and stated date give the same bytes.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from sessions_app.reports import Prepared
from stsclinic import __version__
from stsclinic.clinical.dates import show_date
from stsclinic.drawing import Figure, standalone_svg
from stsclinic.reporting.figures import SECTION_OF, figures
from stsclinic.reporting.tables import SECTION, Column, Table, cell_text

TEMPLATE = Path(__file__).parent / "typst" / "report.typ"
PICTURE = b"""#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: eval(sys.inputs.width))"""
PICTURE_PPI = 300
MM_PER_UNIT = 0.27
"""How large an SVG unit is on paper: 640 units take the width of the text."""

ROWS_PRINTED = 1000
"""Rows of a list on paper. The other files hold all."""
ROWS_TOGETHER = 14
"""A table of so few rows, without a long text, stays on one page with its notes."""
WIDE_TEXT, LONG_WORDS = 60, 18
"""Characters from which a column of texts shares the room that is left; the second of a table of many columns."""
LANDSCAPE_COLUMNS = 9
"""Columns from which a list is set on its side."""
SIZES = ((12, 6.6), (9, 7.2), (6, 7.9), (0, 8.6))
"""Size of the letters in points, by the least number of columns."""


def write_pdf(prepared: Prepared, stream: BinaryIO) -> None:
    """Write the report as a tagged PDF."""
    import typst

    data = json.dumps(_report(prepared), ensure_ascii=False)
    stream.write(
        typst.compile(
            TEMPLATE,
            format="pdf",
            pdf_standards="ua-1",
            ignore_system_fonts=True,
            sys_inputs={"report": data},
        )
    )


def figure_png(figure: Figure) -> bytes:
    """The figure as a picture at 300 dots per inch, in the size that it has on paper."""
    import typst

    return typst.compile(
        PICTURE,
        format="png",
        ppi=PICTURE_PPI,
        ignore_system_fonts=True,
        sys_inputs={"svg": printable(standalone_svg(figure)), "width": f"{figure.width * MM_PER_UNIT:.2f}mm"},
    )


PICTURES: dict[str, tuple[str, Callable[[Figure], bytes]]] = {
    "svg": ("image/svg+xml", lambda figure: standalone_svg(figure).encode()),
    "png": ("image/png", figure_png),
}
"""By the ending of the file's name: its type, and what draws it."""


def printable(text: str) -> str:
    """The text with a question mark for each letter that the faces of typst do not hold."""
    return "".join(one if one in "\n\t" or _is_held(one) else "?" for one in text)


@cache
def _is_held(letter: str) -> bool:
    """Whether typst can set a letter. Latin is taken as given; others are tried, each once."""
    if " " <= letter <= "~" or "\xa0" < letter <= "\xff" and letter != "\xad":
        return True
    if not letter.isprintable() and letter not in "\xa0\u202f":
        return False
    import typst

    source = b'#set document(title: "x")\n#set text(lang: "en", font: ("Libertinus Serif", "DejaVu Sans Mono"))\n#text(sys.inputs.letter)'
    try:
        typst.compile(
            source,
            format="pdf",
            pdf_standards="ua-1",
            ignore_system_fonts=True,
            sys_inputs={"letter": letter},
        )
    except typst.TypstError:
        return False
    return True


def _report(prepared: Prepared) -> dict[str, Any]:
    """All that the template sets, as texts and numbers."""
    notes = list(dict.fromkeys(note for table in prepared.tables for note in table.footnotes))
    day = prepared.stated_on
    drawn = figures(prepared.tables)
    sections: list[dict[str, Any]] = []
    lists: list[dict[str, Any]] = []
    for code, title in SECTION.items():
        tables = [table for table in prepared.tables if table.section == code]
        if tables:
            (lists if code == "lists" else sections).append(
                {
                    "title": title,
                    "figures": [_figure(one) for one in drawn if SECTION_OF[one.code] == code],
                    "tables": [_table(table, notes) for table in tables],
                }
            )
    return {
        "title": "Report of intralesional sodium thiosulfate",
        "day": [day.year, day.month, day.day],
        "foot": f"stsclinic {__version__}, report of {show_date(day)}",
        "about": [[printable(what), printable(value)] for what, value in prepared.about.rows],
        "sections": sections,
        "lists": lists,
        "methods": [printable(one) for one in prepared.methods.paragraphs],
        "references": list(prepared.methods.references),
        "notes": notes,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "title": printable(figure.title),
        "note": figure.note,
        "description": printable(figure.description),
        "svg": printable(standalone_svg(figure)),
        "width": round(figure.width * MM_PER_UNIT, 2),
    }


def _table(table: Table, notes: list[str]) -> dict[str, Any]:
    rows = [
        [printable(cell_text(column, value)) for column, value in zip(table.columns, row, strict=True)]
        for row in table.rows[:ROWS_PRINTED]
    ]
    many = len(table.columns)
    columns = [
        _column(column, [row[place] for row in rows], many) for place, column in enumerate(table.columns)
    ]
    cut = f"The first {ROWS_PRINTED} of {len(table.rows)} rows; the other files hold all."
    return {
        "title": printable(table.title),
        "columns": columns,
        "narrow": many >= SIZES[0][0] or any(one["share"] for one in columns),
        "rows": rows,
        "notes": [notes.index(note) + 1 for note in table.footnotes],
        "cut": cut if len(table.rows) > ROWS_PRINTED else "",
        "together": len(rows) <= ROWS_TOGETHER
        and all(len(text) <= WIDE_TEXT for row in rows for text in row),
        "landscape": table.section == "lists" and bool(rows) and many >= LANDSCAPE_COLUMNS,
        "size": next(size for least, size in SIZES if many >= least),
    }


def _column(column: Column, texts: list[str], many: int) -> dict[str, Any]:
    longest = max((len(text) for text in texts), default=0)
    share = 0
    if not column.is_number:
        share = 4 if longest > WIDE_TEXT else int(many >= SIZES[0][0] and longest > LONG_WORDS)
    return {
        "heading": column.heading,
        "number": column.is_number,
        "share": share,
    }
