"""How late the first spike comes, and how an earlier pulse shortens that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.experiments.protocols.electrode import Response
from neostriatum.experiments.protocols.outcome import (
    Asked,
    Outcome,
    Panel,
    first,
    named,
    rheobase_of,
)

if TYPE_CHECKING:
    from neostriatum.experiments.protocols.electrode import Electrode

PULSE_MS = 500.0
#: Steps above the rheobase [pA].
ABOVE_PA = (0.5, 2.0, 5.0, 10.0, 30.0, 60.0)
#: A pair of pulses: length, current above the rheobase of that length, pauses between [ms, pA, ms].
PAIR_MS, PAIR_PA, GAPS_MS = 200.0, 8.0, (200.0, 400.0, 700.0, 1000.0)
BEFORE_MS = 100.0


def latency(electrode: Electrode, asked: Asked) -> Outcome:
    """Return the latency at every current above the rheobase, and those of second pulses."""
    pulse = asked.duration_ms or PULSE_MS
    least = rheobase_of(electrode, pulse)
    above = np.array(ABOVE_PA) if asked.currents_pa is None else asked.currents_pa
    responses = electrode.steps(least + above, pulse)
    table = {"above_pa": above.tolist(),
             "current_pa": [response.current_pa for response in responses],
             "latency_ms": [first(response.spikes_ms) for response in responses]}
    current = rheobase_of(electrode, PAIR_MS) + PAIR_PA
    firsts, seconds = zip(*(_pair(electrode, current, gap) for gap in GAPS_MS), strict=True)
    table |= {"gap_ms": list(GAPS_MS), "second_ms": list(seconds)}
    values = {"rheobase_pa": round(least, 3), "longest_ms": max(
                  (each for each in table["latency_ms"] if each is not None), default=None),
              "pair_pa": round(current, 3), "first_ms": firsts[0]}
    return Outcome(values, table, named([_to_the_first(each) for each in responses]), (
        Panel("above_pa", "step above the rheobase (pA)", {"latency_ms": "first spike"},
              "latency (ms)", log=bool((above > 0).all())),
        Panel("gap_ms", "pause after the first pulse (ms)", {"second_ms": "second pulse"},
              "latency (ms)")))


def _to_the_first(response: Response) -> Response:
    """Return a response up to its first spike."""
    spikes = response.spikes_ms[:1]
    kept = response.times_ms < (spikes[0] - 1e-9 if len(spikes) else np.inf)
    return Response(response.current_pa, spikes, response.times_ms[kept], response.v_mv[kept])


def _pair(electrode: Electrode, current_pa: float,
          gap_ms: float) -> tuple[float | None, float | None]:
    """Return the latencies of two pulses with a pause between them [ms]."""
    begins = (BEFORE_MS, BEFORE_MS + PAIR_MS + gap_ms)
    edges = [0.0, *(edge for begin in begins for edge in (begin, begin + PAIR_MS))]
    spikes = electrode.course(edges, [0.0, current_pa, 0.0, current_pa, 0.0],
                              begins[1] + PAIR_MS).spikes_ms
    late = [first(spikes[(spikes > begin) & (spikes <= begin + PAIR_MS)] - begin)
            for begin in begins]
    return late[0], late[1]
