"""Panels by cell type: how they are arranged, and which share a scale.

In: cell types, a run, axes. Out: a figure with a panel per type; axes with one scale per pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.circuit.pools import pools_of
from neostriatum.plotting.style import WIDTH_IN, new_figure
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Panels side by side that the usual width has room for.
COLUMNS = 3


def pools_shown(run: RunView) -> Mapping[str, tuple[str, ...]]:
    """Return the types of each pool of a run, whose panels share a scale; see `circuit.pools`.

    Parameters
    ----------
    run : RunView
        The run; where it does not say its pools, the usual ones hold.

    Returns
    -------
    mapping of str to tuple of str
        Every type is in one pool.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pools_shown(SimpleNamespace(populations={"FS": range(3)}))
    {'FS': ('FS',)}
    """
    return pools_of(run.populations, getattr(run, "pools", None))


def by_type(types: Iterable[str], height_in: float) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel per cell type, a few to a row.

    Parameters
    ----------
    types : iterable of str
        Cell types.
    height_in : float
        Height of a row [inch].

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        Its panels by type.

    Examples
    --------
    >>> figure, axes = by_type(["dSPN", "iSPN", "FS", "LTS"], 2.0)
    >>> list(axes), float(figure.get_figheight())
    (['dSPN', 'iSPN', 'FS', 'LTS'], 4.0)
    """
    names = list(types)
    rows = -(-len(names) // COLUMNS)
    figure = new_figure(WIDTH_IN, height_in * rows)
    panels = figure.subplots(rows, min(COLUMNS, len(names)), squeeze=False).ravel()
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    return figure, dict(zip(names, panels, strict=False))


def share_scales(axes: Mapping[str, Axes], pools: Mapping[str, Iterable[str]]) -> None:
    """Give the types of a pool one y scale, so that they can be compared.

    Parameters
    ----------
    axes : mapping of str to matplotlib.axes.Axes
        Panels by type; those without a line or a patch are left as they are.
    pools : mapping of str to iterable of str
        Types of each pool.

    Examples
    --------
    >>> one, other = new_figure(width_in=3, height_in=2).subplots(1, 2)
    >>> lines = one.plot([0, 1]), other.plot([0, 4])
    >>> share_scales({"dSPN": one, "iSPN": other}, {"SPN": ["dSPN", "iSPN"]})
    >>> one.get_ylim() == other.get_ylim()
    True
    """
    for types in pools.values():
        drawn = [axes[name] for name in types if axes[name].lines or axes[name].patches]
        if drawn:
            low, high = zip(*(panel.get_ylim() for panel in drawn), strict=True)
            for panel in drawn:
                panel.set_ylim(min(low), max(high))
