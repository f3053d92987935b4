"""Readouts: which channel the spikes choose, and when."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

import numpy as np

from neostriatum.errors import CircuitError, shown

#: The readout has not decided yet.
WAIT = -2
#: The time to choose is over and nothing was chosen.
NONE = -1


@dataclass(frozen=True)
class Window:
    """What a readout sees: rates of the two pathways by channel since the choice began [Hz].

    ``new_go`` and ``new_stop`` are those since the last look, ``passed`` and ``since`` the times
    [ms], ``uniform`` a random number of the trial, ``idle`` whether doing nothing is a choice,
    and ``last`` whether the time to choose is over. ``new_output`` are the rates of the output by
    channel since the last look, None where a readout names no output.
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
    new_output: np.ndarray | None = None


class Readout(Protocol):
    """Chooses a channel. ``go`` and ``stop`` name the cell types of the two pathways.

    ``output``, if it has one, names the cell type that both of them act upon.
    """

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


@dataclass(frozen=True)
class Disinhibition:
    """The output of the circuit itself: an action is selected where its channel falls silent.

    The channel whose output fired below ``theta`` [Hz] over the last ``window`` [ms] is chosen, the
    lowest where there are several; if none is in time, nothing is. Both numbers are those by which
    Lindahl & Hellgren Kotaleski 2016 call an action selected.
    """

    go: str
    stop: str
    output: str
    theta: float = 14.0
    window: float = 100.0
    every: float | None = 10.0

    def fresh(self) -> list[float]:
        """Return an empty memory: spikes per cell by look and channel, the latest last."""
        return []

    def look(self, window: Window, memory: list[float]) -> tuple[int, list[float]]:
        """Return a channel that is low enough; before a whole window has passed `WAIT`."""
        rates: Any = window.new_output
        n = len(rates)
        looks = max(1, round(self.window / window.since))
        memory = [*memory, *(rates * window.since).tolist()][-looks * n:]
        if len(memory) == looks * n:
            means = np.array(memory).reshape(looks, n).sum(axis=0) / (looks * window.since)
            low = np.flatnonzero((means < self.theta) & (means == means.min()))
            if len(low):
                return int(low[int(window.uniform * len(low))]), memory
        return (NONE if window.last else WAIT), memory


def checked_readout(readout: Any) -> Any:
    """Return a readout, refused where it names no cell types or cannot be asked in time.

    Raises
    ------
    CircuitError
        A cell type that is no name, or a time between two looks that is none.
    """
    for key in ("go", "stop", "output"):
        if not isinstance(getattr(readout, key, ""), (str, type(None))):
            msg = f"readout: {key} must name a cell type (got {shown(getattr(readout, key))})"
            raise CircuitError(msg)
    every = readout.every
    if every is not None and (isinstance(every, bool) or not isinstance(every, (int, float))
                              or not 0 < every < math.inf):
        msg = f"readout: every must be a time above 0 ms, or None (got {shown(every)})"
        raise CircuitError(msg)
    return readout


def checked_look(readout: Any, window: Window, memory: list[float]) -> tuple[int, list[float]]:
    """Return what a readout chooses and remembers, refused where it is no channel.

    Raises
    ------
    CircuitError
        It raises, or returns something else than a channel, `WAIT` or `NONE`, and its memory.
    """
    try:
        chosen, after = readout.look(window, memory)
        after = [float(value) for value in after]
    except CircuitError:
        raise
    except Exception as error:
        msg = f"readout: look must not raise (got {type(error).__name__}: {shown(error)})"
        raise CircuitError(msg) from None
    whole = isinstance(chosen, (int, np.integer)) and not isinstance(chosen, bool)
    if not whole or not WAIT <= chosen < len(window.go):
        msg = (f"readout: look must return a channel below {len(window.go)}, {WAIT} to wait or "
               f"{NONE} for none (got {shown(chosen)})")
        raise CircuitError(msg)
    return int(chosen), after


def types_of(readout: Readout) -> tuple[str, ...]:
    """Return the cell types whose spikes a readout counts: go, stop and, if it has one, output."""
    output = getattr(readout, "output", None)
    return (readout.go, readout.stop) if output is None else (readout.go, readout.stop, output)
