"""What exports share: spike trains neuron by neuron, and the clock of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neostriatum.engines.base import Trace


@dataclass(frozen=True)
class Trains:
    """Spike trains of many neurons, one after the other.

    Attributes
    ----------
    times_ms : numpy.ndarray
        float64 (n_spikes,), neuron after neuron, rising within each [ms].
    offsets : numpy.ndarray
        int64 (n_neurons + 1,); neuron i has ``times_ms[offsets[i]:offsets[i + 1]]``.
    """

    times_ms: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, neuron: int) -> np.ndarray:
        return self.times_ms[self.offsets[neuron] : self.offsets[neuron + 1]]


def trains(times_ms: np.ndarray, ids: np.ndarray, n: int) -> Trains:
    """Return flat spikes as the trains of n neurons, silent ones included.

    Parameters
    ----------
    times_ms : numpy.ndarray
        (n_spikes,), rising [ms].
    ids : numpy.ndarray
        int (n_spikes,), 0 to n - 1.
    n : int
        Number of neurons.

    Examples
    --------
    >>> made = trains(np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), n=3)
    >>> [train.tolist() for train in made]
    [[2.0], [], [1.0, 3.0]]
    """
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(ids, minlength=n), out=offsets[1:])
    return Trains(times_ms[np.argsort(ids, kind="stable")], offsets)


def clock(trace: Trace, dt_ms: float) -> tuple[float, float]:
    """Return first time and step of a trace [ms], as decimals and not as their differences.

    Parameters
    ----------
    trace : Trace
        Recorded at regular times; one with fewer than two has the step of the simulation.
    dt_ms : float
        That step [ms].

    Examples
    --------
    >>> from neostriatum.engines.base import Trace
    >>> clock(Trace(np.array([0]), 0.1 * np.arange(1, 4), np.zeros((3, 1))), dt_ms=0.1)
    (0.1, 0.1)
    """
    times = trace.times_ms
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else dt_ms
    return round(float(times[0]) if len(times) else dt_ms, 9), round(float(step), 9)
