"""Membrane voltages of the recorded example cells, or another variable, or those of one cell.

In: a run with traces, or a part of its time; or plain arrays. Out: the figure and its axes. An
integrate-and-fire trace does not contain its spikes, so they are ticks above, or are drawn in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neostriatum.engines.probes import MODULATORS
from neostriatum.errors import InputError
from neostriatum.plotting.events import mark_events
from neostriatum.plotting.margins import BOTTOM_IN, RIGHT_IN, TOP_IN, cut, fix
from neostriatum.plotting.palette import colour, lettering
from neostriatum.plotting.style import (
    CEILING_MV,
    CUT,
    WIDTH_IN,
    empty,
    heading,
    hertz,
    new_figure,
    paper,
    span,
    spikes_between,
    time_axis,
    window,
)
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from neostriatum.recording.store import Run

ROW_IN = 0.85
TITLE_IN, GAP_IN = 0.23, 0.08  # between rows: with the name of a type, without
LETTER_IN = 0.05  # of what a cell is called


def traces(
    run: RunView,
    start_ms: float = 0.0,
    stop_ms: float | None = None,
    cells_per_type: int = 3,
    v_peak_mv: Mapping[str, float] | None = None,
) -> tuple[Figure, dict[str, list[Axes]]]:
    """Draw the voltages of the recorded cells, one row each, all on the same scale.

    Parameters
    ----------
    run : RunView
        The run.
    start_ms : float
        Start of the window [ms].
    stop_ms : float, optional
        End of the window [ms]; the end of the run by default.
    cells_per_type : int
        Draw at most so many cells of a type, the first recorded ones.
    v_peak_mv : mapping of str to float, optional
        Voltage up to which the spikes of a type are drawn [mV]. By default traces are cut at
        -40 mV and spikes are ticks above, so that the potentials below a spike can be seen.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to list of matplotlib.axes.Axes
        The rows of each type; one with the reason where nothing was recorded.

    Raises
    ------
    InputError
        If the run has no cell type, the window lies outside it, or `cells_per_type` is below 1.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> recorded = SimpleNamespace(ids=[0], times_ms=np.arange(20.0), v_mv=np.full((20, 1), -80.0))
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([12.0]), ids=np.array([0])),
    ...     populations={"dSPN": range(2)}, traces={"dSPN": recorded},
    ...     duration_ms=20.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = traces(run, v_peak_mv={"dSPN": 40.0})
    >>> float(axes["dSPN"][0].lines[0].get_ydata().max())
    40.0
    """
    shown = _Shown(run.traces or {}, "membrane voltage (mV)", "voltages were", v_peak_mv or {})
    return _draw(run, shown, start_ms, stop_ms, cells_per_type)


def recorded(
    run: Run,
    variable: str,
    start_ms: float = 0.0,
    stop_ms: float | None = None,
    cells_per_type: int = 3,
) -> tuple[Figure, dict[str, list[Axes]]]:
    """Draw any variable of the recorded cells as `traces` draws voltages, without spikes.

    Parameters
    ----------
    run : Run
        The run.
    variable : str
        What `Run.recorded` takes, such as ``"g_AMPA"``, ``"I_NMDA"`` or ``"level"``.
    start_ms, stop_ms : float, optional
        Window [ms]; the whole run by default.
    cells_per_type : int
        Draw at most so many cells of a type, the first recorded ones.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to list of matplotlib.axes.Axes
        The rows of each type; one with the reason where nothing was recorded.

    Raises
    ------
    InputError
        As `traces`.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure, axes = recorded(ns.Run("runs/0001"), "I_NMDA")  # doctest: +SKIP
    """
    traced = run.recorded(variable)
    units = dict.fromkeys(run.unit(variable, name) for name in traced)
    label = f"{variable} ({', '.join(units)})" if units else variable
    return _draw(run, _Shown(traced, label, f"{variable} was", None), start_ms, stop_ms,
                 cells_per_type)


class _Shown(NamedTuple):
    """What is drawn: traces by type, their name, and, of voltages, where spikes are cut [mV]."""

    traces: Mapping[str, Any]
    label: str
    words: str
    peaks_mv: Mapping[str, float] | None

    def names(self, run: RunView) -> list[str]:
        """Return the cell types, then levels and pathways; these alone where they alone are drawn.
        """
        others = [name for name in self.traces if name not in run.populations]
        alone = len(others) == len(self.traces) > 0
        return others if alone else [*run.populations, *others]

    @property
    def cut(self) -> bool:
        """Whether spikes are ticks above traces that are cut."""
        return self.peaks_mv is not None and not self.peaks_mv


def _draw(run: RunView, shown: _Shown, start_ms: float, stop_ms: float | None,
          cells_per_type: int) -> tuple[Figure, dict[str, list[Axes]]]:
    start_ms, stop_ms = window(run, start_ms, stop_ms)
    if cells_per_type < 1:
        message = f"cells_per_type: must be at least 1 (got {cells_per_type})"
        raise InputError(message)
    if not run.populations:
        message = "run.populations: must name at least one cell type (got none)"
        raise InputError(message)
    rows = {name: _columns(shown.traces.get(name), start_ms, stop_ms)[:cells_per_type]
            for name in shown.names(run)}
    with paper(axes_titley=1.0):
        words = {name: [_cell(run, name, shown.traces[name].ids[column]) for column in columns]
                 for name, columns in rows.items()}
        figure, axes = _panels(words, start_ms, stop_ms, shown)
        drawn = []
        for name, panels in axes.items():
            if not rows[name]:
                empty(panels[0], _reason(run, name, shown))
                continue
            for panel, column in zip(panels, rows[name], strict=True):
                _trace(panel, name, run, shown, column)
                drawn.append(panel)
        share_scale(drawn, 0.0 if shown.peaks_mv is None else 1.0)
        heading(figure, run)
        mark_events([panel for panels in axes.values() for panel in panels], run, start_ms,
                    stop_ms)
    return figure, axes


def trace(
    times_ms: ArrayLike,
    v_mv: ArrayLike,
    spike_times_ms: ArrayLike,
    name: str = "",
    v_peak_mv: float | None = None,
) -> tuple[Figure, Axes]:
    """Draw the voltage of one cell, as under a constant current.

    Parameters
    ----------
    times_ms : array_like, shape (n,)
        Times of the samples [ms], ascending.
    v_mv : array_like, shape (n,)
        Voltage at these times [mV].
    spike_times_ms : array_like, shape (n_spikes,)
        Spike times [ms].
    name : str
        Cell type, for the title and the colour.
    v_peak_mv : float, optional
        Voltage at which a spike is cut [mV]; by default the highest of the samples.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : matplotlib.axes.Axes
        Its axes.

    Raises
    ------
    InputError
        If times and voltages are not flat, not of the same length or empty, or not finite.

    Examples
    --------
    >>> figure, axes = trace([1, 2, 3, 4], [-70, -40, -55, -60], [3], "dSPN", v_peak_mv=40)
    >>> axes.lines[0].get_ydata().tolist()
    [-70.0, -40.0, 40.0, -55.0, -60.0]
    >>> axes.get_title(loc="left")
    'dSPN, 1 spike, 250.0 Hz'
    """
    times, v, spikes = (np.asarray(x, float) for x in (times_ms, v_mv, spike_times_ms))
    if times.ndim != 1 or not times.size or times.shape != v.shape:
        message = (
            "times_ms, v_mv: must be flat, of the same length and not empty "
            f"(got shapes {times.shape} and {v.shape})"
        )
        raise InputError(message)
    if not all(np.isfinite(x).all() for x in (times, v, spikes)):
        message = "times_ms, v_mv, spike_times_ms: every value must be finite (got NaN or infinity)"
        raise InputError(message)
    spikes = np.sort(spikes.ravel())
    start_ms, stop_ms = span(times)
    with paper():
        figure = new_figure(WIDTH_IN, 2.2)
        axes = figure.add_subplot()
        peak_mv = float(v.max()) if v_peak_mv is None else float(v_peak_mv)
        axes.plot(*with_spikes(times, v, spikes, peak_mv), color=colour(name), lw=0.7,
                  solid_joinstyle="bevel")  # fmt: skip
        axes.set_title(_fired(name, spikes.size, stop_ms - start_ms), color=lettering(colour(name)))
        axes.set_xlabel("time (ms)")
        axes.set_ylabel("membrane voltage (mV)")
        if stop_ms > start_ms:
            axes.set_xlim(start_ms, stop_ms)
        share_scale([axes])
        axes.locator_params(axis="y", nbins=6)
    return figure, axes


def _fired(name: str, count: int, duration_ms: float) -> str:
    """Say how often a cell fired."""
    spikes = "no spikes" if not count else "1 spike" if count == 1 else f"{count:,} spikes"
    rate = f", {hertz(1000 * count / duration_ms)}" if count and duration_ms > 0 else ""
    return f"{name}, {spikes}{rate}" if name else f"{spikes}{rate}"


def _columns(recorded: Any, start_ms: float, stop_ms: float) -> list[int]:
    """Return the columns of a type's traces, none where no sample lies in the window."""
    if recorded is None:
        return []
    times_ms = np.asarray(recorded.times_ms)
    inside = (times_ms >= start_ms) & (times_ms <= stop_ms)
    return list(range(len(recorded.ids))) if inside.any() else []


