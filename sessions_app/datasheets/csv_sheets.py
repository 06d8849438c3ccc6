"""A CSV file as rows of cells, read bit by bit, with its encoding and its separator found out.

UTF-8, separated by commas, is the format. Danish Excel separates by semicolons, and that is read too.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import IO, cast

from sessions_app.datasheets.raw import Cells, RawSheets, take_rows
from sessions_app.formula_safe import as_entered

LONGEST_CELL = 1_000_000
"""Characters of one cell."""

LONGEST_ROW = 2_000_000
"""Characters of one row, over all its lines."""

BLOCK = 65_536
"""Bytes that are read at once."""

_VALID = "Save it as “CSV UTF-8”, separated by commas."
_LINE_END = re.compile("\r\n|\r|\n")
_LINE = re.compile("[^\r\n]*(?:\r\n|\r|\n)")
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class _NotUtf8(Exception):
    """Attributes: line, from 1; text: that line as Windows would read it."""

    def __init__(self, line: int, text: str):
        super().__init__(line)
        self.line, self.text = line, text


class _RowTooLong(Exception):
    pass


def read_csv(raw: RawSheets, name: str, stream: IO[bytes]) -> None:
    """Read the file of one sheet into `raw`, which has the sheet begun; what is wrong becomes an error.

    Raises:
        TooManyErrors: see RawSheets.refuse.
    """
    lines = _Lines(stream)
    if lines.is_utf16:
        raw.refuse("The file is in UTF-16, not in UTF-8.", _VALID, sheet=name)
        return
    try:
        first = next(iter(lines), "")
        if not first.strip() and all(not line.strip() for line in lines):
            raw.refuse("The file is empty.", "Its first row must name the columns.", sheet=name)
            return
        if "\t" in first and "," not in first:
            raw.refuse("The columns are separated by tabs, not by commas.", _VALID, sheet=name)
            return
        mark = ";" if ";" in first and "," not in first else ","
        rows = _rows(raw, name, lines, first, mark)
        take_rows(raw, name, rows, are_plain=mark == ",", has_decimal_comma=mark == ";")
    except _RowTooLong:
        raw.refuse(f"The file has a line of more than {LONGEST_ROW} characters.", _VALID, sheet=name)
    except _NotUtf8 as error:
        sentence = f"The file is not in UTF-8: see line {error.line}."
        if error.text:
            sentence = f"{sentence[:-1]}, which may mean “{error.text}”."
        raw.refuse(sentence, _VALID, sheet=name)


class _Lines:
    """The lines of a stream with their ends, decoded bit by bit. No line is longer than LONGEST_ROW."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._first = stream.read(BLOCK)
        self._given = 0
        self._lines = self._read()
        self.row_length = 0
        """Characters of the blocks that were used up since somebody set it to 0."""
        self.had_apostrophe = False
        """Whether there was an apostrophe up to the end of the present block."""

    @property
    def is_utf16(self) -> bool:
        """Whether it begins like UTF-16 or UTF-32, with or without a mark."""
        begin = self._first[:200]
        # Of Latin text every second byte is 0 then; a single one is a character that a cell may not hold.
        return begin.startswith(_OTHER_ENCODINGS) or begin.count(0) * 4 > len(begin)

    def __iter__(self) -> Iterator[str]:
        """The lines that nobody has taken."""
        return self._lines

    def _read(self) -> Iterator[str]:
        block, rest = self._first, ""
        while True:
            read = self._text(block, rest)
            self.had_apostrophe = self.had_apostrophe or "'" in read
            text = rest + read
            # The second half of a last line end, a line feed, may come with the next block.
            sure = text[:-1] if block and text.endswith("\r") else text
            end = max(sure.rfind("\n"), sure.rfind("\r")) + 1
            lines, rest = _LINE.findall(text, 0, end), text[end:]
            yield from lines
            self._given += len(lines)
            self.row_length += len(read)
            if self.row_length > LONGEST_ROW or len(rest) > LONGEST_ROW:
                raise _RowTooLong
            if not block:
                break
            block = self._stream.read(BLOCK)
        if rest:
            yield rest

    def _text(self, block: bytes, rest: str) -> str:
        try:
            return self._decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = rest + error.object[: error.start].decode("utf-8", "replace")
            line = self._given + len(_LINE_END.findall(before)) + 1
            start = re.split("[\r\n]", before)[-1][-30:]
            after = error.object[error.start : error.start + 30].decode("cp1252", "replace")
            raise _NotUtf8(line, (start + re.split("[\r\n]", after)[0]).strip()) from error


def _rows(raw: RawSheets, name: str, lines: _Lines, first: str, mark: str) -> Iterator[Cells]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(chain([first], lines), strict=True, delimiter=mark)
    count = 0
    try:
        for count, row in enumerate(reader, start=1):  # noqa: B007 (how many there were before an error)
            lines.row_length = 0
            yield [as_entered(cell) for cell in row] if lines.had_apostrophe else cast(Cells, row)
    except (csv.Error, _RowTooLong) as error:
        too_long = f"the row is longer than {LONGEST_ROW} characters"
        raw.refuse(
            f"From here on the file cannot be read as CSV: {too_long if isinstance(error, _RowTooLong) else error}.",
            'A text with a comma, a line end or a " stands in double quotes, and each " within it is doubled.',
            sheet=name,
            row=count + 1,
        )
