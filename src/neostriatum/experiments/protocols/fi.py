"""Firing rate against the current of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.experiments.protocols.outcome import (
    Asked,
    Outcome,
    Panel,
    first,
    named,
    rheobase_of,
)

if TYPE_CHECKING:
    from neostriatum.experiments.protocols.electrode import Electrode, Response

STEP_MS = 2000.0
PULSE_MS = 500.0
#: Steps over the rheobase, where no currents are asked for.
STEPS = (0.95, 1.05, 1.1, 1.2, 1.4, 1.6, 2.0, 2.5, 3.0)
#: The steady rate is that after this share of the step.
STEADY = 0.4


def fi(electrode: Electrode, asked: Asked) -> Outcome:
    """Return the rate of the first interval and the steady rate at every current."""
    duration = asked.duration_ms or STEP_MS
    currents = asked.currents_pa
    if currents is None:
        currents = rheobase_of(electrode, PULSE_MS) * np.array(STEPS)
    responses = electrode.steps(currents, duration)
    steady = [_steady(response, duration) for response in responses]
    intervals = [np.diff(response.spikes_ms) for response in responses]
    rates = [rate for rate, _ in steady]
    table: dict[str, list[float | None]] = {
        "current_pa": [response.current_pa for response in responses],
        "spikes": [len(response.spikes_ms) for response in responses],
        "latency_ms": [first(response.spikes_ms) for response in responses],
        "initial_hz": [1000.0 / float(each[0]) if len(each) else None for each in intervals],
        "steady_hz": [*rates],
        "cv": [cv for _, cv in steady]}
    fires = [number for number, rate in enumerate(rates) if rate > 0]
    x = np.array(table["current_pa"])[fires]
    y = np.array(rates)[fires]
    slope = float(np.polyfit(x, y, 1)[0]) if len(set(x.tolist())) > 1 else None
    values = {"step_ms": duration, "highest_hz": max(rates), "slope_hz_per_pa": slope}
    shown = [responses[number] for number in sorted({*fires[:1], *fires[len(fires) // 2 :][:1],
                                                     *fires[-1:]})] or responses[-1:]
    return Outcome(values, table, named(shown), (
        Panel("current_pa", "step (pA)", {"initial_hz": "first interval", "steady_hz": "steady"},
              "firing rate (Hz)"),), stacked=True)


def _steady(response: Response, duration_ms: float) -> tuple[float, float | None]:
    """Return rate [Hz] and coefficient of variation of the intervals late in a step."""
    late = response.spikes_ms[response.spikes_ms > STEADY * duration_ms]
    intervals = np.diff(late)
    cv = float(intervals.std() / intervals.mean()) if len(intervals) > 2 else None
    return len(late) * 1000.0 / ((1.0 - STEADY) * duration_ms), cv
