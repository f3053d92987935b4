"""The peristimulus time histogram: the rate of a population around repeated events.

In: spike times and times of events in ms. Out: edges in ms relative to an event, rates in Hz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.rates import SLACK, bin_index, checked_positive, checked_times
from neostriatum.errors import InputError
from neostriatum.units import plain_numbers


def peristimulus_rate(
    times_ms: ArrayLike,
    events_ms: ArrayLike,
    before_ms: float,
    after_ms: float,
    bin_ms: float,
    duration_ms: float,
    n: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rate of a population around events, per neuron, averaged over the events.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times of the population [ms], in any order, in 0 to `duration_ms`.
    events_ms : array_like, shape (n_events,)
        Times of the events [ms]; the window around each lies in the recording.
    before_ms, after_ms : float
        Length of the window before and after an event [ms]; one of them may be 0.
    bin_ms : float
        Width of a bin [ms], which divides both; an event lies on an edge.
    duration_ms : float
        Length of the recording [ms].
    n : int
        Number of neurons in the population, silent ones included.

    Returns
    -------
    edges_ms : ndarray of float64, shape (n_bins + 1,)
        Edges of the bins relative to an event [ms], from -before to after.
    rate_hz : ndarray of float64, shape (n_bins,)
        Spikes per neuron, event and second in each bin [Hz].

    Raises
    ------
    InputError
        If a time lies outside the recording, there is no event, a window reaches outside, is empty
        or is not of whole bins, or `n` is below 1.

    Examples
    --------
    >>> peristimulus_rate([12.0, 52.0, 58.0], [10.0, 50.0], before_ms=5, after_ms=10, bin_ms=5,
    ...                   duration_ms=100, n=1)
    (array([-5., 0., 5., 10.]), array([ 0., 200., 100.]))
    """
    bin_ms = checked_positive("bin_ms", bin_ms)
    duration_ms = checked_positive("duration_ms", duration_ms)
    if n < 1:
        message = f"n: must be at least 1 neuron (got {n})"
        raise InputError(message)
    sides = np.array([plain_numbers("before_ms", before_ms), plain_numbers("after_ms", after_ms)])
    whole = np.rint(sides / bin_ms)
    if (not np.isfinite(sides).all() or sides.min() < 0 or sides.max() == 0
            or np.abs(sides / bin_ms - whole).max() > SLACK):
        message = ("before_ms, after_ms: must be whole numbers of bins, from 0 on and not both 0 "
                   f"(got {before_ms:g} and {after_ms:g} ms in bins of {bin_ms:g} ms)")
        raise InputError(message)
    events = plain_numbers("events_ms", events_ms)
    slack = SLACK * bin_ms
    if (events.ndim != 1 or not events.size or not np.isfinite(events).all()
            or events.min() < before_ms - slack or events.max() + after_ms > duration_ms + slack):
        message = (f"events_ms: must be at least one, and the window from {before_ms:g} ms before "
                   f"to {after_ms:g} ms after lie in 0 to {duration_ms:g} ms")
        raise InputError(message)
    times = np.sort(checked_times(times_ms, duration_ms))
    bins = int(whole.sum())
    counts = np.zeros(bins, dtype=np.int64)
    for start_ms in events - before_ms:
        # A bin is open on the left, but a spike at time 0 belongs to the first one.
        first = np.searchsorted(times, start_ms + slack, side="right") if start_ms > slack else 0
        last = np.searchsorted(times, start_ms + bins * bin_ms + slack, side="right")
        index = bin_index(times[first:last] - start_ms, bin_ms)
        counts += np.bincount(np.minimum(index, bins - 1), minlength=bins)
    edges_ms = np.arange(-int(whole[0]), int(whole[1]) + 1) * np.float64(bin_ms)
    return edges_ms, counts * np.float64(1000.0 / (n * events.size * bin_ms))
