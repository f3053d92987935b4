"""Up and down states of the recorded cells: the trace, and the histogram of its potentials.

In: a run with traces. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.states import up_down_states
from neostriatum.errors import InputError
from neostriatum.plotting.events import mark_events
from neostriatum.plotting.palette import FAINT, INK, colour, lettering
from neostriatum.plotting.style import (
    CEILING_MV,
    CUT,
    WIDTH_IN,
    empty,
    heading,
    members_of,
    new_figure,
    paper,
    time_axis,
)
from neostriatum.plotting.traces import share_scale
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from neostriatum.analysis.states import UpDown

BARS = 80
#: Height of a row, and of one that only says why nothing is drawn.
ROW_IN, EMPTY_IN = 1.35, 0.45


def states(
    run: RunView, cell: int = 0, shortest_ms: float = 50.0
) -> tuple[Figure, dict[str, tuple[Axes, Axes]]]:
    """Draw the potential of one recorded cell of each type with its up states, and its histogram.

    Parameters
    ----------
    run : RunView
        The run.
    cell : int
        Which of the recorded cells of a type, from 0.
    shortest_ms : float
        Shortest state [ms].

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to tuple of matplotlib.axes.Axes
        The trace and the histogram of each type. Up states are shaded; dashed lines mark the
        means of the two states where there are two.

    Raises
    ------
    InputError
        If the run has no cell type, `cell` is below 0, or `shortest_ms` is not above zero.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> recorded = SimpleNamespace(ids=[0], times_ms=np.arange(20.0), v_mv=np.full((20, 1), -80.0))
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([12.0]), ids=np.array([0])),
    ...     populations={"dSPN": range(2)}, traces={"dSPN": recorded},
    ...     duration_ms=20.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = states(run)
    >>> axes["dSPN"][0].get_title(loc="left")
    'dSPN, cell 0, one state'
    """
    if cell < 0:
        message = f"cell: must be 0 or more (got {cell})"
        raise InputError(message)
    populations = members_of(run)
    with paper():
        heights = [ROW_IN if _number(run, name, cell) else EMPTY_IN for name in populations]
        figure = new_figure(WIDTH_IN, 0.8 + sum(heights))
        grid = figure.add_gridspec(len(populations), 2, width_ratios=(4, 1),
                                   height_ratios=heights)
        axes: dict[str, tuple[Axes, Axes]] = {}
        for row, (name, members) in enumerate(populations.items()):
            left = figure.add_subplot(grid[row, 0])
            right = figure.add_subplot(grid[row, 1], sharey=left)
            axes[name] = left, right
            recorded = (run.traces or {}).get(name)
            if recorded is None or not _number(run, name, cell):
                number = 0 if recorded is None else len(recorded.ids)
                left.set_title(name, color=lettering(colour(name, populations)))
                empty(left, f"no {name} neurons in this run" if not len(members) else
                      f"no {name} voltages were recorded" if not number else
                      f"only {number} {name} cells were recorded")
                left.spines["bottom"].set_visible(False)
                left.xaxis.set_visible(False)
                right.set_axis_off()
                continue
            fired_ms = run.spikes.times_ms[run.spikes.ids == recorded.ids[cell]]
            _cell(left, right, name, recorded, cell, members.start, shortest_ms, fired_ms,
                  colour(name, populations))
        share_scale([left for left, _ in axes.values() if left.lines])
        for left, _ in axes.values():
            time_axis(left, 0, run.duration_ms, CUT)
            left.label_outer()
        _label_lowest([pair for pair in axes.values() if pair[0].lines], run.duration_ms)
        figure.align_ylabels([left for left, _ in axes.values()])
        heading(figure, run)
        mark_events([left for left, _ in axes.values()], run)
    return figure, axes


def _number(run: RunView, name: str, cell: int) -> int:
    """Return how many cells of a type were recorded, 0 where that cell was not."""
    recorded = (run.traces or {}).get(name)
    if recorded is None or cell >= len(recorded.ids) or len(recorded.times_ms) < 2:
        return 0
    return len(recorded.ids)


def _label_lowest(rows: list[tuple[Axes, Axes]], duration_ms: float) -> None:
    """Label the time below the lowest row that has a trace, as rows without one have no axis."""
    if rows:
        left, right = rows[-1]
        time_axis(left, 0, duration_ms, CUT)
        left.tick_params(labelbottom=True)
        right.set_xlabel("time (%)")


def _cell(
    left: Axes, right: Axes, name: str, recorded: Any, cell: int, first: int, shortest_ms: float,
    spikes_ms: NDArray[np.float64], own: str,
) -> None:
    """Draw one cell: its trace below the ceiling, and the time it spends at each potential."""
    times_ms = np.asarray(recorded.times_ms, dtype=np.float64)
    v_mv = np.asarray(recorded.v_mv)[:, cell].astype(np.float64)
    found = up_down_states(times_ms, v_mv, shortest_ms, CEILING_MV)
    shown = np.where(v_mv < CEILING_MV, v_mv, np.nan)
    for start_ms, stop_ms in zip(found.starts_ms, found.stops_ms, strict=True):
        left.axvspan(start_ms, stop_ms, color=own, alpha=0.15, lw=0)
    left.plot(times_ms, shown, color=own, lw=0.6)
    left.vlines(spikes_ms, 0.93, 1.0, color=own, lw=0.8, transform=left.get_xaxis_transform())
    left.set_ylabel("voltage (mV)")
    left.set_title(f"{name}, cell {int(recorded.ids[cell]) - first:,}, {_said(found)}",
                   color=lettering(own))
    counts, edges = np.histogram(v_mv[v_mv < CEILING_MV], BARS)
    right.stairs(100 * counts / v_mv.size, edges, orientation="horizontal", fill=True,
                 color=own, alpha=0.35, lw=0)
    right.tick_params(labelleft=False)
    if found.bimodal:
        for mean_mv in (found.down_mv, found.up_mv):
            right.axhline(mean_mv, color=INK, lw=0.7, ls=(0, (4, 3)))
        for limit_mv in (found.leave_mv, found.enter_mv):
            left.axhline(limit_mv, color=FAINT, lw=0.5, ls=":")
    left.locator_params(axis="y", nbins=5)
    right.locator_params(axis="x", nbins=3)


def _said(found: UpDown) -> str:
    """Say in a few words what was found."""
    if not found.bimodal:
        return "one state"
    number = len(found.starts_ms)
    return (f"{number} up state{'' if number == 1 else 's'}, {found.up_share:.0%} of the time, "
            f"{found.down_mv:.0f} and {found.up_mv:.0f} mV").replace("-", "\N{MINUS SIGN}")
