"""How long the server takes until it answers, and how long the report's module takes to be loaded."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.tools.bench.measuring import Amount, milliseconds
from tests.tools.server import ROOT, MortalServer

RUNS = 5
LOADING = "import django; django.setup(); import sessions_app.views.report"


def rows() -> Iterator[Amount]:
    """Seconds, each in a new process."""
    with tempfile.TemporaryDirectory(prefix="stsclinic-bench-start-") as folder:
        server = MortalServer(Path(folder), os.environ.get("DATABASE_URL", ""))
        starts = []
        for _ in range(RUNS):
            starts.append(milliseconds(server.start))
            server.kill()
    yield Amount(work="start of the server", unit="seconds", amount=median(starts) / 1000, budget=1)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "stsclinic.settings"}
    command = [sys.executable, "-c", LOADING]
    loads = [
        milliseconds(lambda: subprocess.run(command, cwd=ROOT, env=environment, check=True))
        for _ in range(RUNS)
    ]
    yield Amount(work="import of the report's module", unit="seconds", amount=median(loads) / 1000, budget=1)
