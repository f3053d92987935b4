"""What a protocol of current clamp measured: the responses, and its table beside them.

In: the result of a protocol. Out: the figure, the axes of the responses and those of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.plotting.palette import FAINT, INK, colour, marker
from neostriatum.plotting.style import WIDTH_IN, empty, new_figure, paper
from neostriatum.plotting.traces import share_scale, with_spikes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_IN, LEAST_IN = 0.75, 2.6


def protocol(result: Any) -> tuple[Figure, tuple[list[Axes], list[Axes]]]:
    """Draw the responses of a protocol, and what its table says.

    Parameters
    ----------
    result : ProtocolResult
        From `neostriatum.protocol`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : (list of Axes, list of Axes)
        Those of the responses, and those of the table.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure, (responses, table) = protocol(ns.protocol("dSPN", "rin"))
    >>> table[0].get_ylabel()
    'membrane voltage (mV)'
    """
    outcome, own = result.outcome, colour(result.cell)
    responses, panels = outcome.responses, outcome.panels
    rows = len(responses) if outcome.stacked else 1
    with paper():
        height = max(LEAST_IN, ROW_IN * rows + 0.6, 1.9 * len(panels))
        figure = new_figure(WIDTH_IN, height)
        halves: Any = figure.subfigures(1, 2, width_ratios=(1.5, 1))  # an array, as there are two
        left, right = halves
        figure.suptitle(f"{result.cell} of {result.circuit}: {result.protocol}", x=0.01, ha="left",
                        color=INK)
        traces = list(np.atleast_1d(left.subplots(rows, 1, sharex=True)))
        for number, (label, response) in enumerate(responses):
            axes = traces[number if outcome.stacked else 0]
            shade = 1.0 if outcome.stacked or len(responses) == 1 else (
                0.3 + 0.7 * number / (len(responses) - 1))
            times, v = response.times_ms, response.v_mv
            if result.v_peak_mv is not None:
                times, v = with_spikes(times, v, response.spikes_ms, result.v_peak_mv)
            axes.plot(times, v, color=own, alpha=shade, lw=0.7, label=label,
                      solid_joinstyle="bevel")
            if outcome.stacked:
                axes.set_title(label, color=FAINT, pad=2)
        _finish(left, traces, outcome.stacked)
        drawn = list(np.atleast_1d(right.subplots(len(panels), 1)))
        for axes, panel in zip(drawn, panels, strict=True):
            _panel(axes, panel, outcome.table, result.cell)
    return figure, (traces, drawn)


def _finish(part: Any, traces: list[Axes], stacked: bool) -> None:
    """Label the responses and give them one scale."""
    share_scale(traces)
    low, high = (end(axes.dataLim.intervalx[at] for axes in traces)
                 for at, end in ((0, min), (1, max)))
    traces[-1].set_xlim(np.floor(low), np.ceil(high))
    traces[-1].set_xlabel("time (ms)")
    part.supylabel("membrane voltage (mV)", fontsize="medium")
    if not stacked:
        part.legend(loc="outside right upper")


def _panel(axes: Axes, panel: Any, table: dict[str, list[Any]], cell: str) -> None:
    """Draw columns of the table against one of them, the second in outline."""
    own = colour(cell)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    x = np.array(table[panel.x], float)
    order, some = np.argsort(x), False
    for number, (column, label) in enumerate(panel.ys.items()):
        y = np.array([np.nan if value is None else value for value in table[column]], float)
        some = some or bool(np.isfinite(y).any())
        axes.plot(x[order], y[order], color=own, marker=marker(cell), label=label, clip_on=False,
                  ls="-" if number == 0 else "--",
                  markerfacecolor=own if number == 0 else "white")
    if not some:
        empty(axes, "the cell does not fire")
        return
    if panel.log:
        axes.set_xscale("log")
    else:
        axes.locator_params(axis="x", nbins=5)
    if panel.y_label == "spikes":
        axes.locator_params(axis="y", integer=True)
    if axes.dataLim.y0 >= 0:
        axes.set_ylim(0, max(axes.dataLim.y1 * 1.1, 1.0))
    if len(panel.ys) > 1:
        axes.legend(loc="best")
