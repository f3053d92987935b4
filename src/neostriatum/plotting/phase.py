"""Draw how two populations are in phase: shares of time over the angle between their rates.

In: results of `analysis.phase` by name. Out: a figure of panels on one scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.errors import InputError
from neostriatum.plotting.palette import INK
from neostriatum.plotting.style import blank, new_figure, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.analysis.phase import Phase


def phase_histogram(phases: Mapping[str, Phase]) -> tuple[Figure, dict[str, Axes]]:
    """Draw histograms of phases, a panel each.

    Parameters
    ----------
    phases : dict
        {title: Phase}, such as ``{"GPeTI, STN": analysis.phase(...)}``. The mean is a line as
        long as the locking.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : dict
        Axes by title.

    Raises
    ------
    InputError
        Nothing to draw.

    Examples
    --------
    >>> from neostriatum.analysis import phase
    >>> wave = np.sin(np.arange(2000) * 0.125)
    >>> figure, axes = phase_histogram({"itself": phase(wave, wave, 1.0, (15, 25))})
    >>> axes["itself"].get_xlabel()
    'phase (degrees)'
    """
    if not phases:
        message = "phases: must have at least one (got none)"
        raise InputError(message)
    with paper():
        figure = new_figure(2.3 * len(phases), 2.3)
        panels = figure.subplots(1, len(phases), sharey=True, squeeze=False)[0]
        axes = dict(zip(phases, panels, strict=True))
        top = max([np.nanmax(one.density) for one in phases.values()
                   if np.isfinite(one.density).any()], default=1.0)
        for name, panel in axes.items():
            found = phases[name]
            panel.set_title(name, color=INK)
            if not np.isfinite(found.mean_deg):
                blank(panel, "one of them does not vary")
                continue
            panel.stairs(found.density, found.edges_deg, fill=True, color="#9db4c8")
            panel.plot([found.mean_deg] * 2, [0, top * found.locking], color=INK, lw=1.2)
            panel.set(xlim=(-180, 180), ylim=(0, 1.08 * top), xticks=(-180, -90, 0, 90, 180),
                      xlabel="phase (degrees)")
        panels[0].set_ylabel("share of time per degree")
    return figure, axes
