"""How strongly a population oscillates, and how much its rate fluctuates.

The two indices of Lindahl and Hellgren Kotaleski (2016), with a fixed upper end of the power that
a band is a share of, and counts where their code takes rates. In: the rate or the counts of a
population. Out: a share of power, and a variance over a mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neostriatum.analysis.spectrum import power_spectrum
from neostriatum.errors import InputError

#: Power is taken from 0 to this frequency [Hz].
HIGHEST_HZ = 32.0


def oscillation_index(
    rate_hz: ArrayLike, step_ms: float, band_hz: tuple[float, float] = (15.0, 25.0),
    segment_ms: float = 1000.0,
) -> float:
    """Return the share of the power of 0 to 32 Hz that lies in a band.

    Parameters
    ----------
    rate_hz : array_like, shape (n_samples,)
        Rate of a population [Hz].
    step_ms : float
        Time between two samples [ms].
    band_hz : (float, float)
        The band, both ends included [Hz].
    segment_ms : float
        Length of a segment of Welch's method [ms].

    Returns
    -------
    float
        0 to 1; NaN where the rate does not vary.

    Raises
    ------
    InputError
        A band out of range, or what `power_spectrum` refuses.

    Examples
    --------
    >>> t_s = np.arange(4000) / 1000
    >>> round(oscillation_index(10 + np.sin(2 * np.pi * 20 * t_s), 1.0), 3)
    1.0
    """
    low_hz, high_hz = band_hz
    if not 0 <= low_hz < high_hz <= HIGHEST_HZ:
        message = (f"band_hz: must rise within 0 to {HIGHEST_HZ:g} Hz "
                   f"(got {low_hz:g} and {high_hz:g} Hz)")
        raise InputError(message)
    frequencies, density = power_spectrum(rate_hz, step_ms, segment_ms)
    band = (frequencies >= low_hz) & (frequencies <= high_hz)
    whole = density[frequencies <= HIGHEST_HZ].sum()
    return float(density[band].sum() / whole) if whole > 0 else float("nan")


def synchrony_index(counts: ArrayLike) -> float:
    """Return the variance of a population's spike counts over their mean.

    Of independent Poisson neurons it is 1; it grows with the number of neurons where they fire
    together.

    Parameters
    ----------
    counts : array_like, shape (n_bins,)
        Spikes of all neurons in each bin.

    Returns
    -------
    float
        NaN without spikes.

    Raises
    ------
    InputError
        Fewer than two bins, or counts below 0 or not finite.

    Examples
    --------
    >>> synchrony_index([0, 4, 0, 4])
    2.0
    """
    values = np.asarray(counts, np.float64)
    if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all() or values.min() < 0:
        message = f"counts: must be at least 2 numbers from 0 on (got shape {values.shape})"
        raise InputError(message)
    return float(values.var() / values.mean()) if values.any() else float("nan")
