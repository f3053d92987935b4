"""Time in whole steps of a circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.errors import CircuitError, shown
from neostriatum.units import quantity

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Longest time in steps (116 days at 0.1 ms).
MAX_STEPS = 10**11


def steps(time_ms: float, dt_ms: float) -> int:
    """Return a time as a whole number of steps, half to even."""
    return round(time_ms / dt_ms)


def whole_steps(where: str, time_ms: float, dt_ms: float) -> int:
    """Return ``time_ms`` in steps; raise ValueError if it is not a whole number of them."""
    if abs(time_ms) / dt_ms > MAX_STEPS:
        msg = f"{where}: must be at most {MAX_STEPS:g} steps of {dt_ms:g} ms (got {time_ms:g} ms)"
        raise ValueError(msg)
    count = steps(time_ms, dt_ms)
    if abs(count * dt_ms - time_ms) > 1e-6 * dt_ms + 1e-12 * time_ms:
        msg = f"{where}: must be a whole number of steps of {dt_ms:g} ms (got {time_ms:g} ms)"
        raise ValueError(msg)
    return count


def run_steps(circuit: Circuit, duration: Any) -> int:
    """Return a duration as a whole number of steps of the circuit, at least one."""
    try:
        n_steps = whole_steps("duration", quantity(duration, "ms"), circuit.dt.value)
    except ValueError as error:
        text = str(error)
        msg = text if text.startswith("duration") else f"duration: {text} (got {shown(duration)})"
        raise CircuitError(msg) from None
    if n_steps < 1:
        msg = f"duration: must be at least one step (got {shown(duration)})"
        raise CircuitError(msg)
    return n_steps


def warmup_steps(circuit: Circuit) -> int:
    """Return the steps of a circuit's warm-up."""
    return whole_steps("warmup", circuit.warmup.value, circuit.dt.value)
