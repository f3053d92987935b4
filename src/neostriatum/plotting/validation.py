"""Measured against published: a panel per target, and the panels of a group in one figure.

A row is a dict of `neostriatum validate --json`: a number with the interval that passes, a curve
beside the published one, or quantities in the order that was published.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neostriatum.plotting.palette import FAINT, INK
from neostriatum.plotting.style import empty, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PASS, FAIL, BAND = "#009E73", "#D55E00", "#CFE8F5"
PUBLISHED = "#0072B2"
#: Panels of a group beside each other.
COLUMNS = 3


def target(row: dict[str, Any]) -> tuple[Figure, Axes]:
    """Draw one target: what was measured, what was published, what passes.

    Parameters
    ----------
    row : dict
        An entry of ``targets``.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : matplotlib.axes.Axes
        Its only axes.

    Examples
    --------
    >>> row = {"id": "rest", "quantity": "resting potential", "unit": "mV", "target": -75.0,
    ...        "spread": 2.0, "tolerance": {"kind": "sd", "low": -79.0, "high": -71.0},
    ...        "measured": -80.0, "pass": False, "x": None}
    >>> figure, axes = target(row)
    >>> axes.get_xlabel()
    'mV'
    """
    tall = row["x"] is not None or isinstance(row["target"], list)
    figure = new_figure(width_in=3.4, height_in=1.9 if tall else 0.95)
    axes = figure.add_subplot()
    panel(axes, row)
    return figure, axes


def group(rows: list[dict[str, Any]]) -> Figure:
    """Draw the panels of several targets, three beside each other, each under its id.

    Parameters
    ----------
    rows : list of dict
        Entries of ``targets``.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> row = {"id": "rest", "quantity": "resting potential", "unit": "mV", "target": -75.0,
    ...        "spread": None, "tolerance": {"kind": "interval", "low": -79.0, "high": None},
    ...        "measured": -70.0, "pass": True, "x": None}
    >>> len(group([row, row]).axes)
    2
    """
    lines = math.ceil(len(rows) / COLUMNS)
    heights = [max(1.9 if row["x"] is not None or isinstance(row["target"], list) else 1.05
                   for row in rows[line * COLUMNS : (line + 1) * COLUMNS])
               for line in range(lines)]
    figure = new_figure(width_in=9.6, height_in=sum(heights))
    grid = figure.add_gridspec(lines, COLUMNS, height_ratios=heights)
    for number, row in enumerate(rows):
        axes = figure.add_subplot(grid[number // COLUMNS, number % COLUMNS])
        panel(axes, row)
        missed = " (missed)" if row["pass"] is False else ""
        axes.set_title(row["id"] + missed, loc="left", fontsize=8, fontweight="bold",
                       color=_colour(row))
    return figure


def panel(axes: Axes, row: dict[str, Any]) -> None:
    """Draw one target into axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    row : dict
        An entry of ``targets``.

    Examples
    --------
    >>> axes = new_figure(width_in=3, height_in=2).add_subplot()
    >>> panel(axes, {"measured": None, "unsuited": "no FS cells"})
    >>> axes.texts[0].get_text()
    'no FS cells'
    """
    if row["measured"] is None:
        empty(axes, row.get("unsuited") or row.get("error") or "nothing measured")
        axes.set_xticks([])
    elif row["x"] is not None:
        _curve(axes, row)
    elif isinstance(row["target"], list):
        _order(axes, row)
    else:
        _number(axes, row)
    axes.tick_params(labelsize=7)


def _colour(row: dict[str, Any]) -> str:
    return PASS if row["pass"] else FAINT if row["pass"] is None else FAIL


def _number(axes: Axes, row: dict[str, Any]) -> None:
    low, high = row["tolerance"]["low"], row["tolerance"]["high"]
    shown = [x for x in (low, high, row["measured"], row["target"]) if x is not None]
    spread = row.get("se") if row["spread"] is None else row["spread"]
    if spread is not None and row["target"] is not None:
        shown += [row["target"] - spread, row["target"] + spread]
    width = (max(shown) - min(shown)) or abs(shown[0]) or 1.0
    left, right = min(shown) - 0.12 * width, max(shown) + 0.12 * width
    axes.axvspan(left if low is None else low, right if high is None else high, color=BAND, lw=0)
    if row["target"] is not None:
        axes.errorbar(row["target"], 0.72, xerr=spread, fmt="o", ms=5, color=PUBLISHED,
                      mfc="white", capsize=2.5, lw=1.2)
    axes.plot(row["measured"], 0.3, marker="D", ms=6, color=_colour(row), ls="none")
    axes.set_xlim(left, right)
    axes.locator_params(axis="x", nbins=6)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.3, 0.72] if row["target"] is not None else [0.3],
                    ["measured", "published"] if row["target"] is not None else ["measured"])
    axes.set_xlabel(row["unit"], fontsize=7, labelpad=1)


def _curve(axes: Axes, row: dict[str, Any]) -> None:
    axes.plot(row["x"], row["target"], "o", ms=4, mfc="white", color=PUBLISHED, label="published")
    axes.plot(row["x"], row["measured"], "D-", ms=3, lw=1.2, color=_colour(row), label="measured")
    axes.set_xlabel(row["x_label"], fontsize=7, labelpad=1)
    axes.set_ylabel(row["unit"], fontsize=7)
    axes.legend(fontsize=6, frameon=False, loc="best")


def _order(axes: Axes, row: dict[str, Any]) -> None:
    names = row["target"]
    values = [row["measured"].get(name) for name in names]
    axes.plot(range(len(names)), values, "D-", ms=5, lw=1, color=_colour(row))
    axes.set_xticks(range(len(names)), [name.replace("->", "→\n") for name in names],
                    fontsize=7)
    axes.set_xlim(-0.4, len(names) - 0.6)
    axes.set_xlabel("in the published order, rising", fontsize=7, labelpad=1, color=INK)
    axes.set_ylabel(row["unit"], fontsize=7)
