"""Power spectra of the population rates, and of a stand-in for the local field potential.

In: a run. Out: the figure, and its axes by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.field import kernel_field
from neostriatum.analysis.somas import somas
from neostriatum.analysis.spectrum import population_spectrum, power_spectrum
from neostriatum.plotting.palette import INK, colour, lettering
from neostriatum.plotting.panels import pools_shown, share_scales
from neostriatum.plotting.style import (
    WIDTH_IN,
    blank,
    heading,
    members_of,
    new_figure,
    paper,
    silence,
)
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

BIN_MS = 1.0
#: The first samples of the field lack spikes from before the run.
COLD_MS = 20.0


def spectrum(
    run: RunView, segment_ms: float = 500.0, highest_hz: float = 200.0
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the power spectrum of the rate of each type, and of the field of their spikes.

    Parameters
    ----------
    run : RunView
        The run.
    segment_ms : float
        Length of a segment of Welch's method [ms]; its inverse is the resolution.
    highest_hz : float
        Highest frequency that is drawn [Hz].

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panel of each type, and ``"field"``. A dashed line marks the spectrum of as many
        independent Poisson neurons of the same rate: what lies above it is shared. Shaded, the
        95 % interval of the estimate, wide in a short run.

    Raises
    ------
    InputError
        If the run has no cell type or a number is not above zero.

    Notes
    -----
    The field is that of `kernel_field` with an electrode in the middle: spikes smoothed, whose
    size is a cortical one. It falls off above 50 Hz because of its kernel.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.arange(1.0, 1000.0, 7), ids=np.zeros(143, int)),
    ...     populations={"FS": range(2)},
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = spectrum(run)
    >>> axes["FS"].get_ylabel()
    'power (Hz²/Hz)'
    """
    populations = members_of(run)
    with paper():
        columns = -(-(len(populations) + 1) // 2)
        figure = new_figure(WIDTH_IN * max(1.0, columns / 2), 4.0)
        panels = figure.subplots(2, columns, squeeze=False).ravel()
        axes = dict(zip([*populations, "field"], panels, strict=False))
        for panel in panels[len(axes) :]:
            panel.set_axis_off()
        for name, members in populations.items():
            ids, n = run.spikes.ids, len(members)
            own_ms = run.spikes.times_ms[(ids >= members.start) & (ids < members.stop)]
            tint = colour(name, populations)
            axes[name].set_title(name, color=lettering(tint))
            reason = silence(name, n, own_ms.size)
            if reason or run.duration_ms < 2 * BIN_MS:
                blank(axes[name], reason or "the run is too short")
                continue
            drawn = population_spectrum(own_ms, n, run.duration_ms, BIN_MS, segment_ms)
            rate_hz = own_ms.size / n * 1000 / run.duration_ms
            _curve(axes[name], *drawn, tint, highest_hz, 2 * rate_hz / n,
                   spread(run.duration_ms, segment_ms))
            axes[name].set_title(f"{name}, dashed: independent neurons", color=lettering(tint))
            axes[name].set_ylabel("power (Hz²/Hz)")
        share_scales({name: axes[name] for name in populations}, pools_shown(run))
        _field(axes["field"], run, segment_ms, highest_hz)
        heading(figure, run)
    return figure, axes


def _field(axes: Axes, run: RunView, segment_ms: float, highest_hz: float) -> None:
    """Draw the spectrum of the field in the middle of the tissue."""
    axes.set_title("field of the spikes (kernel method, cortical size)", color=INK)
    where = somas(run)
    if where is None:
        blank(axes, "positions are not known")
    elif not run.spikes.times_ms.size:
        blank(axes, "no spikes")
    elif run.duration_ms < 2 * COLD_MS:
        blank(axes, "the run is too short")
    else:
        at = where.positions_um
        middle = (np.nanmin(at, axis=0) + np.nanmax(at, axis=0)) / 2
        heard = np.isfinite(at[run.spikes.ids, 0])  # not of nuclei, whose cells have no places
        field_uv = kernel_field(run.spikes.times_ms[heard], run.spikes.ids[heard],
                                np.nan_to_num(at), middle, run.duration_ms,
                                BIN_MS, where.side_um)[round(COLD_MS / BIN_MS) :]
        _curve(axes, *power_spectrum(field_uv, BIN_MS, segment_ms), INK, highest_hz, None,
               spread(run.duration_ms - COLD_MS, segment_ms))
        axes.set_ylabel("power (µV²/Hz)")


def spread(duration_ms: float, segment_ms: float) -> tuple[float, float]:
    """Return the 95 % interval of a spectrum by Welch's method, over the estimate.

    Parameters
    ----------
    duration_ms, segment_ms : float
        Length of the signal and of a segment [ms].

    Returns
    -------
    tuple of float
        Lower and upper end. Segments that overlap by half under a Hann window are worth
        36 n² / (19 n - 1) degrees of freedom (Welch 1967, doi:10.1109/TAU.1967.1161901).

    Examples
    --------
    >>> [round(end, 2) for end in spread(10_000.0, 500.0)]
    [0.74, 1.42]
    """
    from scipy.stats import chi2

    n = max(1, int(2 * duration_ms / segment_ms) - 1)
    freedom = 2.0 if n == 1 else 36 * n**2 / (19 * n - 1)
    return float(freedom / chi2.ppf(0.975, freedom)), float(freedom / chi2.ppf(0.025, freedom))


def _curve(
    axes: Axes, frequencies_hz: NDArray[np.float64], density: NDArray[np.float64], tint: str,
    highest_hz: float, poisson: float | None, band: tuple[float, float],
) -> None:
    """Draw a spectrum without its first two points, from which the mean is taken."""
    from matplotlib.ticker import NullFormatter

    shown = (frequencies_hz <= highest_hz) & (np.arange(frequencies_hz.size) > 1)
    axes.plot(frequencies_hz[shown], density[shown], color=tint, lw=0.9)
    axes.fill_between(frequencies_hz[shown], band[0] * density[shown], band[1] * density[shown],
                      color=tint, alpha=0.18, lw=0)
    if poisson is not None:
        axes.axhline(poisson, color=INK, lw=0.6, ls=(0, (4, 3)))
    axes.set_yscale("log")
    # Whole decades, so that the ticks are few and round.
    seen = np.append(density[shown & (density > 0)], poisson or [])
    if seen.size:
        low, high = np.floor(np.log10(seen.min())), np.ceil(np.log10(seen.max()))
        axes.set_ylim(10**low, 10 ** max(high, low + 1))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0, highest_hz)
    axes.set_xlabel("frequency (Hz)")
    axes.locator_params(axis="x", nbins=5)
