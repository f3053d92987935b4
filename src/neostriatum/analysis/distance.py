"""Correlation of spike counts against the distance of the somas.

In: spike times in ms, neuron ids and positions in um. Out: mean and spread of the pairwise
correlation in bins of distance, over a seeded sample of the active neurons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.correlation import sampled_counts, standardised
from neostriatum.analysis.counts import whole_bins
from neostriatum.analysis.field import checked_positions, offsets
from neostriatum.analysis.rates import bin_index, checked_ids, checked_times
from neostriatum.errors import InputError
from neostriatum.units import plain_numbers


@dataclass(frozen=True, slots=True)
class DistanceCorrelation:
    """Pairwise count correlations by distance: ``edges_um`` (b + 1,), everything else (b,).

    ``mean`` and ``sd`` (ddof 1) are NaN in a bin without pairs, ``sd`` also with one.
    """

    edges_um: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    pairs: NDArray[np.int64]


def correlation_by_distance(
    times_ms: ArrayLike,
    ids: ArrayLike,
    positions_um: ArrayLike,
    duration_ms: float,
    bin_ms: float,
    edges_um: ArrayLike,
    side_um: float | None = None,
    sample: int = 1000,
    seed: int = 0,
) -> DistanceCorrelation:
    """Return the mean pairwise correlation of spike counts in bins of distance.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order, in 0 to `duration_ms`.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike, 0 to n - 1.
    positions_um : array_like, shape (n, 3)
        Positions of the somas [um].
    duration_ms : float
        Length of the recording [ms].
    bin_ms : float
        Width of a counting bin [ms]; an unfinished bin at the end is left out.
    edges_um : array_like, shape (b + 1,)
        Edges of the bins of distance [um], rising, from 0 on.
    side_um : float, optional
        Side of the periodic cube [um], where distances are to the nearest image.
    sample : int
        Neurons to compare, drawn from those with at least one spike; at least 2.
    seed : int
        Seed of that draw.

    Returns
    -------
    DistanceCorrelation
        Mean, sd and number of pairs in each bin. As in `count_correlation`, a neuron with the
        same count in every bin makes no pair.

    Raises
    ------
    InputError
        If the arrays do not match or are out of range, fewer than two whole bins fit into the
        recording, the edges do not rise from 0 on, or `sample` is below 2.

    Examples
    --------
    >>> found = correlation_by_distance([1.0, 1.0, 11.0], [0, 1, 2], [[0, 0, 0], [9, 0, 0],
    ...     [60, 0, 0]], duration_ms=30, bin_ms=10, edges_um=[0, 50, 100])
    >>> found.pairs, found.mean.round(2)
    (array([1, 2]), array([ 1. , -0.5]))
    """
    bins = whole_bins(duration_ms, bin_ms)
    positions = checked_positions(positions_um)
    edges = plain_numbers("edges_um", edges_um)
    if edges.ndim != 1 or edges.size < 2 or not np.isfinite(edges).all() or edges[0] < 0 or (
            np.diff(edges).min() <= 0):
        message = f"edges_um: must be at least 2 and rise from 0 on (got shape {edges.shape})"
        raise InputError(message)
    times = checked_times(times_ms, duration_ms)
    neurons = checked_ids(ids, len(positions), n_spikes=times.size)
    index = bin_index(times, bin_ms)
    inside = index < bins
    chosen, counts = sampled_counts(neurons[inside], index[inside], bins, sample, seed)
    varies = np.ptp(counts, axis=1) > 0
    rows, at = standardised(counts[varies]), positions[chosen[varies]]
    sums = np.zeros((3, edges.size - 1))
    # One neuron against those after it: the matrix of all pairs is never held at once.
    for one in range(len(rows) - 1):
        away_um = np.sqrt((offsets(at[one + 1 :], at[one], side_um) ** 2).sum(axis=1))
        place = np.searchsorted(edges, away_um, side="right") - 1
        near = (place >= 0) & (place < edges.size - 1)
        pairwise = (rows[one + 1 :] @ rows[one])[near]
        for row, values in enumerate((np.ones(pairwise.size), pairwise, pairwise**2)):
            sums[row] += np.bincount(place[near], values, minlength=edges.size - 1)
    pairs, total, squares = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(pairs > 0, total / pairs, np.nan)
        rest = np.maximum(squares - pairs * mean**2, 0.0)
        sd = np.where(pairs > 1, np.sqrt(rest / (pairs - 1)), np.nan)
    return DistanceCorrelation(edges, mean, sd, pairs.astype(np.int64))
