"""Spikes that a cell fires when a hyperpolarising step ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.errors import CircuitError
from neostriatum.experiments.protocols.outcome import Asked, Outcome, Panel, first

if TYPE_CHECKING:
    from neostriatum.experiments.protocols.electrode import Electrode

STEP_MS = 500.0
BEFORE_MS, AFTER_MS = 100.0, 500.0
STEPS_PA = (-20.0, -40.0, -60.0, -80.0, -100.0, -150.0, -200.0)


def rebound(electrode: Electrode, asked: Asked) -> Outcome:
    """Return the spikes after steps of several currents, the weakest that has some, and sag."""
    duration = asked.duration_ms or STEP_MS
    currents = list(STEPS_PA) if asked.currents_pa is None else asked.currents_pa.tolist()
    if max(currents) >= 0:
        msg = f"sweep: steps must be hyperpolarising, below 0 pA (got {max(currents):g} pA)"
        raise CircuitError(msg)
    end = BEFORE_MS + duration
    table: dict[str, list[float | int | None]] = {
        "current_pa": [], "lowest_mv": [], "steady_mv": [], "spikes_after": [], "latency_ms": []}
    shown = []
    for current in currents:
        response = electrode.course([0.0, BEFORE_MS, end], [0.0, current, 0.0], end + AFTER_MS)
        shown.append((f"{current:g} pA", response))
        during = (response.times_ms > BEFORE_MS) & (response.times_ms <= end)
        after = response.spikes_ms[response.spikes_ms > end] - end
        row = (current, float(response.v_mv[during].min()), float(response.v_mv[during][-1]),
               len(after), first(after))
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    firing = [number for number, count in enumerate(table["spikes_after"]) if count]
    weakest = max((currents[number] for number in firing), default=None)
    strongest = min(range(len(currents)), key=currents.__getitem__)
    values = {"step_ms": duration, "weakest_pa": weakest,
              "latency_ms": table["latency_ms"][strongest],
              "spikes_after": table["spikes_after"][strongest]}
    return Outcome(values, table, shown, (
        Panel("current_pa", "step (pA)", {"spikes_after": "after the step"}, "spikes"),))
