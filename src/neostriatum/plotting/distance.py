"""Correlation of spike counts against the distance of the somas.

In: a run. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.counts import whole_bins
from neostriatum.analysis.distance import correlation_by_distance
from neostriatum.analysis.somas import somas
from neostriatum.errors import InputError
from neostriatum.plotting.palette import INK, colour, lettering, marker
from neostriatum.plotting.panels import by_type, pools_shown, share_scales
from neostriatum.plotting.style import blank, heading, members_of, paper, silence
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.analysis.distance import DistanceCorrelation

BINS = 10
FEWEST_PAIRS = 10  # of a point; with fewer its error would say more than it does


def correlation_distance(
    run: RunView, bin_ms: float = 50.0, sample: int = 1500, seed: int = 0
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the mean pairwise correlation of spike counts against distance, one panel per type.

    Parameters
    ----------
    run : RunView
        The run. Its positions are drawn again from its circuit and seed, or read from its network.
    bin_ms : float
        Width of a counting bin [ms].
    sample : int
        Neurons of a type to compare at most.
    seed : int
        Seed of that draw.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panel of each type, with the standard error of each mean as if pairs were independent;
        the projection neurons share one scale.

    Raises
    ------
    InputError
        If the run has no cell type, or a number is out of range.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from neostriatum.analysis.somas import Somas
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([2.0, 7.5]), ids=np.array([0, 1])),
    ...     populations={"dSPN": range(2)}, somas=Somas(np.array([[0, 0, 0], [50, 0, 0]]), None),
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = correlation_distance(run)
    >>> axes["dSPN"].texts[0].get_text()
    'too few pairs of dSPN that fire'
    """
    populations = members_of(run)
    where = somas(run)
    with paper():
        figure, axes = by_type(populations, 2.4)
        for name, members in populations.items():
            panel, ids = axes[name], run.spikes.ids
            own = (ids >= members.start) & (ids < members.stop)
            panel.set_title(f"{name}\n ", color=lettering(colour(name, populations)))
            reason = silence(name, len(members), int(own.sum()))
            try:
                whole_bins(run.duration_ms, bin_ms)
            except InputError:
                reason = reason or "the run is too short"
            if reason or where is None:
                blank(panel, reason or "positions are not known")
                continue
            at = where.positions_um[members.start : members.stop]
            if np.isnan(at).any():
                blank(panel, "cells of a nucleus have no places")
                continue
            # Every pair of a torus is seen out to half its side, of an open volume not beyond.
            reach_um = (where.side_um or float(np.ptp(at, axis=0).max()) or 1.0) / 2
            found = correlation_by_distance(
                run.spikes.times_ms[own], ids[own] - members.start, at, run.duration_ms, bin_ms,
                np.linspace(0, reach_um, BINS + 1), where.side_um, sample, seed)
            _points(panel, name, found, bin_ms, populations)
        share_scales(axes, pools_shown(run))
        drawn = [panel for panel in axes.values() if panel.lines]
        if drawn:
            drawn[0].set_ylabel("correlation of counts")
        heading(figure, run)
    return figure, axes


def _points(axes: Axes, name: str, found: DistanceCorrelation, bin_ms: float,
            types: Iterable[str]) -> None:
    """Draw the means that have enough pairs, with their standard errors."""
    enough = found.pairs >= FEWEST_PAIRS
    if not enough.any():
        blank(axes, f"too few pairs of {name} that fire")
        return
    middle_um = (found.edges_um[1:] + found.edges_um[:-1])[enough] / 2
    error = found.sd[enough] / np.sqrt(found.pairs[enough])
    tint = colour(name, types)
    axes.errorbar(middle_um, found.mean[enough], error, color=tint, marker=marker(name, types),
                  ms=3.5, lw=0.9, elinewidth=0.8)
    axes.axhline(0, color=INK, lw=0.6, ls=(0, (4, 3)))
    axes.set_title(f"{name}, {found.pairs.sum():,} pairs\ncounts in {bin_ms:g} ms",
                   color=lettering(tint))
    axes.set_xlabel("distance (µm)")
    axes.set_xlim(0, found.edges_um[-1])
    axes.locator_params(nbins=5, steps=[1, 2, 5, 10])
