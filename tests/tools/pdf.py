"""Reads a PDF: its words in their order, and what its tags hold. For tests."""

import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.tools.machine import pdf_reader

_NODE = re.compile(r" *([A-Z][A-Za-z0-9]*)(?: <[^>]*>)?(?: \"(.*)\")?(?: \((?:block|inline)\))?:?$")
_FOOT = re.compile(r"stsclinic \S+, report of \S+ Page (\d+) of (\d+)$", re.MULTILINE)


@dataclass
class Pdf:
    """The words of each page, its number, and how often each tag stands; the headings by their words."""

    pages: list[str]
    page_numbers: list[tuple[int, int]]
    tags: Counter[str]
    headings: list[str]

    def holds(self, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
        """Whether a table with these headings and exactly these rows stands in it, cell after cell.

        Spaces do not count, since a cell may be broken into lines. The headings stand again on each page.
        """
        head = _squeezed("".join(heading))
        # What stands at the beginning of a page is taken out where the table goes on there.
        whole = "".join(page.removeprefix(head) for page in self.pages)
        with_heads = "".join(self.pages)
        body = _squeezed("".join(cell for row in rows for cell in row))
        return head + body in with_heads or (head in with_heads and body in whole)


def read_pdf(content: bytes) -> Pdf:
    """Read it with poppler, as anybody's reader does."""
    texts = _run("pdftotext", content, "-raw", "-enc", "UTF-8", "-", "-").split("\f")[:-1]
    found = Pdf([], [], Counter(), [])
    for text in texts:
        foot = _FOOT.findall(text)
        found.page_numbers.append((int(foot[-1][0]), int(foot[-1][1])))
        found.pages.append(_squeezed(_FOOT.sub("", text)))
    for line in _run("pdfinfo", content, "-struct", "-").splitlines():
        node = _NODE.match(line)
        if node:
            found.tags[node[1]] += 1
            if re.fullmatch(r"H[1-6]", node[1]):
                found.headings.append(node[2])
    return found


def _run(program: str, content: bytes, *options: str) -> str:
    where = pdf_reader(program)
    assert where, "poppler-utils is not installed"
    return subprocess.run([where, *options], input=content, capture_output=True, check=True).stdout.decode()


def _squeezed(text: str) -> str:
    """Without spaces and soft hyphens."""
    return re.sub(r"[\s\u00ad\u2060]+", "", text)
