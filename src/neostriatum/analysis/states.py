"""Up and down states of a membrane potential.

In: a trace in mV at even times. Out: whether it has two preferred potentials, which, and when it
was in the upper one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.rates import checked_positive
from neostriatum.errors import InputError
from neostriatum.units import plain_numbers

#: Bins of the all-points histogram, and rounds of the fit at most.
BINS, ROUNDS = 400, 1000
#: Two normal laws are apart from here on (Ashman et al. 1994), with this share of time in each, and
#: the histogram between them falls to this part of its lower peak.
APART, LEAST_SHARE, VALLEY = 2.0, 0.05, 0.75


@dataclass(frozen=True, slots=True)
class UpDown:
    """Up and down states of one trace.

    Attributes
    ----------
    bimodal : bool
        Whether there are two states. If not, the trace has no up states and no thresholds.
    separation : float
        Ashman's D of the two fitted normal laws; 0 for a constant trace.
    down_mv, up_mv : float
        Means of the two laws [mV].
    up_share : float
        Share of the time in up states; 0 without.
    enter_mv, leave_mv : float
        An up state begins above the first and ends below the second [mV]; NaN without states.
    starts_ms, stops_ms : ndarray of float64, shape (n,)
        Up states [ms]; one that is cut off by an end of the trace begins or stops there.
    """

    bimodal: bool
    separation: float
    down_mv: float
    up_mv: float
    up_share: float
    enter_mv: float
    leave_mv: float
    starts_ms: NDArray[np.float64]
    stops_ms: NDArray[np.float64]


def up_down_states(
    times_ms: ArrayLike, v_mv: ArrayLike, shortest_ms: float = 50.0, ceiling_mv: float = -40.0
) -> UpDown:
    """Return the up states of a membrane potential.

    The all-points histogram, as in striatal recordings (Wilson and Kawaguchi 1996,
    doi:10.1523/JNEUROSCI.16-07-02397.1996; Wilson 2008, doi:10.4249/scholarpedia.1410), is fitted
    by two normal laws. There are two states if D = (m2 - m1) / sqrt((s1^2 + s2^2) / 2) is above 2
    (Ashman et al. 1994, doi:10.1086/117248), each law holds 5 % of the time, and the smoothed
    histogram falls between them to three quarters of its lower peak (a ramp has a large D too). An
    up state begins two thirds of the way from the lower mean to the upper one and ends at one
    third: with one threshold, noise would cut a state into many. Gaps, and then states, that are
    too short are dropped.

    Parameters
    ----------
    times_ms : array_like, shape (n,)
        Times of the samples [ms], at even steps.
    v_mv : array_like, shape (n,)
        The potential [mV].
    shortest_ms : float
        Shortest state, up or down [ms].
    ceiling_mv : float
        Where the potential is cut off, so that spikes do not count as a state [mV].

    Returns
    -------
    UpDown
        The states.

    Raises
    ------
    InputError
        If the arrays are not flat, differ in length, have fewer than 2 samples or a value that is
        not finite, if the times do not rise in even steps, or `shortest_ms` is not above zero.

    Examples
    --------
    >>> times_ms = np.arange(1000.0)
    >>> noise_mv = np.random.default_rng(1).normal(0, 1, 1000)
    >>> v_mv = np.where((times_ms >= 300) & (times_ms < 700), -55.0, -75.0) + noise_mv
    >>> found = up_down_states(times_ms, v_mv)
    >>> found.starts_ms, found.stops_ms, round(found.up_mv)
    (array([300.]), array([700.]), -55)
    """
    times, v = plain_numbers("times_ms", times_ms), plain_numbers("v_mv", v_mv)
    if times.ndim != 1 or times.shape != v.shape or times.size < 2:
        message = ("times_ms, v_mv: must be flat, of one length and at least 2 samples "
                   f"(got shapes {times.shape} and {v.shape})")
        raise InputError(message)
    if not (np.isfinite(times).all() and np.isfinite(v).all() and np.isfinite(ceiling_mv)):
        message = "times_ms, v_mv, ceiling_mv: must be finite (got NaN or infinity)"
        raise InputError(message)
    step_ms = float(times[-1] - times[0]) / (times.size - 1)
    if step_ms <= 0 or np.abs(np.diff(times) - step_ms).max() > 0.01 * step_ms:
        message = f"times_ms: must rise in even steps (got steps of {np.diff(times).min():g} ms)"
        raise InputError(message)
    shortest = checked_positive("shortest_ms", shortest_ms) / step_ms
    v = np.minimum(v, ceiling_mv)
    means, sds, share = _two_laws(v)
    separation = float((means[1] - means[0]) / np.sqrt((sds**2).mean())) if sds.any() else 0.0
    none = np.empty(0)
    if not (separation > APART and LEAST_SHARE < share < 1 - LEAST_SHARE
            and _valley(v, means, sds.min()) < VALLEY):
        return UpDown(False, separation, float(means[0]), float(means[1]), 0.0, np.nan, np.nan,
                      none, none)
    leave_mv, enter_mv = means[0] + np.diff(means)[0] * np.array([1, 2]) / 3
    edges = _epochs(v, leave_mv, enter_mv, shortest)
    starts_ms, stops_ms = (times[0] + step_ms * edges).T
    up_share = float((edges[:, 1] - edges[:, 0]).sum() / v.size)
    return UpDown(True, separation, float(means[0]), float(means[1]), up_share, float(enter_mv),
                  float(leave_mv), starts_ms, stops_ms)


def _two_laws(v: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return means and sds of two normal laws, the lower one first, and the share of the upper.

    Expectation and maximisation (Dempster et al. 1977, doi:10.1111/j.2517-6161.1977.tb01600.x) on
    a histogram, from the two halves of its range.
    """
    low, high = v.min(), v.max()
    if high - low < 1e-9:
        return np.full(2, low), np.zeros(2), 0.5
    counts, edges = np.histogram(v, BINS)
    at, weight = (edges[1:] + edges[:-1]) / 2, counts / v.size
    width = edges[1] - edges[0]
    # One outlier must not decide where the halves meet.
    middle = (np.quantile(v, 0.01) + np.quantile(v, 0.99)) / 2
    part = np.stack([at <= middle, at > middle]).astype(np.float64)
    means, before = np.zeros(2), np.full(2, np.inf)
    for _ in range(ROUNDS):
        mass = np.maximum((part * weight).sum(axis=1), 1e-12)
        means = (part * weight * at).sum(axis=1) / mass
        # A law is never narrower than its bins, or it would end in a spike of no width.
        variance = (part * weight * (at - means[:, None]) ** 2).sum(axis=1) / mass + width**2 / 12
        if np.abs(means - before).max() < 1e-6 * (high - low):
            break
        before = means
        power = -0.5 * (at - means[:, None]) ** 2 / variance[:, None]
        power += np.log(mass / np.sqrt(variance))[:, None]
        part = np.exp(power - power.max(axis=0))
        part /= part.sum(axis=0)
    order = np.argsort(means)
    return means[order], np.sqrt(variance[order]), float(mass[order][1] / mass.sum())


