"""Every test: all of them on SQLite, then those that touch the database again on PostgreSQL.

`make test` calls it, and `make soak` with one file and a number of cuts. It exits with 0 only when both phases passed; pytest's closing line of the
last phase is the last line that it prints.
"""

import os
import signal
import subprocess
import sys

from tests.tools.machine import provide
from tests.tools.postgresql import throwaway_server

# One file stays with one worker, so that its tests share what a fixture of the module made.
PYTEST = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile"]


def phase(title: str, *options: str, database_url: str = "") -> int:
    """Run pytest once and give its exit code; a SIGTERM meanwhile ends it too."""
    print(f"\n=== {title} ===", flush=True)
    surroundings = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    if database_url:
        surroundings["TEST_DATABASE_URL"] = database_url
    process = subprocess.Popen([*PYTEST, *options], env=surroundings, stdin=subprocess.DEVNULL)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def main(*options: str) -> int:
    """Run both phases, with further options of pytest for both; give the exit code of the whole."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    provide()
    sqlite = phase("1 of 2: every test, on SQLite", *options)
    with throwaway_server() as url:
        postgresql = phase(
            "2 of 2: what touches the database, on PostgreSQL", "-m", "database", *options, database_url=url
        )
    if sqlite and not postgresql:
        print("The first phase, on SQLite, failed: see above.", file=sys.stderr, flush=True)
    return sqlite or postgresql


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
