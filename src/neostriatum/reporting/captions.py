"""What each figure of a report shows, in words and numbers.

In: the name of a figure, the function that draws it, the run. Out: a caption that can be read
without the page around it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from neostriatum.reporting.phrases import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.recording.store import Run

#: A name in braces is a setting of the figure.
_WORDS = {
    "learning_curve": (
        "Choices by trial: the share of best choices over {smooth} trials; grey, single trials. "
        "Dotted, trials at which the task changes. Where an environment does not say what was "
        "best, the reward."),
    "learnt_weights": (
        "Mean weight of every pathway that learns at the end of each trial, by the channel of its "
        "targets."),
    "dopamine_by_trial": (
        "Error of what was expected by trial, as dopamine told it: up a burst, down a dip, 1 its "
        "whole range. Below, the reward."),
    "raster": (
        "Spikes and rates. Above, each dot is a spike and each row a neuron; where a panel says "
        "so, a part of the neurons is drawn, evenly spaced by id. Below, the rate of each type "
        "over all its neurons in bins of {bin_ms:g} ms; dashed, its mean."),
    "psth": (
        "Rate of each type over the run, over all its neurons in bins of {bin_ms:g} ms; dashed, "
        "the mean."),
    "traces": (
        "Membrane potentials of the first recorded cells of each type, one row each, all on one "
        "scale. Traces are cut at \N{MINUS SIGN}40 mV; spikes are ticks above."),
    "states": (
        "Up and down states of one recorded cell of each type, and the distribution of its "
        "potentials. Up states of at least {shortest_ms:g} ms are shaded; dashed, the mean of each "
        "state where there are two."),
    "rates": (
        "Rates of single neurons: the fraction of a type's neurons at each rate. Dashed, the mean; "
        "a bar spans whole numbers of spikes. Hatched, the silent neurons."),
    "cv": (
        "Irregularity: the coefficient of variation of the intervals between the spikes of single "
        "neurons, of those with at least {minimum_intervals} intervals; the titles say how many. "
        "Dashed, the mean; dotted, a Poisson process. In a short run slow neurons have too few "
        "intervals, and the values of the others come out low."),
    "spectrum": (
        "Power spectra of the rate of each type, and of a field computed from their spikes, by "
        "Welch's method in segments of {segment_ms:g} ms. Dashed, as many independent Poisson "
        "neurons of the same rate: what lies above it is shared. Shaded, the 95 % "
        "interval of the estimate."),
    "correlation": (
        "Mean correlation of the spike counts of pairs of neurons of a type against the distance "
        "of their somas, in bins of {bin_ms:g} ms, of at most {sample:,} neurons of a type. Bars: "
        "standard errors, as if pairs were independent."),
    "activity": (
        "Activity in space: the somas of each type, coloured by their rate over the run. The "
        "colours end at the 99th percentile, and the types of a pool share them."),
    "assemblies": (
        "Cell assemblies of at most {sample:,} neurons from spike counts in bins of {bin_ms:g} ms: "
        "eigenvalues of their correlations beyond the limit of independent neurons, the weight of "
        "each neuron, and the strength of each assembly over time."),
}
#: Figures of the recorded potentials; the others are of all neurons.
_OF_TRACES = ("traces", "states")
#: Figures over the time of the run, which show its events.
_OVER_TIME = ("raster", "psth", "traces", "states", "assemblies")


def caption(name: str, make: Callable[..., Any], run: Run) -> str:
    """Return the caption of a figure: what is seen, then numbers and window."""
    events = " Vertical lines: events." if name in _OVER_TIME and run.events else ""
    return f"{_words(name, make)}{events} {_numbers(name, run)}"


def alternative(name: str, make: Callable[..., Any]) -> str:
    """Return what a figure shows in one sentence, for who cannot see it."""
    return _words(name, make).split(". ")[0].rstrip(".") + "."


def _words(name: str, make: Callable[..., Any]) -> str:
    settings = {key: one.default for key, one in inspect.signature(make).parameters.items()}
    if name in _WORDS:
        return _WORDS[name].format(**settings)
    said = " ".join((inspect.getdoc(make) or name).split("\n\n")[0].split()).removeprefix("Draw ")
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def _numbers(name: str, run: Run) -> str:
    if name in _OF_TRACES:
        most = 1 if name == "states" else None
        counts = {kind: len(run.traces[kind].ids[:most]) for kind in run.populations
                  if kind in run.traces}
        unit = "recorded cells"
    else:
        counts = {kind: len(ids) for kind, ids in run.populations.items()}
        unit = f"neurons, {len(run.spikes):,} spikes"
    n = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count) or "no"
    warm = run.circuit.warmup.value
    after = f", after a warm-up of {number(warm)} ms" if warm else ""
    return f"n = {n} {unit}; 0 to {number(run.duration_ms)} ms{after}."
