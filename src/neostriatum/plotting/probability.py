"""How the probability of a connection falls with distance, beside what slices measured.

In: a network. Out: the figure, and its axes by pathway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.profile import profile
from neostriatum.analysis.recordings import interval, pair_recordings
from neostriatum.analysis.tally import law_of
from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.errors import CircuitError, InputError
from neostriatum.plotting.palette import FAINT, INK, colour, lettering
from neostriatum.plotting.style import WIDTH_IN, empty, network_heading, new_figure, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.circuit.measured import MeasuredBin
    from neostriatum.network.network import Network

#: What was published, and its colour: where the same pairs were read twice, the posterior.
PUBLISHED = {
    "cinotti2022_50um": ("Taverna 2008, posterior", "#CC79A7"),
    "cinotti2022_100um": ("Planert 2010, posterior", "#E69F00"),
    "planert2010": ("Planert 2010, counted", "#E69F00"),
    "gittis2011": ("Gittis 2011, counted", "#56B4E9"),
    "gittis2010": ("Gittis 2010, counted", "#8C564B"),
}
#: Of the published ones, those that stand for SPN pairs; the counts behind them are not drawn.
_POSTERIORS = ("cinotti2022_50um", "cinotti2022_100um")
#: What the network itself gives, first in the legend.
_OURS = ("counted here", "law", "law, all images", "recorded here")
COLUMNS = 4


def connection_probability(
    network: Network, up_to_um: float = 300.0, bin_um: float = 20.0, recordings: bool = True,
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the probability of a connection against distance, one panel per pathway.

    Parameters
    ----------
    network : Network
        The network.
    up_to_um : float
        Largest distance [um].
    bin_um : float
        Width of the bins in which pairs are counted [um].
    recordings : bool
        Whether to simulate the paired recordings behind every published point.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        The panel of each pathway, those of one source on one scale. Dots are counted (95 %
        interval), the line is the law. Where a torus is so small that pairs connect through several
        images, a dotted line is the law summed over them. A published probability is a bar over the
        distances that it is a mean of, with its 95 % interval at their mean, 2/3 of the largest;
        the diamond beside it is the same recording made in this network.

    Raises
    ------
    InputError
        If a distance is not positive, or the network has no pathway.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure, axes = connection_probability(ns.build("striatum_v1", size=300), recordings=False)
    >>> axes["FS->FS"].get_xlabel(), axes["dSPN->dSPN"].get_ylabel()
    ('distance (µm)', 'connection probability')
    """
    if not (0 < bin_um <= up_to_um < np.inf):
        message = ("bin_um, up_to_um: must satisfy 0 < bin_um <= up_to_um "
                   f"(got {bin_um:g}, {up_to_um:g})")
        raise InputError(message)
    if not network.edges:
        message = "network: must have at least one pathway (got none)"
        raise InputError(message)
    rows = -(-(len(network.edges) + 1) // COLUMNS)
    with paper():
        figure = new_figure(WIDTH_IN, 0.35 + 1.75 * rows)
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        panels = grid.ravel()
        axes = dict(zip(network.edges, panels, strict=False))
        for name, panel in axes.items():
            _panel(panel, network, name, np.arange(0.0, up_to_um + 0.5 * bin_um, bin_um),
                   recordings)
        _share(axes)
        for row in grid:
            row[0].set_ylabel("connection probability")
        for n, panel in enumerate(panels):
            if n + COLUMNS >= len(axes):
                panel.set_xlabel("distance (µm)")
            if n >= len(axes):
                panel.set_axis_off()
        _legend(panels[-1], axes)
        network_heading(figure, network)
    return figure, axes


def _panel(axes: Axes, network: Network, name: str, edges_um: np.ndarray,
           recordings: bool) -> None:
    source, target = name.split("->")
    made, own = profile(network, name, edges_um), colour(source, network.counts)
    axes.set_title(f"{source}→{target}", color=lettering(own))
    axes.set_xlim(0, edges_um[-1])
    if not made.pairs.sum():
        empty(axes, "no such pairs")
        return
    some = made.pairs > 0
    middle = made.mean_um[some]
    p = made.probability[some]
    bounds = np.array([interval(int(k), int(n)) for k, n in
                       zip(made.connected[some], made.pairs[some], strict=True)])
    away = np.abs(np.clip(bounds.T - p, [[-1.0], [0.0]], [[0.0], [1.0]]))
    axes.errorbar(middle, p, away, fmt="o", ms=2.4, mew=0, lw=0.6, color=own,
                  label="counted here", zorder=3)
    top = float((p + away[1]).max())
    _law(axes, network, name, edges_um)
    if network.periodic and np.isfinite(made.expected).all():
        exact = made.expected[some] / made.pairs[some]
        law = law_of(network, name)
        if 2.0 * law.reach > network.side_um and np.isfinite(law.reach):
            axes.plot(middle, exact, ":", lw=0.9, color=INK, label="law, all images", zorder=2)
    for key, one in _published(name):
        top = max(top, _point(axes, network, name, key, one, recordings))
    axes.set_ylim(0, min(1.05, top * 1.12 + 1e-3))
    axes.locator_params(axis="both", nbins=5, steps=[1, 2, 5, 10])


def _share(axes: dict[str, Axes]) -> None:
    """Give the panels of one source the same scale, so that its targets can be compared."""
    drawn = {name: panel for name, panel in axes.items() if panel.has_data()}
    for source in {name.split("->")[0] for name in drawn}:
        panels = [panel for name, panel in drawn.items() if name.split("->")[0] == source]
        top = max(panel.get_ylim()[1] for panel in panels)
        for panel in panels:
            panel.set_ylim(0, top)


def _law(axes: Axes, network: Network, name: str, edges_um: np.ndarray) -> None:
    circuit = network.circuit
    if circuit is None or isinstance(circuit.pathways[name].wiring, FixedIndegree):
        return
    law = law_of(network, name)
    fine = np.linspace(0.0, edges_um[-1], 601)
    axes.plot(fine, [law(d) for d in fine], color=INK, lw=0.8, label="law", zorder=2)


def _published(name: str) -> list[tuple[str, MeasuredBin]]:
    found = [(key, one) for key in PUBLISHED for one in measured()[key].get(name, ())]
    posterior = any(key in _POSTERIORS for key, _ in found)
    return [(key, one) for key, one in found if not posterior or key in _POSTERIORS]


def _point(axes: Axes, network: Network, name: str, key: str, one: MeasuredBin,
           recordings: bool) -> float:
    """Draw what was published, and the same recording in this network; return the top of both."""
    reach, p = one.below.value, one.p.value
    if one.interval is not None:
        low, high = (end.value for end in one.interval)
    else:
        low, high = interval(round(p * (one.tested or 1)), one.tested or 1)
    label, ink = PUBLISHED[key]
    at = 2.0 / 3.0 * reach
    axes.plot([0, reach], [p, p], color=ink, lw=2.0, alpha=0.45, solid_capstyle="butt", zorder=4)
    axes.errorbar(at, p, [[p - low], [high - p]], fmt="s" if one.interval else "o", ms=3.4, mew=0,
                  lw=1.1, capsize=1.8, color=ink, label=label, zorder=5)
    if not recordings:
        return high
    try:
        seen = pair_recordings(network, name, f"{reach:g} um", pairs=4000).probability
    except CircuitError:  # no pair that near
        return high
    axes.plot(at, seen, "D", ms=3.8, mfc="white", mec=ink, mew=0.9, label="recorded here",
              zorder=6)
    return max(high, seen)


def _legend(axes: Axes, panels: dict[str, Axes]) -> None:
    """Explain every mark once, in the panel that is left over."""
    from matplotlib.lines import Line2D

    known: dict[str, Any] = {}
    for panel in panels.values():
        handles, labels = panel.get_legend_handles_labels()
        known |= {label: handle for handle, label in zip(handles, labels, strict=True)
                  if label not in known}
    # These have the colour of whatever they stand beside.
    for name, look in (("counted here", {"marker": "o", "ms": 2.4, "lw": 0.6}),
                       ("recorded here", {"marker": "D", "ms": 3.8, "mfc": "white", "lw": 0.0})):
        if name in known:
            known[name] = Line2D([], [], color=INK, **look)  # type: ignore[arg-type]  # looks are of many types
    order = [*(name for name in _OURS if name in known),
             *(name for name in known if name not in _OURS)]
    axes.legend([known[name] for name in order], order, loc="center left",
                bbox_to_anchor=(-0.12, 0.5), labelcolor=FAINT, handlelength=1.6, labelspacing=0.55)
