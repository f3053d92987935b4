"""How irregular single neurons fire: the distribution of the CV of their intervals, by type.

In: a run. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.irregularity import isi_cv
from neostriatum.plotting.palette import FAINT, INK, colour, lettering
from neostriatum.plotting.panels import by_type
from neostriatum.plotting.style import blank, heading, members_of, paper, silence
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BARS = 30


def cv_histogram(
    run: RunView, minimum_intervals: int = 5
) -> tuple[Figure, dict[str, Axes]]:
    """Draw how the CV of the intervals of single neurons is distributed, one panel per type.

    Parameters
    ----------
    run : RunView
        The run.
    minimum_intervals : int
        A neuron with fewer intervals is left out; the title says how many remain. In a short run
        slow neurons have too few, and those that are left are biased downwards.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panel of each type, all on one scale; a dashed line marks the mean, a dotted one the
        CV of a Poisson process, 1.

    Raises
    ------
    InputError
        If the run has no cell type, or `minimum_intervals` is below 2.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.arange(1.0, 9.0), ids=np.zeros(8, int)),
    ...     populations={"dSPN": range(2)},
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = cv_histogram(run)
    >>> axes["dSPN"].get_xlabel()
    'CV of intervals'
    """
    populations = members_of(run)
    neurons, values = isi_cv(run.spikes.times_ms, run.spikes.ids, minimum_intervals)
    top = max(1.5, float(values.max(initial=0.0)) * 1.02)
    with paper():
        figure, axes = by_type(populations, 2.3)
        for name, members in populations.items():
            panel, n, own_colour = axes[name], len(members), colour(name, populations)
            own = values[(neurons >= members.start) & (neurons < members.stop)]
            title = f"{name}, {own.size:,} of {n:,} neurons"
            ids = run.spikes.ids
            fired = int(np.count_nonzero((ids >= members.start) & (ids < members.stop)))
            if not own.size:
                few = f"no {name} neuron has\n{minimum_intervals} intervals"
                blank(panel, silence(name, n, fired) or few)
                panel.set_title(f"{title}\n ", color=lettering(own_colour))
                continue
            counts, edges = np.histogram(own, BARS, (0.0, top))
            panel.stairs(counts / own.size, edges, fill=True, color=own_colour, alpha=0.35, lw=0)
            panel.stairs(counts / own.size, edges, color=own_colour, lw=0.8)
            panel.axvline(1.0, color=FAINT, lw=0.8, ls=":")
            panel.axvline(own.mean(), color=INK, lw=0.8, ls=(0, (4, 3)))
            panel.set_title(f"{title}\nmean CV {own.mean():.2f}", color=lettering(own_colour))
            panel.set_xlabel("CV of intervals")
            panel.set_xlim(0, top)
            panel.set_ylim(0, counts.max() / own.size * 1.08)
            panel.locator_params(nbins=5, steps=[1, 2, 5, 10])
        drawn = [panel for panel in axes.values() if panel.patches]
        if drawn:
            drawn[0].set_ylabel("fraction of neurons")
        heading(figure, run)
    return figure, axes
