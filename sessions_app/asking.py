"""Questions to the database that are asked one after the other, the next ones while the program works on an answer.

PostgreSQL answers in a process of its own, so that both are at work at once. SQLite answers within this one: there a
question is asked when its answer is wanted.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection

Question = Callable[[], Any]
"""Asks the database, and nothing else, and gives its answer. It may run in another thread than it was made in, with a
cursor that it was made with."""

AHEAD = 2
"""How many answers may wait, which bounds their memory."""


@contextmanager
def answers(questions: Iterable[Question]) -> Iterator[Iterator[Any]]:
    """The answers to these questions, in their order. After the block nothing is asked any more.

    A question is taken when it is its turn, and while others are asked nothing else may be.

    Raises:
        RuntimeError: from whoever asks the database for something else within the block.
    """
    if connection.vendor != "postgresql":
        yield (ask() for ask in questions)
        return
    thread = ThreadPoolExecutor(max_workers=1)
    with connection.execute_wrapper(_not_meanwhile):
        try:
            yield _in_turn(thread, questions)
        finally:
            # What runs is waited for: a connection is for one at a time, also when something went wrong.
            thread.shutdown(cancel_futures=True)


def _in_turn(thread: ThreadPoolExecutor, questions: Iterable[Question]) -> Iterator[Any]:
    waiting = iter(questions)
    asked: deque[Future[Any]] = deque(thread.submit(ask) for ask in islice(waiting, AHEAD))
    while asked:
        with connection.wrap_database_errors:
            answer = asked.popleft().result()
        asked.extend(thread.submit(ask) for ask in islice(waiting, 1))
        yield answer


def _not_meanwhile(execute: Callable, *given: Any) -> Any:
    """Two who use one connection at once would wait for each other without end."""
    raise RuntimeError("The database is still answering other questions.")
