"""Synchrony of a population: how much of its fluctuation survives the average over neurons.

In: signals of all neurons, or spike times and ids. Out: chi of Golomb and Rinzel, 1 where all
neurons do the same, of the order of 1 / sqrt(n) where they are independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neostriatum.analysis.counts import count_moments, whole_bins
from neostriatum.analysis.rates import bin_index, checked_times
from neostriatum.errors import InputError


def signal_synchrony(signals: ArrayLike) -> float:
    """Return chi of the signals of a population, as of its membrane potentials.

    chi^2 is the variance over time of the mean signal over the mean of the variances of the
    single signals (Golomb and Rinzel 1993, doi:10.1103/PhysRevE.48.4810; Golomb 2007,
    doi:10.4249/scholarpedia.1347).

    Parameters
    ----------
    signals : array_like, shape (n_samples, n_neurons)
        One signal per neuron, of any unit; cut the spikes off potentials.

    Returns
    -------
    float
        chi, 0 to 1; NaN where no signal varies.

    Raises
    ------
    InputError
        If the array is not of two dimensions, has no neuron, fewer than 2 samples, or a value
        that is not finite.

    Examples
    --------
    >>> signal_synchrony([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]])
    1.0
    """
    values = np.asarray(signals, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        message = f"signals: must be at least 2 samples of 1 neuron (got shape {values.shape})"
        raise InputError(message)
    if not np.isfinite(values).all():
        message = "signals: every value must be finite (got NaN or infinity)"
        raise InputError(message)
    # A constant that every signal carries would cost digits.
    values = values - values[0]
    single = values.var(axis=0).mean()
    return float(np.sqrt(values.mean(axis=1).var() / single)) if single > 0 else float("nan")


def count_synchrony(
    times_ms: ArrayLike, ids: ArrayLike, n: int, duration_ms: float, bin_ms: float
) -> float:
    """Return chi of the spike counts of a population.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order, in 0 to `duration_ms`.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike, 0 to n - 1.
    n : int
        Number of neurons. A neuron with the same count in every bin, a silent one too, has
        nothing to share and is left out of the average.
    duration_ms : float
        Length of the recording [ms].
    bin_ms : float
        Width of a counting bin [ms]; an unfinished bin at the end is left out.

    Returns
    -------
    float
        chi, as of `signal_synchrony` of the counts of the neurons that vary; NaN without one.

    Raises
    ------
    InputError
        If the arrays do not match or are out of range, or fewer than two whole bins fit.

    Examples
    --------
    >>> count_synchrony([1.0, 1.0, 25.0, 25.0], [0, 1, 0, 1], n=3, duration_ms=30, bin_ms=10)
    1.0
    """
    bins = whole_bins(duration_ms, bin_ms)
    _, variance = count_moments(times_ms, ids, n, duration_ms, bin_ms)
    varying = variance > 0
    if not varying.any():
        return float("nan")
    index = bin_index(checked_times(times_ms), bin_ms)
    # Those that do not vary add a constant to the sum, and so nothing to its variance.
    together = np.bincount(index[index < bins], minlength=bins)
    return float(np.sqrt(together.var() / (varying.sum() * variance[varying].sum())))
