"""The raster: every spike as a dot by cell type, with the rate of each type below.

In: a run, or a part of its time. Out: the figure, and its axes by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.rates import population_rate
from neostriatum.errors import InputError
from neostriatum.plotting.events import mark_events
from neostriatum.plotting.margins import BOTTOM_IN, RIGHT_IN, TOP_IN, cut, fix
from neostriatum.plotting.palette import INK, colour, lettering
from neostriatum.plotting.panels import pools_shown
from neostriatum.plotting.style import (
    WIDTH_IN,
    empty,
    heading,
    hertz,
    new_figure,
    paper,
    spikes_between,
    time_axis,
    window,
)
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

SMALLEST_SHARE = 0.16  # of the dots' height, so that the few FS stay visible
RATE_SHARE = 0.2  # of the dots' height, for each rate
MOST_DOTS = 45_000  # over all types; more run together into one block of colour
MOST_ROWS = 500  # over all types; more are less than a dot apart
HEIGHT_IN = 1.6  # more, for each type beyond three
GAP_IN = 0.29  # between panels, for a title
DIGIT_IN = 0.06  # of the labels of ticks
FEWEST_ROWS = 30  # of a type, where it has as many


def raster(
    run: RunView,
    start_ms: float = 0.0,
    stop_ms: float | None = None,
    neurons_per_type: int | None = None,
    bin_ms: float = 10.0,
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the spikes of a run by cell type, and the rate of each type below them.

    Parameters
    ----------
    run : RunView
        The run.
    start_ms : float
        Start of the window [ms].
    stop_ms : float, optional
        End of the window [ms]; the end of the run by default.
    neurons_per_type : int, optional
        Draw the dots of this many neurons of a type, evenly spaced by id. By default all, or as
        many as still make a legible picture, the same part of each type so that the density of
        dots can be compared; the title says how many. The rates are always those of all neurons.
    bin_ms : float
        Width of the bins of the rate [ms].

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The dots under the name of the type, the rate under ``"<type> rate"``.

    Raises
    ------
    InputError
        If the run has no cell type, the window lies outside it, or a number is not above zero.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([2.0, 7.5]), ids=np.array([0, 2])),
    ...     populations={"dSPN": range(2), "iSPN": range(2, 4), "FS": range(4, 4)},
    ...     duration_ms=20.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = raster(run)
    >>> list(axes)
    ['dSPN', 'iSPN', 'FS', 'dSPN rate', 'iSPN rate', 'FS rate']
    """
    start_ms, stop_ms = window(run, start_ms, stop_ms)
    if neurons_per_type is not None and neurons_per_type < 1:
        message = f"neurons_per_type: must be at least 1 (got {neurons_per_type})"
        raise InputError(message)
    if not run.populations:
        message = "run.populations: must name at least one cell type (got none)"
        raise InputError(message)
    times_ms, ids = spikes_between(run, start_ms, stop_ms)
    with paper(axes_titley=1.0):
        shares = _shares(run)
        figure, axes = _panels(shares, min(MOST_ROWS, max(map(len, run.populations.values()))),
                               start_ms, stop_ms, bin_ms)
        part = _legible_part(run, ids, shares)
        for name, members in run.populations.items():
            own = (ids >= members.start) & (ids < members.stop)
            local = ids[own] - members.start
            shown = neurons_per_type or max(round(part * len(members)), FEWEST_ROWS)
            hue = colour(name, run.populations)
            _dots(axes[name], name, times_ms[own], local, len(members), shown, hue)
            since_ms = times_ms[own] - start_ms
            _rate(axes[f"{name} rate"], name, since_ms, bin_ms, len(members), hue)
        _share_dot_size([axes[name] for name in run.populations])
        _share_rate_scales(axes, pools_shown(run))
        heading(figure, run)
        mark_events(list(axes.values()), run, start_ms, stop_ms)
    return figure, axes


def _shares(run: RunView) -> dict[str, float]:
    """Return the part of the dots' height that each type gets: its part of the neurons, or more."""
    total = max(sum(len(members) for members in run.populations.values()), 1)
    raw = {name: max(len(m) / total, SMALLEST_SHARE) for name, m in run.populations.items()}
    return {name: share / sum(raw.values()) for name, share in raw.items()}


def _legible_part(run: RunView, ids: NDArray[np.int64], shares: dict[str, float]) -> float:
    """Return the part of each type's neurons to draw, so that nowhere the dots run together."""
    part = min(1.0, MOST_ROWS / max(sum(map(len, run.populations.values())), 1))
    for name, members in run.populations.items():
        dots = int(np.count_nonzero((ids >= members.start) & (ids < members.stop)))
        part = min(part, MOST_DOTS * shares[name] / max(dots, 1))
    return part


