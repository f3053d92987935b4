"""Correlation of spike counts between pairs of neurons.

In: spike times in ms and neuron ids. Out: mean and spread of the pairwise Pearson correlation
over a seeded sample of the active neurons.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.counts import whole_bins
from neostriatum.analysis.rates import bin_index, checked_ids, checked_times
from neostriatum.errors import InputError


@dataclass(frozen=True, slots=True)
class CountCorrelation:
    """Pairwise count correlations in summary.

    Attributes
    ----------
    mean : float
        Mean Pearson correlation over the pairs; NaN without a pair.
    sd : float
        Standard deviation over the pairs (ddof 1); NaN below two pairs.
    pairs : int
        Number of pairs.

    Examples
    --------
    >>> CountCorrelation(mean=0.01, sd=0.05, pairs=124750).pairs
    124750
    """

    mean: float
    sd: float
    pairs: int


def count_correlation(
    times_ms: ArrayLike,
    ids: ArrayLike,
    n: int,
    duration_ms: float,
    bin_ms: float,
    sample: int = 500,
    seed: int = 0,
) -> CountCorrelation:
    """Return the mean pairwise correlation of spike counts.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order, in 0 to `duration_ms`.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike, 0 to n - 1.
    n : int
        Number of neurons, silent ones included.
    duration_ms : float
        Length of the recording [ms].
    bin_ms : float
        Width of a counting bin [ms]; an unfinished bin at the end is left out.
    sample : int
        Neurons to compare, drawn from those with at least one spike; at least 2.
    seed : int
        Seed of that draw.

    Returns
    -------
    CountCorrelation
        Mean, sd and number of pairs. A neuron with the same count in every bin has no
        correlation with anything and makes no pair.

    Raises
    ------
    InputError
        If the arrays do not match or are out of range, fewer than two whole bins fit into the
        recording, or `sample` is below 2.

    Examples
    --------
    >>> times_ms = [1.0, 1.0, 11.0, 11.0, 25.0]
    >>> count_correlation(times_ms, [0, 1, 0, 1, 2], n=4, duration_ms=30, bin_ms=10).pairs
    3
    """
    bins = whole_bins(duration_ms, bin_ms)
    times = checked_times(times_ms, duration_ms)
    neurons = checked_ids(ids, n, n_spikes=times.size)
    index = bin_index(times, bin_ms)
    inside = index < bins
    _, counts = sampled_counts(neurons[inside], index[inside], bins, sample, seed)
    return _summary(counts)


def sampled_counts(
    neurons: NDArray[np.int64], index: NDArray[np.int64], bins: int, sample: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return a sample of the neurons with a spike, and their spike counts.

    Parameters
    ----------
    neurons, index : ndarray of int64, shape (n_spikes,)
        Neuron and bin of each spike.
    bins : int
        Number of bins.
    sample : int
        Neurons to draw at most; at least 2.
    seed : int
        Seed of that draw.

    Returns
    -------
    ids : ndarray of int64, shape (k,)
        The neurons drawn, ascending.
    counts : ndarray of float64, shape (k, bins)
        Their counts.

    Raises
    ------
    InputError
        If `sample` is below 2.

    Examples
    --------
    >>> sampled_counts(np.array([3, 3, 5]), np.array([0, 1, 1]), bins=2, sample=2, seed=0)
    (array([3, 5]), array([[1., 1.], [0., 1.]]))
    """
    if sample < 2:
        message = f"sample: must be at least 2 neurons (got {sample})"
        raise InputError(message)
    active = np.flatnonzero(np.bincount(neurons))
    if active.size > sample:
        active = np.sort(np.random.default_rng(seed).choice(active, sample, replace=False))
    if not active.size:
        return active, np.empty((0, bins))
    row = np.full(active[-1] + 1, -1)
    row[active] = np.arange(active.size)
    known = neurons < row.size
    at = row[neurons[known]]
    flat = at[at >= 0] * bins + index[known][at >= 0]
    counts = np.bincount(flat, minlength=active.size * bins)
    return active, counts.reshape(active.size, bins).astype(np.float64)


def standardised(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of mean 0 and length 1, so that products of them are Pearson correlations.

    Examples
    --------
    >>> standardised(np.array([[0.0, 1.0, 2.0]])).round(3)
    array([[-0.707, 0. , 0.707]])
    """
    centred = counts - counts.mean(axis=1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def _summary(counts: NDArray[np.float64]) -> CountCorrelation:
    """Return mean and sd over all pairs of rows that vary."""
    counts = counts[np.ptp(counts, axis=1) > 0] if counts.size else counts
    rows = counts.shape[0]
    if rows < 2:
        return CountCorrelation(mean=float("nan"), sd=float("nan"), pairs=0)
    unit = standardised(counts)
    pairwise = (unit @ unit.T)[np.triu_indices(rows, k=1)]
    sd = float(pairwise.std(ddof=1)) if pairwise.size > 1 else float("nan")
    return CountCorrelation(mean=float(pairwise.mean()), sd=sd, pairs=int(pairwise.size))
