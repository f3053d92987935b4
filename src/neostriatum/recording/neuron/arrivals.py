"""Events from outside the network: what the inputs draw, and recorded spikes, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.lowered import LoweredCircuit


@dataclass(frozen=True)
class Arrivals:
    """Events of one input at one cell type: steps from the start of the warm-up, and local ids."""

    name: str
    population: int
    weights: tuple[tuple[int, float], ...]
    steps: np.ndarray
    ids: np.ndarray


def expected(lowered: LoweredCircuit, n_steps: int) -> float:
    """Return about how many events the inputs of a lowered circuit give in ``n_steps``."""
    times = np.array([lowered.time_ms(step) for step in range(n_steps)])
    drawn = sum(float(drive.rate.at(times).sum()) * drive.afferents * len(drive.members)
                for drive in lowered.drives) * lowered.dt / 1000.0
    axons = sum(len(each.trains[0]) if each.trains is not None else
                float((each.chances(0, n_steps).sum(axis=1)[each.groups.channel]
                       * each.sizes).sum()) for each in lowered.axons)
    return drawn + axons + sum(len(recorded.steps) for recorded in lowered.recorded)


def arrivals(lowered: LoweredCircuit, n_steps: int) -> list[Arrivals]:
    """Return the events of all inputs, drawn as every engine of this package draws them."""
    events = [_drawn(lowered, drive, n_steps) for drive in lowered.drives]
    for recorded in lowered.recorded:
        steps = recorded.steps + lowered.warmup
        inside = (steps >= 0) & (steps < n_steps)
        events.append(Arrivals(recorded.name, recorded.population, recorded.weights,
                               steps[inside], recorded.ids[inside]))
    return events


def _drawn(lowered: LoweredCircuit, drive: Drive, n_steps: int) -> Arrivals:
    rates = [float(drive.rate.at(lowered.time_ms(step))) for step in range(n_steps)]
    hits = [drive.events(step, rate, lowered.dt) for step, rate in enumerate(rates)]
    steps = np.repeat(np.arange(n_steps), [len(hit) for hit in hits])
    return Arrivals(drive.name, drive.population, drive.weights, steps, np.concatenate(hits))
