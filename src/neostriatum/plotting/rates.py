"""The histogram of the firing rates of single neurons, by type.

In: a run. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.rates import rates_hz
from neostriatum.errors import InputError
from neostriatum.plotting.margins import BOTTOM_IN, RIGHT_IN, TOP_IN, cut, fix
from neostriatum.plotting.palette import INK, colour
from neostriatum.plotting.panels import COLUMNS, by_type, pools_shown
from neostriatum.plotting.style import (
    WIDTH_IN,
    RunView,
    blank,
    heading,
    hertz,
    paper,
)

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
    A rate is a whole number of spikes over the duration, so a bar spans a whole number of
    counts: other widths would make teeth that are not in the data. Types of one pool share a
    range.

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
    'firing rate (Hz)'
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
    """Draw one type, with bars from 0 to `top_hz`."""
    n = values_hz.size
    title = f"{name}, {n:,} neurons"
    if not values_hz.any():
        blank(axes, f"no {name} neurons in this run" if not n else f"no {name} spikes")
        axes.set_title(f"{title}\n ", color=own)
        return
    quantum_hz = 1000.0 / duration_ms
    highest = round(top_hz / quantum_hz)
    width = -(-(highest + 1) // MOST_BARS)
    edges = np.arange(0, highest + 1 + width, width) - 0.5
    counts, _ = np.histogram(np.rint(values_hz / quantum_hz), edges)
    axes.stairs(counts / n, edges * quantum_hz, fill=True, color=own, alpha=0.35, lw=0)
    axes.stairs(counts / n, edges * quantum_hz, color=own, lw=0.8)
    mean_hz = values_hz.mean()
    axes.axvline(mean_hz, color=INK, lw=0.8, ls=(0, (4, 3)))
    silent = np.mean(values_hz == 0)
    axes.set_title(f"{title}\nmean {hertz(mean_hz)}, {silent:.1%} silent", color=own)
    axes.set_xlabel("firing rate (Hz)")
    axes.set_xlim(edges[0] * quantum_hz, (edges[-1] + width / 2) * quantum_hz)
    axes.set_ylim(0, counts.max() / n * 1.08)
    axes.locator_params(nbins=5, steps=[1, 2, 5, 10])