def _panels(
    shares: dict[str, float], most: int, start_ms: float, stop_ms: float, bin_ms: float
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with one panel per type for the dots and one for the rate.

    Its left margin has room for the number `most`.
    """
    names = list(shares)
    heights = [*shares.values(), *[RATE_SHARE] * len(names)]
    height_in = 6.0 + HEIGHT_IN * max(0, len(names) - 3)
    figure = new_figure(WIDTH_IN, height_in)
    axes: dict[str, Axes] = {}
    for row, name in enumerate([*names, *(f"{name} rate" for name in names)]):
        first = next(iter(axes.values()), None)
        axes[name] = figure.add_subplot(len(heights), 1, row + 1, sharex=first)
        axes[name].tick_params(labelbottom=row == len(heights) - 1)
    time_axis(axes[name], start_ms, stop_ms, f"; rates in bins of {bin_ms:g} ms")
    left_in = 0.35 + DIGIT_IN * max(4, len(f"{most:,}"))
    fix(figure, list(axes.values()), cut(WIDTH_IN, left_in, RIGHT_IN, [1], []),
        cut(height_in, TOP_IN, BOTTOM_IN, heights, [GAP_IN] * (len(heights) - 1)))
    return figure, axes


def _dots(
    axes: Axes,
    name: str,
    times_ms: NDArray[np.float64],
    local: NDArray[np.int64],
    n: int,
    shown: int,
    hue: str,
) -> None:
    """Draw the spikes of one type, `local` its ids from 0 to n - 1."""
    shown = min(shown, n)
    some = "" if shown == n else f", {shown:,} of them drawn"
    axes.set_title(f"{name}, {n:,} neurons{some}", color=lettering(hue))
    axes.set_ylabel("neuron")
    if not n or not local.size:
        empty(axes, f"no {name} neurons in this run" if not n else f"no {name} spikes")
        return
    rows = np.full(n, -1)
    rows[np.linspace(0, n - 1, shown).round().astype(int)] = np.arange(shown)
    drawn = rows[local] >= 0
    axes.plot(
        times_ms[drawn],
        rows[local[drawn]],
        linestyle="none",
        marker="o",
        markeredgewidth=0,
        color=hue,
        rasterized=True,
    )
    axes.set_ylim(-0.5, shown - 0.5)
    axes.locator_params(axis="y", nbins=3, integer=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _rate(axes: Axes, name: str, since_ms: NDArray[np.float64], bin_ms: float, n: int,
          hue: str) -> None:
    """Draw the rate of one type, from its spike times since the start of the window."""
    start_ms, stop_ms = axes.get_xlim()
    axes.set_ylabel("spikes/s")
    if not n:
        axes.set_title(name, color=lettering(hue))
        empty(axes, f"no {name} neurons in this run")
        return
    edges_ms, rate_hz = population_rate(since_ms, bin_ms, stop_ms - start_ms, n)
    mean_hz = since_ms.size / n * 1000 / (stop_ms - start_ms)
    axes.set_title(f"{name}, mean {hertz(mean_hz)}", color=lettering(hue))
    axes.stairs(rate_hz, edges_ms + start_ms, fill=True, color=hue, alpha=0.25, lw=0)
    axes.stairs(rate_hz, edges_ms + start_ms, baseline=None, color=hue, lw=0.7)
    axes.axhline(mean_hz, color=INK, lw=0.6, ls=(0, (4, 3)))
    axes.set_ylim(0, rate_hz.max() * 1.1 or 1.0)
    axes.locator_params(axis="y", nbins=4, steps=[1, 2, 5, 10])


def _share_dot_size(panels: list[Axes]) -> None:
    """Give all types dots of one size, so that their density can be compared."""
    lines = [line for panel in panels for line in panel.lines]
    dots = sum(np.size(line.get_xdata()) for line in lines)
    for line in lines:
        line.set_markersize(0.9 if dots > 10_000 else 1.3 if dots > 3_000 else 2.0)  # points


def _share_rate_scales(axes: dict[str, Axes], pools: Mapping[str, Iterable[str]]) -> None:
    """Give the types of a pool the same scale of rate, so that they can be compared."""
    for types in pools.values():
        drawn = [axes[f"{name} rate"] for name in types if axes[f"{name} rate"].patches]
        for panel in drawn:
            panel.set_ylim(0, max(other.get_ylim()[1] for other in drawn))
