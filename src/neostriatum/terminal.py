"""How far a command is, for a person: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from neostriatum.compile_clock import PHASE

_PHASES = {"place": "placing somas", "wire": "wiring", "measure": "measuring", "save": "saving",
           "warmup": "warming up", "simulate": "simulating",
           "compile and simulate": "compiling and simulating", "write": "writing",
           "figures": "drawing", "validate": "measuring targets",
           "compile": "compiling for this processor, once, up to a minute"}
#: Phases that tell how far they are.
_MEASURED = ("wire", "warmup", "simulate", "validate")


def words(phase: str) -> str:
    """Return what a phase is called for a person.

    Examples
    --------
    >>> words("wire"), words("12 of 50 points")
    ('wiring', '12 of 50 points')
    """
    return _PHASES.get(phase, phase)


class Progress:
    """A bar with the time left on a terminal, one plain line per phase elsewhere."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent
        self._bar: Any = None
        self._task: Any = None
        self._phase, self._compiled = "", False

    def __enter__(self) -> Progress:
        if not self._silent and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Bar

            self._bar = Bar(TextColumn("{task.description:<26}"), BarColumn(),
                            TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
                            TimeRemainingColumn(),
                            console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, phase: str, share: float) -> None:
        """Show that ``phase`` is done to ``share`` (0 to 1)."""
        if self._silent:
            return
        if phase == PHASE:
            # It comes in the middle of another phase, which goes on afterwards.
            if self._bar is None and not self._compiled:
                print(f"{_PHASES[phase]} ...", file=sys.stderr, flush=True)
            elif self._bar is not None and self._task is not None:
                text = _PHASES[self._phase if share else phase]
                self._bar.update(self._task, description=text)
            self._compiled = True
            return
        if self._bar is None:
            if phase != self._phase:
                print(f"{_PHASES.get(phase, phase)} ...", file=sys.stderr, flush=True)
        elif phase != self._phase:
            if self._task is not None:
                self._bar.remove_task(self._task)
            known = phase in _MEASURED
            self._task = self._bar.add_task(_PHASES.get(phase, phase), total=1 if known else None)
        else:
            self._bar.update(self._task, completed=share)
        self._phase = phase


class PointsProgress(Progress):
    """A bar of the points of a sweep; elsewhere a line every ten seconds."""

    def __init__(self, silent: bool) -> None:
        super().__init__(silent)
        self._said = time.monotonic()

    def __call__(self, phase: str, share: float) -> None:
        """Show that the sweep is done to ``share``; ``phase`` says how many points are."""
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(phase, total=1)
            self._bar.update(self._task, description=phase, completed=share)
        elif not self._silent and time.monotonic() - self._said > 10:
            self._said = time.monotonic()
            print(f"{phase}, {share:.0%}", file=sys.stderr, flush=True)
