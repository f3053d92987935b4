"""Cell assemblies: groups of neurons that fire together more than chance, and when they do.

In: spike times in ms and neuron ids. Out: one pattern of weights per assembly, its members, and
how strongly it is active in each bin of time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.correlation import sampled_counts
from neostriatum.analysis.counts import whole_bins
from neostriatum.analysis.rates import bin_index, checked_ids, checked_times

#: Rounds of the independent component analysis at most, and the change at which it stops.
ROUNDS, STILL = 500, 1e-8


@dataclass(frozen=True, slots=True)
class Assemblies:
    """Assemblies of ``k`` neurons, the strongest first.

    Attributes
    ----------
    ids : ndarray of int64, shape (k,)
        The neurons that were compared, ascending.
    patterns : ndarray of float64, shape (n_assemblies, k)
        Weights of the neurons, of length 1, the largest one positive.
    members : tuple of ndarray of int64
        The ids that carry each pattern.
    strength : ndarray of float64, shape (n_assemblies, bins)
        Activation of each pattern in each bin.
    eigenvalues : ndarray of float64, shape (k,)
        Of the correlation matrix, the largest first.
    limit : float
        Largest eigenvalue that independent neurons would have; NaN without neurons.
    """

    ids: NDArray[np.int64]
    patterns: NDArray[np.float64]
    members: tuple[NDArray[np.int64], ...]
    strength: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    limit: float


def cell_assemblies(
    times_ms: ArrayLike,
    ids: ArrayLike,
    n: int,
    duration_ms: float,
    bin_ms: float = 25.0,
    sample: int = 500,
    seed: int = 0,
) -> Assemblies:
    """Return the cell assemblies of a population by principal and independent components.

    Lopes-dos-Santos, Ribeiro and Tort 2013, doi:10.1016/j.jneumeth.2013.04.010: the counts of each
    neuron are brought to mean 0 and variance 1; as many assemblies as eigenvalues of their
    correlation matrix exceed the limit of Marchenko and Pastur, (1 + sqrt(k / bins))^2, here with
    the correction k^(-2/3) for a finite matrix (Peyrache et al. 2010,
    doi:10.1007/s10827-009-0154-6); independent components within those dimensions are the
    patterns; strength is z P z with P the outer product of a pattern, its diagonal set to 0, so
    that a neuron alone does not activate it.

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
        Neurons to compare, drawn from those with at least one spike; at least 2. The limit holds
        for more bins than neurons, so never more than there are bins.
    seed : int
        Seed of that draw, and where the components begin.

    Returns
    -------
    Assemblies
        Patterns, members and strength. Members are the neurons above the threshold that best
        splits the weights of a pattern in two (Otsu 1979, doi:10.1109/TSMC.1979.4310076).

    Raises
    ------
    InputError
        If the arrays do not match or are out of range, fewer than two whole bins fit into the
        recording, or `sample` is below 2.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> own = rng.random((20, 4000)) < 0.05
    >>> own[3:8] |= rng.random(4000) < 0.03
    >>> ids, at = own.nonzero()
    >>> found = cell_assemblies(at * 25.0 + 10, ids, n=20, duration_ms=100_000)
    >>> found.members
    (array([3, 4, 5, 6, 7]),)
    """
    bins = whole_bins(duration_ms, bin_ms)
    times = checked_times(times_ms, duration_ms)
    neurons = checked_ids(ids, n, n_spikes=times.size)
    index = bin_index(times, bin_ms)
    inside = index < bins
    chosen, counts = sampled_counts(neurons[inside], index[inside], bins, min(sample, bins), seed)
    varies = np.ptp(counts, axis=1) > 0
    chosen, counts = chosen[varies], counts[varies]
    if chosen.size < 2:
        return Assemblies(chosen, np.empty((0, chosen.size)), (), np.empty((0, bins)),
                          np.ones(chosen.size), float("nan"))
    z = (counts - counts.mean(axis=1, keepdims=True)) / counts.std(axis=1, keepdims=True)
    eigenvalues, vectors = np.linalg.eigh(z @ z.T / bins)
    limit = (1 + np.sqrt(chosen.size / bins)) ** 2 + chosen.size ** (-2 / 3)
    large = eigenvalues > limit
    patterns = _patterns(vectors[:, large], eigenvalues[large], z, seed)
    strength = (patterns @ z) ** 2 - patterns**2 @ z**2
    order = np.argsort(-strength.var(axis=1), kind="stable")
    patterns, strength = patterns[order], strength[order]
    members = tuple(chosen[_above(weights)] for weights in patterns)
    return Assemblies(chosen, patterns, members, strength, eigenvalues[::-1], float(limit))


def _patterns(
    vectors: NDArray[np.float64], eigenvalues: NDArray[np.float64], z: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """Return independent components in the space of some eigenvectors (k, m), as rows (m, k)."""
    m = eigenvalues.size
    if not m:
        return np.empty((0, vectors.shape[0]))
    white = vectors.T @ z / np.sqrt(eigenvalues)[:, None]
    mixing = np.linalg.qr(np.random.default_rng(seed).normal(size=(m, m)))[0]
    # Symmetric fixed-point iteration with tanh (Hyvaerinen 1999, doi:10.1109/72.761722).
    for _ in range(ROUNDS if m > 1 else 0):
        bent = np.tanh(mixing @ white)
        new = bent @ white.T / z.shape[1] - (1 - bent**2).mean(axis=1)[:, None] * mixing
        left, _, right = np.linalg.svd(new)
        change = np.abs(np.abs(((left @ right) * mixing).sum(axis=1)) - 1).max()
        mixing = left @ right
        if change < STILL:
            break
    patterns = mixing @ vectors.T
    largest = patterns[np.arange(m), np.abs(patterns).argmax(axis=1)]
    return patterns * np.sign(largest)[:, None]


def _above(weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which weights lie above the split with the largest variance between its two sides."""
    ranked = np.sort(weights)
    below = np.arange(1, ranked.size)
    sums = np.cumsum(ranked)[:-1]
    gap = (ranked.sum() - sums) / (ranked.size - below) - sums / below
    return weights >= ranked[1:][(below * (ranked.size - below) * gap**2).argmax()]
