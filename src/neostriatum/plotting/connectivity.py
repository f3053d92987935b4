"""The matrix of connections by population.

In: a network. Out: the figure and its axes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import InputError
from neostriatum.plotting.palette import FAINT, INK, colour, lettering
from neostriatum.plotting.panels import COLUMNS
from neostriatum.plotting.style import network_heading, new_figure, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.network.network import Network


def connectivity(network: Network) -> tuple[Figure, Axes]:
    """Draw the matrix of connections: sources in rows, targets in columns.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : matplotlib.axes.Axes
        Its axes. The colour is the mean in-degree: sources of the row per neuron of the column.
        Below it stand the synapses of the pathway.

    Raises
    ------
    InputError
        If the network has no cell type.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure, axes = connectivity(ns.build("striatum_v1", size=300))
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['dSPN', 'iSPN', 'FS']
    """
    if not network.counts:
        message = "network: must have at least one cell type (got none)"
        raise InputError(message)
    from matplotlib.colors import LogNorm

    types = list(network.counts)
    mean = np.full((len(types), len(types)), np.nan)
    for name, edges in network.edges.items():
        source, target = name.split("->")
        if network.counts[target] and len(edges):
            mean[types.index(source), types.index(target)] = len(edges) / network.counts[target]
    some = mean[np.isfinite(mean)]
    low, high = (some.min(), some.max()) if some.size else (1.0, 10.0)
    with paper():
        larger = max(1.0, len(types) / COLUMNS)
        figure = new_figure(3.9 * larger, 3.2 * larger)
        axes = figure.add_subplot()
        norm = LogNorm(low / 1.5, max(high, low * 1.01))
        picture = axes.imshow(mean, cmap="Greys", norm=norm, alpha=0.75)
        _write(axes, network, types, mean, norm)
        _bar(axes, picture)
        for axis, which in ((axes.xaxis, "target"), (axes.yaxis, "source")):
            axis.set_ticks(range(len(types)), types)
            axis.set_label_text(which)
            axis.set_tick_params(length=0)
            for label, name in zip(axis.get_ticklabels(), types, strict=True):
                label.set_color(lettering(colour(name, types)))
        axes.spines[:].set_visible(False)
        axes.set_xticks(np.arange(0.5, len(types) - 1), minor=True)
        axes.set_yticks(np.arange(0.5, len(types) - 1), minor=True)
        axes.grid(which="minor", color="white", linewidth=2)
        axes.tick_params(which="minor", length=0)
        network_heading(figure, network)
    return figure, axes


def _bar(axes: Axes, picture: Any) -> None:
    """Draw the bar of colours beside the matrix."""
    from matplotlib.ticker import LogLocator, NullLocator

    figure: Any = axes.figure
    bar = figure.colorbar(picture, ax=axes, shrink=0.85, aspect=18)
    bar.set_label("mean in-degree (sources per target)")
    bar.outline.set_linewidth(0.4)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.yaxis.set_minor_locator(NullLocator())


def _write(axes: Axes, network: Network, types: list[str], mean: np.ndarray, norm: object
           ) -> None:
    for row, source in enumerate(types):
        for column, target in enumerate(types):
            value = mean[row, column]
            if not np.isfinite(value):
                axes.text(column, row, "none", ha="center", va="center", color=FAINT, size=7)
                continue
            dark = norm(value) > 0.55  # type: ignore[operator]  # a number gives a number
            count = len(network.edges[f"{source}->{target}"])
            axes.text(column, row, f"{three_digits(value)}\n", ha="center", va="center", size=9,
                      color="white" if dark else INK)
            axes.text(column, row, f"\n{_short(count)} synapses", ha="center", va="center",
                      size=6, color="white" if dark else INK)


def _short(count: int) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{three_digits(count / size)} {unit}"
    return str(count)


def three_digits(value: float) -> str:
    """Return a number above zero with three significant digits.

    Examples
    --------
    >>> three_digits(37.0), three_digits(147.3), three_digits(5.8), three_digits(1234.0)
    ('37.0', '147', '5.80', '1,234')
    """
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"
