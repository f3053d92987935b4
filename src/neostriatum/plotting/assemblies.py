"""Cell assemblies of a run: who belongs to them, and when they are active.

In: a run. Out: the figure, and its axes by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.assemblies import cell_assemblies
from neostriatum.analysis.counts import whole_bins
from neostriatum.errors import InputError
from neostriatum.plotting.events import mark_events
from neostriatum.plotting.palette import FAINT, INK, colour
from neostriatum.plotting.style import (
    WIDTH_IN,
    blank,
    heading,
    members_of,
    new_figure,
    paper,
    time_axis,
)
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.analysis.assemblies import Assemblies

MOST = 6  # assemblies that are drawn, the strongest


def assemblies(
    run: RunView, bin_ms: float = 25.0, sample: int = 300, seed: int = 0
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the cell assemblies of a sample of all neurons.

    Parameters
    ----------
    run : RunView
        The run.
    bin_ms : float
        Width of a counting bin [ms].
    sample : int
        Neurons to compare at most, of all types; never more than bins.
    seed : int
        Seed of that draw.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        ``"eigenvalues"`` with the limit of independent neurons, ``"weights"`` with the pattern of
        each assembly, its members filled and in the colour of their type, and ``"strength"`` over
        time. Without an assembly there are the eigenvalues alone.

    Raises
    ------
    InputError
        If the run has no cell type, `bin_ms` is not above zero, or `sample` is below 2.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([2.0, 7.5]), ids=np.array([0, 1])),
    ...     populations={"dSPN": range(2)},
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = assemblies(run)
    >>> list(axes)
    ['eigenvalues']
    """
    populations = members_of(run)
    n = max((members.stop for members in populations.values()), default=0)
    try:
        whole_bins(run.duration_ms, bin_ms)
        found, reason = cell_assemblies(run.spikes.times_ms, run.spikes.ids, n, run.duration_ms,
                                        bin_ms, sample, seed), "no neurons that vary"
    except InputError:
        if run.duration_ms >= 2 * bin_ms or not bin_ms > 0:
            raise
        found, reason = None, "the run is too short"
    with paper():
        some = found is not None and len(found.patterns) > 0
        figure = new_figure(WIDTH_IN if some else WIDTH_IN / 2, 4.4 if some else 2.4)
        if not some:
            axes = {"eigenvalues": figure.add_subplot()}
        else:
            grid = figure.add_gridspec(2, 2, width_ratios=(1, 2.2))
            axes = {"eigenvalues": figure.add_subplot(grid[0, 0]),
                    "weights": figure.add_subplot(grid[0, 1]),
                    "strength": figure.add_subplot(grid[1, :])}
        if found is None or found.ids.size < 2:
            blank(axes["eigenvalues"], reason)
        else:
            _eigenvalues(axes["eigenvalues"], found)
        if found is not None and some:
            _weights(axes["weights"], found, run)
            _strength(axes["strength"], found, run, bin_ms)
        heading(figure, run)
        if some:
            mark_events([axes["strength"]], run)
    return figure, axes


def _eigenvalues(axes: Axes, found: Assemblies) -> None:
    """Draw the eigenvalues in order, those of assemblies filled."""
    rank = np.arange(1, found.eigenvalues.size + 1)
    above = found.eigenvalues > found.limit
    axes.plot(rank[~above], found.eigenvalues[~above], "o", color=FAINT, ms=2, mew=0)
    axes.plot(rank[above], found.eigenvalues[above], "o", color=INK, ms=3.5, mew=0)
    axes.axhline(found.limit, color=INK, lw=0.7, ls=(0, (4, 3)))
    axes.annotate("limit of independent neurons", (1, found.limit),
                  xycoords=axes.get_yaxis_transform(), xytext=(0, 2), textcoords="offset points",
                  ha="right", fontsize=6, color=FAINT)
    number = int(above.sum())
    axes.set_title(f"{number if number else 'no'} assembl{'y' if number == 1 else 'ies'} above "
                   "chance", color=INK)
    axes.set_xlabel("rank; black: assemblies")
    axes.set_ylabel("eigenvalue of correlations")
    axes.set_ylim(0, None)
    axes.locator_params(nbins=4)


def _weights(axes: Axes, found: Assemblies, run: RunView) -> None:
    """Draw the pattern of each assembly in a row of its own."""
    rows = len(found.patterns[:MOST])
    axes.set_title(f"weights of {found.ids.size:,} neurons, members filled", color=INK)
    axes.set_xlabel("neuron of the sample")
    where = np.arange(found.ids.size)
    height = 0.85 / max(np.abs(found.patterns[:MOST]).max(), 1e-12)
    for row, pattern in enumerate(found.patterns[:MOST]):
        base = -float(row)
        axes.axhline(base, color="#dddddd", lw=0.5, zorder=0)
        axes.vlines(where, base, base + height * pattern, color="#bbbbbb", lw=0.5)
        inside = np.isin(found.ids, found.members[row])
        for name, members in run.populations.items():
            own = inside & (found.ids >= members.start) & (found.ids < members.stop)
            tint = colour(name, run.populations)
            axes.plot(where[own], base + height * pattern[own], "o", color=tint, ms=2.5,
                      mew=0, label=name if row == 0 else None)
    axes.set_yticks(-np.arange(rows), [f"{row + 1}" for row in range(rows)])
    axes.set_ylabel("assembly")
    axes.set_ylim(-rows + 0.4, 1.05)
    axes.set_xlim(-1, found.ids.size)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), handletextpad=0.1)


def _strength(axes: Axes, found: Assemblies, run: RunView, bin_ms: float) -> None:
    """Draw the strength of each assembly over time in a row of its own, all on one scale."""
    rows = len(found.strength[:MOST])
    axes.set_title(f"strength over time, bins of {bin_ms:g} ms", color=INK)
    time_axis(axes, 0, run.duration_ms)
    top = max(float(found.strength[:MOST].max()), 1e-12)
    times_ms = (np.arange(found.strength.shape[1]) + 0.5) * bin_ms
    for row, strength in enumerate(found.strength[:MOST]):
        axes.plot(times_ms, -row + 0.85 * np.maximum(strength, 0) / top, color=INK, lw=0.7)
    axes.set_yticks(-np.arange(rows), [f"{row + 1}" for row in range(rows)])
    axes.set_ylabel("assembly")
    axes.set_ylim(-rows + 0.7, 1.05)
