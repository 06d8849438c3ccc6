"""A page as people read it: its words, and the rows of its tables. For tests."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass
class RenderedTable:
    """A table: the id of its element, and its rows (headings too) as the texts of their cells."""

    table_id: str
    rows: list[list[str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables: list[RenderedTable] = []
        self.words: list[str] = []
        self.cell: list[str] | None = None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append(RenderedTable(dict(attrs).get("id", "")))
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.cell = []
        elif tag in VOID and self.cell is not None:
            self.cell.append(" ")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1].rows[-1].append(_squeezed("".join(self.cell)))
            self.cell = None

    def handle_data(self, data):
        self.words.append(data)
        if self.cell is not None:
            self.cell.append(data)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def tables_of(html: str) -> list[RenderedTable]:
    """Every table of a page, in order."""
    return _read(html).tables


def rows_of(html: str, table_id: str) -> list[list[str]]:
    """The rows under the headings of the table with this id.

    Raises:
        StopIteration: the page has no such table.
    """
    return next(table.rows[1:] for table in tables_of(html) if table.table_id == table_id)


def words_of(html: str) -> str:
    """All words of a page, in one line."""
    return _squeezed(" ".join(_read(html).words))
