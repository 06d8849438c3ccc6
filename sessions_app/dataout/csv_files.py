"""The sheets as CSV files in a zip, with their codebook."""

import zipfile
from datetime import UTC, datetime
from typing import BinaryIO

from sessions_app.dataout.codebook import codebook_csv
from sessions_app.dataout.source import Source
from sessions_app.datasheets.columns import Sheet

CREATED = datetime(1980, 1, 1, tzinfo=UTC)
"""The date that the parts of a zip bear, so that equal content is equal bytes."""

BOM = b"\xef\xbb\xbf"
"""By which Excel knows UTF-8."""


def header(source: Source, sheet: Sheet) -> bytes:
    """The first row: the names of the columns."""
    line = source.separator.join(column.name for column in sheet.columns)
    return (BOM if source.plan.danish else b"") + line.encode() + b"\r\n"


def write_csv(stream: BinaryIO, source: Source, name: str) -> int:
    """Write one sheet with its first row; give the number of its rows."""
    stream.write(header(source, source.plan.sheets[name]))
    return source.write_csv(name, stream)


def write_csv_zip(stream: BinaryIO, source: Source) -> dict[str, int]:
    """Write all sheets and the codebook; give the rows of each sheet."""
    counts = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.plan.sheets:
            with archive.open(_part(f"{name}.csv"), "w", force_zip64=True) as part:
                counts[name] = write_csv(part, source, name)  # type: ignore[arg-type]
        archive.writestr(_part("codebook.csv"), codebook_csv(source.plan))
    return counts


def _part(name: str) -> zipfile.ZipInfo:
    part = zipfile.ZipInfo(name, CREATED.timetuple()[:6])
    part.compress_type = zipfile.ZIP_DEFLATED
    part.external_attr = 0o600 << 16
    return part
