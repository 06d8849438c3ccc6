"""The folder of an export: the sheets in each format that was asked for, the codebook, scripts, the manifest."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sessions_app.dataout.codebook import codebook_csv, codebook_html
from sessions_app.dataout.csv_files import write_csv_zip
from sessions_app.dataout.disguise import disguise_new_lesions, disguise_new_patients
from sessions_app.dataout.manifest import Made, manifest, write_manifest
from sessions_app.dataout.plan import Plan
from sessions_app.dataout.sas_formats import FORMATS_NAME, formats_program
from sessions_app.dataout.source import Source
from sessions_app.dataout.statistics_files import PROGRAMS, write_statistics_file
from sessions_app.dataout.workbook import write_workbook
from sessions_app.datasheets.snapshot import snapshot

SCRIPTS = Path(__file__).with_name("scripts")
SCRIPT_NAMES = ("headline.py", "headline.R")

Counts = dict[str, int]


@dataclass(frozen=True)
class Format:
    """One way in which the sheets leave: its words, where it stands in the folder, and what writes it."""

    words: str
    path: str
    write: Callable[[Path, Source], Counts]


def _csv(target: Path, source: Source) -> Counts:
    with target.open("wb") as stream:
        return write_csv_zip(stream, source)


def _workbook(target: Path, source: Source) -> Counts:
    with target.open("wb") as stream, TemporaryDirectory(dir=target.parent) as folder:
        return write_workbook(stream, source, folder=Path(folder))


def _of_program(ending: str) -> Callable[[Path, Source], Counts]:
    def write(target: Path, source: Source) -> Counts:
        target.mkdir(mode=0o700, exist_ok=True)
        program = PROGRAMS[ending]
        return {
            name: write_statistics_file(target / f"{name}.{ending}", source, name, program)
            for name in source.plan.sheets
        }

    return write


def _transport(target: Path, source: Source) -> Counts:
    counts = _of_program("xpt")(target, source)
    (target / FORMATS_NAME).write_bytes(formats_program(source.plan).encode())
    return counts


FORMATS = {
    "xlsx": Format("One workbook (XLSX)", "sheets.xlsx", _workbook),
    "csv": Format("CSV files in a zip, with scripts for R and Python", "sheets.zip", _csv),
    "sav": Format("SPSS (.sav)", "spss", _of_program("sav")),
    "dta": Format("Stata (.dta)", "stata", _of_program("dta")),
    "xpt": Format("SAS transport (.xpt), with a program for the words of the codes", "sas", _transport),
}
"""In the order in which they are written: the workbook first, since it may have too little room."""


def write_bundle(
    folder: Path, plan: Plan, made: Made, step: Callable[[int, int], None] = lambda done, of: None
) -> Counts:
    """Write everything into an existing folder, as of one moment; give the rows of each sheet.

    Args:
        step: called with the work done and the whole work, in patients read of a sheet. It may raise.

    Raises:
        NoRoomInWorkbook, NoRoomInFile: a format cannot hold it; the message says why.
    """
    disguise_new_patients()
    if plan.new_ids:
        disguise_new_lesions()
    formats = [name for name in FORMATS if name in plan.formats]
    done = 0

    def read(patients: int) -> None:
        nonlocal done
        done += patients
        step(done, of)

    source = Source(plan, read)
    counts: Counts = {}
    files: list[Path] = []
    with snapshot():
        of = max(1, len(source.patients) * len(plan.sheets) * len(formats))
        step(0, of)
        for name in formats:
            target = folder / FORMATS[name].path
            counts = FORMATS[name].write(target, source)
            files += sorted(target.iterdir()) if target.is_dir() else [target]
    (folder / "codebook.html").write_bytes(codebook_html(plan))
    (folder / "codebook.csv").write_bytes(codebook_csv(plan))
    files += [folder / "codebook.html", folder / "codebook.csv"]
    if "csv" in formats:
        for script in SCRIPT_NAMES:
            (folder / script).write_bytes((SCRIPTS / script).read_bytes())
            files.append(folder / script)
    write_manifest(folder, manifest(folder, files, counts, plan, made))
    return counts


def written_names() -> set[str]:
    """The names of everything that an export may leave in its folder."""
    own = {"codebook.html", "codebook.csv", "manifest.json", "manifest.txt", *SCRIPT_NAMES}
    return own | {one.path for one in FORMATS.values()}
