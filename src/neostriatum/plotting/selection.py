"""Draw which of two actions the output of the basal ganglia selects, over their saliences.

In: rates of both channels on a grid. Out: a map of the contrast, with the class in every field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from neostriatum.analysis.action import LINDAHL_HZ, channel_contrast, selection
from neostriatum.errors import InputError
from neostriatum.plotting.style import new_figure, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What stands in a field.
MARKS = {"none": "", "single": "•", "dual": "••"}


def selection_map(saliences: ArrayLike, rates_hz: ArrayLike, threshold_hz: float = LINDAHL_HZ,
                  title: str = "") -> tuple[Figure, Axes]:
    """Draw the contrast of two channels over the saliences of their actions.

    Parameters
    ----------
    saliences : array_like, shape (n,)
        Saliences of either action, rising.
    rates_hz : array_like, shape (n, n, 2)
        Rates of both channels of the output nucleus, by the salience of the first action, then of
        the second.
    threshold_hz : float
        Rate below which an action is selected; a field has a dot for each selected action.
    title : str
        Title of the map.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes

    Raises
    ------
    InputError
        Shapes that do not fit, saliences that do not rise.

    Examples
    --------
    >>> figure, axes = selection_map([1, 2], [[[28, 28], [70, 4]], [[4, 72], [9, 8]]])
    >>> [text.get_text() for text in axes.texts]
    ['', '•', '•', '••']
    """
    grid, rates = np.asarray(saliences, np.float64), np.asarray(rates_hz, np.float64)
    if grid.ndim != 1 or grid.size < 2 or not (np.diff(grid) > 0).all():
        message = f"saliences: must be at least 2 that rise (got shape {grid.shape})"
        raise InputError(message)
    if rates.shape != (grid.size, grid.size, 2):
        message = (f"rates_hz: must have shape {(grid.size, grid.size, 2)} "
                   f"(got {rates.shape})")
        raise InputError(message)
    contrast = np.array([[channel_contrast(pair) for pair in row] for row in rates])
    most = float(np.abs(contrast).max()) or 1.0
    with paper():
        figure = new_figure(3.4, 2.9)
        axes = figure.add_subplot()
        # The first action rises along x.
        image = axes.pcolormesh(np.arange(grid.size + 1), np.arange(grid.size + 1), contrast.T,
                                cmap="RdBu_r", vmin=-most, vmax=most)
        for i, row in enumerate(rates):
            for j, pair in enumerate(row):
                axes.text(i + 0.5, j + 0.5, MARKS[selection(pair, threshold_hz)], ha="center",
                          va="center", fontsize=7)
        ticks = np.arange(grid.size) + 0.5
        labels = [f"{value:g}" for value in grid]
        axes.set(xticks=ticks, yticks=ticks, xticklabels=labels, yticklabels=labels,
                 xlabel="salience of the first action", ylabel="salience of the second",
                 title=title)
        figure.colorbar(image, ax=axes, label="SNr of the second less first (Hz)")
    return figure, axes
