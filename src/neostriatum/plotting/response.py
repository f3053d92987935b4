"""Rates against one parameter: a panel per cell type, the mean over seeds and their spread.

In: the table of a sweep, {column: values}. Out: the figure and its axes by cell type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.plotting.heatmap import labelled, levels, present
from neostriatum.plotting.palette import FAINT, colour, marker
from neostriatum.plotting.panels import by_type
from neostriatum.plotting.style import WIDTH_IN, empty, new_figure, paper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def response(table: Mapping[str, Sequence[Any]], x: str,
             title: str = "") -> tuple[Figure, dict[str, Axes]]:
    """Draw the rate of every cell type against one column of a sweep's table.

    The line joins the means over all rows of a value (the seeds); the band runs from the lowest
    to the highest of them; a grey cross on the axis marks a value of which a row failed.

    Parameters
    ----------
    table : mapping of str to sequence
        Columns of equal length, as in ``table.csv``: ``rate_dSPN_hz`` and the like [Hz],
        ``status``, and what varies. A pandas DataFrame is one.
    x : str
        Column for the x axis; other columns are averaged over.
    title : str
        Written over the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        A panel per cell type that the table has rates of.

    Raises
    ------
    InputError
        If the table is empty or lacks the column.

    Examples
    --------
    >>> table = {"dopamine": [0.0, 0.3, 0.0, 0.3], "rate_dSPN_hz": [0.7, 1.6, 0.8, 1.5],
    ...          "status": ["finished"] * 4}
    >>> figure, axes = response(table, "dopamine")
    >>> axes["dSPN"].lines[0].get_ydata().tolist()
    [0.75, 1.55]
    """
    values = levels(table, x)
    numeric = all(isinstance(one, (int, float)) for one in values)
    places = np.array(values if numeric else range(len(values)), float)
    at = np.array([values.index(one) for one in np.asarray(table[x], object).tolist()])
    failed = np.unique(at[np.asarray(table["status"], object) == "failed"])
    types = present(table)
    with paper():
        if len(types) > 1:
            figure, axes = by_type(types, 2.2)
        else:
            figure = new_figure(WIDTH_IN / 2, 2.2)
            axes = {(types or [""])[0]: figure.add_subplot()}
        if title:
            figure.suptitle(title, x=0.99, ha="right", color=FAINT)
        first = next(iter(axes.values()))
        for name, panel in axes.items():
            panel.set_title(name)
            panel.set_xlabel(labelled(x))
            if not numeric:
                panel.set_xticks(places, [str(one) for one in values])
            if name:
                rates = np.asarray(table[f"rate_{name}_hz"], float)
                _curve(panel, places, [rates[(at == n) & np.isfinite(rates)]
                                       for n in range(len(values))], name,
                       types)
            if len(failed):
                panel.plot(places[failed], np.zeros(len(failed)), "x", color=FAINT, clip_on=False)
        first.set_ylabel("rate (spikes/s)")
        if not types:
            empty(first, "no rates in this table")
    return figure, axes


def _curve(axes: Axes, places: Any, groups: list[Any], name: str, types: list[str]) -> None:
    kept = [n for n, one in enumerate(groups) if len(one)]
    x, found = places[kept], [groups[n] for n in kept]
    axes.plot(x, [one.mean() for one in found], color=colour(name, types),
              marker=marker(name, types))
    axes.fill_between(x, [one.min() for one in found], [one.max() for one in found],
                      color=colour(name, types), alpha=0.25, linewidth=0)
    axes.set_ylim(0, 1.08 * (max(one.max() for one in found) or 1.0))
