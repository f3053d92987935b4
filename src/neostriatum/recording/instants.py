"""The instants, and the cells or sources, that recorded states have in common."""

from __future__ import annotations

from functools import reduce
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.engines.base import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable

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
