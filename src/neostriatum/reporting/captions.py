"""What each figure of a report shows, in words and numbers.

In: the name of a figure, the run. Out: a caption that can be read without the page around it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.check import whole_steps
from neostriatum.reporting.phrases import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.recording.store import Run

_WORDS = {
    "raster": (
        "Spikes and rates. Above, each dot is a spike and each row a neuron; where a panel says "
        "so, a part of the neurons is drawn, evenly spaced by id. Below, the rate of each type "
        "over all its neurons in bins of 10 ms; dashed, its mean."),
    "traces": (
        "Membrane potentials of the first recorded cells of each type, one row each, all on one "
        "scale. A spike is drawn up to the potential at which the model cuts it."),
    "rates": (
        "Rates of single neurons: the fraction of a type's neurons at each rate. Dashed, the mean; "
        "a bar spans whole numbers of spikes."),
}


def caption(name: str, make: Callable[..., Any], run: Run) -> str:
    """Return the caption of a figure: what is seen, then numbers and window."""
    words = _WORDS.get(name) or _first_sentence(make)
    return f"{words} {_numbers(name, run)}"


def alternative(name: str, make: Callable[..., Any]) -> str:
    """Return what a figure shows, for who cannot see it."""
    return (_WORDS.get(name) or _first_sentence(make)).split(". ")[0].rstrip(".") + "."


def _first_sentence(make: Callable[..., Any]) -> str:
    said = " ".join((inspect.getdoc(make) or "").split("\n\n")[0].split())
    return said.removeprefix("Draw ")[:1].upper() + said.removeprefix("Draw ")[1:]


def _numbers(name: str, run: Run) -> str:
    window = f"0 to {number(run.duration_ms)} ms"
    warm = run.circuit.warmup
    if whole_steps("warmup", warm.value, run.circuit.dt.value):
        window += f", after a warm-up of {number(warm.value)} ms"
    if name == "traces":
        counts = {kind: len(run.traces[kind].ids) for kind in run.populations if kind in run.traces}
        unit = "cells"
    else:
        counts = {kind: len(ids) for kind, ids in run.populations.items()}
        unit = f"neurons, {len(run.spikes):,} spikes"
    n = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count) or "no"
    return f"n = {n} {unit}; {window}."
