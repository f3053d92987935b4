"""The postsynaptic potential of a connected pair.

In: the target's voltage with and without the presynaptic spike. Out: the figure with both
voltages, and below them their difference with its peak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.errors import InputError
from neostriatum.plotting.palette import FAINT, INK, colour
from neostriatum.plotting.style import new_figure, paper, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray


def psp(
    times_ms: ArrayLike,
    v_mv: ArrayLike,
    v_reference_mv: ArrayLike,
    spike_ms: float | None = None,
    source: str = "",
    target: str = "",
) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw a postsynaptic potential as the difference to the run without the spike.

    Parameters
    ----------
    times_ms : array_like, shape (n,)
        Times of the samples [ms], ascending.
    v_mv : array_like, shape (n,)
        Voltage of the target with the presynaptic spike [mV].
    v_reference_mv : array_like, shape (n,)
        Voltage of the target without it [mV].
    spike_ms : float, optional
        Time of the presynaptic spike [ms]; marked when given.
    source, target : str
        Cell types for the title and the colour.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : tuple of two matplotlib.axes.Axes
        The voltages, and their difference with its peak.

    Raises
    ------
    InputError
        If the arrays are not flat, of different length, shorter than two samples or not finite,
        or the times do not ascend.

    Examples
    --------
    >>> figure, (voltage, difference) = psp([0, 1, 2], [-80, -79.5, -79.8], [-80, -80, -80])
    >>> difference.get_ylabel()
    'PSP (mV)'
    """
    times, v, reference = (np.asarray(x, float) for x in (times_ms, v_mv, v_reference_mv))
    _check(times, v, reference)
    with paper():
        figure = new_figure(3.4, 3.6)
        voltage, difference = figure.subplots(2, 1, sharex=True)
        own = colour(target, (source, target))
        voltage.plot(times, reference, color=FAINT, ls=(0, (4, 2)), label="without the spike")
        voltage.plot(times, v, color=own, label="with the spike")
        voltage.set_ylabel("membrane voltage (mV)")
        if source or target:
            voltage.set_title(f"{source} to {target}", color=INK)
        difference.plot(times, v - reference, color=own)
        difference.axhline(0, color=FAINT, lw=0.6)
        difference.set_ylabel("PSP (mV)")
        difference.set_xlabel("time (ms)")
        difference.set_xlim(span(times))
        for panel in (voltage, difference):
            panel.margins(y=0.12)
            if spike_ms is not None:
                panel.axvline(spike_ms, color=FAINT, lw=0.8, ls=":", label="presynaptic spike")
        voltage.legend(loc="best")
        _peak(difference, times, v - reference, spike_ms)
        figure.align_ylabels()
    return figure, (voltage, difference)


def _check(
    times: NDArray[np.float64], v: NDArray[np.float64], reference: NDArray[np.float64]
) -> None:
    """Refuse arrays that do not make a trace."""
    if times.ndim != 1 or times.size < 2 or not times.shape == v.shape == reference.shape:
        message = (
            "times_ms, v_mv, v_reference_mv: must be flat, of the same length and two samples "
            f"or more (got shapes {times.shape}, {v.shape} and {reference.shape})"
        )
        raise InputError(message)
    if not all(np.isfinite(x).all() for x in (times, v, reference)):
        message = "times_ms, v_mv, v_reference_mv: every value must be finite (got NaN or infinity)"
        raise InputError(message)
    if np.diff(times).min() <= 0:
        message = "times_ms: must ascend (got a time that is not after the one before it)"
        raise InputError(message)


def _peak(
    axes: Axes,
    times: NDArray[np.float64],
    potential: NDArray[np.float64],
    spike_ms: float | None,
) -> None:
    """Mark and name the signed largest deflection."""
    at = int(np.argmax(np.abs(potential)))
    peak_mv, peak_ms = potential[at], times[at]
    if peak_mv == 0:
        axes.set_title("no deflection", color=FAINT)
        return
    axes.plot([peak_ms], [peak_mv], "o", color=INK, zorder=3)
    when = (
        f"at {peak_ms:.1f} ms"
        if spike_ms is None
        else f"{peak_ms - spike_ms:.1f} ms after the spike"
    )
    size = f"{peak_mv:+.3g}".replace("-", "\u2212")  # the minus sign of the axis
    axes.set_title(f"peak {size} mV, {when}", color=INK)
