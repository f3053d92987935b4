"""Panels at fixed places, for the figures that every run draws.

In: a figure with its panels, sizes in inches. Out: the panels at their places. The automatic layout
measures every word of a figure first, which takes as long as drawing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Over the panels, for the heading and a title of one line; below, for ticks and a label; beside
#: them on the right, for half of the last number [inch].
TOP_IN, BOTTOM_IN, RIGHT_IN = 0.38, 0.39, 0.17
#: From the left edge to the end of the label of a y axis; from the upper one to the heading [inch].
LABEL_IN, HEADING_IN = 0.15, 0.05


def cut(
    length_in: float, before_in: float, after_in: float, shares: Sequence[float],
    gaps_in: Sequence[float],
) -> list[tuple[float, float]]:
    """Cut a side of a figure into stretches with gaps between them.

    Parameters
    ----------
    length_in : float
        The side [inch].
    before_in, after_in : float
        What stays free at its ends [inch].
    shares : sequence of float
        How long the stretches are, relative to each other.
    gaps_in : sequence of float
        What stays free between them, one fewer [inch].

    Returns
    -------
    list of (float, float)
        Start and length of each stretch, in parts of the side.

    Examples
    --------
    >>> cut(10.0, 1.0, 2.0, [1, 2], [1.0])
    [(0.1, 0.2), (0.4, 0.4)]
    """
    unit = (length_in - before_in - after_in - sum(gaps_in)) / sum(shares)
    stretches, start = [], before_in
    for share, gap in zip(shares, [*gaps_in, 0.0], strict=True):
        stretches.append((start / length_in, share * unit / length_in))
        start += share * unit + gap
    return stretches


def fix(
    figure: Figure, panels: Sequence[Axes], columns: Sequence[tuple[float, float]],
    rows: Sequence[tuple[float, float]],
) -> None:
    """Put the panels of a figure at the crossings of columns and rows, row by row.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it does not lay itself out any more.
    panels : sequence of matplotlib.axes.Axes
        Its panels, from the top left.
    columns, rows : sequence of (float, float)
        Start and length in parts of the width from the left, and of the height from the top.

    Examples
    --------
    >>> from neostriatum.plotting.style import new_figure
    >>> figure = new_figure(width_in=4, height_in=2)
    >>> fix(figure, [figure.add_subplot()], [(0.25, 0.5)], [(0.0, 0.75)])
    >>> [float(x) for x in figure.axes[0].get_position().bounds]
    [0.25, 0.25, 0.5, 0.75]
    """
    figure.set_layout_engine(None)
    for number, panel in enumerate(panels):
        (left, width), (top, height) = columns[number % len(columns)], rows[number // len(columns)]
        panel.set_position((left, 1 - top - height, width, height))
        panel.yaxis.set_label_coords((LABEL_IN / figure.get_figwidth() - left) / width, 0.5)


def heighten(figure: Figure, by_in: float) -> None:
    """Make a figure higher at its top, and keep panels at fixed places as they are.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    by_in : float
        How much higher [inch].

    Examples
    --------
    >>> from neostriatum.plotting.style import new_figure
    >>> figure = new_figure(width_in=4, height_in=2)
    >>> fix(figure, [figure.add_subplot()], [(0.25, 0.5)], [(0.0, 0.5)])
    >>> heighten(figure, 2.0)
    >>> [float(x) for x in figure.axes[0].get_position().bounds]
    [0.25, 0.25, 0.5, 0.25]
    """
    before_in = figure.get_figheight()
    figure.set_figheight(before_in + by_in)
    if figure.get_layout_engine() is None:
        part = before_in / (before_in + by_in)
        for panel in figure.axes:
            left, bottom, width, height = panel.get_position().bounds
            panel.set_position((left, bottom * part, width, height * part))
        if figure.get_suptitle():
            place_heading(figure)


def place_heading(figure: Figure) -> None:
    """Put the heading of a figure that does not lay itself out to its top.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, with a heading.

    Examples
    --------
    >>> from neostriatum.plotting.style import new_figure
    >>> figure = new_figure(width_in=4, height_in=2)
    >>> figure.set_layout_engine(None)
    >>> text = figure.suptitle("seed 1")
    >>> place_heading(figure)
    >>> float(text.get_position()[1])
    0.975
    """
    figure._suptitle.set_y(  # type: ignore[attr-defined]  # Matplotlib has no public name for it
        1 - HEADING_IN / figure.get_figheight())
