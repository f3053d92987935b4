"""Firing rates: of each neuron over a recording, of a population over time.

In: spike times in ms and neuron ids. Out: rates in Hz. The checks and the binning that the other
analyses share are here too.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.errors import InputError
from neostriatum.units import plain_numbers

# A spike of step n has the time (n + 1) dt, so bins are open on the left and closed on the right.
# The slack, a fraction of a bin, keeps a time that rounding puts just above an edge in its bin.
SLACK = 1e-6


def checked_positive(name: str, value: float) -> float:
    """Return a finite number above zero, or refuse it.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : float
        The number.

    Returns
    -------
    float
        The same number.

    Raises
    ------
    InputError
        If it is not finite or not above zero.

    Examples
    --------
    >>> checked_positive("bin_ms", 10)
    10.0
    """
    number = plain_numbers(name, value)
    if isinstance(value, str) or number.ndim or not (np.isfinite(number) and number > 0):
        message = f"{name}: must be a finite number above 0 (got {value})"
        raise InputError(message)
    return float(number)


def checked_times(times_ms: ArrayLike, duration_ms: float | None = None) -> NDArray[np.float64]:
    """Return spike times as a flat float64 array, or refuse them.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order.
    duration_ms : float, optional
        Length of the recording [ms]; when given, no time may lie outside it.

    Returns
    -------
    ndarray of float64, shape (n_spikes,)
        The times [ms].

    Raises
    ------
    InputError
        If the array is not flat, or a time is not finite or lies outside the recording.

    Examples
    --------
    >>> checked_times([1, 2.5], duration_ms=10)
    array([1. , 2.5])
    """
    times = plain_numbers("times_ms", times_ms)
    if times.ndim != 1:
        message = f"times_ms: must be one-dimensional (got shape {times.shape})"
        raise InputError(message)
    if not np.isfinite(times).all():
        message = "times_ms: every time must be finite (got NaN or infinity)"
        raise InputError(message)
    if duration_ms is not None and times.size:
        first, last = times.min(), times.max()
        if first < 0 or last > duration_ms * (1 + SLACK):
            message = f"times_ms: must lie in 0 to {duration_ms:g} ms (got {first:g} to {last:g})"
            raise InputError(message)
    return times


def checked_ids(
    ids: ArrayLike, n: int | None = None, n_spikes: int | None = None
) -> NDArray[np.int64]:
    """Return neuron ids as a flat int64 array, or refuse them.

    Parameters
    ----------
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike.
    n : int, optional
        Number of neurons; when given, every id must be below it.
    n_spikes : int, optional
        Number of spike times; when given, there must be as many ids.

    Returns
    -------
    ndarray of int64, shape (n_spikes,)
        The ids.

    Raises
    ------
    InputError
        If the array is not flat, not of integers, of the wrong length, or an id is out of range.

    Examples
    --------
    >>> checked_ids([0, 2], n=3)
    array([0, 2])
    """
    array = np.asarray(ids)
    if array.ndim != 1:
        message = f"ids: must be one-dimensional (got shape {array.shape})"
        raise InputError(message)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        message = f"ids: must be integers (got dtype {array.dtype})"
        raise InputError(message)
    if n_spikes is not None and array.size != n_spikes:
        message = f"ids: must be one per spike time (got {array.size} ids for {n_spikes} times)"
        raise InputError(message)
    if n is not None and n < 0:
        message = f"n: must not be negative (got {n})"
        raise InputError(message)
    if n is not None and array.size and (array.min() < 0 or array.max() >= n):
        message = f"ids: must lie in 0 to n - 1 = {n - 1} (got {array.min()} to {array.max()})"
        raise InputError(message)
    return array.astype(np.int64, copy=False)


def bin_index(times_ms: NDArray[np.float64], bin_ms: float) -> NDArray[np.int64]:
    """Return the bin of each time; bin i holds the times in (i bin_ms, (i + 1) bin_ms].

    Parameters
    ----------
    times_ms : ndarray of float64, shape (n_spikes,)
        Times from the start of bin 0 [ms].
    bin_ms : float
        Width of a bin [ms].

    Returns
    -------
    ndarray of int64, shape (n_spikes,)
        The bins; a time of exactly 0 is in bin 0.

    Examples
    --------
    >>> bin_index(np.array([0.0, 0.1, 10.0, 10.1]), 10.0)
    array([0, 0, 0, 1])
    """
    return np.maximum(np.ceil(times_ms / bin_ms - SLACK).astype(np.int64) - 1, 0)


def rates_hz(ids: ArrayLike, n: int, duration_ms: float) -> NDArray[np.float64]:
    """Return the mean firing rate of each neuron.

    Parameters
    ----------
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike, 0 to n - 1.
    n : int
        Number of neurons, silent ones included.
    duration_ms : float
        Length of the recording [ms].

    Returns
    -------
    ndarray of float64, shape (n,)
        Rates [Hz]; 0 for a silent neuron.

    Raises
    ------
    InputError
        If an id is out of range or the duration is not above zero.

    Examples
    --------
    >>> rates_hz([0, 2, 2], n=3, duration_ms=500)
    array([2., 0., 4.])
    """
    duration_ms = checked_positive("duration_ms", duration_ms)
    counts = np.bincount(checked_ids(ids, n), minlength=n)
    return counts.astype(np.float64) * (1000.0 / duration_ms)


def population_rate(
    times_ms: ArrayLike, bin_ms: float, duration_ms: float, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rate of a population in time bins, per neuron.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times of the population [ms], in any order, in 0 to `duration_ms`.
    bin_ms : float
        Width of a bin [ms]. The last bin is narrower where it does not divide the duration.
    duration_ms : float
        Length of the recording [ms].
    n : int
        Number of neurons in the population, silent ones included.

    Returns
    -------
    edges_ms : ndarray of float64, shape (n_bins + 1,)
        Edges of the bins [ms], from 0 to `duration_ms`.
    rate_hz : ndarray of float64, shape (n_bins,)
        Spikes per neuron and second in each bin [Hz], by the bin's own width.

    Raises
    ------
    InputError
        If a time lies outside the recording, or a width, the duration or `n` is not above zero.

    Examples
    --------
    >>> edges_ms, rate_hz = population_rate([1.0, 10.0, 12.0], bin_ms=10, duration_ms=25, n=2)
    >>> edges_ms
    array([ 0., 10., 20., 25.])
    >>> rate_hz
    array([100.,  50.,   0.])
    """
    bin_ms = checked_positive("bin_ms", bin_ms)
    duration_ms = checked_positive("duration_ms", duration_ms)
    if n < 1:
        message = f"n: must be at least 1 neuron (got {n})"
        raise InputError(message)
    times = checked_times(times_ms, duration_ms)
    bins = max(int(np.ceil(duration_ms / bin_ms - SLACK)), 1)
    edges_ms = np.arange(bins + 1, dtype=np.float64) * bin_ms
    edges_ms[-1] = duration_ms
    index = np.minimum(bin_index(times, bin_ms), bins - 1)
    counts = np.bincount(index, minlength=bins)
    return edges_ms, counts.astype(np.float64) * 1000.0 / (n * np.diff(edges_ms))
