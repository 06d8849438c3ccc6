"""Read hostile data sheets, each in a process of its own that may take so much memory and no more.

    python -m tests.tools.reading_limited FOLDER

prints one line of JSON for each file of the folder: its name, the sentences of its errors, the rows
that were read, the seconds of the processor, and the memory at the peak in MiB.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

MOST_MEMORY = 900 * 1024 * 1024
"""Bytes of address space after which the process gets no more: far above what is asserted of its memory."""

MOST_SECONDS = 60
"""Seconds of the processor after which the process is ended."""


def read(path: Path) -> dict:
    """Read one file here and tell what came of it."""
    from sessions_app.datasheets.reading import read_path

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    start = time.process_time()
    raw = read_path(path)
    return {
        "name": path.name,
        "sentences": [str(error) for error in raw.errors[:20]],
        "rows": sum(len(sheet.numbers) for sheet in raw.sheets.values()),
        "seconds": round(time.process_time() - start, 2),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(folder: Path) -> None:
    """Read every file of the folder, one after the other."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stsclinic.settings")
    django.setup()
    import openpyxl  # noqa: F401  # what it takes to load it is no file's fault

    for path in sorted(folder.iterdir()):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                print(json.dumps(read(path)), flush=True)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"name": path.name, "sentences": [f"ended with {status}"]}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
