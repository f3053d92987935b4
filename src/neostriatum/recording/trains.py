"""Spikes by neuron, and rates by time: what the exports share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neostriatum.recording.store import Run

#: Width of a bin of the population rate [ms].
BIN_MS = 10.0
#: A time this much below the edge of a bin, as a share of the bin, lies on it.
_SLACK = 1e-9


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


def population_rates(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return the rate of every cell type per neuron, in bins of `BIN_MS`.

    Returns
    -------
    tuple
        Starts of the bins [ms], (n_bins,); rates [Hz], (n_bins, n_types) in the order of
        ``run.populations``, 0 for a type without neurons. The last bin ends with the run and counts
        by its own width.
    """
    spikes, spans = run.spikes, run.populations
    bins = max(int(np.ceil(run.duration_ms / BIN_MS - _SLACK)), 1)
    starts_ms = np.arange(bins) * BIN_MS
    widths_s = np.diff(np.append(starts_ms, run.duration_ms)) / 1000
    index = np.minimum((spikes.times_ms / BIN_MS + _SLACK).astype(np.int64), bins - 1)
    rates = np.zeros((bins, len(spans)))
    for column, span in enumerate(spans.values()):
        mine = (spikes.ids >= span.start) & (spikes.ids < span.stop)
        rates[:, column] = np.bincount(index[mine], minlength=bins) / widths_s / max(len(span), 1)
    return starts_ms, rates
