"""The histogram of the firing rates of single neurons, by type.

In: a run. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.rates import rates_hz
from neostriatum.errors import InputError
from neostriatum.plotting.margins import BOTTOM_IN, RIGHT_IN, TOP_IN, cut, fix
from neostriatum.plotting.palette import INK, colour, lettering
from neostriatum.plotting.panels import COLUMNS, by_type, pools_shown, share_scales
from neostriatum.plotting.style import WIDTH_IN, blank, heading, hertz, paper
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

MOST_BARS = 40
ROW_IN = 2.3
LINE_IN = 0.15  # of a title


def rate_histogram(run: RunView) -> tuple[Figure, dict[str, Axes]]:
    """Draw how the rates of single neurons are distributed, one panel per type.

    Parameters
    ----------
    run : RunView
        The run. The rate of a neuron is its spikes over the whole duration.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panel of each type; a dashed line marks the mean.

    Raises
    ------
    InputError
        If the run has no cell type.

    Notes
    -----
    The silent neurons are a hatched bar of their own at 0. A rate is a whole number of spikes over
    the duration, so every other bar spans a whole number of counts, from 1: other widths would make
    teeth that are not in the data. Types of one pool share both ranges.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([2.0, 7.5]), ids=np.array([0, 0])),
    ...     populations={"dSPN": range(2)},
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = rate_histogram(run)
    >>> axes["dSPN"].get_xlabel()
    'rate (spikes/s); hatched: silent'
    """
    if not run.populations:
        message = "run.populations: must name at least one cell type (got none)"
        raise InputError(message)
    rates = {name: _rates(run, members) for name, members in run.populations.items()}
    tops = {name: values.max(initial=0.0) for name, values in rates.items()}
    for types in pools_shown(run).values():
        tops |= dict.fromkeys(types, max(tops[name] for name in types))
    with paper(axes_titley=1.0):
        figure, axes = by_type(rates, ROW_IN)
        columns, rows = min(COLUMNS, len(rates)), -(-len(rates) // COLUMNS)
        fix(figure, list(axes.values()),
            cut(WIDTH_IN, 0.58, RIGHT_IN, [1] * columns, [0.46] * (columns - 1)),
            cut(ROW_IN * rows, TOP_IN + LINE_IN, BOTTOM_IN, [1] * rows, [0.76] * (rows - 1)))
        for name, panel in axes.items():
            _histogram(panel, name, rates[name], tops[name], run.duration_ms, colour(name, rates))
        share_scales(axes, pools_shown(run))
        drawn = [panel for panel in axes.values() if panel.patches]
        if drawn:
            drawn[0].set_ylabel("fraction of neurons")
        heading(figure, run)
    return figure, axes


def _rates(run: RunView, members: range) -> NDArray[np.float64]:
    """Return the rate of each neuron of one type [Hz]."""
    ids = run.spikes.ids
    own = ids[(ids >= members.start) & (ids < members.stop)]
    return rates_hz(own - members.start, len(members), run.duration_ms)


def _histogram(
    axes: Axes, name: str, values_hz: NDArray[np.float64], top_hz: float, duration_ms: float,
    own: str,
) -> None:
    """Draw one type, its silent neurons at 0 and bars from one spike to `top_hz`."""
    n = values_hz.size
    title = f"{name}, {n:,} neurons"
    if not values_hz.any():
        blank(axes, f"no {name} neurons in this run" if not n else f"no {name} spikes")
        axes.set_title(f"{title}\n ", color=lettering(own))
        return
    quantum_hz = 1000.0 / duration_ms
    spikes = np.rint(values_hz / quantum_hz)
    highest = round(top_hz / quantum_hz)
    width = -(-highest // MOST_BARS)
    # Half a count below a bar and above: the bar of one spike begins at half a spike.
    edges = (np.arange(1, highest + 1 + width, width) - 0.5) * quantum_hz
    share = np.histogram(spikes, edges / quantum_hz)[0] / n
    silent, apart = np.count_nonzero(spikes == 0) / n, width * quantum_hz
    axes.stairs(share, edges, fill=True, color=own, alpha=0.35, lw=0)
    axes.stairs(share, edges, color=own, lw=0.8)
    zero = (edges[0] - 1.5 * apart, edges[0] - 0.5 * apart)
    axes.stairs([silent], zero, fill=True, facecolor="white", edgecolor=own, hatch="////", lw=0.8)
    mean_hz = values_hz.mean()
    axes.axvline(mean_hz, color=INK, lw=0.8, ls=(0, (4, 3)))
    part = f"{silent:.1%}" if silent else "none"
    axes.set_title(f"{title}\nmean {hertz(mean_hz)}, {part} silent", color=lettering(own))
    axes.set_xlabel("rate (spikes/s); hatched: silent")
    axes.set_xlim(zero[0] - 0.5 * apart, edges[-1] + 0.5 * apart)
    axes.set_ylim(0, max(share.max(), silent) * 1.08)
    _ticks(axes, sum(zero) / 2, edges[-1])


def _ticks(axes: Axes, zero: float, top_hz: float) -> None:
    """Put few ticks on the axes, that of 0 below the bar of the silent neurons."""
    from matplotlib.ticker import MaxNLocator

    round_hz = MaxNLocator(nbins=5, steps=[1, 2, 5, 10])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    above = [x for x in round_hz.tick_values(0.0, top_hz) if 0 < x <= top_hz]
    axes.set_xticks([zero, *above], ["0", *(f"{x:g}" for x in above)])