def _reason(run: RunView, name: str, shown: _Shown) -> str:
    """Say why a type has no trace."""
    if name in run.populations and not len(run.populations[name]):
        return f"no {name} neurons in this run"
    where = " in this window" if name in shown.traces else ""
    return f"no {name} {shown.words} recorded{where}"


def _panels(
    rows: Mapping[str, list[str]], start_ms: float, stop_ms: float, shown: _Shown
) -> tuple[Figure, dict[str, list[Axes]]]:
    """Return a figure with one row per cell, grouped by type, with room for what they are called.
    """
    total = sum(max(len(cells), 1) for cells in rows.values())
    height_in = 0.9 + ROW_IN * total
    figure = new_figure(WIDTH_IN, height_in)
    axes: dict[str, list[Axes]] = {}
    first, row = None, 0
    for name, cells in rows.items():
        axes[name] = []
        for _ in cells or [""]:
            panel = figure.add_subplot(total, 1, row + 1, sharex=first)
            first, row = first or panel, row + 1
            panel.xaxis.set_visible(row == total)
            panel.spines["bottom"].set_visible(row == total)
            axes[name].append(panel)
        axes[name][0].set_title(name, color=lettering(colour(name, rows)), fontweight="bold")
    time_axis(panel, start_ms, stop_ms, CUT if shown.cut else "")
    figure.supylabel(shown.label, fontsize="medium", x=0.05 / WIDTH_IN, y=0.5)
    gaps_in = [gap for panels in axes.values() for gap in (TITLE_IN, *[GAP_IN] * (len(panels) - 1))]
    longest = max((len(cell) for cells in rows.values() for cell in cells), default=0)
    fix(figure, [panel for panels in axes.values() for panel in panels],
        cut(WIDTH_IN, 0.66, max(RIGHT_IN, 0.1 + LETTER_IN * longest), [1], []),
        cut(height_in, TOP_IN, BOTTOM_IN, [1] * total, gaps_in[1:]))
    return figure, axes