def _valley(v: NDArray[np.float64], means: NDArray[np.float64], sd: float) -> float:
    """Return the histogram's lowest value between two means, as a part of its lower peak.

    Smoothed by half the smaller standard deviation of the two laws.
    """
    from scipy.ndimage import gaussian_filter1d

    counts, edges = np.histogram(v, BINS)
    smooth = gaussian_filter1d(counts.astype(np.float64), sd / 2 / (edges[1] - edges[0]),
                               mode="constant")
    at = (edges[1:] + edges[:-1]) / 2
    first, last = np.searchsorted(at, means)
    lowest = first + smooth[first : last + 1].argmin()
    return float(smooth[lowest] / min(smooth[: lowest + 1].max(), smooth[lowest:].max()))


def _epochs(
    v: NDArray[np.float64], leave_mv: float, enter_mv: float, shortest: float
) -> NDArray[np.int64]:
    """Return begin and end of each up state as sample numbers, shape (n, 2)."""
    # Where v lies between the thresholds the state is that of the last sample beyond one of them.
    mark = np.where(v > enter_mv, 1, np.where(v < leave_mv, 0, -1))
    last = np.maximum.accumulate(np.where(mark >= 0, np.arange(v.size), -1))
    up = np.where(last >= 0, mark[last], int(v[0] > (leave_mv + enter_mv) / 2))
    edges = np.flatnonzero(np.diff(up, prepend=0, append=0)).reshape(-1, 2)
    if len(edges) > 1:
        long_gap = edges[1:, 0] - edges[:-1, 1] >= shortest
        edges = np.column_stack([edges[np.append(True, long_gap), 0],
                                 edges[np.append(long_gap, True), 1]])
    return edges[edges[:, 1] - edges[:, 0] >= shortest]
