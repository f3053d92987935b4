"""Input resistance, time constant, capacitance and sag, from small hyperpolarising steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.errors import CircuitError
from neostriatum.experiments.protocols.outcome import Asked, Outcome, Panel, named

if TYPE_CHECKING:
    from neostriatum.experiments.protocols.electrode import Electrode, Response

STEP_MS = 1000.0
#: The step is chosen to move the potential by so much [mV].
MOVE_MV = -5.0
#: Steps of the table over that step.
STEPS = (4.0, 3.0, 2.0, 1.0, 0.5)
#: The time constant is fitted between these shares of the deflection.
FIT = (0.1, 0.85)


def rin(electrode: Electrode, asked: Asked) -> Outcome:
    """Return resistance, time constant and capacitance of one step, and the table of all."""
    duration = asked.duration_ms or STEP_MS
    step = asked.current_pa
    if step is None:
        small = electrode.steps([-1.0], duration)[0]
        step = float(np.round(-MOVE_MV / _change(electrode, small)[1], 1)) or -0.1
    elif step >= 0:
        msg = f"current: must be a hyperpolarising step, below 0 pA (got {step:g} pA)"
        raise CircuitError(msg)
    responses = electrode.steps(step * np.array(STEPS), duration)
    peaks, ends = zip(*(_change(electrode, response) for response in responses), strict=True)
    at = STEPS.index(1.0)
    resistance, tau = ends[at] / step * 1000.0, _tau(electrode, responses[at])
    values = {"rest_mv": electrode.rest_mv, "step_pa": step, "resistance_mohm": resistance,
              "tau_ms": tau, "capacitance_pf": None if tau is None else tau / resistance * 1000.0,
              "sag": peaks[0] / ends[0]}
    table = {"current_pa": [response.current_pa for response in responses],
             "peak_mv": [electrode.rest_mv + peak for peak in peaks],
             "steady_mv": [electrode.rest_mv + end for end in ends],
             "resistance_mohm": [end / response.current_pa * 1000.0
                                 for end, response in zip(ends, responses, strict=True)]}
    return Outcome(values, table, named(responses), (
        Panel("current_pa", "step (pA)", {"peak_mv": "peak", "steady_mv": "steady"},
              "membrane voltage (mV)"),))


def _change(electrode: Electrode, response: Response) -> tuple[float, float]:
    """Return the greatest and the last deflection from rest [mV]."""
    change = response.v_mv - electrode.rest_mv
    return float(change[np.argmax(np.abs(change))]), float(change[-1])


def _tau(electrode: Electrode, response: Response) -> float | None:
    """Return the time constant of an exponential through the deflection [ms]."""
    change = np.abs(response.v_mv - electrode.rest_mv)
    share = change / change.max()
    start, stop = (int(np.argmax(share >= level)) for level in FIT)
    if stop - start < 3:
        return None
    slope = np.polyfit(response.times_ms[start:stop], np.log(1.0 - 0.999 * share[start:stop]), 1)
    return float(-1.0 / slope[0])
