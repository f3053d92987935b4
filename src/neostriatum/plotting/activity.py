"""Activity in space: the somas of a run, coloured by how fast they fire.

In: a run. Out: the figure, and its axes by type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.rates import rates_hz
from neostriatum.analysis.somas import somas
from neostriatum.plotting.palette import FAINT, colour, lettering
from neostriatum.plotting.panels import pools_shown
from neostriatum.plotting.space import frame
from neostriatum.plotting.style import (
    heading,
    hertz,
    members_of,
    new_figure,
    paper,
    spikes_between,
    window,
)
from neostriatum.plotting.view import RunView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Somas drawn of one type: more hide each other.
MOST = 2500
MAP = "cividis"  # rises evenly in lightness, and looks the same with the common colour blindness


def activity(
    run: RunView, start_ms: float = 0.0, stop_ms: float | None = None
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the somas of each type in three dimensions, coloured by their rate.

    Parameters
    ----------
    run : RunView
        The run. Its positions are drawn again from its circuit and seed, or read from its network.
    start_ms : float
        Start of the window [ms].
    stop_ms : float, optional
        End of the window [ms]; the end of the run by default.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to mpl_toolkits.mplot3d.axes3d.Axes3D
        The panel of each type; the fastest somas are drawn last and largest. The colours end at
        the 99th percentile, of the types of a pool at the highest of theirs.

    Raises
    ------
    InputError
        If the run has no cell type, or the window lies outside it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from neostriatum.analysis.somas import Somas
    >>> run = SimpleNamespace(
    ...     spikes=SimpleNamespace(times_ms=np.array([2.0, 7.5]), ids=np.array([0, 1])),
    ...     populations={"dSPN": range(2)}, somas=Somas(np.array([[0, 0, 0], [50, 9, 9]]), None),
    ...     duration_ms=1000.0, circuit_name="striatum", dopamine=(0.3, 0.3), seed=1,
    ... )
    >>> figure, axes = activity(run)
    >>> axes["dSPN"].get_zlabel()
    'z (µm)'
    """
    start_ms, stop_ms = window(run, start_ms, stop_ms)
    populations = members_of(run)
    _, ids = spikes_between(run, start_ms, stop_ms)
    where = somas(run)
    with paper():
        figure = new_figure(2.6 * len(populations), 3.7)
        # The labels of axes in three dimensions are more than the automatic layout can place.
        figure.set_layout_engine("none")
        axes: dict[str, Any] = {}
        rates_of = {name: rates_hz(ids[(ids >= members.start) & (ids < members.stop)]
                                   - members.start, len(members), stop_ms - start_ms)
                    for name, members in populations.items()}
        tops = _tops(rates_of, pools_shown(run))
        width = 1 / len(populations)
        for place, (name, members) in enumerate(populations.items()):
            known = where if (where is not None and len(members) > 0 and np.isfinite(
                where.positions_um[members.start : members.stop]).all()) else None
            panel = figure.add_axes((place * width, 0.265, width * 0.94, 0.57),
                                    projection=None if known is None else "3d")
            axes[name] = panel
            if known is None:
                _unknown(panel, name, len(members), colour(name, populations))
                continue
            at = known.positions_um[members.start : members.stop]
            below = figure.add_axes(((place + 0.2) * width, 0.12, 0.6 * width, 0.025))
            _cloud(figure, panel, below, name, at, rates_of[name], tops[name],
                   colour(name, populations))
            frame(panel, known.positions_um)
            low, high = (end(known.positions_um, axis=0) for end in (np.nanmin, np.nanmax))
            panel.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
        heading(figure, run)
    return figure, axes


def _unknown(axes: Axes, name: str, n: int, own: str) -> None:
    """Say why a type has no cloud."""
    axes.set_axis_off()
    axes.set_title(name, color=lettering(own), loc="left")
    axes.text(0.5, 0.5, "positions are not known" if n else f"no {name} neurons in this run",
              transform=axes.transAxes, ha="center", va="center", color=FAINT)


def _tops(rates: Mapping[str, Any], pools: Mapping[str, Iterable[str]]) -> dict[str, float]:
    """Return the rate at which the colours of each type end [Hz], one for the types of a pool."""
    tops: dict[str, float] = {}
    for types in pools.values():
        ends = [float(np.quantile(rates[name], 0.99)) or float(rates[name].max())
                for name in types if len(rates[name])]
        tops |= dict.fromkeys(types, max(ends, default=0.0) or 1.0)
    return tops


def _cloud(
    figure: Figure, axes: Any, below: Axes, name: str, at: Any, rate_hz: Any, top: float, own: str
) -> None:
    """Draw the somas of one type with a bar of colours below."""
    n = len(at)
    chosen = np.linspace(0, n - 1, min(n, MOST)).round().astype(int)
    chosen = chosen[np.argsort(rate_hz[chosen], kind="stable")]
    share = np.minimum(rate_hz[chosen] / top, 1.0)
    size = (18 if n < 300 else 3) * (0.35 + share)
    dots = axes.scatter(*at[chosen].T, c=rate_hz[chosen], s=size, cmap=MAP, vmin=0.0, vmax=top,
                        depthshade=False, linewidths=0, rasterized=True)
    some = "" if chosen.size == n else f"{chosen.size:,} of "
    axes.set_title(f"{name}, {some}{n:,} neurons\nmean {hertz(rate_hz.mean())}",
                   color=lettering(own), loc="left")
    over = "max" if rate_hz.max() > top else "neither"
    bar = figure.colorbar(dots, cax=below, orientation="horizontal", extend=over)
    bar.set_label("firing rate (spikes/s)")
    bar.outline.set_linewidth(0.4)
    bar.locator = _ticks()
    bar.update_ticks()


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, steps=[1, 2, 5, 10])
