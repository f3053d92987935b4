"""Events from outside the network: what the inputs draw, and recorded spikes, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.program import Program


@dataclass(frozen=True)
class Arrivals:
    """Events of one input at one cell type: steps from the start of the warm-up, and local ids."""

    name: str
    population: int
    weights: tuple[tuple[int, float], ...]
    steps: np.ndarray
    ids: np.ndarray


def expected(program: Program, n_steps: int) -> float:
    """Return about how many events the inputs of a program give in ``n_steps``."""
    times = np.array([program.time_ms(step) for step in range(n_steps)])
    drawn = sum(float(drive.rate.at(times).sum()) * drive.afferents * len(drive.members)
                for drive in program.drives) * program.dt / 1000.0
    return drawn + sum(len(recorded.steps) for recorded in program.recorded)


def arrivals(program: Program, n_steps: int) -> list[Arrivals]:
    """Return the events of all inputs, drawn as every engine of this package draws them."""
    events = [_drawn(program, drive, n_steps) for drive in program.drives]
    for recorded in program.recorded:
        steps = recorded.steps + program.warmup
        inside = (steps >= 0) & (steps < n_steps)
        events.append(Arrivals(recorded.name, recorded.population, recorded.weights,
                               steps[inside], recorded.ids[inside]))
    return events


def _drawn(program: Program, drive: Drive, n_steps: int) -> Arrivals:
    rates = [float(drive.rate.at(program.time_ms(step))) for step in range(n_steps)]
    hits = [drive.events(step, rate, program.dt) for step, rate in enumerate(rates)]
    steps = np.repeat(np.arange(n_steps), [len(hit) for hit in hits])
    return Arrivals(drive.name, drive.population, drive.weights, steps, np.concatenate(hits))
