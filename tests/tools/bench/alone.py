"""One piece of work on the large registry, in a process of its own, so that its memory is its own.

    python -m tests.tools.bench.alone NAME [ARGUMENT …]

does what large_work.py has under that name, and prints as one line of JSON what it took. Needs Linux, which
tells a process how much memory it had at most.
"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.tools.server import ROOT


@dataclass(frozen=True, kw_only=True)
class Took:
    """Time in ms, until the first row too where there are rows, and memory in MiB before and at the peak."""

    ms: float
    first_ms: float
    idle_mib: float
    peak_mib: float


class Clock:
    """Tells the time since it was made, and when somebody called `first_row` first."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.first_ms = 0.0

    @property
    def ms(self) -> float:
        """Since it was made."""
        return (time.perf_counter() - self._start) * 1000

    def first_row(self) -> None:
        """Note the time, once."""
        self.first_ms = self.first_ms or self.ms


def alone(surroundings: dict[str, str], name: str, *arguments: object) -> Took:
    """Do it in a process of its own.

    Raises:
        RuntimeError: it failed; the message holds what it said.
    """
    command = [sys.executable, "-m", "tests.tools.bench.alone", name, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return Took(**json.loads(done.stdout.splitlines()[-1]))


def _memory_mib(name: str) -> float:
    """VmRSS: what the process has now; VmHWM: what it had at most."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def main(name: str, *arguments: str) -> None:
    """Do it here and print what it took."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.tools.bench.settings"
    django.setup()
    from django.db import connection

    from tests.tools.bench.large_work import WORK

    work = WORK[name](*arguments)
    connection.ensure_connection()
    idle = _memory_mib("VmRSS")
    clock = Clock()
    work(clock)
    took = Took(ms=clock.ms, first_ms=clock.first_ms, idle_mib=idle, peak_mib=_memory_mib("VmHWM"))
    print(json.dumps(asdict(took)))


if __name__ == "__main__":
    main(*sys.argv[1:])
