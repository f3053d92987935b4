"""Measured against published: the targets of a group, one line each, on one scale.

A row is a dict of `neostriatum validate --json`. Its scale is what passes: -1 and 1 are the ends of
the interval, so quantities of any unit stand under each other.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neostriatum.plotting.palette import FAINT, INK
from neostriatum.plotting.style import new_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Not the colours of cell types: met is grey and filled, missed is red and open.
MET, MISSED, BAND = "#3A3A3A", "#B00020", "#E6EAEE"
#: What lies farther away is an arrow at this place.
FARTHEST = 3.0
WIDTH_IN, LEFT_IN, RIGHT_IN = 10.4, 4.3, 2.95
ROW_IN, TOP_IN, BOTTOM_IN = 0.36, 0.36, 0.5
LETTERS = {"name": (82, 82), "numbers": (46, 54)}  # of the line above and of that below
#: An interval of a factor so wide is drawn, and judged, by its logarithm.
WIDE = 4.0


@dataclass(frozen=True)
class Place:
    """Where a target is on the scale: what passes, what was published, what was measured."""

    low: float
    high: float
    measured: float | None
    published: float | None = None
    bar: tuple[float, float] | None = None


def forest(rows: Sequence[dict[str, Any]], numbers: Sequence[tuple[str, str]]
           ) -> tuple[Figure, Axes]:
    """Draw several targets under each other: the sentence, the place on the scale, the numbers.

    Parameters
    ----------
    rows : sequence of dict
        Entries of ``targets``.
    numbers : sequence of (str, str)
        What was measured and what was published, as it stands on the right of each row.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : matplotlib.axes.Axes
        Its only axes. Shaded: what passes. Circles: published, with the spread. Diamonds: measured,
        filled where the target is met and open where it is missed.

    Examples
    --------
    >>> row = {"id": "rest", "quantity": "resting potential", "unit": "mV", "target": -75.0,
    ...        "spread": None, "tolerance": {"kind": "interval", "low": -79.0, "high": None},
    ...        "measured": -70.0, "pass": True, "x": None, "circuit": None, "deviation": None}
    >>> figure, axes = forest([row], [("-70 mV", "passes from -79")])
    >>> axes.texts[0].get_text()
    'resting potential'
    """
    height_in = TOP_IN + BOTTOM_IN + ROW_IN * len(rows)
    figure = new_figure(WIDTH_IN, height_in)
    figure.set_layout_engine(None)
    axes = figure.add_axes((LEFT_IN / WIDTH_IN, BOTTOM_IN / height_in,
                            (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN,
                            ROW_IN * len(rows) / height_in))
    for line, (row, words) in enumerate(zip(rows, numbers, strict=True)):
        _line(axes, line, row)
        _words(axes, line, row, words)
    axes.set(xlim=(-FARTHEST - 0.2, FARTHEST + 0.2), ylim=(len(rows) - 0.5, -0.5), yticks=[])
    for end in (-1.0, 1.0):
        axes.axvline(end, color=FAINT, lw=0.5, ls=":", zorder=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("distance from the middle of what passes (half its width)", fontsize=8)
    _legend(axes)
    return figure, axes


def place(row: dict[str, Any]) -> Place | None:
    """Return where a target is on the scale of what passes, None of an order and of nothing.

    Parameters
    ----------
    row : dict
        An entry of ``targets``.

    Returns
    -------
    Place or None
        -1 and 1 are the ends of what passes, infinite where it has none. A published value above
        zero is of a quantity that has no negative values, so its bar and what passes end there.

    Examples
    --------
    >>> row = {"target": 1.5, "spread": 2.0, "measured": 3.5, "x": None,
    ...        "tolerance": {"kind": "sd", "low": -0.5, "high": 3.5}}
    >>> place(row)
    Place(low=-0.75, high=1.0, measured=1.0, published=0.0, bar=(-0.75, 1.0))
    """
    if isinstance(row["target"], list):
        if row["x"] is None:
            return None
        return None if row["deviation"] is None else Place(0.0, 1.0, row["deviation"])
    low, high = row["tolerance"]["low"], row["tolerance"]["high"]
    scale, floor = _scale(row, low, high), -math.inf
    target, spread = row["target"], row.get("se") if row["spread"] is None else row["spread"]
    if target is not None and target > 0:
        floor = 0.0
    bar = None
    if target is not None and spread is not None:
        bar = scale(max(target - spread, floor)), scale(target + spread)
    return Place(-math.inf if low is None else scale(max(low, floor)),
                 math.inf if high is None else scale(high),
                 None if row["measured"] is None else scale(row["measured"]),
                 None if target is None else scale(target), bar)


def _scale(row: dict[str, Any], low: float | None, high: float | None
           ) -> Callable[[float], float]:
    """Return what gives a value its place."""
    if low is None or high is None:
        # A tolerance has one end at least.
        end: float = low if high is None else high  # type: ignore[assignment]  # see above
        place = -1.0 if high is None else 1.0
        # One end alone has no width: the way to the published value is one, or the end itself.
        target = row["target"]
        unit = abs(target - end) if target not in (None, end) else abs(end) or 1.0
        return lambda value: place + (value - end) / unit
    if low > 0 and high > WIDE * low:
        middle, half = math.log(low * high) / 2, math.log(high / low) / 2
        return lambda value: (math.log(value) - middle) / half if value > 0 else -math.inf
    middle, half = (low + high) / 2, (high - low) / 2 or 1.0
    return lambda value: (value - middle) / half


def _line(axes: Axes, line: int, row: dict[str, Any]) -> None:
    """Draw one target."""
    found = place(row)
    axes.axhline(line + 0.5, color="#E3E3E3", lw=0.5, zorder=0)
    if found is None or found.measured is None:
        word = None if row["tolerance"]["kind"] != "order" else {
            True: "in this order", False: "not in this order"}.get(row["pass"])
        axes.text(0.0, line, word or "nothing measured", ha="center", va="center", fontsize=7.5,
                  color=_colour(row))
        return
    low, high = (min(max(end, -FARTHEST - 0.2), FARTHEST + 0.2) for end in (found.low, found.high))
    axes.fill_between([low, high], line - 0.36, line + 0.36, color=BAND, lw=0, zorder=0)
    if found.published is not None and abs(found.published) <= FARTHEST:
        if found.bar is not None:
            ends = [min(max(end, -FARTHEST - 0.2), FARTHEST + 0.2) for end in found.bar]
            axes.plot(ends, [line - 0.14] * 2, color=INK, lw=0.9, zorder=2)
        axes.plot(found.published, line - 0.14, "o", ms=4.5, mfc="white", mec=INK, mew=0.9,
                  zorder=3)
    at = found.measured
    away = abs(at) > FARTHEST
    shape = "D" if not away else "<" if at < 0 else ">"
    axes.plot(math.copysign(FARTHEST, at) if away else at, line + 0.14, shape, ms=5,
              color=_colour(row), mfc="white" if row["pass"] is False else _colour(row), mew=1.2,
              zorder=4)


def _words(axes: Axes, line: int, row: dict[str, Any], numbers: tuple[str, str]) -> None:
    """Write the sentence of a target on the left, and its numbers on the right."""
    left, right = -LEFT_IN + 0.08, WIDTH_IN - LEFT_IN - RIGHT_IN + 0.08
    preset = f", {row['circuit']}" if row["circuit"] not in (None, "striatum") else ""
    missed = {False: " (missed)", None: " (does not apply)"}.get(row["pass"], "")
    for x_in, over, under, colour, kind in (
            (left, row["quantity"], row["id"] + preset, INK, "name"),
            (right, numbers[0] + missed, numbers[1], _colour(row), "numbers")):
        at = (x_in / (WIDTH_IN - LEFT_IN - RIGHT_IN), line)
        for text, most, size, shift, hue in zip(
                (over, under), LETTERS[kind], (8, 6.5), (-0.17, 0.22), (colour, FAINT),
                strict=True):
            axes.text(at[0], line + shift, textwrap.shorten(text, most, placeholder=" …"),
                      transform=axes.get_yaxis_transform(), va="center", fontsize=size, color=hue)


def _colour(row: dict[str, Any]) -> str:
    return MET if row["pass"] else FAINT if row["pass"] is None else MISSED


def _legend(axes: Axes) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        ("published, with its sd or SE", {"marker": "o", "mfc": "white", "mec": INK, "color": INK,
                                        "lw": 0.9}),
        ("measured, met", {"marker": "D", "color": MET, "lw": 0}),
        ("measured, missed", {"marker": "D", "color": MISSED, "mfc": "white", "lw": 0}))
    marks = [Line2D([], [], ms=4.5, label=label, **look) for label, look in looks]
    figure = axes.figure
    figure.legend(handles=[Patch(color=BAND, label="passes"), *marks], loc="upper center", ncols=4,
                  fontsize=8, frameon=False, borderaxespad=0.1, columnspacing=1.4)
