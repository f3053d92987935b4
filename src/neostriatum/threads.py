"""Share out the rows of an array among threads of our own.

Numba's parallel loops run in a layer of the whole process, which survives either a fork or a second
thread, never both. Threads of one call leave nothing behind.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import BuildError
from neostriatum.machine import cores
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Stretches that each thread gets on average, so that none waits long for the last.
STRETCHES = 8
_LIMIT: ContextVar[int | None] = ContextVar("threads", default=None)


@contextmanager
def using_threads(count: int | None) -> Iterator[None]:
    """Let `over_rows` use ``count`` threads meanwhile; None changes nothing.

    Raises
    ------
    BuildError
        Not a whole number from 1 to 1024.
    """
    if count is not None:
        count = whole_number("threads", count, 1, 1024, BuildError)
    before = _LIMIT.set(count or _LIMIT.get())
    try:
        yield
    finally:
        _LIMIT.reset(before)


def over_rows(count: int, work: Callable[..., object], *arguments: Any) -> None:
    """Call ``work(start, stop, *arguments)`` on stretches that make up ``range(count)``.

    Parameters
    ----------
    count : int
        Rows in all.
    work : callable
        Lets the interpreter go, compiled or waiting, and writes to its rows alone.
    *arguments
        Handed on.
    """
    threads = min(_LIMIT.get() or cores(), count)
    if threads <= 1:
        work(0, count, *arguments)
        return
    cuts = np.linspace(0, count, min(count, STRETCHES * threads) + 1).astype(np.int64).tolist()
    # Queues in C: an interrupt leaves no lock of theirs taken, as it may one of `concurrent`.
    stretches: SimpleQueue[tuple[int, int]] = SimpleQueue()
    errors: SimpleQueue[BaseException] = SimpleQueue()
    for stretch in pairwise(cuts):
        stretches.put(stretch)

    def share() -> None:
        try:
            for start, stop in _taken(stretches):
                work(start, stop, *arguments)
        except BaseException as error:
            errors.put(error)
            deque(_taken(stretches), 0)  # nobody begins with another one

    helpers = [threading.Thread(target=share, daemon=True) for _ in range(1, threads)]
    try:
        for helper in helpers:
            helper.start()
        share()
    finally:
        deque(_taken(stretches), 0)
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
    if not errors.empty():
        raise errors.get()


def _taken(queue: SimpleQueue[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Take what is in a queue, until there is no more."""
    while True:
        try:
            taken = queue.get_nowait()
        except Empty:
            return
        yield taken


def checked_threads(threads: Any) -> int | None:
    """Return a number of threads, or None for all cores.

    Raises
    ------
    CircuitError
        Not a whole number from 1 to 1024.
    """
    return None if threads is None else whole_number("threads", threads, 1, 1024)
