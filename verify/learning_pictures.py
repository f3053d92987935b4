"""Draw the figures of docs/learning.md from the slice protocols of the validation.

No measurement is kept: every figure is made of runs of the moment. Run from the root of the
repository; with a folder as argument the figures go there, by default to docs/figures.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from neostriatum.models.evaluate import evaluate
from neostriatum.models.registry import find
from neostriatum.plotting.palette import FAINT, INK
from neostriatum.plotting.style import paper
from neostriatum.validation.lab import Lab
from neostriatum.validation.plasticity import kernel, window

#: Colours that are no cell type's, and a marker each, so that grey prints can be read.
RULES = {"balanced": (INK, "o"), "gurney2015": ("#7A3DA8", "s"), "difference": ("#8C564B", "^"),
         "cbgtpy": (FAINT, "v")}
CELLS = {"dSPN": "D1", "iSPN": "D2"}
DELAYS = (-1000.0, -500.0, 0.0, 150.0, 300.0, 450.0, 600.0, 800.0, 1000.0, 1500.0, 2000.0, 3000.0,
          4000.0, 5000.0)
LAGS = (60.0, 40.0, 25.0, 15.0, 8.0, 3.0, -3.0, -8.0, -15.0, -25.0, -40.0, -60.0)
TONIC = 0.3


def axes_of(columns: int, rows: int, height: float, sharey: Any = False) -> tuple[Any, Any]:
    """Return a figure and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=sharey)


def factors() -> Any:
    """What the level of dopamine makes of both eligibilities, by rule and receptor."""
    figure, axes = axes_of(len(RULES), 2, 3.2)
    levels = np.linspace(0.0, 1.0, 201)
    for column, (name, (colour, _)) in enumerate(RULES.items()):
        rule = find("learning", name)
        for row, receptor in enumerate(CELLS.values()):
            ax = axes[row, column]
            values = {each.name: each.default for each in rule.parameters}
            known = values | dict(rule.receptors[receptor]) | {"level": levels, "tonic": TONIC}
            for tree, style in ((rule.plus, "-"), (rule.minus, "--")):
                ax.plot(levels, np.broadcast_to(evaluate(tree, known), levels.shape), style,
                        color=colour, label="plus" if style == "-" else "minus")
            ax.axhline(0, color=FAINT, lw=0.6)
            ax.axvline(TONIC, color=INK, lw=0.6, ls=":")
            ax.set_title(f"{name}, {receptor}")
            if row == 1:
                ax.set_xlabel("level of dopamine")
        axes[0, column].tick_params(labelbottom=False)
    axes[0, 0].legend(frameon=False)
    axes[0, 0].set_ylabel("factor")
    axes[1, 0].set_ylabel("factor")
    return figure


def kernels(lab: Lab) -> Any:
    """Changes by ten pairs at lags, with dopamine, at the tonic level and without."""
    figure, axes = axes_of(3, 2, 3.4, sharey="row")
    for row, cell in enumerate(CELLS):
        for column, (level, what) in enumerate(((1.0, "burst"), (None, "tonic"), (0.0, "none"))):
            ax = axes[row, column]
            for name in ("balanced", "gurney2015", "difference"):
                found = kernel(lab, cell, LAGS, level, {"rule": name, "dose": 0.05})
                colour, marker = RULES[name]
                ax.plot(LAGS, [found[f"{lag:g} ms"] for lag in LAGS], marker=marker, ms=3,
                        color=colour, label=name)
            ax.axhline(0, color=FAINT, lw=0.6)
            ax.axvline(0, color=FAINT, lw=0.6)
            ax.set_title(f"{cell}, {what}")
            if row == 1:
                ax.set_xlabel("spike after arrival (ms)")
        axes[row, 0].set_ylabel("change of weight")
    axes[0, 1].legend(frameon=False)
    return figure


def windows(lab: Lab) -> Any:
    """Changes by a burst at delays from a train of pairs, for several time constants."""
    figure, axes = axes_of(1, 1, 2.6)
    ax = axes[0, 0]
    ax.axvspan(0.3, 2.0, color=FAINT, alpha=0.25, lw=0, label="Yagishita 2014")
    for learning, colour, marker, name in (
            ({"tau_e": "100 ms"}, "#C4A6D9", "o", "100 ms"),
            ({"tau_e": "300 ms"}, "#7A3DA8", "s", "300 ms"), ({}, INK, "o", "1 s, the default"),
            ({"tau_rise": "300 ms"}, "#8C564B", "^", "1 s, rise 300 ms")):
        found = window(lab, "dSPN", DELAYS, learning)
        ax.plot(np.array(DELAYS) / 1000.0, [found[f"{delay:g} ms"] for delay in DELAYS],
                marker=marker, ms=3, color=colour, label=name)
    ax.set_xlabel("burst after the onset of pairing (s)")
    ax.set_ylabel("change, over the largest")
    ax.legend(frameon=False)
    return figure


def main() -> int:
    """Draw all figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/figures")
    lab = Lab("striatum")
    with paper(font_size=8):
        for name, draw in (("learning-factors", factors), ("learning-kernels",
                           lambda: kernels(lab)), ("learning-window", lambda: windows(lab))):
            draw().savefig(folder / f"{name}.png", dpi=220)
            print(folder / f"{name}.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
