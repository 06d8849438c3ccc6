"""The rows of one database: `python -m tests.tools.bench.rows`, in surroundings that name it.

`python -m tests.tools.bench` starts it, once for each database.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import django

from tests.tools.bench.measuring import Line


def measured(only: str, scale: float) -> Iterator[Line]:
    """The rows, each as soon as it is measured; `only` names some of them, with commas between, or none."""
    from django.db import connection

    from tests.tools.bench import hostile, large, lists, starting, visits

    is_postgresql = connection.vendor == "postgresql"
    clinic = cache(visits.Visits)
    of_patients = cache(lambda: lists.Lists(int(lists.MANY * scale)))
    with large.large(is_postgresql, scale) as registries:
        rows: dict[str, Callable[[], Iterable[Line]]] = {
            # These two copy the database, so they come before anybody is in it.
            "list": lambda: lists.pages(of_patients()),
            "search": lambda: lists.searches(of_patients()),
            "complete": lambda: [visits.completing(clinic(), 4 if is_postgresql else 6)],
            "field": lambda: [visits.one_field(clinic(), 2)],
            "sheet": lambda: [visits.sheet(clinic(), 10)],
            "patient": lambda: [visits.patient_page(clinic(), 14)],
            "start": starting.rows,
            "hostile": hostile.rows,
        }
        asked = [name.strip() for name in only.split(",") if name.strip()]
        for name in asked:
            if name not in (*rows, *large.TASKS):
                sys.exit(
                    f"There is no row {name}. ONLY is one or more of {', '.join((*rows, *large.TASKS))}."
                )
        for key, measure in rows.items():
            if not asked or key in asked:
                yield from measure()
        yield from large.rows(registries, [name for name in large.TASKS if not asked or name in asked])


def main() -> int:
    """Print each row; 1 when one is over its budget. A SIGTERM ends what was started, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.tools.bench.settings"
    django.setup()
    is_over = False
    for row in measured(os.environ.get("ONLY", ""), float(os.environ.get("SCALE", "1"))):
        print(row.line(), flush=True)
        is_over = is_over or row.is_over
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main())
