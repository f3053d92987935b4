"""The instants of samples: which states have them in common, and which circuit holds then."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.engines.base import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.store import Run


def in_common(run: Run, name: str, states: Iterable[str]) -> tuple[Trace, dict[str, np.ndarray]]:
    """Return an empty trace of what states of a type or pathway share, and those states by name."""
    traces = {state: run.stored(state)[name] for state in states}
    step = lcm(*(run.steps_of(name)[state] for state in traces))
    stride = {state: step // run.steps_of(name)[state] for state in traces}
    ids = reduce(np.intersect1d, [trace.ids for trace in traces.values()])
    kept = {state: trace.values[stride[state] - 1 :: stride[state], np.isin(trace.ids, ids)]
            for state, trace in traces.items()}
    # Of a run that goes on, what is read later may hold more.
    count = min(len(values) for values in kept.values())
    first = next(iter(traces))
    times = traces[first].times_ms[stride[first] - 1 :: stride[first]][:count]
    return (Trace(ids, times, np.zeros((count, len(ids)))),
            {state: values[:count] for state, values in kept.items()})


def circuits_at(run: Run, times_ms: np.ndarray) -> Iterator[tuple[Circuit, slice]]:
    """Yield the circuits that hold at the times of samples, and the samples of each.

    A sample at t is the state at the start of the step at t, to which an event at t belongs.
    """
    starts = [step for step, _ in run.circuits]
    places = np.searchsorted(np.rint(times_ms / run.dt_ms), starts).tolist()
    for (_, circuit), rows in zip(run.circuits, pairwise([*places, len(times_ms)]), strict=True):
        if rows[0] < rows[1]:
            yield circuit, slice(*rows)