def _trace(axes: Axes, name: str, run: RunView, shown: _Shown, column: int) -> None:
    """Draw one cell; of a voltage spikes up to their peak or, without one, as ticks above."""
    recorded = shown.traces[name]
    start_ms, stop_ms = axes.get_xlim()
    own = colour(name, shown.names(run))
    times_ms = np.asarray(recorded.times_ms, dtype=np.float64)
    inside = (times_ms >= start_ms) & (times_ms <= stop_ms)
    times_ms = times_ms[inside]
    values = np.asarray(recorded.v_mv)[inside, column].astype(np.float64)
    if shown.peaks_mv is not None:
        all_ms, ids = spikes_between(run, start_ms, stop_ms)
        spikes_ms = all_ms[ids == recorded.ids[column]]
        if name in shown.peaks_mv:
            times_ms, values = with_spikes(times_ms, values, spikes_ms, shown.peaks_mv[name])
        else:
            values = np.where(values < CEILING_MV, values, np.nan)
            above = axes.get_xaxis_transform()
            axes.vlines(spikes_ms, 0.88, 1.0, color=own, lw=0.8, transform=above)
    axes.plot(times_ms, values, color=own, lw=0.7, solid_joinstyle="bevel", zorder=1)
    axes.annotate(
        _cell(run, name, recorded.ids[column]), (1, 0.5), xytext=(4, 0), xycoords="axes fraction",
        textcoords="offset points", va="center", color=lettering(own), fontsize="small",
    )  # fmt: skip


def _cell(run: RunView, name: str, number: Any) -> str:
    """Return what a recorded cell is called: by its number among those of its type."""
    if name not in run.populations:
        return "" if name.startswith(MODULATORS) else f"source {int(number):,}"
    return f"cell {int(number) - run.populations[name].start:,}"


def with_spikes(
    times_ms: NDArray[np.float64],
    v_mv: NDArray[np.float64],
    spikes_ms: NDArray[np.float64],
    peak_mv: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the trace with a point at `peak_mv` just before the reset of each spike.

    Parameters
    ----------
    times_ms, v_mv : ndarray of float64, shape (n,)
        The samples [ms, mV].
    spikes_ms : ndarray of float64, shape (n_spikes,)
        Spike times [ms].
    peak_mv : float
        Voltage of a spike [mV].

    Returns
    -------
    times_ms, v_mv : ndarray of float64, shape (n + n_spikes,)
        The samples and the spikes [ms, mV].

    Examples
    --------
    >>> with_spikes(np.array([1.0, 2.0]), np.array([-40.0, -55.0]), np.array([2.0]), 40.0)
    (array([1., 2., 2.]), array([-40.,  40., -55.]))
    """
    at = np.searchsorted(times_ms, spikes_ms, side="left")
    return np.insert(times_ms, at, spikes_ms), np.insert(v_mv, at, peak_mv)


def share_scale(drawn: list[Axes], least: float = 1.0) -> None:
    """Give all axes the same range, with few round ticks.

    Parameters
    ----------
    drawn : list of matplotlib.axes.Axes
        Those that hold a trace.
    least : float
        Room above and below at least [unit of the traces].

    Examples
    --------
    >>> figure, axes = trace([0, 1], [-80, -60], [], "FS")
    >>> share_scale([axes])
    >>> [round(float(x), 3) for x in axes.get_ylim()]
    [-81.2, -58.8]
    """
    if not drawn:
        return
    low = min(panel.dataLim.y0 for panel in drawn)
    high = max(panel.dataLim.y1 for panel in drawn)
    if not np.isfinite([low, high]).all():
        return  # nothing below the ceiling
    margin = max(0.06 * (high - low), least) or 1.0
    marked = any(panel.collections for panel in drawn)
    for panel in drawn:
        panel.set_ylim(low - margin, high + (4 if marked else 1) * margin)
        panel.locator_params(axis="y", nbins=4)
