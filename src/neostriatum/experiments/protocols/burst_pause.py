"""How long a cell that fires by itself is silent after a burst of strong pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.errors import CircuitError
from neostriatum.experiments.protocols.electrode import SETTLE_MS, Response
from neostriatum.experiments.protocols.outcome import Asked, Outcome, Panel

if TYPE_CHECKING:
    from neostriatum.experiments.protocols.electrode import Electrode

#: The pulses: how many, how often [Hz], how long [ms], how strong [pA].
COUNTS, RATE_HZ, PULSE_MS, PULSE_PA = (1, 3, 5, 10), 50.0, 3.0, 900.0
#: The cell is watched for so long after the pulses [ms].
AFTER_MS = 3000.0
#: Drawn of it before the pulses and after them [ms].
SHOWN_MS = (1000.0, 2000.0)


def burst_pause(electrode: Electrode, asked: Asked) -> Outcome:
    """Return the pause from the last spike of each burst, beside the interval before.

    The first pulse comes half an interval after a spike.
    """
    strength = PULSE_PA if asked.current_pa is None else asked.current_pa
    spikes = electrode.settled[0]
    if len(spikes) < 3:
        msg = (f"{electrode.cell}: must fire by itself, 3 times in {SETTLE_MS / 2000:g} s "
               f"(got {len(spikes)} spikes). Raise its current, --hold")
        raise CircuitError(msg)
    dt = electrode.alone.dt.value
    base = float(np.diff(spikes).mean())
    begin = float(np.round((spikes[-1] + base / 2) / dt)) * dt
    table: dict[str, list[float | int | None]] = {"pulses": [], "spikes": [], "pause_ms": []}
    shown = []
    for count in COUNTS:
        starts = begin + np.arange(count) * 1000.0 / RATE_HZ
        edges = [0.0, *(float(edge) for at in starts for edge in (at, at + PULSE_MS))]
        end = float(starts[-1]) + 1000.0 / RATE_HZ
        response = electrode.course(edges, [0.0, *[strength, 0.0] * count],
                                    float(np.ceil(end + AFTER_MS)), rested=False)
        fired = response.spikes_ms
        burst = fired[(fired > begin) & (fired <= end)]
        later = fired[fired > end]
        last = float(burst[-1]) if len(burst) else end
        pause = round(float(later[0]) - last, 6) if len(later) else None
        for column, value in zip(table.values(), (count, len(burst), pause), strict=True):
            column.append(value)
        shown.append((f"{count} pulse{'s' if count > 1 else ''}", _around(response, begin, end)))
    values = {"base_ms": base, "pulse_pa": strength, "pause_ms": table["pause_ms"][-1]}
    table["base_ms"] = [base] * len(COUNTS)
    return Outcome(values, table, shown, (
        Panel("pulses", "pulses at 50 Hz", {"pause_ms": "pause", "base_ms": "interval before"},
              "time (ms)"),), stacked=True)


def _around(response: Response, begin: float, end: float) -> Response:
    """Return a response from a while before the pulses to a while after, times from the first."""
    low, high = begin - SHOWN_MS[0], end + SHOWN_MS[1]
    kept = (response.times_ms > low) & (response.times_ms <= high)
    spikes = response.spikes_ms[(response.spikes_ms > low) & (response.spikes_ms <= high)]
    return Response(response.current_pa, spikes - begin, response.times_ms[kept] - begin,
                    response.v_mv[kept])
