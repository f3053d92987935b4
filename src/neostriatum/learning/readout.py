"""Readouts: which channel the spikes choose, and when."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import numpy as np

#: The readout has not decided yet.
WAIT = -2
#: The time to choose is over and nothing was chosen.
NONE = -1


@dataclass(frozen=True)
class Window:
    """What a readout sees: rates of the two pathways by channel since the choice began [Hz].

    ``new_go`` and ``new_stop`` are those since the last look, ``passed`` and ``since`` the times
    [ms], ``uniform`` a random number of the trial, ``idle`` whether doing nothing is a choice,
    and ``last`` whether the time to choose is over.
    """

    go: np.ndarray
    stop: np.ndarray
    new_go: np.ndarray
    new_stop: np.ndarray
    passed: float
    since: float
    uniform: float
    idle: bool
    last: bool


class Readout(Protocol):
    """Chooses a channel. ``go`` and ``stop`` name the cell types of the two pathways."""

    go: str
    stop: str
    #: Time between two looks [ms]; None for one at the end.
    every: float | None

    def fresh(self) -> list[float]:
        """Return its memory at the start of a choice."""

    def look(self, window: Window, memory: list[float]) -> tuple[int, list[float]]:
        """Return a channel, `WAIT` or `NONE`, and the memory afterwards."""


@dataclass(frozen=True)
class Difference:
    """Softmax over the differences of the two pathways' rates, at the end of the choice.

    A channel has the value go - stop [Hz], doing nothing that of ``threshold`` [Hz], about what a
    channel of the circuit of tasks has before it learns; ``beta`` [1/Hz] is the slope.
    """

    go: str
    stop: str
    beta: float = 0.25
    threshold: float = 8.0
    every: float | None = None

    def fresh(self) -> list[float]:
        """Return no memory."""
        return []

    def look(self, window: Window, memory: list[float]) -> tuple[int, list[float]]:
        """Return the channel that the random number picks; `NONE` where doing nothing is picked."""
        values = (window.go - window.stop).tolist()
        if window.idle:
            values.append(self.threshold)
        highest = max(values)
        sums = list(accumulate(math.exp(self.beta * (value - highest)) for value in values))
        place = min(bisect_right(sums, window.uniform * sums[-1]), len(sums) - 1)
        return (NONE if window.idle and place == len(values) - 1 else place), memory


@dataclass(frozen=True)
class Snr:
    """One output unit per channel, held down by its direct pathway: it acts when it pauses.

    Unit c heads for r0 - a go_c + b stop_c + c (sum of the other channels' stop) [Hz], cut at 0,
    with the time constant ``tau`` [ms]. The channel whose unit has been below ``theta`` [Hz] for
    ``hold`` [ms] is chosen, the lowest where there are several; if none is in time, nothing is.
    """

    go: str
    stop: str
    r0: float = 30.0
    a: float = 2.0
    b: float = 1.0
    c: float = 0.0
    tau: float = 15.0
    theta: float = 10.0
    hold: float = 30.0
    every: float | None = 5.0

    def fresh(self) -> list[float]:
        """Return an empty memory: rates and times below the threshold come with the channels."""
        return []

    def look(self, window: Window, memory: list[float]) -> tuple[int, list[float]]:
        """Return a channel that has paused long enough; at the end `NONE`."""
        n = len(window.go)
        rates = np.array(memory[:n] or [self.r0] * n)
        below = np.array(memory[n:] or [0.0] * n)
        others = window.new_stop.sum() - window.new_stop
        target = np.maximum(
            self.r0 - self.a * window.new_go + self.b * window.new_stop + self.c * others, 0.0)
        kept = math.exp(-window.since / self.tau)
        rates = target + (rates - target) * kept
        below = np.where(rates < self.theta, below + window.since, 0.0)
        after = [*rates.tolist(), *below.tolist()]
        ready = np.flatnonzero(below >= self.hold)
        if len(ready):
            return int(ready[np.argmin(rates[ready])]), after
        return (NONE if window.last else WAIT), after


