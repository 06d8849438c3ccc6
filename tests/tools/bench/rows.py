"""The rows of one database: `python -m tests.tools.bench.rows`, in surroundings that name it.

`python -m tests.tools.bench` starts it, once for each database.
"""

import os
import sys
from collections.abc import Callable, Iterator

import django


def measured(only: str, scale: float) -> Iterator:
    """The rows, each as soon as it is measured; with `only` those whose key begins so."""
    from django.db import connection

    from tests.tools.bench import visits

    is_postgresql = connection.vendor == "postgresql"
    known: list[visits.Visits] = []

    def clinic() -> visits.Visits:
        if not known:
            known.append(visits.Visits())
        return known[0]

    rows: dict[str, Callable] = {
        "complete": lambda: visits.completing(clinic(), 4 if is_postgresql else 6),
        "field": lambda: visits.one_field(clinic(), 2),
        "sheet": lambda: visits.sheet(clinic(), 10),
        "patient": lambda: visits.patient_page(clinic(), 14),
    }
    for key, row in rows.items():
        if key.startswith(only):
            yield row()


def main() -> int:
    """Print each row; 1 when one is over its budget."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.tools.bench.settings"
    django.setup()
    is_over = False
    for row in measured(os.environ.get("ONLY", ""), float(os.environ.get("SCALE", "1"))):
        print(row.line(), flush=True)
        is_over = is_over or row.is_over
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main())
