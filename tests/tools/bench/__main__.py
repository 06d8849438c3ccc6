"""Measures everything on SQLite and on a throwaway PostgreSQL, and prints one table. `make bench` calls it.

ONLY=sheet,csv measures these rows (rows.py has their names); SCALE=0.1 builds a tenth of the data. It exits with 1
when a row is over its budget.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tools.bench.measuring import HEAD
from tests.tools.machine import provide
from tests.tools.postgresql import throwaway_server
from tests.tools.server import ROOT, environment, manage


def database(title: str, folder: Path, url: str = "") -> bool:
    """Measure on one empty database; whether every row kept its budget."""
    asked = {name: os.environ[name] for name in ("ONLY", "SCALE") if os.environ.get(name)}
    surroundings = environment(folder, url) | asked
    manage(surroundings, "migrate", "--verbosity", "0")
    print(f"\n{title}\n{HEAD}", flush=True)
    command = [sys.executable, "-m", "tests.tools.bench.rows"]
    process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdin=subprocess.DEVNULL)
    try:
        return process.wait() == 0
    finally:
        if process.poll() is None:
            # It ends what it started.
            process.terminate()
            process.wait()


def main() -> int:
    """Measure on both databases; give the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    provide()
    with tempfile.TemporaryDirectory(prefix="stsclinic-bench-") as name:
        folder = Path(name)
        manage(environment(folder), "collectstatic", "--noinput", "--verbosity", "0")
        with throwaway_server() as url:
            on_postgresql = database("PostgreSQL", folder, url)
        on_sqlite = database("SQLite", folder)
    return 0 if on_postgresql and on_sqlite else 1


if __name__ == "__main__":
    sys.exit(main())
