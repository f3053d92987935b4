"""The smallest step that makes a cell fire, and the potential from which its spike rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.experiments.protocols.outcome import Asked, Outcome, Panel, first, rheobase_of

if TYPE_CHECKING:
    from neostriatum.experiments.protocols.electrode import Electrode, Response

PULSE_MS = 500.0
#: Steps of the table over the rheobase.
STEPS = (0.8, 0.9, 0.95, 0.99, 1.0, 1.01, 1.05, 1.1)
#: A spike rises from where the potential first rises so fast [mV/ms].
SPEED = 10.0


def rheobase(electrode: Electrode, asked: Asked) -> Outcome:
    """Return rheobase, latency at it, and threshold of a spike 10 % above it."""
    pulse = asked.duration_ms or PULSE_MS
    least = rheobase_of(electrode, pulse)
    responses = electrode.steps(least * np.array(STEPS), pulse)
    at = responses[STEPS.index(1.0)]
    values = {"rheobase_pa": round(least, 3), "pulse_ms": pulse, "latency_ms": first(at.spikes_ms),
              "rest_mv": electrode.rest_mv, "threshold_mv": threshold(responses[-1])}
    table: dict[str, list[float | None]] = {
             "current_pa": [response.current_pa for response in responses],
             "spikes": [len(response.spikes_ms) for response in responses],
             "latency_ms": [first(response.spikes_ms) for response in responses]}
    shown = [("1 % below", responses[STEPS.index(0.99)]), ("at the rheobase", at)]
    return Outcome(values, table, shown, (
        Panel("current_pa", "step (pA)", {"spikes": "spikes"}, "spikes"),))


def threshold(response: Response) -> float | None:
    """Return the potential at which the first spike begins to rise faster than SPEED [mV]."""
    if not len(response.spikes_ms):
        return None
    before = response.times_ms < response.spikes_ms[0] - 1e-9
    v, time = response.v_mv[before], response.times_ms[before]
    slope, middle = np.diff(v) / np.diff(time), (v[1:] + v[:-1]) / 2
    slow = np.flatnonzero(slope < SPEED)
    if not len(slow):
        return None
    last = int(slow[-1])
    if last + 1 >= len(slope):
        return float(v[-1])
    share = (SPEED - slope[last]) / (slope[last + 1] - slope[last])
    return float(middle[last] + share * (middle[last + 1] - middle[last]))
