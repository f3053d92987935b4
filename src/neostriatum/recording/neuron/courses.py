"""What changes during a run and is no event, at every step: levels of modulators, electrodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.modulation import added, factors, opened
from neostriatum.recording.neuron.mechanism import Mechanism

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.population import Population


def mechanism_of(lowered: LoweredCircuit, number: int) -> Mechanism:
    """Return the mechanism of a cell type of a lowered circuit."""
    pop = lowered.populations[number]
    now = pop.modulated(lowered.phi(0))
    values, varying = now, tuple[str, ...]()
    if lowered.levels_vary:
        values = {**pop.parameters, "gain": now["gain"]}
        names = [effect.acts_on for effect in pop.effects if effect.acts_on in pop.parameters]
        varying = tuple(dict.fromkeys(names))
    currents: list[tuple[float, Any]] = []
    for current in lowered.currents:
        if current.population == number:
            mask = np.zeros(pop.n)
            mask[current.members] = 1.0
            currents.append((float(current.course.at(lowered.time_ms(0))),
                             mask if len(current.members) < pop.n else 1.0))
    releases = [projection.stp for projection in lowered.projections
                if projection.target == number and projection.stp is not None]
    return Mechanism(pop, lowered.dt, values, currents, varying,
                     [(float(g), reversal) for g, reversal in now["currents"]], releases,
                     lowered.coupled(number))


def courses_of(lowered: LoweredCircuit, mechanisms: list[Mechanism],
               n_steps: int) -> dict[str, Any]:
    """Return the values (n_steps,) of every variable that changes, by its name in NEURON."""
    times = np.array([lowered.time_ms(step) for step in range(n_steps)])
    courses: dict[str, Any] = {}
    phi = tuple(course.at(times) for course in lowered.courses)
    for number, mechanism in enumerate(mechanisms):
        own = _levels(lowered.populations[number], mechanism, phi) if lowered.levels_vary else {}
        electrodes = [each for each in lowered.currents if each.population == number]
        own |= {f"i_{place}": each.course.at(times) for place, each in enumerate(electrodes)
                if not each.course.is_constant}
        courses |= {f"{name}_{mechanism.name}": np.broadcast_to(values, (n_steps,))
                    for name, values in own.items()}
    return courses


def _levels(pop: Population, mechanism: Mechanism, phi: tuple[Any, ...]) -> dict[str, Any]:
    """Return what levels do to a cell type."""
    factor, more = factors(pop.effects, phi), added(pop.effects, phi)
    own: dict[str, Any] = {f"f_{name}": factor.get(name, 1.0) for name in mechanism.varying}
    own |= {f"a_{name}": more.get(name, 0.0) for name in mechanism.varying}
    own |= {f"gain_{place}": factor[f"I_{synapse.name}"]
            for place, synapse in enumerate(pop.synapses) if f"I_{synapse.name}" in factor}
    return own | {f"o_{place}": g for place, (g, _) in enumerate(opened(pop.effects, phi))}


def columns(lowered: LoweredCircuit) -> int:
    """Return how many numbers a step has at most."""
    electrodes = sum(not current.course.is_constant for current in lowered.currents)
    effects = sum(len(pop.effects) for pop in lowered.populations)
    return electrodes + 2 * effects * lowered.levels_vary
