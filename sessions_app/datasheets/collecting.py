"""Work that makes objects by the million."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Do not look for objects that refer to each other in a circle. What nobody refers to goes at once, as always.

    Rows refer to what they belong to and never back, and looking through all of them takes a quarter of an import or
    of a report.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
