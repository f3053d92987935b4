"""Irregularity of firing: CV and CV2 of the intervals between the spikes of each neuron.

In: spike times in ms and neuron ids, in any order. Out: the neurons with enough intervals, and
one number each. A Poisson train has both near 1, a regular train has both 0.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.rates import checked_ids, checked_times
from neostriatum.errors import InputError


def isi(times_ms: ArrayLike, ids: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the intervals between successive spikes of each neuron.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike.

    Returns
    -------
    ids : ndarray of int64, shape (n_intervals,)
        The neuron of each interval, ascending.
    intervals_ms : ndarray of float64, shape (n_intervals,)
        The intervals [ms], in the order of time within a neuron.

    Raises
    ------
    InputError
        If the arrays do not match, or a neuron has two spikes at the same time.

    Examples
    --------
    >>> isi([1.0, 2.0, 4.0, 7.0], [5, 3, 5, 5])
    (array([5, 5]), array([3., 3.]))
    """
    times = checked_times(times_ms)
    neurons = checked_ids(ids, n_spikes=times.size)
    order = np.lexsort((times, neurons))
    times, neurons = times[order], neurons[order]
    same = neurons[1:] == neurons[:-1]
    intervals_ms = np.diff(times)[same]
    if intervals_ms.size and intervals_ms.min() <= 0:
        twice = neurons[1:][same][np.argmin(intervals_ms)]
        message = f"times_ms: a neuron spikes once at a time (got two equal times for id {twice})"
        raise InputError(message)
    return neurons[1:][same], intervals_ms


def isi_cv(
    times_ms: ArrayLike, ids: ArrayLike, minimum_intervals: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the coefficient of variation of each neuron's intervals.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike.
    minimum_intervals : int
        A neuron with fewer intervals is left out; at least 2.

    Returns
    -------
    ids : ndarray of int64, shape (n_neurons,)
        The neurons with enough intervals, ascending.
    cv : ndarray of float64, shape (n_neurons,)
        Standard deviation (ddof 0) over mean of their intervals.

    Raises
    ------
    InputError
        If the arrays do not match, a neuron has two spikes at the same time, or
        `minimum_intervals` is below 2.

    Notes
    -----
    In a short recording only the fastest neurons have enough intervals, and long intervals are
    cut off, so the CV of slow neurons is biased downwards.

    Examples
    --------
    >>> isi_cv([0.0, 1.0, 4.0, 5.0, 8.0], [7, 7, 7, 7, 7], minimum_intervals=2)
    (array([7]), array([0.5]))
    """
    owners, intervals_ms = isi(times_ms, ids)
    neurons, starts, counts = _grouped(owners, minimum_intervals)
    if not neurons.size:
        return neurons, np.empty(0)
    means_ms = np.add.reduceat(intervals_ms, starts) / counts
    deviations_ms = intervals_ms - np.repeat(means_ms, counts)
    sds_ms = np.sqrt(np.add.reduceat(deviations_ms**2, starts) / counts)
    enough = counts >= minimum_intervals
    return neurons[enough], (sds_ms / means_ms)[enough]


def isi_cv2(
    times_ms: ArrayLike, ids: ArrayLike, minimum_intervals: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the CV2 of each neuron, the local measure of irregularity.

    CV2 is the mean over successive intervals I, J of 2 abs(J - I) / (J + I) (Holt et al. 1996,
    doi:10.1152/jn.1996.75.5.1806). Unlike the CV it is not raised by a slowly changing rate.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike.
    minimum_intervals : int
        A neuron with fewer intervals is left out; at least 2.

    Returns
    -------
    ids : ndarray of int64, shape (n_neurons,)
        The neurons with enough intervals, ascending.
    cv2 : ndarray of float64, shape (n_neurons,)
        Their CV2, from 0 to 2.

    Raises
    ------
    InputError
        If the arrays do not match, a neuron has two spikes at the same time, or
        `minimum_intervals` is below 2.

    Examples
    --------
    >>> isi_cv2([0.0, 1.0, 4.0, 5.0, 8.0], [7, 7, 7, 7, 7], minimum_intervals=2)
    (array([7]), array([1.]))
    """
    owners, intervals_ms = isi(times_ms, ids)
    same = owners[1:] == owners[:-1]
    changes = 2 * np.abs(np.diff(intervals_ms)) / (intervals_ms[1:] + intervals_ms[:-1])
    # n intervals make n - 1 changes; isi_cv and isi_cv2 keep the same neurons.
    neurons, starts, counts = _grouped(owners[1:][same], minimum_intervals)
    if not neurons.size:
        return neurons, np.empty(0)
    cv2 = np.add.reduceat(changes[same], starts) / counts
    enough = counts + 1 >= minimum_intervals
    return neurons[enough], cv2[enough]


def _grouped(
    owners: NDArray[np.int64], minimum_intervals: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct values of a sorted array, where each starts and how many there are."""
    if minimum_intervals < 2:
        message = f"minimum_intervals: must be at least 2 (got {minimum_intervals})"
        raise InputError(message)
    return np.unique(owners, return_index=True, return_counts=True)
