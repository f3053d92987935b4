"""Spike counts in windows: how much they vary over time, neuron by neuron.

In: spike times in ms and neuron ids. Out: counts summed over windows, and the Fano factor. Memory
grows with the spikes, never with neurons times windows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.rates import (
    SLACK,
    bin_index,
    checked_ids,
    checked_positive,
    checked_times,
)
from neostriatum.errors import InputError
from neostriatum.units import plain_numbers


def whole_bins(duration_ms: float, bin_ms: float) -> int:
    """Return how many whole bins fit into a recording; at least two must.

    Parameters
    ----------
    duration_ms, bin_ms : float
        Length of the recording and width of a bin [ms].

    Returns
    -------
    int
        Their number; an unfinished bin at the end does not count.

    Raises
    ------
    InputError
        If one is not above zero or fewer than two fit.

    Examples
    --------
    >>> whole_bins(35.0, 10.0)
    3
    """
    duration_ms = checked_positive("duration_ms", duration_ms)
    bins = int(np.floor(duration_ms / checked_positive("bin_ms", bin_ms) + SLACK))
    if bins < 2:
        message = f"bin_ms: two whole bins must fit into {duration_ms:g} ms (got {bin_ms:g} ms)"
        raise InputError(message)
    return bins


def count_moments(
    times_ms: ArrayLike, ids: ArrayLike, n: int, duration_ms: float, bin_ms: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance over bins of the spike count of each neuron.

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
        Width of a bin [ms]; an unfinished bin at the end is left out.

    Returns
    -------
    mean : ndarray of float64, shape (n,)
        Mean count.
    variance : ndarray of float64, shape (n,)
        Its variance over the bins (ddof 0).

    Raises
    ------
    InputError
        If the arrays do not match or are out of range, or fewer than two whole bins fit.

    Examples
    --------
    >>> count_moments([1.0, 2.0, 11.0], [0, 0, 1], n=3, duration_ms=20, bin_ms=10)
    (array([1. , 0.5, 0. ]), array([1.  , 0.25, 0.  ]))
    """
    bins = whole_bins(duration_ms, bin_ms)
    times = checked_times(times_ms, duration_ms)
    neurons = checked_ids(ids, n, n_spikes=times.size)
    index = bin_index(times, bin_ms)
    inside = index < bins
    return _moments(neurons[inside] * bins + index[inside], n, bins)


def fano_factor(
    times_ms: ArrayLike,
    ids: ArrayLike,
    n: int,
    duration_ms: float,
    window_ms: float,
    starts_ms: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the Fano factor of each neuron: variance over mean of its counts in windows.

    It is 1 for a Poisson process at any window, and for a renewal process tends to CV^2 in long
    windows (Nawrot et al. 2008, doi:10.1016/j.jneumeth.2007.10.013).

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
    window_ms : float
        Length of a window [ms].
    starts_ms : array_like, shape (n_windows,), optional
        Where the windows begin [ms], one per trial, rising and without overlap; at least 2. By
        default they follow one another from 0, and an unfinished one at the end is left out.

    Returns
    -------
    ndarray of float64, shape (n,)
        Variance (ddof 0) over mean; NaN for a neuron without a spike in any window.

    Raises
    ------
    InputError
        If the arrays do not match or are out of range, fewer than two windows fit, or the windows
        overlap or reach outside the recording.

    Examples
    --------
    >>> fano_factor([1.0, 2.0, 11.0], [0, 0, 1], n=3, duration_ms=20, window_ms=10)
    array([1. , 0.5, nan])
    """
    if starts_ms is None:
        bins = whole_bins(duration_ms, window_ms)
        starts = np.arange(bins) * float(window_ms)
    else:
        starts = _checked_starts(starts_ms, checked_positive("duration_ms", duration_ms),
                                 checked_positive("window_ms", window_ms))
    times = checked_times(times_ms, duration_ms)
    neurons = checked_ids(ids, n, n_spikes=times.size)
    slack = SLACK * window_ms
    # A window holds (start, start + window], as a bin does, and the first one a time of 0 too.
    index = np.searchsorted(starts, times - slack, side="left") - 1
    index[(times <= slack) & (starts[0] == 0)] = 0
    inside = index >= 0
    inside[inside] = times[inside] <= starts[index[inside]] + window_ms + slack
    mean, variance = _moments(neurons[inside] * starts.size + index[inside], n, starts.size)
    with np.errstate(invalid="ignore"):
        return np.where(mean > 0, variance / mean, np.nan)


def _checked_starts(
    starts_ms: ArrayLike, duration_ms: float, window_ms: float
) -> NDArray[np.float64]:
    """Return the starts of windows that lie in the recording one after another."""
    starts = plain_numbers("starts_ms", starts_ms)
    slack = SLACK * window_ms
    if starts.ndim != 1 or starts.size < 2 or not np.isfinite(starts).all():
        message = f"starts_ms: must be at least 2 finite times (got shape {starts.shape})"
        raise InputError(message)
    if np.diff(starts).min() < window_ms - slack:
        message = (f"starts_ms: windows of {window_ms:g} ms must not overlap "
                   f"(got two starts {np.diff(starts).min():g} ms apart)")
        raise InputError(message)
    if starts[0] < 0 or starts[-1] + window_ms > duration_ms + slack:
        message = (f"starts_ms: windows must lie in 0 to {duration_ms:g} ms "
                   f"(got {starts[0]:g} to {starts[-1] + window_ms:g} ms)")
        raise InputError(message)
    return starts


def _moments(
    keys: NDArray[np.int64], n: int, bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance per neuron, from one key, neuron * bins + bin, per spike."""
    keys = np.sort(keys)
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(first, append=keys.size)
    neurons = keys[first] // bins
    total = np.bincount(neurons, counts, minlength=n)
    squares = np.bincount(neurons, counts.astype(np.float64) ** 2, minlength=n)
    mean = total / bins
    # Counts are whole numbers, so both sums are exact and an even count has no variance.
    return mean, np.maximum(squares * bins - total**2, 0.0) / bins**2
