"""How many partners neurons have: histograms of in- and out-degree.

In: a network. Out: the figure, and its axes by direction and type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.tally import tally
from neostriatum.errors import InputError
from neostriatum.plotting.palette import colour
from neostriatum.plotting.panels import COLUMNS
from neostriatum.plotting.style import WIDTH_IN, empty, network_heading, new_figure, paper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.network.network import Network

BARS = 36


def degrees(network: Network) -> tuple[Figure, dict[str, Axes]]:
    """Draw how many sources and how many targets neurons have, one column per type.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panels, as ``"in dSPN"`` and ``"out dSPN"``; each has a histogram per partner type, in
        the partner's colour, with mean and standard deviation in the legend.

    Raises
    ------
    InputError
        If the network has no cell type.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure, axes = degrees(ns.build("striatum", size=300))
    >>> axes["in dSPN"].get_xlabel(), axes["out FS"].get_xlabel()
    ('sources of a dSPN', 'targets of an FS')
    """
    if not network.counts:
        message = "network: must have at least one cell type (got none)"
        raise InputError(message)
    found: dict[str, dict[str, np.ndarray]] = {
        f"{way} {name}": {} for way in ("in", "out") for name in network.counts}
    for pathway, edges in network.edges.items():
        source, target = pathway.split("->")
        nothing = np.zeros(network.counts[target], np.uint8)
        found[f"in {target}"][source] = tally(network, pathway, nothing).degrees
        found[f"out {source}"][target] = np.diff(edges.offsets)
    with paper():
        figure = new_figure(WIDTH_IN * max(1.0, len(network.counts) / COLUMNS), 3.7)
        panels = figure.subplots(2, len(network.counts), squeeze=False)
        axes = dict(zip(found, panels.ravel(), strict=True))
        for key, panel in axes.items():
            way, name = key.split()
            _histograms(panel, found[key], network.counts)
            partners = "sources" if way == "in" else "targets"
            panel.set_xlabel(f"{partners} of {_article(name)} {name}")
        for row in panels:
            for panel in row:
                if panel.patches:
                    panel.set_ylabel("density (1/partner)")
                    break
        network_heading(figure, network)
    return figure, axes


def _histograms(axes: Axes, found: dict[str, np.ndarray], types: Iterable[str]) -> None:
    shown = {name: values for name, values in found.items() if len(values) and values.any()}
    if not shown:
        empty(axes, "none")
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        return
    top = 0.0
    for name, values in shown.items():
        low, high = int(values.min()), int(values.max())
        width = max(1, -(-(high - low + 1) // BARS))
        edges = np.arange(low, high + width + 1, width) - 0.5
        share = np.histogram(values, edges)[0] / len(values)
        label = f"{name}: {_short(values.mean())} ± {values.std():.2g}"
        tint = colour(name, types)
        share = share / width  # bars of any width have the same area for the same neurons
        axes.stairs(share, edges, color=tint, lw=1.0, label=label)
        top = max(top, float(share.max()))
    axes.set_xlim(left=0)
    axes.set_ylim(0, top * 1.65)
    axes.locator_params(nbins=5, steps=[1, 2, 5, 10])
    axes.legend(loc="upper right", borderaxespad=0.0, handlelength=1.0, labelspacing=0.25,
                title="mean ± sd", title_fontsize=7, alignment="left")


def _article(name: str) -> str:
    """Return "a" or "an": capitals are spoken as letters, an FS, an STN, a GPe."""
    spoken = not name[1:2].islower() and name[0] in "FHLMNRSX"
    return "an" if spoken or name[0] in "AEIOaeio" else "a"


def _short(mean: float) -> str:
    return f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
