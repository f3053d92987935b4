"""The rate of each type over time, of the whole run or around repeated events.

In: a run, and the times of events. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.psth import peristimulus_rate
from neostriatum.analysis.rates import population_rate
from neostriatum.plotting.events import mark_events
from neostriatum.plotting.palette import FAINT, INK, colour, lettering
from neostriatum.plotting.panels import pools_shown, share_scales
from neostriatum.plotting.style import (
    WIDTH_IN,
    empty,
    heading,
    hertz,
    members_of,
    new_figure,
    paper,
    silence,
)
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def psth(
    run: RunView,
    events_ms: Sequence[float] | None = None,
    before_ms: float = 100.0,
    after_ms: float = 200.0,
    bin_ms: float = 10.0,
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the rate of each type over the run, or around events as their average.

    Parameters
    ----------
    run : RunView
        The run.
    events_ms : sequence of float, optional
        Times of the events [ms]; without, the whole run is drawn once.
    before_ms, after_ms : float
        The window around each event [ms], of whole bins.
    bin_ms : float
        Width of a bin [ms].

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panel of each type; a dashed line marks the mean rate over the whole run.

    Raises
    ------
    InputError
        If the run has no cell type, or a window does not fit.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([2.0, 7.5]), ids=np.array([0, 0])),
    ...     populations={"dSPN": range(2)},
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = psth(run)
    >>> axes["dSPN"].get_xlabel()
    'time (ms)'
    """
    populations = members_of(run)
    with paper():
        figure = new_figure(WIDTH_IN, 0.7 + 1.15 * len(populations))
        panels = np.atleast_1d(figure.subplots(len(populations), 1, sharex=True))
        axes = dict(zip(populations, panels, strict=True))
        for name, members in populations.items():
            panel, n, own = axes[name], len(members), colour(name, populations)
            ids = run.spikes.ids
            own_ms = run.spikes.times_ms[(ids >= members.start) & (ids < members.stop)]
            if events_ms is None:
                edges_ms, rate_hz = population_rate(own_ms, bin_ms, run.duration_ms, max(n, 1))
            else:
                edges_ms, rate_hz = peristimulus_rate(own_ms, events_ms, before_ms, after_ms,
                                                      bin_ms, run.duration_ms, max(n, 1))
            panel.set_xlim(edges_ms[0], edges_ms[-1])
            if reason := silence(name, n, own_ms.size):
                panel.set_title(name, color=lettering(own))
                empty(panel, reason)
                continue
            mean_hz = own_ms.size / n * 1000 / run.duration_ms
            panel.set_title(f"{name}, {n:,} neurons, mean {hertz(mean_hz)}", color=lettering(own))
            panel.stairs(rate_hz, edges_ms, fill=True, color=own, alpha=0.25, lw=0)
            panel.stairs(rate_hz, edges_ms, baseline=None, color=own, lw=0.8)
            panel.axhline(mean_hz, color=INK, lw=0.6, ls=(0, (4, 3)))
            if events_ms is not None:
                panel.axvline(0, color=FAINT, lw=0.8)
            panel.set_ylabel("rate (spikes/s)")
            panel.set_ylim(0, max(rate_hz.max(), mean_hz) * 1.1)
            panel.locator_params(axis="y", nbins=4, steps=[1, 2, 5, 10])
        share_scales(axes, pools_shown(run))
        last = panels[-1]
        events = "" if events_ms is None else f", {len(events_ms)} events"
        last.set_xlabel("time (ms)" if events_ms is None else f"time since event (ms){events}")
        figure.align_ylabels(list(panels))
        heading(figure, run)
        if events_ms is None:
            mark_events(list(panels), run)
    return figure, axes
