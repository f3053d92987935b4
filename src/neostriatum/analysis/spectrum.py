"""Power spectra of a population's activity.

In: spike times in ms, or a signal sampled at even steps. Out: frequencies in Hz and a density.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.counts import whole_bins
from neostriatum.analysis.rates import bin_index, checked_positive, checked_times
from neostriatum.errors import InputError


def power_spectrum(
    signal: ArrayLike, step_ms: float, segment_ms: float = 500.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the one-sided power spectral density of a signal by Welch's method.

    Segments overlap by half, each less its mean, under a Hann window (Welch 1967,
    doi:10.1109/TAU.1967.1161901).

    Parameters
    ----------
    signal : array_like, shape (n,)
        The signal at even steps.
    step_ms : float
        Step [ms].
    segment_ms : float
        Length of a segment [ms], of which the inverse is the resolution; the whole signal where
        that is shorter.

    Returns
    -------
    frequencies_hz : ndarray of float64, shape (n_frequencies,)
        From 0 to half the sampling rate [Hz].
    density : ndarray of float64, shape (n_frequencies,)
        Square of the signal's unit per Hz.

    Raises
    ------
    InputError
        If the signal is not flat, shorter than 2 samples or not finite, a step or a segment is
        not above zero, or a segment is shorter than 2 steps.

    Examples
    --------
    >>> t_s = np.arange(2000) / 1000
    >>> frequencies_hz, density = power_spectrum(np.sin(2 * np.pi * 40 * t_s), step_ms=1.0)
    >>> float(frequencies_hz[density.argmax()])
    40.0
    """
    from scipy.signal import welch

    values = np.asarray(signal, dtype=np.float64)
    if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all():
        message = f"signal: must be at least 2 finite numbers (got shape {values.shape})"
        raise InputError(message)
    step_ms = checked_positive("step_ms", step_ms)
    samples = round(checked_positive("segment_ms", segment_ms) / step_ms)
    if samples < 2:
        message = f"segment_ms: must be at least 2 steps of {step_ms:g} ms (got {segment_ms:g} ms)"
        raise InputError(message)
    return welch(values, fs=1000.0 / step_ms, window="hann", nperseg=min(samples, values.size))


def population_spectrum(
    times_ms: ArrayLike,
    n: int,
    duration_ms: float,
    bin_ms: float = 1.0,
    segment_ms: float = 500.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the power spectral density of the rate of a population.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times of the population [ms], in any order, in 0 to `duration_ms`.
    n : int
        Number of neurons, silent ones included.
    duration_ms : float
        Length of the recording [ms].
    bin_ms : float
        Width of a bin of the rate [ms]; an unfinished bin at the end is left out.
    segment_ms : float
        Length of a segment of Welch's method [ms].

    Returns
    -------
    frequencies_hz : ndarray of float64, shape (n_frequencies,)
        Frequencies [Hz].
    density : ndarray of float64, shape (n_frequencies,)
        Density [Hz^2/Hz] of the rate per neuron. n independent Poisson neurons of rate r have
        2 r / n at every frequency but the lowest, from which the mean is taken.

    Raises
    ------
    InputError
        If a time lies outside the recording, `n` is below 1, or fewer than two bins fit.

    Examples
    --------
    >>> frequencies_hz, density = population_spectrum([], n=5, duration_ms=1000)
    >>> frequencies_hz[[0, 1, -1]].tolist(), float(density.max())
    ([0.0, 2.0, 500.0], 0.0)
    """
    if n < 1:
        message = f"n: must be at least 1 neuron (got {n})"
        raise InputError(message)
    bins = whole_bins(duration_ms, bin_ms)
    index = bin_index(checked_times(times_ms, duration_ms), bin_ms)
    counts = np.bincount(index[index < bins], minlength=bins)
    return power_spectrum(counts * (1000.0 / (n * bin_ms)), bin_ms, segment_ms)
