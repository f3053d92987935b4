"""Rates against two parameters: one panel per cell type, one cell per pair of values.

In: the table of a sweep, {column: values}. Out: the figure and its axes by cell type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.aliases import in_order
from neostriatum.circuit.pools import pools_of
from neostriatum.errors import InputError
from neostriatum.plotting.palette import FAINT, INK
from neostriatum.plotting.panels import COLUMNS
from neostriatum.plotting.style import WIDTH_IN, empty, new_figure, paper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

#: Values are printed in the cells of a map of at most so many columns.
PRINTED = 7
#: Columns whose numbers are levels of dopamine.
_LEVELS = ("dopamine", "d1", "d2")
_UNITS = ("ms", "mV", "pA", "nA", "nS", "pF", "um", "Hz")


def heat_map(table: Mapping[str, Sequence[Any]], x: str, y: str,
             title: str = "") -> tuple[Figure, dict[str, Axes]]:
    """Draw the rate of every cell type against two columns of a sweep's table.

    The types of a pool share one bar of colours. A cell is the mean over all rows of its pair of
    values (the seeds). It is hatched where one of them failed, and left white where none was run.

    Parameters
    ----------
    table : mapping of str to sequence
        Columns of equal length, as in ``table.csv``: ``rate_dSPN_hz`` and the like [Hz],
        ``status``, and what varies. A pandas DataFrame is one.
    x, y : str
        Columns for the two axes; other columns are averaged over.
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
        If the table is empty or lacks a column.

    Examples
    --------
    >>> table = {"dopamine": [0.0, 0.3, 0.0, 0.3], "drive": [0.9, 0.9, 1.1, 1.1],
    ...          "rate_dSPN_hz": [0.1, 0.4, 2.0, 4.1], "status": ["finished"] * 4}
    >>> figure, axes = heat_map(table, "dopamine", "drive")
    >>> list(axes), axes["dSPN"].get_xlabel()
    (['dSPN'], 'dopamine (activation, 0 to 1)')
    """
    columns, rows = levels(table, x), levels(table, y)
    types = present(table)
    failed = np.zeros((len(rows), len(columns)), bool)
    places = [(rows.index(one), columns.index(other))
              for one, other in zip(table[y], table[x], strict=True)]
    for at, status in zip(places, table["status"], strict=True):
        failed[at] |= status == "failed"
    rates = {name: _means(table[f"rate_{name}_hz"], places, failed.shape) for name in types}
    panels = max(1, len(types))
    with paper():
        width_in = WIDTH_IN * max(1.0, panels / COLUMNS)
        cell_in = (width_in - 0.5) / panels / (len(columns) + 2.2)
        height_in = min(4.5, max(1.9, 0.9 + cell_in * len(rows)))
        figure = new_figure(width_in if panels > 1 else WIDTH_IN / 2, height_in)
        if title:
            figure.suptitle(title, x=0.99, ha="right", color=FAINT)
        axes = {}
        for name, panel in zip(types or [""], figure.subplots(1, panels, squeeze=False)[0],
                               strict=True):
            axes[name] = panel
            _ticks(panel, columns, rows)
            panel.set_xlabel(labelled(x))
        for together in pools_of(types).values():
            top = max(np.nanmax(rates[name]) for name in together) or 1.0
            for name in together:
                image = _panel(axes[name], rates[name], failed, name, top)
            bar = figure.colorbar(image, ax=[axes[name] for name in together], pad=0.02)
            bar.ax.set_title("spikes/s", fontsize=7, loc="center")
            bar.outline.set_visible(False)
        next(iter(axes.values())).set_ylabel(labelled(y))
        if not types:
            empty(axes[""], "no rates in this table")
    return figure, axes


def levels(table: Mapping[str, Sequence[Any]], name: str) -> list[Any]:
    """Return the distinct values of a column: numbers ascending, texts in order of appearance.

    Raises
    ------
    InputError
        If there is no such column, or no row.

    Examples
    --------
    >>> levels({"drive": [1.1, 0.9, 1.1]}, "drive"), levels({"a": ["b", "a"]}, "a")
    ([0.9, 1.1], ['b', 'a'])
    """
    if name not in table or not len(table[name]):
        known = ", ".join(str(one) for one in table)
        message = f"table: must have rows and a column {name} (got {known})"
        raise InputError(message)
    found = list(dict.fromkeys(np.asarray(table[name], object).tolist()))
    return found if any(isinstance(one, str) or one is None for one in found) else sorted(found)


def present(table: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the cell types that the table has rates of, in the order of their ids.

    Examples
    --------
    >>> present({"rate_FS_hz": [12.0], "rate_dSPN_hz": [None]})
    ['FS']
    """
    named = [column[5:-3] for column in map(str, table)
             if column.startswith("rate_") and column.endswith("_hz")]
    return in_order(name for name in named
                    if np.isfinite(np.asarray(table[f"rate_{name}_hz"], float)).any())


def labelled(name: str) -> str:
    """Return the name of a column as a label, its unit in brackets.

    Examples
    --------
    >>> labelled("cells.dSPN.parameters.C_pF"), labelled("dopamine")
    ('cells.dSPN.parameters.C (pF)', 'dopamine (activation, 0 to 1)')
    """
    if name in _LEVELS:
        return f"{name} (activation, 0 to 1)"
    stem, _, unit = name.rpartition("_")
    return f"{stem} ({unit})" if stem and unit in _UNITS else name


def _means(rates: Sequence[Any], places: list[tuple[int, int]],
           shape: tuple[int, ...]) -> NDArray[np.float64]:
    sums, counts = np.zeros((2, *shape))
    for at, rate in zip(places, np.asarray(rates, float), strict=True):
        if np.isfinite(rate):
            sums[at] += rate
            counts[at] += 1
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _panel(axes: Axes, rates: NDArray[np.float64], failed: NDArray[np.bool_], name: str,
           top: float) -> AxesImage:
    """Draw one type, its colours from 0 to `top` [Hz]."""
    from matplotlib.patches import Rectangle

    image = axes.imshow(rates, origin="lower", aspect="auto", cmap="viridis", vmin=0.0, vmax=top)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(name)
    for row, column in zip(*np.nonzero(failed), strict=True):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, hatch="////",
                                 edgecolor=FAINT, linewidth=0))
    if rates.shape[1] <= PRINTED:
        for (row, column), rate in np.ndenumerate(rates):
            if np.isfinite(rate):
                axes.text(column, row, f"{rate:.2f}" if rate < 9.995 else f"{rate:.1f}",
                          ha="center", va="center", fontsize=6,
                          color="white" if rate < 0.6 * top else INK)
    return image


def _ticks(axes: Axes, columns: list[Any], rows: list[Any]) -> None:
    for axis, values, most in ((axes.xaxis, columns, 8), (axes.yaxis, rows, 16)):
        step = -(-len(values) // most)
        axis.set_ticks(range(0, len(values), step), [_short(one) for one in values[::step]])


def _short(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 14 else text[:13] + "…"
