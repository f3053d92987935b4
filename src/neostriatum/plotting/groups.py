"""Two connected groups of cells: voltages of a few cells of each, and the spikes of all.

In: what `pair` returns for more than one pair. Out: the figure, and its axes by role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neostriatum.errors import InputError
from neostriatum.plotting.palette import FAINT, colour, lettering, shade
from neostriatum.plotting.style import WIDTH_IN, empty, hertz, new_figure, paper, span
from neostriatum.plotting.traces import share_scale, with_spikes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROLES = ("source", "target")
ROW_IN = 0.5  # height of a trace, where there are many
GROUP_IN = 1.2  # least height of the traces of a group
SPIKES_IN = 0.85  # height of the spikes of a group


class GroupsView(Protocol):
    """What the figure reads from the result of a pair experiment."""

    @property
    def source(self) -> str:
        """Type of the first group."""

    @property
    def target(self) -> str:
        """Type of the second."""

    @property
    def n(self) -> int:
        """Cells in each."""

    @property
    def connections(self) -> int:
        """Connections between them."""

    @property
    def conductance_ns(self) -> float:
        """Peak conductance of a connection [nS]."""

    @property
    def spikes(self) -> Mapping[str, Any]:
        """By role: times_ms (n_spikes,), ids (n_spikes,) from 0 to n - 1."""

    @property
    def traces(self) -> Mapping[str, Any]:
        """By role: ids (k,), times_ms (t,), v_mv (t, k)."""

    @property
    def rates_hz(self) -> Mapping[str, float]:
        """Mean rate by role [spikes/s]."""


def groups(
    result: GroupsView,
    cells_per_group: int = 3,
    v_peak_mv: Mapping[str, float] | None = None,
) -> tuple[Figure, dict[str, Any]]:
    """Draw two connected groups: voltages of a few cells of each, then the spikes of all.

    Parameters
    ----------
    result : GroupsView
        What ``pair(..., n=10)`` returns.
    cells_per_group : int
        Draw the voltages of at most so many cells of a group, the first ones.
    v_peak_mv : mapping of str to float, optional
        Voltage at which a spike of a type is cut [mV]; by default the highest that the recorded
        cells of the type reach.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict
        The rows of voltage under ``"source"`` and ``"target"`` (lists of axes), the spikes under
        ``"source spikes"`` and ``"target spikes"``.

    Raises
    ------
    InputError
        If the result is that of a single pair, which `psp` draws, or `cells_per_group` is below 1.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> recorded = SimpleNamespace(ids=[0, 1], times_ms=np.arange(9.0), v_mv=np.full((9, 2), -80.0))
    >>> result = SimpleNamespace(
    ...     source="FS", target="dSPN", n=2, connections=3, conductance_ns=3.75,
    ...     spikes={"source": (np.array([5.0]), np.array([1])), "target": ([], [])},
    ...     traces={"source": recorded, "target": recorded},
    ...     rates_hz={"source": 62.5, "target": 0.0},
    ... )
    >>> figure, axes = groups(result)
    >>> axes["source"][0].get_title(loc="left")
    'source FS, 2 cells'
    """
    if result.n < 2 or not result.traces:
        message = f"result: must hold two groups, a single pair is drawn by psp (got n {result.n})"
        raise InputError(message)
    if cells_per_group < 1:
        message = f"cells_per_group: must be at least 1 (got {cells_per_group})"
        raise InputError(message)
    with paper():
        figure, axes = _panels(result, cells_per_group)
        tops = _tops(result) | dict(v_peak_mv or {})
        for role in ROLES:
            for column, panel in enumerate(axes[role]):
                _voltage(panel, result, role, column, tops[_type(result, role)])
            _spikes(axes[f"{role} spikes"], result, role)
        share_scale([panel for role in ROLES for panel in axes[role]])
        for role in ROLES:
            name = f"{role} {_type(result, role)}, {result.n:,} cells"
            axes[role][0].set_title(name, color=lettering(_colour(result, role)), fontweight="bold")
            axes[role][len(axes[role]) // 2].set_ylabel("voltage (mV)")
        figure.align_ylabels()
        figure.suptitle(_said(result), x=0.99, ha="right", color=FAINT)
    return figure, axes


def _type(result: GroupsView, role: str) -> str:
    """Return the cell type of a role."""
    return result.source if role == "source" else result.target


def _colour(result: GroupsView, role: str) -> str:
    """Return the colour of a group: that of its type, darker for a source like its target."""
    own = colour(_type(result, role), (result.source, result.target))
    return shade(own) if role == "source" and result.source == result.target else own


def _said(result: GroupsView) -> str:
    """Say how the groups are connected."""
    count = "1 connection" if result.connections == 1 else f"{result.connections:,} connections"
    return f"{result.source} to {result.target}, {count} of {result.conductance_ns:g} nS"


def _tops(result: GroupsView) -> dict[str, float]:
    """Return the highest voltage recorded of each type."""
    tops: dict[str, float] = {}
    for role in ROLES:
        name, v_mv = _type(result, role), np.asarray(result.traces[role].v_mv)
        tops[name] = max(tops.get(name, -np.inf), float(v_mv.max()))
    return tops


def _panels(result: GroupsView, cells: int) -> tuple[Figure, dict[str, Any]]:
    """Return a figure with rows for the voltages of each group, then one each for the spikes."""
    rows = {role: min(cells, len(result.traces[role].ids)) for role in ROLES}
    heights = [max(ROW_IN, GROUP_IN / count) for count in rows.values() for _ in range(count)]
    heights += [SPIKES_IN] * len(ROLES)
    figure = new_figure(WIDTH_IN, 1.5 + sum(heights))
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    panels: list[Axes] = []
    for row in range(len(heights)):
        panels.append(figure.add_subplot(grid[row], sharex=panels[0] if panels else None))
        panels[-1].tick_params(labelbottom=row == len(heights) - 1)
    for panel in panels[: -len(ROLES)]:
        panel.tick_params(bottom=False)
        panel.spines["bottom"].set_visible(False)
    panels[-1].set_xlim(span(np.asarray(result.traces["target"].times_ms, float)))
    panels[-1].set_xlabel("time (ms)")
    axes = {"source": panels[: rows["source"]], "target": panels[rows["source"] : -len(ROLES)]}
    return figure, axes | dict(zip(("source spikes", "target spikes"), panels[-2:], strict=True))


def _voltage(axes: Axes, result: GroupsView, role: str, column: int, top_mv: float) -> None:
    """Draw the voltage of one cell with its spikes."""
    recorded, own = result.traces[role], _colour(result, role)
    number = int(recorded.ids[column])
    when, who = (np.asarray(x) for x in result.spikes[role])
    v_mv = np.asarray(recorded.v_mv)[:, column].astype(float)
    times_ms, v_mv = with_spikes(np.asarray(recorded.times_ms, float), v_mv,
                                 when[who == number], top_mv)  # fmt: skip
    axes.plot(times_ms, v_mv, color=own, lw=0.7, solid_joinstyle="bevel")
    axes.annotate(
        f"cell {number:,}", (1, 0.5), xytext=(4, 0), xycoords="axes fraction",
        textcoords="offset points", va="center", color=lettering(own), fontsize="small",
    )  # fmt: skip


def _spikes(axes: Axes, result: GroupsView, role: str) -> None:
    """Draw the spikes of a group, one row per cell."""
    name, own = _type(result, role), _colour(result, role)
    when, who = (np.asarray(x) for x in result.spikes[role])
    axes.set_title(f"{role} {name}, mean {hertz(result.rates_hz[role])}", color=lettering(own))
    axes.set_ylabel("cell")
    if not when.size:
        empty(axes, f"no {role} spikes")
        return
    few = result.n <= 50
    axes.plot(
        when, who, linestyle="none", color=own, rasterized=not few,
        marker="|" if few else "o", markersize=min(45 / result.n, 6) if few else 1.3,
        markeredgewidth=1.0 if few else 0.0,
    )  # fmt: skip
    axes.set_ylim(-0.5, result.n - 0.5)
    axes.locator_params(axis="y", nbins=4, integer=True)
