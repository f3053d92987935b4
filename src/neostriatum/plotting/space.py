"""Where the somas lie, in three dimensions.

In: a network. Out: the figure and its axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import InputError
from neostriatum.plotting.palette import FAINT, colour, marker
from neostriatum.plotting.style import network_heading, new_figure, paper
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.network.network import Network

#: Somas drawn of all types together: more cannot be told apart.
MOST = 1500
#: Share of them that the rarest type has at least, so that it can be seen.
LEAST = 0.02


def positions(network: Network, most: int = MOST) -> tuple[Figure, Axes]:
    """Draw the somas in three dimensions, coloured by type.

    Parameters
    ----------
    network : Network
        The network.
    most : int
        Somas to draw at most, evenly spaced by id; the legend says how many of how many.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : mpl_toolkits.mplot3d.axes3d.Axes3D
        Its axes.

    Raises
    ------
    InputError
        If nothing is to be drawn.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure, axes = positions(ns.build("striatum", size=200))
    >>> axes.get_xlabel()
    'x (µm)'
    """
    most = whole_number("most", most, 1, error=InputError)
    with paper():
        figure = new_figure(4.9, 4.2)
        # The labels of axes in three dimensions are more than the automatic layout can place.
        figure.set_layout_engine("none")
        axes: Any = figure.add_axes((0.0, 0.07, 0.87, 0.83), projection="3d")
        for name, ids in network.populations.items():
            if np.isnan(network.positions[ids.start : ids.stop]).any():
                continue  # cells of a nucleus have no places
            share = min(1.0, most / network.size)
            drawn = min(len(ids), max(round(share * len(ids)), round(LEAST * most)))
            at = network.positions[np.linspace(ids.start, ids.stop - 1, drawn).astype(np.int64)]
            rare = len(ids) < LEAST * 2 * network.size
            shape = marker(name, network.counts) if rare else "o"
            axes.scatter(*at.T, s=14 if rare else 6, marker=shape, linewidths=0,
                         color=colour(name, network.counts), depthshade=False, alpha=0.9,
                         label=_label(name, drawn, len(ids)), rasterized=True)
        frame(axes, network.positions, zoom=1.08)
        low, high = (end(network.positions, axis=0) for end in (np.nanmin, np.nanmax))
        if (low < high).all():
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
        legend = axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.08), markerscale=2.0,
                             labelcolor=FAINT, borderaxespad=0.0)
        for handle in legend.legend_handles:
            handle.set_alpha(1.0)
        network_heading(figure, network)
    return figure, axes


def frame(axes: Any, positions_um: Any, zoom: float = 0.93) -> None:
    """Give axes in three dimensions units, light walls and the proportions of the tissue.

    Parameters
    ----------
    axes : mpl_toolkits.mplot3d.axes3d.Axes3D
        The axes.
    positions_um : ndarray, shape (n, 3)
        The somas [um].
    zoom : float
        How much of the axes the tissue fills.

    Examples
    --------
    >>> axes = new_figure(2, 2).add_subplot(projection="3d")
    >>> frame(axes, np.array([[0, 0, 0], [9, 9, 9]]))
    >>> axes.get_zlabel()
    'z (µm)'
    """
    for axis, letter in zip((axes.xaxis, axes.yaxis, axes.zaxis), "xyz", strict=True):
        axis.set_label_text(f"{letter} (µm)")
        axis.set_major_locator(_ticks())
        axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
        axis._axinfo["grid"].update(color="#dddddd", linewidth=0.4)
    extent = np.nanmax(positions_um, axis=0) - np.nanmin(positions_um, axis=0)
    axes.set_box_aspect(np.maximum(extent, 1e-3 * extent.max() or 1.0), zoom=zoom)
    axes.view_init(elev=22, azim=-56)


def _label(name: str, drawn: int, count: int) -> str:
    if drawn == count:
        return f"{name}, {count:,}"
    return f"{name}, {drawn:,} of {count:,}"


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, steps=[1, 2, 5, 10])
