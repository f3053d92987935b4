"""The quantum in which arrivals are counted: fine enough to be exact, coarse enough to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.quantum import QUANTUM

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit, Projection

#: Finest quantum of single precision [nS]; its arrivals are 32-bit integers.
FINEST = 2.0**-20
#: Most quanta of one step; what is left of 2^31 is for a million roundings upwards.
MOST = 2**31 - 2**19
#: Synapses looked at in one go: their targets are copied to 64 bits.
_SLICE = 2**24


def quantum(lowered: LoweredCircuit, dtype: Any) -> float:
    """Return the quantum of synaptic contributions [nS].

    In single precision the smallest power of two from `FINEST` on with which all that can reach a
    receptor of any cell in one step, every synapse at its largest release, stays below `MOST`.
    """
    if dtype != np.float32:
        return QUANTUM
    most = max((_most(lowered, number, receptor)
                for number, pop in enumerate(lowered.populations)
                for receptor in range(pop.entries)), default=0.0)
    found = FINEST
    while most > MOST * found:
        found *= 2.0
    return found


def _most(lowered: LoweredCircuit, number: int, receptor: int) -> float:
    """Return the most that can reach a receptor of any cell of a population in one step [nS]."""
    size = lowered.populations[number].n
    at_once = np.zeros(size)
    for one in lowered.projections:
        weight = _weight(one, receptor)
        if one.target == number and weight > 0:
            highest = one.learning.values["w_max"] if one.learning else 1.0
            at_once += weight * highest * (one.stp.most if one.stp else 1.0) * _synapses(one, size)
    for path in (one for pooled in lowered.pooled for one in pooled.pathways):
        if path.target == number:
            # As if every axon of a cell fired at once.
            at_once += _weight(path, receptor) * (path.stp.most if path.stp else 1.0) * (
                path.counts.sum() + path.rest)
    for said in lowered.recorded:
        weight = _weight(said, receptor)
        if said.population == number and weight > 0 and len(said.ids):
            # A file may name an event twice.
            _, events = np.unique(said.steps * size + said.ids, return_counts=True)
            at_once += weight * events.max()
    for drive in lowered.drives:
        weight = _weight(drive, receptor)
        if drive.population == number and weight > 0 and drive.pool is not None:
            trains = np.bincount(drive.pool[1], minlength=len(drive.members))
            at_once[drive.members] += weight * trains
    return float(at_once.max(initial=0.0))


def _weight(said: Any, receptor: int) -> float:
    return sum(weight for into, weight in said.weights if into == receptor)


def _synapses(one: Projection, size: int) -> np.ndarray:
    """Return how many synapses every target has, each counted by its factor."""
    found = np.zeros(size)
    for start in range(0, len(one.targets), _SLICE):
        span = slice(start, start + _SLICE)
        factors = None if one.factors is None else one.factors[span]
        found += np.bincount(one.targets[span], factors, minlength=size)
    return found
