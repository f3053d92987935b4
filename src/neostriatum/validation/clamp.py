"""What an electrode measures in a cell of the microcircuit, by the protocols of a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import CircuitError
from neostriatum.experiments.holding import hold
from neostriatum.experiments.protocol import protocol
from neostriatum.experiments.protocols.electrode import Electrode
from neostriatum.experiments.protocols.outcome import rheobase_of
from neostriatum.validation.lab import Lab, require

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

PULSE_MS = 500.0


def clamp(lab: Lab, cell: str, kind: str, silent: bool = True, dopamine: float = 0.0,
          **options: Any) -> dict[str, Any]:
    """Return values and table of a protocol of current clamp; nothing where the cell refuses it.

    ``silent`` holds off the current that the cell has by itself.
    """
    circuit = require(lab.load(dopamine), cells=(cell,))
    own = _own_current(circuit, cell) if silent else 0.0
    try:
        made = protocol(cell, kind, circuit=circuit, hold=f"{-own!r} pA", engine=lab.engine,
                        **options)
    except CircuitError as reason:
        return {"refused": str(reason)}
    return {**made.table, **made.values}


def clamp_ratio(lab: Lab, kind: str, reads: str, cells: tuple[str, str],
                **options: Any) -> dict[str, Any]:
    """Return a value of one cell type over that of another."""
    first, second = (clamp(lab, cell, kind, **options).get(reads) for cell in cells)
    return {"ratio": first / second if first and second else None}


def just_above(lab: Lab, cell: str, above_pa: float, dopamine: float = 0.0,
               duration_ms: float = 3000.0) -> dict[str, Any]:
    """Return irregularity, rate, and rate within episodes at a step just above the rheobase."""
    electrode = _electrode(lab, cell, dopamine)
    step = rheobase_of(electrode, PULSE_MS) + above_pa
    intervals = np.diff(electrode.steps([step], duration_ms)[0].spikes_ms)
    if len(intervals) < 3:
        return {}
    return {"cv": float(intervals.std() / intervals.mean()), "rate_hz": 1000.0 / intervals.mean(),
            "episode_hz": float(1000.0 / np.median(intervals))}


def first_slope(lab: Lab, cell: str, span_pa: float = 60.0, dopamine: float = 0.0,
                ) -> dict[str, Any]:
    """Return the slope of the steady f-I curve over the first currents above the rheobase."""
    electrode = _electrode(lab, cell, dopamine)
    least = rheobase_of(electrode, PULSE_MS)
    made = clamp(lab, cell, "fi", dopamine=dopamine, sweep=[
        f"{float(current)!r} pA" for current in least + np.linspace(0.0, span_pa, 7)])
    slope = np.polyfit(made["current_pa"], made["steady_hz"], 1)[0]
    return {"slope_hz_per_pa": float(slope)}


def late_spike(lab: Lab, cell: str, above: float = 1.02, dopamine: float = 0.0) -> dict[str, Any]:
    """Return the latency in a pulse of 500 ms that is just above the rheobase of such a pulse."""
    electrode = _electrode(lab, cell, dopamine)
    step = rheobase_of(electrode, PULSE_MS) * above
    spikes = electrode.steps([step], PULSE_MS)[0].spikes_ms
    return {"latency_ms": float(spikes[0]) if len(spikes) else None, "step_pa": step}


def dopamine_count(lab: Lab, cell: str, holding_mv: float, dopamine: float = 0.8,
                   spikes: int = 4) -> dict[str, Any]:
    """Return by how many spikes dopamine changes the answer to one step from a held potential.

    The step is the weakest that makes the cell fire ``spikes`` times without dopamine.
    """
    counts = []
    without = require(lab.load(0.0), cells=(cell,))
    try:
        held = hold(without, cell, f"{holding_mv} mV")
    except CircuitError as reason:
        return {"refused": str(reason)}
    step = None
    for level in (0.0, dopamine):
        electrode = Electrode(lab.load(level), cell, lab.engine, held.current_pa)
        if step is None:
            step = _step_for(electrode, spikes)
        counts.append(len(electrode.steps([step], PULSE_MS)[0].spikes_ms))
    return {"change": counts[1] - counts[0], "before": counts[0], "after": counts[1]}


def _step_for(electrode: Electrode, spikes: int) -> float:
    """Return the weakest step, to 1 pA, with so many spikes."""
    least = rheobase_of(electrode, PULSE_MS)
    for low in np.arange(least, least + 400.0, 16.0):
        currents = low + np.arange(16.0)
        for current, made in zip(currents, electrode.steps(currents, PULSE_MS), strict=True):
            if len(made.spikes_ms) >= spikes:
                return float(current)
    return float(least + 400.0)


def _electrode(lab: Lab, cell: str, dopamine: float) -> Electrode:
    circuit = require(lab.load(dopamine), cells=(cell,))
    return Electrode(circuit, cell, lab.engine, -_own_current(circuit, cell))


def _own_current(circuit: Circuit, cell: str) -> float:
    constant = circuit.cells[cell].cell_model.constant_current
    return 0.0 if constant is None else circuit.cells[cell].values[constant.name]
