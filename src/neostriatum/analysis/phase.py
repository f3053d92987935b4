"""Phase between two populations: whose rate leads at a frequency, and how surely.

In: rates or spike times of two populations. Out: coherence by Welch's method; the angle of one
against the other after a band-pass and a Hilbert transform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.rates import checked_positive
from neostriatum.errors import InputError

#: Order of the Butterworth filter, which is run both ways.
ORDER = 3


@dataclass(frozen=True)
class Phase:
    """Phase of one signal against another in a band.

    ``mean_deg`` is the circular mean of the differences, above 0 where the first leads; it is in
    (-180, 180]. ``locking`` is the length of the mean vector: 1 where the difference never
    changes, near 0 where every difference is as likely. ``density`` holds the share of time per
    degree between ``edges_deg``.
    """

    mean_deg: float
    locking: float
    edges_deg: NDArray[np.float64]
    density: NDArray[np.float64]


def coherence(
    first: ArrayLike, second: ArrayLike, step_ms: float, segment_ms: float = 500.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the magnitude-squared coherence of two signals.

    Parameters
    ----------
    first, second : array_like, shape (n_samples,)
        The signals, such as the rates of two populations.
    step_ms : float
        Time between two samples [ms].
    segment_ms : float
        Length of a segment [ms], half of which overlaps. There must be two at least, as one alone
        is coherent with anything.

    Returns
    -------
    frequencies_hz, coherence : ndarray of float64, shape (n_frequencies,)
        0 to 1 at each frequency [Hz]; NaN where a signal has no power.

    Raises
    ------
    InputError
        Signals of two lengths, not flat or not finite, fewer than two segments.

    Examples
    --------
    >>> t_s = np.arange(4000) / 1000
    >>> wave = np.sin(2 * np.pi * 20 * t_s) + np.random.default_rng(1).normal(size=4000)
    >>> frequencies_hz, found = coherence(wave, -wave, 1.0)
    >>> float(found[frequencies_hz == 20][0].round(6))
    1.0
    """
    from scipy.signal import coherence as of_scipy

    one, other = _signals(first, second)
    samples = round(checked_positive("segment_ms", segment_ms)
                    / checked_positive("step_ms", step_ms))
    if samples < 2 or 3 * samples > 2 * one.size:
        message = (f"segment_ms: must be 2 steps or more, and fit twice with an overlap of half "
                   f"(got {segment_ms:g} ms of {one.size * step_ms:g} ms)")
        raise InputError(message)
    with np.errstate(divide="ignore", invalid="ignore"):
        return of_scipy(one, other, fs=1000.0 / step_ms, nperseg=samples)


def phase(
    first: ArrayLike, second: ArrayLike, step_ms: float, band_hz: tuple[float, float],
    bins: int = 36,
) -> Phase:
    """Return the phase of a signal against another in a band.

    Both are band-passed (Butterworth, order 3, both ways) and made analytic (Hilbert); the
    differences of the angles are averaged over time on the circle.

    Parameters
    ----------
    first, second : array_like, shape (n_samples,)
        The signals, such as the rates of two populations.
    step_ms : float
        Time between two samples [ms].
    band_hz : (float, float)
        Lower and upper end of the band [Hz], below half the sampling rate.
    bins : int
        Bins of the histogram.

    Returns
    -------
    Phase
        NaN where a signal has nothing in the band.

    Raises
    ------
    InputError
        Signals of two lengths, not flat, not finite or too short to filter, a band out of range.

    Examples
    --------
    >>> t_s = np.arange(4000) / 1000
    >>> wave, later = (np.sin(2 * np.pi * 20 * t_s - late) for late in (0, np.pi / 2))
    >>> found = phase(wave, later, 1.0, (15, 25))
    >>> round(found.mean_deg), round(found.locking, 2)
    (90, 1.0)
    """
    from scipy.signal import butter, hilbert, sosfiltfilt

    one, other = _signals(first, second)
    nyquist_hz = 500.0 / checked_positive("step_ms", step_ms)
    low_hz, high_hz = band_hz
    if not 0 < low_hz < high_hz < nyquist_hz:
        message = (f"band_hz: must rise within 0 to {nyquist_hz:g} Hz "
                   f"(got {low_hz:g} and {high_hz:g} Hz)")
        raise InputError(message)
    if bins < 1:
        message = f"bins: must be at least 1 (got {bins})"
        raise InputError(message)
    sections = butter(ORDER, band_hz, "bandpass", fs=2 * nyquist_hz, output="sos")
    if one.size <= 3 * (2 * len(sections) + 1):
        message = f"first: must be longer to be filtered (got {one.size} samples)"
        raise InputError(message)
    edges = np.linspace(-180.0, 180.0, bins + 1)
    if not (one.std() > 0 and other.std() > 0):
        return Phase(float("nan"), float("nan"), edges, np.full(bins, np.nan))
    angles = [np.angle(hilbert(sosfiltfilt(sections, signal - signal.mean())))
              for signal in (one, other)]
    vectors = np.exp(1j * (angles[0] - angles[1]))
    counts = np.histogram(np.degrees(np.angle(vectors)), edges)[0]
    together = vectors.mean()
    return Phase(float(np.degrees(np.angle(together))), float(np.abs(together)), edges,
                 counts / (counts.sum() * (edges[1] - edges[0])))


def _signals(first: ArrayLike, second: ArrayLike) -> list[NDArray[np.float64]]:
    """Return two signals as arrays, or raise InputError."""
    signals = [np.asarray(signal, np.float64) for signal in (first, second)]
    for name, signal in zip(("first", "second"), signals, strict=True):
        if signal.ndim != 1 or signal.size < 2 or not np.isfinite(signal).all():
            message = f"{name}: must be at least 2 finite numbers (got shape {signal.shape})"
            raise InputError(message)
    if signals[0].size != signals[1].size:
        message = (f"second: must be as long as first (got {signals[1].size} and "
                   f"{signals[0].size} samples)")
        raise InputError(message)
    return signals
