"""How long the reader of data sheets looks at a file that means harm, and how much memory that takes, at most."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.sessions_app.hostile_files import files
from tests.tools.bench.measuring import Amount
from tests.tools.server import ROOT

RUNS = 5


def rows() -> Iterator[Amount]:
    """The file that takes longest, and the one that takes most memory, each read in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="stsclinic-bench-hostile-") as name:
        folder = Path(name)
        for file, (make, _sentence) in files().items():
            (folder / file).write_bytes(make())
        runs = [_read(folder) for _ in range(RUNS)]
    seconds, mib = (
        {file: median(run[file][what] for run in runs) for file in files()} for what in ("seconds", "mib")
    )
    slowest, largest = (max(found, key=found.__getitem__) for found in (seconds, mib))
    yield Amount(
        work=f"slowest of {len(seconds)} hostile files: {slowest}",
        unit="seconds of the processor",
        amount=seconds[slowest],
        budget=2,
    )
    yield Amount(
        work=f"largest of {len(mib)} hostile files: {largest}",
        unit="MiB at the peak",
        amount=mib[largest],
        budget=300,
    )


def _read(folder: Path) -> dict[str, dict]:
    """What each file of the folder took.

    Raises:
        KeyError, in what follows: a file ended its reader, so that nothing was told of it.
    """
    command = [sys.executable, "-m", "tests.tools.reading_limited", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}
