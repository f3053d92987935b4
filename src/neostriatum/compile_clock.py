"""How long this process has compiled, and who is told when it does."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Name of the phase that `listening` reports.
PHASE = "compile"


class _Clock:
    """Seconds of compiling; a function that compiles those it calls counts once.

    Numba compiles one function at a time, so this needs no lock.
    """

    def __init__(self) -> None:
        self.seconds, self._depth, self._since = 0.0, 0, 0.0
        self.listeners: list[Callable[[str, float], None]] = []

    def start(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._since = time.perf_counter()
            self._tell(0.0)

    def stop(self) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._since
            self._tell(1.0)

    def _tell(self, share: float) -> None:
        for tell in tuple(self.listeners):
            tell(PHASE, share)


CLOCK = _Clock()


def compile_seconds() -> float:
    """Return the wall time that this process has spent on compiling so far [s]."""
    return CLOCK.seconds


@contextmanager
def listening(tell: Callable[[str, float], None]) -> Iterator[None]:
    """Call ``tell("compile", share)`` meanwhile: 0 when something begins to compile, 1 at its end.

    It may be called from another thread than the caller's.
    """
    CLOCK.listeners.append(tell)
    try:
        yield
    finally:
        CLOCK.listeners.remove(tell)
